/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/event.h"

#include <stdlib.h>

#define BUCKETS 4096        /* a power of two */
#define SPARES 256          /* events kept for reuse: of interleaved ones as many are open */
#define SPARE_BYTES 8192    /* of the bytes of one */
#define ENDLESS 16          /* as many without an end, and no PROCTITLE: it is a log without */
#define RECORD_URINGOP 1336 /* stands for SYSCALL in an event of io_uring */

struct part { /* a record's place in the event's bytes: body, then enriched tail */
	uint32_t off, len, tail_len;
	uint16_t type;
	bool enriched;
};

struct list {
	struct open_event *oldest, *newest;
};

struct open_event {
	struct open_event *next_hash, *prev, *next; /* prev, next: in its list */
	struct list *list;
	int64_t time_ms, since_ms; /* when it came into its list */
	uint64_t serial;
	struct buf bytes;
	struct part *parts;
	size_t n, cap;
	uint64_t items, paths;         /* PATH records that are due, that came */
	uint64_t argument;             /* order of the last EXECVE record */
	unsigned char stage;           /* of the last record, see stage_of */
	bool has_call, titled, ended;  /* SYSCALL, PROCTITLE, EOE came */
	bool wants_execve, disordered; /* not in the kernel's order */
	bool truncated;
};

struct closed_event {
	uint64_t serial;
	int64_t time_ms;
};

struct event_table {
	event_fn fn;
	void *ctx;
	struct open_event *hash[BUCKETS];
	struct list open;     /* whose call or end is still to come */
	struct list settling; /* that have both, but not all, or not in order */
	struct open_event *spare;
	size_t n_spare;
	struct event_record *view; /* scratch for giving on */
	size_t n_open, bytes;
	bool titles, paths, execves; /* the stream has such records */
	uint64_t endless;            /* events without an end before the first PROCTITLE */
	struct closed_event closed[EVENT_CLOSED];
	struct event_stats stats;
};

struct event_table *event_table_new(event_fn fn, void *ctx)
{
	struct event_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fn = fn;
	t->ctx = ctx;
	for (size_t i = 0; i < EVENT_CLOSED; i++)
		t->closed[i].time_ms = -1; /* no event's */
	t->view = calloc(EVENT_MAX_RECORDS, sizeof(*t->view));
	if (!t->view) {
		free(t);
		return NULL;
	}
	return t;
}

static void open_event_free(struct open_event *e)
{
	buf_free(&e->bytes);
	free(e->parts);
	free(e);
}

static void free_list(struct open_event *e)
{
	while (e) {
		struct open_event *next = e->next;

		open_event_free(e);
		e = next;
	}
}

void event_table_free(struct event_table *t)
{
	if (!t)
		return;
	free_list(t->open.oldest);
	free_list(t->settling.oldest);
	free_list(t->spare);
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
	return type >= 1300 && type < 1400 && type != RECORD_TTY && type != RECORD_CONFIG_CHANGE;
}

/* Where the kernel writes a record of the type; 0: it may stand anywhere, also before SYSCALL. */
static unsigned stage_of(unsigned type)
{
	switch (type) {
	case RECORD_SYSCALL:
	case RECORD_URINGOP:
		return 1;
	case RECORD_EXECVE:
	case RECORD_SOCKADDR:
		return 2;
	case RECORD_CWD:
		return 3;
	case RECORD_PATH:
		return 4;
	case RECORD_PROCTITLE:
		return 5;
	case RECORD_EOE:
		return 6;
	default:
		return 0;
	}
}

static struct open_event **slot(struct event_table *t, uint64_t serial, int64_t time_ms)
{
	struct open_event **p = &t->hash[serial & (BUCKETS - 1)];

	while (*p && ((*p)->serial != serial || (*p)->time_ms != time_ms))
		p = &(*p)->next_hash;
	return p;
}

static void detach(struct open_event *e)
{
	*(e->prev ? &e->prev->next : &e->list->oldest) = e->next;
	*(e->next ? &e->next->prev : &e->list->newest) = e->prev;
}

static void attach(struct list *l, struct open_event *e, int64_t now_ms)
{
	e->list = l;
	e->since_ms = now_ms;
	e->next = NULL;
	e->prev = l->newest;
	*(l->newest ? &l->newest->next : &l->oldest) = e;
	l->newest = e;
}

static void unlink_event(struct event_table *t, struct open_event *e)
{
	struct open_event **p = slot(t, e->serial, e->time_ms);

	*p = e->next_hash;
	detach(e);
	t->n_open--;
	t->bytes -= e->bytes.len;
	t->closed[e->serial & (EVENT_CLOSED - 1)] = (struct closed_event){e->serial, e->time_ms};
}

