/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The emacs keys of readline (readline(3), "DEFAULT KEY BINDINGS") and of zsh (zshzle(1)), both
 * checked against the programs: tests/unit/typed_recorded.h. */
#include "agent/collector/typed_internal.h"

static bool quoted_key(struct typed *t, const struct key *k)
{
	if (t->quoted) {
		t->quoted = false;
		edit_literal(t, k->bytes);
		return true;
	}
	return false;
}

static bool pasted_key(struct typed *t, const struct key *k)
{
	if (k->code == KEY_PASTE || k->code == KEY_PASTE_END) {
		t->pasting = k->code == KEY_PASTE;
		return true;
	}
	if (!t->pasting)
		return false;
	if (k->code == KEY_CONTROL && k->c == '\r')
		edit_insert(t, SLICE_LIT("\n"));
	else
		for (size_t i = 0; i < k->bytes.len;) {
			struct slice rest = {k->bytes.ptr + i, k->bytes.len - i};

			/* What looks like a key is text here. */
			rest.len = k->code == KEY_TEXT ? rest.len : 1;
			edit_literal(t, rest);
			i += rest.len;
		}
	return true;
}

bool emacs_common_key(struct typed *t, const struct key *k)
{
	if (quoted_key(t, k) || pasted_key(t, k))
		return true;
	switch (k->code) {
	case KEY_UP:
	case KEY_DOWN:
	case KEY_PAGE_UP:
	case KEY_PAGE_DOWN:
		edit_recall(t, key_name(k->code));
		return true;
	case KEY_LEFT:
		edit_left(t);
		return true;
	case KEY_RIGHT:
		edit_right(t);
		return true;
	case KEY_WORD_LEFT:
	case KEY_WORD_RIGHT:
		edit_move_word(t, k->code == KEY_WORD_LEFT ? -1 : 1, key_name(k->code));
		return true;
	case KEY_HOME:
		edit_home(t);
		return true;
	case KEY_END:
		edit_end(t);
		return true;
	case KEY_DELETE:
		edit_delete(t);
		return true;
	case KEY_OTHER:
		return true;
	default:
		return false;
	}
}

/* A search shows a line of the history that has what is typed from here on. */
static void search(struct typed *t, unsigned char c)
{
	if (!t->searching)
		t->search_at = t->cursor;
	t->searching = t->recalled = true;
	edit_mark_key(t, "", c);
}

/* Keys that belong to the search; any other ends it, with the cursor where the search found it. */
static bool search_key(struct typed *t, const struct key *k)
{
	if (!t->searching || k->code == KEY_TEXT)
		return t->searching && (edit_insert(t, k->bytes), true);
	if (k->code == KEY_CONTROL && (k->c == CTRL('R') || k->c == CTRL('S'))) {
		search(t, k->c);
		return true;
	}
	if (k->code == KEY_CONTROL && (k->c == DEL || k->c == CTRL('H'))) {
		edit_backspace(t);
		return true;
	}
	t->searching = false;
	if (k->code == KEY_CONTROL && k->c == CTRL('G')) {
		while (t->cursor > t->search_at) {
			t->cursor--;
			memmove(&t->cells[t->cursor], &t->cells[t->cursor + 1],
				(t->n - t->cursor - 1) * sizeof(t->cells[0]));
			t->n--;
		}
		return true;
	}
	t->lost = true;
	return k->code == KEY_CONTROL && k->c == ESC;
}

/* ^X and a key. */
static void prefixed_key(struct typed *t, const struct key *k)
{
	t->prefix = false;
	if (k->code == KEY_CONTROL && (k->c == DEL || k->c == CTRL('H'))) {
		if (!typed_is_zsh(t))
			edit_kill_to_start(t);
	} else if (k->code == KEY_CONTROL && k->c == CTRL('U')) {
		edit_mark(t, "<Undo>");
	} else if (k->code == KEY_CONTROL || k->code == KEY_TEXT) {
		edit_mark_key(t, "^X", k->c);
	}
}

