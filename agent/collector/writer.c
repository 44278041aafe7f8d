/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/writer.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/writer_internal.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/transcript/page.h"

#define LINE_MAX_BYTES (48 * 1024 * 1024) /* a 6 MiB argument list, every byte escaped */
#define PENDING_TOTAL (64 * 1024 * 1024)  /* over all sessions, while the disk takes nothing */
#define LAST_WORDS 65536                  /* kept free in a session's pending bytes for its end */

/* Few and telling: these do not wait for the regular sync. */
#define SYNC_AT_ONCE                                                                               \
	(1U << ENTRY_ACCESS | 1U << ENTRY_GAP | 1U << ENTRY_CONFLICT | 1U << ENTRY_PRIVILEGE |     \
	 1U << ENTRY_EXPIRED | 1U << ENTRY_REVOKED)

static const struct page_style text_style = {.local = false, .color = false, .width = 0};

int writer_new(struct spool *spool, const struct writer_facts *facts,
	       struct session_table *sessions, struct writer **out, struct sa_err *err)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		return sa_fail(err, SA_ERR_NOMEM, "writer: out of memory");
	w->spool = spool;
	w->facts = *facts;
	w->sessions = sessions;
	w->due_ms = INT64_MAX;
	buf_init(&w->line, LINE_MAX_BYTES);
	buf_init(&w->object, SEGMENT_MAX_BYTES);
	buf_init(&w->packed, SEGMENT_MAX_BYTES);
	w->json = json_writer_new(&w->line);
	w->digest = digest_new();
	w->press = press_new();
	w->dirty = calloc(SESSION_MAX, sizeof(struct session *));
	if (!w->json || !w->digest || !w->press || !w->dirty) {
		writer_free(w);
		return sa_fail(err, SA_ERR_NOMEM, "writer: out of memory");
	}
	*out = w;
	return 0;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	json_writer_free(w->json);
	digest_free(w->digest);
	press_free(w->press);
	buf_free(&w->line);
	buf_free(&w->object);
	buf_free(&w->packed);
	free(w->dirty);
	free(w);
}

const struct writer_stats *writer_stats(const struct writer *w)
{
	return &w->stats;
}

void writer_file(const struct session *s, const char *ext, char out[WRITER_NAME_SIZE])
{
	snprintf(out, WRITER_NAME_SIZE, "%s.%s", s->sid, ext);
}

void writer_segment_file(const struct session *s, uint32_t number, char out[WRITER_NAME_SIZE])
{
	snprintf(out, WRITER_NAME_SIZE, "%s.%06u.jsonl", s->sid, number);
}

void writer_spool_error(struct writer *w, const struct session *s, const struct sa_err *err)
{
	static struct log_limit limit = {.burst = 5};

	w->stats.spool_errors++;
	log_limited(&limit, LOG_LEVEL_ERR, "event=spool_error session=%s reason=\"%s\"", s->sid,
		    err->msg);
}

void writer_count(struct session_counts *c, const struct entry *e)
{
	c->entries++;
	c->execs += e->type == ENTRY_EXEC;
	c->inputs += e->type == ENTRY_INPUT;
	c->gaps += e->type == ENTRY_GAP;
	c->lost += e->type == ENTRY_GAP ? e->count : 0;
	c->redactions += e->redacted;
	if (e->type == ENTRY_EXPIRED)
		c->expired_ms = e->time_ms;
	if (e->type == ENTRY_REVOKED)
		c->revoked_ms = e->time_ms;
}

void writer_describe(const struct writer *w, const struct session *s, struct segment_session *out)
{
	*out = (struct segment_session){
		.host = slice_of(w->facts.host),
		.machine_id = slice_of(w->facts.machine_id),
		.boot_id = slice_of(s->boot_id),
		.ses = s->ses,
		.auid = s->auid,
		.user = slice_of(s->user),
		.origin = slice_of(s->origin),
		.service = slice_of(s->service),
		.terminal = slice_of(s->terminal),
		.start_ms = s->start_ms,
		.access = &s->access,
		.request = slice_of(s->request ? s->request : ""),
		.prefix = s->folder,
		.capture = slice_of(w->facts.capture),
	};
	memcpy(out->sid, s->sid, sizeof(out->sid));
}

