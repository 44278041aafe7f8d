/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/typed.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

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

static const struct {
	const char *name;
	struct slice keys;
	struct slice want;
} cases[] = {
	{"a line", SLICE_LIT("ls -l\r"), SLICE_LIT("[ls -l]")},
	{"lines of a cooked terminal", SLICE_LIT("a\nb\n"), SLICE_LIT("[a][b]")},
	{"empty lines", SLICE_LIT("\r\r"), SLICE_LIT("[][]")},
	{"a line that is not entered", SLICE_LIT("a\rbc"), SLICE_LIT("[a](bc)")},
	{"nothing", SLICE_LIT(""), SLICE_LIT("")},
	{"DEL", SLICE_LIT("ecoh\177\177\177cho x\r"), SLICE_LIT("[echo x]")},
	{"^H", SLICE_LIT("ab\bc\r"), SLICE_LIT("[ac]")},
	{"DEL at the start", SLICE_LIT("\177\177a\r"), SLICE_LIT("[a]")},
	{"^W", SLICE_LIT("rm -rf  \027x\r"), SLICE_LIT("[rm x]")},
	{"^W at the start", SLICE_LIT("\027a\r"), SLICE_LIT("[a]")},
	{"^U", SLICE_LIT("wrong\025right\r"), SLICE_LIT("[right]")},
	{"^U in the middle", SLICE_LIT("abcd" ESC "[D" ESC "[D\025\r"), SLICE_LIT("[cd]")},
	{"^K", SLICE_LIT("abcd\001\006\013x\r"), SLICE_LIT("[ax]")},
	{"^A and ^E", SLICE_LIT("bc\001a\005d\r"), SLICE_LIT("[abcd]")},
	{"^B", SLICE_LIT("ac\002b\r"), SLICE_LIT("[abc]")},
	{"^B and ^F past the ends", SLICE_LIT("a\002\002\002b\006\006\006c\r"), SLICE_LIT("[bac]")},
	{"^L redraws", SLICE_LIT("a\014b\r"), SLICE_LIT("[ab]")},
	{"arrows", SLICE_LIT("ac" ESC "[Db" ESC "[Cd\r"), SLICE_LIT("[abcd]")},
	{"arrows of application mode", SLICE_LIT("ac" ESC "ODb" ESC "OCd\r"), SLICE_LIT("[abcd]")},
	{"Home and End", SLICE_LIT("b" ESC "[Ha" ESC "[Fc\r"), SLICE_LIT("[abc]")},
	{"Home and End, VT", SLICE_LIT("b" ESC "[1~a" ESC "[4~c\r"), SLICE_LIT("[abc]")},
	{"Delete", SLICE_LIT("abc" ESC "[D" ESC "[3~\r"), SLICE_LIT("[ab]")},
	{"history", SLICE_LIT(ESC "[A" ESC "[A" ESC "[B\r"), SLICE_LIT("[<Up><Up><Down>]")},
	{"a mark is erased as one", SLICE_LIT(ESC "[A\177ls\r"), SLICE_LIT("[ls]")},
	{"completion", SLICE_LIT("cat /et\tpas\t\r"), SLICE_LIT("[cat /et<Tab>pas<Tab>]")},
	{"other control keys", SLICE_LIT("\022ls\032\r"), SLICE_LIT("[^Rls^Z]")},
	{"NUL", SLICE_LIT("a\0b\r"), SLICE_LIT("[a^@b]")},
	{"^C", SLICE_LIT("sleep 1\003ls\r"), SLICE_LIT("[sleep 1^C][ls]")},
	{"^C with the cursor inside", SLICE_LIT("ab\002\003"), SLICE_LIT("[ab^C]")},
	{"^D on an empty line", SLICE_LIT("\004"), SLICE_LIT("[^D]")},
	{"^D erases ahead", SLICE_LIT("abc\002\002\004\r"), SLICE_LIT("[ac]")},
	{"^D at a line's end", SLICE_LIT("abc\004\r"), SLICE_LIT("[abc]")},
	{"pasted text", SLICE_LIT(ESC "[200~echo a\recho b" ESC "[201~\r"),
	 SLICE_LIT("[echo a][echo b]")},
	{"a colour code", SLICE_LIT("a" ESC "[1;31mb\r"), SLICE_LIT("[ab]")},
	{"a meta key", SLICE_LIT("a" ESC "fb\r"), SLICE_LIT("[ab]")},
	{"ESC does not swallow Enter", SLICE_LIT("a" ESC "\rb\r"), SLICE_LIT("[a][b]")},
	{"ESC does not swallow ^C", SLICE_LIT("a" ESC "\003b\r"), SLICE_LIT("[a^C][b]")},
	{"ESC does not swallow an arrow", SLICE_LIT("ac" ESC ESC "[Db\r"), SLICE_LIT("[abc]")},
	{"a broken sequence does not swallow Enter", SLICE_LIT("a" ESC "[1\rb\r"),
	 SLICE_LIT("[a][b]")},
	{"SS3 does not swallow Enter", SLICE_LIT("a" ESC "O\rb\r"), SLICE_LIT("[a][b]")},
	{"ESC at the end", SLICE_LIT("a" ESC), SLICE_LIT("(a)")},
	{"ESC [ at the end", SLICE_LIT("a" ESC "[12"), SLICE_LIT("(a)")},
	{"ESC O at the end", SLICE_LIT("a" ESC "O"), SLICE_LIT("(a)")},
	{"UTF-8", SLICE_LIT("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\r"),
	 SLICE_LIT("[\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80]")},
	{"UTF-8 is erased whole", SLICE_LIT("\xc3\xbc\177\xe2\x82\xac\177\xf0\x9f\x98\x80\177x\r"),
	 SLICE_LIT("[x]")},
	{"bytes that are no UTF-8 stay", SLICE_LIT("\xff\x80\xc3\r"), SLICE_LIT("[\xff\x80\xc3]")},
	{"a cut character", SLICE_LIT("\xe2\x82"), SLICE_LIT("(\xe2\x82)")},
};

static void test_cases(struct typed *t)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct got g;

		buf_init(&g.lines, 4096);
		buf_init(&g.raw, 4096);
		typed_lines(t, cases[i].keys, collect, &g);
		tap_bytes(buf_slice(&g.lines), cases[i].want, "%s", cases[i].name);
		tap_bytes(buf_slice(&g.raw), cases[i].keys, "%s: every key is kept", cases[i].name);
		buf_free(&g.lines);
		buf_free(&g.raw);
	}
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
	typed_lines(t, (struct slice){keys, LONG + 1}, collect, &g);
	tap_int((long long)g.lines.len, TYPED_MAX_LINE + 2, "a line that is too long is cut");
	tap_int((long long)g.raw.len, LONG + 1, "its keys are all there");
	buf_clear(&g.lines);
	for (int i = 0; i < LONG; i += 3)
		memcpy(keys + i, "xy\177", 3);
	typed_lines(t, (struct slice){keys, LONG - 3}, collect, &g);
	tap_int((long long)g.lines.len, TYPED_MAX_LINE - 1 + 2,
		"much erased: the text is the rest");
	buf_free(&g.lines);
	buf_free(&g.raw);
}

int main(void)
{
	struct typed *t = typed_new();

	test_cases(t);
	test_bounds(t);
	typed_free(t);
	typed_free(NULL);
	return tap_done();
}
