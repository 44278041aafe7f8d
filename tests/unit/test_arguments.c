/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/arguments.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "tests/unit/tap.h"

/* Records written by hand; argv as "a|b|c". */
static const struct {
	const char *name;
	const char *records[5];
	const char *argv;
	unsigned total, missing;
} cases[] = {
	{"plain", {"argc=3 a0=\"ls\" a1=\"-l\" a2=\"\""}, "ls|-l|", 3, 0},
	{"hex", {"argc=2 a0=\"x\" a1=6120620A"}, "x|a b\n", 2, 0},
	{"several records", {"argc=3 a0=\"a\"", "a1=\"b\"", "a2=\"c\""}, "a|b|c", 3, 0},
	{"in any order", {"a2=\"c\"", "argc=3 a1=\"b\"", "a0=\"a\""}, "a|b|c", 3, 0},
	{"pieces", {"argc=2 a0=\"x\" a1_len=6 a1[0]=6162", " a1[1]=63"}, "x|abc", 2, 0},
	{"quoted pieces",
	 {"argc=2 a0=\"x\" a1_len=6 a1[0]=\"abc\"", " a1[1]=\"def\""},
	 "x|abcdef",
	 2,
	 0},
	{"pieces in any order",
	 {"a1[2]=65 a2=\"z\"", "a1[1]=6364", "argc=3 a0=\"x\" a1_len=10 a1[0]=6162"},
	 "x|abcde|z",
	 3,
	 0},
	{"pieces of two",
	 {"argc=2 a0_len=4 a0[0]=61", "a0[1]=62 a1_len=4 a1[0]=63", "a1[1]=64"},
	 "ab|cd",
	 2,
	 0},
	{"a hole", {"argc=4 a0=\"a\" a1=\"b\" a3=\"d\""}, "a|b", 4, 2},
	{"the first is missing", {"argc=2 a1=\"b\""}, "", 2, 2},
	{"the last are missing", {"argc=5 a0=\"a\""}, "a", 5, 4},
	{"the record with argc is missing", {"a2=\"c\" a3=\"d\""}, "", 4, 4},
	{"a piece is missing",
	 {"argc=3 a0=\"x\" a1_len=12 a1[0]=6162", "a1[2]=6566 a2=\"z\""},
	 "x|ab",
	 3,
	 2},
	{"the first piece is missing", {"argc=3 a0=\"x\"", "a1[1]=6566 a2=\"z\""}, "x", 3, 2},
	{"the last piece is missing",
	 {"argc=2 a0=\"x\" a1_len=12 a1[0]=6162", "a1[1]=6364"},
	 "x|abcd",
	 2,
	 1},
	{"a record is cut", {"argc=3 a0=\"x\" a1=\"long and", "a2=\"z\""}, "x|long and", 3, 2},
	{"a cut piece",
	 {"argc=2 a0=\"x\" a1_len=8 a1[0]=\"abcd", "a1[1]=\"efgh\""},
	 "x|abcd",
	 2,
	 1},
	{"only a length", {"argc=2 a0=\"x\" a1_len=8"}, "x", 2, 1},
	{"no arguments", {"argc=0"}, "", 0, 0},
	{"no record", {NULL}, "", 0, 0},
	{"what is no hex stays", {"argc=3 a0=(null) a1=6 a2=zz"}, "(null)|6|zz", 3, 0},
	{"a piece told twice", {"argc=1 a0_len=4 a0[0]=61 a0[0]=61 a0[1]=62"}, "ab", 1, 0},
	{"names that are none",
	 {"argc=1 a0=\"x\" a=1 a1x=2 a1[=3 a1[]=4 a1[x]=5 a1[0=6 a_len=7 b1=8 a18446744073709551617=9"},
	 "x",
	 2,
	 1},
	{"a number above the kernel's", {"argc=1 a0=\"x\" a699050=\"y\""}, "x", 1, 0},
	{"the kernel's highest, alone", {"argc=1 a0=\"x\" a699049=\"y\""}, "x", 699050, 699049},
};

