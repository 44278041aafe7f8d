/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The vi keys of readline and zsh, both checked against the programs: tests/unit/typed_recorded.h.
 */
#include "agent/collector/typed_internal.h"

static void to_command(struct typed *t)
{
	t->vi.state = VI_COMMAND;
	t->vi.op = t->vi.pending = 0;
	t->count = t->vi.op_count = 0;
	t->kill_joins = false;
	if (t->cursor > 0 && !t->lost)
		t->cursor--;
}

static void to_insert(struct typed *t)
{
	t->vi.state = VI_INSERT;
	t->vi.insert_at = t->cursor;
	t->count = 0;
}

/* In zsh nothing is erased beyond where inserting began. */
static bool may_erase(const struct typed *t)
{
	return t->editor == TYPED_READLINE_VI || t->cursor > t->vi.insert_at || t->lost;
}

static void insert_control(struct typed *t, const struct key *k)
{
	switch (k->c) {
	case CTRL('H'):
	case DEL:
		if (may_erase(t))
			edit_backspace(t);
		break;
	case CTRL('W'):
		if (may_erase(t))
			edit_kill_word(t, t->editor == TYPED_READLINE_VI, -1, "<^W>");
		break;
	case CTRL('U'):
		if (t->editor == TYPED_READLINE_VI)
			edit_kill_to_start(t);
		else if (t->cursor > t->vi.insert_at)
			edit_kill(t, t->vi.insert_at, t->cursor);
		else if (t->lost)
			edit_mark(t, "<^U>");
		break;
	case CTRL('V'):
		t->quoted = true;
		break;
	case CTRL('R'):
		edit_recall(t, "<^R>");
		break;
	case CTRL('L'):
		break;
	case '\t':
		edit_mark(t, "<Tab>");
		break;
	case ESC:
		to_command(t);
		break;
	default:
		edit_literal(t, k->bytes);
	}
}

static void replace(struct typed *t, const struct key *k)
{
	if (k->code == KEY_CONTROL) {
		if (k->c == DEL || k->c == CTRL('H'))
			edit_left(t);
		else
			insert_control(t, k);
		return;
	}
	if (t->cursor < t->n)
		edit_delete(t);
	edit_insert(t, k->bytes);
}

static void place(struct typed *t, size_t to)
{
	t->cursor = to < t->n ? to : t->n;
	if (t->cursor == t->n && t->n > 0)
		t->cursor--;
}

/* The operator in hand takes what lies between the cursor and m. */
static void operate(struct typed *t, struct vi_motion m)
{
	size_t at = t->cursor, from = m.to < at ? m.to : at, to = m.to < at ? at : m.to;
	unsigned char op = t->vi.op;

	if (m.inclusive && to < t->n)
		to++;
	t->vi.op = 0;
	t->kill_joins = false;
	if (op == 'y') {
		memcpy(t->killed, &t->cells[from], (to - from) * sizeof(t->cells[0]));
		t->n_killed = to - from;
		t->kill_known = true;
		if (t->editor == TYPED_ZSH_VI)
			t->cursor = from;
		return;
	}
	t->cursor = to;
	edit_kill(t, from, to);
	if (op == 'c')
		to_insert(t);
	else
		place(t, from);
}

static void go(struct typed *t, struct vi_motion m)
{
	if (t->vi.op)
		operate(t, m);
	else
		place(t, m.to);
}

/* A command on a whole line or from the cursor on is d, c or y with a motion. */
static bool whole_line(struct typed *t, unsigned char c)
{
	if (c != 'S' && (!t->vi.op || t->vi.op != c))
		return false;
	if (c == 'y') {
		size_t at = t->cursor;

		t->cursor = 0;
		operate(t, (struct vi_motion){t->n, false});
		t->cursor = at;
		return true;
	}
	t->vi.op = 0;
	edit_kill_line(t);
	if (c != 'd')
		to_insert(t);
	return true;
}

static void put(struct typed *t, bool after)
{
	if (after && t->cursor < t->n)
		t->cursor++;
	edit_yank(t, after ? "<p>" : "<P>");
	if (t->cursor > 0 && t->kill_known)
		t->cursor--;
}

