/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * Somebody changed how the kernel records, or auditd said so of itself: an entry in each open
 * session, whose evidence it touches, and in the session of who did it. Formats: kernel/audit.c
 * (audit_log_config_change, audit_log_feature_change), auditfilter.c (audit_log_rule_change),
 * audit_watch.c, audit_tree.c; auditd's DAEMON_*.
 *
 * What the agent does itself is no entry: nobody is logged in as it, and it only adds its rules
 * and turns recording up, until it stops. A change that takes something away is told whoever made
 * it, also when no login is known (a service that was started for it).
 *
 * A rule change is one record for each rule. Who made the change gets each of them, other sessions
 * one of a kind in a second: ten thousand sessions must not get fifty lines each.
 */
#include <libaudit.h>
#include <stdio.h>

#include "agent/collector/rules.h"
#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"

#define BURST_MS 1000

struct found {
	struct slice op, key, what, from, to, res, path;
	uint32_t auid, ses, uid;
	int64_t pid;
};

static void read_field(struct found *f, struct slice name, struct slice value)
{
	if (slice_is(name, "op"))
		f->op = value;
	else if (slice_is(name, "key"))
		f->key = value;
	else if (slice_is(name, "res"))
		f->res = value;
	else if (slice_is(name, "path") || slice_is(name, "dir"))
		f->path = value;
	else if (slice_is(name, "auid"))
		f->auid = record_id(value);
	else if (slice_is(name, "ses"))
		f->ses = record_id(value);
	else if (slice_is(name, "uid"))
		f->uid = record_id(value);
	else if (slice_is(name, "pid"))
		record_i64(value, &f->pid);
	else if (slice_is(name, "old") || slice_is(name, "old-enabled"))
		f->from = value;
	else if (slice_is(name, "new") || slice_is(name, "new-enabled"))
		f->to = value;
	else if (slice_is(name, "feature"))
		f->what = value;
	else if (slice_starts(name, "audit_")) {
		f->what = name;
		f->to = value;
	}
}

static struct found read_fields(struct slice body)
{
	struct found f = {.auid = UINT32_MAX, .ses = UINT32_MAX, .uid = UINT32_MAX};
	struct record_fields fields = record_fields(body);
	struct slice name, value;

	while (record_next(&fields, &name, &value))
		read_field(&f, name, value);
	return f;
}

static bool grows(const struct found *f)
{
	uint64_t from, to;

	return record_u64(f->from, &from) && record_u64(f->to, &to) && to >= from;
}

/* A change that the agent makes, by a process that belongs to no login. */
static bool is_own(const struct transcript *t, const struct found *f, int64_t time_ms)
{
	int64_t pid;

	if (f->auid != UINT32_MAX || f->ses != UINT32_MAX)
		return false;
	if (time_ms <= t->reconfig.own_until_ms)
		return true;
	if (slice_is(f->op, "add_rule"))
		return slice_starts(f->key, "\"" RULES_KEY);
	if (slice_is(f->what, "audit_enabled"))
		return slice_is(f->to, "1");
	if (slice_is(f->what, "audit_backlog_limit"))
		return grows(f);
	return slice_is(f->what, "audit_pid") && t->facts.self && record_i64(f->to, &pid) &&
	       self_has_pid(t->facts.self, pid);
}

struct telling {
	struct transcript *t;
	const struct event *ev;
	struct entry e;              /* all but what is the session's */
	const struct session *actor; /* whose session it was done in; NULL: none of ours */
	bool others;                 /* tell them too */
};

static void tell(void *ctx, struct session *s)
{
	struct telling *w = ctx;
	struct entry e = w->e;
	bool takes = s->phase == SESSION_OPEN || s->phase == SESSION_ENDING;

	if (s != w->actor && (!takes || s->past || !w->others))
		return;
	e.after_logout = s->part > 1;
	writer_entry(w->t->writer, s, &e, w->t->now_ms);
}

/* Who acts is not the session's user but the one who made the change, as far as that is known. */
static void fill(struct telling *w, const struct found *f, char name[16])
{
	struct session nobody = {.auid = UINT32_MAX};
	const struct session *actor = w->actor ? w->actor : &nobody;

	transcript_fill(actor, w->ev, ENTRY_CONFIG, f->auid, name, &w->e);
	w->e.uid = f->uid;
	w->e.auid = f->auid;
	w->e.pid = f->pid;
	if (w->actor)
		w->e.linked = slice_of(w->actor->sid);
}

/* Notes the change; whether another of the same kind was told just before. */
static bool is_burst(struct transcript *t, const struct found *f, struct slice cause,
		     int64_t time_ms)
{
	struct change now = {.ses = f->ses, .auid = f->auid, .time_ms = time_ms};
	struct change *told = &t->reconfig.told;
	size_t n = cause.len < sizeof(now.what) - 1 ? cause.len : sizeof(now.what) - 1;

	memcpy(now.what, cause.ptr, n);
	if (f->op.ptr && !f->what.ptr && strcmp(now.what, told->what) == 0 &&
	    now.ses == told->ses && now.auid == told->auid && time_ms >= told->time_ms &&
	    time_ms - told->time_ms < BURST_MS)
		return true;
	*told = now;
	return false;
}

