/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#define _GNU_SOURCE
#include "config.h"

#include "agent/collector/typed.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "tests/unit/tap.h"
#include "tests/unit/typed_recorded.h"

#define ESC "\033"

struct got {
	struct buf lines; /* "[text]" each, "(text)" when incomplete */
	struct buf raw;
};

static void collect(void *ctx, const struct typed_line *line)
{
	struct got *g = ctx;

	buf_putc(&g->lines, line->complete ? '[' : '(');
	buf_put(&g->lines, line->text);
	buf_putc(&g->lines, line->complete ? ']' : ')');
	buf_put(&g->raw, line->raw);
}

/* By hand: what no recording can show, and what must not happen. */
static const struct {
	const char *name;
	enum typed_editor editor;
	struct slice keys;
	struct slice want;
} cases[] = {
#define R TYPED_READLINE
	{"a line", R, SLICE_LIT("ls -l\r"), SLICE_LIT("[ls -l]")},
	{"empty lines", R, SLICE_LIT("\r\r"), SLICE_LIT("[][]")},
	{"a line that is not entered", R, SLICE_LIT("a\rbc"), SLICE_LIT("[a](bc)")},
	{"nothing", R, SLICE_LIT(""), SLICE_LIT("")},
	{"DEL at the start", R, SLICE_LIT("\177\177a\r"), SLICE_LIT("[a]")},
	{"^B and ^F past the ends", R, SLICE_LIT("a\002\002\002b\006\006\006c\r"),
	 SLICE_LIT("[bac]")},
	{"^L redraws", R, SLICE_LIT("a\014b\r"), SLICE_LIT("[ab]")},
	{"arrows of application mode", R, SLICE_LIT("ac" ESC "ODb" ESC "OCd\r"),
	 SLICE_LIT("[abcd]")},
	{"Home and End, VT", R, SLICE_LIT("b" ESC "[1~a" ESC "[4~c\r"), SLICE_LIT("[abc]")},
	{"history", R, SLICE_LIT(ESC "[A" ESC "[A" ESC "[B\r"), SLICE_LIT("[<Up><Up><Down>]")},
	{"what is erased of a mark is not known", R, SLICE_LIT(ESC "[A\177ls\r"),
	 SLICE_LIT("[<Up><Backspace>ls]")},
	{"a line with a mark is killed whole", R, SLICE_LIT(ESC "[A\025ls\r"), SLICE_LIT("[ls]")},
	{"inside a mark, then at its end", R, SLICE_LIT(ESC "[A" ESC "[D\005x\r"),
	 SLICE_LIT("[<Up><Left>x]")},
	{"kills inside a mark", R, SLICE_LIT(ESC "[A" ESC "[D\025\013\r"),
	 SLICE_LIT("[<Up><Left><^U><^K>]")},
	{"words inside a mark", R, SLICE_LIT("a b\t\027" ESC "d" ESC "b\004x\r"),
	 SLICE_LIT("[a b<Tab><^W><M-b><Delete>x]")},
	{"completion", R, SLICE_LIT("cat /et\tpas\t\r"), SLICE_LIT("[cat /et<Tab>pas<Tab>]")},
	{"a search", R, SLICE_LIT("\022ls\r"), SLICE_LIT("[<^R>ls]")},
	{"a search that is left", R, SLICE_LIT("\022ls" ESC "x\005y\r"),
	 SLICE_LIT("[<^R>ls<M-x>y]")},
	{"a key of a remote shell", R, SLICE_LIT("ls\032\r"), SLICE_LIT("[ls<^Z>]")},
	{"a yank of what an earlier record killed", R, SLICE_LIT("\031\r"), SLICE_LIT("[<^Y>]")},
	{"killed in the line before", R, SLICE_LIT("a b\027\rc \031\r"), SLICE_LIT("[a ][c b]")},
	{"the next line of the history", R, SLICE_LIT(ESC "[A\017x\r"),
	 SLICE_LIT("[<Up>][<Down>x]")},
	{"NUL", R, SLICE_LIT("a\0b\r"), SLICE_LIT("[ab]")},
	{"^C of a remote shell", R, SLICE_LIT("sleep 1\003ls\r"), SLICE_LIT("[sleep 1^C][ls]")},
	{"^C with the cursor inside", R, SLICE_LIT("ab\002\003"), SLICE_LIT("[ab^C]")},
	{"^G in zsh", TYPED_ZSH, SLICE_LIT("ab\007c\n"), SLICE_LIT("[ab^G][c]")},
	{"^D on an empty line", R, SLICE_LIT("\004"), SLICE_LIT("[^D]")},
	{"^D erases ahead", R, SLICE_LIT("abc\002\002\004\r"), SLICE_LIT("[ac]")},
	{"^D at a line's end", R, SLICE_LIT("abc\004\r"), SLICE_LIT("[abc]")},
	{"pasted text", R, SLICE_LIT(ESC "[200~echo a\rx\ty\003" ESC "[D\025" ESC "[201~\177\r"),
	 SLICE_LIT("[echo a\nx\ty^C^[[D]")},
	{"a paste that does not end", R, SLICE_LIT(ESC "[200~echo a\r"), SLICE_LIT("(echo a\n)")},
	{"a paste in vi mode", TYPED_READLINE_VI, SLICE_LIT(ESC "[200~a\r" ESC "b" ESC "[201~c\r"),
	 SLICE_LIT("[a\n^[bc]")},
	{"a colour code", R, SLICE_LIT("a" ESC "[1;31mb\r"), SLICE_LIT("[ab]")},
	{"a meta key nobody knows", R, SLICE_LIT("a" ESC "zb\r"), SLICE_LIT("[a<M-z>b]")},
	{"ESC does not swallow Enter", R, SLICE_LIT("a" ESC "\rb\r"), SLICE_LIT("[a][b]")},
	{"ESC does not swallow ^C", R, SLICE_LIT("a" ESC "\003b\r"), SLICE_LIT("[a^C][b]")},
	{"a broken sequence does not swallow Enter", R, SLICE_LIT("a" ESC "[1\rb\r"),
	 SLICE_LIT("[a][b]")},
	{"SS3 does not swallow Enter", R, SLICE_LIT("a" ESC "O\rb\r"), SLICE_LIT("[a][b]")},
	{"a quoted Enter", R, SLICE_LIT("a\026\rb\r"), SLICE_LIT("[a^Mb]")},
	{"^X does not swallow Enter", R, SLICE_LIT("a\030\rb\r"), SLICE_LIT("[a][b]")},
	{"^X ^E", R, SLICE_LIT("a\030\005\r"), SLICE_LIT("[a<^X^E>]")},
	{"ESC at the end", R, SLICE_LIT("a" ESC), SLICE_LIT("(a)")},
	{"ESC [ at the end", R, SLICE_LIT("a" ESC "[12"), SLICE_LIT("(a)")},
	{"ESC O at the end", R, SLICE_LIT("a" ESC "O"), SLICE_LIT("(a)")},
	{"UTF-8", R, SLICE_LIT("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\r"),
	 SLICE_LIT("[\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80]")},
	{"UTF-8 is erased whole", R,
	 SLICE_LIT("\xc3\xbc\177\xe2\x82\xac\177\xf0\x9f\x98\x80\177x\r"), SLICE_LIT("[x]")},
	{"bytes that are no UTF-8 stay", R, SLICE_LIT("\xff\x80\xc3\r"),
	 SLICE_LIT("[\xff\x80\xc3]")},
	{"a cut character", R, SLICE_LIT("\xe2\x82"), SLICE_LIT("(\xe2\x82)")},
	{"a number without an end", R, SLICE_LIT(ESC "99999999999999x\r"),
	 SLICE_LIT("[xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]")},
	{"the editor is switched", R,
	 SLICE_LIT("set -o vi\rab" ESC "x\rset -o emacs\rab" ESC "x\r"),
	 SLICE_LIT("[set -o vi][a][set -o emacs][ab<M-x>]")},
	{"zsh's too", TYPED_ZSH, SLICE_LIT("bindkey -v\nab" ESC "x\nbindkey -e\na\025b\n"),
	 SLICE_LIT("[bindkey -v][a][bindkey -e][b]")},
	{"vi commands on a line of the history", TYPED_READLINE_VI,
	 SLICE_LIT(ESC "kxdwA!" ESC "0C y\r"), SLICE_LIT("[ y]")},
	{"what they do there is not known", TYPED_READLINE_VI, SLICE_LIT(ESC "kxwrZ" ESC "A!\r"),
	 SLICE_LIT("[<Up><x><w>!]")},
	{"a vi command does not outlive its line", TYPED_ZSH_VI,
	 SLICE_LIT("ab" ESC "d\nx" ESC "f\n"), SLICE_LIT("[ab][x]")},
	{"vi's count without an end", TYPED_READLINE_VI,
	 SLICE_LIT("abc" ESC "0999999999999d9999x\r"), SLICE_LIT("[abc]")},
	{"vi motions without a line", TYPED_READLINE_VI, SLICE_LIT(ESC "hlwbe0$fxxX~Drx;|ix\r"),
	 SLICE_LIT("[x]")},
	{"canonical lines", TYPED_CANONICAL, SLICE_LIT("a\nb\n"), SLICE_LIT("[a][b]")},
	{"nothing is edited there", TYPED_CANONICAL, SLICE_LIT("a\025\177\027\t" ESC "[Ab\r\n"),
	 SLICE_LIT("[a^U^?^W\t^[[Ab^M]")},
	{"^D within a canonical line", TYPED_CANONICAL, SLICE_LIT("par"), SLICE_LIT("(par)")},
	{"keys of a full-screen program", TYPED_KEYS,
	 SLICE_LIT("ihi\r" ESC ":wq\r" ESC "[A" ESC "[5~\t\177\006" ESC "[200~"),
	 SLICE_LIT("[ihi<Enter><Esc>:wq<Enter><Up><PageUp><Tab><Backspace><^F><Paste>]")},
	/* typed into MariaDB's client of Debian 12, which took: select 1; select 'a, b'; and so on
	 */
	{"libedit, recorded", TYPED_EDITLINE,
	 SLICE_LIT("select 1x\177;\nselect 'a\nb';\nleft right" ESC
		   "[D\025select 1 as \n\\c\none two\027three;\na/b\027c;\nexit\n"),
	 SLICE_LIT("[select 1;][select 'a][b';][select 1 as ][\\c][one three;][a/c;][exit]")},
	{"readline in psql, recorded", R,
	 SLICE_LIT("select 1x\177;\rselect 'a\rb';\r" ESC "[A\025\\d\r\\q\r"),
	 SLICE_LIT("[select 1;][select 'a][b';][\\d][\\q]")},
#undef R
};

