/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include "common/cleanup.h"
#include "common/settings.h"

#define SETTINGS_ROW(section, name, type, ctype, def, min, max, help)                              \
	{#section, #name, type, offsetof(struct settings, section##_##name), def, min, max, help},

static const struct conf_option settings_table[] = {SETTINGS_OPTIONS(SETTINGS_ROW)};

#define SETTINGS_COUNT ARRAY_LEN(settings_table)

static bool settings_one_of(const char *value, const char *const *words)
{
	while (*words && strcmp(*words, value) != 0)
		words++;
	return *words != NULL;
}

/* What one row of the table cannot say. */
static int settings_check(const char *name, const struct settings *s, struct sa_err *err)
{
	static const char *const stores[] = {"dir", NULL};
	static const char *const levels[] = {"err", "warn", "info", "debug", NULL};

	if (!settings_one_of(s->store_type, stores))
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: store.type: unknown kind of store; write dir", name);
	if (!settings_one_of(s->agent_log_level, levels))
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: agent.log_level: unknown level; write err, warn, info or debug",
			       name);
	if (s->store_retry_min > s->store_retry_max)
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: store.retry_min: longer than store.retry_max; make it shorter",
			       name);
	if (!*s->agent_user || !*s->agent_ship_user)
		return sa_fail(err, SA_ERR_INVALID, "%s: agent.%s: empty; name a user", name,
			       *s->agent_user ? "ship_user" : "user");
	for (size_t i = 0; i < s->pam_grants_dir.len; i++) {
		if (s->pam_grants_dir.items[i][0] != '/')
			return sa_fail(err, SA_ERR_INVALID,
				       "%s: pam.grants_dir: not an absolute path; start it with /",
				       name);
	}
	return 0;
}

static int settings_checked(const char *name, int rc, struct settings *out, struct sa_err *err)
{
	if (rc == 0)
		rc = settings_check(name, out, err);
	if (rc == SA_ERR_INVALID) {
		settings_free(out);
		conf_defaults(settings_table, SETTINGS_COUNT, out, NULL);
	}
	return rc;
}

int settings_parse(const char *name, struct slice text, struct settings *out, struct sa_err *err)
{
	int rc;

	*out = (struct settings){0};
	rc = conf_parse(name, text, settings_table, SETTINGS_COUNT, out, err);
	return settings_checked(name, rc, out, err);
}

int settings_load(const char *path, struct settings *out, struct sa_err *err)
{
	const char *name = path ? path : SETTINGS_DEFAULT_PATH;
	int rc;

	*out = (struct settings){0};
	rc = conf_load(name, settings_table, SETTINGS_COUNT, out, err);
	if (rc == SA_ERR_NOTFOUND && !path)
		return 0;
	return settings_checked(name, rc, out, err);
}

void settings_print(const struct settings *s, struct buf *out)
{
	conf_print(settings_table, SETTINGS_COUNT, s, out);
}

void settings_free(struct settings *s)
{
	conf_free(settings_table, SETTINGS_COUNT, s);
}