static void swap_case(struct typed *t, unsigned times)
{
	while (times-- > 0 && t->cursor < t->n) {
		unsigned char c = edit_at(t, t->cursor);
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		char changed = (char)(c ^ 0x20);

		if (letter && t->lost) {
			edit_delete(t);
			edit_insert(t, (struct slice){&changed, 1});
		} else if (letter) {
			edit_change(t, changed);
		} else {
			t->cursor++;
		}
	}
	if (t->cursor == t->n && t->n > 0)
		t->cursor--;
}

static bool begins_insert(struct typed *t, unsigned char c)
{
	switch (c) {
	case 'I':
		edit_home(t);
		break;
	case 'A':
		edit_end(t);
		break;
	case 'a':
		if (t->cursor < t->n)
			t->cursor++;
		break;
	case 'i':
		break;
	case 'R':
		t->vi.state = VI_REPLACE;
		return true;
	default:
		return false;
	}
	to_insert(t);
	return true;
}

/* What the history or an earlier state of the line makes of it. */
static bool brings_unknown(struct typed *t, unsigned char c)
{
	switch (c) {
	case 'k':
	case '-':
		edit_recall(t, "<Up>");
		break;
	case 'j':
	case '+':
		edit_recall(t, "<Down>");
		break;
	case 'G':
	case 'n':
	case 'N':
		edit_end(t);
		edit_mark_key(t, "", c);
		t->recalled = true;
		break;
	case '/':
	case '?':
		edit_end(t);
		edit_mark_key(t, "", c);
		t->recalled = true;
		t->vi.state = VI_SEARCH;
		break;
	case 'u':
	case 'U':
		edit_mark(t, "<Undo>");
		break;
	case '.':
	case '_':
	case '=':
	case '\\':
	case '*':
	case '@':
	case '%':
	case 'v':
		edit_mark_key(t, "", c);
		break;
	default:
		return false;
	}
	t->lost = true;
	return true;
}

static void change(struct typed *t, unsigned char c, unsigned times)
{
	struct vi_motion m;

	switch (c) {
	case 'x':
		t->vi.op = 'd';
		vi_motion(t, 'l', times, &m);
		operate(t, m);
		break;
	case 'X':
		t->vi.op = 'd';
		vi_motion(t, 'h', times, &m);
		operate(t, m);
		break;
	case 's':
		t->vi.op = 'c';
		vi_motion(t, 'l', times, &m);
		operate(t, m);
		break;
	case 'D':
	case 'C':
		t->vi.op = c == 'D' ? 'd' : 'c';
		operate(t, (struct vi_motion){t->n, false});
		break;
	case 'p':
	case 'P':
		put(t, c == 'p');
		break;
	case '~':
		swap_case(t, times);
		break;
	default:
		break;
	}
}

static bool has_mark(const struct typed *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->cells[i].mark)
			return true;
	return false;
}

/* Of a line that is not known only these do what is known. */
static bool is_safe(unsigned char c)
{
	return strchr("iaIARS0$^dcyCDkj/?", c) != NULL;
}

static unsigned take_count(struct typed *t)
{
	unsigned n = (t->count ? t->count : 1) * (t->vi.op_count ? t->vi.op_count : 1);

	t->count = t->vi.op_count = 0;
	return n < TYPED_MAX_COUNT ? n : TYPED_MAX_COUNT;
}

