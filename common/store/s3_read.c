/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "common/store/s3_internal.h"
#include "common/store/s3_list.h"

#define PAGE_MAX (16u << 20) /* 1000 keys of 1024 bytes, every byte encoded, and as much again */
#define QUERY_MAX 65536
#define ASK_MAX (4u << 20)

int s3_get(struct store *s, const char *key, struct buf *out, struct sa_err *err)
{
	struct store_s3 *s3 = (struct store_s3 *)s;
	const struct s3_request r = {
		.method = "GET", .key = key, .action = "s3:GetObject", .body_fd = -1};
	_cleanup_answer_ struct http_answer raw = {0};
	size_t bound = out->max - out->len;
	/* What says that there is no object may be longer than the object. */
	int rc = s3_read_call(s3, &r, bound < S3_MAX_ERROR ? S3_MAX_ERROR : bound, &raw, err);

	if (rc != 0)
		return rc;
	if (raw.body.len > bound)
		return sa_fail(err, SA_ERR_TOOBIG, "%.150s: an object of more than %zu bytes",
			       s->name, bound);
	buf_put(out, buf_slice(&raw.body));
	return out->failed ? sa_fail(err, SA_ERR_NOMEM, "%.150s: out of memory", s->name) : 0;
}

struct s3_listing {
	struct store_s3 *s3;
	char *under; /* what the store's keys must begin with */
	store_list_fn fn;
	void *ctx;
	struct buf token; /* of the page to ask for; empty: the first */
	struct buf kept;  /* see s3_goes_round */
	size_t pages, keep_at, odd;
};

static void s3_listing_free(struct s3_listing *l)
{
	free(l->under);
	buf_free(&l->token);
	buf_free(&l->kept);
}

static int s3_ask_page(struct s3_listing *l, struct http_answer *raw, struct sa_err *err)
{
	_cleanup_buf_ struct buf query = {0};
	struct s3_request r = {.method = "GET", .action = "s3:ListBucket", .body_fd = -1};

	buf_init(&query, QUERY_MAX);
	buf_puts(&query, "list-type=2&encoding-type=url&prefix=");
	sigv4_encode_query(&query, slice_of(l->under));
	if (l->token.len > 0) {
		buf_puts(&query, "&continuation-token=");
		sigv4_encode_query(&query, buf_slice(&l->token));
	}
	r.query = buf_cstr(&query);
	if (query.failed)
		return sa_fail(err, SA_ERR_INVALID, "%.150s: prefix too long", l->s3->base.name);
	return s3_read_call(l->s3, &r, PAGE_MAX, raw, err);
}

/* A token that was there before would go round for ever. Each is compared with one that is kept,
 * and at every power of two the newest is kept (Brent): finds a ring of any length with one in
 * memory. */
static bool s3_goes_round(struct s3_listing *l, struct slice token)
{
	if (l->kept.len > 0 && slice_eq(buf_slice(&l->kept), token))
		return true;
	if (++l->pages > l->keep_at) {
		l->keep_at = l->pages * 2;
		buf_clear(&l->kept);
		buf_put(&l->kept, token);
	}
	return false;
}

/* One page; leaves the next one's token. *stopped: what fn returned when it was not 0. */
static int s3_list_step(struct s3_listing *l, int *stopped, struct sa_err *err)
{
	_cleanup_answer_ struct http_answer raw = {0};
	_cleanup_s3_page_ struct s3_page page = {0};
	int rc = s3_ask_page(l, &raw, err);

	if (rc != 0)
		return rc;
	rc = s3_page_read(buf_slice(&raw.body), l->under, strlen(l->s3->at.prefix), l->fn, l->ctx,
			  &page, err);
	if (rc != 0)
		return sa_wrap(err, rc, "%.150s", l->s3->base.name);
	*stopped = page.stopped;
	l->odd += page.odd;
	if (s3_goes_round(l, buf_slice(&page.next)))
		return sa_fail(err, SA_ERR_INVALID,
			       "%.150s: the list of objects goes round in a ring",
			       l->s3->base.name);
	buf_clear(&l->token);
	buf_put(&l->token, buf_slice(&page.next));
	return l->token.failed || l->kept.failed
		       ? sa_fail(err, SA_ERR_NOMEM, "%.150s: out of memory", l->s3->base.name)
		       : 0;
}

int s3_list(struct store *s, const char *prefix, store_list_fn fn, void *ctx, struct sa_err *err)
{
	struct store_s3 *s3 = (struct store_s3 *)s;
	_cleanup_(s3_listing_free) struct s3_listing l = {.s3 = s3, .fn = fn, .ctx = ctx};
	int stopped = 0, rc;

	buf_init(&l.token, S3_TOKEN_MAX);
	buf_init(&l.kept, S3_TOKEN_MAX);
	if (asprintf(&l.under, "%s%s", s3->at.prefix, prefix) < 0) {
		l.under = NULL;
		return sa_fail(err, SA_ERR_NOMEM, "%.150s: out of memory", s->name);
	}
	do
		rc = s3_list_step(&l, &stopped, err);
	while (rc == 0 && stopped == 0 && l.token.len > 0);
	if (l.odd > 0)
		log_limited(&s3->odd, LOG_LEVEL_WARN, "event=odd_keys store=%s passed_over=%zu",
			    s->name, l.odd);
	return rc ? rc : stopped;
}

void s3_reply_free(struct s3_reply *r)
{
	headers_clear(&r->headers);
	buf_free(&r->body);
}

/* The answer is the caller's to judge: doctor asks about what may be missing. */
int store_s3_ask(struct store *s, const char *method, const char *key, const char *query,
		 struct s3_reply *out, struct sa_err *err)
{
	struct s3_request r = {.method = method, .key = key, .action = "", .body_fd = -1};
	_cleanup_answer_ struct http_answer raw = {0};
	struct s3_answer answer;
	int rc;

	if (!store_s3_location(s))
		return sa_fail(err, SA_ERR_INVALID, "%s: not a store in S3", s->name);
	query += *query == '?';
	r.query = *query ? query : NULL;
	rc = s3_call((struct store_s3 *)s, &r, ASK_MAX, &raw, &answer, err);
	if (rc != 0)
		return rc;
	s3_reply_free(out);
	out->status = answer.status;
	memcpy(out->code, answer.code, sizeof(out->code));
	out->headers = raw.headers;
	out->body = raw.body;
	raw.headers = (struct headers){0};
	raw.body = (struct buf){0};
	return 0;
}
