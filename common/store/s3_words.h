/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* Which characters what an admin or a server wrote is made of. For common/store/s3_*.c only. */
#ifndef SA_S3_WORDS_H
#define SA_S3_WORDS_H

#include "common/slice.h"

#define S3_LOWER "abcdefghijklmnopqrstuvwxyz"
#define S3_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define S3_DIGITS "0123456789"

static inline bool s3_made_of(struct slice s, const char *chars)
{
	for (size_t i = 0; i < s.len; i++)
		if (!s.ptr[i] || !strchr(chars, s.ptr[i]))
			return false;
	return true;
}

#endif