static void test_cases(struct typed *t)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct got g;

		buf_init(&g.lines, 4096);
		buf_init(&g.raw, 4096);
		typed_lines(t, cases[i].editor, cases[i].keys, collect, &g);
		tap_bytes(buf_slice(&g.lines), cases[i].want, "%s", cases[i].name);
		tap_bytes(buf_slice(&g.raw), cases[i].keys, "%s: every key is kept", cases[i].name);
		buf_free(&g.lines);
		buf_free(&g.raw);
	}
}

/* As a history file: lines that were given up are not in it. */
static void collect_history(void *ctx, const struct typed_line *line)
{
	struct buf *b = ctx;

	if (line->given_up || slice_is(line->text, "^D"))
		return;
	buf_put(b, line->text);
	if (line->complete)
		buf_putc(b, '\n');
}

static void test_recorded(struct typed *t)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded); i++) {
		_cleanup_buf_ struct buf got = {0};
		_cleanup_buf_ struct buf name = {0};

		buf_init(&got, 4096);
		buf_init(&name, 4096);
		escape_terminal(&name, recorded[i].keys);
		typed_lines(t, recorded[i].editor, recorded[i].keys, collect_history, &got);
		tap_bytes(buf_slice(&got),
			  recorded[i].shown.ptr ? recorded[i].shown : recorded[i].got,
			  "recorded, editor %d: %s", recorded[i].editor, buf_cstr(&name));
	}
}

