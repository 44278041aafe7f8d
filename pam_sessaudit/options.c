/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "pam_sessaudit/options.h"

#define KNOWN_OPTIONS "enable= disable= group= open_only log_passwd on_none= config= quiet debug"

/* One resolution: what was found so far. */
struct resolver {
	const struct options_user *user;
	enum options_tty tty;
	bool any; /* an enable, disable or group was given at all */
};

/* The text after "key=", or NULL. */
static const char *value_of(const char *arg, const char *key)
{
	size_t n = strlen(key);

	return strncmp(arg, key, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

static void complain(const struct resolver *r, const char *what, const char *arg, const char *hint)
{
	char message[512];

	snprintf(message, sizeof(message), "%s \"%.200s\": %s", what, arg, hint);
	r->user->report(r->user->ctx, message);
}

/* Digits only, no sign or blank as strtoul would take. */
static bool parse_uid(const char *s, uid_t *out)
{
	char *end;
	unsigned long long v;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (*end || errno || v > UINT32_MAX)
		return false;
	*out = (uid_t)v;
	return true;
}

/* "a:b" from a to b, "a:" from a on, and ":b" exactly b, since pam_tty_audit takes it so. */
static bool parse_range(const char *token, uid_t *min, uid_t *max)
{
	_cleanup_free_ char *first = strdup(token);
	char *second = first ? strchr(first, ':') : NULL;

	if (!second)
		return false;
	*second++ = 0;
	*max = UINT32_MAX;
	if (*second && !parse_uid(second, max))
		return false;
	*min = *max;
	return *first ? parse_uid(first, min) : *second != 0;
}

static bool user_fits(const struct resolver *r, const char *token)
{
	const struct options_user *u = r->user;
	uid_t min, max, uid;

	if (!strchr(token, ':'))
		return fnmatch(token, u->name, 0) == 0;
	if (!parse_range(token, &min, &max)) {
		complain(r, "bad uid range", token, "write MIN:MAX, MIN: or :UID");
		return false;
	}
	return u->uid(u->ctx, u->name, &uid) && uid >= min && uid <= max;
}

static bool group_fits(const struct resolver *r, const char *token)
{
	return r->user->in_group(r->user->ctx, r->user->name, token);
}

/* Sets what is asked for when any item of the comma list fits. */
static void apply(struct resolver *r, const char *list,
		  bool (*fits)(const struct resolver *r, const char *token), enum options_tty tty)
{
	_cleanup_free_ char *copy = NULL;
	char *save = NULL;

	if (!list || !*list)
		return;
	r->any = true;
	copy = strdup(list);
	if (!copy) {
		complain(r, "patterns", list, "out of memory");
		return;
	}
	for (char *t = strtok_r(copy, ",", &save); t; t = strtok_r(NULL, ",", &save)) {
		if (fits(r, t)) {
			r->tty = tty;
			return;
		}
	}
}

const char *options_config(int argc, const char *const *argv)
{
	const char *file = NULL, *v;

	for (int i = 0; i < argc; i++)
		if ((v = value_of(argv[i], "config")))
			file = v;
	return file;
}

static void take_on_none(const struct resolver *r, const char *value, struct options *out)
{
	if (strcmp(value, "record") == 0)
		out->on_none = "record";
	else if (strcmp(value, "deny") == 0)
		out->on_none = "deny";
	else
		complain(r, "bad on_none", value, "passed over; write record or deny");
}

static void take_argument(struct resolver *r, const char *arg, struct options *out)
{
	const char *v;

	/* Said at all, even with an empty list, means: not simply everyone. */
	if (value_of(arg, "enable") || value_of(arg, "disable") || value_of(arg, "group"))
		r->any = true;
	if ((v = value_of(arg, "enable")))
		apply(r, v, user_fits, OPTIONS_TTY_ON);
	else if ((v = value_of(arg, "disable")))
		apply(r, v, user_fits, OPTIONS_TTY_OFF);
	else if ((v = value_of(arg, "group")))
		apply(r, v, group_fits, OPTIONS_TTY_ON);
	else if ((v = value_of(arg, "on_none")))
		take_on_none(r, v, out);
	else if (strcmp(arg, "open_only") == 0)
		out->open_only = true;
	else if (strcmp(arg, "log_passwd") == 0)
		out->log_passwd = true;
	else if (strcmp(arg, "quiet") == 0)
		out->quiet = true;
	else if (strcmp(arg, "debug") == 0)
		out->debug = true;
	else if (!value_of(arg, "config"))
		complain(r, "unknown option", arg, "passed over; known are " KNOWN_OPTIONS);
}

void options_resolve(int argc, const char *const *argv, const struct settings *settings,
		     const struct options_user *user, struct options *out)
{
	struct resolver r = {.user = user};

	*out = (struct options){.open_only = settings->pam_open_only,
				.log_passwd = settings->pam_log_passwd};
	apply(&r, settings->pam_enable, user_fits, OPTIONS_TTY_ON);
	apply(&r, settings->pam_group, group_fits, OPTIONS_TTY_ON);
	apply(&r, settings->pam_disable, user_fits, OPTIONS_TTY_OFF);
	for (int i = 0; i < argc; i++)
		take_argument(&r, argv[i], out);
	out->tty = r.any ? r.tty : OPTIONS_TTY_ON;
}
