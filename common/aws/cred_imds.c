/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* "Use the Instance Metadata Service to access instance metadata", Amazon EC2 User Guide: version 2
 * only. What answers without a token could be any service that a request was tricked to. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "common/aws/credentials_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"

#define IMDS_TRY_MS 1000
#define IMDS_TRIES 3
#define IMDS_TOKEN_S 21600 /* the longest there is */
#define IMDS_MARGIN_MS 60000
#define IMDS_ROLES "/latest/meta-data/iam/security-credentials/"
#define IMDS_WHAT "instance metadata"

static bool imds_is_off(const struct aws_chain *c)
{
	const char *off = cred_env(c, "AWS_EC2_METADATA_DISABLED");

	return off && strcasecmp(off, "true") == 0;
}

static int imds_url(const struct aws_chain *c, const char *path, struct buf *out,
		    struct sa_err *err)
{
	const char *given = cred_env(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = cred_env(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	bool v6 = mode && strcasecmp(mode, "IPv6") == 0;

	buf_init(out, 2048);
	buf_puts(out, given ? given : v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
	while (out->len > 0 && out->data[out->len - 1] == '/')
		out->len--;
	buf_puts(out, path);
	if (out->failed)
		return sa_fail(err, SA_ERR_INVALID,
			       "AWS_EC2_METADATA_SERVICE_ENDPOINT is too long");
	return 0;
}

static void imds_forget_token(struct aws_chain *c)
{
	if (c->imds_token)
		OPENSSL_cleanse(c->imds_token, strlen(c->imds_token));
	free(c->imds_token);
	c->imds_token = NULL;
}

static int imds_send(struct aws_chain *c, const char *method, const char *path,
		     const struct headers *headers, struct http_answer *answer, struct sa_err *err)
{
	_cleanup_buf_ struct buf url = {0};
	int rc = imds_url(c, path, &url, err);

	if (rc < 0)
		return rc;
	return cred_ask(c,
			&(const struct cred_ask){
				.what = IMDS_WHAT,
				.method = method,
				.url = buf_cstr(&url),
				.headers = headers,
				.direct = true,
				.total_ms = IMDS_TRY_MS,
				.tries = IMDS_TRIES,
				.sent = slice_of(c->imds_token ? c->imds_token : ""),
			},
			answer, err);
}

static int64_t imds_token_life_ms(const struct http_answer *answer)
{
	const char *text = headers_get(&answer->headers, "x-aws-ec2-metadata-token-ttl-seconds");
	long s = text ? strtol(text, NULL, 10) : IMDS_TOKEN_S;

	return (s > 0 && s <= IMDS_TOKEN_S ? s : IMDS_TOKEN_S) * INT64_C(1000);
}

/* CRED_NOT_HERE: something answers that knows no tokens. */
static int imds_new_token(struct aws_chain *c, struct sa_err *err)
{
	_cleanup_cred_answer_ struct http_answer answer = {0};
	_cleanup_headers_ struct headers headers = {0};
	int rc;

	imds_forget_token(c);
	headers_add(&headers, "x-aws-ec2-metadata-token-ttl-seconds", SLICE_LIT("21600"));
	if ((rc = imds_send(c, "PUT", "/latest/api/token", &headers, &answer, err)) < 0)
		return rc;
	if (answer.status == 403)
		return sa_fail(err, SA_ERR_PERM,
			       IMDS_WHAT ": answer 403; is it switched off for this instance?");
	if (answer.status != 200 || answer.body.len == 0)
		return CRED_NOT_HERE;
	c->imds_token = slice_dup(buf_slice(&answer.body));
	if (!c->imds_token)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	c->imds_token_end_ms = clock_mono_ms() + imds_token_life_ms(&answer) - IMDS_MARGIN_MS;
	return 0;
}

static int imds_get_once(struct aws_chain *c, const char *path, struct http_answer *answer,
			 struct sa_err *err)
{
	_cleanup_headers_ struct headers headers = {0};
	int rc;

	if (!c->imds_token || clock_mono_ms() >= c->imds_token_end_ms) {
		if ((rc = imds_new_token(c, err)) != 0)
			return rc;
	}
	headers_add(&headers, "x-aws-ec2-metadata-token", slice_of(c->imds_token));
	if (headers.failed)
		return sa_fail(err, SA_ERR_AGAIN, IMDS_WHAT ": its token cannot be one");
	return imds_send(c, "GET", path, &headers, answer, err);
}

/* 0: there was an answer, of any status below 500. */
static int imds_get(struct aws_chain *c, const char *path, struct http_answer *answer,
		    struct sa_err *err)
{
	int rc = imds_get_once(c, path, answer, err);

	if (rc == 0 && answer->status == 401) { /* the token is no longer good */
		imds_forget_token(c);
		rc = imds_get_once(c, path, answer, err);
	}
	return rc;
}

static bool imds_name_char(char ch)
{
	return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
	       (ch && strchr("+=,.@_-", ch));
}

/* The first line, which is all there is. */
static int imds_role(struct aws_chain *c, struct buf *role, struct sa_err *err)
{
	_cleanup_cred_answer_ struct http_answer answer = {0};
	const struct cred_ask q = {.what = IMDS_WHAT};
	int rc = imds_get(c, IMDS_ROLES, &answer, err);
	size_t n = 0;

	if (rc != 0)
		return rc == CRED_NOT_HERE ? cred_looked(c, IMDS_WHAT " (no version 2)") : rc;
	if (answer.status == 404 || (answer.status == 200 && answer.body.len == 0))
		return cred_looked(c, IMDS_WHAT " (the instance has no role)");
	if (answer.status != 200)
		return cred_fail(&q, &answer, err);
	while (n < answer.body.len && imds_name_char(answer.body.data[n]))
		n++;
	if (n == 0 || (n < answer.body.len && !strchr("\r\n", answer.body.data[n])))
		return sa_fail(err, SA_ERR_AGAIN, IMDS_WHAT ": what it calls a role is none");
	buf_init(role, 128);
	buf_append(role, answer.body.data, n);
	return role->failed ? sa_fail(err, SA_ERR_AGAIN, IMDS_WHAT ": a role of %zu bytes", n) : 0;
}

int cred_from_imds(struct aws_chain *c, struct cred_got *got, struct sa_err *err)
{
	_cleanup_cred_answer_ struct http_answer answer = {0};
	_cleanup_buf_ struct buf role = {0}, path = {0};
	struct cred_ask q = {.what = IMDS_WHAT};
	int rc;

	if (imds_is_off(c))
		return cred_looked(c, IMDS_WHAT " (AWS_EC2_METADATA_DISABLED)");
	if ((rc = imds_role(c, &role, err)) != 0)
		return rc;
	buf_init(&path, 256);
	buf_printf(&path, IMDS_ROLES "%s", buf_cstr(&role));
	if ((rc = imds_get(c, buf_cstr(&path), &answer, err)) != 0)
		return rc == CRED_NOT_HERE ? cred_looked(c, IMDS_WHAT " (no version 2)") : rc;
	snprintf(got->source, sizeof(got->source), IMDS_WHAT " (role %s)", buf_cstr(&role));
	q.sent = slice_of(c->imds_token);
	return cred_from_json(&q, &answer, got, err);
}

static int imds_region(struct aws_chain *c, struct buf *out, struct sa_err *err)
{
	_cleanup_cred_answer_ struct http_answer answer = {0};
	size_t n = 0;
	int rc;

	if (imds_is_off(c))
		return sa_fail(err, SA_ERR_NOTFOUND, IMDS_WHAT " is switched off");
	rc = imds_get(c, "/latest/meta-data/placement/region", &answer, err);
	if (rc == CRED_NOT_HERE)
		return sa_fail(err, SA_ERR_NOTFOUND, IMDS_WHAT " has no version 2");
	if (rc < 0)
		return rc;
	while (n < answer.body.len && imds_name_char(answer.body.data[n]))
		n++;
	if (answer.status != 200 || n == 0 || n > 64 || n < answer.body.len)
		return sa_fail(err, SA_ERR_NOTFOUND, IMDS_WHAT ": answer %d has no region",
			       answer.status);
	buf_append(out, answer.body.data, n);
	return 0;
}

/* Whatever is the matter there, the answer is that no region is known. */
int cred_imds_region(struct aws_chain *c, struct buf *out, struct sa_err *err)
{
	struct sa_err why = {0};

	if (imds_region(c, out, &why) == 0)
		return 0;
	return sa_fail(err, SA_ERR_NOTFOUND, "no AWS region in AWS_REGION, profile %s, and %s",
		       c->profile, why.msg);
}
