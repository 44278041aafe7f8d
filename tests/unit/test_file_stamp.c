/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/access/file_stamp.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

static const struct stat base = {
	.st_dev = 1,
	.st_ino = 2,
	.st_size = 3,
	.st_mtim = {.tv_sec = 4, .tv_nsec = 5},
	.st_ctim = {.tv_sec = 6, .tv_nsec = 7},
};

static void test_of(void)
{
	struct file_stamp s = file_stamp_of(&base);

	tap_int((long long)s.dev, 1, "device");
	tap_int((long long)s.ino, 2, "inode");
	tap_int(s.size, 3, "size");
	tap_int(s.mtime, 4, "mtime");
	tap_int(s.mtime_ns, 5, "its nanoseconds");
	tap_int(s.ctime, 6, "ctime");
	tap_int(s.ctime_ns, 7, "its nanoseconds");
}

/* Each part counts, and nothing else does. */
static void test_same(void)
{
	const struct file_stamp from = file_stamp_of(&base), none = {0};
	struct stat others[] = {base, base, base, base, base, base, base}, seen = base;
	struct file_stamp s = file_stamp_of(&base);

	tap_ok(file_stamp_same(&from, &s), "the same file");
	tap_ok(!file_stamp_same(&from, &none), "not there");
	others[0].st_dev++;
	others[1].st_ino++;
	others[2].st_size++;
	others[3].st_mtim.tv_sec++;
	others[4].st_mtim.tv_nsec++;
	others[5].st_ctim.tv_sec++;
	others[6].st_ctim.tv_nsec++;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		s = file_stamp_of(&others[i]);
		tap_ok(!file_stamp_same(&from, &s), "part %zu is another", i);
	}
	seen.st_atim.tv_sec = 9;
	s = file_stamp_of(&seen);
	tap_ok(file_stamp_same(&from, &s), "only read in between");
}

/* Stamps of now and of a while ago, in ticks and in whole seconds. */
static void test_settled(void)
{
	struct file_stamp s = {.ctime = 1000, .ctime_ns = 500000000};

	tap_ok(!file_stamp_settled(&s, 1000500), "now");
	tap_ok(!file_stamp_settled(&s, 1000520), "20 ms ago");
	tap_ok(file_stamp_settled(&s, 1000521), "21 ms ago");
	tap_ok(!file_stamp_settled(&s, 1000480), "20 ms ahead");
	tap_ok(file_stamp_settled(&s, 999000), "far ahead: the clock was set back");
	s.ctime_ns = 0;
	tap_ok(!file_stamp_settled(&s, 1001999), "whole seconds: 2 s ago");
	tap_ok(file_stamp_settled(&s, 1002001), "whole seconds: longer ago");
	s.mtime_ns = 1;
	tap_ok(file_stamp_settled(&s, 1000021), "not whole seconds after all");
}

int main(void)
{
	test_of();
	test_same();
	test_settled();
	return tap_done();
}
