/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

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

struct settings_word { /* an option that is one of a few words */
	const char *option, *value;
	bool optional;
	const char *hint;
	const char *words[5];
};

static int settings_check_words(const char *name, const struct settings *s, struct sa_err *err)
{
	const struct settings_word rows[] = {
		{"store.type", s->store_type, false, "dir or s3", {"dir", "s3"}},
		{"store.s3_path_style",
		 s->store_s3_path_style,
		 false,
		 "auto, yes or no",
		 {"auto", "yes", "no"}},
		{"store.s3_encryption",
		 s->store_s3_encryption,
		 true,
		 "AES256, aws:kms or aws:kms:dsse",
		 {"AES256", "aws:kms", "aws:kms:dsse"}},
		{"store.s3_lock_mode",
		 s->store_s3_lock_mode,
		 true,
		 "COMPLIANCE or GOVERNANCE",
		 {"COMPLIANCE", "GOVERNANCE"}},
		{"spool.on_full", s->spool_on_full, false, "suspend or halt", {"suspend", "halt"}},
		{"policy.on_none", s->policy_on_none, false, "record or deny", {"record", "deny"}},
		{"policy.on_expiry",
		 s->policy_on_expiry,
		 false,
		 "record or terminate",
		 {"record", "terminate"}},
		{"capture.source",
		 s->capture_source,
		 false,
		 "auto, unicast, multicast or stdin",
		 {"auto", "unicast", "multicast", "stdin"}},
		{"capture.overload", s->capture_overload, false, "wait or drop", {"wait", "drop"}},
		{"agent.log_level",
		 s->agent_log_level,
		 false,
		 "err, warn, info or debug",
		 {"err", "warn", "info", "debug"}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *value = rows[i].value ? rows[i].value : "";

		if ((!rows[i].optional || *value) && !settings_one_of(value, rows[i].words))
			return sa_fail(err, SA_ERR_INVALID, "%s: %s: unknown word; write %s", name,
				       rows[i].option, rows[i].hint);
	}
	return 0;
}

static int settings_check_absolute(const char *name, const char *option,
				   const struct conf_list *list, struct sa_err *err)
{
	for (size_t i = 0; i < list->len; i++)
		if (list->items[i][0] != '/')
			return sa_fail(err, SA_ERR_INVALID,
				       "%s: %s: not an absolute path; start it with /", name,
				       option);
	return 0;
}

static int settings_check_broker(const char *name, const struct settings *s, struct sa_err *err)
{
	if (!s->broker_url || !*s->broker_url)
		return 0;
	if (strncmp(s->broker_url, "https://", 8) != 0)
		return sa_fail(err, SA_ERR_INVALID, "%s: broker.url: not an https:// URL", name);
	if (s->broker_keys.len == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: broker.keys: missing; name the file with the public key that "
			       "signs the broker's grants",
			       name);
	return 0;
}

/* What one row of the table cannot say. */
static int settings_check(const char *name, const struct settings *s, struct sa_err *err)
{
	int rc = settings_check_words(name, s, err);

	if (rc != 0)
		return rc;
	if (strcmp(s->store_type, "s3") == 0 && (!s->store_s3_url || !*s->store_s3_url))
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: store.s3_url: missing; name the bucket, as s3://bucket/prefix",
			       name);
	if (((s->store_s3_kms_key && *s->store_s3_kms_key) || s->store_s3_bucket_key) &&
	    (!s->store_s3_encryption || strncmp(s->store_s3_encryption, "aws:kms", 7) != 0))
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: store.s3_encryption: s3_kms_key and s3_bucket_key go with "
			       "aws:kms; write s3_encryption = aws:kms",
			       name);
	if (s->store_retry_min > s->store_retry_max)
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: store.retry_min: longer than store.retry_max; make it shorter",
			       name);
	if (!*s->agent_user || !*s->agent_ship_user || !*s->agent_grant_user)
		return sa_fail(err, SA_ERR_INVALID, "%s: agent.%s: empty; name a user", name,
			       !*s->agent_user        ? "user"
			       : !*s->agent_ship_user ? "ship_user"
						      : "grant_user");
	if ((rc = settings_check_absolute(name, "pam.grants_dir", &s->pam_grants_dir, err)) != 0 ||
	    (rc = settings_check_absolute(name, "capture.file_writes", &s->capture_file_writes,
					  err)) != 0 ||
	    (rc = settings_check_absolute(name, "capture.file_reads", &s->capture_file_reads,
					  err)) != 0 ||
	    (rc = settings_check_absolute(name, "broker.keys", &s->broker_keys, err)) != 0)
		return rc;
	return settings_check_broker(name, s, err);
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

static int settings_replace(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return SA_ERR_NOMEM;
	free(*field);
	*field = copy;
	return 0;
}

int settings_set_store(struct settings *s, const char *where, struct sa_err *err)
{
	bool s3 = strncmp(where, "s3://", 5) == 0 || strncmp(where, "arn:", 4) == 0;

	if (settings_replace(s3 ? &s->store_s3_url : &s->store_dir, where) != 0 ||
	    settings_replace(&s->store_type, s3 ? "s3" : "dir") != 0)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return 0;
}

static const char **list_or(const struct conf_list *given, const char *const *usual, size_t n)
{
	const char **out;

	if (given->len > 0)
		n = given->len;
	out = calloc(n + 1, sizeof(*out));
	for (size_t i = 0; out && i < n; i++)
		out[i] = given->len > 0 ? given->items[i] : usual[i];
	return out;
}

const char **settings_grant_dirs(const struct settings *s)
{
	static const char *const usual[] = {"/etc/sessaudit/grants.d", "/run/sessaudit/grants.d"};

	return list_or(&s->pam_grants_dir, usual, ARRAY_LEN(usual));
}

const char **settings_file_writes(const struct settings *s)
{
	static const char *const usual[] = {"/etc",      "/boot",    "/root",     "/usr/bin",
					    "/usr/sbin", "/usr/lib", "/usr/local"};

	return list_or(&s->capture_file_writes, usual, ARRAY_LEN(usual));
}

bool settings_is_ssh_service(const struct settings *s, const char *service)
{
	const struct conf_list *l = &s->pam_ssh_services;

	for (size_t i = 0; i < l->len; i++)
		if (strcmp(l->items[i], service) == 0)
			return true;
	return l->len == 0 && strcmp(service, "sshd") == 0;
}

void settings_print(const struct settings *s, struct buf *out)
{
	conf_print(settings_table, SETTINGS_COUNT, s, out);
}

void settings_free(struct settings *s)
{
	conf_free(settings_table, SETTINGS_COUNT, s);
}
