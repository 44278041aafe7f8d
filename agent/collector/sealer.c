/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/writer_internal.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/transcript/index.h"
#include "common/transcript/page.h"

static void session_key(const struct writer *w, const struct session *s, struct buf *key)
{
	struct segment_session facts;

	buf_clear(key);
	writer_describe(w, s, &facts);
	segment_session_dir(key, &facts);
}

static int put_object(struct writer *w, struct buf *key, struct slice data, bool *again,
		      struct sa_err *err)
{
	int rc = *again ? spool_put_again(w->spool, buf_cstr(key), data, err)
			: spool_put(w->spool, buf_cstr(key), data, err);

	*again |= rc == SA_ERR_EXISTS;
	return rc;
}

/* Puts w->line, a JSON text just written, as an object. */
static int put_json(struct writer *w, struct session *s, struct buf *key, struct sa_err *err)
{
	if (json_writer_end(w->json) || key->failed)
		return sa_fail(err, SA_ERR_NOMEM, "writer: %s: cannot be written", buf_cstr(key));
	buf_putc(&w->line, '\n');
	return put_object(w, key, buf_slice(&w->line), &s->w.again, err);
}

static void start_json(struct writer *w)
{
	buf_clear(&w->line);
	json_writer_reset(w->json);
}

static int put_index_start(struct writer *w, struct session *s, struct sa_err *err)
{
	static const struct access none;
	_cleanup_buf_ struct buf key = {0};
	struct segment_session facts;
	int rc;

	buf_init(&key, LAYOUT_KEY_MAX);
	layout_index_start(&key, s->start_ms, slice_of(w->facts.host), s->sid);
	writer_describe(w, s, &facts);
	if (!s->w.list_tried)
		s->w.list_tagged = s->tagged;
	s->w.list_tried = true;
	if (!s->w.list_tagged)
		facts.access = &none;
	start_json(w);
	index_write_start(w->json, &facts);
	rc = put_json(w, s, &key, err);
	s->w.listed = rc == 0;
	return rc;
}

/* Where a request is looked for but the session does not lie, a pointer says where it does. */
static int put_pointer(struct writer *w, struct session *s, const char *request, const char *folder,
		       struct sa_err *err)
{
	_cleanup_buf_ struct buf key = {0};

	if (!request)
		return 0;
	buf_init(&key, LAYOUT_KEY_MAX);
	layout_pointer(&key, slice_of(request), s->sid);
	if (slice_starts(buf_slice(&key), folder))
		return 0;
	start_json(w);
	index_write_pointer(w->json, s->sid, slice_of(request), slice_of(folder));
	return put_json(w, s, &key, err);
}

/* The session's requests are known once it is tagged, and do not change then. */
static int put_pointers(struct writer *w, struct session *s, struct sa_err *err)
{
	const struct access *a = &s->access;
	_cleanup_buf_ struct buf folder = {0};
	int rc;

	buf_init(&folder, LAYOUT_KEY_MAX);
	session_key(w, s, &folder);
	rc = put_pointer(w, s, a->request_id, buf_cstr(&folder), err);
	for (size_t i = 0; rc == 0 && i < a->n_candidates; i++)
		rc = put_pointer(w, s, a->candidates[i], buf_cstr(&folder), err);
	s->w.pointed = rc == 0;
	return rc;
}

int sealer_list(struct writer *w, struct session *s, struct sa_err *err)
{
	int rc = s->w.listed ? 0 : put_index_start(w, s, err);

	if (rc == 0 && s->tagged && !s->w.pointed)
		rc = put_pointers(w, s, err);
	return rc;
}

/* The segment's bytes into w->object, where they may be already. */
static int fetch(struct writer *w, const struct session *s, uint32_t number, struct sa_err *err)
{
	char name[WRITER_NAME_SIZE];

	if (w->object_of == s && w->object_number == number)
		return 0;
	w->object_of = NULL;
	writer_segment_file(s, number, name);
	buf_clear(&w->object);
	return spool_read(w->spool, name, &w->object, err);
}

static int seal_one(struct writer *w, struct session *s, struct session_segment *seg,
		    struct sa_err *err)
{
	_cleanup_buf_ struct buf key = {0};
	int rc;

	buf_init(&key, LAYOUT_KEY_MAX);
	session_key(w, s, &key);
	layout_segment_name(&key, seg->number);
	buf_clear(&w->packed);
	if ((rc = fetch(w, s, seg->number, err)) ||
	    (rc = segment_press(w->press, buf_slice(&w->object), &w->packed, err)) ||
	    (rc = put_object(w, &key, buf_slice(&w->packed), &seg->again, err)))
		return rc;
	seg->again = true; /* should the rest fail */
	if ((rc = rows_add(w, s, seg, buf_slice(&w->packed), err)))
		return rc;
	w->stats.segments++;
	return 0;
}

/* Notes in the checkpoint that seg is sealed. The page goes to the disk before: its lines up to
 * here cannot be made again. */
static int note_sealed(struct writer *w, struct session *s, const struct session_segment *seg,
		       struct sa_err *err)
{
	struct session_segment before = s->w.sealed;
	uint32_t n_before = s->w.n_sealed;
	char text[WRITER_NAME_SIZE];
	int rc;

	writer_file(s, "txt", text);
	if ((rc = spool_sync(w->spool, text, err)))
		return rc;
	s->w.sealed = *seg;
	s->w.n_sealed = seg->number + 1;
	rc = checkpoint_write(w, s, err);
	if (rc) { /* it will be sealed once more, with the same bytes */
		s->w.sealed = before;
		s->w.n_sealed = n_before;
	}
	return rc;
}

