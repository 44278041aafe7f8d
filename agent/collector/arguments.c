/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/arguments.h"

#include <stdlib.h>

#include "common/escape.h"

#define KEEP_BYTES (256 * 1024)
#define KEEP_ARGS 8192

struct arguments_piece { /* of an argument that comes in several */
	uint32_t number;
	uint32_t place; /* 0: its length; aN[0] is 1 */
	struct slice value;
};

void arguments_init(struct arguments *a)
{
	*a = (struct arguments){0};
	buf_init(&a->text, EVENT_MAX_BYTES);
}

void arguments_free(struct arguments *a)
{
	free(a->argv);
	free(a->pieces);
	buf_free(&a->text);
	arguments_init(a);
}

void arguments_trim(struct arguments *a)
{
	if (a->text.cap > KEEP_BYTES || a->cap > KEEP_ARGS || a->pieces_cap > KEEP_ARGS)
		arguments_free(a);
}

/* Room for argv[number]; what is new is absent. */
static bool grow_argv(struct arguments *a, size_t number)
{
	size_t cap = a->cap ? a->cap : 64;
	struct slice *argv;

	while (cap <= number)
		cap *= 2;
	if (cap > a->cap) {
		argv = realloc(a->argv, cap * sizeof(*argv));
		if (!argv)
			return false;
		a->argv = argv;
		a->cap = cap;
	}
	for (; a->n <= number; a->n++)
		a->argv[a->n] = SLICE_NONE;
	return true;
}

static bool add_piece(struct arguments *a, uint32_t number, uint32_t place, struct slice value)
{
	if (a->n_pieces == a->pieces_cap) {
		size_t cap = a->pieces_cap ? a->pieces_cap * 2 : 64;
		struct arguments_piece *p = realloc(a->pieces, cap * sizeof(*p));

		if (!p)
			return false;
		a->pieces = p;
		a->pieces_cap = cap;
	}
	a->pieces[a->n_pieces++] = (struct arguments_piece){number, place, value};
	return true;
}

/* What follows the number in "a12", "a12_len", "a12[3]". */
static bool take_suffix(struct slice suffix, uint32_t *place)
{
	uint64_t chunk;

	if (slice_is(suffix, "_len")) {
		*place = 0;
		return true;
	}
	if (suffix.len < 3 || suffix.ptr[0] != '[' || suffix.ptr[suffix.len - 1] != ']' ||
	    !record_u64((struct slice){suffix.ptr + 1, suffix.len - 2}, &chunk) ||
	    chunk >= UINT32_MAX)
		return false;
	*place = (uint32_t)chunk + 1;
	return true;
}

/* An argument whose number is as large as limit is one with others missing before it. */
static void take_argument(struct arguments *a, struct slice name, struct slice value, size_t limit)
{
	size_t i = 1, number = 0;
	uint32_t place;

	for (; i < name.len && name.ptr[i] >= '0' && name.ptr[i] <= '9'; i++) {
		number = number * 10 + (size_t)(name.ptr[i] - '0');
		if (number >= ARGUMENTS_MAX)
			return;
	}
	if (i == 1)
		return;
	if (a->total <= number)
		a->total = number + 1;
	if (number >= limit)
		return;
	if (i == name.len) {
		if (number < a->n || grow_argv(a, number))
			a->argv[number] = value;
	} else if (take_suffix((struct slice){name.ptr + i, name.len - i}, &place)) {
		add_piece(a, (uint32_t)number, place, value);
	}
}

static void take_record(struct arguments *a, struct slice body, size_t limit)
{
	struct record_fields f = record_fields(body);
	struct slice name, value;
	uint64_t argc;

	while (record_next(&f, &name, &value)) {
		if (name.ptr[0] != 'a')
			continue;
		if (slice_is(name, "argc")) {
			if (record_u64(value, &argc) && argc > a->total)
				a->total = argc;
		} else {
			take_argument(a, name, value, limit);
		}
	}
}

/* A value whose record was cut has no second quote. */
static bool is_cut(struct slice v)
{
	return v.len > 0 && v.ptr[0] == '"' && (v.len == 1 || v.ptr[v.len - 1] != '"');
}

