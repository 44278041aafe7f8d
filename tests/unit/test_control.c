/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/collector/control.h"
#include "agent/collector/rules.h"
#include "tests/unit/tap.h"

/*
 * Audit that is locked until reboot (auditctl -e 2), which no test may do to the kernel it runs on:
 * libaudit's answers are made here, for a kernel with these rules. Whatever would change anything
 * is counted and refused, as the kernel does then.
 */

#define RULES_THERE 8

static struct audit_rule_data *there[RULES_THERE];
static size_t n_there;
static uint32_t enabled = 2;
static unsigned changes;

static struct {
	int seq, asked; /* of the last question */
	bool status;    /* it was for the status, else for the rules */
	size_t next;    /* answers given */
	unsigned stale; /* answers to earlier questions that come first */
} kernel;

int __wrap_audit_open(void);
int __wrap_audit_open(void)
{
	return eventfd(1, EFD_CLOEXEC); /* always readable */
}

static int ask(bool status)
{
	kernel.asked = ++kernel.seq;
	kernel.status = status;
	kernel.next = 0;
	return kernel.seq;
}

int __wrap_audit_request_status(int fd);
int __wrap_audit_request_status(int fd)
{
	(void)fd;
	return ask(true);
}

int __wrap_audit_request_rules_list_data(int fd);
int __wrap_audit_request_rules_list_data(int fd)
{
	(void)fd;
	return ask(false);
}

int __wrap_audit_get_reply(int fd, struct audit_reply *r, reply_t block, int peek);
int __wrap_audit_get_reply(int fd, struct audit_reply *r, reply_t block, int peek)
{
	static struct audit_status st;

	(void)fd;
	(void)block;
	(void)peek;
	*r = (struct audit_reply){0};
	r->msg.nlh.nlmsg_seq = (uint32_t)kernel.asked;
	if (kernel.stale) { /* of a question that was given up */
		kernel.stale--;
		r->msg.nlh.nlmsg_seq = (uint32_t)kernel.asked - 1;
		r->type = kernel.status ? AUDIT_GET : NLMSG_DONE;
		st = (struct audit_status){.enabled = 0};
		r->status = &st;
		return 1;
	}
	if (kernel.status) {
		st = (struct audit_status){.enabled = enabled, .backlog_limit = 8192};
		r->type = AUDIT_GET;
		r->status = &st;
		return 1;
	}
	r->type = kernel.next < n_there ? AUDIT_LIST_RULES : NLMSG_DONE;
	if (kernel.next < n_there)
		r->ruledata = there[kernel.next++];
	return 1;
}

int __wrap_audit_add_rule_data(int fd, struct audit_rule_data *rule, int flags, int action);
int __wrap_audit_add_rule_data(int fd, struct audit_rule_data *rule, int flags, int action)
{
	(void)fd;
	(void)rule;
	(void)flags;
	(void)action;
	changes++;
	return -EPERM;
}

int __wrap_audit_set_enabled(int fd, uint32_t on);
int __wrap_audit_set_enabled(int fd, uint32_t on)
{
	(void)fd;
	(void)on;
	changes++;
	return -EPERM;
}

static void list(const struct audit_rule_data *d)
{
	there[n_there] = malloc(sizeof(*d) + d->buflen);
	memcpy(there[n_there++], d, sizeof(*d) + d->buflen);
}

static void list_none(void)
{
	while (n_there)
		free(there[--n_there]);
}

static const char *blind(const struct control *c)
{
	const char *cause = control_blind(c);

	return cause ? cause : "no";
}

static void check(struct control *c, const char *want, const char *name)
{
	struct control_found f;

	tap_int(control_check(c, &f, NULL), 0, "%s: it is looked at", name);
	tap_ok(!f.disabled && f.rules == 0 && f.restored, "%s: nothing is to be put back", name);
	tap_str(blind(c), want, "%s: what it hides", name);
}

static void test_locked(struct spool *spool, const struct settings *set, const struct rules *ours)
{
	struct audit_rule_data never = {.flags = AUDIT_FILTER_TASK, .action = AUDIT_NEVER};
	struct control *c = NULL;

	control_open(&c, NULL);
	tap_int(control_begin(c, spool, "boot", set, NULL), 0,
		"locked without any rule: it begins");
	tap_str(blind(c), "rules_immutable", "and says what is hidden");
	for (size_t i = 0; i + 1 < ours->n; i++)
		list(ours->items[i].data);
	check(c, "rules_immutable", "one of ours is missing");
	list(ours->items[ours->n - 1].data);
	check(c, "no", "all are there");
	list(&never);
	check(c, "rules_silence", "and a task,never");
	kernel.stale = 2;
	check(c, "rules_silence", "late answers to earlier questions");
	tap_int((long long)kernel.stale, 0, "are passed over");
	tap_int(changes, 0, "nothing is tried that the kernel would refuse");
	control_close(c);
	list_none();
}

int main(void)
{
	char dir[] = "/tmp/test_control.XXXXXX", command[64];
	struct settings set;
	struct spool *spool = NULL;
	struct rules ours;

	if (!mkdtemp(dir) || spool_open(dir, NULL, &spool, NULL) ||
	    settings_parse("t",
			   SLICE_LIT("[capture]\nexits=no\nnetwork=no\nfiles=no\nprivilege=no\n"
				     "self=no\n"),
			   &set, NULL) ||
	    rules_make(&set, NULL, &ours, NULL))
		return 1;
	tap_ok(ours.n >= 1 && ours.n < RULES_THERE, "%zu rules", ours.n);
	test_locked(spool, &set, &ours);
	rules_free(&ours);
	settings_free(&set);
	spool_close(spool);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? tap_done() : 1;
}