static bool was_given(const struct event_table *t, const struct record *r)
{
	const struct closed_event *c = &t->closed[r->serial & (EVENT_CLOSED - 1)];

	return c->serial == r->serial && c->time_ms == r->time_ms;
}

static void recycle(struct event_table *t, struct open_event *e)
{
	if (t->n_spare >= SPARES || e->bytes.cap > SPARE_BYTES || e->cap > 64) {
		open_event_free(e);
		return;
	}
	e->next = t->spare;
	t->spare = e;
	t->n_spare++;
}

static void take_number(const char **p, const char *end, uint64_t *out)
{
	for (*out = 0; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		*out = *out < UINT32_MAX ? *out * 10 + (uint64_t)(**p - '0') : *out;
}

/* Where an EXECVE record stands among several, by its first field: "argc=...", "a12=", "a12_len=",
 * "a12[3]=". */
static uint64_t argument_of(struct slice body)
{
	const char *p = body.ptr + 1, *end = body.ptr + body.len;
	uint64_t number, chunk = 0;

	if (body.len < 2 || body.ptr[0] != 'a' || *p < '0' || *p > '9')
		return 0;
	take_number(&p, end, &number);
	if (p < end && *p == '[') {
		p++;
		take_number(&p, end, &chunk);
	}
	return (number + 1) << 32 | chunk;
}

static uint64_t order_of(const struct event_record *r)
{
	return r->type == RECORD_EXECVE ? argument_of(r->body) : 0;
}

/* Into the kernel's order. Not many events need it, and these have few records: only lists of
 * arguments are long, and of those the order is nearly right. */
static void sort(struct event_record *records, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct event_record r = records[i];
		unsigned stage = stage_of(r.type);
		size_t k = i;

		for (; k > 0; k--) {
			unsigned before = stage_of(records[k - 1].type);

			if (before < stage ||
			    (before == stage && (records[k - 1].type != r.type ||
						 order_of(&records[k - 1]) <= order_of(&r))))
				break;
			records[k] = records[k - 1];
		}
		records[k] = r;
	}
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
		const char *body = e->bytes.data + p->off;

		t->view[i] = (struct event_record){
			.type = p->type,
			.body = {body, p->len},
			.enriched = p->enriched ? (struct slice){body + p->len, p->tail_len}
						: SLICE_NONE,
		};
	}
	if (e->disordered)
		sort(t->view, e->n);
	t->stats.events++;
	t->stats.truncated += e->truncated;
	t->fn(t->ctx, &ev);
	recycle(t, e);
}

static struct open_event *event_alloc(struct event_table *t)
{
	struct open_event *e = t->spare;

	if (e) {
		struct part *parts = e->parts;
		size_t cap = e->cap;
		struct buf bytes = e->bytes;

		t->spare = e->next;
		t->n_spare--;
		buf_clear(&bytes);
		*e = (struct open_event){.parts = parts, .cap = cap, .bytes = bytes};
		return e;
	}
	e = calloc(1, sizeof(*e));
	if (e)
		buf_init(&e->bytes, EVENT_MAX_BYTES);
	return e;
}

static struct open_event *event_new(struct event_table *t, const struct record *r, int64_t now_ms)
{
	struct open_event *e = event_alloc(t), **p;

	if (!e)
		return NULL;
	e->time_ms = r->time_ms;
	e->serial = r->serial;
	p = slot(t, r->serial, r->time_ms);
	e->next_hash = *p;
	*p = e;
	attach(&t->open, e, now_ms);
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
		.off = (uint32_t)off,
		.len = (uint32_t)r->body.len,
		.tail_len = (uint32_t)r->enriched.len,
		.type = (uint16_t)r->type,
		.enriched = r->enriched.ptr != NULL,
	};
	t->bytes += need;
}

/* The same record a second time in a row. */
static bool is_repeated(const struct open_event *e, const struct record *r)
{
	const struct part *p = e->n ? &e->parts[e->n - 1] : NULL;

	return p && p->type == r->type && p->len == r->body.len && p->len > 0 &&
	       memcmp(e->bytes.data + p->off, r->body.ptr, p->len) == 0;
}

/* What the SYSCALL record says of the others. Its fields up to items= are the kernel's own words.
 */
static void note_call(struct open_event *e, struct slice body)
{
	static const char *const execs[] = {
		"arch=c000003e syscall=59 success=yes",  /* x86_64 */
		"arch=c000003e syscall=322 success=yes", /* ... execveat */
		"arch=c00000b7 syscall=221 success=yes", /* aarch64 */
		"arch=c00000b7 syscall=281 success=yes",
	};
	const char *items = body.len ? memmem(body.ptr, body.len, " items=", 7) : NULL;

	e->has_call = true;
	if (items) {
		items += 7;
		take_number(&items, body.ptr + body.len, &e->items);
	}
	for (size_t i = 0; i < sizeof(execs) / sizeof(execs[0]); i++)
		e->wants_execve |= slice_starts(body, execs[i]);
}

