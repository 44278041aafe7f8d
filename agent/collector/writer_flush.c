/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * When pending lines go to their files. A file for each session, opened, written and closed: so
 * lines wait for the tick, and only those that may not wait, or are too many, go before.
 */
#include "agent/collector/writer_internal.h"

/* Pending bytes of all sessions that wait for the tick; what is over that goes to the files. */
#define SPILL_BYTES (5 * 1024 * 1024)
#define KEEP_BYTES (10 * 1024 * 1024) /* memory of all sessions' buffers that outlives their use */

/* The memory stays for the next lines as long as all that is kept so is little: ten thousand
 * sessions have two buffers each. */
void writer_empty(struct writer *w, struct buf *b)
{
	w->pending_bytes -= b->len;
	buf_clear(b);
	if (w->buffer_bytes > KEEP_BYTES) {
		w->buffer_bytes -= b->cap;
		buf_free(b);
	}
}

/* Writes one file's pending bytes; what cannot be written stays pending. */
static bool flush_one(struct writer *w, struct session *s, const char *name, struct buf *b,
		      off_t *size)
{
	struct sa_err err = {0};

	if (b->len == 0)
		return true;
	if (spool_append(w->spool, name, *size, buf_slice(b), &err)) {
		writer_spool_error(w, s, &err);
		return false;
	}
	*size += (off_t)b->len;
	writer_empty(w, b);
	return true;
}

/* Files that no checkpoint speaks of would not be found again. */
bool writer_make_known(struct writer *w, struct session *s)
{
	struct sa_err err = {0};

	if (s->w.known || checkpoint_write(w, s, &err) == 0)
		return true;
	writer_spool_error(w, s, &err);
	return false;
}

bool writer_flush_lines(struct writer *w, struct session *s)
{
	char name[WRITER_NAME_SIZE];

	if (s->w.pending.len == 0)
		return true;
	writer_segment_file(s, s->w.open.number, name);
	return writer_make_known(w, s) && flush_one(w, s, name, &s->w.pending, &s->w.open.size);
}

/* The page is not flushed with each tick: after a crash it is rendered anew from the lines. */
static bool flush_text(struct writer *w, struct session *s)
{
	char name[WRITER_NAME_SIZE];
	off_t size;

	if (s->w.text.len == 0)
		return true;
	if (!writer_make_known(w, s))
		return false;
	writer_file(s, "txt", name);
	if (flush_one(w, s, name, &s->w.text, &s->w.text_size))
		return true;
	/* What is gone of the page does not hold up the lines. */
	size = spool_size(w->spool, name);
	if (size < s->w.text_size)
		s->w.text_size = size < 0 ? 0 : size;
	return false;
}

/* Lines first: recovery goes by them. */
bool writer_flush_session(struct writer *w, struct session *s)
{
	bool ok = writer_flush_lines(w, s);

	return flush_text(w, s) && ok;
}

static bool is_dirty(const struct session *s)
{
	return s->w.pending.len + s->w.text.len > 0;
}

/* Calls flush with each session that has something pending. */
static void flush_each(struct writer *w, void (*flush)(struct writer *w, struct session *s))
{
	size_t left = 0;

	for (size_t i = 0; i < w->n_dirty; i++) {
		struct session *s = w->dirty[i];

		flush(w, s);
		s->w.dirty = is_dirty(s);
		if (s->w.dirty)
			w->dirty[left++] = s;
	}
	w->n_dirty = left;
}

static void flush_any(struct writer *w, struct session *s)
{
	writer_flush_lines(w, s);
}

void writer_flush(struct writer *w)
{
	w->urgent = false;
	flush_each(w, flush_any);
}

static void flush_urgent(struct writer *w, struct session *s)
{
	if (s->w.sync_now)
		writer_flush_lines(w, s);
}

void writer_batch(struct writer *w)
{
	if (!w->urgent)
		return;
	w->urgent = false;
	flush_each(w, flush_urgent);
}

/* Those that have more than others: fewer files are written. */
static void flush_large(struct writer *w, struct session *s)
{
	if (s->w.pending.len + s->w.text.len >= w->spill_from)
		writer_flush_session(w, s);
}

void writer_spill(struct writer *w)
{
	if (w->pending_bytes <= SPILL_BYTES || w->n_dirty == 0)
		return;
	w->spill_from = w->pending_bytes / w->n_dirty;
	flush_each(w, flush_large);
}
