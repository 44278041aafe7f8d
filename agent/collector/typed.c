/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/typed.h"

#include <stdint.h>
#include <stdlib.h>

#define CTRL(c) ((c)&0x1f)
#define ESC 0x1b
#define DEL 0x7f

/* The line is kept as cells, one per character (or <Key> mark), each a run of bytes in `bytes`. */
struct cell {
	uint32_t off;
	uint8_t len;
	bool blank; /* for ^W */
};

struct typed {
	struct cell cells[TYPED_MAX_LINE];
	size_t n, cursor;
	struct buf bytes; /* append only; cells point into it */
	struct buf text;
};

struct typed *typed_new(void)
{
	struct typed *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	buf_init(&t->bytes, 8 * TYPED_MAX_LINE);
	buf_init(&t->text, 8 * TYPED_MAX_LINE);
	return t;
}

void typed_free(struct typed *t)
{
	if (!t)
		return;
	buf_free(&t->bytes);
	buf_free(&t->text);
	free(t);
}

static void line_clear(struct typed *t)
{
	t->n = t->cursor = 0;
	buf_clear(&t->bytes);
}

static void insert(struct typed *t, const char *p, size_t len)
{
	struct cell c = {.off = (uint32_t)t->bytes.len, .len = (uint8_t)len};

	if (t->n == TYPED_MAX_LINE)
		return;
	buf_append(&t->bytes, p, len);
	if (t->bytes.failed) {
		t->bytes.failed = false;
		return;
	}
	c.blank = len == 1 && (*p == ' ' || *p == '\t');
	memmove(&t->cells[t->cursor + 1], &t->cells[t->cursor],
		(t->n - t->cursor) * sizeof(t->cells[0]));
	t->cells[t->cursor++] = c;
	t->n++;
}

/* Removes the cells [from, to) and leaves the cursor at from. */
static void erase(struct typed *t, size_t from, size_t to)
{
	memmove(&t->cells[from], &t->cells[to], (t->n - to) * sizeof(t->cells[0]));
	t->n -= to - from;
	t->cursor = from;
}

static void erase_ahead(struct typed *t)
{
	if (t->cursor < t->n)
		erase(t, t->cursor, t->cursor + 1);
}

static void erase_word(struct typed *t)
{
	size_t from = t->cursor;

	while (from > 0 && t->cells[from - 1].blank)
		from--;
	while (from > 0 && !t->cells[from - 1].blank)
		from--;
	erase(t, from, t->cursor);
}

static void move(struct typed *t, int by)
{
	if (by < 0 && t->cursor > 0)
		t->cursor--;
	else if (by > 0 && t->cursor < t->n)
		t->cursor++;
}

static void insert_mark(struct typed *t, const char *mark)
{
	insert(t, mark, strlen(mark));
}

static bool is_between(char c, unsigned char from, unsigned char to)
{
	return (unsigned char)c >= from && (unsigned char)c <= to;
}

/* ECMA-48: ESC [ parameters (0x30-3f) intermediates (0x20-2f) final (0x40-7e); ESC O x; ESC x.
 * Returns the bytes the sequence takes; an unfinished one takes all that is left. A control key is
 * never part of one: Enter after a lone ESC (vi) is an Enter. */
static size_t escape_length(const char *p, size_t n)
{
	size_t i = 1;

	if (i < n && p[i] == '[')
		for (i++; i < n && is_between(p[i], 0x20, 0x3f); i++)
			;
	else if (i < n && p[i] == 'O')
		i++;
	return i < n && is_between(p[i], 0x20, 0x7f) ? i + 1 : i;
}

static void escape_key(struct typed *t, const char *p, size_t len)
{
	struct slice s = {p + 1, len - 1};

	if (slice_is(s, "[A") || slice_is(s, "OA"))
		insert_mark(t, "<Up>");
	else if (slice_is(s, "[B") || slice_is(s, "OB"))
		insert_mark(t, "<Down>");
	else if (slice_is(s, "[C") || slice_is(s, "OC"))
		move(t, 1);
	else if (slice_is(s, "[D") || slice_is(s, "OD"))
		move(t, -1);
	else if (slice_is(s, "[H") || slice_is(s, "OH") || slice_is(s, "[1~"))
		t->cursor = 0;
	else if (slice_is(s, "[F") || slice_is(s, "OF") || slice_is(s, "[4~"))
		t->cursor = t->n;
	else if (slice_is(s, "[3~"))
		erase_ahead(t);
}

static void control_key(struct typed *t, unsigned char c)
{
	char caret[2] = {'^', (char)(c ^ 0x40)};

	switch (c) {
	case CTRL('H'):
	case DEL:
		if (t->cursor > 0)
			erase(t, t->cursor - 1, t->cursor);
		break;
	case CTRL('W'):
		erase_word(t);
		break;
	case CTRL('U'):
		erase(t, 0, t->cursor);
		break;
	case CTRL('K'):
		t->n = t->cursor;
		break;
	case CTRL('A'):
		t->cursor = 0;
		break;
	case CTRL('E'):
		t->cursor = t->n;
		break;
	case CTRL('B'):
		move(t, -1);
		break;
	case CTRL('F'):
		move(t, 1);
		break;
	case CTRL('D'):
		erase_ahead(t);
		break;
	case CTRL('L'): /* redraws */
		break;
	case '\t':
		insert_mark(t, "<Tab>");
		break;
	default:
		insert(t, caret, 2);
	}
}

static size_t character_length(const char *p, size_t n)
{
	unsigned char c = (unsigned char)*p;
	size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1, len = 1;

	while (len < want && len < n && ((unsigned char)p[len] & 0xc0) == 0x80)
		len++;
	return len;
}

static void emit(struct typed *t, struct slice raw, bool complete,
		 void (*fn)(void *, const struct typed_line *), void *ctx)
{
	struct typed_line line = {.raw = raw, .complete = complete};

	buf_clear(&t->text);
	for (size_t i = 0; i < t->n; i++)
		buf_append(&t->text, t->bytes.data + t->cells[i].off, t->cells[i].len);
	line.text = buf_slice(&t->text);
	fn(ctx, &line);
	line_clear(t);
}

void typed_lines(struct typed *t, struct slice keys,
		 void (*fn)(void *ctx, const struct typed_line *line), void *ctx)
{
	size_t i = 0, start = 0;

	line_clear(t);
	while (i < keys.len) {
		const char *p = keys.ptr + i;
		unsigned char c = (unsigned char)*p;
		size_t len = 1;
		bool ends =
			c == '\r' || c == '\n' || c == CTRL('C') || (c == CTRL('D') && t->n == 0);

		if (c == ESC) {
			len = escape_length(p, keys.len - i);
			escape_key(t, p, len);
		} else if (c == CTRL('C') || (c == CTRL('D') && ends)) {
			t->cursor = t->n;
			insert(t, c == CTRL('C') ? "^C" : "^D", 2);
		} else if (!ends && (c < 0x20 || c == DEL)) {
			control_key(t, c);
		} else if (!ends) {
			len = character_length(p, keys.len - i);
			insert(t, p, len);
		}
		i += len;
		if (ends) {
			emit(t, (struct slice){keys.ptr + start, i - start}, true, fn, ctx);
			start = i;
		}
	}
	if (start < keys.len)
		emit(t, (struct slice){keys.ptr + start, keys.len - start}, false, fn, ctx);
}
