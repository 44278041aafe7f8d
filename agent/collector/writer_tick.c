/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* What the writer does by the clock: brings lines to the disk, seals what is old enough, tries
 * again what failed. */
#include "agent/collector/writer_internal.h"

void writer_note_due(struct writer *w, const struct session *s)
{
	int64_t due = s->w.opened_ms + w->facts.segment_max_age_ms;

	if (due < w->due_ms)
		w->due_ms = due;
}

int64_t writer_due_ms(const struct writer *w)
{
	return w->due_ms;
}

static void sync_session(struct writer *w, struct session *s, int64_t now_ms)
{
	char name[WRITER_NAME_SIZE];
	struct sa_err err = {0};

	writer_segment_file(s, s->w.open.number, name);
	if (s->w.open.first_seq && spool_sync(w->spool, name, &err)) {
		writer_spool_error(w, s, &err);
		return;
	}
	s->w.unsynced = s->w.sync_now = false;
	s->w.synced_ms = now_ms;
}

/* What cannot be sealed for now has to last in its own files. */
static void sync_cut(struct writer *w, struct session *s)
{
	char name[WRITER_NAME_SIZE];
	struct sa_err err = {0};

	for (size_t i = 0; s->w.cut_unsynced && i < s->w.n_unsealed; i++) {
		writer_segment_file(s, s->w.unsealed[i].number, name);
		if (spool_sync(w->spool, name, &err)) {
			writer_spool_error(w, s, &err);
			return;
		}
	}
	s->w.cut_unsynced = false;
}

struct tick {
	struct writer *w;
	int64_t now_ms;
};

static void tick_session(void *ctx, struct session *s)
{
	struct tick *t = ctx;
	struct writer *w = t->w;

	if (s->w.unsynced && s->w.pending.len == 0 &&
	    (s->w.sync_now || t->now_ms - s->w.synced_ms >= w->facts.sync_ms))
		sync_session(w, s, t->now_ms);
	if (s->w.open.entries && t->now_ms - s->w.opened_ms >= w->facts.segment_max_age_ms)
		writer_cut(w, s); /* or else with the next tick */
	else if (s->w.open.entries)
		writer_note_due(w, s);
	if (s->w.finishing)
		writer_end(w, s);
	else if (s->w.n_unsealed)
		sealer_seal(w, s);
	if (s->w.n_unsealed)
		sync_cut(w, s);
}

void writer_tick(struct writer *w, int64_t now_ms)
{
	struct tick t = {w, now_ms};

	writer_flush(w);
	w->due_ms = INT64_MAX;
	session_each(w->sessions, tick_session, &t);
}

static void seal_session(void *ctx, struct session *s)
{
	struct writer *w = ctx;

	if (s->w.open.entries)
		writer_cut(w, s);
	if (s->w.n_unsealed)
		sealer_seal(w, s);
}

void writer_seal_all(struct writer *w)
{
	writer_flush(w);
	session_each(w->sessions, seal_session, w);
}
