/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The bytes of an object that is about to be sent, and their hashes. A small object,
 * as nearly all are, is read once and kept until it is sent; a big one is never in
 * memory as a whole.
 */
#ifndef SA_S3_BODY_H
#define SA_S3_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/err.h"

#define S3_BASE64_SIZE 48 /* of a SHA-256, with the NUL */

#define S3_BODY_SMALL 262144 /* bytes */

struct s3_body {
	int fd; /* borrowed; read from its start, size bytes */
	uint64_t size;
	char *bytes; /* owned; of a small one, after s3_body_read; else NULL */
	/* Called every few MiB; false ends it with SA_ERR_AGAIN. May be NULL. */
	bool (*turn)(void *ctx);
	void *turn_ctx;
};

struct s3_sum {
	char hex[DIGEST_HEX_SIZE], base64[S3_BASE64_SIZE];
};

/* Reads a small one (again). SA_ERR_IO: fd ends before size, or cannot be read. */
int s3_body_read(struct s3_body *b, struct sa_err *err);
void s3_body_free(struct s3_body *b);
/* SA_ERR_IO as above, for a big one. */
int s3_body_sha256(const struct s3_body *b, struct s3_sum *out, struct sa_err *err);
/* SA_ERR_UNSUPPORTED: no MD5 here (FIPS mode). */
int s3_body_md5(const struct s3_body *b, struct s3_sum *out, struct sa_err *err);
#endif
