/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* AssumeRoleWithWebIdentity: AWS Security Token Service API Reference. Unsigned: the token is the
 * proof. */

#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/aws/credentials_internal.h"
#include "common/aws/sigv4.h"
#include "common/cleanup.h"
#include "common/xml.h"

#define STS_TRY_MS 5000
#define STS_TRIES 2
#define STS_SESSION_MAX 64
#define STS_ROOT "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/"

static bool sts_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_+=,.@-", c));
}

/* What CloudTrail will show: the host. */
static void sts_session_name(struct slice given, char out[STS_SESSION_MAX + 1])
{
	char host[HOST_NAME_MAX + 1] = "";

	if (given.ptr) {
		snprintf(out, STS_SESSION_MAX + 1, "%.*s", (int)given.len, given.ptr);
		return;
	}
	gethostname(host, sizeof(host) - 1);
	snprintf(out, STS_SESSION_MAX + 1, "sessaudit-%.50s", host[0] ? host : "host");
	for (char *at = out; *at; at++) {
		if (!sts_name_char(*at))
			*at = '-';
	}
}

static int sts_regional(struct aws_chain *c, struct buf *out, struct sa_err *err)
{
	static const char *const suffixes[][2] = {{"cn-", ".cn"}, {"", ""}};
	_cleanup_buf_ struct buf region = {0};
	const char *name;
	size_t i = 0;
	int rc;

	buf_init(&region, 64);
	if (c->region)
		buf_puts(&region, c->region);
	else if ((rc = aws_region(c, &region, err)) < 0)
		return sa_wrap(err, rc, "web identity: a region is needed for STS");
	name = buf_cstr(&region);
	if (region.failed || !name[0] ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return sa_fail(err, SA_ERR_INVALID,
			       "web identity: \"%s\" is not an AWS region; set AWS_REGION, or "
			       "AWS_ENDPOINT_URL_STS",
			       name);
	while (strncmp(name, suffixes[i][0], strlen(suffixes[i][0])) != 0)
		i++;
	buf_printf(out, "https://sts.%s.amazonaws.com%s/", name, suffixes[i][1]);
	return 0;
}

static int sts_url(struct aws_chain *c, struct buf *out, struct sa_err *err)
{
	const char *given = cred_env(c, "AWS_ENDPOINT_URL_STS");
	struct slice url = slice_of(given ? given : cred_env(c, "AWS_ENDPOINT_URL"));

	if (!url.ptr)
		url = aws_profile_value(c, "endpoint_url");
	if (!url.ptr)
		return sts_regional(c, out, err);
	buf_put(out, url);
	if (url.ptr[url.len - 1] != '/')
		buf_putc(out, '/');
	return 0;
}

static int sts_read_token(const char *path, struct buf *token, struct sa_err *err)
{
	int rc = cred_read_token(path, token, err);

	if (rc < 0)
		return sa_wrap(err, rc, "web identity");
	while (token->len > 0 && (unsigned char)token->data[token->len - 1] <= ' ')
		token->len--; /* a last line end is not part of it */
	if (token->len == 0)
		return sa_fail(err, SA_ERR_AGAIN, "web identity: %s is empty", path);
	return 0;
}

static void sts_form(struct buf *body, struct slice role, const char *session, struct slice token)
{
	buf_init(body, 3 * (CRED_MAX_TOKEN + 4096));
	buf_reserve(body, 3 * (token.len + role.len + STS_SESSION_MAX) + 256);
	buf_puts(body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=");
	sigv4_encode_query(body, role);
	buf_puts(body, "&RoleSessionName=");
	sigv4_encode_query(body, slice_of(session));
	buf_puts(body, "&WebIdentityToken=");
	sigv4_encode_query(body, token);
}

static int sts_leaf(const struct http_answer *answer, const char *path, struct buf *out)
{
	buf_init(out, XML_MAX_TEXT);
	buf_reserve(out, 4096);
	return xml_find(buf_slice(&answer->body), path, out, NULL);
}

static int sts_take(const struct cred_ask *q, const struct http_answer *answer,
		    struct cred_got *got, struct sa_err *err)
{
	_cleanup_secret_ struct buf access = {0}, secret = {0}, token = {0}, end = {0};
	int rc;

	if (sts_leaf(answer, STS_ROOT "AccessKeyId", &access) < 0 ||
	    sts_leaf(answer, STS_ROOT "SecretAccessKey", &secret) < 0 ||
	    sts_leaf(answer, STS_ROOT "SessionToken", &token) < 0 ||
	    sts_leaf(answer, STS_ROOT "Expiration", &end) < 0)
		return sa_fail(err, SA_ERR_AGAIN,
			       "%s: the answer is not that of AssumeRoleWithWebIdentity", q->what);
	rc = cred_set(got, buf_slice(&access), buf_slice(&secret), buf_slice(&token), q->what, err);
	return rc < 0 ? rc : cred_set_expiry(q, answer, buf_slice(&end), got, err);
}

/* These come with status 400. */
static bool sts_is_passing(const struct http_answer *answer)
{
	static const char *const codes[] = {"IDPCommunicationError", "Throttling",
					    "ThrottlingException", "RequestLimitExceeded"};
	_cleanup_buf_ struct buf code = {0};

	if (sts_leaf(answer, "ErrorResponse/Error/Code", &code) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (slice_is(buf_slice(&code), codes[i]))
			return true;
	}
	return false;
}

static int sts_ask(struct aws_chain *c, struct cred_ask *q, struct cred_got *got,
		   struct sa_err *err)
{
	_cleanup_cred_answer_ struct http_answer answer = {0};
	_cleanup_headers_ struct headers headers = {0};
	int rc;

	headers_add(&headers, "Content-Type",
		    SLICE_LIT("application/x-www-form-urlencoded; charset=utf-8"));
	q->headers = &headers;
	if ((rc = cred_ask(c, q, &answer, err)) < 0)
		return rc;
	if (answer.status == 200)
		return sts_take(q, &answer, got, err);
	rc = cred_fail(q, &answer, err);
	if (!sts_is_passing(&answer))
		return rc;
	if (err)
		err->code = SA_ERR_AGAIN;
	return SA_ERR_AGAIN;
}

int cred_assume(struct aws_chain *c, struct slice role, struct slice token_file,
		struct slice session, struct cred_got *got, struct sa_err *err)
{
	_cleanup_secret_ struct buf token = {0}, body = {0};
	_cleanup_buf_ struct buf url = {0};
	_cleanup_free_ char *path = slice_dup(token_file);
	char name[STS_SESSION_MAX + 1];
	struct cred_ask q = {.what = "web identity",
			     .method = "POST",
			     .total_ms = STS_TRY_MS,
			     .tries = STS_TRIES};
	int rc;

	if (!path)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	buf_init(&url, 2048);
	if ((rc = sts_read_token(path, &token, err)) < 0 || (rc = sts_url(c, &url, err)) < 0)
		return rc;
	sts_session_name(session, name);
	sts_form(&body, role, name, buf_slice(&token));
	if (url.failed || body.failed)
		return sa_fail(err, SA_ERR_INVALID, "web identity: role or endpoint is too long");
	q.url = buf_cstr(&url);
	q.body = buf_slice(&body);
	q.sent = buf_slice(&token);
	snprintf(got->source, sizeof(got->source), "web identity (%.*s)", (int)role.len, role.ptr);
	return sts_ask(c, &q, got, err);
}

int cred_from_web_identity(struct aws_chain *c, struct cred_got *got, struct sa_err *err)
{
	const char *role = cred_env(c, "AWS_ROLE_ARN");
	const char *token_file = cred_env(c, "AWS_WEB_IDENTITY_TOKEN_FILE");

	if (c->profile_chosen)
		return CRED_NOT_HERE;
	if (!token_file)
		return cred_looked(c, "AWS_WEB_IDENTITY_TOKEN_FILE");
	if (!role)
		return sa_fail(err, SA_ERR_INVALID,
			       "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
	return cred_assume(c, slice_of(role), slice_of(token_file),
			   slice_of(cred_env(c, "AWS_ROLE_SESSION_NAME")), got, err);
}
