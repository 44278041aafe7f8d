/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/guard.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/log.h"

#define PIDS_EVERY_MS 5000

struct unnamed { /* a change that was found and that no record has told so far */
	bool any;
	unsigned rules;
	bool disabled;
	int64_t from_ms;  /* real time */
	int64_t found_ms; /* age clock */
};

struct guard {
	struct pipeline *p;
	struct control *control;
	const struct settings *set;
	struct self_facts *self;
	struct guard_counters counters;
	struct unnamed unnamed;
	int64_t pids_ms;              /* age clock: when the pids were read */
	int64_t next_ms;              /* age clock: the next check */
	int64_t told_ms;              /* age clock of the last record of a change */
	int64_t changed_ms;           /* event time of a change not yet checked; 0: none */
	int64_t enabled_ms, rules_ms; /* real time when it was seen to be as it should */
};

static void tell_blind(struct guard *g, int64_t since_ms, int64_t now_ms)
{
	transcript_blind(g->p->transcript, control_blind(g->control),
			 since_ms < now_ms ? since_ms : now_ms, now_ms, g->p->now_ms);
}

struct guard *guard_new(struct pipeline *p, struct control *c, const struct settings *set,
			struct self_facts *self)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->p = p;
	g->control = c;
	g->set = set;
	g->self = self;
	g->enabled_ms = g->rules_ms = clock_real_ms();
	g->next_ms = clock_mono_ms() + set->capture_rules_check;
	g->told_ms = INT64_MIN / 2;
	tell_blind(g, g->rules_ms, g->rules_ms);
	return g;
}

void guard_free(struct guard *g)
{
	free(g);
}

const struct guard_counters *guard_counters(const struct guard *g)
{
	return &g->counters;
}

static void add_pid(struct self_facts *self, int64_t pid)
{
	if (pid > 1 && self->n_pids < SELF_MAX_PIDS && !self_has_pid(self, pid))
		self->pids[self->n_pids++] = pid;
}

/* proc(5): /proc/<pid>/task/<tid>/children. Run by hand the collector has no supervisor, and its
 * parent's children are none of ours: a shell's are not this many, but its pid is not ours either.
 */
void guard_pids(struct self_facts *self)
{
	_cleanup_buf_ struct buf text = {0};
	char path[80], *at;
	pid_t parent = getppid();

	self->n_pids = 0;
	add_pid(self, getpid());
	add_pid(self, parent);
	buf_init(&text, 4096);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	if (parent <= 1 || fdio_read_file(AT_FDCWD, path, 1024, &text, NULL))
		return;
	for (char *p = (char *)(uintptr_t)buf_cstr(&text); *p; p = at) {
		int64_t pid = strtoll(p, &at, 10);

		if (at == p)
			break;
		add_pid(self, pid);
	}
}

static void gap(struct guard *g, const char *cause, int64_t from_ms, int64_t to_ms)
{
	transcript_gap_all(g->p->transcript, cause, from_ms < to_ms ? from_ms : to_ms, to_ms, 0,
			   g->p->now_ms);
}

/* changed_ms: event time of the change, by its record; 0: no record. */
static void restored(struct guard *g, const struct control_found *f, int64_t changed_ms,
		     int64_t now_ms)
{
	int64_t from_ms = changed_ms;

	if (f->disabled) {
		from_ms = changed_ms ? changed_ms : g->enabled_ms;
		gap(g, "audit_disabled", from_ms, now_ms);
		g->counters.audit_disabled++;
	}
	if (f->rules) {
		from_ms = changed_ms ? changed_ms : g->rules_ms;
		gap(g, "rules_removed", from_ms, now_ms);
		g->counters.rules_removed += f->rules;
	}
	log_warn("event=audit_tampered enabled=%d rules_removed=%u backlog_limit=%" PRIu32
		 " action=\"%s\"",
		 !f->disabled, f->rules, f->backlog_limit,
		 f->restored ? "put back" : "could not be put back, is tried again");
	g->counters.failed += !f->restored;
	if ((f->disabled || f->rules) && g->p->now_ms - g->told_ms > GUARD_RECORD_MS) {
		g->unnamed.disabled |= f->disabled;
		g->unnamed.rules += f->rules;
		if (!g->unnamed.any)
			g->unnamed.found_ms = g->p->now_ms;
		if (!g->unnamed.any || from_ms < g->unnamed.from_ms)
			g->unnamed.from_ms = from_ms;
		g->unnamed.any = true;
	}
}

static void check(struct guard *g, int64_t changed_ms)
{
	struct control_found f;
	struct sa_err err = {0};
	int64_t now_ms;

	if (g->changed_ms)
		changed_ms = g->changed_ms;
	g->changed_ms = 0;
	if (control_check(g->control, &f, &err)) {
		static struct log_limit limit = {.burst = 3};

		g->changed_ms = changed_ms;
		g->next_ms = g->p->now_ms; /* with the next tick again */
		g->counters.failed++;
		log_limited(&limit, LOG_LEVEL_ERR, "event=rules_check reason=\"%s\"", err.msg);
		return;
	}
	now_ms = clock_real_ms();
	if (f.disabled || f.rules || f.backlog_limit)
		restored(g, &f, changed_ms, now_ms);
	tell_blind(g, changed_ms ? changed_ms : g->rules_ms, now_ms);
	if (f.restored) {
		g->enabled_ms = g->rules_ms = now_ms;
		g->next_ms = g->p->now_ms + g->set->capture_rules_check;
	}
}

/* No record came: with audit off the kernel may make none. */
static void tell_unnamed(struct guard *g)
{
	struct unnamed u = g->unnamed;
	char rules[16];

	if (!u.any || g->p->now_ms - u.found_ms < GUARD_RECORD_MS)
		return;
	g->unnamed = (struct unnamed){0};
	snprintf(rules, sizeof(rules), "%u", u.rules);
	if (u.disabled)
		transcript_reconfig_found(g->p->transcript, "audit_enabled", "1", "0", u.from_ms,
					  g->p->now_ms);
	if (u.rules)
		transcript_reconfig_found(g->p->transcript, "remove_rule", rules, "0", u.from_ms,
					  g->p->now_ms);
}

void guard_tick(struct guard *g, int64_t real_ms)
{
	int64_t changed_ms = transcript_reconfigured(g->p->transcript);
	struct control_state st = {.enabled = 1};
	bool seen = control_look(g->control, &st, NULL) == 0;
	bool added = transcript_rules_added(g->p->transcript);

	if (g->self && g->p->now_ms >= g->pids_ms + PIDS_EVERY_MS) {
		g->pids_ms = g->p->now_ms;
		guard_pids(g->self);
	}
	if (changed_ms) {
		g->told_ms = g->p->now_ms;
		g->unnamed = (struct unnamed){0};
	}
	if (changed_ms || added || (seen && st.enabled == 0) || g->p->now_ms >= g->next_ms)
		check(g, changed_ms);
	else if (seen)
		g->enabled_ms = real_ms;
	tell_unnamed(g);
}
