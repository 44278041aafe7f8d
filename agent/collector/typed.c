/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/typed_internal.h"

struct typed *typed_new(void)
{
	struct typed *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	buf_init(&t->bytes, 64 * TYPED_MAX_LINE);
	buf_init(&t->text, 16 * TYPED_MAX_LINE);
	buf_init(&t->shape, 16 * TYPED_MAX_LINE);
	return t;
}

void typed_free(struct typed *t)
{
	if (!t)
		return;
	buf_free(&t->bytes);
	buf_free(&t->text);
	buf_free(&t->shape);
	free(t);
}

struct sink {
	void (*fn)(void *ctx, const struct typed_line *line);
	void *ctx;
};

static void emit(struct typed *t, struct slice raw, bool complete, bool given_up,
		 const struct sink *to)
{
	struct typed_line line = {
		.raw = raw, .complete = complete, .given_up = given_up, .recalled = t->recalled};

	buf_clear(&t->text);
	buf_clear(&t->shape);
	for (size_t i = 0; i < t->n; i++) {
		const struct cell *c = &t->cells[i];
		struct slice bytes = {t->bytes.data + c->off, c->len};

		buf_put(&t->text, bytes);
		buf_put(&t->shape, c->mark ? SLICE_LIT("\x01") : bytes);
		line.marked |= c->mark;
	}
	line.text = buf_slice(&t->text);
	line.shape = buf_slice(&t->shape);
	to->fn(to->ctx, &line);
	t->editor = typed_switch(t->editor, line.text);
	edit_clear(t);
}

/* In canonical mode nothing is left to be edited: a control character was typed after ^V. */
static enum typed_end canonical_key(struct typed *t, const struct key *k)
{
	if (k->c == '\n' && k->code == KEY_CONTROL)
		return TYPED_ENTER;
	for (size_t i = 0; i < k->bytes.len; i += k->code == KEY_TEXT ? k->bytes.len : 1)
		edit_literal(t, (struct slice){k->bytes.ptr + i,
					       k->code == KEY_TEXT ? k->bytes.len : 1});
	return TYPED_GO_ON;
}

static enum typed_end readable_key(struct typed *t, const struct key *k)
{
	if (k->code == KEY_TEXT)
		edit_insert(t, k->bytes);
	else if (key_name(k->code))
		edit_mark(t, key_name(k->code));
	else if (k->c == ESC)
		edit_mark(t, "<Esc>");
	else if (k->c == '\r' || k->c == '\n')
		edit_mark(t, "<Enter>");
	else if (k->c == '\t')
		edit_mark(t, "<Tab>");
	else if (k->c == DEL || k->c == CTRL('H'))
		edit_mark(t, "<Backspace>");
	else
		edit_mark_key(t, "", k->c);
	return TYPED_GO_ON;
}

static enum typed_end any_key(struct typed *t, const struct key *k)
{
	switch (t->editor) {
	case TYPED_CANONICAL:
		return canonical_key(t, k);
	case TYPED_KEYS:
		return readable_key(t, k);
	case TYPED_READLINE_VI:
	case TYPED_ZSH_VI:
		return vi_key(t, k);
	default:
		return emacs_key(t, k);
	}
}

/* ^O enters the line and brings the next one of the history, if it came from there. */
static void end_line(struct typed *t, enum typed_end end, const struct key *k, struct slice raw,
		     const struct sink *to)
{
	bool next = k->c == CTRL('O') && t->recalled;

	t->cursor = t->n;
	if (end == TYPED_EOF)
		edit_insert(t, SLICE_LIT("^D"));
	else if (end == TYPED_GIVE_UP)
		edit_insert(t, k->c == CTRL('C') ? SLICE_LIT("^C") : SLICE_LIT("^G"));
	emit(t, raw, true, end == TYPED_GIVE_UP, to);
	if (next)
		edit_recall(t, "<Down>");
}

void typed_lines(struct typed *t, enum typed_editor editor, struct slice keys,
		 void (*fn)(void *ctx, const struct typed_line *line), void *ctx)
{
	const struct sink to = {fn, ctx};
	size_t i = 0, start = 0;

	t->editor = editor;
	buf_clear(&t->bytes);
	edit_clear(t);
	t->n_killed = 0;
	t->kill_known = false;
	while (i < keys.len) {
		bool meta = t->editor == TYPED_READLINE || t->editor == TYPED_ZSH ||
			    t->editor == TYPED_EDITLINE;
		struct key k = key_next((struct slice){keys.ptr + i, keys.len - i}, meta);
		enum typed_end end = any_key(t, &k);

		i += k.bytes.len;
		if (end != TYPED_GO_ON) {
			end_line(t, end, &k, (struct slice){keys.ptr + start, i - start}, &to);
			start = i;
		}
	}
	if (start < keys.len)
		emit(t, (struct slice){keys.ptr + start, keys.len - start}, t->editor == TYPED_KEYS,
		     false, &to);
}
