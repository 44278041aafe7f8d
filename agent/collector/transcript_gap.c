/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* What is lost for all sessions: a gap entry in each of them. */
#include "agent/collector/transcript_internal.h"

struct gap_all {
	struct transcript *t;
	struct session_loss loss;
};

/* A session that waits for its tag gets the entry when it begins: the tag itself may be what is
 * lost. */
static void gap_one(void *ctx, struct session *s)
{
	const struct gap_all *g = ctx;
	const struct session_loss *l = &g->loss;

	if (s->phase == SESSION_PENDING) {
		uint64_t before = s->loss.cause ? s->loss.count : 0;
		int64_t start_ms = s->loss.cause ? s->loss.start_ms : l->start_ms;

		s->loss = (struct session_loss){l->cause, start_ms, l->end_ms, before + l->count};
	} else if (s->phase != SESSION_CLOSED) {
		writer_gap(g->t->writer, s, l->cause, l->start_ms, l->end_ms, l->count,
			   g->t->now_ms);
	}
}

void transcript_gap_all(struct transcript *t, const char *cause, int64_t start_ms, int64_t end_ms,
			uint64_t count, int64_t now_ms)
{
	struct gap_all g = {t, {cause, start_ms, end_ms, count}};

	t->now_ms = now_ms;
	session_each(t->sessions, gap_one, &g);
}

void transcript_blind(struct transcript *t, const char *cause, int64_t since_ms, int64_t time_ms,
		      int64_t now_ms)
{
	const char *was = t->blind;

	if (cause == was || (cause && was && strcmp(cause, was) == 0))
		return;
	if (was)
		transcript_gap_all(t, was, t->blind_ms, time_ms, 0, now_ms);
	if (cause)
		transcript_gap_all(t, cause, since_ms, time_ms, 0, now_ms);
	t->blind = cause;
	t->blind_ms = since_ms;
}
