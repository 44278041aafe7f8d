/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/http/headers.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

static void test_list(void)
{
	struct headers h = {0};

	tap_str(headers_get(&h, "Host"), NULL, "none yet");
	headers_add(&h, "Host", SLICE_LIT("a.example.com"));
	headers_add(&h, "X-Amz-Meta", SLICE_LIT(" \t one\ttwo \t"));
	headers_add(&h, "x-empty", SLICE_LIT(""));
	headers_add(&h, "x-blanks", SLICE_LIT("  \t"));
	headers_add(&h, "HOST", SLICE_LIT("second"));
	headers_add(&h, "x-utf8", SLICE_LIT("\xc3\xa4"));
	tap_int((long long)h.len, 6, "six fields, two of one name");
	tap_str(headers_get(&h, "host"), "a.example.com", "the first of a name, without case");
	tap_str(headers_get(&h, "x-amz-meta"), "one\ttwo", "blanks around are gone, within stay");
	tap_str(headers_get(&h, "X-Empty"), "", "an empty value");
	tap_str(headers_get(&h, "X-Blanks"), "", "a value of blanks is empty");
	tap_str(headers_get(&h, "x-utf8"), "\xc3\xa4", "bytes above ASCII stay");
	tap_str(headers_get(&h, "x"), NULL, "no prefix match");
	headers_set(&h, "host", SLICE_LIT(" b.example.com "));
	headers_set(&h, "New", SLICE_LIT("n"));
	tap_int((long long)h.len, 7, "set replaces one, appends another");
	tap_str(h.items[0].name, "Host", "the name stays as it was");
	tap_str(h.items[0].value, "b.example.com", "the first is replaced");
	tap_str(h.items[4].value, "second", "the second is not");
	tap_str(h.items[6].name, "New", "the new one is the last");
	tap_ok(!h.failed, "nothing failed");
	headers_clear(&h);
	tap_int((long long)h.len, 0, "cleared");
	tap_str(headers_get(&h, "Host"), NULL, "nothing is found");
	headers_clear(&h);
}

static const struct {
	const char *what, *name;
	struct slice value;
} bad[] = {
	{"LF", "a", SLICE_LIT("x\ny: z")},
	{"CR", "a", SLICE_LIT("x\ry")},
	{"a trailing LF", "a", SLICE_LIT("x\n")},
	{"NUL", "a", SLICE_LIT("x\0y")},
	{"DEL", "a", SLICE_LIT("\x7f")},
	{"ESC", "a", SLICE_LIT("\x1b[m")},
	{"no value", "a", {NULL, 0}},
	{"no name", "", SLICE_LIT("x")},
	{"a blank in the name", "a b", SLICE_LIT("x")},
	{"a colon in the name", "a:", SLICE_LIT("x")},
	{"LF in the name", "a\n", SLICE_LIT("x")},
	{"not ASCII in the name", "\xc3\xa4", SLICE_LIT("x")},
};

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_headers_ struct headers h = {0};

		headers_add(&h, bad[i].name, bad[i].value);
		tap_ok(h.failed && h.len == 0, "add: %s", bad[i].what);
		headers_clear(&h);
		tap_ok(!h.failed, "clear takes it back");
		headers_add(&h, "a", SLICE_LIT("old"));
		headers_set(&h, bad[i].name, bad[i].value);
		tap_ok(h.failed && h.len == 1, "set: %s", bad[i].what);
		tap_str(headers_get(&h, "a"), "old", "the list is as it was");
	}
}

static void test_bounds(void)
{
	_cleanup_headers_ struct headers h = {0};
	_cleanup_free_ char *big = malloc(HEADERS_MAX_VALUE + 3);
	char name[16];

	if (!big)
		abort();
	memset(big, 'x', HEADERS_MAX_VALUE + 3);
	headers_add(&h, "big", (struct slice){big, HEADERS_MAX_VALUE});
	tap_ok(!h.failed && strlen(h.items[0].value) == HEADERS_MAX_VALUE, "the longest value");
	headers_set(&h, "big", (struct slice){big, HEADERS_MAX_VALUE + 1});
	tap_ok(h.failed && strlen(h.items[0].value) == HEADERS_MAX_VALUE, "one byte more");
	headers_clear(&h);
	big[0] = big[HEADERS_MAX_VALUE + 1] = ' ';
	headers_add(&h, "big", (struct slice){big, HEADERS_MAX_VALUE + 2});
	tap_ok(!h.failed, "blanks around do not count");
	headers_clear(&h);
	for (int i = 0; i < HEADERS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		headers_add(&h, name, slice_of(name));
	}
	tap_ok(!h.failed && h.len == HEADERS_MAX, "as many as there may be");
	headers_set(&h, "n127", SLICE_LIT("new"));
	tap_ok(!h.failed, "set in a full list");
	tap_str(headers_get(&h, "N127"), "new", "is set");
	headers_add(&h, "more", SLICE_LIT("x"));
	tap_ok(h.failed && h.len == HEADERS_MAX, "one too many");
}

static void test_memory(void)
{
	for (unsigned long i = 1; i <= 2; i++) {
		_cleanup_headers_ struct headers h = {0};

		alloc_fail_at(i);
		headers_add(&h, "a", SLICE_LIT("b"));
		tap_ok(alloc_failed() && h.failed && h.len == 0, "add: allocation %lu fails", i);
	}
	{
		_cleanup_headers_ struct headers h = {0};

		headers_add(&h, "a", SLICE_LIT("b"));
		alloc_fail_at(1);
		headers_set(&h, "a", SLICE_LIT("c"));
		tap_ok(alloc_failed() && h.failed, "set: the allocation fails");
		tap_str(headers_get(&h, "a"), "b", "the old value stays");
	}
	alloc_fail_at(0);
}

int main(void)
{
	test_list();
	test_bad();
	test_bounds();
	test_memory();
	return tap_done();
}