static void collect_shape(void *ctx, const struct typed_line *line)
{
	struct buf *b = ctx;

	buf_put(b, line->shape);
	buf_puts(b, line->marked ? "m" : "");
	buf_puts(b, line->recalled ? "r" : "");
	buf_puts(b, line->given_up ? "g" : "");
	buf_putc(b, ';');
}

static void test_shape(struct typed *t)
{
	_cleanup_buf_ struct buf got = {0};

	buf_init(&got, 4096);
	typed_lines(t, TYPED_READLINE, SLICE_LIT("cat al\t x\r" ESC "[A\177b\ra\003\022l\025x\rb"),
		    collect_shape, &got);
	tap_str(buf_cstr(&got),
		"cat al\x01 xm;\x01\x01"
		"bmr;a^Cg;\x01l\x01xmr;b;",
		"shape, marked, recalled, given up");
}

static void test_editor(void)
{
	static const struct {
		const char *comm;
		struct slice keys;
		enum typed_editor want;
	} of[] = {
		{"bash", SLICE_LIT("ls\rexit\r"), TYPED_READLINE},
		{"-bash", SLICE_LIT("exi"), TYPED_READLINE},
		{"bash", SLICE_LIT("answer\n"), TYPED_CANONICAL}, /* its read builtin */
		{"zsh", SLICE_LIT("ls\n"), TYPED_ZSH},
		{"mysql", SLICE_LIT("use x\n"), TYPED_EDITLINE},
		{"cat", SLICE_LIT("a\177\n"), TYPED_CANONICAL},
		{"cat", SLICE_LIT("par"), TYPED_CANONICAL},
		{"dash", SLICE_LIT("ls\n"), TYPED_CANONICAL},
		{"psql", SLICE_LIT("select 1;\r"), TYPED_READLINE},
		{"python3.11", SLICE_LIT("pri"), TYPED_READLINE},
		{"ssh", SLICE_LIT("l"), TYPED_READLINE},
		{"tmux: client", SLICE_LIT("ls"), TYPED_READLINE},
		{"vim", SLICE_LIT("ihi\r"), TYPED_KEYS},
		{"less", SLICE_LIT("q\n"), TYPED_KEYS},
		{"nobody", SLICE_LIT("ls\r"), TYPED_READLINE},
		{"nobody", SLICE_LIT("l\177s"), TYPED_READLINE},
		{"nobody", SLICE_LIT("a\nb\n"), TYPED_CANONICAL},
		{"", SLICE_LIT(""), TYPED_CANONICAL},
	};

	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		tap_int(typed_editor_of(slice_of(of[i].comm), of[i].keys), of[i].want,
			"editor %zu: %s", i, of[i].comm);
	tap_int(typed_switch(TYPED_READLINE, SLICE_LIT(" set -o vi ")), TYPED_READLINE_VI,
		"a switch");
	tap_int(typed_switch(TYPED_READLINE, SLICE_LIT("bindkey -v")), TYPED_READLINE,
		"a switch of another shell");
	tap_int(typed_switch(TYPED_CANONICAL, SLICE_LIT("set -o vi")), TYPED_CANONICAL,
		"no switch where nothing is edited");
}

