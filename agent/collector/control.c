/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/control.h"

#include <errno.h>
#include <libaudit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/collector/rules.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#define STATE_NAME "audit"
#define REPLY_TIMEOUT_MS 2000
#define LOOK_AGAIN_MS 50 /* several ask at the same time */

struct control {
	int fd;
	int64_t enabled_before, backlog_before; /* -1: not ours to put back */
	const struct settings *set;
	const struct self_facts *self;
	bool owner;
	struct control_state seen;
	int64_t seen_ms;
	struct rules rules; /* that the kernel has, as far as it takes them */
	unsigned silencing; /* rules of others, as last said */
	unsigned missing;   /* rules of ours, as last said, when audit is locked */
};

int control_open(struct control **out, struct sa_err *err)
{
	int fd = audit_open();

	if (fd < 0)
		return sa_fail_errno(err, "netlink audit socket");
	*out = calloc(1, sizeof(**out));
	if (!*out) {
		audit_close(fd);
		return sa_fail(err, SA_ERR_NOMEM, "control: out of memory");
	}
	(*out)->fd = fd;
	(*out)->enabled_before = (*out)->backlog_before = -1;
	(*out)->owner = true;
	return 0;
}

void control_for(struct control *c, const struct self_facts *self, bool owner)
{
	c->self = self;
	c->owner = owner;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	audit_close(c->fd);
	rules_free(&c->rules);
	free(c);
}

static int get_status(struct control *c, struct audit_status *out, struct sa_err *err)
{
	int64_t deadline = clock_mono_ms() + REPLY_TIMEOUT_MS;
	int seq = audit_request_status(c->fd); /* of the question, and of its answer */

	if (seq <= 0)
		return sa_fail_errno(err, "kernel audit: ask for its status");
	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();
		struct audit_reply reply;

		if (left <= 0)
			return sa_fail(err, SA_ERR_IO, "kernel audit does not answer");
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		memset(&reply, 0, sizeof(reply));
		if (audit_get_reply(c->fd, &reply, GET_REPLY_NONBLOCKING, 0) <= 0 ||
		    reply.msg.nlh.nlmsg_seq != (uint32_t)seq)
			continue; /* also what an earlier question was answered too late */
		if (reply.type == AUDIT_GET && reply.status) {
			*out = *reply.status;
			return 0;
		}
		if (reply.type == NLMSG_ERROR && reply.error->error)
			return sa_fail(err, SA_ERR_PERM, "kernel audit refused: %s",
				       strerror(-reply.error->error));
	}
}

int control_look(struct control *c, struct control_state *out, struct sa_err *err)
{
	int64_t now_ms = clock_mono_ms();
	struct audit_status st;
	int rc;

	if (!c->seen_ms || now_ms - c->seen_ms >= LOOK_AGAIN_MS) {
		rc = get_status(c, &st, err);
		if (rc)
			return rc;
		c->seen_ms = now_ms;
		c->seen = (struct control_state){st.enabled,       st.pid,     st.rate_limit,
						 st.backlog_limit, st.backlog, st.lost};
	}
	*out = c->seen;
	return 0;
}

/* An agent that was killed left its note: what it found counts, not what it made of it. */
static bool read_note(struct control *c, struct spool *spool, const char *boot_id)
{
	_cleanup_json_ struct json *j = NULL;
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, SPOOL_STATE_MAX_BYTES);
	return spool_state_read(spool, STATE_NAME, &text, NULL) == 0 &&
	       json_parse(text.data, text.len, &j, NULL) == 0 &&
	       slice_is(json_get_str(j, "boot_id"), boot_id) &&
	       json_int(json_get(j, "enabled"), &c->enabled_before) == 0 &&
	       json_int(json_get(j, "backlog_limit"), &c->backlog_before) == 0;
}

static int write_note(struct control *c, struct spool *spool, const char *boot_id,
		      struct sa_err *err)
{
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "{\"boot_id\":\"%.40s\",\"enabled\":%lld,\"backlog_limit\":%lld}", boot_id,
			 (long long)c->enabled_before, (long long)c->backlog_before);

	return spool_state_write(spool, STATE_NAME, (struct slice){text, (size_t)n}, err);
}

static bool too_small(const struct control *c, const struct audit_status *st)
{
	return c->owner && c->set->capture_backlog_limit > (int64_t)st->backlog_limit;
}

static bool raise_backlog(struct control *c)
{
	if (audit_set_backlog_limit(c->fd, (uint32_t)c->set->capture_backlog_limit) > 0)
		return true;
	log_warn("event=backlog_limit reason=\"%s\"", strerror(errno));
	return false;
}

static void say_absent(const struct rules *now, const struct rules *before)
{
	for (size_t i = 0; i < now->n_absent; i++) {
		bool known = false;

		for (size_t j = 0; !known && j < before->n_absent; j++)
			known = strcmp(now->absent[i], before->absent[j]) == 0;
		if (!known)
			log_warn(
				"event=watch_absent path=\"%s\" action=\"it does not exist, or the "
				"collector's user may not look at it; its changes are recorded "
				"once it can be watched\"",
				now->absent[i]);
	}
}

static struct rule *find_before(struct control *c, const struct rule *r)
{
	for (size_t i = 0; i < c->rules.n; i++)
		if (strcmp(c->rules.items[i].text, r->text) == 0)
			return &c->rules.items[i];
	return NULL;
}

