/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Whether the store holds our bytes: by the answer to a put, which must be beyond
 * doubt before a local copy goes, and by the headers of an object that is there.
 * Source: "Checking object integrity", Amazon S3 User Guide; an ETag is an MD5 only
 * of objects that came in one piece and that no key service encrypted.
 */
#ifndef SA_S3_CONFIRM_H
#define SA_S3_CONFIRM_H

#include "common/http/http.h"
#include "common/store/s3_body.h"

/* Of a 2xx to a put: what is wrong with it, NULL when nothing is. md5: NULL when none was sent. */
const char *s3_doubt(const struct http_answer *a, const struct s3_sum *sha256,
		     const struct s3_sum *md5);

enum s3_same { S3_SAME, S3_OTHER, S3_CANNOT_TELL };
/* Of an object's headers; reads ours again when only an MD5 can tell. */
enum s3_same s3_compare(const struct headers *h, const struct s3_body *ours,
			const struct s3_sum *sha256);

#endif
