/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/statement.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

/* "[text]" of a statement, "(text)" of an incomplete one, "<text>" of a client command. */
static void collect(void *ctx, const struct statement_part *p)
{
	struct buf *b = ctx;

	buf_putc(b, p->command ? '<' : p->complete ? '[' : '(');
	buf_put(b, p->text);
	buf_putc(b, p->command ? '>' : p->complete ? ']' : ')');
}

#define P STATEMENT_PSQL
#define M STATEMENT_MYSQL
#define S STATEMENT_SQLITE

/* Lines are typed one after the other, then the reader ends. */
static const struct {
	const char *name;
	enum statement_dialect dialect;
	const char *lines[6], *want;
} cases[] = {
	{"one", P, {"select 1;"}, "[select 1;]"},
	{"two in a line", P, {"select 1; select 2;"}, "[select 1;][select 2;]"},
	{"three lines",
	 P,
	 {"select *", "  from users", "where id = 1;"},
	 "[select *\n  from users\nwhere id = 1;]"},
	{"the end of one and all of the next",
	 P,
	 {"select", "1; drop table x;", "select 2;"},
	 "[select\n1;][drop table x;][select 2;]"},
	{"blanks around", P, {"", "  select 1;  ", "\t", ";", ";;"}, "[select 1;]"},
	{"no end", P, {"select 1", "from x"}, "(select 1\nfrom x)"},
	{"a quote",
	 P,
	 {"select 'a;b''c;';", "select \"x;\";"},
	 "[select 'a;b''c;';][select \"x;\";]"},
	{"a quote over lines",
	 P,
	 {"insert into t values ('a;", "b');"},
	 "[insert into t values ('a;\nb');]"},
	{"a backslash is a character",
	 P,
	 {"select 'a\\';", "select 2;"},
	 "[select 'a\\';][select 2;]"},
	{"but not in E''", P, {"select E'a\\';b', e'\\\\';"}, "[select E'a\\';b', e'\\\\';]"},
	{"a name that ends in e", P, {"select abce'a\\';"}, "[select abce'a\\';]"},
	{"dollar quotes", P, {"do $$ begin; $x$ end; $$;"}, "[do $$ begin; $x$ end; $$;]"},
	{"tagged, over lines",
	 P,
	 {"do $body$", "a; $$ b; $other$;", "$body$;"},
	 "[do $body$\na; $$ b; $other$;\n$body$;]"},
	{"a parameter is no quote", P, {"select $1; select a$b$c;"}, "[select $1;][select a$b$c;]"},
	{"comments",
	 P,
	 {"select 1 -- a; b", "; /* x; /* y; */ z; */ select 2;"},
	 "[select 1 -- a; b\n;][/* x; /* y; */ z; */ select 2;]"},
	{"a comment alone", P, {"-- nothing; here", "select 1;"}, "<-- nothing; here>[select 1;]"},
	{"a comment that is open", P, {"/* a;", "b */ select 1;"}, "[/* a;\nb */ select 1;]"},
	{"in parentheses",
	 P,
	 {"create rule r as do (a; b);", "select 1;"},
	 "[create rule r as do (a; b);][select 1;]"},
	{"too many closed", P, {"select 1); select 2;"}, "[select 1);][select 2;]"},
	{"commands of psql",
	 P,
	 {"\\d users", "quit", "exit", "help", "\\q"},
	 "<\\d users><quit><exit><help><\\q>"},
	{"words that only begin so", P, {"quitting;"}, "[quitting;]"},
	{"ended by a command",
	 P,
	 {"select 1 \\gx", "select 2 \\g /tmp/f", "x \\watch 1"},
	 "[select 1 \\gx][select 2 \\g /tmp/f][x \\watch 1]"},
	{"a command in between", P, {"select 1 \\echo a;", "+ 2;"}, "<\\echo a;>[select 1 \n+ 2;]"},
	{"given up by a command", P, {"select 1 \\r", "select 2;"}, "(select 1 \\r)[select 2;]"},
	{"a semicolon that does not end",
	 P,
	 {"select 1 \\; select 2;"},
	 "[select 1 \\;][select 2;]"},
	{"# is no comment", P, {"select 1 # 2; x;"}, "[select 1 # 2;][x;]"},

	{"MySQL escapes", M, {"select 'a\\';b', \"c\\\";\";"}, "[select 'a\\';b', \"c\\\";\";]"},
	{"names in backticks", M, {"select `a;b\\`; select 2;"}, "[select `a;b\\`;][select 2;]"},
	{"MySQL's ends",
	 M,
	 {"select 1\\G", "select 2 \\g select 3;"},
	 "[select 1\\G][select 2 \\g][select 3;]"},
	{"given up in MySQL", M, {"select 'x' \\c", "select 1;"}, "(select 'x' \\c)[select 1;]"},
	{"MySQL's comments",
	 M,
	 {"select 1 # a; b", "-- c;", "--5; select 2;"},
	 "[select 1 # a; b\n-- c;\n--5;][select 2;]"},
	{"not nested there", M, {"select /* a /* b; */ 1;"}, "[select /* a /* b; */ 1;]"},
	{"commands of MySQL",
	 M,
	 {"use shop", "USE shop;", "\\u x", "source f.sql", "exit;"},
	 "<use shop><USE shop;><\\u x><source f.sql><exit;>"},
	{"a delimiter",
	 M,
	 {"delimiter //", "begin a; b; end//", "DELIMITER ;", "select 1;"},
	 "<delimiter //>[begin a; b; end//]<DELIMITER ;>[select 1;]"},
	{"a delimiter that is a word",
	 M,
	 {"delimiter go", "select 1; x go", "delimiter ;"},
	 "<delimiter go>[select 1; x go]<delimiter ;>"},
	{"a delimiter that is too long",
	 M,
	 {"delimiter 1234567890123456", "a;"},
	 "<delimiter 1234567890123456>[a;]"},
	{"$ is a character", M, {"select '$$'; select $$;"}, "[select '$$';][select $$;]"},

	{"commands of sqlite", S, {".tables", "select 1;", ".quit"}, "<.tables>[select 1;]<.quit>"},
	{"not within a statement", S, {"select", ".5;"}, "[select\n.5;]"},
	{"names in brackets", S, {"select [a;b];"}, "[select [a;b];]"},
	{"a trigger",
	 S,
	 {"create temp trigger t after insert on x begin", "delete from y;", "end;", "select 1;"},
	 "[create temp trigger t after insert on x begin\ndelete from y;\nend;][select 1;]"},
	{"a table is none", S, {"create table x(a);", "b;"}, "[create table x(a);][b;]"},
	{"go", S, {"select 1", "go", "select 2", "/"}, "[select 1\ngo][select 2\n/]"},
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct statements *s = statements_new(cases[i].dialect);
		_cleanup_buf_ struct buf got = {0};

		buf_init(&got, 4096);
		for (size_t k = 0; k < ARRAY_LEN(cases[i].lines) && cases[i].lines[k]; k++)
			statements_line(s, slice_of(cases[i].lines[k]), collect, &got);
		statements_break(s, collect, &got);
		tap_str(buf_cstr(&got), cases[i].want, "%s", cases[i].name);
		tap_ok(!statements_open(s), "%s: nothing is left", cases[i].name);
		statements_free(s);
	}
}

