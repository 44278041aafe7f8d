/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * open/<sid>.segs: what of the session is sealed, one row for each segment. The manifest is
 * made of them. Before the first one stands who the session is, as in its checkpoint: should
 * that be lost, the last row and this line say the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/writer_internal.h"

#define ROWS_MAX_BYTES (256 * 1024 * 1024)
#define ROW_SIZE 400
#define ROW_FIELDS 12

static int append(struct writer *w, struct session *s, struct slice line, struct sa_err *err)
{
	char name[WRITER_NAME_SIZE];
	int rc;

	writer_file(s, "segs", name);
	rc = spool_append(w->spool, name, s->w.segs_size, line, err);
	if (rc == 0)
		s->w.segs_size += (off_t)line.len;
	return rc;
}

static int add_identity(struct writer *w, struct session *s, struct sa_err *err)
{
	int rc = checkpoint_identity(w, s, err);

	if (rc == 0)
		rc = append(w, s, buf_slice(&w->line), err);
	if (rc == 0)
		s->w.identified = s->tagged;
	return rc;
}

int rows_add(struct writer *w, struct session *s, const struct session_segment *seg,
	     struct slice object, struct sa_err *err)
{
	const struct session_counts *c = &seg->counts;
	char name[WRITER_NAME_SIZE], hash[DIGEST_HEX_SIZE], row[ROW_SIZE];
	int rc = 0, n;

	if (s->w.segs_size == 0 || (s->tagged && !s->w.identified))
		rc = add_identity(w, s, err);
	digest_hex(object, hash);
	n = snprintf(row, sizeof(row),
		     "%" PRIu32 " %" PRIu64 " %" PRIu64 " %zu %s %s %lld %u %" PRIu64 " %" PRIu64
		     " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n",
		     seg->number, seg->first_seq, seg->entries, object.len, hash, seg->head,
		     (long long)seg->text_end, s->part, c->execs, c->inputs, c->gaps, c->lost,
		     c->expired_ms, c->revoked_ms, c->redactions);
	if (rc == 0)
		rc = append(w, s, (struct slice){row, (size_t)n}, err);
	writer_file(s, "segs", name);
	return rc ? rc : spool_sync(w->spool, name, err);
}

/* The first line of *text, without its end; false when there is no whole one. */
static bool next_line(struct slice *text, struct slice *line)
{
	const char *eol = text->len ? memchr(text->ptr, '\n', text->len) : NULL;

	if (!eol)
		return false;
	*line = (struct slice){text->ptr, (size_t)(eol - text->ptr)};
	text->len -= line->len + 1;
	text->ptr = eol + 1;
	return true;
}

/* How many of a row's fields are there: 5 are all that a manifest needs, ROW_FIELDS a
 * whole one; an older agent wrote no more than those. */
static int parse_row(struct slice line, struct row *r)
{
	struct session_counts *c = &r->counts;
	char text[ROW_SIZE];

	if (line.len == 0 || line.len >= sizeof(text) || line.ptr[0] == '{')
		return 0;
	memcpy(text, line.ptr, line.len);
	text[line.len] = '\0';
	*r = (struct row){.part = 1};
	return sscanf(text,
		      "%" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %64s %64s %" SCNd64
		      " %u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64
		      " %" SCNu64,
		      &r->seg.number, &r->seg.first_seq, &r->seg.entries, &r->seg.bytes,
		      r->seg.sha256, r->head, &r->text_end, &r->part, &c->execs, &c->inputs,
		      &c->gaps, &c->lost, &c->expired_ms, &c->revoked_ms, &c->redactions);
}

/* A row of a number seen before (sealed again after a crash) counts once. */
static size_t parse_rows(struct slice text, struct manifest_segment *out)
{
	struct slice line;
	struct row r;
	size_t n = 0;

	while (next_line(&text, &line))
		if (parse_row(line, &r) >= 5 && (n == 0 || out[n - 1].number < r.seg.number))
			out[n++] = r.seg;
	return n;
}

static size_t count_lines(struct slice text)
{
	struct slice line;
	size_t n = 0;

	while (next_line(&text, &line))
		n++;
	return n;
}

int rows_read(struct writer *w, const struct session *s, struct manifest_segment **out, size_t *n,
	      struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	char name[WRITER_NAME_SIZE];
	int rc;

	buf_init(&text, ROWS_MAX_BYTES);
	writer_file(s, "segs", name);
	rc = spool_read(w->spool, name, &text, err);
	if (rc && rc != SA_ERR_NOTFOUND)
		return rc;
	*out = calloc(count_lines(buf_slice(&text)) + 1, sizeof(**out));
	if (!*out)
		return sa_fail(err, SA_ERR_NOMEM, "writer: out of memory");
	*n = parse_rows(buf_slice(&text), *out);
	return 0;
}

off_t rows_size(struct writer *w, const struct session *s)
{
	char name[WRITER_NAME_SIZE];
	const char *eol;

	writer_file(s, "segs", name);
	buf_clear(&w->object);
	if (spool_read(w->spool, name, &w->object, NULL) || w->object.len == 0)
		return 0;
	eol = memrchr(w->object.data, '\n', w->object.len);
	return eol ? eol + 1 - w->object.data : 0;
}

bool rows_last(struct writer *w, const char *sid, struct slice *identity, struct row *last)
{
	char name[WRITER_NAME_SIZE];
	struct slice text, line;
	struct row r;
	bool found = false;

	*identity = SLICE_NONE;
	snprintf(name, sizeof(name), "%s.segs", sid);
	buf_clear(&w->object);
	if (spool_read(w->spool, name, &w->object, NULL))
		return false;
	text = buf_slice(&w->object);
	while (next_line(&text, &line)) {
		if (line.len && line.ptr[0] == '{')
			*identity = line;
		else if (parse_row(line, &r) >= ROW_FIELDS) {
			*last = r;
			found = true;
		}
	}
	return found;
}
