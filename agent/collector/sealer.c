/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/writer_internal.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/transcript/index.h"
#include "common/transcript/page.h"

#define SEGS_MAX_BYTES (256 * 1024 * 1024)

static void session_key(struct buf *key, const struct session *s)
{
	buf_clear(key);
	layout_session_dir(key, slice_of(s->request), s->sid);
}

/* Puts w->line, a JSON text just written, as an object. */
static int put_json(struct writer *w, struct buf *key, struct sa_err *err)
{
	if (json_writer_end(w->json) || key->failed)
		return sa_fail(err, SA_ERR_NOMEM, "writer: %s: cannot be written", buf_cstr(key));
	buf_putc(&w->line, '\n');
	return spool_put(w->spool, buf_cstr(key), buf_slice(&w->line), err);
}

static void start_json(struct writer *w)
{
	buf_clear(&w->line);
	json_writer_reset(w->json);
}

int sealer_list(struct writer *w, struct session *s, struct sa_err *err)
{
	_cleanup_buf_ struct buf key = {0};
	struct segment_session facts;
	int rc;

	if (s->w.listed)
		return 0;
	buf_init(&key, 1024);
	layout_index_start(&key, s->start_ms, slice_of(w->facts.host), s->sid);
	writer_describe(w, s, &facts);
	start_json(w);
	index_write_start(w->json, &facts);
	rc = put_json(w, &key, err);
	s->w.listed = rc == 0;
	return rc;
}

static int seal_one(struct writer *w, struct session *s, struct session_segment *seg,
		    struct sa_err *err)
{
	char name[WRITER_NAME_SIZE], segs[WRITER_NAME_SIZE], hash[DIGEST_HEX_SIZE], row[160];
	_cleanup_buf_ struct buf key = {0};
	int rc, n;

	buf_init(&key, 1024);
	writer_segment_file(s, seg->number, name);
	writer_file(s, "segs", segs);
	session_key(&key, s);
	layout_segment_name(&key, seg->number);
	buf_clear(&w->object);
	buf_clear(&w->packed);
	if ((rc = spool_read(w->spool, name, &w->object, err)) ||
	    (rc = segment_compress(buf_slice(&w->object), &w->packed, err)) ||
	    (rc = spool_put(w->spool, buf_cstr(&key), buf_slice(&w->packed), err)))
		return rc;
	digest_hex(buf_slice(&w->packed), hash);
	n = snprintf(row, sizeof(row), "%u %" PRIu64 " %" PRIu64 " %zu %s\n", seg->number,
		     seg->first_seq, seg->entries, w->packed.len, hash);
	if ((rc = spool_append(w->spool, segs, s->w.segs_size, (struct slice){row, (size_t)n},
			       err)) ||
	    (rc = spool_sync(w->spool, segs, err)))
		return rc;
	s->w.segs_size += n;
	w->stats.segments++;
	return 0;
}

/* Notes in the checkpoint that seg is sealed. The page goes to the disk before: its lines up to
 * here cannot be made again. */
static int note_sealed(struct writer *w, struct session *s, const struct session_segment *seg,
		       struct sa_err *err)
{
	struct session_segment before = s->w.sealed;
	char text[WRITER_NAME_SIZE];
	int rc;

	writer_file(s, "txt", text);
	if ((rc = spool_sync(w->spool, text, err)))
		return rc;
	s->w.sealed = *seg;
	s->w.n_sealed++;
	rc = checkpoint_write(w, s, err);
	if (rc) { /* it will be sealed once more, with the same bytes */
		s->w.sealed = before;
		s->w.n_sealed--;
	}
	return rc;
}

bool sealer_seal(struct writer *w, struct session *s)
{
	struct sa_err err = {0};
	char name[WRITER_NAME_SIZE];

	if (s->w.n_unsealed && !writer_flush_session(w, s)) /* a page that was rendered again */
		return false;
	while (s->w.n_unsealed) {
		struct session_segment seg = s->w.unsealed[0];

		if (sealer_list(w, s, &err) || seal_one(w, s, &seg, &err) ||
		    note_sealed(w, s, &seg, &err)) {
			writer_spool_error(w, s, &err);
			return false;
		}
		s->w.n_unsealed--;
		memmove(s->w.unsealed, s->w.unsealed + 1, s->w.n_unsealed * sizeof(seg));
		/* Only a checkpoint that lies after the segment lets its file go. */
		writer_segment_file(s, seg.number, name);
		spool_remove(w->spool, name);
	}
	return true;
}

