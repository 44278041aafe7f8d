/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Looks after the kernel's audit state around a test, without the auditd package:
 *
 *   auditstate get               enabled=0 failure=1 pid=0 ... rules=0, one line
 *   auditstate set KEY=VALUE...  enabled, backlog_limit, backlog_wait_time
 *   auditstate del-rules         removes every rule with the key sessaudit or sessaudit-self
 *
 * It never sets enabled=2 or failure=2.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <libaudit.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RULE_KEY "sessaudit"
#define RULE_SELF_KEY "sessaudit-self" /* begins with the other */
#define MAX_RULES 1024
#define ANSWER_MS 2000

static int fail(const char *what, int code)
{
	fprintf(stderr, "auditstate: %s: %s\n", what, strerror(code < 0 ? -code : code));
	return 1;
}

/* The next answer to a request of ours; the data lies in *reply. */
static bool answer(int fd, struct audit_reply *reply)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ANSWER_MS) > 0 &&
	       audit_get_reply(fd, reply, GET_REPLY_NONBLOCKING, 0) > 0;
}

static bool rule_is_ours(const struct audit_rule_data *r)
{
	size_t at = 0;

	for (unsigned i = 0; i < r->field_count; i++) {
		if (r->fields[i] == AUDIT_FILTERKEY)
			return (r->values[i] == strlen(RULE_KEY) ||
				r->values[i] == strlen(RULE_SELF_KEY)) &&
			       memcmp(r->buf + at, RULE_SELF_KEY, r->values[i]) == 0;
		if (r->fields[i] == AUDIT_WATCH || r->fields[i] == AUDIT_DIR ||
		    r->fields[i] == AUDIT_EXE ||
		    (r->fields[i] >= AUDIT_SUBJ_USER && r->fields[i] <= AUDIT_OBJ_LEV_HIGH &&
		     r->fields[i] != AUDIT_PPID))
			at += r->values[i];
	}
	return false;
}

/* Fills rules with copies (never freed: the program ends soon) and returns their number, -1 on
 * error. */
static int list_rules(int fd, struct audit_rule_data **rules)
{
	struct audit_reply reply;
	int n = 0;

	if (audit_request_rules_list_data(fd) <= 0)
		return -1;
	while (answer(fd, &reply) && reply.type != NLMSG_DONE) {
		size_t size;

		if (reply.type != AUDIT_LIST_RULES || n == MAX_RULES)
			continue;
		size = sizeof(*reply.ruledata) + reply.ruledata->buflen;
		rules[n] = malloc(size);
		if (!rules[n])
			return -1;
		memcpy(rules[n++], reply.ruledata, size);
	}
	return n;
}

static int get(int fd)
{
	static struct audit_rule_data *rules[MAX_RULES];
	struct audit_reply reply;
	int rc = audit_request_status(fd), n;

	if (rc <= 0)
		return fail("status", rc);
	do {
		if (!answer(fd, &reply))
			return fail("status", ETIMEDOUT);
	} while (reply.type != AUDIT_GET);
	printf("enabled=%u failure=%u pid=%u backlog_limit=%u backlog_wait_time=%u lost=%u",
	       reply.status->enabled, reply.status->failure, reply.status->pid,
	       reply.status->backlog_limit, reply.status->backlog_wait_time, reply.status->lost);
	n = list_rules(fd, rules);
	if (n < 0)
		return fail("rules", errno);
	printf(" rules=%d\n", n);
	return 0;
}

static int set(int fd, char **pairs)
{
	for (; *pairs; pairs++) {
		unsigned value;
		int rc = -EINVAL;

		if (sscanf(*pairs, "enabled=%u", &value) == 1 && value < 2)
			rc = audit_set_enabled(fd, value);
		else if (sscanf(*pairs, "backlog_limit=%u", &value) == 1)
			rc = audit_set_backlog_limit(fd, value);
		else if (sscanf(*pairs, "backlog_wait_time=%u", &value) == 1)
			rc = audit_set_backlog_wait_time(fd, value);
		if (rc <= 0)
			return fail(*pairs, rc);
	}
	return 0;
}

static int delete_rules(int fd)
{
	static struct audit_rule_data *rules[MAX_RULES];
	int n = list_rules(fd, rules), failed = n < 0;

	for (int i = 0; i < n; i++)
		if (rule_is_ours(rules[i])) {
			int rc = audit_delete_rule_data(fd, rules[i], (int)rules[i]->flags,
							(int)rules[i]->action);
			if (rc <= 0)
				failed = fail("delete rule", rc);
		}
	return failed;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int fd = audit_open();

	if (fd < 0)
		return fail("audit netlink", errno);
	if (strcmp(verb, "get") == 0)
		return get(fd);
	if (strcmp(verb, "set") == 0)
		return set(fd, argv + 2);
	if (strcmp(verb, "del-rules") == 0)
		return delete_rules(fd);
	fprintf(stderr, "usage: auditstate get | set KEY=VALUE... | del-rules\n");
	return 2;
}
