/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/writer_internal.h"
#include "common/clock.h"
#include "common/cleanup.h"
#include "common/log.h"

#define KEEP_CLOSED_MS (24LL * 3600 * 1000) /* how long a closed session is known again */

struct replayed { /* what the lines of one segment file told */
	struct session_segment seg;
	bool footed;
	size_t good; /* bytes up to the last whole line */
};

static bool line_type_is(struct slice line, const char *type)
{
	_cleanup_json_ struct json *j = NULL;

	return json_parse(line.ptr, line.len, &j, NULL) == 0 &&
	       slice_is(json_get_str(j, "type"), type);
}

/* One entry line that was written before: counted and rendered again. */
static void replay_entry(struct writer *w, struct session *s, struct slice line, struct replayed *r)
{
	struct entry_read read;

	r->seg.entries++;
	s->w.next_seq++;
	if (entry_parse(line, &read, NULL))
		return;
	writer_count(&s->w.counts, &read.e);
	writer_text(w, s, &read.e);
	if (read.e.type == ENTRY_ACCESS && !s->tagged) { /* later than the checkpoint */
		access_free(&s->access);
		access_copy(&s->access, read.e.access);
		s->tagged = true;
	}
	if (read.e.type == ENTRY_SESSION_END) {
		s->w.finishing = true;
		s->end_ms = read.e.time_ms;
		s->end_cause = session_end_cause(read.e.cause);
	}
	entry_read_free(&read);
}

static void replay_lines(struct writer *w, struct session *s, struct slice text, struct replayed *r)
{
	const char *p = text.ptr, *end = p + text.len, *eol;

	while (p < end && !r->footed && (eol = memchr(p, '\n', (size_t)(end - p)))) {
		struct slice line = {p, (size_t)(eol - p)};

		if (r->good == 0 && !line_type_is(line, "segment_header"))
			return;
		if (r->good > 0 && line_type_is(line, "segment_footer"))
			r->footed = true;
		else if (r->good > 0)
			replay_entry(w, s, line, r);
		chain_add(&s->w.chain, w->digest, line);
		p = eol + 1;
		r->good = (size_t)(p - text.ptr);
	}
}

static void keep_cut(struct session *s, struct replayed *r)
{
	struct session_segment *list =
		realloc(s->w.unsealed, (s->w.n_unsealed + 1) * sizeof(*list));

	if (!list)
		return;
	r->seg.text_end = s->w.text_size + (off_t)s->w.text.len;
	r->seg.counts = s->w.counts;
	memcpy(r->seg.head, s->w.chain.head, sizeof(r->seg.head));
	memcpy(s->w.prev_head, s->w.chain.head, sizeof(r->seg.head));
	s->w.unsealed = list;
	list[s->w.n_unsealed++] = r->seg;
}

/* Goes on with the segment files after the last sealed one: a whole one waits to be sealed, the
 * last is open. A torn last line is cut off; it never was part of the chain that anyone saw. */
static int recover_segments(struct writer *w, struct session *s, struct sa_err *err)
{
	char name[WRITER_NAME_SIZE];

	for (;;) {
		struct replayed r = {.seg = {.number = s->w.n_sealed + (uint32_t)s->w.n_unsealed,
					     .first_seq = s->w.next_seq}};
		int rc;

		writer_segment_file(s, r.seg.number, name);
		buf_clear(&w->object);
		rc = spool_read(w->spool, name, &w->object, err);
		if (rc)
			return rc == SA_ERR_NOTFOUND ? 0 : rc;
		replay_lines(w, s, buf_slice(&w->object), &r);
		if (r.good == 0) {
			spool_remove(w->spool, name);
			return 0;
		}
		if (r.good < w->object.len) {
			log_warn("event=torn_line session=%s file=%s bytes=%zu", s->sid, name,
				 w->object.len - r.good);
			rc = spool_truncate(w->spool, name, (off_t)r.good, err);
			if (rc)
				return rc;
		}
		r.seg.size = (off_t)r.good;
		if (!r.footed) {
			s->w.open = r.seg;
			return 0;
		}
		keep_cut(s, &r);
	}
}

/* The rows of sealed segments, up to the last whole one. */
static off_t rows_size(struct writer *w, const char *name)
{
	const char *eol;

	buf_clear(&w->object);
	if (spool_read(w->spool, name, &w->object, NULL) || w->object.len == 0)
		return 0;
	eol = memrchr(w->object.data, '\n', w->object.len);
	return eol ? eol + 1 - w->object.data : 0;
}

