/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/losses.h"

#include <inttypes.h>
#include <stdlib.h>

#include "agent/collector/serials.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"

#define NEAR_FULL_PERCENT 90
/* A session ends, a grace of a second after its logout: a number that is missing since before that
 * does not come any more, unless the host stands still. */
#define END_WAIT_MS 900
#define END_EVERY_MS 100 /* many may end at once */

static const char *const causes[LOSSES_CAUSES] = {
	[LOSSES_KERNEL_LOST] = "kernel_lost",
	[LOSSES_SOCKET_OVERRUN] = "socket_overrun",
	[LOSSES_EVENTS_MISSING] = "events_missing",
	[LOSSES_QUEUE_FULL] = "queue_full",
	[LOSSES_RECORD_MALFORMED] = "record_malformed",
	[LOSSES_RECORD_OVERSIZED] = "record_oversized",
	[LOSSES_EVENT_INCOMPLETE] = "event_incomplete",
	[LOSSES_EVENT_TABLE_FULL] = "event_table_full",
	[LOSSES_BACKLOG_NEAR_FULL] = "backlog_near_full",
};

/* DAEMON_*: auditd's own records, with numbers of its own. */
#define DAEMON_FIRST 1200
#define DAEMON_LAST 1299

struct rise { /* of a counter, not yet told */
	bool any;
	uint64_t count;
	int64_t from_ms, to_ms;
	int64_t told_ms; /* age clock; 0: never */
};

struct losses {
	struct pipeline *p;
	struct control *control;
	struct serials *serials;
	struct losses_counters counters;
	struct losses_source src; /* as last seen */
	struct event_stats events;
	uint32_t lost, daemon;
	bool begun, asked;
	int64_t begin_ms;   /* event time; older records waited in the kernel before */
	int64_t checked_ms; /* real time: all counters were read */
	int64_t ended_ms;   /* age clock of the last look at a session's end */
	struct rise rises[LOSSES_CAUSES];
};

static void at_end(void *ctx);

struct losses *losses_new(struct pipeline *p, struct control *c)
{
	struct losses *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->p = p;
	l->control = c;
	l->daemon = UINT32_MAX;
	for (size_t i = 0; i < LOSSES_CAUSES; i++)
		l->counters.items[i].cause = causes[i];
	l->serials = serials_new();
	if (!l->serials) {
		free(l);
		return NULL;
	}
	transcript_on_end(p->transcript, at_end, l);
	return l;
}

void losses_free(struct losses *l)
{
	if (!l)
		return;
	if (l->p->transcript)
		transcript_on_end(l->p->transcript, NULL, NULL);
	serials_free(l->serials);
	free(l);
}

uint32_t losses_daemon(const struct losses *l)
{
	return l->daemon;
}

const struct losses_counters *losses_counters(const struct losses *l)
{
	return &l->counters;
}

void losses_record(struct losses *l, const struct record *r)
{
	if (!l->begun || r->time_ms < l->begin_ms)
		return;
	if (r->type < DAEMON_FIRST || r->type > DAEMON_LAST)
		serials_note(l->serials, r->serial, r->time_ms, l->p->now_ms);
}

static void note(struct losses *l, enum losses_cause cause, uint64_t count, int64_t from_ms,
		 int64_t to_ms)
{
	struct rise *r = &l->rises[cause];

	l->counters.items[cause].times++;
	l->counters.items[cause].count += count;
	if (!r->any || from_ms < r->from_ms)
		r->from_ms = from_ms;
	r->to_ms = to_ms;
	r->count += count;
	r->any = true;
}

static void tell(struct losses *l, enum losses_cause cause)
{
	static struct log_limit limit = {.burst = 20};
	struct rise *r = &l->rises[cause];

	log_limited(&limit, LOG_LEVEL_WARN, "event=loss cause=%s count=%" PRIu64, causes[cause],
		    r->count);
	transcript_gap_all(l->p->transcript, causes[cause], r->from_ms, r->to_ms, r->count,
			   l->p->now_ms);
	*r = (struct rise){.told_ms = l->p->now_ms};
}

static bool is_due(const struct losses *l, enum losses_cause cause)
{
	const struct rise *r = &l->rises[cause];
	int64_t every =
		cause == LOSSES_BACKLOG_NEAR_FULL ? LOSSES_BACKLOG_EVERY_MS : LOSSES_EVERY_MS;

	return r->any && (r->told_ms == 0 || l->p->now_ms - r->told_ms >= every);
}

/* A backlog nearly full is no loss: it does not matter to a session that ends. */
static void tell_all(struct losses *l, bool due_only)
{
	for (size_t i = 0; i < LOSSES_CAUSES; i++)
		if (l->rises[i].any &&
		    (is_due(l, i) || (!due_only && i != LOSSES_BACKLOG_NEAR_FULL)))
			tell(l, i);
}

/* The counter is one of 32 bits that begins anew; `auditctl --reset-lost` sets it to 0. */
static uint32_t lost_since(uint32_t before, uint32_t now)
{
	uint32_t delta = now - before;

	return delta <= INT32_MAX ? delta : now;
}

