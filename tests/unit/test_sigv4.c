/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/aws/sigv4.h"
#include "common/cleanup.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DOC_MS INT64_C(1369353600000)  /* 2013-05-24T00:00:00Z */
#define LATE_MS INT64_C(1795250767000) /* 2026-11-21T08:46:07Z */
#define ACCESS_KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define HELLO_SHA256 "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

static const struct aws_credentials keys = {
	.access_key = (char *)ACCESS_KEY,
	.secret_key = (char *)SECRET_KEY,
};
static const struct aws_credentials session = {
	.access_key = (char *)"ASIAIOSFODNN7EXAMPLE",
	.secret_key = (char *)"secret/of+a=session",
	.session_token = (char *)"AQoEXAMPLEH4aoAH0gNCAPy/with+chars==",
};

struct vector {
	const char *name, *method, *path, *query;
	const char *headers[9][2];
	const char *names, *signature;
	const char *payload, *region, *service; /* NULL: none, us-east-1, s3 */
};

#define PLAIN "host;x-amz-content-sha256;x-amz-date"

/* Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header", examples. */
static const struct vector published[] = {
	{.name = "GET with Range",
	 .method = "GET",
	 .path = "/test.txt",
	 .headers = {{"Host", "examplebucket.s3.amazonaws.com"}, {"Range", "bytes=0-9"}},
	 .names = "host;range;x-amz-content-sha256;x-amz-date",
	 .signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
	{.name = "PUT",
	 .method = "PUT",
	 .path = "/test%24file.text",
	 .headers = {{"Host", "examplebucket.s3.amazonaws.com"},
		     {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
		     {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
	 .names = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	 .signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
	 .payload = HELLO_SHA256},
	{.name = "GET lifecycle",
	 .method = "GET",
	 .path = "/",
	 .query = "lifecycle",
	 .headers = {{"Host", "examplebucket.s3.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	{.name = "list",
	 .method = "GET",
	 .path = "/",
	 .query = "max-keys=2&prefix=J",
	 .headers = {{"Host", "examplebucket.s3.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

/* Computed by another implementation, botocore 1.43, for the row's request at LATE_MS:
 *	r = AWSRequest(method, "http://" + host + path + "?" + query, data=body)
 *	r.headers[name] = value
 *	botocore.auth.get_current_datetime = lambda: datetime(2026, 11, 21, 8, 46, 7)
 *	S3SigV4Auth(Credentials(access, secret, token), "s3", region).add_auth(r)
 *	print(r.headers["Authorization"])
 * (SigV4Auth for the other service, path "/" for none). */
static const struct vector others[] = {
	{.name = "no path",
	 .method = "GET",
	 .path = "",
	 .headers = {{"Host", "b.s3.eu-west-1.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "b7bb2a0160f4bf09aca1d4284f9452b02ba4d12e0ceb1ac4a1d9697d4be87456",
	 .region = "eu-west-1"},
	{.name = "path style, a port",
	 .method = "PUT",
	 .path = "/bucket/a/b.gz",
	 .headers = {{"Host", "127.0.0.1:8100"},
		     {"If-None-Match", "*"},
		     {"Content-Type", "application/gzip"}},
	 .names = "content-type;host;if-none-match;x-amz-content-sha256;x-amz-date",
	 .signature = "11b93ca1899d4ddaac7bb005fe3d95c65657d75937707e1fcaa30110f94cc3a3",
	 .payload = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"},
	{.name = "IPv6 host",
	 .method = "HEAD",
	 .path = "/b/k",
	 .headers = {{"Host", "[::1]:8100"}, {"x-amz-checksum-mode", "ENABLED"}},
	 .names = "host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date",
	 .signature = "b878b312e67326f2c76333c3827a2ed4bac6d3156d75bf347f10f111f18798f3"},
	{.name = "every kind of byte in the key",
	 .method = "PUT",
	 .path = "/r%C3%A9q%20%2B%25~%24%26%3D%3A%40/%E2%82%AC",
	 .headers = {{"Host", "b.s3.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "746cf3d8057a449904dd90c953b92d5bda4b7d04088eb209e3f40bf0efc40e75",
	 .payload = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},
	{.name = "dots and slashes stay",
	 .method = "GET",
	 .path = "//a/./b/../c//",
	 .headers = {{"Host", "b.s3.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "782a0cb32bcff9449ae76d81ac88cfa8c17bd2890bd1c77a49d1c6ce0da734ac"},
	{.name = "encoded query",
	 .method = "GET",
	 .path = "/",
	 .query =
		 "prefix=sessions%2Frequest%3DREQ-1042%2F&delimiter=%2F&list-type=2&start-after=%C3%A9%20%2B",
	 .headers = {{"Host", "b.s3.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "881d443c68a67d0decc7bd6fa71721bdd1d77d8d1a47cca478b73e3bdd5a4ab7"},
	{.name = "names that are each other's beginning",
	 .method = "GET",
	 .path = "/",
	 .query = "key-marker=a&key=b&key2=c&versions&key=a&key.x=&A=1",
	 .headers = {{"Host", "b.s3.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "21eb21d239da65fb1b6f00b978574a91344a7d4c0b407b6330451a346ef3c12f"},
	{.name = "an equals sign in a value",
	 .method = "GET",
	 .path = "/",
	 .query = "a=b=c&a=b",
	 .headers = {{"Host", "b.s3.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "1743bbc469959a8d3f151fe4aea41b3bb410e3806e4798c12a711bdfb02e7307"},
	{.name = "headers out of order, of any case",
	 .method = "PUT",
	 .path = "/k",
	 .headers = {{"Host", "b.s3.amazonaws.com"},
		     {"x-amz-server-side-encryption-aws-kms-key-id",
		      "arn:aws:kms:us-east-1:111122223333:key/k"},
		     {"X-AMZ-Server-Side-Encryption", "aws:kms"},
		     {"x-amz-checksum-sha256", "LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564="},
		     {"X-Amz-Sdk-Checksum-Algorithm", "SHA256"},
		     {"Content-MD5", "XrY7u+Ae7tCTyyK9j1rNww=="},
		     {"x-amz-expected-bucket-owner", "111122223333"}},
	 .names = "content-md5;host;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date;"
		  "x-amz-expected-bucket-owner;x-amz-sdk-checksum-algorithm;"
		  "x-amz-server-side-encryption;x-amz-server-side-encryption-aws-kms-key-id",
	 .signature = "9ea243046f22662603609add50872142a54b70b31d9ccda3681908f6fc3b4e75"},
	{.name = "inner spaces",
	 .method = "PUT",
	 .path = "/k",
	 .headers = {{"Host", "b.s3.amazonaws.com"}, {"x-amz-meta-a", "one  two   three"}},
	 .names = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a",
	 .signature = "147063a55e2c8afb26c76bcb2208689c77314acf05037b8efeb42e1be1aed038"},
	{.name = "inner tabs",
	 .method = "PUT",
	 .path = "/k",
	 .headers = {{"Host", "b.s3.amazonaws.com"}, {"x-amz-meta-a", "one\ttwo \t three"}},
	 .names = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a",
	 .signature = "147063a55e2c8afb26c76bcb2208689c77314acf05037b8efeb42e1be1aed038"},
	{.name = "a name twice",
	 .method = "PUT",
	 .path = "/k",
	 .headers = {{"Host", "b.s3.amazonaws.com"},
		     {"x-amz-meta-b", "2"},
		     {"X-Amz-Meta-A", "z"},
		     {"x-amz-meta-a", "a"}},
	 .names = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-meta-b",
	 .signature = "d8dd29ca32ee43d5c266bc4ec68b6471b2108707c0f02a1f68ea541a503fe04a"},
	{.name = "an empty value",
	 .method = "PUT",
	 .path = "/k",
	 .headers = {{"Host", "b.s3.amazonaws.com"}, {"x-amz-meta-a", ""}},
	 .names = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a",
	 .signature = "8ef0185294873fd2ab185ef956af639fb91ed6eb091d09b1ffc89266dd14e07a"},
	{.name = "session token",
	 .method = "GET",
	 .path = "/k",
	 .headers = {{"Host", "b.s3.amazonaws.com"}},
	 .names = "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
	 .signature = "7f7a75d42a999d411582cac6bbc6a993440ab91b530f79a79e011e817bcad7e3"},
	{.name = "another service",
	 .method = "GET",
	 .path = "/",
	 .query = "Action=GetCallerIdentity&Version=2011-06-15",
	 .headers = {{"Host", "sts.cn-north-1.amazonaws.com.cn"}},
	 .names = "host;x-amz-date",
	 .signature = "9d47284d02fd9e3648848988a974a2c6cf917a98b3fc2b9512b1a62c06db11c1",
	 .region = "cn-north-1",
	 .service = "sts"},
	{.name = "unsigned payload",
	 .method = "PUT",
	 .path = "/k",
	 .headers = {{"Host", "b.s3.amazonaws.com"}},
	 .names = PLAIN,
	 .signature = "07d5c59df38a1ee1ff17bba78e0d3f72733f4ffdfcf8f4eab8aa1092a10a03c4",
	 .payload = "UNSIGNED-PAYLOAD"},
};

static const char * or (const char *value, const char *def)
{
	return value ? value : def;
}

/* The bytes of a line "AWS4-HMAC-SHA256 Credential=..." that is right for v. */
static const char *expected(const struct vector *v, const struct aws_credentials *c,
			    const char *day, char *text, size_t size)
{
	snprintf(text, size,
		 ALGORITHM " Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
		 c->access_key, day, or (v->region, "us-east-1"), or (v->service, "s3"), v->names,
		 v->signature);
	return text;
}

static struct sigv4_request request_of(const struct vector *v, int64_t now_ms)
{
	return (struct sigv4_request){.method = v->method,
				      .path = v->path,
				      .query = v->query,
				      .region = or (v->region, "us-east-1"),
				      .service = or (v->service, "s3"),
				      .payload_sha256 = or (v->payload, SIGV4_EMPTY_SHA256),
				      .now_ms = now_ms};
}

static void check(struct sigv4 *s, const struct vector *v, const struct aws_credentials *c,
		  int64_t now_ms, const char *day)
{
	_cleanup_headers_ struct headers h = {0};
	struct sigv4_request r = request_of(v, now_ms);
	char want[1024];

	for (size_t i = 0; i < ARRAY_LEN(v->headers) && v->headers[i][0]; i++)
		headers_add(&h, v->headers[i][0], slice_of(v->headers[i][1]));
	headers_add(&h, "User-Agent", SLICE_LIT("sessaudit"));
	headers_add(&h, "Content-Length", SLICE_LIT("21"));
	headers_add(&h, "Expect", SLICE_LIT("100-continue"));
	tap_int(sigv4_sign(s, c, &r, &h, NULL), 0, "%s: signed", v->name);
	tap_str(headers_get(&h, "authorization"), expected(v, c, day, want, sizeof(want)),
		"%s: signature", v->name);
}

static void test_published(struct sigv4 *s)
{
	for (size_t i = 0; i < ARRAY_LEN(published); i++)
		check(s, &published[i], &keys, DOC_MS, "20130524");
}

static bool of_session(const struct vector *v)
{
	return strstr(v->names, "x-amz-security-token") != NULL;
}

static void test_others(struct sigv4 *s)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		check(s, &others[i], of_session(&others[i]) ? &session : &keys, LATE_MS,
		      "20261121");
}

/* One signer for all, in an order in which each part of what a key is made of changes alone. */
static void test_kept_key(struct sigv4 *s)
{
	struct aws_credentials longer = keys;

	check(s, &published[0], &keys, DOC_MS, "20130524");
	check(s, &published[3], &keys, DOC_MS, "20130524");
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		check(s, &others[i], of_session(&others[i]) ? &session : &keys, LATE_MS,
		      "20261121");
		check(s, &published[i % ARRAY_LEN(published)], &keys, DOC_MS, "20130524");
	}
	longer.secret_key = (char *)SECRET_KEY "x";
	{
		_cleanup_headers_ struct headers h = {0};
		struct sigv4_request r = request_of(&published[0], DOC_MS);
		char not_that[1024];

		headers_add(&h, "Host", SLICE_LIT("examplebucket.s3.amazonaws.com"));
		headers_add(&h, "Range", SLICE_LIT("bytes=0-9"));
		expected(&published[0], &keys, "20130524", not_that, sizeof(not_that));
		tap_int(sigv4_sign(s, &longer, &r, &h, NULL), 0, "a longer secret: signed");
		tap_ok(strcmp(headers_get(&h, "Authorization"), not_that) != 0,
		       "a longer secret: another signature");
	}
	check(s, &published[0], &keys, DOC_MS, "20130524");
}

static void test_added(struct sigv4 *s)
{
	_cleanup_headers_ struct headers h = {0};
	struct sigv4_request r = request_of(&others[0], LATE_MS);

	headers_add(&h, "Host", SLICE_LIT("h"));
	headers_add(&h, "X-Amz-Date", SLICE_LIT("20130524T000000Z"));
	tap_int(sigv4_sign(s, &session, &r, &h, NULL), 0, "signed");
	tap_str(headers_get(&h, "x-amz-date"), "20261121T084607Z", "the date is set anew");
	tap_str(headers_get(&h, "x-amz-content-sha256"), SIGV4_EMPTY_SHA256, "payload hash");
	tap_str(headers_get(&h, "x-amz-security-token"), session.session_token, "token");
	tap_int((long long)h.len, 5, "nothing else is added");
	r.now_ms += 999;
	tap_int(sigv4_sign(s, &session, &r, &h, NULL), 0, "signed again");
	tap_int((long long)h.len, 5, "signed again: the same headers");
	tap_str(headers_get(&h, "x-amz-date"), "20261121T084607Z", "fractions of a second go");
	r.service = "sts";
	headers_clear(&h);
	headers_add(&h, "Host", SLICE_LIT("h"));
	tap_int(sigv4_sign(s, &keys, &r, &h, NULL), 0, "another service: signed");
	tap_str(headers_get(&h, "x-amz-content-sha256"), NULL, "another service: no payload hash");
	tap_str(headers_get(&h, "x-amz-security-token"), NULL, "no token");
}

static void check_refused(struct sigv4 *s, const struct aws_credentials *c,
			  const struct sigv4_request *r, struct headers *h, int code,
			  const char *name)
{
	struct sa_err err = {0};

	tap_int(sigv4_sign(s, c, r, h, &err), code, "refused: %s", name);
	tap_int(err.code, code, "refused: %s: err says so", name);
	tap_ok(strstr(err.msg, c->secret_key) == NULL && err.msg[0], "refused: %s: message", name);
	tap_str(headers_get(h, "Authorization"), NULL, "refused: %s: not signed", name);
	headers_clear(h);
	headers_add(h, "Host", SLICE_LIT("h"));
}

static void test_refused(struct sigv4 *s)
{
	_cleanup_headers_ struct headers h = {0};
	struct sigv4_request r = request_of(&others[0], LATE_MS);
	struct aws_credentials odd = keys;
	char long_text[8192], query[512] = "a";

	memset(long_text, 'k', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	check_refused(s, &keys, &r, &h, SA_ERR_INVALID, "no Host");
	headers_add(&h, "X-Bad", SLICE_LIT("a\r\nX-Evil: 1"));
	check_refused(s, &keys, &r, &h, SA_ERR_INVALID, "a header list that failed");
	headers_add(&h, "x-amz-security-token", SLICE_LIT("old"));
	check_refused(s, &keys, &r, &h, SA_ERR_INVALID, "another session's token");
	odd.session_token = (char *)"a\nb";
	check_refused(s, &odd, &r, &h, SA_ERR_INVALID, "a token with a line end");
	odd = keys;
	odd.access_key = (char *)"AK\nX: 1";
	check_refused(s, &odd, &r, &h, SA_ERR_INVALID, "an access key with a line end");
	odd = keys;
	odd.secret_key = long_text;
	check_refused(s, &odd, &r, &h, SA_ERR_INVALID, "a secret of 8 KiB");
	r.path = "k";
	check_refused(s, &keys, &r, &h, SA_ERR_INVALID, "a path without /");
	r.path = "/";
	r.region = long_text;
	check_refused(s, &keys, &r, &h, SA_ERR_INVALID, "a region of 8 KiB");
	r.region = "us-east-1";
	for (size_t i = 0; i < 64; i++)
		strcat(query, "&a");
	r.query = query;
	check_refused(s, &keys, &r, &h, SA_ERR_TOOBIG, "65 parameters");
	check(s, &published[0], &keys, DOC_MS, "20130524"); /* refusals leave nothing behind */
}

/* Signed as it should be, or refused; never signed otherwise. */
static void test_no_memory(void)
{
	struct sigv4_request r = request_of(&others[0], LATE_MS);
	unsigned long n = 0, bad = 0;
	char want[1024];

	expected(&others[0], &keys, "20261121", want, sizeof(want));
	do {
		_cleanup_headers_ struct headers h = {0};
		struct sigv4 *s;
		int rc = SA_ERR_NOMEM;

		headers_add(&h, "Host", slice_of(others[0].headers[0][1]));
		alloc_fail_at(++n);
		s = sigv4_new();
		if (s)
			rc = sigv4_sign(s, &keys, &r, &h, NULL);
		if (rc == 0 && strcmp(headers_get(&h, "Authorization"), want) != 0)
			bad++;
		if (rc < 0 && headers_get(&h, "Authorization"))
			bad++;
		sigv4_free(s);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_int((long long)bad, 0, "out of memory at any allocation");
	tap_ok(n > 10, "out of memory: %lu allocations", n - 1);
}

static void test_encode(void)
{
	static const struct {
		const char *name;
		struct slice raw;
		const char *path, *query;
	} cases[] = {
		{"nothing", SLICE_LIT(""), "", ""},
		{"unreserved", SLICE_LIT("AZaz09-._~"), "AZaz09-._~", "AZaz09-._~"},
		{"slash", SLICE_LIT("/a//b/"), "/a//b/", "%2Fa%2F%2Fb%2F"},
		{"space, plus, percent", SLICE_LIT(" +%"), "%20%2B%25", "%20%2B%25"},
		{"what is encoded already", SLICE_LIT("%20"), "%2520", "%2520"},
		{"reserved", SLICE_LIT("!*'();:@&=$,?#[]"),
		 "%21%2A%27%28%29%3B%3A%40%26%3D%24%2C%3F%23%5B%5D",
		 "%21%2A%27%28%29%3B%3A%40%26%3D%24%2C%3F%23%5B%5D"},
		{"UTF-8", SLICE_LIT("r\xc3\xa9q/\xe2\x82\xac"), "r%C3%A9q/%E2%82%AC",
		 "r%C3%A9q%2F%E2%82%AC"},
		{"control and high bytes", SLICE_LIT("\0\n\x7f\xff"), "%00%0A%7F%FF",
		 "%00%0A%7F%FF"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf path = {0}, query = {0};

		buf_init(&path, 256);
		buf_init(&query, 256);
		sigv4_encode_path(&path, cases[i].raw);
		sigv4_encode_query(&query, cases[i].raw);
		tap_str(buf_cstr(&path), cases[i].path, "%s in a path", cases[i].name);
		tap_str(buf_cstr(&query), cases[i].query, "%s in a query", cases[i].name);
	}
}

int main(void)
{
	struct sigv4 *s = sigv4_new();

	test_published(s);
	test_others(s);
	test_kept_key(s);
	test_added(s);
	test_refused(s);
	test_no_memory();
	test_encode();
	sigv4_free(s);
	sigv4_free(NULL);
	return tap_done();
}
