/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/rules.h"

#include <errno.h>
#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"

static const char *const command_calls[] = {"execve", "execveat"};
static const char *const arches[] = {"b64", "b32"};

static void free_rule(struct audit_rule_data **rule)
{
	free(*rule);
}
#define _cleanup_rule_ _cleanup_(free_rule)

/* libaudit's pair parser writes into its argument and reallocates the rule. */
static int add_pair(struct audit_rule_data **rule, const char *pair)
{
	char text[64];

	snprintf(text, sizeof(text), "%s", pair);
	return audit_rule_fieldpair_data(rule, text, AUDIT_FILTER_EXIT);
}

/* key=sessaudit. libaudit takes that pair only from auditctl, so the field is put in by hand
 * (linux/audit.h: a string's bytes stand in buf, its length in values). */
static int add_key(struct audit_rule_data **rule)
{
	size_t len = strlen(RULES_KEY);
	struct audit_rule_data *r = realloc(*rule, sizeof(*r) + (*rule)->buflen + len);

	if (!r)
		return SA_ERR_NOMEM;
	*rule = r;
	if (r->field_count >= AUDIT_MAX_FIELDS)
		return SA_ERR_TOOBIG;
	r->fields[r->field_count] = AUDIT_FILTERKEY;
	r->fieldflags[r->field_count] = AUDIT_EQUAL;
	r->values[r->field_count++] = (uint32_t)len;
	memcpy((char *)r + sizeof(*r) + r->buflen, RULES_KEY, len);
	r->buflen += (uint32_t)len;
	return 0;
}

/* -a always,exit -F arch=<arch> -S execve,execveat -F auid!=unset -k sessaudit. SA_ERR_UNSUPPORTED
 * when this machine has no such arch. */
static int make_rule(const char *arch, struct audit_rule_data **out)
{
	_cleanup_rule_ struct audit_rule_data *rule = calloc(1, sizeof(*rule));
	char pair[32];

	if (!rule)
		return SA_ERR_NOMEM;
	snprintf(pair, sizeof(pair), "arch=%s", arch);
	if (add_pair(&rule, pair))
		return SA_ERR_UNSUPPORTED;
	for (size_t i = 0; i < ARRAY_LEN(command_calls); i++)
		if (audit_rule_syscallbyname_data(rule, command_calls[i]))
			return SA_ERR_UNSUPPORTED;
	if (add_pair(&rule, "auid!=unset"))
		return SA_ERR_UNSUPPORTED;
	if (add_key(&rule))
		return SA_ERR_NOMEM;
	*out = TAKE_PTR(rule);
	return 0;
}

static int for_each_rule(int (*fn)(int fd, struct audit_rule_data *rule, const char *arch,
				   struct sa_err *err),
			 int fd, struct sa_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(arches); i++) {
		_cleanup_rule_ struct audit_rule_data *rule = NULL;
		int rc = make_rule(arches[i], &rule);

		if (rc == SA_ERR_NOMEM)
			return sa_fail(err, rc, "rules: out of memory");
		/* Some machines have no 32-bit calls (arm64 without compat). */
		if (rc && i == 0)
			return sa_fail(err, rc,
				       "rules: libaudit does not know arch=%s on this machine",
				       arches[i]);
		if (rc == 0 && (rc = fn(fd, rule, arches[i], err)))
			return rc;
	}
	return 0;
}

static int add_rule(int fd, struct audit_rule_data *rule, const char *arch, struct sa_err *err)
{
	int rc = audit_add_rule_data(fd, rule, AUDIT_FILTER_EXIT, AUDIT_ALWAYS);

	if (rc > 0 || rc == -EEXIST || errno == EEXIST)
		return 0;
	return sa_fail(err, SA_ERR_PERM, "rules: kernel refused the %s execve rule: %s", arch,
		       strerror(rc < 0 ? -rc : errno));
}

static int delete_rule(int fd, struct audit_rule_data *rule, const char *arch, struct sa_err *err)
{
	(void)arch;
	(void)err;
	audit_delete_rule_data(fd, rule, AUDIT_FILTER_EXIT, AUDIT_ALWAYS);
	return 0;
}

int rules_install(int fd, const struct settings *set, struct sa_err *err)
{
	if (!set->capture_commands)
		return 0;
	return for_each_rule(add_rule, fd, err);
}

void rules_remove(int fd)
{
	for_each_rule(delete_rule, fd, NULL);
}

void rules_print(const struct settings *set)
{
	if (!set->capture_commands)
		return;
	for (size_t i = 0; i < ARRAY_LEN(arches); i++)
		log_warn(
			"event=rule_missing rule=\"-a always,exit -F arch=%s -S execve,execveat -F auid!=unset -k " RULES_KEY
			"\"",
			arches[i]);
}