static void test_dialects(void)
{
	tap_int(statement_dialect(SLICE_LIT("psql")), P, "psql");
	tap_int(statement_dialect(SLICE_LIT("mysql")), M, "mysql");
	tap_int(statement_dialect(SLICE_LIT("mariadb")), M, "mariadb");
	tap_int(statement_dialect(SLICE_LIT("sqlite3")), S, "sqlite3");
	tap_int(statement_dialect(SLICE_LIT("python3")), STATEMENT_NONE, "python3");
	tap_int(statement_dialect(SLICE_NONE), STATEMENT_NONE, "nobody");
}

static void test_break(void)
{
	struct statements *s = statements_new(P);
	_cleanup_buf_ struct buf got = {0};

	buf_init(&got, 4096);
	statements_line(s, SLICE_LIT("select 'a; ("), collect, &got);
	tap_ok(statements_open(s), "a statement is open");
	statements_break(s, collect, &got);
	statements_line(s, SLICE_LIT("select 2;"), collect, &got);
	tap_str(buf_cstr(&got), "(select 'a; ()[select 2;]",
		"what is given up leaves nothing open");
	statements_free(s);
	statements_free(NULL);
}

static void count(void *ctx, const struct statement_part *p)
{
	size_t *n = ctx;

	n[0]++;
	n[1] += p->text.len;
	n[2] += p->complete;
}

static void test_bounds(void)
{
	struct statements *s = statements_new(P);
	_cleanup_free_ char *line = malloc(3 * STATEMENT_MAX);
	size_t n[3] = {0};

	memset(line, 'x', 3 * STATEMENT_MAX);
	statements_line(s, (struct slice){line, 3 * STATEMENT_MAX - 10}, count, n);
	statements_line(s, SLICE_LIT(";"), count, n);
	tap_int((long long)n[0], 3, "a statement that is too long comes in pieces");
	tap_int((long long)n[1], 3 * STATEMENT_MAX - 8, "nothing of it is lost");
	tap_int((long long)n[2], 1, "only the last is complete");
	memset(line, '$', 200);
	memset(line + 1, 'a', 100);
	n[0] = 0;
	statements_line(s, (struct slice){line, 200}, count, n);
	statements_line(s, SLICE_LIT(";"), count, n);
	tap_ok(n[0] <= 1, "a tag that is too long is none");
	statements_free(s);
}

static void test_nul(void)
{
	struct statements *s = statements_new(M);
	_cleanup_buf_ struct buf got = {0};

	buf_init(&got, 4096);
	statements_line(s, SLICE_LIT("delimiter \0\0"), collect, &got);
	statements_line(s, SLICE_LIT("a\0b; c;"), collect, &got);
	tap_bytes(buf_slice(&got), SLICE_LIT("<delimiter \0\0>[a\0b;][c;]"),
		  "a delimiter of NULs is none");
	statements_free(s);
}

int main(void)
{
	test_cases();
	test_dialects();
	test_break();
	test_bounds();
	test_nul();
	return tap_done();
}
