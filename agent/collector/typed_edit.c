/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* What keys do to a line that may hold marks, whose length is not known. */
#include <stdio.h>

#include "agent/collector/typed_internal.h"

void edit_clear(struct typed *t)
{
	t->n = t->cursor = 0;
	t->lost = t->recalled = t->quoted = t->pasting = t->prefix = t->searching = false;
	t->kill_joins = false;
	t->count = 0;
	t->find = 0;
	memset(&t->vi, 0, sizeof(t->vi));
}

/* Makes room for as many cells of n as there is at the cursor, and says how many. */
static size_t open_gap(struct typed *t, size_t n)
{
	if (n > TYPED_MAX_LINE - t->n)
		n = TYPED_MAX_LINE - t->n;
	memmove(&t->cells[t->cursor + n], &t->cells[t->cursor],
		(t->n - t->cursor) * sizeof(t->cells[0]));
	t->n += n;
	return n;
}

static void move_bytes(const struct typed *t, struct cell *cells, size_t n, struct buf *to)
{
	for (size_t i = 0; i < n; i++) {
		struct slice bytes = {t->bytes.data + cells[i].off, cells[i].len};

		cells[i].off = (uint32_t)to->len;
		buf_put(to, bytes);
	}
}

/* Drops the bytes that no cell stands for any more. What is left is half of the buffer at most. */
static bool close_up(struct typed *t)
{
	struct buf whole;

	buf_init(&whole, t->bytes.max);
	if (!buf_reserve(&whole, t->bytes.max))
		return false;
	move_bytes(t, t->cells, t->n, &whole);
	move_bytes(t, t->killed, t->n_killed, &whole);
	buf_free(&t->bytes);
	t->bytes = whole;
	return true;
}

static bool make_cell(struct typed *t, struct slice bytes, bool mark, struct cell *out)
{
	if (bytes.len > t->bytes.max - t->bytes.len && !close_up(t))
		return false;
	*out = (struct cell){(uint32_t)t->bytes.len, (uint8_t)bytes.len, mark};
	buf_put(&t->bytes, bytes);
	if (!t->bytes.failed)
		return true;
	t->bytes.failed = false;
	return false;
}

static void add_cell(struct typed *t, struct slice bytes, bool mark)
{
	struct cell c;

	if (t->n == TYPED_MAX_LINE || !make_cell(t, bytes, mark, &c))
		return;
	open_gap(t, 1);
	t->cells[t->cursor++] = c;
}

void edit_insert(struct typed *t, struct slice character)
{
	add_cell(t, character, false);
}

void edit_literal(struct typed *t, struct slice character)
{
	unsigned char c = (unsigned char)character.ptr[0];
	char caret[2] = {'^', (char)(c ^ 0x40)};

	if ((c < 0x20 && c != '\t' && c != '\n') || c == DEL)
		character = (struct slice){caret, 2};
	add_cell(t, character, false);
}

void edit_mark(struct typed *t, const char *mark)
{
	add_cell(t, slice_of(mark), true);
}

void edit_mark_key(struct typed *t, const char *prefix, unsigned char c)
{
	char mark[16];

	if (c < 0x20 || c == DEL)
		snprintf(mark, sizeof(mark), "<%s^%c>", prefix, c ^ 0x40);
	else
		snprintf(mark, sizeof(mark), "<%s%c>", prefix, c);
	edit_mark(t, mark);
}

void edit_recall(struct typed *t, const char *mark)
{
	edit_end(t);
	edit_mark(t, mark);
	t->recalled = true;
}

unsigned char edit_at(const struct typed *t, size_t i)
{
	const struct cell *c = &t->cells[i];

	if (c->mark)
		return 0;
	return c->len == 1 ? (unsigned char)t->bytes.data[c->off] : 0x80;
}

void edit_change(struct typed *t, char c)
{
	make_cell(t, (struct slice){&c, 1}, false, &t->cells[t->cursor]);
	t->cursor++;
}

static bool is_mark(const struct typed *t, size_t i)
{
	return t->cells[i].mark;
}

static void lose(struct typed *t, const char *mark)
{
	edit_mark(t, mark);
	t->lost = true;
}

void edit_left(struct typed *t)
{
	if (t->lost || (t->cursor > 0 && is_mark(t, t->cursor - 1)))
		lose(t, "<Left>");
	else if (t->cursor > 0)
		t->cursor--;
}

void edit_right(struct typed *t)
{
	if (t->lost || (t->cursor < t->n && is_mark(t, t->cursor)))
		lose(t, "<Right>");
	else if (t->cursor < t->n)
		t->cursor++;
}

void edit_home(struct typed *t)
{
	t->cursor = 0;
	t->lost = false;
}

void edit_end(struct typed *t)
{
	t->cursor = t->n;
	t->lost = false;
}

/* Removes the cells [from, to) and leaves the cursor at from. */
static void erase(struct typed *t, size_t from, size_t to)
{
	memmove(&t->cells[from], &t->cells[to], (t->n - to) * sizeof(t->cells[0]));
	t->n -= to - from;
	t->cursor = from;
}

void edit_backspace(struct typed *t)
{
	if (t->lost || (t->cursor > 0 && is_mark(t, t->cursor - 1)))
		edit_mark(t, "<Backspace>");
	else if (t->cursor > 0)
		erase(t, t->cursor - 1, t->cursor);
}

