/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

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

/* Which of the words of `among` the line's commands are, by hash. */
static void test_commands(void)
{
	static const struct {
		const char *name, *line, *want;
		bool loops;
	} cases[] = {
		{"one", "ls -l /etc", "ls", false},
		{"path", "/bin/ls x", "ls", false},
		{"nothing", "", "", false},
		{"blanks", "  \t ", "", false},
		{"a comment", "# ls", "", false},
		{"a comment behind", "ls # cat", "ls", false},
		{"pipe", "ls | cat|wc -l", "ls cat wc", false},
		{"lists", "ls; cat && wc || id & date", "ls cat wc id date", false},
		{"quotes", "'ls' \"-l\"; l\\s; \"ca\"t", "ls ls cat", false},
		{"separators in quotes", "ls 'a;cat' \"b|wc\"", "ls", false},
		{"assignments", "A=1 B='x y' ls", "ls", false},
		{"assignment alone", "A=1", "", false},
		{"a quoted one is a command", "'A=1' ls", "A=1", false},
		{"redirections", "ls >out 2>&1 <in; >f cat", "ls cat", false},
		{"heredoc and clobber", "cat <<EOF; ls >|f", "cat ls", false},
		{"words before commands", "time ! sudo ls; if ls; then cat; fi", "sudo ls cat fi",
		 false},
		{"exec", "exec bash", "bash", false},
		{"subshell", "(ls; cat)", "ls cat", false},
		{"substitution", "echo $(id)", "echo id", false},
		{"braces", "{ ls; }", "ls }", false},
		{"for", "for i in 1 2; do ls; done", "for ls done", true},
		{"while", "while ls; do cat; done", "ls cat done", true},
		{"until", "until ls; do cat; done", "ls cat done", true},
		{"loop word as an argument", "echo for", "echo", false},
		{"a quoted loop word is a command", "'while' x", "while", false},
		{"an unfinished quote", "ls 'a; cat", "ls", false},
		{"a backslash at the end", "ls \\", "ls", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t got[JOIN_MAX_NAMES];
		_cleanup_free_ char *want = strdup(cases[i].want);
		char *save = NULL, *word = strtok_r(want, " ", &save);
		bool loops = !cases[i].loops, same = true;
		size_t n = join_commands(slice_of(cases[i].line), got, JOIN_MAX_NAMES, &loops), k;

		for (k = 0; k < n && word; k++, word = strtok_r(NULL, " ", &save))
			same &= got[k] == join_hash(slice_of(word));
		tap_ok(same && k == n && !word, "commands: %s", cases[i].name);
		tap_int(loops, cases[i].loops, "commands: %s: loops", cases[i].name);
	}
}

static void test_commands_bounds(void)
{
	uint32_t got[3] = {0, 0, 7};
	_cleanup_free_ char *line = malloc(100000);
	bool loops;

	tap_int((long long)join_commands(SLICE_LIT("a;b;c;d"), got, 2, &loops), 2,
		"no more than max");
	tap_int(got[2], 7, "and nothing beyond it");
	memset(line, 'x', 100000);
	tap_int((long long)join_commands((struct slice){line, 100000}, got, 3, &loops), 1,
		"a long word");
	tap_int((long long)join_commands(SLICE_NONE, got, 3, &loops), 0, "no line");
}

static void ran(struct join *j, uint64_t seq, int64_t ppid, const char *name)
{
	const struct slice names[3] = {slice_of(name), SLICE_NONE, SLICE_NONE};

	join_add(j, seq, (int64_t)seq * 1000, 200 + (int64_t)seq, ppid, names);
}

/* Execs 1, 2, ... of the shell (a name that starts with '+' is another process's child); lines one
 * after the other; want: the seqs of each line. */
static void test_lines(void)
{
	static const struct {
		const char *name;
		const char *execs[8], *lines[6], *want;
	} cases[] = {
		{"one", {"/bin/ls"}, {"ls"}, "1;"},
		{"two lines of the same", {"ls", "ls"}, {"ls", "ls"}, "1;2;"},
		{"a builtin between", {"ls", "cat"}, {"ls", "cd /", "cat"}, "1;;2;"},
		{"typed, never executed", {"ls"}, {"nosuch", "ls"}, ";1;"},
		{"executed, never typed", {"hidden", "ls"}, {"ls"}, "2;"},
		{"a pipeline in another order", {"wc", "ls"}, {"ls | wc"}, "1,2;"},
		{"a pipeline, then one of it again",
		 {"ls", "wc", "ls"},
		 {"ls | wc", "ls"},
		 "1,2;3;"},
		{"children of others", {"+ls", "ls"}, {"ls"}, "2;"},
		{"a loop",
		 {"ls", "ls", "ls", "cat"},
		 {"for i in 1 2 3; do ls; done", "cat"},
		 "1,2,3;4;"},
		{"never backwards", {"ls", "cat"}, {"cat", "ls"}, "2;;"},
		{"a line of words only", {"ls"}, {"hello world", "", "ls"}, ";;1;"},
		{"one program twice in a line", {"ls", "ls", "ls"}, {"ls; ls", "ls"}, "1,2;3;"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct join j = {0};
		struct join_cursor c = {0, 500};
		_cleanup_buf_ struct buf got = {0};

		buf_init(&got, 1024);
		for (size_t k = 0; k < ARRAY_LEN(cases[i].execs) && cases[i].execs[k]; k++) {
			const char *name = cases[i].execs[k];

			ran(&j, k + 1, *name == '+' ? SHELL + 1 : SHELL,
			    *name == '+' ? name + 1 : name);
		}
		for (size_t k = 0; k < ARRAY_LEN(cases[i].lines) && cases[i].lines[k]; k++) {
			uint64_t seqs[4];
			size_t n = join_line(&j, SHELL, slice_of(cases[i].lines[k]), &c, seqs, 4);

			for (size_t m = 0; m < n; m++)
				buf_printf(&got, "%s%llu", m ? "," : "",
					   (unsigned long long)seqs[m]);
			buf_putc(&got, ';');
		}
		tap_str(buf_cstr(&got), cases[i].want, "line: %s", cases[i].name);
		join_free(&j);
	}
}

static void test_cursor(void)
{
	struct join j = {0};
	struct join_cursor c = {0, 500};
	uint64_t seqs[2];

	ran(&j, 1, SHELL, "ls");
	ran(&j, 2, SHELL, "ls");
	ran(&j, 3, SHELL, "ls");
	join_line(&j, SHELL, SLICE_LIT("nosuch"), &c, seqs, 2);
	tap_ok(c.after_seq == 0 && c.after_ms == 500, "a line that ran nothing leaves the cursor");
	tap_int((long long)join_line(&j, SHELL, SLICE_LIT("for i in 1 2 3; do ls; done"), &c, seqs,
				     2),
		2, "no more than max");
	tap_ok(c.after_seq == 2 && c.after_ms == 2000, "the cursor stands at the last one");
	join_free(&j);
}

static void test_program(void)
{
	struct join j = {0};

	ran(&j, 1, SHELL, "sh");
	join_add(&j, 2, 9000, 201, SHELL,
		 (const struct slice[3]){SLICE_LIT("id"), SLICE_NONE, SLICE_NONE});
	tap_int((long long)join_program(&j, 201)->seq, 2, "the latest exec of a process");
	tap_ok(!join_program(&j, 77), "a process nobody knows");
	join_free(&j);
	tap_ok(!join_program(&j, 201), "nothing is known after join_free");
}

static void test_ring(void)
{
	struct join j = {0};
	struct join_cursor c = {0, 0};
	uint64_t seqs[1];

	for (uint64_t s = 1; s <= JOIN_MAX_EXECS + 3; s++)
		ran(&j, s, SHELL, s <= 3 ? "old" : "ls");
	tap_int((long long)j.len, JOIN_MAX_EXECS, "the ring has its bound");
	tap_int((long long)join_line(&j, SHELL, SLICE_LIT("old"), &c, seqs, 1), 0,
		"the oldest are forgotten");
	tap_int((long long)join_line(&j, SHELL, SLICE_LIT("ls"), &c, seqs, 1), 1,
		"the others are known");
	tap_int((long long)seqs[0], 4, "in their order");
	join_free(&j);
}

int main(void)
{
	test_hash();
	test_commands();
	test_commands_bounds();
	test_lines();
	test_cursor();
	test_program();
	test_ring();
	return tap_done();
}
