/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/store/s3_confirm.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MD5_DIGITS 32

static bool s3_etag_md5(const struct headers *h, char out[MD5_DIGITS + 1])
{
	const char *sse = headers_get(h, "x-amz-server-side-encryption");
	const char *etag = headers_get(h, "ETag");

	if (!etag || strlen(etag) != MD5_DIGITS + 2 || etag[0] != '"' ||
	    etag[MD5_DIGITS + 1] != '"' ||
	    strspn(etag + 1, "0123456789abcdefABCDEF") != MD5_DIGITS ||
	    (sse && strcmp(sse, "AES256") != 0))
		return false;
	memcpy(out, etag + 1, MD5_DIGITS);
	out[MD5_DIGITS] = '\0';
	return true;
}

const char *s3_doubt(const struct http_answer *a, const struct s3_sum *sha256,
		     const struct s3_sum *md5)
{
	const char *sum = headers_get(&a->headers, "x-amz-checksum-sha256");
	const char *etag = headers_get(&a->headers, "ETag");
	char theirs[MD5_DIGITS + 1];

	/* A proxy's or portal's page is a 200 too. */
	if (a->status != 200 || !etag || !*etag)
		return "this is no answer of S3: it has no ETag";
	if (sum && strcmp(sum, sha256->base64) != 0)
		return "its checksum is not that of what was sent";
	if (md5 && s3_etag_md5(&a->headers, theirs) && strcasecmp(theirs, md5->hex) != 0)
		return "its ETag is not the MD5 of what was sent";
	return NULL;
}

static enum s3_same s3_same_md5(const struct s3_body *ours, const char *theirs)
{
	struct s3_sum md5;

	if (s3_body_md5(ours, &md5, NULL) != 0)
		return S3_CANNOT_TELL;
	return strcasecmp(theirs, md5.hex) == 0 ? S3_SAME : S3_OTHER;
}

/* A checksum over parts has "-N" behind it and says nothing about the whole. */
enum s3_same s3_compare(const struct headers *h, const struct s3_body *ours,
			const struct s3_sum *sha256)
{
	const char *sum = headers_get(h, "x-amz-checksum-sha256");
	const char *length = headers_get(h, "Content-Length");
	char md5[MD5_DIGITS + 1], size[24];

	if (sum && !strchr(sum, '-'))
		return strcmp(sum, sha256->base64) == 0 ? S3_SAME : S3_OTHER;
	snprintf(size, sizeof(size), "%llu", (unsigned long long)ours->size);
	if (length && strcmp(length, size) != 0)
		return S3_OTHER;
	return length && s3_etag_md5(h, md5) ? s3_same_md5(ours, md5) : S3_CANNOT_TELL;
}