static void note_execve(struct event_table *t, struct open_event *e, struct slice body)
{
	uint64_t at = argument_of(body);

	t->execves = true;
	e->disordered |= at < e->argument;
	e->argument = at;
	e->wants_execve = false;
}

static void note(struct event_table *t, struct open_event *e, const struct record *r)
{
	unsigned stage = stage_of(r->type);

	e->disordered |= stage && stage < e->stage;
	if (stage)
		e->stage = (unsigned char)stage;
	switch (r->type) {
	case RECORD_SYSCALL:
	case RECORD_URINGOP:
		note_call(e, r->body);
		break;
	case RECORD_EXECVE:
		note_execve(t, e, r->body);
		break;
	case RECORD_PATH:
		t->paths = true;
		e->paths++;
		break;
	case RECORD_PROCTITLE:
		t->titles = e->titled = true;
		break;
	case RECORD_EOE:
		e->ended = true;
		break;
	default:
		break;
	}
}

/* The records that are due by the SYSCALL's own words are there, as far as the stream has such. */
static bool has_parts(const struct event_table *t, const struct open_event *e)
{
	return (e->paths >= e->items || !t->paths) && !(e->wants_execve && t->execves);
}

/* All of it came, in the kernel's order, as far as its records tell. After both PROCTITLE and EOE
 * nothing comes any more, whatever is missing. */
static bool is_whole(const struct event_table *t, const struct open_event *e)
{
	if (!e->has_call || e->disordered)
		return false;
	return (e->titled && e->ended) || has_parts(t, e);
}

static void give_single(struct event_table *t, const struct record *r)
{
	struct event_record one = {.type = r->type, .body = r->body, .enriched = r->enriched};
	struct event ev = {.time_ms = r->time_ms, .serial = r->serial, .records = &one, .n = 1};

	t->stats.events++;
	t->fn(t->ctx, &ev);
}

/* Does it lack what every event of the stream has? Types that the kernel also writes without a
 * system call (SECCOMP, NETFILTER_CFG) lack nothing. */
static bool is_broken(struct event_table *t, const struct open_event *e)
{
	if (!e->has_call)
		return e->stage > 0;
	if (e->titled || e->ended)
		return false;
	return t->titles || t->endless++ < ENDLESS;
}

static void make_room(struct event_table *t)
{
	struct open_event *e = t->settling.oldest ? t->settling.oldest : t->open.oldest;

	if (t->n_open < EVENT_MAX_OPEN)
		return;
	if (is_broken(t, e)) {
		e->truncated = true;
		t->stats.evicted++;
	}
	give(t, e);
}

/* The event of a record, opened if there is none. NULL: the record is not for one. */
static struct open_event *find(struct event_table *t, const struct record *r, int64_t now_ms)
{
	struct open_event *e = *slot(t, r->serial, r->time_ms);

	if (e || r->type == RECORD_EOE) /* of an event that was given on, nearly always */
		return e;
	if (was_given(t, r)) {
		t->stats.late += r->type != RECORD_PROCTITLE; /* which nobody needs */
		return NULL;
	}
	make_room(t);
	e = event_new(t, r, now_ms);
	t->stats.evicted += e == NULL;
	return e;
}

void event_add(struct event_table *t, const struct record *r, int64_t now_ms)
{
	struct open_event *e;

	if (!is_part(r->type)) {
		give_single(t, r);
		return;
	}
	e = find(t, r, now_ms);
	if (!e || is_repeated(e, r))
		return;
	note(t, e, r);
	if (r->type != RECORD_EOE)
		add_part(t, e, r);
	if (!e->has_call || (!e->titled && !e->ended))
		return;
	if (is_whole(t, e)) {
		give(t, e);
	} else if (e->list == &t->open) {
		detach(e);
		attach(&t->settling, e, now_ms);
	}
}

static void expire(struct event_table *t, struct list *l, int64_t before_ms)
{
	while (l->oldest && l->oldest->since_ms <= before_ms) {
		t->stats.timeouts += is_broken(t, l->oldest);
		give(t, l->oldest);
	}
}

void event_expire(struct event_table *t, int64_t now_ms)
{
	expire(t, &t->settling, now_ms - EVENT_SETTLE_MS);
	expire(t, &t->open, now_ms - EVENT_TIMEOUT_MS);
}

void event_flush(struct event_table *t)
{
	expire(t, &t->settling, INT64_MAX);
	expire(t, &t->open, INT64_MAX);
}
