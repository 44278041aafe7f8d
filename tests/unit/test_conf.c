/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/fdio.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

struct sample {
	char *name, *dir;
	bool on;
	int64_t count, wait, size;
	struct conf_list list;
};

static const struct conf_option opts[] = {
	{"one", "name", CONF_STRING, offsetof(struct sample, name), NULL, 0, 0, "a name"},
	{"one", "dir", CONF_PATH, offsetof(struct sample, dir), "/d", 0, 0, "a path"},
	{"one", "on", CONF_BOOL, offsetof(struct sample, on), "yes", 0, 0, "a switch"},
	{"two", "count", CONF_INT, offsetof(struct sample, count), "5", -10, 10, "a number"},
	{"two", "wait", CONF_DURATION, offsetof(struct sample, wait), "3s", 10, 86400000, "a time"},
	{"two", "size", CONF_SIZE, offsetof(struct sample, size), "64K", 0, 0, "a size"},
	{"two", "list", CONF_LIST, offsetof(struct sample, list), NULL, 0, 0, "a list"},
};

#define N ARRAY_LEN(opts)

static bool is_default(const struct sample *s)
{
	return !s->name && s->dir && strcmp(s->dir, "/d") == 0 && s->on && s->count == 5 &&
	       s->wait == 3000 && s->size == 65536 && s->list.len == 0;
}

static void test_defaults(void)
{
	struct sample s = {0};

	tap_int(conf_defaults(opts, N, &s, NULL), 0, "defaults");
	tap_ok(is_default(&s), "are those of the table");
	conf_free(opts, N, &s);
	tap_ok(!s.dir, "free");
	conf_free(opts, N, &s);
	tap_int(conf_parse("f", SLICE_LIT(""), opts, N, &s, NULL), 0, "empty file");
	tap_ok(is_default(&s), "leaves the defaults");
	conf_free(opts, N, &s);
}

static void test_values(void)
{
	static const char text[] = "# comment\n"
				   "; comment\n"
				   "\n"
				   "  # indented comment\n"
				   "[one]\n"
				   "name = first\n"
				   "\tname\t=\t two words = # ; \t\n"
				   "dir=/a b\n"
				   "on = off\n"
				   "[ two ]\n"
				   "count = -7\n"
				   "list = x\n"
				   "wait = 250ms\n"
				   "size = 2MiB\n"
				   "[one]\n"
				   "[two]\n"
				   "list = y=z";
	struct sample s = {0};
	struct sa_err err = {0};

	tap_int(conf_parse("f", slice_of(text), opts, N, &s, &err), 0, "parse %s", err.msg);
	tap_str(s.name, "two words = # ;", "last one wins; no comment after a value");
	tap_str(s.dir, "/a b", "path");
	tap_ok(!s.on, "switch");
	tap_int(s.count, -7, "number");
	tap_int(s.wait, 250, "duration");
	tap_int(s.size, 2 << 20, "size");
	tap_int((long long)s.list.len, 2, "list");
	tap_str(s.list.len == 2 ? s.list.items[0] : "", "x", "first item");
	tap_str(s.list.len == 2 ? s.list.items[1] : "", "y=z", "second item");
	conf_free(opts, N, &s);
}

static const struct {
	const char *line;
	int64_t want;
} numbers[] = {
	{"wait = 10", 10000},      {"wait = 10s", 10000},
	{"wait = 5m", 300000},     {"wait = 1h", 3600000},
	{"wait = 1d", 86400000},   {"wait = 10ms", 10},
	{"size = 0", 0},           {"size = 4096", 4096},
	{"size = 64K", 65536},     {"size = 64KiB", 65536},
	{"size = 1M", 1 << 20},    {"size = 1GiB", 1 << 30},
	{"size = 3G", 3221225472}, {"size = 9223372036854775807", INT64_MAX},
	{"count = -10", -10},      {"count = 0010", 10},
};

static void test_numbers(void)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char text[64];
		struct sample s = {0};
		struct sa_err err = {0};

		snprintf(text, sizeof(text), "[two]\n%s", numbers[i].line);
		tap_int(conf_parse("f", slice_of(text), opts, N, &s, &err), 0, "%s %s",
			numbers[i].line, err.msg);
		tap_int(text[6] == 'w'   ? s.wait
			: text[6] == 's' ? s.size
					 : s.count,
			numbers[i].want, "value of %s", numbers[i].line);
		conf_free(opts, N, &s);
	}
}

static void test_bools(void)
{
	static const char *const words[] = {"yes", "no", "true", "false", "on", "off", "1", "0"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char text[64];
		struct sample s = {0};

		snprintf(text, sizeof(text), "[one]\non = %s\n", words[i]);
		tap_int(conf_parse("f", slice_of(text), opts, N, &s, NULL), 0, "switch %s",
			words[i]);
		tap_int(s.on, i % 2 == 0, "is what it says");
		conf_free(opts, N, &s);
	}
}

