/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "agent/collector/join.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define SHELL 100

static void test_hash(void)
{
	tap_int(join_hash(SLICE_NONE), 0, "no name");
	tap_int(join_hash(SLICE_LIT("")), 0, "empty name");
	tap_ok(join_hash(SLICE_LIT("ls")) != 0, "a name is never 0");
	tap_int(join_hash(SLICE_LIT("/usr/bin/ls")), join_hash(SLICE_LIT("ls")), "base name");
	tap_int(join_hash(SLICE_LIT("-bash")), join_hash(SLICE_LIT("bash")), "login shell");
	tap_int(join_hash(SLICE_LIT("/bin/-bash")), join_hash(SLICE_LIT("bash")),
		"login shell with path");
	tap_ok(join_hash(SLICE_LIT("-")) != 0, "a lone dash is a name");
	tap_ok(join_hash(SLICE_LIT("ls")) != join_hash(SLICE_LIT("sl")), "order matters");
}

/* Which of the words of `want` the line's commands are, by hash; then loops, unknown, builtins,
 * complex. */
static void test_commands(void)
{
	static const struct {
		const char *name, *line, *want, *flags;
	} cases[] = {
		{"one", "ls -l /etc", "ls", ""},
		{"path", "/bin/ls x", "ls", ""},
		{"nothing", "", "", "b"},
		{"blanks", "  \t ", "", "b"},
		{"a comment", "# ls", "", "b"},
		{"a comment behind", "ls # cat", "ls", ""},
		{"pipe", "ls | cat|wc -l", "ls cat wc", ""},
		{"lists", "ls; cat && wc || id & date", "ls cat wc id date", ""},
		{"quotes", "'ls' \"-l\"; l\\s; \"ca\"t", "ls ls cat", ""},
		{"separators in quotes", "ls 'a;cat' \"b|wc\"", "ls", ""},
		{"assignments", "A=1 B='x y' ls", "ls", ""},
		{"assignment alone", "A=1", "", "b"},
		{"a quoted one is a command", "'A=1' ls", "A=1", ""},
		{"redirections", "ls >out 2>&1 <in; >f cat", "ls cat", ""},
		{"heredoc and clobber", "cat <<EOF; ls >|f", "cat ls", ""},
		{"words before commands", "time sudo ls; if ls; then cat; fi", "sudo ls cat fi",
		 ""},
		{"exec", "exec bash", "bash", "c"},
		{"subshell", "(ls; cat)", "ls cat", "c"},
		{"substitution", "echo $(id)", "echo id", "c"},
		{"backquotes", "ls `x`", "ls", "c"},
		{"braces", "{ ls; }", "ls }", "c"},
		{"for", "for i in 1 2; do ls; done", "for ls done", "l"},
		{"while", "while ls; do cat; done", "ls cat done", "l"},
		{"until", "until ls; do cat; done", "ls cat done", "l"},
		{"loop word as an argument", "printenv for", "printenv", ""},
		{"a quoted loop word is a command", "'while' x", "while", ""},
		{"an unfinished quote", "ls 'a; cat", "ls", ""},
		{"a backslash at the end", "ls \\", "ls", ""},
		{"lines of a paste", "ls\ncat", "ls cat", ""},
		{"the shell's own", "cd /; export A=1 && [ x ]; history", "cd export [ history",
		 "b"},
		{"the shell's own and another", "cd / && ls", "cd ls", ""},
		{"a path is not the shell's own", "/bin/echo x", "echo", ""},
		{"a mark for a command", "\001 x; ls\001; cat \001", "cat", "u"},
		{"a mark for an argument", "ls \001", "ls", ""},
		{"history expansion", "!! x", "!!", "c"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *want = strdup(cases[i].want);
		char *save = NULL, *word = strtok_r(want, " ", &save), flags[5];
		struct join_commands got;
		bool same = true;
		size_t k;

		join_parse(slice_of(cases[i].line), &got);
		for (k = 0; k < got.n && word; k++, word = strtok_r(NULL, " ", &save))
			same &= got.names[k] == join_hash(slice_of(word));
		tap_ok(same && k == got.n && !word, "commands: %s", cases[i].name);
		snprintf(flags, sizeof(flags), "%s%s%s%s", got.loops ? "l" : "",
			 got.unknown ? "u" : "", got.builtins ? "b" : "", got.complex ? "c" : "");
		tap_str(flags, cases[i].flags, "commands: %s: flags", cases[i].name);
	}
}

static void test_commands_bounds(void)
{
	_cleanup_free_ char *line = malloc(100000);
	struct join_commands got;

	for (size_t i = 0; i < 100000; i++)
		line[i] = i % 2 ? ';' : 'a';
	join_parse((struct slice){line, 100000}, &got);
	tap_int((long long)got.n, JOIN_MAX_NAMES, "no more than there is room for");
	memset(line, 'x', 100000);
	join_parse((struct slice){line, 100000}, &got);
	tap_int((long long)got.n, 1, "a long word");
	join_parse(SLICE_NONE, &got);
	tap_int((long long)got.n, 0, "no line");
}

/* "name arg ..." ran as the seq-th entry, a second after the one before; '+' before it: of another
 * process; '&': at once after the one before. */
static void ran(struct join *j, uint64_t seq, const char *text)
{
	int64_t ppid = *text == '+' ? SHELL + 1 : SHELL;
	int64_t time_ms = (int64_t)seq * 1000 - (*text == '&' ? 950 : 0);
	struct slice rest, names[3] = {SLICE_NONE, SLICE_NONE, SLICE_NONE};

	text += *text == '+' || *text == '&';
	rest = slice_of(text);
	names[0] = slice_cut(&rest, ' ');
	join_add(j, seq, time_ms, 200 + (int64_t)seq, ppid, names, slice_of(text));
}

/* Execs 1, 2, ...; lines one after the other, '~' stands for a mark. want: the seqs of each line,
 * "=" and the command line where it is taken by order; behind "|" those that no line led to. */
static void test_lines(void)
{
	static const struct {
		const char *name;
		const char *execs[8], *lines[7], *want;
	} cases[] = {
		{"one", {"/bin/ls"}, {"ls"}, "1;|"},
		{"two lines of the same", {"ls", "ls"}, {"ls", "ls"}, "1;2;|"},
		{"a builtin between", {"ls", "cat"}, {"ls", "cd /", "cat"}, "1;;2;|"},
		{"typed, never executed", {"ls"}, {"nosuch x", "ls"}, ";1;|"},
		{"executed, never typed", {"hidden", "ls"}, {"ls"}, "2;|1"},
		{"a pipeline in another order", {"wc", "ls"}, {"ls | wc"}, "1,2;|"},
		{"a pipeline, then one of it again",
		 {"ls", "wc", "ls"},
		 {"ls | wc", "ls"},
		 "1,2;3;|"},
		{"children of others", {"+ls", "ls"}, {"ls"}, "2;|"},
		{"a loop",
		 {"ls", "ls", "ls", "cat"},
		 {"for i in 1 2 3; do ls; done", "cat"},
		 "1,2,3;4;|"},
		{"a loop, then its program",
		 {"ls", "ls", "ls"},
		 {"for i in 1 2; do ls; done", "ls"},
		 "1,2;3;|"},
		{"a loop over lines",
		 {"ls", "ls", "cat"},
		 {"for i in 1 2", "do ls", "done", "cat"},
		 ";1,2;;3;|"},
		{"never backwards", {"ls", "cat"}, {"cat", "ls"}, ";1;|2"},
		{"a line of words only", {"ls"}, {"hello world", "", "ls"}, ";;1;|"},
		{"one program twice in a line", {"ls", "ls", "ls"}, {"ls; ls", "ls"}, "1,2;3;|"},
		{"given up", {"ls"}, {"ls^C", "ls"}, ";1;|"},
		{"history between what is named",
		 {"ls -l", "ls -l", "cat x"},
		 {"ls -l", "~", "cat x"},
		 "1;2=ls -l;3;|"},
		{"history of the same name after it",
		 {"ls", "ls", "ls"},
		 {"ls", "~", "ls"},
		 "1;2=ls;3;|"},
		{"history that brought a builtin", {"ls", "cat"}, {"ls", "~", "cat"}, "1;;2;|"},
		{"history that brought a pipeline",
		 {"ls", "cat a b", "&wc -l", "id"},
		 {"ls", "~", "id"},
		 "1;2,3=cat a b; wc -l;4;|"},
		{"two of the history", {"ls", "id", "cat"}, {"~", "~", "cat"}, "1=ls;2=id;3;|"},
		{"a completed name", {"lsblk -a", "id"}, {"ls~ -a", "id"}, "1=lsblk -a;2;|"},
		{"a completed argument", {"cat alpha.txt"}, {"cat al~"}, "1;|"},
		{"an alias keeps its arguments",
		 {"ls -l --color=auto /etc", "id"},
		 {"ll /etc", "id"},
		 "1=ls -l --color=auto /etc;2;|"},
		{"an alias without any", {"git status"}, {"gs"}, "1=git status;|"},
		{"an alias begins alike", {"curl x", "git status"}, {"gs"}, "2=git status;|1"},
		{"what has other arguments is none", {"rm -rf /etc"}, {"ll /usr"}, ";|1"},
		{"the shell's own command ran nothing", {"evil"}, {"cd /", "export A"}, ";;|1"},
		{"what ^C gave up stands before", {"ls -l"}, {"sleep 1ls -l"}, "1=ls -l;|"},
		{"the arguments choose", {"cat b", "cat a"}, {"cat a"}, "2;|1"},
		{"nothing ran", {NULL}, {"ls", "~"}, ";;|"},
		{"nothing was typed", {"ls"}, {NULL}, "|1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct join_store *st = join_store_new();
		struct join_cursor c = {0, 500};
		struct join_line lines[8] = {0};
		struct join_result r;
		struct join j;
		char shapes[8][64];
		_cleanup_buf_ struct buf got = {0}, text = {0};
		size_t n = 0;

		join_init(&j, st);
		buf_init(&got, 1024);
		buf_init(&text, JOIN_MAX_TEXT);
		for (size_t k = 0; k < ARRAY_LEN(cases[i].execs) && cases[i].execs[k]; k++)
			ran(&j, k + 1, cases[i].execs[k]);
		for (; n < ARRAY_LEN(cases[i].lines) && cases[i].lines[n]; n++) {
			char *p = shapes[n];

			snprintf(p, sizeof(shapes[n]), "%s", cases[i].lines[n]);
			lines[n].text = slice_of(cases[i].lines[n]);
			lines[n].given_up = slice_ends(lines[n].text, "^C");
			while ((p = strchr(p, '~')))
				*p = '\001';
			lines[n].shape = slice_of(shapes[n]);
		}
		tap_ok(join_lines(&j, SHELL, lines, n, &c, 0, &r) && r.whole, "line: %s: found",
		       cases[i].name);
		for (size_t k = 0; k < n; k++) {
			for (size_t m = 0; m < lines[k].n_ran; m++)
				buf_printf(&got, "%s%llu", m ? "," : "",
					   (unsigned long long)lines[k].ran[m]);
			if (lines[k].by_order && join_resolve(&j, &r, &lines[k], &text)) {
				buf_putc(&got, '=');
				buf_put(&got, buf_slice(&text));
			}
			buf_putc(&got, ';');
		}
		buf_putc(&got, '|');
		for (size_t k = 0; k < r.n; k++)
			if (!r.taken[k])
				buf_printf(&got, "%llu", (unsigned long long)r.execs[k]->seq);
		tap_str(buf_cstr(&got), cases[i].want, "line: %s", cases[i].name);
		join_result_free(&r);
		join_free(&j);
		join_store_free(st);
	}
}

static struct join_line line_of(const char *text)
{
	return (struct join_line){.text = slice_of(text), .shape = slice_of(text)};
}

static void test_cursor(void)
{
	struct join_store *st = join_store_new();
	struct join_line lines[2] = {line_of("ls"), line_of("nosuch -x")};
	struct join_cursor c = {1, 500};
	struct join_result r;
	struct join j;

	join_init(&j, st);
	ran(&j, 1, "ls");
	ran(&j, 2, "ls");
	join_lines(&j, SHELL, lines, 2, &c, 0, &r);
	tap_ok(r.n == 1 && lines[0].n_ran == 1 && lines[0].ran[0] == 2,
	       "what is before is not seen");
	tap_ok(lines[0].first_ms == 2000 && lines[0].last_ms == 2000, "when it ran");
	tap_ok(lines[1].first_ms == 0 && lines[1].kind == JOIN_PROGRAM,
	       "what ran nothing has no time");
	join_result_free(&r);
	lines[0] = (struct join_line){.text = SLICE_LIT("x"), .shape = SLICE_LIT("\001")};
	join_lines(&j, SHELL, lines, 1, &c, 5000, &r);
	tap_int((long long)lines[0].n_ran, 0, "before the shell has settled only names count");
	tap_int(lines[0].kind, JOIN_NONE, "a line that is not known says nothing of what ran");
	join_result_free(&r);
	lines[0] = line_of("cd /; set -x");
	join_lines(&j, SHELL, lines, 1, &c, 0, &r);
	tap_int(lines[0].kind, JOIN_BUILTIN, "the shell's own commands");
	join_result_free(&r);
	join_free(&j);
	join_store_free(st);
}

static void test_many(void)
{
	enum { LINES = 3000 };
	struct join_store *st = join_store_new();
	_cleanup_free_ struct join_line *lines = calloc(LINES, sizeof(*lines));
	struct join_cursor c = {0, 0};
	struct join_result r;
	struct join j;
	size_t found = 0;

	join_init(&j, st);
	for (uint64_t s = 1; s <= JOIN_MAX_EXECS; s++)
		ran(&j, s, s % 2 ? "ls" : "cat");
	for (size_t i = 0; i < LINES; i++) /* every 6th line ran */
		lines[i] = line_of(i % 6 ? "cd /" : i % 12 ? "cat" : "ls");
	tap_ok(join_lines(&j, SHELL, lines, LINES, &c, 0, &r), "more lines than are laid at once");
	for (size_t i = 0; i < LINES; i++)
		found += lines[i].n_ran;
	tap_int((long long)found, LINES / 6, "all have what they ran");
	tap_int((long long)lines[LINES - 6].ran[0], LINES / 6, "the last one too");
	join_result_free(&r);
	join_free(&j);
	join_store_free(st);
}

static void test_ring(void)
{
	struct join_store *st = join_store_new();
	struct join_line line = line_of("old -x");
	struct join_cursor c = {0, 0};
	struct join_result r;
	struct join j;

	join_init(&j, st);
	for (uint64_t s = 1; s <= JOIN_MAX_EXECS + 3; s++)
		ran(&j, s, s <= 3 ? "old" : "ls");
	tap_int((long long)j.len, JOIN_MAX_EXECS, "the ring has its bound");
	tap_int((long long)j.dropped, 3, "what was forgotten is known");
	join_lines(&j, SHELL, &line, 1, &c, 0, &r);
	tap_ok(line.n_ran == 0 && !r.whole, "the oldest are forgotten, and it is said");
	join_result_free(&r);
	c.after_seq = 3;
	line = line_of("ls");
	join_lines(&j, SHELL, &line, 1, &c, 0, &r);
	tap_ok(r.whole && line.n_ran == 1 && line.ran[0] == 4,
	       "the others are known, in their order");
	join_result_free(&r);
	join_free(&j);
	tap_ok(j.cap == 0 && j.store == st, "nothing is known after join_free");
	join_store_free(st);
}

/* All sessions together stay within the bound, and each has its own small part. */
static void test_budget(void)
{
	enum { SESSIONS = 200 };
	struct join_store *st = join_store_new();
	static struct join all[SESSIONS];
	size_t cap = 0, least = SIZE_MAX;

	for (size_t i = 0; i < SESSIONS; i++)
		join_init(&all[i], st);
	for (uint64_t s = 1; s <= JOIN_MAX_EXECS; s++)
		for (size_t i = 0; i < SESSIONS; i++)
			ran(&all[i], s, "ls -l /some/where");
	for (size_t i = 0; i < SESSIONS; i++) {
		cap += all[i].cap;
		least = all[i].cap < least ? all[i].cap : least;
	}
	tap_ok(cap <= JOIN_ALL_EXECS, "%zu execs remembered over all", cap);
	tap_ok(least >= 8, "%zu at least by each", least);
	for (size_t i = 0; i < SESSIONS; i++)
		join_free(&all[i]);
	for (uint64_t s = 1; s <= JOIN_MAX_EXECS; s++)
		ran(&all[0], s, "ls");
	tap_int((long long)all[0].len, JOIN_MAX_EXECS, "what is freed can be had again");
	join_free(&all[0]);
	join_store_free(st);
}

static void test_texts(void)
{
	struct join_store *st = join_store_new();
	struct join_cursor c = {0, 0};
	struct join_line lines[2];
	_cleanup_buf_ struct buf text = {0};
	_cleanup_free_ char *fill = malloc(JOIN_MAX_TEXT + 10);
	struct join_result r;
	struct join one, other;

	buf_init(&text, JOIN_MAX_TEXT);
	memset(fill, 'x', JOIN_MAX_TEXT + 9);
	fill[JOIN_MAX_TEXT + 9] = '\0';
	join_init(&one, st);
	join_init(&other, st);
	ran(&one, 1, "ls -l");
	for (uint64_t s = 1; s <= JOIN_TEXTS / JOIN_MAX_TEXT - 1; s++)
		ran(&other, s, fill);
	lines[0] = line_of("ls -l");
	join_lines(&one, SHELL, lines, 1, &c, 0, &r);
	tap_ok(join_resolve(&one, &r, &lines[0], &text) && slice_is(buf_slice(&text), "ls -l"),
	       "a text is there while there is room");
	ran(&other, 1000, fill);
	ran(&other, 1001, fill);
	tap_ok(!join_resolve(&one, &r, &lines[0], &text), "the oldest makes room");
	join_result_free(&r);
	lines[0] = line_of(fill);
	c.after_seq = 1000;
	join_lines(&other, SHELL, lines, 1, &c, 0, &r);
	tap_ok(join_resolve(&other, &r, &lines[0], &text) && text.len == JOIN_MAX_TEXT,
	       "a long one is cut");
	join_result_free(&r);
	join_free(&one);
	join_free(&other);
	join_store_free(st);
}

/* A shell that has no table of programs tries the directories of PATH, in the child. */
static void test_tries(void)
{
	static const struct slice names[3] = {SLICE_LIT("ls"), SLICE_NONE, SLICE_NONE};
	struct join_store *st = join_store_new();
	struct join_cursor c = {0, 0};
	struct join_line line = line_of("ls | wc");
	struct join_result r;
	struct join j;

	join_init(&j, st);
	join_add(&j, 1, 1000, 300, SHELL, names, SLICE_LIT("ls"));
	ran(&j, 2, "wc");
	join_add(&j, 3, 1001, 300, SHELL, names, SLICE_LIT("ls"));
	join_add(&j, 4, 1002, 300, SHELL + 1, names, SLICE_LIT("ls"));
	tap_ok(join_lines(&j, SHELL, &line, 1, &c, 0, &r) && r.n == 2, "a process counts once");
	tap_ok(line.n_ran == 2 && line.ran[0] == 3 && line.ran[1] == 2, "its last try is what ran");
	join_result_free(&r);
	join_free(&j);
	join_store_free(st);
}

/* As many execs and lines as there may be at once, in a loop that never ends: the collector must
 * not stand still for it. */
static void test_time(void)
{
	enum { LINES = 380 };
	struct slice names[3] = {SLICE_LIT("x"), SLICE_LIT("x"), SLICE_LIT("/bin/x")};
	struct join_store *st = join_store_new();
	struct join_line lines[LINES];
	struct join_cursor all = {0};
	struct join_result r;
	clock_t begun;
	struct join j;

	join_init(&j, st);
	for (int i = 0; i < JOIN_MAX_EXECS; i++)
		join_add(&j, (uint64_t)i + 1, 1000 + i, 1000 + i, SHELL, names, SLICE_LIT("x"));
	for (size_t i = 0; i < LINES; i++) {
		struct slice text = i == 0 ? SLICE_LIT("for i in 1 2; do x")
					   : SLICE_LIT("q;q;q;q;q;q;q;q;q;q;q;q;q;q;q;x");

		lines[i] = (struct join_line){.text = text, .shape = text};
	}
	begun = clock();
	tap_ok(join_lines(&j, SHELL, lines, LINES, &all, 0, &r), "a loop over many lines");
	begun = clock() - begun;
	tap_ok(begun < CLOCKS_PER_SEC / 2, "... takes %.3f s", (double)begun / CLOCKS_PER_SEC);
	join_result_free(&r);
	join_free(&j);
	join_store_free(st);
}

static void test_quote(void)
{
	static const struct {
		const char *argv[4], *want;
	} cases[] = {
		{{"ls", "-l", "/etc"}, "ls -l /etc"},
		{{"echo", "a b", ""}, "echo 'a b' ''"},
		{{"echo", "it's", "$x"}, "echo 'it'\\''s' '$x'"},
		{{"echo", "\xc3\xbc", "a\nb"}, "echo \xc3\xbc 'a\nb'"},
		{{NULL}, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf got = {0};
		struct slice argv[4];
		size_t n = 0;

		buf_init(&got, 16 * JOIN_MAX_TEXT);
		for (; n < 4 && cases[i].argv[n]; n++)
			argv[n] = slice_of(cases[i].argv[n]);
		join_quote(&got, argv, n);
		tap_str(buf_cstr(&got), cases[i].want, "quote %zu", i);
	}
}

int main(void)
{
	test_hash();
	test_commands();
	test_commands_bounds();
	test_lines();
	test_cursor();
	test_many();
	test_ring();
	test_budget();
	test_texts();
	test_tries();
	test_quote();
	test_time();
	return tap_done();
}
