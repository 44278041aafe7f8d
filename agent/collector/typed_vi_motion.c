/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* Where the motions of vi lead, on a line that typed_vi.c changes. */
#include "agent/collector/typed_internal.h"

/* 0 blank, 1 letters, 2 others; -1 a mark. */
static int class_of(const struct typed *t, size_t i, bool big)
{
	unsigned char c = edit_at(t, i);

	if (c == 0)
		return -1;
	if (c == ' ' || c == '\t' || c == '\n')
		return 0;
	if (big || c == 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return 1;
	return 2;
}

static size_t word_ahead(const struct typed *t, size_t i, bool big)
{
	int class = i < t->n ? class_of(t, i, big) : 0;

	while (i < t->n && class && class_of(t, i, big) == class)
		i++;
	while (i < t->n && class_of(t, i, big) == 0)
		i++;
	return i;
}

static size_t word_back(const struct typed *t, size_t i, bool big)
{
	int class;

	while (i > 0 && class_of(t, i - 1, big) == 0)
		i--;
	class = i > 0 ? class_of(t, i - 1, big) : 0;
	while (i > 0 && class_of(t, i - 1, big) == class)
		i--;
	return i;
}

/* On the last character of the word. same: the one the cursor is in, also when it stands there. */
static size_t word_end(const struct typed *t, size_t i, bool big, bool same)
{
	int class;

	if (!same)
		i++;
	while (i < t->n && class_of(t, i, big) == 0)
		i++;
	if (i >= t->n)
		return t->n > 0 ? t->n - 1 : 0;
	class = class_of(t, i, big);
	while (i + 1 < t->n && class_of(t, i + 1, big) == class)
		i++;
	return i;
}

size_t vi_find(const struct typed *t, size_t from, unsigned char how, unsigned char c)
{
	bool back = how == 'F' || how == 'T', before = how == 't' || how == 'T';

	for (size_t i = from; back ? i > 0 : i + 1 < t->n;) {
		i = back ? i - 1 : i + 1;
		if (edit_at(t, i) == c)
			return before ? (back ? i + 1 : i - 1) : i;
	}
	return from;
}

static bool one_motion(const struct typed *t, unsigned char c, size_t at, struct vi_motion *m)
{
	switch (c) {
	case 'h':
		m->to = at > 0 ? at - 1 : 0;
		return true;
	case 'l':
	case ' ':
		m->to = at < t->n ? at + 1 : at;
		return true;
	case 'w':
	case 'W':
		m->to = word_ahead(t, at, c == 'W');
		return true;
	case 'b':
	case 'B':
		m->to = word_back(t, at, c == 'B');
		return true;
	case 'e':
	case 'E':
		m->to = word_end(t, at, c == 'E', false);
		m->inclusive = true;
		return true;
	default:
		return false;
	}
}

bool vi_motion(const struct typed *t, unsigned char c, unsigned times, struct vi_motion *m)
{
	*m = (struct vi_motion){t->cursor, false};
	switch (c) {
	case '0':
	case '^':
		m->to = 0;
		while (c == '^' && m->to < t->n && class_of(t, m->to, false) == 0)
			m->to++;
		return true;
	case '$':
		m->to = t->n;
		return true;
	case '|':
		m->to = times - 1 < t->n ? times - 1 : t->n;
		return true;
	case ';':
		m->to = vi_find(t, t->cursor, t->vi.last_find, t->vi.last_char);
		m->inclusive = m->to > t->cursor;
		return true;
	default:
		while (times-- > 0)
			if (!one_motion(t, c, m->to, m))
				return false;
		return true;
	}
}

bool vi_word_rest(const struct typed *t, unsigned char c, unsigned times, struct vi_motion *m)
{
	if (t->cursor >= t->n || class_of(t, t->cursor, false) <= 0)
		return false;
	*m = (struct vi_motion){t->cursor, true};
	for (unsigned i = 0; i < times; i++)
		m->to = word_end(t, m->to, c == 'W', i == 0);
	return true;
}