static struct arguments args;

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf got = {0};
		struct event_record r[6] = {{.type = RECORD_SYSCALL, .body = SLICE_LIT("a0=1")}};
		struct event ev = {.records = r, .n = 1};

		buf_init(&got, 4096);
		for (size_t k = 0; k < 5 && cases[i].records[k]; k++)
			r[ev.n++] = (struct event_record){.type = RECORD_EXECVE,
							  .body = slice_of(cases[i].records[k])};
		arguments_collect(&args, &ev);
		for (size_t k = 0; k < args.n; k++) {
			buf_puts(&got, k ? "|" : "");
			buf_put(&got, args.argv[k]);
		}
		tap_str(buf_cstr(&got), cases[i].argv, "%s", cases[i].name);
		tap_int((long long)args.total, cases[i].total, "%s: total", cases[i].name);
		tap_int((long long)args.missing, cases[i].missing, "%s: missing", cases[i].name);
		tap_int(args.found, ev.n > 1, "%s: found", cases[i].name);
	}
}

/* --- as the kernel writes them: audit_log_execve_info of Linux 6.18 --- */

#define RECORD_BYTES 7500 /* MAX_EXECVE_AUDIT_LEN */
#define MAX_TEST_RECORDS 4096

static struct buf stream; /* all records, one after the other */
static size_t ends[MAX_TEST_RECORDS], n_records;
static size_t room; /* left in the record in hand */

static void next_record(void)
{
	ends[n_records++] = stream.len;
	room = RECORD_BYTES;
}

static bool is_unsafe(struct slice arg)
{
	for (size_t i = 0; i < arg.len; i++)
		if (arg.ptr[i] == '"' || arg.ptr[i] < 0x21 || arg.ptr[i] > 0x7e)
			return true;
	return false;
}

static void log_argument(size_t number, struct slice arg)
{
	bool hex = arg.len >= RECORD_BYTES || is_unsafe(arg);
	size_t bytes = hex ? arg.len * 2 : arg.len, part;
	char name[64];

	for (size_t i = 0; i == 0 || arg.len > 0; i++) {
		size_t before = stream.len;

		if (room < sizeof(name) + 8)
			next_record();
		if (i == 0 && bytes + sizeof(name) <= room) {
			snprintf(name, sizeof(name), " a%zu=", number);
		} else {
			if (i == 0)
				buf_printf(&stream, " a%zu_len=%zu", number, bytes);
			snprintf(name, sizeof(name), " a%zu[%zu]=", number, i);
		}
		buf_puts(&stream, name);
		room -= stream.len - before;
		part = arg.len;
		if ((hex ? part * 2 : part + 2) > room)
			part = hex ? room / 2 : room - 2;
		before = stream.len;
		if (hex) {
			escape_hex(&stream, (struct slice){arg.ptr, part});
		} else {
			buf_putc(&stream, '"');
			buf_put(&stream, (struct slice){arg.ptr, part});
			buf_putc(&stream, '"');
		}
		room -= stream.len - before;
		arg = (struct slice){arg.ptr + part, arg.len - part};
	}
}

static void log_arguments(const struct slice *argv, size_t n)
{
	buf_clear(&stream);
	n_records = 0;
	room = RECORD_BYTES - 20;
	buf_printf(&stream, "argc=%zu", n);
	for (size_t i = 0; i < n; i++)
		log_argument(i, argv[i]);
	next_record();
}

static struct event_record records[MAX_TEST_RECORDS];

/* In the kernel's order, or in another one. */
static struct event take_records(bool shuffled)
{
	size_t at = 0;

	for (size_t i = 0; i < n_records; i++) {
		struct slice body = {stream.data + at, ends[i] - at};

		records[i] = (struct event_record){.type = RECORD_EXECVE, .body = body};
		at = ends[i];
	}
	for (size_t i = n_records; shuffled && i > 1; i--) {
		size_t k = (size_t)rand() % i;
		struct event_record r = records[i - 1];

		records[i - 1] = records[k];
		records[k] = r;
	}
	return (struct event){.records = records, .n = n_records};
}

