/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/slice.h"
#include "tests/unit/tap.h"

static void test_cut(void)
{
	struct slice rest = SLICE_LIT("a,,b"), none = SLICE_NONE;

	tap_bytes(slice_cut(&rest, ','), SLICE_LIT("a"), "the first");
	tap_bytes(slice_cut(&rest, ','), SLICE_LIT(""), "an empty one");
	tap_bytes(rest, SLICE_LIT("b"), "what is left");
	tap_bytes(slice_cut(&rest, ','), SLICE_LIT("b"), "the last");
	tap_bytes(rest, SLICE_LIT(""), "nothing is left");
	tap_bytes(slice_cut(&rest, ','), SLICE_LIT(""), "of nothing");
	tap_ok(!slice_cut(&none, ',').ptr && !none.ptr, "an absent one stays absent");
	rest = SLICE_LIT("a\0b");
	tap_bytes(slice_cut(&rest, '\0'), SLICE_LIT("a"), "at a NUL");
}

static void test_trim(void)
{
	tap_bytes(slice_trim(SLICE_LIT(" \ta b\t "), " \t"), SLICE_LIT("a b"), "both ends");
	tap_bytes(slice_trim(SLICE_LIT("\ra"), " \t"), SLICE_LIT("\ra"), "only what is named");
	tap_bytes(slice_trim(SLICE_LIT(" \t "), " \t"), SLICE_LIT(""), "blanks alone");
	tap_bytes(slice_trim(SLICE_LIT("\0a\0"), " "), SLICE_LIT("\0a\0"), "a NUL is no blank");
	tap_ok(!slice_trim(SLICE_NONE, " ").ptr, "an absent one stays absent");
}

static void test_in(void)
{
	static const char *const list[] = {"a", "bc", NULL}, *const none[] = {NULL};

	tap_ok(slice_in(SLICE_LIT("bc"), list), "in the list");
	tap_ok(!slice_in(SLICE_LIT("b"), list), "the front of one");
	tap_ok(!slice_in(SLICE_LIT("bcd"), list), "longer than one");
	tap_ok(!slice_in(SLICE_NONE, list), "an absent one is in no list");
	tap_ok(!slice_in(SLICE_LIT("a"), none), "an empty list");
}

int main(void)
{
	test_in();
	test_cut();
	test_trim();
	return tap_done();
}
