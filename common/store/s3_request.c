/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/store/s3_internal.h"

#define URL_MAX 16384 /* a key of 1024 bytes and a prefix of 1024, every byte encoded */

void s3_signed_free(struct s3_signed *s)
{
	buf_free(&s->url);
	headers_clear(&s->headers);
}

int64_t s3_now(const struct store_s3 *s3)
{
	return clock_real_ms() + s3->clock_off_ms;
}

/* Encoded once: the path that is signed is the one that goes over the wire. */
static void s3_path(const struct s3_location *at, const char *key, struct buf *out)
{
	buf_puts(out, at->base);
	if (!key)
		return;
	sigv4_encode_path(out, slice_of(at->prefix));
	sigv4_encode_path(out, slice_of(key));
}

static const char *s3_content_type(const char *key)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{".jsonl.gz", "application/gzip"},
		{".json", "application/json"},
		{".txt", "text/plain; charset=utf-8"},
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (slice_ends(slice_of(key), types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

void s3_put_headers(const struct store_s3 *s3, const char *key, const struct s3_sum *sha256,
		    const struct s3_sum *md5, struct headers *out)
{
	char until[CLOCK_TEXT_SIZE];

	headers_add(out, "Content-Type", slice_of(s3_content_type(key)));
	headers_add(out, "If-None-Match", SLICE_LIT("*"));
	headers_add(out, "x-amz-sdk-checksum-algorithm", SLICE_LIT("SHA256"));
	headers_add(out, "x-amz-checksum-sha256", slice_of(sha256->base64));
	if (md5)
		headers_add(out, "Content-MD5", slice_of(md5->base64));
	for (size_t i = 0; i < s3->put_headers.len; i++)
		headers_add(out, s3->put_headers.items[i].name,
			    slice_of(s3->put_headers.items[i].value));
	if (s3->lock_for_ms > 0) {
		clock_format_utc(s3_now(s3) + s3->lock_for_ms, until);
		headers_add(out, "x-amz-object-lock-retain-until-date", slice_of(until));
	}
}

static int s3_credentials(struct store_s3 *s3, const struct aws_credentials **out,
			  struct sa_err *err)
{
	int rc = aws_chain_get(s3->chain, out, err);

	if (rc == 0)
		return 0;
	if (rc != SA_ERR_AGAIN && rc != SA_ERR_NOMEM)
		rc = SA_ERR_PERM;
	if (err)
		err->code = rc;
	return sa_wrap(err, rc, "%.150s", s3->base.name);
}

static void s3_headers(const struct store_s3 *s3, const struct s3_request *r, struct headers *h)
{
	headers_add(h, "Host", slice_of(s3->at.host));
	if (s3->owner)
		headers_add(h, "x-amz-expected-bucket-owner", slice_of(s3->owner));
	for (size_t i = 0; r->add && i < r->add->len; i++)
		headers_add(h, r->add->items[i].name, slice_of(r->add->items[i].value));
	if (r->add && r->add->failed)
		h->failed = true; /* a put without its condition would write over what is there */
}

int s3_sign(struct store_s3 *s3, const struct s3_request *r, struct s3_signed *out,
	    struct sa_err *err)
{
	const struct aws_credentials *credentials = NULL;
	_cleanup_buf_ struct buf path = {0};
	struct sigv4_request q = {.method = r->method, .query = r->query, .service = "s3"};
	int rc;

	s3_find_region(s3);
	rc = s3_credentials(s3, &credentials, err);
	if (rc != 0)
		return rc;
	buf_init(&path, URL_MAX);
	s3_signed_free(out); /* of the attempt before */
	buf_init(&out->url, URL_MAX);
	s3_path(&s3->at, r->key, &path);
	s3_headers(s3, r, &out->headers);
	out->now_ms = s3_now(s3);
	out->refusals = s3->refusals;
	snprintf(out->region, sizeof(out->region), "%s", s3->at.region);
	q.path = buf_cstr(&path);
	q.region = out->region;
	q.payload_sha256 = r->sum ? r->sum->hex : SIGV4_EMPTY_SHA256;
	q.now_ms = out->now_ms;
	buf_printf(&out->url, "%s%s%s%s", s3->at.origin, q.path, r->query ? "?" : "",
		   r->query ? r->query : "");
	(void)buf_cstr(&out->url); /* ends it with a NUL */
	if (path.failed || out->url.failed)
		return sa_fail(err, SA_ERR_INVALID, "%.150s: the key is too long", s3->base.name);
	rc = sigv4_sign(s3->signer, credentials, &q, &out->headers, err);
	return rc ? sa_wrap(err, rc, "%.150s", s3->base.name) : 0;
}

/* A server that answers a byte now and then must not hold a put for ever: 4 KB/s is the least. */
static int64_t s3_total_ms(const struct store_s3 *s3, uint64_t bytes)
{
	return 10 * s3->stall_ms + (int64_t)(bytes / 4);
}

struct http_request s3_http_request(const struct store_s3 *s3, const struct s3_request *r,
				    const struct s3_signed *s, size_t max_body)
{
	return (struct http_request){
		.method = r->method,
		.url = s->url.data,
		.headers = &s->headers,
		.body = r->body,
		.body_fd = r->body_fd,
		.body_size = r->body_size,
		.max_body = max_body,
		.total_ms = s3_total_ms(s3, r->body_size + max_body),
	};
}

int s3_refused(const struct store_s3 *s3, const struct s3_request *r, const struct s3_answer *a,
	       struct sa_err *err)
{
	const char *name = s3->at.bucket;
	_cleanup_buf_ struct buf resource = {0};
	struct s3_asked q = {.store = s3->base.name,
			     .method = r->method,
			     .action = r->action,
			     .credentials = aws_chain_source(s3->chain),
			     .owner = s3->owner};

	buf_init(&resource, 4096);
	if (!s3->at.access_point)
		buf_printf(&resource, "arn:%s:s3:::", s3->at.partition);
	buf_puts(&resource, name);
	if (r->key)
		buf_printf(&resource, "/%s%.150s*", s3->at.access_point ? "object/" : "",
			   s3->at.prefix);
	q.resource = buf_cstr(&resource);
	return s3_answer_fail(a, &q, err);
}

int s3_unanswered(const struct store_s3 *s3, const char *method, int rc, const struct sa_err *why,
		  struct sa_err *err)
{
	/* A broken answer says nothing about the object. */
	if (rc != SA_ERR_PERM && rc != SA_ERR_IO && rc != SA_ERR_TOOBIG)
		rc = SA_ERR_AGAIN;
	return sa_fail(err, rc, "%.150s: %s: %.250s", s3->base.name, method, why->msg);
}