static const struct {
	struct slice text;
	const char *msg;
} bad[] = {
	{SLICE_LIT("name = x"),
	 "f:1: name: stands before the first section; put it below its [section]"},
	{SLICE_LIT("\n[three]"), "f:2: [three]: unknown section; check its spelling"},
	{SLICE_LIT("[]"), "f:1: []: unknown section; check its spelling"},
	{SLICE_LIT("["), "f:1: [: no ] at the end; write [section] alone on a line"},
	{SLICE_LIT("[one] x"), "f:1: [one] x: no ] at the end; write [section] alone on a line"},
	{SLICE_LIT("[one]\nnom = x"), "f:2: nom: unknown key; check its spelling and its section"},
	{SLICE_LIT("[two]\nname = x"),
	 "f:2: name: unknown key; check its spelling and its section"},
	{SLICE_LIT("[one]\n= x"), "f:2: : unknown key; check its spelling and its section"},
	{SLICE_LIT("[one]\nname"), "f:2: name: no =; write key = value"},
	{SLICE_LIT("[one]\ndir = a/b"),
	 "f:2: one.dir: not an absolute path \"a/b\"; start it with /"},
	{SLICE_LIT("[one]\ndir ="), "f:2: one.dir: not an absolute path; start it with /"},
	{SLICE_LIT("[one]\non = maybe"), "f:2: one.on: not a switch \"maybe\"; write yes or no"},
	{SLICE_LIT("[one]\non ="), "f:2: one.on: empty; write yes or no"},
	{SLICE_LIT("[two]\ncount ="), "f:2: two.count: empty; write a whole number"},
	{SLICE_LIT("[two]\ncount = x"), "f:2: two.count: not a number \"x\"; write a whole number"},
	{SLICE_LIT("[two]\ncount = -"), "f:2: two.count: not a number \"-\"; write a whole number"},
	{SLICE_LIT("[two]\ncount = 1K"),
	 "f:2: two.count: unknown unit \"1K\"; write a whole number"},
	{SLICE_LIT("[two]\ncount = 11"),
	 "f:2: two.count: out of range \"11\"; it must be from -10 to 10"},
	{SLICE_LIT("[two]\ncount = -11"),
	 "f:2: two.count: out of range \"-11\"; it must be from -10 to 10"},
	{SLICE_LIT("[two]\ncount = 9223372036854775808"),
	 "f:2: two.count: too large \"9223372036854775808\"; write a whole number"},
	{SLICE_LIT("[two]\nwait = 9ms"),
	 "f:2: two.wait: out of range \"9ms\"; it must be from 10 to 86400000 ms"},
	{SLICE_LIT("[two]\nwait = 9 s"),
	 "f:2: two.wait: unknown unit \"9 s\"; write a number and ms, s, m, h or d"},
	{SLICE_LIT("[two]\nwait = 9223372036854775807"),
	 "f:2: two.wait: too large \"9223372036854775807\"; write a number and ms, s, m, h or d"},
	{SLICE_LIT("[two]\nsize = -1"),
	 "f:2: two.size: out of range \"-1\"; it must be from 0 to 9223372036854775807 bytes"},
	{SLICE_LIT("[two]\nsize = 8589934592G"),
	 "f:2: two.size: too large \"8589934592G\"; write a number and nothing, KiB, MiB or GiB"},
	{SLICE_LIT("[two]\nlist ="), "f:2: two.list: empty; give one item on each line"},
	{SLICE_LIT("[one]\nname = a\0b"),
	 "f:2: name = a\\x00b: control characters or invalid UTF-8; "
	 "save the file as plain UTF-8 text with \\n line ends"},
	{SLICE_LIT("[one]\r\n"), "f:1: [one]\\r: control characters or invalid UTF-8; "
				 "save the file as plain UTF-8 text with \\n line ends"},
	{SLICE_LIT("# \xff"), "f:1: # \\xff: control characters or invalid UTF-8; "
			      "save the file as plain UTF-8 text with \\n line ends"},
};

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sample s = {0};
		struct sa_err err = {0};

		tap_int(conf_parse("f", bad[i].text, opts, N, &s, &err), SA_ERR_INVALID,
			"refuse %zu", i);
		tap_str(err.msg, bad[i].msg, "message %zu", i);
		tap_ok(is_default(&s), "defaults after %zu", i);
		conf_free(opts, N, &s);
	}
}

static void test_failure_restores(void)
{
	struct sample s = {0};

	tap_int(conf_parse("f", SLICE_LIT("[one]\nname=x\non=no\n[two]\nlist=a\nsize=1\nbad"), opts,
			   N, &s, NULL),
		SA_ERR_INVALID, "good lines, then a bad one");
	tap_ok(is_default(&s), "nothing of it is in force");
	conf_free(opts, N, &s);
}

