/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/match.h"
#include "common/access/pam_services.h"
#include "common/access/policy.h"
#include "common/cleanup.h"

/* What is said of a session's number and of the environment does not concern a service inside of a
 * session: it goes on with what the login has. */
static bool is_nested(const char *name)
{
	static const char *const names[] = {"sudo",    "sudo-i",    "su",   "su-l",
					    "runuser", "runuser-l", "doas", "polkit-1"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool is_service_file(const char *name)
{
	static const char *const others[] = {".*",
					     "*~",
					     "*.dpkg-*",
					     "*.rpm*",
					     "*.bak",
					     "*.orig",
					     "*.ucf-*",
					     "common-*",
					     "system-auth*",
					     "postlogin*",
					     "other",
					     "password-auth*",
					     "smartcard-auth*",
					     "fingerprint-auth*"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (match_glob(slice_of(others[i]), name))
			return false;
	return true;
}

static void weigh(struct pam_service *p, const struct settings *s)
{
	unsigned counts = PAM_STACK_SKIPPED | PAM_STACK_UNREAD;

	if (!is_nested(p->name))
		counts |= PAM_STACK_NO_LOGINUID;
	if (p->ssh)
		counts |= PAM_STACK_AFTER_ENV | PAM_STACK_AFTER_OTHERS;
	if (p->stack.denies || policy_may_deny(s))
		counts |= PAM_STACK_OPTIONAL;
	p->faults = p->stack.findings & counts;
	p->grave = p->faults & (p->ssh ? ~0U : (unsigned)PAM_STACK_OPTIONAL);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char *items[PAM_SERVICES_MAX];
	size_t len;
};

static void names_free(struct names *n)
{
	for (size_t i = 0; i < n->len; i++)
		free(n->items[i]);
}

static int list_names(const char *dir, struct names *out, struct sa_err *err)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;

	if (!d)
		return sa_fail_errno(err, "open %s", dir);
	while ((e = readdir(d)) && out->len < PAM_SERVICES_MAX) {
		if (!is_service_file(e->d_name))
			continue;
		out->items[out->len] = strdup(e->d_name);
		if (!out->items[out->len])
			return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", dir);
		out->len++;
	}
	qsort(out->items, out->len, sizeof(out->items[0]), by_bytes);
	return 0;
}

int pam_services_each(const char *dir, const struct settings *s, pam_service_fn fn, void *ctx,
		      struct sa_err *err)
{
	_cleanup_(names_free) struct names names = {0};
	int rc = list_names(dir, &names, err);

	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		struct pam_service p = {.name = names.items[i],
					.ssh = settings_is_ssh_service(s, names.items[i])};

		if (pam_stack_read(dir, p.name, &p.stack, NULL) < 0)
			continue; /* a directory, or not ours to read */
		weigh(&p, s);
		if (p.stack.has_session || p.ssh)
			fn(ctx, &p);
	}
	return rc;
}