static void control_key(struct typed *t, unsigned char c)
{
	switch (c) {
	case CTRL('A'):
		edit_home(t);
		break;
	case CTRL('E'):
		edit_end(t);
		break;
	case CTRL('B'):
		edit_left(t);
		break;
	case CTRL('F'):
		edit_right(t);
		break;
	case CTRL('D'):
		edit_delete(t);
		break;
	case CTRL('H'):
	case DEL:
		edit_backspace(t);
		break;
	case CTRL('K'):
		edit_kill_to_end(t);
		break;
	case CTRL('U'):
		if (typed_is_zsh(t) || t->editor == TYPED_EDITLINE)
			edit_kill_line(t);
		else
			edit_kill_to_start(t);
		break;
	case CTRL('W'):
		edit_kill_word(t, t->editor == TYPED_READLINE, -1, "<^W>");
		break;
	case CTRL('Y'):
		edit_yank(t, "<^Y>");
		break;
	case CTRL('T'):
		edit_transpose(t);
		break;
	case CTRL('P'):
		edit_recall(t, "<Up>");
		break;
	case CTRL('N'):
		edit_recall(t, "<Down>");
		break;
	case CTRL('R'):
	case CTRL('S'):
		search(t, c);
		break;
	case CTRL('V'):
	case CTRL('Q'):
		t->quoted = true;
		break;
	case CTRL('X'):
		t->prefix = true;
		break;
	case CTRL(']'):
		if (!typed_is_zsh(t))
			t->find = CTRL(']');
		break;
	case CTRL('_'):
		edit_mark(t, "<Undo>");
		break;
	case '\t':
		edit_mark(t, "<Tab>");
		break;
	case 0:         /* sets the mark */
	case CTRL('G'): /* rings the bell */
	case CTRL('L'): /* redraws */
	case CTRL('^'):
	case ESC:
		break;
	default:
		if (!typed_is_zsh(t)) /* they do nothing there */
			edit_mark_key(t, "", c);
	}
}

static void meta_key(struct typed *t, unsigned char c)
{
	switch (c) {
	case 'b':
	case 'B':
		edit_move_word(t, -1, "<M-b>");
		break;
	case 'f':
	case 'F':
		edit_move_word(t, 1, "<M-f>");
		break;
	case 'd':
	case 'D':
		edit_kill_word(t, false, 1, "<M-d>");
		break;
	case DEL:
	case CTRL('H'):
		edit_kill_word(t, false, -1, "<M-Backspace>");
		break;
	case 'u':
	case 'l':
	case 'c':
		edit_case(t, c);
		break;
	case '.':
	case '_':
		edit_mark(t, "<M-.>"); /* the last argument of an earlier line */
		break;
	case '<':
	case '>':
		edit_recall(t, c == '<' ? "<M-<>" : "<M->>");
		break;
	default:
		edit_mark_key(t, "M-", c);
	}
}

/* M-1 M-2 or M-1 2: digits of one number. */
static bool count_key(struct typed *t, const struct key *k)
{
	bool digit = k->c >= '0' && k->c <= '9' &&
		     (k->code == KEY_META || (k->code == KEY_TEXT && t->count > 0));

	if (digit && t->count <= TYPED_MAX_COUNT)
		t->count = t->count * 10 + (unsigned)(k->c - '0');
	return digit;
}

static void one_key(struct typed *t, const struct key *k)
{
	if (k->code == KEY_TEXT)
		edit_insert(t, k->bytes);
	else if (k->code == KEY_META)
		meta_key(t, k->c);
	else if (k->code == KEY_CONTROL)
		control_key(t, k->c);
	else
		emacs_common_key(t, k);
}

static bool is_kill(const struct typed *t, const struct key *k)
{
	if (t->quoted || t->pasting)
		return false;
	if (k->code == KEY_META)
		return k->c == 'd' || k->c == 'D' || k->c == DEL || k->c == CTRL('H');
	return k->code == KEY_CONTROL &&
	       (k->c == CTRL('W') || k->c == CTRL('U') || k->c == CTRL('K'));
}

static bool waits_for_key(struct typed *t, const struct key *k)
{
	if (t->prefix) {
		prefixed_key(t, k);
		return true;
	}
	if (t->find) {
		t->find = 0;
		if (t->lost)
			edit_mark_key(t, "^]", k->c);
		else
			edit_find(t, k->c);
		return true;
	}
	return false;
}

enum typed_end emacs_key(struct typed *t, const struct key *k)
{
	unsigned times;

	if (t->quoted || t->pasting || k->code == KEY_PASTE) {
		emacs_common_key(t, k);
		return TYPED_GO_ON;
	}
	if (k->code == KEY_CONTROL) {
		if (k->c == CTRL('C') || (k->c == CTRL('G') && typed_is_zsh(t) && !t->searching))
			return TYPED_GIVE_UP;
		if (k->c == '\r' || k->c == '\n' || (k->c == CTRL('O') && !t->prefix))
			return TYPED_ENTER;
		if (k->c == CTRL('D') && t->n == 0)
			return TYPED_EOF;
	}
	if (search_key(t, k) || waits_for_key(t, k) || count_key(t, k))
		return TYPED_GO_ON;
	if (!is_kill(t, k))
		t->kill_joins = false;
	times = t->count == 0 ? 1 : t->count < TYPED_MAX_COUNT ? t->count : TYPED_MAX_COUNT;
	t->count = 0;
	while (times-- > 0 && !t->quoted && !t->find && !t->prefix)
		one_key(t, k);
	return TYPED_GO_ON;
}