static void command(struct typed *t, unsigned char c)
{
	struct vi_motion m;
	unsigned times;

	if ((c >= '1' && c <= '9') || (c == '0' && t->count > 0)) {
		if (t->count < TYPED_MAX_COUNT)
			t->count = t->count * 10 + (unsigned)(c - '0');
		return;
	}
	if ((c == 'f' || c == 'F' || c == 't' || c == 'T' || c == 'r')) {
		t->vi.pending = c;
		return;
	}
	if (whole_line(t, c) || (!t->vi.op && brings_unknown(t, c)))
		return;
	if (!is_safe(c) && (t->lost || has_mark(t))) {
		edit_mark_key(t, "", c);
		t->vi.op = 0;
		return;
	}
	if (!t->vi.op && (c == 'd' || c == 'c' || c == 'y')) {
		t->vi.op = c;
		t->vi.op_count = t->count;
		t->count = 0;
		return;
	}
	times = take_count(t);
	/* cw changes up to the word's end. */
	if (t->vi.op == 'c' && (c == 'w' || c == 'W') && vi_word_rest(t, c, times, &m)) {
		operate(t, m);
	} else if (vi_motion(t, c, times, &m)) {
		t->lost &= c != '0' && c != '^' && c != '$';
		go(t, m);
	} else if (t->vi.op) {
		t->vi.op = 0;
	} else if (!begins_insert(t, c)) {
		change(t, c, times);
	}
}

/* The character that f F t T r waited for. */
static void pending_key(struct typed *t, const struct key *k)
{
	unsigned char how = t->vi.pending;
	struct vi_motion m = {t->cursor, false};

	t->vi.pending = 0;
	if (k->code != KEY_TEXT || t->lost || has_mark(t)) {
		t->vi.op = 0;
		return;
	}
	if (how == 'r') {
		if (t->cursor < t->n) {
			edit_delete(t);
			edit_insert(t, k->bytes);
			t->cursor--;
		}
		return;
	}
	t->vi.last_find = how;
	t->vi.last_char = k->c;
	for (unsigned times = take_count(t); times > 0; times--)
		m.to = vi_find(t, m.to, how, k->c);
	m.inclusive = m.to > t->cursor;
	go(t, m);
}

static void command_control(struct typed *t, unsigned char c)
{
	if (c == CTRL('P') || c == CTRL('N'))
		edit_recall(t, c == CTRL('P') ? "<Up>" : "<Down>");
	else if (c == CTRL('H') || (c == DEL && t->editor == TYPED_ZSH_VI))
		edit_left(t);
	t->vi.op = t->vi.pending = 0;
	t->count = t->vi.op_count = 0;
}

static enum typed_end ends(struct typed *t, const struct key *k)
{
	if (k->code == KEY_TEXT && k->c == '#' && t->vi.state == VI_COMMAND && !t->vi.pending) {
		edit_home(t);
		edit_insert(t, k->bytes); /* makes it a comment and enters it */
		return TYPED_ENTER;
	}
	if (k->code != KEY_CONTROL)
		return TYPED_GO_ON;
	if (k->c == CTRL('C'))
		return TYPED_GIVE_UP;
	if (k->c == '\r' || k->c == '\n') {
		if (t->vi.state != VI_SEARCH)
			return TYPED_ENTER;
		t->vi.state = VI_COMMAND;
		return TYPED_GO_ON;
	}
	if (k->c == CTRL('D'))
		return t->n == 0                        ? TYPED_EOF
		       : t->editor == TYPED_READLINE_VI ? TYPED_ENTER
							: TYPED_GO_ON;
	return TYPED_GO_ON;
}

enum typed_end vi_key(struct typed *t, const struct key *k)
{
	enum typed_end end;

	if (t->quoted || t->pasting) {
		emacs_common_key(t, k);
		return TYPED_GO_ON;
	}
	end = ends(t, k);
	if (end != TYPED_GO_ON || (k->code == KEY_CONTROL && (k->c == '\r' || k->c == '\n')) ||
	    emacs_common_key(t, k))
		return end;
	if (t->vi.state == VI_SEARCH && k->code == KEY_CONTROL && k->c == ESC)
		t->vi.state = VI_COMMAND;
	else if (t->vi.state == VI_REPLACE)
		replace(t, k);
	else if (t->vi.state != VI_COMMAND)
		k->code == KEY_TEXT ? edit_insert(t, k->bytes) : insert_control(t, k);
	else if (t->vi.pending)
		pending_key(t, k);
	else if (k->code == KEY_TEXT)
		command(t, k->c);
	else
		command_control(t, k->c);
	return TYPED_GO_ON;
}
