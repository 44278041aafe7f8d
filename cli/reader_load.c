/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/keys.h"
#include "cli/reader_internal.h"
#include "common/cleanup.h"

#define MAX_MANIFESTS 1024
#define MAX_KEYS (READER_MAX_SEGMENTS + 2 * MAX_MANIFESTS)

struct loading {
	struct reader *r;
	struct reader_transcript *t;
	struct chain chain;
	size_t bytes;
	uint32_t next_number;
	uint64_t next_seq;
	size_t ends_met; /* manifests whose head the chain has passed */
};

/* The first thing that does not fit is what the user is told. */
static void chain_problem(struct reader_transcript *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void chain_problem(struct reader_transcript *t, const char *fmt, ...)
{
	va_list ap;

	if (!t->chain_ok)
		return;
	t->chain_ok = false;
	va_start(ap, fmt);
	vsnprintf(t->problem, sizeof(t->problem), fmt, ap);
	va_end(ap);
}

static void count(struct reader_transcript *t, const struct entry *e)
{
	t->execs += e->type == ENTRY_EXEC;
	t->inputs += e->type == ENTRY_INPUT;
	t->gaps += e->type == ENTRY_GAP;
	t->lost += e->type == ENTRY_GAP ? e->count : 0;
	t->redactions += e->redacted;
	t->conflicts += e->type == ENTRY_CONFLICT;
	t->expired = t->expired || e->type == ENTRY_EXPIRED;
	t->revoked = t->revoked || e->type == ENTRY_REVOKED;
}

static int add_ran(struct reader_transcript *t, const struct entry *e, struct reader_line *l)
{
	for (size_t i = 0; i < e->n_ran; i++) {
		struct reader_ran *grown =
			keys_grow(t->ran, t->n_ran, &t->ran_cap, sizeof(*t->ran));

		if (!grown)
			return SA_ERR_NOMEM;
		t->ran = grown;
		t->ran[t->n_ran++] = (struct reader_ran){
			.exec = e->ran[i], .typed = e->seq, .untyped = e->type == ENTRY_UNTYPED};
		if (e->type == ENTRY_UNTYPED)
			continue;
		if (i == 0 || e->ran[i] < l->ran_first)
			l->ran_first = e->ran[i];
	}
	return 0;
}

static int add_line(void *ctx, struct slice text)
{
	struct loading *l = ctx;
	struct reader_transcript *t = l->t;
	struct reader_line line = {.line = text, .type = ENTRY_TYPES}, *grown;
	struct entry_read read;
	int rc;

	if (t->len >= READER_MAX_ENTRIES)
		return SA_ERR_TOOBIG;
	grown = keys_grow(t->lines, t->len, &t->cap, sizeof(*t->lines));
	if (!grown)
		return SA_ERR_NOMEM;
	t->lines = grown;
	rc = entry_parse(text, &read, NULL);
	if (rc == 0) {
		line.type = read.e.type;
		line.seq = read.e.seq;
		line.pid = read.e.pid;
		count(t, &read.e);
		line.exec_seq = read.e.exec_seq;
		line.more = (struct page_more){
			.has_exit_code = read.e.has_exit_code,
			.exit_code = read.e.exit_code,
			.exit_signal = read.e.exit_signal,
		};
		if (line.type == ENTRY_SESSION_END)
			t->end_line = text;
		rc = add_ran(t, &read.e, &line);
		entry_read_free(&read);
	} else if (rc != SA_ERR_NOMEM) { /* shown as it is stored, where it stands */
		line.seq = t->len > 0 ? t->lines[t->len - 1].seq + 1 : 1;
		rc = 0;
	}
	t->lines[t->len++] = line;
	return rc;
}

/* Takes header over when it can be read. */
static void take_header(struct reader_transcript *t, struct json *header, struct slice text)
{
	struct segment_session session;
	struct access access;

	if (segment_session_read(header, &session, &access, NULL) != 0) {
		chain_problem(t, "the header of a segment cannot be read");
		json_free(header);
		return;
	}
	access_free(&t->access);
	json_free(t->header);
	t->header = header;
	t->access = access;
	t->session = session;
	t->session.access = &t->access;
	/* segment_read found its line feed */
	t->header_line.ptr = text.ptr;
	t->header_line.len = (size_t)((const char *)memchr(text.ptr, '\n', text.len) - text.ptr);
}

static int get_segment(struct loading *l, const char *key, struct buf *text, struct sa_err *err)
{
	_cleanup_buf_ struct buf packed = {0};
	int rc;

	buf_init(&packed, SEGMENT_MAX_BYTES);
	if ((rc = store_get(l->r->store, key, &packed, err)) != 0)
		return rc;
	if ((rc = segment_uncompress(buf_slice(&packed), text, err)) != 0)
		return rc;
	l->bytes += text->len;
	if (l->bytes > READER_MAX_BYTES)
		return sa_fail(err, SA_ERR_TOOBIG, "the session unpacks to more than %d MiB",
			       READER_MAX_BYTES / 1024 / 1024);
	return 0;
}

static void check_segment(struct loading *l, uint32_t number, const struct segment_info *info)
{
	struct reader_transcript *t = l->t;

	if (strcmp(info->sid, t->sid) != 0)
		chain_problem(t, "at segment %" PRIu32 ": it belongs to session %s", number,
			      info->sid);
	if (info->number != number)
		chain_problem(t, "at segment %" PRIu32 ": it calls itself segment %" PRIu32, number,
			      info->number);
	if (!info->chain_ok)
		chain_problem(t, "at segment %" PRIu32 ": %s", number, info->problem);
	if (info->first_seq != l->next_seq)
		chain_problem(t,
			      "at segment %" PRIu32 ": begins with entry %" PRIu64 ", not %" PRIu64,
			      number, info->first_seq, l->next_seq);
	l->next_seq = info->last_seq + 1;
	for (size_t i = 0; i < t->n_ends; i++)
		if (slice_is(t->ends[i].index.head, l->chain.head))
			l->ends_met++;
}

static int read_segment(struct loading *l, const char *key, uint32_t number, struct sa_err *err)
{
	struct reader_transcript *t = l->t;
	struct buf *text = &t->texts[t->n_segments];
	struct segment_info info;
	struct json *header = NULL;
	int rc;

	buf_init(text, SEGMENT_MAX_BYTES);
	if ((rc = get_segment(l, key, text, err)) != 0) {
		buf_free(text);
		return rc;
	}
	t->n_segments++; /* lines may point into text from here on */
	rc = segment_read(buf_slice(text), &l->chain, add_line, l, &header, &info, err);
	if (rc == SA_ERR_TOOBIG && !err->msg[0])
		return sa_fail(err, rc, "the session has more than %d entries", READER_MAX_ENTRIES);
	if (rc != 0)
		return rc;
	check_segment(l, number, &info);
	take_header(t, header, buf_slice(text));
	return 0;
}

/* Number of "000042.jsonl.gz". */
static bool parse_segment_name(const char *name, uint32_t *number)
{
	int end = -1;

	return name[0] >= '0' && name[0] <= '9' &&
	       sscanf(name, "%9" SCNu32 ".jsonl.gz%n", number, &end) == 1 && end > 0 && !name[end];
}

static int load_segment(struct loading *l, const char *key, uint32_t number)
{
	struct sa_err err = {0};
	int rc;

	if (number != l->next_number)
		chain_problem(l->t, "at segment %" PRIu32 ": it is missing", l->next_number);
	l->next_number = number + 1;
	rc = read_segment(l, key, number, &err);
	if (rc == 0)
		return 0;
	reader_problem(l->r, key, "%s", err.msg[0] ? err.msg : "out of memory");
	chain_problem(l->t, "at segment %" PRIu32 ": it cannot be read", number);
	return rc == SA_ERR_NOMEM || rc == SA_ERR_TOOBIG ? rc : 0;
}

static bool is_manifest_name(const char *name)
{
	unsigned part;
	int end = -1;

	return strcmp(name, "manifest.json") == 0 ||
	       (sscanf(name, "manifest-%5u.json%n", &part, &end) == 1 && end > 0 && !name[end]);
}

static int by_part(const void *va, const void *vb)
{
	const struct reader_object *a = va, *b = vb;

	return a->index.part < b->index.part ? -1 : a->index.part > b->index.part;
}

/* Manifests before segments: what they say of the chain is checked while it is read. */
static int load_manifests(struct loading *l, const struct keys *k, size_t dir_len)
{
	struct reader_transcript *t = l->t;

	t->ends = calloc(MAX_MANIFESTS, sizeof(*t->ends));
	if (!t->ends)
		return SA_ERR_NOMEM;
	for (size_t i = 0; i < k->len && t->n_ends < MAX_MANIFESTS; i++)
		if (is_manifest_name(k->items[i] + dir_len) &&
		    reader_object_get(l->r, k->items[i], t->sid, READER_MAX_MANIFEST,
				      &t->ends[t->n_ends]))
			t->n_ends++;
	qsort(t->ends, t->n_ends, sizeof(*t->ends), by_part);
	return 0;
}

static void check_ends(struct loading *l)
{
	struct reader_transcript *t = l->t;
	const struct index_read *last = t->n_ends > 0 ? &t->ends[t->n_ends - 1].index : NULL;

	/* Segments that the newest manifest does not know: it went on. */
	t->open = !last || last->segments < l->next_number;
	if (last && last->segments > l->next_number)
		chain_problem(t,
			      "at segment %" PRIu32 ": it is missing, the manifest lists %" PRIu64,
			      l->next_number, last->segments);
	if (l->ends_met != t->n_ends)
		chain_problem(t, "at the end: the manifest has another head than the segments");
	memcpy(t->head, l->chain.head, sizeof(t->head));
}

static int load_all(struct loading *l, const struct keys *k, size_t dir_len, struct sa_err *err)
{
	struct reader_transcript *t = l->t;
	int rc = load_manifests(l, k, dir_len);

	t->texts = calloc(k->len + 1, sizeof(*t->texts));
	if (rc != 0 || !t->texts)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < k->len && rc == 0; i++) {
		const char *name = k->items[i] + dir_len;
		uint32_t number;

		if (parse_segment_name(name, &number))
			rc = load_segment(l, k->items[i], number);
		else if (strstr(name, ".conflict-"))
			reader_problem(l->r, k->items[i], "two objects were shipped for one key");
	}
	if (!t->header)
		return sa_fail(err, SA_ERR_NOTFOUND, "no segment of session %s can be read",
			       t->sid);
	check_ends(l);
	return 0;
}

int reader_load(struct reader *r, const struct reader_session *s, struct reader_transcript *out,
		struct sa_err *err)
{
	_cleanup_keys_ struct keys k = {0};
	struct loading l = {.r = r, .t = out, .next_seq = 1};
	int rc;

	memset(out, 0, sizeof(*out));
	out->chain_ok = true;
	memcpy(out->sid, s->sid, sizeof(out->sid));
	rc = keys_list(r->store, s->dir, MAX_KEYS, &k, err);
	if (rc == 0)
		rc = load_all(&l, &k, strlen(s->dir), err);
	if (rc != 0)
		reader_transcript_free(out);
	return rc;
}

void reader_transcript_free(struct reader_transcript *t)
{
	for (size_t i = 0; i < t->n_segments; i++)
		buf_free(&t->texts[i]);
	for (size_t i = 0; i < t->n_ends; i++)
		reader_object_free(&t->ends[i]);
	access_free(&t->access);
	json_free(t->header);
	free(t->texts);
	free(t->lines);
	free(t->ran);
	free(t->ends);
	memset(t, 0, sizeof(*t));
}