/* They are the admin's, or somebody's who has to be found by the entry of their change. */
static void say_silencing(struct control *c, const struct rules_list *have)
{
	unsigned n = rules_silencing(have, &c->rules);

	if (n > c->silencing)
		log_warn(
			"event=rules_silence rules=%u action=\"what they match (never, exclude) is in "
			"no transcript, and each says so; with task,never nothing is that programs "
			"do; see auditctl -l\"",
			n);
	c->silencing = n;
}

/* The rules as they should be now, into the kernel; *gone counts those that were there, and
 * those that somebody added to undo them. */
static int bring_rules(struct control *c, unsigned *gone, struct sa_err *err)
{
	struct rules_list *have = NULL;
	struct rules now;
	int rc = rules_make(c->set, c->self, &now, err);

	if (rc == 0)
		rc = rules_list(c->fd, &have, err);
	for (size_t i = 0; rc == 0 && i < now.n; i++) {
		struct rule *before = find_before(c, &now.items[i]);

		if (!before)
			continue;
		now.items[i].added = before->added;
		now.items[i].refused = before->refused;
		*gone += !before->refused && !rules_has(have, before);
	}
	if (rc == 0)
		rc = rules_install(c->fd, &now, have, err);
	if (rc == 0 && c->owner)
		*gone += rules_remove_forged(c->fd, have);
	if (rc == 0) {
		say_absent(&now, &c->rules);
		rules_free(&c->rules);
		c->rules = now;
		say_silencing(c, have);
	} else {
		rules_free(&now);
	}
	rules_list_free(have);
	return rc;
}

/* What a run that was killed has left: its rules are ours to remove, and those of other settings
 * go now. */
static int take_over(struct control *c, struct sa_err *err)
{
	struct rules_list *have = NULL;
	int rc = rules_list(c->fd, &have, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < c->rules.n; i++)
		c->rules.items[i].added = true;
	if (c->owner)
		rules_remove_stale(c->fd, &c->rules, have);
	rules_list_free(have);
	return 0;
}

/* Audit is locked until reboot: what is missing of ours stays missing. */
static int look_locked(struct control *c, struct sa_err *err)
{
	struct rules_list *have = NULL;
	struct rules missing = {0}; /* borrows its rules */
	int rc = c->rules.n ? 0 : rules_make(c->set, c->self, &c->rules, err);

	if (rc == 0)
		rc = rules_list(c->fd, &have, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < c->rules.n; i++)
		if (!c->rules.items[i].refused && !rules_has(have, &c->rules.items[i]))
			missing.items[missing.n++] = c->rules.items[i];
	if (missing.n > c->missing) {
		log_warn(
			"event=rules_immutable action=\"audit is locked until reboot: these rules cannot "
			"be added now, put them into /etc/audit/rules.d\"");
		rules_print(&missing);
	}
	c->missing = (unsigned)missing.n;
	say_silencing(c, have);
	rules_list_free(have);
	return 0;
}

int control_begin(struct control *c, struct spool *spool, const char *boot_id,
		  const struct settings *set, struct sa_err *err)
{
	struct audit_status st;
	unsigned gone = 0;
	bool again;
	int rc = get_status(c, &st, err);

	if (rc)
		return rc;
	c->set = set;
	again = read_note(c, spool, boot_id);
	if (!again) {
		c->enabled_before = st.enabled;
		c->backlog_before = st.backlog_limit;
		rc = write_note(c, spool, boot_id, err);
		if (rc)
			return rc;
	}
	if (st.enabled == 2)
		return look_locked(c, err);
	if (st.enabled == 0 && audit_set_enabled(c->fd, 1) <= 0)
		return sa_fail_errno(err, "kernel audit: enable");
	if (too_small(c, &st))
		raise_backlog(c);
	rc = bring_rules(c, &gone, err);
	return rc == 0 && (again || c->owner) ? take_over(c, err) : rc;
}

int control_check(struct control *c, struct control_found *found, struct sa_err *err)
{
	struct audit_status st;
	int rc = get_status(c, &st, err);

	*found = (struct control_found){.restored = true};
	if (rc)
		return rc;
	if (st.enabled == 2)
		return look_locked(c, err);
	c->missing = 0;
	if (st.enabled == 0) {
		found->disabled = true;
		found->restored = audit_set_enabled(c->fd, 1) > 0;
	}
	if (too_small(c, &st)) {
		found->backlog_limit = st.backlog_limit ? st.backlog_limit : 1;
		found->restored &= raise_backlog(c);
	}
	return bring_rules(c, &found->rules, err);
}

const char *control_blind(const struct control *c)
{
	return c->missing ? "rules_immutable" : c->silencing ? "rules_silence" : NULL;
}

void control_remove_rules(struct control *c)
{
	rules_remove(c->fd, c->owner ? NULL : &c->rules);
}

void control_restore(struct control *c, struct spool *spool)
{
	struct audit_status st;

	if (get_status(c, &st, NULL) || st.enabled == 2)
		return;
	if (c->owner && c->backlog_before >= 0 && (int64_t)st.backlog_limit != c->backlog_before)
		audit_set_backlog_limit(c->fd, (uint32_t)c->backlog_before);
	if (c->enabled_before == 0)
		audit_set_enabled(c->fd, 0);
	spool_state_remove(spool, STATE_NAME);
}