/* A backlog that is nearly full is no loss yet, but the next burst is one. */
static void check_backlog(struct losses *l, const struct control_state *st, int64_t real_ms)
{
	uint64_t limit = st->backlog_limit;

	l->counters.backlog = st->backlog;
	l->counters.backlog_limit = st->backlog_limit;
	if (limit && (uint64_t)st->backlog * 100 >= limit * NEAR_FULL_PERCENT)
		note(l, LOSSES_BACKLOG_NEAR_FULL, 0, l->checked_ms, real_ms);
}

void losses_kernel(struct losses *l, const struct control_state *st, int64_t real_ms)
{
	uint32_t lost = l->asked ? lost_since(l->lost, st->lost) : 0;

	l->asked = true;
	l->daemon = st->pid;
	if (lost)
		note(l, LOSSES_KERNEL_LOST, lost, l->checked_ms, real_ms);
	l->lost = st->lost;
	check_backlog(l, st, real_ms);
}

static void ask_kernel(struct losses *l, int64_t real_ms)
{
	struct control_state st;
	struct sa_err err = {0};

	l->daemon = UINT32_MAX;
	if (!l->control)
		return;
	if (control_look(l->control, &st, &err)) {
		static struct log_limit limit = {.burst = 3};

		log_limited(&limit, LOG_LEVEL_WARN, "event=audit_status reason=\"%s\"", err.msg);
		return;
	}
	losses_kernel(l, &st, real_ms);
}

static void compare(struct losses *l, enum losses_cause cause, uint64_t before, uint64_t now,
		    bool counted, int64_t real_ms)
{
	if (now > before)
		note(l, cause, counted ? now - before : 0, l->checked_ms, real_ms);
}

static uint64_t incomplete(const struct event_stats *s)
{
	return s->timeouts + s->truncated;
}

/* One overflow of the socket loses any number of records. */
static void check_counters(struct losses *l, const struct losses_source *src, int64_t real_ms)
{
	const struct event_stats *ev = event_stats(l->p->events);

	compare(l, LOSSES_SOCKET_OVERRUN, l->src.overruns, src->overruns, false, real_ms);
	compare(l, LOSSES_QUEUE_FULL, l->src.dropped, src->dropped, true, real_ms);
	compare(l, LOSSES_RECORD_MALFORMED, l->src.malformed, src->malformed, true, real_ms);
	compare(l, LOSSES_RECORD_OVERSIZED, l->src.oversized, src->oversized, true, real_ms);
	compare(l, LOSSES_EVENT_INCOMPLETE, incomplete(&l->events), incomplete(ev), true, real_ms);
	compare(l, LOSSES_EVENT_TABLE_FULL, l->events.evicted, ev->evicted, true, real_ms);
	l->src = *src;
	l->events = *ev;
	l->counters.refused = transcript_stats(l->p->transcript)->refused;
}

static void check_serials(struct losses *l, int64_t wait_ms)
{
	int64_t from_ms, to_ms;
	uint64_t n = serials_missing(l->serials, wait_ms, l->p->now_ms, &from_ms, &to_ms);

	if (n)
		note(l, LOSSES_EVENTS_MISSING, n, from_ms, to_ms);
}

int losses_begin(struct losses *l, const struct losses_source *src, int64_t real_ms,
		 struct sa_err *err)
{
	struct control_state st = {0};
	int rc = l->control ? control_look(l->control, &st, err) : 0;

	if (rc)
		return rc;
	l->src = *src;
	l->events = *event_stats(l->p->events);
	if (l->control)
		losses_kernel(l, &st, real_ms);
	l->begin_ms = l->checked_ms = real_ms;
	l->begun = true;
	return 0;
}

static void check(struct losses *l, int64_t wait_ms, int64_t real_ms)
{
	ask_kernel(l, real_ms);
	check_serials(l, wait_ms);
	l->checked_ms = real_ms;
}

void losses_tick(struct losses *l, const struct losses_source *src, int64_t real_ms)
{
	check_counters(l, src, real_ms);
	check(l, SERIALS_WAIT_MS, real_ms);
	tell_all(l, true);
}

void losses_end(struct losses *l, const struct losses_source *src, int64_t real_ms)
{
	check_counters(l, src, real_ms);
	check(l, END_WAIT_MS, real_ms);
	tell_all(l, false);
}

/* A session ends now: it has to hold what is known by now, also what waits to be told. */
static void at_end(void *ctx)
{
	struct losses *l = ctx;

	if (!l->begun)
		return;
	if (l->p->now_ms - l->ended_ms >= END_EVERY_MS) {
		l->ended_ms = l->p->now_ms;
		/* The source's counters are known up to the last tick, which came after the logout.
		 */
		check_counters(l, &l->src, clock_real_ms());
		check(l, END_WAIT_MS, clock_real_ms());
	}
	tell_all(l, false);
}
