/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/event.h"

#include <stdlib.h>

#define BUCKETS 1024 /* a power of two */

struct part { /* a record's place in the event's bytes */
	unsigned type;
	size_t off, len, tail_off, tail_len;
	bool enriched;
};

struct open_event {
	struct open_event *next_hash, *prev, *next; /* prev, next: by age */
	int64_t time_ms, opened_ms;
	uint64_t serial;
	struct buf bytes;
	struct part *parts;
	size_t n, cap;
	bool has_syscall, truncated;
};

struct event_table {
	event_fn fn;
	void *ctx;
	struct open_event *hash[BUCKETS];
	struct open_event *oldest, *newest;
	struct open_event *spare;  /* one kept for reuse: most events come one at a time */
	struct event_record *view; /* scratch for giving on */
	size_t n_open, bytes;
	struct event_stats stats;
};

struct event_table *event_table_new(event_fn fn, void *ctx)
{
	struct event_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fn = fn;
	t->ctx = ctx;
	t->view = calloc(EVENT_MAX_RECORDS, sizeof(*t->view));
	if (!t->view) {
		free(t);
		return NULL;
	}
	return t;
}

static void open_event_free(struct open_event *e)
{
	if (!e)
		return;
	buf_free(&e->bytes);
	free(e->parts);
	free(e);
}

void event_table_free(struct event_table *t)
{
	if (!t)
		return;
	while (t->oldest) {
		struct open_event *e = t->oldest;

		t->oldest = e->next;
		open_event_free(e);
	}
	open_event_free(t->spare);
	free(t->view);
	free(t);
}

const struct event_stats *event_stats(const struct event_table *t)
{
	return &t->stats;
}

const struct event_record *event_find(const struct event *ev, unsigned type)
{
	for (size_t i = 0; i < ev->n; i++)
		if (ev->records[i].type == type)
			return &ev->records[i];
	return NULL;
}

/* Parts of a system call's event: the kernel's 1300s, less those that stand alone. */
static bool is_part(unsigned type)
{
	return type >= 1300 && type < 1400 && type != RECORD_TTY &&
	       type != 1305 /* CONFIG_CHANGE */;
}

static struct open_event **slot(struct event_table *t, uint64_t serial, int64_t time_ms)
{
	struct open_event **p = &t->hash[serial & (BUCKETS - 1)];

	while (*p && ((*p)->serial != serial || (*p)->time_ms != time_ms))
		p = &(*p)->next_hash;
	return p;
}

static void unlink_event(struct event_table *t, struct open_event *e)
{
	struct open_event **p = slot(t, e->serial, e->time_ms);

	*p = e->next_hash;
	*(e->prev ? &e->prev->next : &t->oldest) = e->next;
	*(e->next ? &e->next->prev : &t->newest) = e->prev;
	t->n_open--;
	t->bytes -= e->bytes.len;
}

static void recycle(struct event_table *t, struct open_event *e)
{
	if (t->spare || e->bytes.cap > 65536) {
		open_event_free(e);
		return;
	}
	buf_clear(&e->bytes);
	t->spare = e;
}

/* Takes e out of the table and gives it on. */
static void give(struct event_table *t, struct open_event *e)
{
	struct event ev = {
		.time_ms = e->time_ms,
		.serial = e->serial,
		.records = t->view,
		.n = e->n,
		.truncated = e->truncated,
	};

	unlink_event(t, e);
	for (size_t i = 0; i < e->n; i++) {
		const struct part *p = &e->parts[i];

		t->view[i] = (struct event_record){
			.type = p->type,
			.body = {e->bytes.data + p->off, p->len},
			.enriched = p->enriched ? (struct slice){e->bytes.data + p->tail_off,
								 p->tail_len}
						: SLICE_NONE,
		};
	}
	t->stats.events++;
	t->stats.truncated += e->truncated;
	t->fn(t->ctx, &ev);
	recycle(t, e);
}

static struct open_event *event_new(struct event_table *t, const struct record *r, int64_t now_ms)
{
	struct open_event *e = t->spare;
	struct part *parts = e ? e->parts : NULL;
	size_t cap = e ? e->cap : 0;
	struct buf bytes;
	struct open_event **p;

	if (e) {
		bytes = e->bytes;
		t->spare = NULL;
	} else {
		e = calloc(1, sizeof(*e));
		if (!e)
			return NULL;
		buf_init(&bytes, EVENT_MAX_BYTES);
	}
	*e = (struct open_event){
		.time_ms = r->time_ms,
		.opened_ms = now_ms,
		.serial = r->serial,
		.bytes = bytes,
		.parts = parts,
		.cap = cap,
	};
	p = slot(t, r->serial, r->time_ms);
	e->next_hash = *p;
	*p = e;
	e->prev = t->newest;
	*(t->newest ? &t->newest->next : &t->oldest) = e;
	t->newest = e;
	t->n_open++;
	return e;
}

static bool grow_parts(struct open_event *e)
{
	size_t cap = e->cap ? e->cap * 2 : 8;
	struct part *p;

	if (e->n < e->cap)
		return true;
	if (e->n >= EVENT_MAX_RECORDS)
		return false;
	p = realloc(e->parts, cap * sizeof(*p));
	if (!p)
		return false;
	e->parts = p;
	e->cap = cap;
	return true;
}

static void add_part(struct event_table *t, struct open_event *e, const struct record *r)
{
	size_t need = r->body.len + r->enriched.len, off = e->bytes.len;

	if (!grow_parts(e) || t->bytes + need > EVENT_TABLE_BYTES ||
	    !buf_reserve(&e->bytes, need ? need : 1)) {
		e->bytes.failed = false;
		e->truncated = true;
		return;
	}
	buf_put(&e->bytes, r->body);
	buf_put(&e->bytes, r->enriched);
	e->parts[e->n++] = (struct part){
		.type = r->type,
		.off = off,
		.len = r->body.len,
		.tail_off = off + r->body.len,
		.tail_len = r->enriched.len,
		.enriched = r->enriched.ptr != NULL,
	};
	e->has_syscall |= r->type == RECORD_SYSCALL;
	t->bytes += need;
}

static void give_single(struct event_table *t, const struct record *r)
{
	struct event_record one = {.type = r->type, .body = r->body, .enriched = r->enriched};
	struct event ev = {.time_ms = r->time_ms, .serial = r->serial, .records = &one, .n = 1};

	t->stats.events++;
	t->fn(t->ctx, &ev);
}

void event_add(struct event_table *t, const struct record *r, int64_t now_ms)
{
	struct open_event *e;

	if (!is_part(r->type)) {
		give_single(t, r);
		return;
	}
	e = *slot(t, r->serial, r->time_ms);
	if (r->type == RECORD_EOE) {
		if (e)
			give(t, e);
		return;
	}
	if (!e) {
		if (t->n_open >= EVENT_MAX_OPEN) {
			t->oldest->truncated = true;
			t->stats.evicted++;
			give(t, t->oldest);
		}
		e = event_new(t, r, now_ms);
		if (!e) {
			t->stats.evicted++;
			return;
		}
	}
	add_part(t, e, r);
	if (r->type == RECORD_PROCTITLE && e->has_syscall)
		give(t, e);
}

void event_expire(struct event_table *t, int64_t now_ms)
{
	while (t->oldest && now_ms - t->oldest->opened_ms >= EVENT_TIMEOUT_MS) {
		t->stats.timeouts++;
		give(t, t->oldest);
	}
}

void event_flush(struct event_table *t)
{
	while (t->oldest)
		give(t, t->oldest);
}