/* The text file may be longer than the checkpoint says (it is rendered again from there) or shorter
 * (somebody cut it). When all is sealed and it is not there, it is promoted already. */
static void recover_sizes(struct writer *w, struct session *s)
{
	char name[WRITER_NAME_SIZE];
	off_t size;

	writer_file(s, "txt", name);
	size = spool_size(w->spool, name);
	s->w.text_size = s->w.sealed.text_end;
	if (size < s->w.text_size && !(size < 0 && s->w.finishing))
		s->w.text_size = size < 0 ? 0 : size;
	writer_file(s, "segs", name);
	s->w.segs_size = rows_size(w, name);
}

/* What was sealed when the run before ended, but not yet removed. */
static void remove_sealed(struct writer *w, const struct session *s)
{
	char name[WRITER_NAME_SIZE];

	for (uint32_t n = 0; n < s->w.n_sealed; n++) {
		writer_segment_file(s, n, name);
		spool_remove(w->spool, name);
	}
}

/* A closed session went on after its end, and nothing of that is sealed yet. */
static bool went_on(struct writer *w, const struct session *s)
{
	char name[WRITER_NAME_SIZE];

	writer_segment_file(s, s->w.n_sealed, name);
	return spool_size(w->spool, name) >= 0;
}

static void remove_rows(struct writer *w, const struct session *s)
{
	char name[WRITER_NAME_SIZE];

	writer_file(s, "segs", name);
	spool_remove(w->spool, name);
}

struct recovery {
	struct writer *w;
	void (*fn)(void *ctx, struct session *s);
	void *ctx;
};

static int recover_one(void *ctx, const char *sid)
{
	struct recovery *r = ctx;
	struct sa_err err = {0};
	struct session *s;
	int rc = SA_ERR_INVALID;

	if (!layout_is_session_id(slice_of(sid)))
		return 0;
	rc = checkpoint_read(r->w, sid, &s, &err);
	if (rc) {
		log_err("event=checkpoint_unreadable reason=\"%s\" action=\"the spool files of session %s stay "
			"where they are\"",
			err.msg, sid);
		return 0;
	}
	remove_sealed(r->w, s);
	if (s->phase == SESSION_CLOSED)
		remove_rows(r->w, s);
	if (s->phase == SESSION_CLOSED && went_on(r->w, s)) {
		writer_reopen(r->w, s);
	} else if (s->phase == SESSION_CLOSED) {
		if (s->past || clock_real_ms() - s->end_ms > KEEP_CLOSED_MS)
			spool_state_remove(r->w->spool, sid);
		session_remove(r->w->sessions, s);
		return 0;
	}
	recover_sizes(r->w, s);
	if (sealer_list(r->w, s, &err)) /* as it was at the start: no line is read yet */
		writer_spool_error(r->w, s, &err);
	rc = recover_segments(r->w, s, &err);
	if (rc)
		log_err("event=recover session=%s reason=\"%s\"", sid, err.msg);
	r->fn(r->ctx, s);
	return 0;
}

int writer_recover(struct writer *w, void (*fn)(void *ctx, struct session *s), void *ctx,
		   struct sa_err *err)
{
	struct recovery r = {w, fn, ctx};

	return spool_state_each(w->spool, recover_one, &r, err);
}

struct session *writer_recall(struct writer *w, uint32_t ses, const char *sid)
{
	struct session *s;
	char name[WRITER_NAME_SIZE];

	if (checkpoint_read(w, sid, &s, NULL))
		return NULL;
	if (s->ses != ses || s->phase != SESSION_CLOSED) {
		session_remove(w->sessions, s);
		return NULL;
	}
	writer_file(s, "txt", name);
	spool_remove(w->spool, name);
	remove_rows(w, s);
	return s;
}

static int prune_one(void *ctx, const char *sid)
{
	struct writer *w = ctx;

	if (layout_is_session_id(slice_of(sid)) &&
	    clock_real_ms() - spool_state_time_ms(w->spool, sid) > KEEP_CLOSED_MS &&
	    checkpoint_closed(w, sid))
		spool_state_remove(w->spool, sid);
	return 0;
}

void writer_prune(struct writer *w)
{
	struct sa_err err = {0};

	if (spool_state_each(w->spool, prune_one, w, &err))
		log_warn("event=prune reason=\"%s\"", err.msg);
}
