/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "common/aws/credentials_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/json.h"
#include "common/xml.h"

#define CRED_MAX_KEY 1024
#define CRED_MAX_SESSION 15360 /* goes into a header with HEADERS_MAX_VALUE */
#define CRED_MAX_WORDS 160     /* of a service, in a message */
#define CRED_ECHO 16           /* so many bytes of a secret are too many */

static void cred_wipe(struct slice s)
{
	if (s.ptr)
		OPENSSL_cleanse((char *)(uintptr_t)s.ptr, s.len);
}

void cred_answer_free(struct http_answer *a)
{
	cred_wipe((struct slice){a->body.data, a->body.cap});
	http_answer_free(a);
}

int cred_ask(struct aws_chain *c, const struct cred_ask *q, struct http_answer *answer,
	     struct sa_err *err)
{
	const struct http_request r = {
		.method = q->method,
		.url = q->url,
		.headers = q->headers,
		.body = q->body,
		.body_fd = -1,
		.max_body = CRED_MAX_ANSWER,
		.direct = q->direct,
		.total_ms = q->total_ms,
	};
	int rc = SA_ERR_AGAIN;

	for (unsigned i = 0; i < q->tries; i++) {
		cred_answer_free(answer);
		rc = http_perform(c->http, &r, answer, err);
		if (rc == 0 && answer->status < 500 && answer->status != 429)
			return 0;
		if (rc != 0 && rc != SA_ERR_AGAIN)
			break;
	}
	return rc < 0 ? sa_wrap(err, rc, "%s", q->what) : cred_fail(q, answer, err);
}

/* Printable, short, and nothing of what was sent. */
static void cred_quote(const struct cred_ask *q, struct slice said, struct buf *out)
{
	struct slice sent = {q->sent.ptr, q->sent.len < CRED_ECHO ? q->sent.len : CRED_ECHO};

	if (said.len == 0 || (sent.len > 0 && memmem(said.ptr, said.len, sent.ptr, sent.len)))
		return;
	said.len = escape_utf8_cut(said, CRED_MAX_WORDS);
	buf_puts(out, ": ");
	escape_terminal(out, said);
}

static void cred_json_words(const struct cred_ask *q, struct slice body, struct buf *out)
{
	_cleanup_json_ struct json *j = NULL;
	struct slice code, message;

	if (json_parse(body.ptr, body.len, &j, NULL) < 0)
		return;
	code = json_get_str(j, "Code");
	message = json_get_str(j, "Message");
	cred_quote(q, code.ptr ? code : json_get_str(j, "code"), out);
	cred_quote(q, message.ptr ? message : json_get_str(j, "message"), out);
}

static void cred_xml_words(const struct cred_ask *q, struct slice body, struct buf *out)
{
	static const char *const paths[] = {"ErrorResponse/Error/Code",
					    "ErrorResponse/Error/Message"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		_cleanup_buf_ struct buf text = {0};

		buf_init(&text, XML_MAX_TEXT);
		if (xml_find(body, paths[i], &text, NULL) == 0)
			cred_quote(q, buf_slice(&text), out);
	}
}

/* "": none; else ": Code: Message". EKS answers in plain text; a page of HTML says nothing. */
static void cred_words(const struct cred_ask *q, struct slice body, struct buf *out)
{
	if (slice_starts(body, "{"))
		cred_json_words(q, body, out);
	else if (slice_starts(body, "<"))
		cred_xml_words(q, body, out);
	else
		cred_quote(q, body, out);
}

int cred_fail(const struct cred_ask *q, const struct http_answer *answer, struct sa_err *err)
{
	_cleanup_buf_ struct buf words = {0};
	int status = answer->status, code = SA_ERR_INVALID;

	if (status == 401 || status == 403)
		code = SA_ERR_PERM;
	else if (status == 429 || status >= 500)
		code = SA_ERR_AGAIN;
	buf_init(&words, 1024);
	cred_words(q, buf_slice(&answer->body), &words);
	return sa_fail(err, code, "%s: answer %d%s", q->what, status, buf_cstr(&words));
}