/* With its values from now on, so that neither another template nor another host name moves it. */
void writer_choose_folder(struct writer *w, struct session *s)
{
	const char *tmpl = w->facts.session_prefix;
	_cleanup_buf_ struct buf folder = {0};
	struct layout_facts facts = {
		.request_id = slice_of(s->request),
		.host = slice_of(w->facts.host),
		.user = slice_of(s->user),
		.start_ms = s->start_ms,
	};

	if (s->folder)
		return;
	buf_init(&folder, LAYOUT_KEY_MAX);
	layout_prefix(&folder, tmpl ? tmpl : LAYOUT_DEFAULT_PREFIX, &facts);
	if (!folder.failed)
		session_set(&s->folder, buf_slice(&folder));
}

void writer_start(struct writer *w, struct session *s)
{
	struct sa_err err = {0};

	writer_choose_folder(w, s);
	if (checkpoint_write(w, s, &err) || sealer_list(w, s, &err))
		writer_spool_error(w, s, &err);
}

void writer_reopen(struct writer *w, struct session *s)
{
	char text[WRITER_NAME_SIZE];

	/* While the disk is full its end may not be in the spool yet; then it takes this along, as
	 * far as its objects are not made. */
	if (!s->w.finishing || s->w.finished > 0 || s->w.manifest_out)
		s->part++;
	if (s->w.finished > 0 || s->w.manifest_out)
		s->w.segs_size = 0;
	writer_file(s, "txt", text);
	if (s->w.finished >= 2 || spool_size(w->spool, text) < 0)
		s->w.text_size = s->w.sealed.text_end = 0;
	s->w.finishing = s->w.manifest_out = false;
	s->w.again = false; /* what comes now has other bytes */
	s->w.finished = 0;
	s->phase = SESSION_ENDING;
	session_revive(w->sessions, s);
}

static void mark_dirty(struct writer *w, struct session *s)
{
	s->w.unsynced = true;
	if (s->w.dirty)
		return;
	s->w.dirty = true;
	w->dirty[w->n_dirty++] = s;
}

void writer_forget(struct writer *w, struct session *s)
{
	for (size_t i = 0; i < w->n_dirty; i++)
		if (w->dirty[i] == s)
			w->dirty[i] = w->dirty[--w->n_dirty];
	w->pending_bytes -= s->w.pending.len + s->w.text.len;
	w->buffer_bytes -= s->w.pending.cap + s->w.text.cap;
	buf_free(&s->w.pending);
	buf_free(&s->w.text);
	s->w.dirty = false;
}

static bool has_room(const struct writer *w, const struct buf *b, size_t need)
{
	return b->len + need <= b->max - LAST_WORDS && w->pending_bytes + need <= PENDING_TOTAL;
}

/* The end of a session, and what it lost before, can always be said. */
static bool has_last_room(const struct session *s, size_t need)
{
	return s->w.last_words && s->w.pending.len + need <= s->w.pending.max;
}

/* w->line, and its end, among the pending bytes. */
static bool append_line(struct writer *w, struct session *s)
{
	struct buf *b = &s->w.pending;
	size_t need = w->line.len + 1, cap = b->cap;
	bool ok = buf_reserve(b, need) != NULL;

	w->buffer_bytes += b->cap - cap;
	if (ok) {
		buf_put(b, buf_slice(&w->line));
		buf_putc(b, '\n');
		w->pending_bytes += need;
	}
	b->failed = false;
	return ok;
}

/* w->line holds a finished JSON text: chains it and puts it among the pending bytes. */
static bool put_line(struct writer *w, struct session *s)
{
	size_t need = w->line.len + 1;

	if (!has_room(w, &s->w.pending, need)) {
		if (s->w.known) /* else it would write its checkpoint, by way of w->line */
			writer_flush_session(w, s);
		if (!has_room(w, &s->w.pending, need) && !has_last_room(s, need))
			return false;
	}
	if (!append_line(w, s))
		return false;
	chain_add(&s->w.chain, w->digest, buf_slice(&w->line));
	mark_dirty(w, s);
	return true;
}

