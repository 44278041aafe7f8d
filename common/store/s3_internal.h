/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the files of the S3 store share: the store itself, one request as it is
 * built, signed, sent and repaired. s3_request signs, s3_call sends one and waits,
 * s3_put many at a time; s3_repair changes what the next signature is made of.
 */
#ifndef SA_S3_INTERNAL_H
#define SA_S3_INTERNAL_H

#include "common/aws/credentials.h"
#include "common/aws/sigv4.h"
#include "common/http/http.h"
#include "common/log.h"
#include "common/store/s3_answer.h"
#include "common/store/s3_body.h"
#include "common/store/s3_location.h"
#include "common/store/store_s3.h"

#define S3_MAX_OBJECT (5ULL << 30) /* of one PUT */
#define S3_MAX_ERROR 65536         /* bytes of an answer that is no object and no list */

struct store_s3 {
	struct store base;
	struct http *http;
	struct aws_chain *chain;
	struct sigv4 *signer;
	bool (*turn)(void *ctx);
	void *turn_ctx;
	int64_t stall_ms;

	char *url, *endpoint, *owner, *region; /* owned; NULL: not set */
	struct s3_where where;                 /* of these */
	bool region_guessed;                   /* to be looked up before the first request */
	struct s3_location at;

	struct headers put_headers; /* on every put, as the settings say */
	bool put_options;           /* they ask for more than a plain object */
	bool content_md5;
	int64_t lock_for_ms; /* 0: no lock headers */
	char *put_action;    /* what a policy must allow for a put */

	int64_t clock_off_ms;   /* the server's clock is ours and so much */
	unsigned refusals;      /* of credentials; a request remembers which it was signed after */
	struct log_limit odd;   /* keys in a list that are none of ours */
	struct log_limit moved; /* clock and region */

	struct store_put *first, *last; /* started, not yet sent; linked through priv */
	size_t n_queued, n_sent;
	size_t n_ended; /* ever */
};

/* --- s3_request.c: one request, built and signed --- */

struct s3_request {
	const char *method;
	const char *key;           /* NULL: the bucket itself */
	const char *query;         /* encoded, without '?'; NULL: none */
	const struct headers *add; /* more headers; may be NULL */
	const struct s3_sum *sum;  /* of the body; NULL: it has none */
	const char *action;        /* "s3:GetObject", for messages */
	struct slice body;         /* absent: none, or body_fd's */
	int body_fd;               /* -1: none */
	uint64_t body_size;
};

struct s3_signed {
	struct buf url;
	struct headers headers;
	int64_t now_ms; /* what it was signed with: */
	char region[S3_REGION_MAX + 1];
	unsigned refusals;
};
void s3_signed_free(struct s3_signed *s);
#define _cleanup_s3_signed_ __attribute__((cleanup(s3_signed_free))) /* always with = {0} */

/* SA_ERR_AGAIN: credentials do not come now; SA_ERR_PERM: there are none, or they are set up wrong;
 * SA_ERR_INVALID: something of it cannot be a header. Waits when credentials must be fetched. */
int s3_sign(struct store_s3 *s3, const struct s3_request *r, struct s3_signed *out,
	    struct sa_err *err);
/* What goes to the client: borrows from r and s. */
struct http_request s3_http_request(const struct store_s3 *s3, const struct s3_request *r,
				    const struct s3_signed *s, size_t max_body);
/* The message for an answer that is no success; returns a->rc. */
int s3_refused(const struct store_s3 *s3, const struct s3_request *r, const struct s3_answer *a,
	       struct sa_err *err);
/* rc and err of the client for a request that got no answer, in the store's words. */
int s3_unanswered(const struct store_s3 *s3, const char *method, int rc, const struct sa_err *why,
		  struct sa_err *err);
/* The headers of a put of key: put_headers, checksum, type, lock. */
void s3_put_headers(const struct store_s3 *s3, const char *key, const struct s3_sum *sha256,
		    const struct s3_sum *md5, struct headers *out);
/* Server time. */
int64_t s3_now(const struct store_s3 *s3);

/* --- s3_repair.c --- */

/* Whether the same request, signed anew, may fare better. done: what was tried for it already. */
bool s3_repair(struct store_s3 *s3, const struct s3_signed *s, const struct s3_answer *a,
	       unsigned *done);
/* Looks the region up, once, when nothing names it. */
void s3_find_region(struct store_s3 *s3);

/* --- s3_call.c: one request, waited for --- */

/* 0 when an answer came, whatever it says (answer, and raw with headers and body). */
int s3_call(struct store_s3 *s3, const struct s3_request *r, size_t max_body,
	    struct http_answer *raw, struct s3_answer *answer, struct sa_err *err);
/* The same for reading: 0 only for success, and a busy store is asked again a few times. */
int s3_read_call(struct store_s3 *s3, const struct s3_request *r, size_t max_body,
		 struct http_answer *raw, struct sa_err *err);

/* --- s3_put.c --- */

void s3_put_start(struct store *s, struct store_put *p);
void s3_run(struct store *s, int timeout_ms, struct pollfd *fds, size_t n);
size_t s3_in_flight(const struct store *s);
/* Ends those that were not sent yet with SA_ERR_AGAIN. */
void s3_put_drop(struct store_s3 *s3);
/* --- s3_read.c, s3_probe.c --- */

int s3_get(struct store *s, const char *key, struct buf *out, struct sa_err *err);
int s3_list(struct store *s, const char *prefix, store_list_fn fn, void *ctx, struct sa_err *err);
int s3_probe(struct store *s, const char *host, enum store_append_only *out, struct sa_err *err);

#endif
