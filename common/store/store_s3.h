/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A bucket as a store, and what `sessaudit doctor` asks about it beyond that.
 * Objects are written with If-None-Match: * and x-amz-checksum-sha256. Repairs by
 * itself, without the caller's knowing: a clock that is off (the answer's Date), a
 * bucket in another region (x-amz-bucket-region), expired credentials.
 */
#ifndef SA_STORE_S3_H
#define SA_STORE_S3_H

#include "common/aws/credentials.h"
#include "common/http/http.h"
#include "common/store/s3_location.h"
#include "common/store/store.h"

/* From the store.s3_* settings. env as in credentials.h (NULL: the process's); AWS_ENDPOINT_URL_S3
 * and AWS_ENDPOINT_URL name the endpoint when the settings do not. */
int store_s3_open(const struct settings *set, bool (*turn)(void *ctx), void *turn_ctx,
		  const char *(*env)(void *ctx, const char *name), void *env_ctx,
		  struct store **out, struct sa_err *err);

/* NULL when s is not an S3 store. Where nothing names the region the first call may ask the
 * instance's metadata for it (a second at most). Valid until the next call of any function. */
const struct s3_location *store_s3_location(struct store *s);
const char *store_s3_credentials(struct store *s); /* aws_chain_source */

/* One signed request about the bucket ("versioning", "object-lock", "policy" ...; "" for HEAD) or
 * about an object; waited for, with the same repairs. key NULL: the bucket. status is the HTTP
 * status and code the S3 error code ("" for none), whatever they are. out is emptied first.
 * SA_ERR_AGAIN: no answer. SA_ERR_TOOBIG: one of more than 4 MiB. */
struct s3_reply {
	int status;
	char code[64];
	struct headers headers;
	struct buf body;
};
void s3_reply_free(struct s3_reply *r);
#define _cleanup_s3_reply_ __attribute__((cleanup(s3_reply_free))) /* always with = {0} */
int store_s3_ask(struct store *s, const char *method, const char *key, const char *query,
		 struct s3_reply *out, struct sa_err *err);

#endif