static bool seal_all(struct writer *w, struct session *s)
{
	struct sa_err err = {0};
	char name[WRITER_NAME_SIZE];

	/* The page's lines up to here cannot be made again. */
	if (s->w.n_unsealed && !w->facts.scratch && !writer_flush_session(w, s))
		return false;
	while (s->w.n_unsealed) {
		struct session_segment seg = s->w.unsealed[0];

		if (sealer_list(w, s, &err) || seal_one(w, s, &s->w.unsealed[0], &err) ||
		    note_sealed(w, s, &seg, &err)) {
			writer_spool_error(w, s, &err);
			return false;
		}
		if (!seg.again) /* an earlier run did not come as far as this */
			s->w.again = false;
		s->w.n_unsealed--;
		memmove(s->w.unsealed, s->w.unsealed + 1, s->w.n_unsealed * sizeof(seg));
		/* Only a checkpoint that lies after the segment lets its file go. */
		writer_segment_file(s, seg.number, name);
		spool_remove(w->spool, name);
	}
	return true;
}

bool sealer_seal(struct writer *w, struct session *s)
{
	bool ok = seal_all(w, s);

	w->object_of = NULL; /* others use w->object, too */
	return ok;
}

static int put_manifest(struct writer *w, struct session *s, const struct segment_session *facts,
			const struct session_totals *totals, struct sa_err *err)
{
	_cleanup_buf_ struct buf key = {0};

	buf_init(&key, LAYOUT_KEY_MAX);
	session_key(w, s, &key);
	layout_manifest_name(&key, s->part);
	start_json(w);
	manifest_write(w->json, facts, totals);
	return put_json(w, s, &key, err);
}

/* The page's end to its file. */
static int end_text(struct writer *w, struct session *s, const char *name, struct slice tail,
		    struct sa_err *err)
{
	if (s->w.text.len && !writer_flush_session(w, s))
		return sa_fail(err, SA_ERR_IO, "%s: its last lines cannot be written", name);
	return spool_append(w->spool, name, s->w.text_size, tail, err);
}

static int put_transcript(struct writer *w, struct session *s, const struct segment_session *facts,
			  const struct session_totals *totals, struct sa_err *err)
{
	static const struct page_style style = {0};
	_cleanup_buf_ struct buf key = {0}, tail = {0};
	char name[WRITER_NAME_SIZE];
	int rc;

	buf_init(&key, LAYOUT_KEY_MAX);
	buf_init(&tail, s->w.text.max);
	writer_file(s, "txt", name);
	session_key(w, s, &key);
	layout_transcript_name(&key, s->part);
	if (w->facts.scratch && s->w.text_size == 0) { /* all of it is in memory */
		buf_put(&tail, buf_slice(&s->w.text));
		page_tail(&tail, &style, facts, totals);
		return put_object(w, &key, buf_slice(&tail), &s->w.again, err);
	}
	page_tail(&tail, &style, facts, totals);
	rc = end_text(w, s, name, buf_slice(&tail), err);
	if (rc == SA_ERR_NOTFOUND) /* promoted already, by a run that died right after */
		return 0;
	return rc ? rc : spool_promote(w->spool, name, buf_cstr(&key), err);
}

static int put_index_end(struct writer *w, struct session *s, const struct segment_session *facts,
			 const struct session_totals *totals, struct sa_err *err)
{
	_cleanup_buf_ struct buf key = {0};

	buf_init(&key, LAYOUT_KEY_MAX);
	layout_index_end(&key, s->start_ms, slice_of(w->facts.host), s->sid, s->part);
	start_json(w);
	index_write_end(w->json, facts, totals);
	return put_json(w, s, &key, err);
}

typedef int (*finish_fn)(struct writer *w, struct session *s, const struct segment_session *facts,
			 const struct session_totals *totals, struct sa_err *err);

void sealer_finish(struct writer *w, struct session *s)
{
	static const finish_fn steps[] = {put_manifest, put_transcript, put_index_end};
	_cleanup_free_ struct manifest_segment *rows = NULL;
	struct sa_err err = {0};
	struct segment_session facts;
	struct session_totals totals = {
		.end_ms = s->end_ms,
		.end_cause = slice_of(s->end_cause),
		.part = s->part,
		.entries = s->w.counts.entries,
		.execs = s->w.counts.execs,
		.inputs = s->w.counts.inputs,
		.gaps = s->w.counts.gaps,
		.lost = s->w.counts.lost,
		.redactions = s->w.counts.redactions,
		.head = s->w.prev_head,
	};
	char name[WRITER_NAME_SIZE];

	writer_describe(w, s, &facts);
	if (sealer_list(w, s, &err) || rows_read(w, s, &rows, &totals.n_segments, &err)) {
		writer_spool_error(w, s, &err);
		return;
	}
	totals.segments = rows;
	while (s->w.finished < ARRAY_LEN(steps)) {
		int rc = steps[s->w.finished](w, s, &facts, &totals, &err);

		if (rc) {
			s->w.manifest_out |= rc == SA_ERR_EXISTS;
			writer_spool_error(w, s, &err);
			return;
		}
		s->w.finished++;
	}
	s->phase = SESSION_CLOSED;
	s->w.finishing = s->w.again = s->w.manifest_out = false;
	s->w.finished = 0;
	s->w.text_size = s->w.segs_size = s->w.sealed.text_end = 0;
	writer_forget(w, s);
	writer_file(s, "segs", name);
	if (checkpoint_write(w, s, &err) == 0) {
		spool_remove(w->spool, name);
	} else { /* after a crash now it would be finished once more, with the same bytes */
		writer_spool_error(w, s, &err);
	}
	session_retire(w->sessions, s);
}
