/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdint.h>

#include "common/buf.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

static void test_append(void)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 1000);
	tap_bytes(buf_slice(&b), SLICE_LIT(""), "empty is present");
	tap_str(buf_cstr(&b), "", "empty as a string");
	buf_puts(&b, "ab");
	buf_putc(&b, '\0');
	buf_append(&b, "cd", 2);
	buf_append(&b, NULL, 0);
	buf_put(&b, SLICE_LIT("ef"));
	buf_put(&b, SLICE_NONE);
	buf_printf(&b, "%d-%s", 42, "x");
	tap_bytes(buf_slice(&b), SLICE_LIT("ab\0cdef42-x"), "all kinds of appending");
	tap_str(buf_cstr(&b), "ab", "string ends at the first NUL");
	tap_int(buf_cstr(&b)[b.len], 0, "NUL behind the content");
	buf_consume(&b, 3);
	tap_bytes(buf_slice(&b), SLICE_LIT("cdef42-x"), "consume");
	buf_consume(&b, 0);
	buf_consume(&b, b.len);
	tap_bytes(buf_slice(&b), SLICE_LIT(""), "consume all");
	tap_ok(!b.failed, "nothing failed");
}

static void test_max(void)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 4);
	buf_puts(&b, "abcd");
	tap_str(buf_cstr(&b), "abcd", "exactly max fits, and is a string");
	tap_ok(!b.failed, "exactly max is no failure");
	buf_putc(&b, 'e');
	tap_ok(b.failed, "one more fails");
	tap_bytes(buf_slice(&b), SLICE_LIT("abcd"), "content stays");
	buf_consume(&b, 2);
	buf_putc(&b, 'x');
	tap_bytes(buf_slice(&b), SLICE_LIT("cd"),
		  "a failed buffer takes no more, it would have a hole");
	tap_ok(buf_reserve(&b, 0) == NULL, "nor gives room");
	buf_clear(&b);
	buf_puts(&b, "new");
	tap_bytes(buf_slice(&b), SLICE_LIT("new"), "clear starts anew");
	tap_ok(!b.failed, "clear forgets the failure");
	buf_printf(&b, "%s", "xy");
	tap_bytes(buf_slice(&b), SLICE_LIT("new"), "printf past max adds nothing");
	tap_ok(b.failed, "printf past max fails");
	buf_free(&b);
	buf_puts(&b, "abcde");
	tap_ok(b.failed && b.len == 0, "max is kept by free");
}

static void test_sizes(void)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, SIZE_MAX);
	buf_puts(&b, "abc");
	tap_ok(buf_reserve(&b, SIZE_MAX - 1) == NULL && b.failed, "sum of sizes overflows");
	buf_clear(&b);
	tap_ok(buf_reserve(&b, SIZE_MAX) == NULL && b.failed, "size overflows with the NUL");
	buf_free(&b);
	buf_init(&b, 0);
	buf_append(&b, "", 0);
	tap_ok(!b.failed, "max 0 holds nothing");
	tap_str(buf_cstr(&b), "", "which is a string");
	buf_putc(&b, 'a');
	tap_ok(b.failed, "and not a byte more");
}

static void test_growth(void)
{
	_cleanup_buf_ struct buf b = {0};
	unsigned moves = 0;
	size_t cap = 0;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 1 << 20; i++) {
		buf_putc(&b, (char)i);
		moves += b.cap != cap;
		cap = b.cap;
	}
	tap_ok(!b.failed && b.len == 1 << 20, "a MiB, byte by byte");
	tap_ok(moves < 16, "by doubling: %u allocations", moves);
	tap_int(b.cap, (1 << 20) + 1, "never more than max and a NUL");
	tap_ok(b.data[12345] == (char)12345, "content is right");
}

static void test_nomem(void)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 1 << 20);
	alloc_fail_at(1);
	tap_str(buf_cstr(&b), "", "no memory for an empty string");
	tap_ok(alloc_failed(), "it did fail");
	alloc_fail_at(1);
	buf_puts(&b, "abc");
	tap_ok(b.failed && b.len == 0, "first allocation fails");
	alloc_fail_at(0);
	buf_clear(&b);
	buf_puts(&b, "abc");
	alloc_fail_at(1);
	buf_printf(&b, "%1000d", 1);
	alloc_fail_at(0);
	tap_ok(b.failed, "growth fails");
	tap_str(buf_cstr(&b), "abc", "content stays");
}

int main(void)
{
	test_append();
	test_max();
	test_sizes();
	test_growth();
	test_nomem();
	return tap_done();
}
