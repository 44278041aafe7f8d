/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What tells one content of a file from another without reading it. As bytes it has no padding,
 * so that it can lie in a file of this machine.
 */
#ifndef SA_FILE_STAMP_H
#define SA_FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* A file that has the same still has the same content; all zero: not there. */
struct file_stamp {
	uint64_t dev, ino;
	int64_t size, mtime, ctime; /* seconds */
	uint32_t mtime_ns, ctime_ns;
};

struct file_stamp file_stamp_of(const struct stat *st);
bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b);
/* False when the file, looked at at now_ms, could change again without changing its stamp. */
bool file_stamp_settled(const struct file_stamp *s, int64_t now_ms);

#endif
