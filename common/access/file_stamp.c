/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <string.h>

#include "common/access/file_stamp.h"
#include "common/clock.h"

/* Times of files move with the kernel's tick, which may be as slow as 10 ms. */
#define TICK_MS 20
/* ... and where a file system keeps whole seconds only, with those. */
#define WHOLE_SECONDS_MS 2000

struct file_stamp file_stamp_of(const struct stat *st)
{
	return (struct file_stamp){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime = st->st_mtim.tv_sec,
		.ctime = st->st_ctim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
	};
}

_Static_assert(sizeof(struct file_stamp) == 48, "compared as bytes: no padding");

bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool file_stamp_settled(const struct file_stamp *s, int64_t now_ms)
{
	struct timespec ctime = {.tv_sec = s->ctime, .tv_nsec = s->ctime_ns};
	int64_t age = now_ms - clock_ms(&ctime);
	int64_t tick = s->ctime_ns == 0 && s->mtime_ns == 0 ? WHOLE_SECONDS_MS : TICK_MS;

	/* Far in the future: the clock was set back, and will not show that time in this tick. */
	return age > tick || age < -tick;
}