static bool same(const struct slice *argv, size_t n)
{
	if (args.n != n || args.total != n || args.missing != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!slice_eq(args.argv[i], argv[i]))
			return false;
	return true;
}

static void check_all(const char *name, const struct slice *argv, size_t n)
{
	struct event ev;

	log_arguments(argv, n);
	tap_ok(!stream.failed, "%s: %zu arguments, %zu records", name, n, n_records);
	ev = take_records(false);
	arguments_collect(&args, &ev);
	tap_ok(same(argv, n), "%s: exactly", name);
	for (unsigned i = 0; i < 3; i++) {
		ev = take_records(true);
		arguments_collect(&args, &ev);
		tap_ok(same(argv, n), "%s: in any order", name);
	}
	arguments_trim(&args);
}

static void fill(char *text, size_t size, bool binary)
{
	for (size_t i = 0; i < size; i++)
		text[i] = (char)(binary ? 1 + rand() % 255 : 'a' + rand() % 26);
}

static void test_exact(void)
{
	enum { LONGEST = 128 * 1024 - 1, MANY = 10000, ALL = ARGUMENTS_MAX };
	_cleanup_free_ char *text = malloc(48 * LONGEST);
	_cleanup_free_ struct slice *argv = calloc(ALL, sizeof(*argv));

	if (!text || !argv)
		abort();
	fill(text, LONGEST, false);
	argv[0] = SLICE_LIT("true");
	argv[1] = (struct slice){text, LONGEST};
	argv[2] = SLICE_LIT("tail");
	check_all("128 KiB", argv, 3);
	fill(text, LONGEST, true);
	check_all("128 KiB of any bytes", argv, 3);
	for (size_t i = 0; i < MANY; i++) {
		argv[i] = (struct slice){text + 20 * i % LONGEST, i % 12};
		if (20 * i % LONGEST + 12 > LONGEST)
			argv[i].len = 0;
	}
	check_all("10,000 arguments", argv, MANY);
	fill(text, LONGEST, false);
	for (size_t i = 0; i < 200; i++)
		argv[i] = (struct slice){text, 7200 + i * 4};
	check_all("about a record long each", argv, 200);
	fill(text, 47 * (size_t)LONGEST, true);
	for (size_t i = 0; i < 47; i++)
		argv[i] = (struct slice){text + i * LONGEST, LONGEST};
	check_all("6 MiB of bytes", argv, 47);
	for (size_t i = 0; i < ALL; i++)
		argv[i] = SLICE_LIT("");
	check_all("as many as the kernel takes", argv, ALL);
	tap_ok(args.cap == 0 && args.text.cap == 0, "the memory is given back");
}

/* Each record once missing: nothing false, and what is there before the hole stays. */
static void test_missing(void)
{
	struct slice argv[300];
	char text[9000];
	unsigned wrong = 0, told = 0;

	fill(text, sizeof(text), false);
	for (size_t i = 0; i < ARRAY_LEN(argv); i++)
		argv[i] = (struct slice){text, i % 50 == 0 ? 8000 + i : i % 40};
	log_arguments(argv, ARRAY_LEN(argv));
	for (size_t gone = 0; gone < n_records; gone++) {
		struct event ev = take_records(false);

		for (size_t i = gone + 1; i < ev.n; i++)
			records[i - 1] = records[i];
		ev.n--;
		arguments_collect(&args, &ev);
		told += args.missing > 0;
		for (size_t i = 0; i < args.n; i++) {
			bool whole = i < args.total - args.missing;
			bool begins = args.argv[i].len <= argv[i].len &&
				      memcmp(args.argv[i].ptr, argv[i].ptr, args.argv[i].len) == 0;

			wrong += whole ? !slice_eq(args.argv[i], argv[i]) : !begins;
		}
	}
	tap_int(wrong, 0, "no argument is wrong");
	tap_int(told, (long long)n_records, "each of %zu records is missed", n_records);
}

int main(void)
{
	srand(7);
	arguments_init(&args);
	buf_init(&stream, 32 << 20);
	test_cases();
	test_exact();
	test_missing();
	arguments_free(&args);
	buf_free(&stream);
	return tap_done();
}