uint32_t writer_next_number(const struct session *s)
{
	size_t n = s->w.n_unsealed;

	return n ? s->w.unsealed[n - 1].number + 1 : s->w.n_sealed;
}

static bool open_segment(struct writer *w, struct session *s, int64_t now_ms)
{
	struct segment_session facts;
	struct session_segment seg = {
		.number = writer_next_number(s),
		.first_seq = s->w.next_seq,
	};
	struct segment_mark mark = {seg.number, seg.first_seq, s->w.prev_head};

	writer_describe(w, s, &facts);
	buf_clear(&w->line);
	json_writer_reset(w->json);
	segment_write_header(w->json, &facts, &mark);
	if (json_writer_end(w->json))
		return false;
	s->w.open = seg;
	if (!put_line(w, s)) {
		s->w.open = (struct session_segment){0};
		return false;
	}
	s->w.opened_ms = now_ms;
	writer_note_due(w, s);
	return true;
}

void writer_text(struct writer *w, struct session *s, const struct entry *e)
{
	size_t before = s->w.text.len, cap = s->w.text.cap;

	if (!has_room(w, &s->w.text, 65536))
		return; /* the page is a convenience, the lines are the record */
	if (s->w.text_size == 0 && before == 0) {
		struct segment_session facts;

		writer_describe(w, s, &facts);
		page_head(&s->w.text, &text_style, &facts);
	}
	page_entry(&s->w.text, &text_style, e);
	w->pending_bytes += s->w.text.len - before;
	w->buffer_bytes += s->w.text.cap - cap;
}

static bool put_entry(struct writer *w, struct session *s, struct entry *e, int64_t now_ms)
{
	if (s->w.open.first_seq == 0 && !open_segment(w, s, now_ms))
		return false;
	e->seq = s->w.next_seq;
	buf_clear(&w->line);
	json_writer_reset(w->json);
	entry_write(w->json, e);
	if (json_writer_end(w->json) || !put_line(w, s)) {
		e->seq = 0;
		return false;
	}
	s->w.next_seq++;
	s->w.open.entries++;
	writer_count(&s->w.counts, e);
	w->stats.redactions += e->redacted;
	w->stats.entries++;
	w->stats.bytes += w->line.len + 1;
	writer_text(w, s, e);
	if (SYNC_AT_ONCE & 1U << e->type)
		s->w.sync_now = w->urgent = true;
	writer_spill(w);
	return true;
}

/* Exchanges what the session has pending with w->object, which keeps its own bound. */
static void swap_object(struct writer *w, struct session *s)
{
	struct buf was = w->object, *b = &s->w.pending;

	w->buffer_bytes += was.cap - b->cap;
	w->object.data = b->data;
	w->object.len = b->len;
	w->object.cap = b->cap;
	b->data = was.data;
	b->len = was.len;
	b->cap = was.cap;
}

/* The whole segment is in memory: the sealer, which comes next, takes it from w->object. Nobody
 * recovers a scratch spool, so there it need not be in a file before. */
static bool cut_whole(struct writer *w, struct session *s)
{
	char name[WRITER_NAME_SIZE];
	struct sa_err err = {0};

	writer_segment_file(s, s->w.open.number, name);
	if (!w->facts.scratch && spool_append(w->spool, name, 0, buf_slice(&s->w.pending), &err)) {
		writer_spool_error(w, s, &err);
		return false;
	}
	swap_object(w, s);
	w->object_of = s;
	w->object_number = s->w.open.number;
	w->pending_bytes += s->w.pending.len - w->object.len;
	s->w.open.size = (off_t)w->object.len;
	writer_empty(w, &s->w.pending);
	return true;
}