void edit_delete(struct typed *t)
{
	if (t->lost || (t->cursor < t->n && is_mark(t, t->cursor)))
		edit_mark(t, "<Delete>");
	else if (t->cursor < t->n)
		erase(t, t->cursor, t->cursor + 1);
}

/* Kills one after the other are yanked as one text, in the order of the line. */
void edit_kill(struct typed *t, size_t from, size_t to)
{
	size_t n = to - from, keep = t->kill_joins ? t->n_killed : 0;
	size_t at = from < t->cursor ? 0 : keep;

	if (n > TYPED_MAX_LINE - keep)
		n = TYPED_MAX_LINE - keep;
	if (at == 0)
		memmove(&t->killed[n], &t->killed[0], keep * sizeof(t->killed[0]));
	memcpy(&t->killed[at], &t->cells[from], n * sizeof(t->cells[0]));
	t->n_killed = keep + n;
	t->kill_known = t->kill_joins = true;
	erase(t, from, to);
}

void edit_kill_to_start(struct typed *t)
{
	if (t->lost)
		edit_mark(t, "<^U>");
	else
		edit_kill(t, 0, t->cursor);
}

void edit_kill_to_end(struct typed *t)
{
	if (t->lost)
		edit_mark(t, "<^K>");
	else
		edit_kill(t, t->cursor, t->n);
}

void edit_kill_line(struct typed *t)
{
	t->kill_joins = false;
	edit_kill(t, 0, t->n);
	t->lost = t->recalled = false;
}

void edit_yank(struct typed *t, const char *mark)
{
	size_t n;

	if (!t->kill_known) {
		edit_mark(t, mark);
		return;
	}
	n = open_gap(t, t->n_killed);
	memcpy(&t->cells[t->cursor], t->killed, n * sizeof(t->cells[0]));
	t->cursor += n;
}

static bool in_word(const struct typed *t, size_t i, bool blanks_only)
{
	unsigned char c = edit_at(t, i);

	if (blanks_only)
		return c != ' ' && c != '\t' && c != '\n';
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == 0x80 ||
	       /* WORDCHARS, zshparam(1); ce__isword of libedit */
	       (typed_is_zsh(t) && c && strchr("*?_-.[]~=/&;!#$%^(){}<>", c)) ||
	       (t->editor == TYPED_EDITLINE && c && strchr("*?_-.[]~=", c));
}

/* Moves *i over cells that are in a word or not; false at a mark. */
static bool skip(const struct typed *t, size_t *i, int dir, bool blanks_only, bool word)
{
	for (;;) {
		if (dir < 0 ? *i == 0 : *i == t->n)
			return true;
		if (is_mark(t, dir < 0 ? *i - 1 : *i))
			return false;
		if (in_word(t, dir < 0 ? *i - 1 : *i, blanks_only) != word)
			return true;
		*i = dir < 0 ? *i - 1 : *i + 1;
	}
}

bool edit_word(const struct typed *t, bool blanks_only, int dir, size_t *to)
{
	*to = t->cursor;
	return !t->lost && skip(t, to, dir, blanks_only, false) &&
	       skip(t, to, dir, blanks_only, true);
}

void edit_move_word(struct typed *t, int dir, const char *mark)
{
	size_t to = t->cursor;

	if (dir > 0 && typed_is_zsh(t)
		    ? !t->lost && skip(t, &to, 1, false, true) && skip(t, &to, 1, false, false)
		    : edit_word(t, false, dir, &to))
		t->cursor = to;
	else
		lose(t, mark);
}

void edit_kill_word(struct typed *t, bool blanks_only, int dir, const char *mark)
{
	size_t to;

	if (!edit_word(t, blanks_only, dir, &to))
		edit_mark(t, mark);
	else if (dir < 0)
		edit_kill(t, to, t->cursor);
	else
		edit_kill(t, t->cursor, to);
}

void edit_transpose(struct typed *t)
{
	struct cell c;

	if (typed_is_zsh(t) && t->cursor == 0 && t->n > 0)
		t->cursor = 1;
	if (t->lost || t->n < 2 || t->cursor == 0) {
		if (t->lost)
			edit_mark(t, "<^T>");
		return;
	}
	if (t->cursor == t->n)
		t->cursor--;
	if (is_mark(t, t->cursor) || is_mark(t, t->cursor - 1)) {
		edit_end(t);
		edit_mark(t, "<^T>");
		return;
	}
	c = t->cells[t->cursor];
	t->cells[t->cursor] = t->cells[t->cursor - 1];
	t->cells[t->cursor - 1] = c;
	t->cursor++;
}

static unsigned char change_case(unsigned char c, bool upper)
{
	if (upper)
		return c >= 'a' && c <= 'z' ? c ^ 0x20 : c;
	return c >= 'A' && c <= 'Z' ? c ^ 0x20 : c;
}

void edit_case(struct typed *t, unsigned char how)
{
	size_t to;
	bool first = true;

	if (!edit_word(t, false, 1, &to)) {
		edit_mark_key(t, "M-", how);
		return;
	}
	while (t->cursor < to) {
		unsigned char c = edit_at(t, t->cursor);
		char changed = (char)change_case(c, how == 'u' || (how == 'c' && first));

		first &= !in_word(t, t->cursor, false);
		if (c != 0x80 && changed != (char)c)
			edit_change(t, changed);
		else
			t->cursor++;
	}
}

bool edit_find(struct typed *t, unsigned char c)
{
	for (size_t i = t->cursor + 1; i < t->n; i++)
		if (edit_at(t, i) == c) {
			t->cursor = i;
			return true;
		}
	return false;
}