static bool cred_is_text(struct slice s, size_t max)
{
	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
			return false;
	}
	return true;
}

int cred_set(struct cred_got *got, struct slice access, struct slice secret, struct slice token,
	     const char *what, struct sa_err *err)
{
	struct aws_credentials c = {0};

	if (!cred_is_text(access, CRED_MAX_KEY) || !cred_is_text(secret, CRED_MAX_KEY))
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: an access key or secret key with blanks or strange characters",
			       what);
	if (token.len > 0 && !cred_is_text(token, CRED_MAX_SESSION))
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: a session token with blanks or strange characters", what);
	c.access_key = slice_dup(access);
	c.secret_key = slice_dup(secret);
	c.session_token = token.len > 0 ? slice_dup(token) : NULL;
	if (!c.access_key || !c.secret_key || (token.len > 0 && !c.session_token)) {
		aws_credentials_clear(&c);
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	}
	aws_credentials_clear(&got->c);
	got->c = c;
	return 0;
}

/* Counted from the Date of the answer where it has one: this host's clock may be wrong, and the
 * credentials good all the same. */
int cred_set_expiry(const struct cred_ask *q, const struct http_answer *answer, struct slice text,
		    struct cred_got *got, struct sa_err *err)
{
	const char *date = headers_get(&answer->headers, "Date");
	int64_t now = clock_real_ms(), theirs = now, end;

	if (clock_parse_utc(text, &end) < 0)
		return sa_fail(err, SA_ERR_AGAIN, "%s: the answer's Expiration is not a time",
			       q->what);
	if (date && http_date(date, &theirs) < 0)
		theirs = now;
	if (end <= theirs)
		return sa_fail(err, SA_ERR_AGAIN,
			       "%s: its credentials had expired when it gave them (%.*s); is the "
			       "clock right?",
			       q->what, (int)text.len, text.ptr);
	got->c.expires_ms = now + (end - theirs);
	return 0;
}

static int cred_take_json(const struct cred_ask *q, const struct http_answer *answer,
			  const struct json *j, struct cred_got *got, struct sa_err *err)
{
	struct slice code = json_get_str(j, "Code"), end = json_get_str(j, "Expiration");
	struct slice access = json_get_str(j, "AccessKeyId");
	struct slice secret = json_get_str(j, "SecretAccessKey");
	int rc;

	if (code.ptr && !slice_is(code, "Success")) {
		_cleanup_buf_ struct buf words = {0};

		buf_init(&words, 1024);
		cred_quote(q, code, &words);
		cred_quote(q, json_get_str(j, "Message"), &words);
		return sa_fail(err, SA_ERR_PERM, "%s%s", q->what, buf_cstr(&words));
	}
	if (!access.ptr || !secret.ptr)
		return sa_fail(err, SA_ERR_AGAIN,
			       "%s: the answer has no AccessKeyId or no SecretAccessKey", q->what);
	if ((rc = cred_set(got, access, secret, json_get_str(j, "Token"), q->what, err)) < 0)
		return rc;
	if (!json_get(j, "Expiration") || json_is(json_get(j, "Expiration"), JSON_NULL))
		return 0;
	return cred_set_expiry(q, answer, end, got, err);
}

int cred_from_json(const struct cred_ask *q, const struct http_answer *answer, struct cred_got *got,
		   struct sa_err *err)
{
	_cleanup_json_ struct json *j = NULL;
	struct slice body = buf_slice(&answer->body);
	int rc;

	if (answer->status != 200)
		return cred_fail(q, answer, err);
	if (json_parse(body.ptr, body.len, &j, NULL) < 0 || !json_is(j, JSON_OBJECT))
		return sa_fail(err, SA_ERR_AGAIN, "%s: the answer is not a JSON object", q->what);
	rc = cred_take_json(q, answer, j, got, err);
	/* the tree is a copy of its own */
	cred_wipe(json_get_str(j, "SecretAccessKey"));
	cred_wipe(json_get_str(j, "Token"));
	return rc;
}