/* The footer, in w->line, ends the file. All or nothing. */
static bool put_footer(struct writer *w, struct session *s)
{
	bool whole = s->w.open.size == 0 && s->w.n_unsealed == 0;
	struct buf *b = &s->w.pending;
	size_t before = b->len;

	if (!append_line(w, s))
		return false;
	if (whole ? cut_whole(w, s) : writer_flush_lines(w, s))
		return true;
	w->pending_bytes -= b->len - before;
	b->len = before;
	return false;
}

bool writer_cut(struct writer *w, struct session *s)
{
	struct segment_mark mark = {s->w.open.number, s->w.open.first_seq, s->w.prev_head};
	struct session_segment *list;
	struct chain chain = s->w.chain;

	if (s->w.open.entries == 0 || !writer_make_known(w, s))
		return false;
	list = realloc(s->w.unsealed, (s->w.n_unsealed + 1) * sizeof(*list));
	if (!list)
		return false;
	s->w.unsealed = list;
	buf_clear(&w->line);
	json_writer_reset(w->json);
	segment_write_footer(w->json, &mark, s->w.open.entries, s->w.next_seq - 1, s->w.chain.head);
	if (json_writer_end(w->json))
		return false;
	chain_add(&chain, w->digest, buf_slice(&w->line));
	if (!put_footer(w, s))
		return false;
	s->w.open.text_end = s->w.text_size + (off_t)s->w.text.len; /* once it is flushed */
	s->w.open.counts = s->w.counts;
	memcpy(s->w.open.head, chain.head, sizeof(chain.head));
	memcpy(s->w.prev_head, chain.head, sizeof(chain.head));
	s->w.chain = chain;
	list[s->w.n_unsealed++] = s->w.open;
	s->w.open = (struct session_segment){0};
	s->w.cut_unsynced = true;
	return true;
}

static void fill_gap(const struct session *s, const char *cause, int64_t start_ms, int64_t end_ms,
		     uint64_t count, struct entry *e)
{
	*e = (struct entry){
		.time_ms = end_ms,
		.type = ENTRY_GAP,
		.outcome = ENTRY_UNKNOWN,
		.user = slice_of(s->user),
		.origin = slice_of(s->origin),
		.object = SLICE_LIT("recording"),
		.cause = slice_of(cause),
		.start_ms = start_ms,
		.end_ms = end_ms,
		.count = count,
		.uid = ENTRY_ID_UNSET,
		.euid = ENTRY_ID_UNSET,
		.auid = s->auid,
	};
}

void writer_entry(struct writer *w, struct session *s, struct entry *e, int64_t now_ms)
{
	struct entry gap;

	s->w.last_words = e->type == ENTRY_SESSION_END;
	/* One gap for all: only once the disk takes something again. */
	if (s->w.dropped && (s->w.pending.len == 0 || s->w.last_words)) {
		fill_gap(s, "spool_full", s->w.dropped_from_ms, s->w.dropped_to_ms, s->w.dropped,
			 &gap);
		if (put_entry(w, s, &gap, now_ms))
			s->w.dropped = 0;
	}
	if (s->w.dropped || !put_entry(w, s, e, now_ms)) {
		if (s->w.dropped++ == 0)
			s->w.dropped_from_ms = e->time_ms;
		s->w.dropped_to_ms = e->time_ms;
		w->stats.dropped++;
		return;
	}
	/* After the last entry writer_end cuts, so that no checkpoint has the end but not that it
	 * is one. */
	if (!s->w.last_words &&
	    s->w.open.size + (off_t)s->w.pending.len >= w->facts.segment_max_bytes &&
	    writer_cut(w, s))
		sealer_seal(w, s);
}

void writer_gap(struct writer *w, struct session *s, const char *cause, int64_t start_ms,
		int64_t end_ms, uint64_t count, int64_t now_ms)
{
	struct entry e;

	fill_gap(s, cause, start_ms, end_ms, count, &e);
	writer_entry(w, s, &e, now_ms);
}

void writer_end(struct writer *w, struct session *s)
{
	s->w.finishing = true;
	if (s->w.open.entries && !writer_cut(w, s))
		return;
	if (sealer_seal(w, s))
		sealer_finish(w, s);
}