/* A value as the record has it, without quotes. */
static struct slice unquoted(struct slice v)
{
	if (v.len == 0 || v.ptr[0] != '"')
		return v;
	return (struct slice){v.ptr + 1, v.len - (is_cut(v) ? 1 : 2)};
}

/* Appends a value's text: "quoted" or hex (kernel/audit.c audit_log_untrustedstring). There is room
 * for it: a text is no longer than its records. */
static void append_text(struct buf *out, struct slice v)
{
	if ((v.len > 0 && v.ptr[0] == '"') || escape_unhex(out, v))
		buf_put(out, unquoted(v));
}

static struct slice since(const struct buf *b, size_t before)
{
	return (struct slice){b->data + before, b->len - before};
}

/* Arguments in one piece; *whole is the number of the first that is cut. */
static void decode(struct arguments *a, uint64_t *whole)
{
	for (size_t i = 0; i < a->n; i++) {
		struct slice v = a->argv[i];
		size_t before = a->text.len;

		if (!v.ptr)
			continue;
		if (is_cut(v) && i < *whole)
			*whole = i;
		if (v.len > 0 && v.ptr[0] == '"') {
			a->argv[i] = unquoted(v);
			continue;
		}
		append_text(&a->text, v);
		a->argv[i] = since(&a->text, before);
	}
}

static int compare(const void *x, const void *y)
{
	const struct arguments_piece *a = x, *b = y;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return (a->place > b->place) - (a->place < b->place);
}

static void sort_pieces(struct arguments *a)
{
	for (size_t i = 1; i < a->n_pieces; i++) {
		if (compare(&a->pieces[i - 1], &a->pieces[i]) > 0) {
			qsort(a->pieces, a->n_pieces, sizeof(*a->pieces), compare);
			return;
		}
	}
}

/* Joins the pieces of one argument, which are in order, up to the first that is missing. Returns
 * whether they are all of it: aN_len says how many bytes of it stand in the records. */
static bool join(struct arguments *a, const struct arguments_piece *p, size_t n)
{
	uint64_t want = 0, got = 0;
	size_t before = a->text.len;
	uint32_t place = 0;
	bool whole = true;

	for (size_t i = 0; i < n && whole; i++) {
		if (p[i].place == 0) {
			record_u64(p[i].value, &want);
		} else if (p[i].place == place + 1) {
			append_text(&a->text, p[i].value);
			got += unquoted(p[i].value).len;
			whole = !is_cut(p[i].value);
			place++;
		} else {
			whole = p[i].place == place; /* the same one once more */
		}
	}
	if (place > 0 && (p->number < a->n || grow_argv(a, p->number)))
		a->argv[p->number] = since(&a->text, before);
	return whole && got >= want;
}

static void join_all(struct arguments *a, uint64_t *whole)
{
	const struct arguments_piece *p = a->pieces;
	size_t n, left = a->n_pieces;

	sort_pieces(a);
	for (; left > 0; p += n, left -= n) {
		for (n = 1; n < left && p[n].number == p->number;)
			n++;
		if (!join(a, p, n) && p->number < *whole)
			*whole = p->number;
	}
}

void arguments_collect(struct arguments *a, const struct event *ev)
{
	size_t bytes = 0, n = 0;
	uint64_t whole = UINT64_MAX;

	a->n = a->n_pieces = 0;
	a->total = 0;
	a->found = false;
	buf_clear(&a->text);
	for (size_t i = 0; i < ev->n; i++)
		if (ev->records[i].type == RECORD_EXECVE)
			bytes += ev->records[i].body.len;
	/* argv points into text, which must not move. */
	if (bytes > 0 && buf_reserve(&a->text, bytes))
		for (size_t i = 0; i < ev->n; i++)
			if (ev->records[i].type == RECORD_EXECVE) {
				a->found = true;
				take_record(a, ev->records[i].body, bytes);
			}
	decode(a, &whole);
	join_all(a, &whole);
	while (n < a->n && n <= whole && a->argv[n].ptr)
		n++;
	a->n = n;
	if (whole > n)
		whole = n;
	a->missing = a->total > whole ? a->total - whole : 0;
}
