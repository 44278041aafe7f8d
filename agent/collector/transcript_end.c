/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* When a session is over, and what is written then. */
#include <stdio.h>
#include <unistd.h>

#include "agent/collector/transcript_internal.h"

/* What comes after a session's end is closed after this quiet time. */
#define LEFT_BEHIND_MS 60000

static int64_t grace_of(const struct transcript *t, const struct session *s)
{
	return s->part > 1 ? LEFT_BEHIND_MS : t->facts.end_grace_ms;
}

void transcript_plan(struct transcript *t, int64_t event_ms)
{
	if (event_ms < t->next_due_ms)
		t->next_due_ms = event_ms;
}

void transcript_plan_end(struct transcript *t, const struct session *s)
{
	transcript_plan(t, s->end_ms + grace_of(t, s));
}

void transcript_on_end(struct transcript *t, void (*fn)(void *ctx), void *ctx)
{
	t->on_end = fn;
	t->on_end_ctx = ctx;
}

void transcript_end(struct transcript *t, struct session *s, const char *cause, int64_t end_ms,
		    int64_t now_ms)
{
	struct event ev = {.time_ms = end_ms};
	char name[16];
	struct entry e;

	t->now_ms = now_ms;
	if (s->phase == SESSION_PENDING)
		transcript_begin(t, s, &ev, NULL);
	if (t->on_end)
		t->on_end(t->on_end_ctx);
	s->end_ms = end_ms;
	s->end_cause = session_end_cause(slice_of(cause));
	input_end(t, s, &ev);
	transcript_fill(s, &ev, ENTRY_SESSION_END, s->auid, name, &e);
	e.outcome = ENTRY_SUCCESS;
	e.object = e.service = slice_of(s->service);
	e.pid = s->leader_pid;
	e.cause = slice_of(s->end_cause);
	e.start_ms = s->start_ms;
	e.end_ms = end_ms;
	writer_entry(t->writer, s, &e, now_ms);
	/* From here on an entry would belong to what comes after the end. */
	s->phase = SESSION_CLOSED;
	writer_end(t->writer, s);
	if (t->facts.ses_dir) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%u.json", t->facts.ses_dir, s->ses);
		unlink(path);
	}
}

struct advance {
	struct transcript *t;
	int64_t event_ms;
};

static void advance_one(void *ctx, struct session *s)
{
	const struct advance *a = ctx;

	if (s->phase == SESSION_OPEN)
		lapse_advance(a->t, s, a->event_ms);
	if (s->phase != SESSION_ENDING)
		return;
	if (s->end_ms + grace_of(a->t, s) < a->event_ms)
		transcript_end(a->t, s, s->end_cause, s->end_ms, a->t->now_ms);
	else
		transcript_plan_end(a->t, s);
}

void transcript_advance(struct transcript *t, int64_t event_ms, int64_t now_ms)
{
	struct advance a = {t, event_ms};

	t->now_ms = now_ms;
	if (event_ms <= t->next_due_ms)
		return;
	t->next_due_ms = INT64_MAX;
	session_each(t->sessions, advance_one, &a);
}

int64_t transcript_due_ms(const struct transcript *t)
{
	return t->next_due_ms;
}

struct expire {
	struct transcript *t;
	int64_t wait_ms;
};

static void end_if_waited(void *ctx, struct session *s)
{
	const struct expire *e = ctx;
	int64_t waited = e->t->now_ms - s->ending_ms;

	if (s->phase == SESSION_ENDING && waited > grace_of(e->t, s) + e->wait_ms)
		transcript_end(e->t, s, s->end_cause, s->end_ms, e->t->now_ms);
}

void transcript_expire(struct transcript *t, int64_t wait_ms, int64_t now_ms)
{
	struct expire e = {t, wait_ms};

	t->now_ms = now_ms;
	session_each(t->sessions, end_if_waited, &e);
}

struct end_all {
	struct transcript *t;
	const char *cause;
	int64_t now_ms;
};

static void end_one(void *ctx, struct session *s)
{
	const struct end_all *e = ctx;

	if (s->phase == SESSION_ENDING)
		transcript_end(e->t, s, s->end_cause, s->end_ms, e->now_ms);
	else if (s->phase != SESSION_CLOSED)
		transcript_end(e->t, s, e->cause, e->now_ms, e->now_ms);
}

void transcript_end_all(struct transcript *t, const char *cause, int64_t now_ms)
{
	struct end_all e = {t, cause, now_ms};

	session_each(t->sessions, end_one, &e);
}

static void release_one(void *ctx, struct session *s)
{
	struct transcript *t = ctx;
	struct event ev = {.time_ms = s->start_ms};

	if (s->phase == SESSION_OPEN || s->phase == SESSION_ENDING)
		input_end(t, s, &ev);
}

void transcript_release(struct transcript *t, int64_t now_ms)
{
	t->now_ms = now_ms;
	session_each(t->sessions, release_one, t);
}