/* Of the lines that were really typed: few of emacs mode are taken for vi's, and most of vi's that
 * have a command are known by themselves. One known line is enough for all of the record. */
static void test_looks_vi(void)
{
	size_t wrong = 0, known = 0, escaped = 0;

	for (size_t i = 0; i < ARRAY_LEN(recorded); i++) {
		bool vi = recorded[i].editor == TYPED_READLINE_VI ||
			  recorded[i].editor == TYPED_ZSH_VI;
		struct slice k = recorded[i].keys;

		if (!vi)
			wrong += typed_looks_vi(k);
		else if (memmem(k.ptr, k.len, ESC, 1) && !memmem(k.ptr, k.len, ESC "[", 2))
			escaped++, known += typed_looks_vi(k);
	}
	tap_int((long long)wrong, 6, "of emacs keys only M-5 x, M-3 x and M-r do, in both shells");
	tap_ok(known * 10 >= escaped * 7, "%zu of %zu vi lines look like vi's", known, escaped);
	tap_ok(!typed_looks_vi(SLICE_LIT("")), "nothing looks like nothing");
	tap_ok(!typed_looks_vi(SLICE_LIT("ls" ESC "xb\001\005\r")), "emacs keys outvote one");
	tap_ok(typed_looks_vi(SLICE_LIT("ls" ESC "\rcat" ESC "0\r")), "one in many lines");
}

