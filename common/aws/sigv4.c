/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/aws/sigv4.h"
#include "common/aws/sigv4_canonical.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define SIGV4_MAX_MADE_OF 4096
#define SIGV4_MAX_SCOPE 512
#define SIGV4_STAMP_SIZE 17 /* "20130524T000000Z" */
#define SIGV4_DAY_LEN 8

struct sigv4 {
	/* What the key was made of: "AWS4" and the secret, NUL, the scope. Empty: no key. */
	struct buf made_of;
	unsigned char key[DIGEST_SIZE];
};

static void sigv4_forget(struct sigv4 *s)
{
	if (s->made_of.data)
		OPENSSL_cleanse(s->made_of.data, s->made_of.cap);
	buf_clear(&s->made_of);
	OPENSSL_cleanse(s->key, sizeof(s->key));
}

struct sigv4 *sigv4_new(void)
{
	struct sigv4 *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	buf_init(&s->made_of, SIGV4_MAX_MADE_OF);
	/* all of it now: growing would leave copies of the secret behind */
	if (!buf_reserve(&s->made_of, SIGV4_MAX_MADE_OF)) {
		sigv4_free(s);
		return NULL;
	}
	return s;
}

void sigv4_free(struct sigv4 *s)
{
	if (!s)
		return;
	sigv4_forget(s);
	buf_free(&s->made_of);
	free(s);
}

static void sigv4_encode(struct buf *out, struct slice s, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slash)) {
			buf_putc(out, (char)c);
			continue;
		}
		buf_putc(out, '%');
		buf_putc(out, digits[c >> 4]);
		buf_putc(out, digits[c & 15]);
	}
}

void sigv4_encode_path(struct buf *out, struct slice s)
{
	sigv4_encode(out, s, true);
}

void sigv4_encode_query(struct buf *out, struct slice s)
{
	sigv4_encode(out, s, false);
}

static int sigv4_hmac(const unsigned char *key, size_t key_len, struct slice text,
		      unsigned char out[DIGEST_SIZE])
{
	unsigned len = 0;
	const unsigned char *ok = HMAC(EVP_sha256(), key, (int)key_len,
				       (const unsigned char *)text.ptr, text.len, out, &len);

	return ok && len == DIGEST_SIZE ? 0 : SA_ERR_NOMEM;
}

/* The key of the day's first step, "AWS4" and the secret, is the first string of made_of. */
static int sigv4_derive(struct sigv4 *s, struct slice day, const struct sigv4_request *r)
{
	const struct slice parts[] = {day, slice_of(r->region), slice_of(r->service),
				      SLICE_LIT("aws4_request")};
	const unsigned char *from = (const unsigned char *)s->made_of.data;
	size_t from_len = strlen(s->made_of.data);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(parts); i++) {
		unsigned char next[DIGEST_SIZE] = {0};

		rc = sigv4_hmac(from, from_len, parts[i], next);
		memcpy(s->key, next, sizeof(next));
		OPENSSL_cleanse(next, sizeof(next));
		from = s->key;
		from_len = sizeof(s->key);
	}
	return rc;
}

static bool sigv4_has_key(const struct sigv4 *s, const char *secret, struct slice scope)
{
	struct slice have = buf_slice(&s->made_of);
	size_t n = strlen(secret) + 1;

	return have.len == 4 + n + scope.len && CRYPTO_memcmp(have.ptr + 4, secret, n) == 0 &&
	       memcmp(have.ptr + 4 + n, scope.ptr, scope.len) == 0;
}

static int sigv4_make_key(struct sigv4 *s, const char *secret, struct slice scope,
			  const struct sigv4_request *r, struct sa_err *err)
{
	int rc;

	if (sigv4_has_key(s, secret, scope))
		return 0;
	sigv4_forget(s);
	buf_puts(&s->made_of, "AWS4");
	buf_append(&s->made_of, secret, strlen(secret) + 1);
	buf_put(&s->made_of, scope);
	if (s->made_of.failed) {
		sigv4_forget(s);
		return sa_fail(err, SA_ERR_INVALID, "sign: the secret key is too long to be one");
	}
	rc = sigv4_derive(s, (struct slice){scope.ptr, SIGV4_DAY_LEN}, r);
	if (rc < 0) {
		sigv4_forget(s);
		return sa_fail(err, rc, "sign: OpenSSL gives no HMAC-SHA256");
	}
	return 0;
}

