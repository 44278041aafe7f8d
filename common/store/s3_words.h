/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* Taking apart what an admin or a server wrote. For common/store/s3_*.c only. */
#ifndef SA_S3_WORDS_H
#define SA_S3_WORDS_H

#include "common/slice.h"

#define S3_LOWER "abcdefghijklmnopqrstuvwxyz"
#define S3_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define S3_DIGITS "0123456789"

/* What stands before the first of stop, which is dropped. */
static inline struct slice s3_cut(struct slice *rest, char stop)
{
	const char *end = rest->len ? memchr(rest->ptr, stop, rest->len) : NULL;
	size_t n = end ? (size_t)(end - rest->ptr) : rest->len;
	struct slice got = {rest->ptr, n};

	n += end ? 1 : 0;
	*rest = (struct slice){rest->ptr + n, rest->len - n};
	return got;
}

static inline bool s3_made_of(struct slice s, const char *chars)
{
	for (size_t i = 0; i < s.len; i++)
		if (!s.ptr[i] || !strchr(chars, s.ptr[i]))
			return false;
	return true;
}

#endif
