/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/join_internal.h"

#define SMALLEST 8    /* execs that a session may always remember */
#define TRIES_APART 8 /* other processes of a pipeline between two tries of one */

/* Texts lie in a ring of bytes, each in one piece; `head` only grows. */
struct join_store {
	size_t execs;
	uint64_t head;
	char texts[JOIN_TEXTS];
};

struct join_store *join_store_new(void)
{
	/* Pages are had when they are first written. */
	return calloc(1, sizeof(struct join_store));
}

void join_store_free(struct join_store *st)
{
	free(st);
}

static uint64_t keep_text(struct join_store *st, struct slice text)
{
	size_t at = st->head % JOIN_TEXTS;
	uint64_t start;

	if (text.len > JOIN_TEXTS - at)
		st->head += JOIN_TEXTS - at;
	start = st->head;
	if (text.len > 0)
		memcpy(st->texts + start % JOIN_TEXTS, text.ptr, text.len);
	st->head += text.len;
	return start;
}

struct slice join_text(const struct join *j, const struct join_exec *e)
{
	if (j->store->head - e->text_at > JOIN_TEXTS)
		return SLICE_LIT("");
	return (struct slice){j->store->texts + e->text_at % JOIN_TEXTS, e->text_len};
}

void join_init(struct join *j, struct join_store *st)
{
	*j = (struct join){.store = st};
}

void join_free(struct join *j)
{
	if (j->store)
		j->store->execs -= j->cap;
	free(j->ring);
	join_init(j, j->store);
}

static struct join_exec *at(const struct join *j, size_t i)
{
	return &j->ring[(j->first + i) % j->cap];
}

static bool grow(struct join *j)
{
	size_t cap = j->cap ? j->cap * 2 : SMALLEST;
	struct join_exec *ring;

	if (cap > JOIN_MAX_EXECS ||
	    (cap > SMALLEST && j->store->execs + cap - j->cap > JOIN_ALL_EXECS))
		return false;
	ring = malloc(cap * sizeof(*ring));
	if (!ring)
		return false;
	for (size_t i = 0; i < j->len; i++)
		ring[i] = *at(j, i);
	free(j->ring);
	j->store->execs += cap - j->cap;
	j->ring = ring;
	j->cap = cap;
	j->first = 0;
	return true;
}

/* Where the process's last try is, or a new place; NULL: out of memory. */
static struct join_exec *find_place(struct join *j, uint64_t seq, int32_t pid, int32_t ppid)
{
	for (size_t i = j->len; i > 0 && i + TRIES_APART > j->len; i--)
		if (at(j, i - 1)->pid == pid && at(j, i - 1)->ppid == ppid)
			return at(j, i - 1);
	if (j->len == j->cap && !grow(j)) {
		if (j->cap == 0) {
			j->dropped = seq;
			return NULL;
		}
		j->dropped = at(j, 0)->seq;
		j->first = (j->first + 1) % j->cap;
		j->len--;
	}
	return at(j, j->len++);
}

void join_add(struct join *j, uint64_t seq, int64_t time_ms, int64_t pid, int64_t ppid,
	      const struct slice names[3], struct slice text)
{
	struct join_exec *e = find_place(j, seq, (int32_t)pid, (int32_t)ppid);

	if (!e)
		return;
	if (text.len > JOIN_MAX_TEXT)
		text.len = JOIN_MAX_TEXT;
	*e = (struct join_exec){
		.seq = seq,
		.time_ms = time_ms,
		.pid = (int32_t)pid,
		.ppid = (int32_t)ppid,
		.name = {join_hash(names[0]), join_hash(names[1]), join_hash(names[2])},
		.text_at = keep_text(j->store, text),
		.text_len = (uint16_t)text.len,
	};
}

static bool is_plain(struct slice word)
{
	for (size_t i = 0; i < word.len; i++) {
		char c = word.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr("-_./=:,+@%", c)) || (unsigned char)c >= 0x80))
			return false;
	}
	return word.len > 0;
}

void join_quote(struct buf *out, const struct slice *argv, size_t argc)
{
	for (size_t i = 0; i < argc && out->len < JOIN_MAX_TEXT; i++) {
		struct slice word = argv[i];

		if (i > 0)
			buf_putc(out, ' ');
		if (word.len > JOIN_MAX_TEXT)
			word.len = JOIN_MAX_TEXT;
		if (is_plain(word)) {
			buf_put(out, word);
			continue;
		}
		buf_putc(out, '\'');
		for (size_t k = 0; k < word.len; k++)
			if (word.ptr[k] == '\'')
				buf_puts(out, "'\\''");
			else
				buf_putc(out, word.ptr[k]);
		buf_putc(out, '\'');
	}
	if (out->len > JOIN_MAX_TEXT)
		out->len = JOIN_MAX_TEXT;
}

bool join_lines(const struct join *j, int64_t ppid, struct join_line *lines, size_t n,
		const struct join_cursor *c, int64_t settled_ms, struct join_result *out)
{
	*out = (struct join_result){.whole = j->dropped <= c->after_seq};
	out->execs = malloc((j->len + 1) * sizeof(*out->execs));
	out->taken = calloc(j->len + 1, sizeof(*out->taken));
	if (out->execs && out->taken) {
		for (size_t i = 0; i < j->len; i++)
			if (at(j, i)->ppid == ppid && at(j, i)->seq > c->after_seq)
				out->execs[out->n++] = at(j, i);
		if (join_align(j, lines, n, settled_ms, out))
			return true;
	}
	join_result_free(out);
	return false;
}

void join_result_free(struct join_result *r)
{
	free(r->execs);
	free(r->taken);
	*r = (struct join_result){0};
}

bool join_resolve(const struct join *j, const struct join_result *r, const struct join_line *line,
		  struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < line->n_at && i < JOIN_MAX_RAN; i++) {
		struct slice text = join_text(j, r->execs[line->first_at + i]);

		if (text.len == 0)
			return false;
		if (out->len + text.len > JOIN_MAX_TEXT)
			break;
		if (i > 0)
			buf_puts(out, "; ");
		buf_put(out, text);
	}
	return out->len > 0;
}