/* Of the string to sign, as hex. */
static int sigv4_signature(const struct sigv4 *s, const char *stamp, struct slice scope,
			   const char *hash, struct buf *hex, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	unsigned char md[DIGEST_SIZE];

	buf_init(&text, 2 * SIGV4_MAX_SCOPE);
	buf_printf(&text, SIGV4_ALGORITHM "\n%s\n", stamp);
	buf_put(&text, scope);
	buf_printf(&text, "\n%s", hash);
	if (text.failed || sigv4_hmac(s->key, sizeof(s->key), buf_slice(&text), md) < 0)
		return sa_fail(err, SA_ERR_NOMEM, "sign: out of memory");
	escape_hex(hex, (struct slice){(const char *)md, sizeof(md)});
	return 0;
}

/* "20130524T000000Z" of "2013-05-24T00:00:00.000Z" */
static void sigv4_stamp(int64_t now_ms, char stamp[SIGV4_STAMP_SIZE])
{
	char text[CLOCK_TEXT_SIZE];
	size_t n = 0;

	clock_format_utc(now_ms, text);
	for (size_t i = 0; text[i] && text[i] != '.'; i++) {
		if (text[i] != '-' && text[i] != ':')
			stamp[n++] = text[i];
	}
	stamp[n++] = 'Z';
	stamp[n] = '\0';
}

static int sigv4_check(const struct aws_credentials *c, const struct sigv4_request *r,
		       const struct headers *headers, struct sa_err *err)
{
	if (!headers_get(headers, "Host"))
		return sa_fail(err, SA_ERR_INVALID, "sign: the request has no Host");
	if (r->path[0] && r->path[0] != '/')
		return sa_fail(err, SA_ERR_INVALID, "sign: the path does not begin with /");
	/* it would be signed, and refused */
	if (!c->session_token && headers_get(headers, "x-amz-security-token"))
		return sa_fail(err, SA_ERR_INVALID,
			       "sign: the headers hold a session token of other credentials");
	return 0;
}

static int sigv4_set_headers(const struct aws_credentials *c, const struct sigv4_request *r,
			     const char *stamp, struct headers *headers, struct sa_err *err)
{
	headers_set(headers, "x-amz-date", slice_of(stamp));
	if (strcmp(r->service, "s3") == 0)
		headers_set(headers, "x-amz-content-sha256", slice_of(r->payload_sha256));
	if (c->session_token)
		headers_set(headers, "x-amz-security-token", slice_of(c->session_token));
	if (headers->failed)
		return sa_fail(err, SA_ERR_INVALID,
			       "sign: a header or the session token is too long or holds a "
			       "control byte, or there are more than %d headers",
			       HEADERS_MAX);
	return 0;
}

static int sigv4_authorize(const struct sigv4 *s, const char *access_key, const char *stamp,
			   struct slice scope, struct slice names, const char *hash,
			   struct headers *headers, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, HEADERS_MAX_VALUE);
	buf_printf(&text, SIGV4_ALGORITHM " Credential=%s/", access_key);
	buf_put(&text, scope);
	buf_puts(&text, ", SignedHeaders=");
	buf_put(&text, names);
	buf_puts(&text, ", Signature=");
	rc = sigv4_signature(s, stamp, scope, hash, &text, err);
	if (rc < 0)
		return rc;
	if (!text.failed)
		headers_set(headers, "Authorization", buf_slice(&text));
	if (text.failed || headers->failed)
		return sa_fail(err, SA_ERR_INVALID, "sign: the access key cannot be one");
	return 0;
}

int sigv4_sign(struct sigv4 *s, const struct aws_credentials *c, const struct sigv4_request *r,
	       struct headers *headers, struct sa_err *err)
{
	_cleanup_buf_ struct buf scope = {0}, names = {0};
	char stamp[SIGV4_STAMP_SIZE], hash[DIGEST_HEX_SIZE];
	int rc;

	sigv4_stamp(r->now_ms, stamp);
	buf_init(&scope, SIGV4_MAX_SCOPE);
	buf_printf(&scope, "%.*s/%s/%s/aws4_request", SIGV4_DAY_LEN, stamp, r->region, r->service);
	if (scope.failed)
		return sa_fail(err, SA_ERR_INVALID, "sign: region or service is too long");
	buf_init(&names, HEADERS_MAX_VALUE);
	if ((rc = sigv4_check(c, r, headers, err)) < 0 ||
	    (rc = sigv4_set_headers(c, r, stamp, headers, err)) < 0 ||
	    (rc = sigv4_canonical(r, headers, &names, hash, err)) < 0 ||
	    (rc = sigv4_make_key(s, c->secret_key, buf_slice(&scope), r, err)) < 0)
		return rc;
	return sigv4_authorize(s, c->access_key, stamp, buf_slice(&scope), buf_slice(&names), hash,
			       headers, err);
}