/* Reads the rows of open/<sid>.segs; a row of a number seen before (sealed again after a crash)
 * counts once. */
static size_t parse_rows(struct slice text, struct manifest_segment *out, size_t max)
{
	const char *p = text.ptr, *end = p + text.len;
	size_t n = 0;

	while (p < end && n < max) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		struct manifest_segment seg = {0};
		char row[160];

		if (!eol || (size_t)(eol - p) >= sizeof(row))
			break;
		memcpy(row, p, (size_t)(eol - p));
		row[eol - p] = '\0';
		p = eol + 1;
		if (sscanf(row, "%" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %64s", &seg.number,
			   &seg.first_seq, &seg.entries, &seg.bytes, seg.sha256) != 5)
			continue;
		if (n == 0 || out[n - 1].number < seg.number)
			out[n++] = seg;
	}
	return n;
}

static size_t count_rows(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '\n';
	return n;
}

static int read_rows(struct writer *w, const struct session *s, struct manifest_segment **out,
		     size_t *n, struct sa_err *err)
{
	_cleanup_buf_ struct buf segs = {0};
	char name[WRITER_NAME_SIZE];
	int rc;

	buf_init(&segs, SEGS_MAX_BYTES);
	writer_file(s, "segs", name);
	rc = spool_read(w->spool, name, &segs, err);
	if (rc && rc != SA_ERR_NOTFOUND)
		return rc;
	*n = count_rows(buf_slice(&segs));
	*out = calloc(*n + 1, sizeof(**out));
	if (!*out)
		return sa_fail(err, SA_ERR_NOMEM, "writer: out of memory");
	*n = parse_rows(buf_slice(&segs), *out, *n);
	return 0;
}

static int put_manifest(struct writer *w, struct session *s, const struct segment_session *facts,
			const struct session_totals *totals, struct sa_err *err)
{
	_cleanup_buf_ struct buf key = {0};

	buf_init(&key, 1024);
	session_key(&key, s);
	layout_manifest_name(&key, s->part);
	start_json(w);
	manifest_write(w->json, facts, totals);
	return put_json(w, &key, err);
}

static int put_transcript(struct writer *w, struct session *s, const struct segment_session *facts,
			  const struct session_totals *totals, struct sa_err *err)
{
	static const struct page_style style = {0};
	_cleanup_buf_ struct buf key = {0}, tail = {0};
	char name[WRITER_NAME_SIZE];
	int rc;

	buf_init(&key, 1024);
	buf_init(&tail, 65536);
	writer_file(s, "txt", name);
	session_key(&key, s);
	layout_transcript_name(&key, s->part);
	page_tail(&tail, &style, facts, totals);
	rc = spool_append(w->spool, name, s->w.text_size, buf_slice(&tail), err);
	if (rc == SA_ERR_NOTFOUND) /* promoted already, by a run that died right after */
		return 0;
	return rc ? rc : spool_promote(w->spool, name, buf_cstr(&key), err);
}

static int put_index_end(struct writer *w, struct session *s, const struct segment_session *facts,
			 const struct session_totals *totals, struct sa_err *err)
{
	_cleanup_buf_ struct buf key = {0};

	buf_init(&key, 1024);
	layout_index_end(&key, s->start_ms, slice_of(w->facts.host), s->sid, s->part);
	start_json(w);
	index_write_end(w->json, facts, totals);
	return put_json(w, &key, err);
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
		.head = s->w.prev_head,
	};
	char name[WRITER_NAME_SIZE];

	writer_describe(w, s, &facts);
	if (read_rows(w, s, &rows, &totals.n_segments, &err)) {
		writer_spool_error(w, s, &err);
		return;
	}
	totals.segments = rows;
	while (s->w.finished < ARRAY_LEN(steps)) {
		if (steps[s->w.finished](w, s, &facts, &totals, &err)) {
			writer_spool_error(w, s, &err);
			return;
		}
		s->w.finished++;
	}
	s->phase = SESSION_CLOSED;
	s->w.finishing = false;
	s->w.finished = 0;
	s->w.text_size = s->w.segs_size = s->w.sealed.text_end = 0;
	writer_forget(w, s);
	writer_file(s, "segs", name);
	if (checkpoint_write(w, s, &err) == 0)
		spool_remove(w->spool, name);
	else /* after a crash now it would be finished once more, with the same bytes */
		writer_spool_error(w, s, &err);
	session_retire(w->sessions, s);
}
