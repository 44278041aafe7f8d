/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One page of ListObjectsV2, read out of its XML. Pure. What the server wrote is
 * untrusted: a key that is none of ours is passed over and counted.
 * Source: "ListObjectsV2", Amazon S3 API Reference.
 */
#ifndef SA_S3_LIST_H
#define SA_S3_LIST_H

#include "common/buf.h"
#include "common/store/store.h"

#define S3_TOKEN_MAX 8192 /* bytes of a continuation token */

struct s3_page {
	struct buf next; /* the continuation token of the next page; empty: there is none */
	size_t odd;      /* keys passed over: not below `under`, or not valid in a store */
	int stopped;     /* what fn returned when it was not 0 */
};
void s3_page_free(struct s3_page *p);
#define _cleanup_s3_page_ __attribute__((cleanup(s3_page_free))) /* always with = {0} */

/* Calls fn for each key that begins with `under`, without its first `drop` bytes. SA_ERR_INVALID:
 * no such list, or a page said to be followed by one that it does not name. fn may have been called
 * by then. */
int s3_page_read(struct slice xml, const char *under, size_t drop, store_list_fn fn, void *ctx,
		 struct s3_page *out, struct sa_err *err);

#endif