static void test_bounds(void)
{
	_cleanup_buf_ struct buf b = {0};
	struct sample s = {0};
	struct sa_err err = {0};

	buf_init(&b, 1 << 20);
	buf_printf(&b, "[one]\nname =%4090s", "x");
	tap_int(conf_parse("f", buf_slice(&b), opts, N, &s, &err), 0, "longest line");
	conf_free(opts, N, &s);
	buf_putc(&b, 'y');
	tap_int(conf_parse("f", buf_slice(&b), opts, N, &s, &err), SA_ERR_TOOBIG, "longer line");
	tap_str(err.msg, "f:2: line of 4097 bytes; at most 4096 are allowed", "says so");
	conf_free(opts, N, &s);

	/* found by the fuzzer: it parsed, but what conf_print made of it was too long a line */
	for (int extra = 0; extra <= 1; extra++) {
		buf_clear(&b);
		buf_puts(&b, "[one]\nname=");
		for (int i = 0; i < 4096 - 7 + extra; i++)
			buf_putc(&b, 'x');
		tap_int(conf_parse("f", buf_slice(&b), opts, N, &s, &err),
			extra ? SA_ERR_TOOBIG : 0, "a value that can%s be printed",
			extra ? "not" : "");
		conf_free(opts, N, &s);
	}

	buf_clear(&b);
	buf_puts(&b, "[two]\n");
	for (int i = 0; i < CONF_LIST_MAX; i++)
		buf_puts(&b, "list=i\n");
	tap_int(conf_parse("f", buf_slice(&b), opts, N, &s, &err), 0, "longest list");
	tap_int((long long)s.list.len, CONF_LIST_MAX, "items");
	conf_free(opts, N, &s);
	buf_puts(&b, "list=last\n");
	tap_int(conf_parse("f", buf_slice(&b), opts, N, &s, &err), SA_ERR_TOOBIG, "longer list");
	tap_str(err.msg, "f:258: two.list: too many items at \"last\"; the list takes at most 256",
		"says so");
	conf_free(opts, N, &s);

	buf_clear(&b);
	while (b.len < 65536)
		buf_putc(&b, '\n');
	tap_int(conf_parse("f", buf_slice(&b), opts, N, &s, &err), 0, "biggest file");
	conf_free(opts, N, &s);
	buf_putc(&b, '\n');
	tap_int(conf_parse("f", buf_slice(&b), opts, N, &s, &err), SA_ERR_TOOBIG, "bigger file");
	tap_ok(is_default(&s), "defaults");
	conf_free(opts, N, &s);
}

static void test_print(void)
{
	struct sample s = {0};
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 10000);
	conf_parse("f", SLICE_LIT("[one]\nname=\n[two]\nlist=a\nlist=b\nwait=2m"), opts, N, &s,
		   NULL);
	conf_print(opts, N, &s, &b);
	conf_free(opts, N, &s);
	tap_str(buf_cstr(&b),
		"[one]\n# a name\nname = \n# a path\ndir = /d\n# a switch\non = yes\n"
		"\n[two]\n# a number\ncount = 5\n# a time\nwait = 120000ms\n# a size\nsize = 65536\n"
		"# a list\nlist = a\nlist = b\n",
		"print");
	conf_defaults(opts, N, &s, NULL);
	buf_clear(&b);
	conf_print(opts, N, &s, &b);
	conf_free(opts, N, &s);
	tap_ok(strstr(buf_cstr(&b), "\n#name =\n") && strstr(buf_cstr(&b), "\n#list =\n"),
	       "what is not set is a comment");
}

static void test_load(void)
{
	char path[] = "test_conf.XXXXXX";
	int fd = mkstemp(path);
	struct sample s = {0};
	struct sa_err err = {0};

	fdio_write_all(fd, "[two]\ncount = 3\n", 16, NULL);
	close(fd);
	tap_int(conf_load(path, opts, N, &s, &err), 0, "load");
	tap_int(s.count, 3, "value");
	conf_free(opts, N, &s);
	unlink(path);
	tap_int(conf_load(path, opts, N, &s, &err), SA_ERR_NOTFOUND, "no such file");
	tap_ok(is_default(&s), "defaults");
	conf_free(opts, N, &s);
	tap_int(conf_load("/", opts, N, &s, &err), SA_ERR_INVALID, "not a file");
	tap_ok(is_default(&s), "defaults");
	conf_free(opts, N, &s);
}

static void test_nomem(void)
{
	unsigned long n = 0;
	int rc;

	do {
		struct sample s = {0};

		alloc_fail_at(++n);
		rc = conf_parse("f", SLICE_LIT("[one]\nname=x\n[two]\nlist=a\nlist=b"), opts, N, &s,
				NULL);
		alloc_fail_at(0);
		if (rc < 0)
			tap_int(rc, SA_ERR_NOMEM, "allocation %lu fails", n);
		conf_free(opts, N, &s);
	} while (rc < 0 && n < 100);
	tap_ok(n == 7 && rc == 0, "%lu allocations", n - 1);
}

int main(void)
{
	test_defaults();
	test_values();
	test_numbers();
	test_bools();
	test_bad();
	test_failure_restores();
	test_bounds();
	test_print();
	test_load();
	test_nomem();
	return tap_done();
}