/* "remove_rule, key sessaudit" */
static void put_cause(struct transcript *t, const struct found *f, struct buf *out)
{
	struct slice key = record_text(f->key, &t->scratch);
	struct slice path = record_text(f->path, &t->scratch);

	buf_put(out, f->op.ptr ? f->op : SLICE_LIT("set"));
	if (key.ptr) {
		buf_puts(out, ", key ");
		buf_put(out, key);
	}
	if (path.ptr) {
		buf_puts(out, ", ");
		buf_put(out, path);
	}
}

/* TTY audit is switched for one process and its children, by each login: told is who switches his
 * own off, in his own session. */
static void tty_change(struct transcript *t, const struct event *ev, const struct found *f)
{
	struct telling w = {.t = t, .ev = ev};
	struct session *s = session_find(t->sessions, f->ses);
	char name[16];

	if (f->ses == UINT32_MAX || !s || s->phase == SESSION_PENDING ||
	    s->phase == SESSION_CLOSED || f->pid == s->leader_pid || !slice_is(f->from, "1") ||
	    !slice_is(f->to, "0"))
		return;
	w.actor = s;
	fill(&w, f, name);
	w.e.action = SLICE_LIT("config_change");
	w.e.outcome = transcript_outcome(f->res);
	w.e.object = SLICE_LIT("tty_audit");
	w.e.old_value = f->from;
	w.e.new_value = f->to;
	w.e.cause = f->op;
	tell(&w, s);
}

static void change(struct transcript *t, const struct event *ev, unsigned type,
		   const struct found *f)
{
	bool kernel = type == AUDIT_CONFIG_CHANGE || type == AUDIT_FEATURE_CHANGE;
	_cleanup_buf_ struct buf cause = {0};
	struct telling w = {.t = t, .ev = ev};
	char name[16], action[32];
	struct session *actor = NULL;

	if (f->ses != UINT32_MAX && f->auid != UINT32_MAX)
		actor = transcript_session(t, ev, f->ses, f->auid);
	w.actor = actor;
	buf_init(&cause, 8192);
	put_cause(t, f, &cause);
	fill(&w, f, name);
	w.e.action = transcript_action(type, action);
	w.e.outcome = transcript_outcome(f->res);
	w.e.object = f->what.ptr ? f->what : kernel ? SLICE_LIT("rule") : SLICE_LIT("audit_daemon");
	w.e.old_value = f->from;
	w.e.new_value = f->to;
	w.e.cause = buf_slice(&cause);
	w.others = !is_burst(t, f, w.e.cause, ev->time_ms);
	session_each(t->sessions, tell, &w);
}

void reconfig_message(struct transcript *t, const struct event *ev, unsigned type,
		      struct slice body)
{
	struct found f = read_fields(body);

	if (type == AUDIT_DAEMON_ACCEPT || type == AUDIT_DAEMON_CLOSE)
		return; /* another host's log comes in */
	if (slice_is(f.op, "tty_set")) {
		if (t->facts.config)
			tty_change(t, ev, &f);
		return;
	}
	/* The record does not say what the rule does: anybody can give one our name. */
	if (slice_is(f.op, "add_rule") && slice_is(f.res, "1"))
		t->reconfig.added = true;
	if (is_own(t, &f, ev->time_ms) || (f.from.ptr && slice_eq(f.from, f.to)))
		return;
	t->stats.reconfigs++;
	if (t->reconfig.first_ms == 0)
		t->reconfig.first_ms = ev->time_ms;
	if (t->facts.config)
		change(t, ev, type, &f);
}

void transcript_own_changes(struct transcript *t, int64_t until_ms)
{
	t->reconfig.own_until_ms = until_ms;
}

int64_t transcript_reconfigured(struct transcript *t)
{
	int64_t first_ms = t->reconfig.first_ms;

	t->reconfig.first_ms = 0;
	return first_ms;
}

bool transcript_rules_added(struct transcript *t)
{
	bool added = t->reconfig.added;

	t->reconfig.added = false;
	return added;
}

void transcript_reconfig_found(struct transcript *t, const char *what, const char *old_value,
			       const char *new_value, int64_t time_ms, int64_t now_ms)
{
	bool rules = strncmp(what, "audit_", 6) != 0;
	struct event ev = {.time_ms = time_ms};
	struct telling w = {.t = t, .ev = &ev, .others = true};
	struct found f = {.auid = UINT32_MAX, .uid = UINT32_MAX};
	char name[16];

	if (!t->facts.config)
		return;
	t->now_ms = now_ms;
	fill(&w, &f, name);
	w.e.action = SLICE_LIT("config_change");
	w.e.object = rules ? SLICE_LIT("rule") : slice_of(what);
	w.e.old_value = slice_of(old_value);
	w.e.new_value = slice_of(new_value);
	w.e.cause = rules ? slice_of(what) : SLICE_LIT("found_by_check");
	session_each(t->sessions, tell, &w);
}