static void test_bounds(struct typed *t)
{
	enum { LONG = 3 * TYPED_MAX_LINE };
	_cleanup_free_ char *keys = malloc(LONG + 1);
	struct got g;

	buf_init(&g.lines, 1 << 20);
	buf_init(&g.raw, 1 << 20);
	memset(keys, 'x', LONG);
	keys[LONG] = '\r';
	typed_lines(t, TYPED_READLINE, (struct slice){keys, LONG + 1}, collect, &g);
	tap_int((long long)g.lines.len, TYPED_MAX_LINE + 2, "a line that is too long is cut");
	tap_int((long long)g.raw.len, LONG + 1, "its keys are all there");
	buf_clear(&g.lines);
	for (int i = 0; i < LONG; i += 3)
		memcpy(keys + i, "xy\177", 3);
	typed_lines(t, TYPED_READLINE, (struct slice){keys, LONG - 3}, collect, &g);
	tap_int((long long)g.lines.len, TYPED_MAX_LINE - 1 + 2,
		"much erased: the text is the rest");
	buf_free(&g.lines);
	buf_free(&g.raw);
}

/* ^U of zsh's vi keys erases back to where inserting began: not when the cursor is before that. */
static void test_before_insert(struct typed *t)
{
	struct got g;

	buf_init(&g.lines, 1 << 20);
	buf_init(&g.raw, 1 << 20);
	typed_lines(t, TYPED_ZSH_VI, SLICE_LIT("abcdef" ESC "A" ESC "[H\t" ESC "[D\025\rid\r"),
		    collect, &g);
	tap_bytes(buf_slice(&g.lines), SLICE_LIT("[<Tab><Left><^U>abcdef][id]"),
		  "^U before where inserting began");
	buf_free(&g.lines);
	buf_free(&g.raw);
}

/* Few keys that write many bytes: what of them is in no line any more must not use up the room of
 * what is typed after them. */
static void test_changed_often(struct typed *t)
{
	static const struct {
		const char *name;
		enum typed_editor editor;
		const char *first, *again; /* first: a line of 8192 letters */
	} keys[] = {
#define LETTERS ESC "9" ESC "9a\025" ESC "9" ESC "9\031"
		{"M-u", TYPED_READLINE, LETTERS, "\001" ESC "u\001" ESC "l"},
		{"many marks", TYPED_READLINE, LETTERS, ESC "9" ESC "9\t" ESC "9" ESC "9\025"},
		{"vi's ~", TYPED_READLINE_VI, "abcdefgh" ESC, "099~"},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		_cleanup_buf_ struct buf all = {0};
		struct got g;

		buf_init(&all, 1 << 20);
		buf_init(&g.lines, 1 << 20);
		buf_init(&g.raw, 1 << 20);
		buf_puts(&all, keys[i].first);
		while (all.len < 20000)
			buf_puts(&all, keys[i].again);
		buf_puts(&all, "\rid\r");
		typed_lines(t, keys[i].editor, buf_slice(&all), collect, &g);
		tap_ok(slice_ends(buf_slice(&g.lines), "][id]"),
		       "%s over and over: the next line is there", keys[i].name);
		tap_bytes(buf_slice(&g.raw), buf_slice(&all), "... and every key");
		buf_free(&g.lines);
		buf_free(&g.raw);
	}
}

int main(void)
{
	struct typed *t = typed_new();

	test_cases(t);
	test_recorded(t);
	test_shape(t);
	test_editor();
	test_looks_vi();
	test_bounds(t);
	test_changed_often(t);
	test_before_insert(t);
	typed_free(t);
	typed_free(NULL);
	return tap_done();
}
