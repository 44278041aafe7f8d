/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * AWS Signature Version 4 in the Authorization header, on OpenSSL's HMAC. Why not
 * libcurl's: the versions that distributions ship sign an empty body hash (7.76)
 * or sort headers wrongly (7.88). Pure: the time comes in.
 * Source: "Authenticating Requests: Using the Authorization Header", Amazon S3 API
 * Reference, and its examples.
 */
#ifndef SA_SIGV4_H
#define SA_SIGV4_H

#include <stdint.h>

#include "common/aws/credentials.h"
#include "common/buf.h"
#include "common/digest.h"
#include "common/err.h"
#include "common/http/headers.h"

#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_request {
	const char *method;
	const char *path;  /* as it goes over the wire: encoded once, begins with '/' */
	const char *query; /* the same, without '?', in any order; NULL or "" for none */
	const char *region, *service;
	const char *payload_sha256; /* 64 hex digits or UNSIGNED-PAYLOAD */
	int64_t now_ms;             /* UTC, ms since the epoch, corrected for the server's clock */
};

struct sigv4; /* keeps the signing key of a day, region and service */

struct sigv4 *sigv4_new(void);    /* NULL: out of memory */
void sigv4_free(struct sigv4 *s); /* zeroes */

/* Adds x-amz-date, x-amz-content-sha256 (service s3 only), x-amz-security-token where there is one,
 * and Authorization to headers, which must hold Host; every header in it is signed, but
 * User-Agent, Expect and Content-Length. SA_ERR_INVALID: no Host, a header list that failed. */
int sigv4_sign(struct sigv4 *s, const struct aws_credentials *c, const struct sigv4_request *r,
	       struct headers *headers, struct sa_err *err);

/* RFC 3986 percent-encoding as S3 wants it: [A-Za-z0-9-._~] stay, and '/' when keep_slash. */
void sigv4_encode_path(struct buf *out, struct slice s);
void sigv4_encode_query(struct buf *out, struct slice s); /* '/' becomes %2F */

#endif
