/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/store/s3_answer.h"
#include "common/store/s3_confirm.h"
#include "common/store/s3_list.h"
#include "tests/unit/tap.h"

#define NOW INT64_C(1795251600000) /* 2026-11-21T09:00:00Z */
#define DATE "Sat, 21 Nov 2026 09:00:00 GMT"

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define ERROR(code) XML "<Error><Code>" code "</Code><Message>words</Message></Error>"

/* headers: "Name: value\n" lines. */
static void make(struct http_answer *a, int status, const char *headers, const char *body)
{
	*a = (struct http_answer){.status = status};
	buf_init(&a->body, 1 << 20);
	buf_puts(&a->body, body ? body : "");
	while (headers && *headers) {
		const char *colon = strchr(headers, ':'), *end = strchr(headers, '\n');
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)(colon - headers), headers);
		headers_add(&a->headers, name,
			    (struct slice){colon + 1, (size_t)(end - colon - 1)});
		headers = end + 1;
	}
}

static const struct {
	const char *name;
	int status;
	const char *body, *headers;
	int rc;
	enum s3_repair repair;
	bool lost;
	const char *says; /* part of the message */
} cases[] = {
	{"200", 200, NULL, NULL, 0, S3_REPAIR_NONE, false, NULL},
	{"204", 204, NULL, NULL, 0, S3_REPAIR_NONE, false, NULL},
	{"200 with an error in it", 200, ERROR("InternalError"), NULL, 0, S3_REPAIR_NONE, false,
	 NULL},

	{"skew", 403, ERROR("RequestTimeTooSkewed"), NULL, SA_ERR_PERM, S3_REPAIR_CLOCK, false,
	 "set this host's clock"},
	{"301", 301, ERROR("PermanentRedirect"), "x-amz-bucket-region: eu-west-1\n", SA_ERR_PERM,
	 S3_REPAIR_REGION, false, "another region, it says eu-west-1: set s3_region"},
	{"301 without a word", 301, NULL, NULL, SA_ERR_PERM, S3_REPAIR_REGION, false,
	 "another region: set s3_region"},
	{"307", 307, ERROR("TemporaryRedirect"), "x-amz-bucket-region: eu-west-1\n", SA_ERR_AGAIN,
	 S3_REPAIR_REGION, false, "it may work later"},
	{"wrong region in the signature", 400,
	 XML "<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-south-1</Region></Error>",
	 NULL, SA_ERR_PERM, S3_REPAIR_REGION, false, "it says ap-south-1"},
	{"wrong region of the endpoint", 400, ERROR("IllegalLocationConstraintException"),
	 "x-amz-bucket-region: me-south-1\n", SA_ERR_PERM, S3_REPAIR_REGION, false, "me-south-1"},
	{"HEAD in another region", 400, NULL, "x-amz-bucket-region: eu-west-1\n", SA_ERR_PERM,
	 S3_REPAIR_REGION, false, NULL},
	{"302", 302, "<html>login</html>", "Location: https://portal/\n", SA_ERR_PERM,
	 S3_REPAIR_NONE, false, "check s3_endpoint"},

	{"expired", 400, ERROR("ExpiredToken"), NULL, SA_ERR_PERM, S3_REPAIR_CREDENTIALS, false,
	 "check the credentials (from: environment)"},
	{"token unknown", 400, ERROR("InvalidToken"), NULL, SA_ERR_PERM, S3_REPAIR_CREDENTIALS,
	 false, "check the credentials"},
	{"token to renew", 400, ERROR("TokenRefreshRequired"), NULL, SA_ERR_PERM,
	 S3_REPAIR_CREDENTIALS, false, "check the credentials"},
	{"unknown key", 403, ERROR("InvalidAccessKeyId"), NULL, SA_ERR_PERM, S3_REPAIR_CREDENTIALS,
	 false, "check the credentials"},
	{"wrong secret", 403, ERROR("SignatureDoesNotMatch"), NULL, SA_ERR_PERM,
	 S3_REPAIR_CREDENTIALS, false, "check the credentials"},
	{"HEAD with expired ones", 400, NULL, NULL, SA_ERR_PERM, S3_REPAIR_CREDENTIALS, false,
	 NULL},
	{"401", 401, NULL, NULL, SA_ERR_PERM, S3_REPAIR_NONE, false, "check the credentials"},

	{"digest", 400, ERROR("BadDigest"), NULL, SA_ERR_AGAIN, S3_REPAIR_BODY, false,
	 "other bytes"},
	{"payload hash", 400, ERROR("XAmzContentSHA256Mismatch"), NULL, SA_ERR_AGAIN,
	 S3_REPAIR_BODY, false, "other bytes"},
	{"timeout", 400, ERROR("RequestTimeout"), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, false,
	 "later"},
	{"408", 408, NULL, NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, false, "later"},
	{"cut body", 400, ERROR("IncompleteBody"), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, false,
	 "later"},
	{"429", 429, NULL, NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, false, "later"},
	{"slow down", 503, ERROR("SlowDown"), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, true, "later"},
	{"500", 500, ERROR("InternalError"), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, true, "later"},
	{"502 page", 502, "<html><body>Bad gateway</p></html>", NULL, SA_ERR_AGAIN, S3_REPAIR_NONE,
	 true, "502 for PUT"},
	{"504", 504, NULL, NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, true, "504 for PUT"},
	{"507", 507, ERROR("XMinioStorageFull"), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, true, "later"},
	{"501", 501, ERROR("NotImplemented"), NULL, SA_ERR_PERM, S3_REPAIR_NONE, false,
	 "does not know If-None-Match"},
	{"key service busy", 400, ERROR("KMS.ThrottlingException"), NULL, SA_ERR_AGAIN,
	 S3_REPAIR_NONE, false, "later"},
	{"key disabled", 400, ERROR("KMS.DisabledException"), NULL, SA_ERR_PERM, S3_REPAIR_NONE,
	 false,
	 "400 KMS.DisabledException for PUT: check the s3_ settings of [store] (it says: words)"},
	{"quota", 403, ERROR("QuotaExceeded"), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, false, "full"},

	{"race", 409, ERROR("ConditionalRequestConflict"), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, true,
	 "later"},
	{"aborted", 409, ERROR("OperationAborted"), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, true,
	 "later"},
	{"taken", 412, ERROR("PreconditionFailed"), NULL, SA_ERR_EXISTS, S3_REPAIR_NONE, false,
	 "taken"},
	{"taken, no body", 412, NULL, NULL, SA_ERR_EXISTS, S3_REPAIR_NONE, false, "taken"},

	{"denied", 403, ERROR("AccessDenied"), NULL, SA_ERR_PERM, S3_REPAIR_NONE, false,
	 "s3://b/p: 403 AccessDenied for PUT: allow s3:PutObject on arn:aws:s3:::b/p/* (it says: "
	 "words)"},
	{"403 without a word", 403, NULL, "Date: " DATE "\n", SA_ERR_PERM, S3_REPAIR_NONE, false,
	 "allow s3:PutObject"},
	{"403 without a word, clocks apart", 403, NULL, "Date: Sat, 21 Nov 2026 09:15:01 GMT\n",
	 SA_ERR_PERM, S3_REPAIR_CLOCK, false, NULL},
	{"the other way", 403, NULL, "Date: Sat, 21 Nov 2026 08:44:59 GMT\n", SA_ERR_PERM,
	 S3_REPAIR_CLOCK, false, NULL},
	{"clocks within bounds", 403, NULL, "Date: Sat, 21 Nov 2026 08:45:00 GMT\n", SA_ERR_PERM,
	 S3_REPAIR_NONE, false, NULL},
	{"disabled", 403, ERROR("AllAccessDisabled"), NULL, SA_ERR_PERM, S3_REPAIR_NONE, false,
	 "disabled"},
	{"no bucket", 404, ERROR("NoSuchBucket"), NULL, SA_ERR_PERM, S3_REPAIR_NONE, false,
	 "no such bucket"},
	{"no key", 404, ERROR("NoSuchKey"), NULL, SA_ERR_NOTFOUND, S3_REPAIR_NONE, false,
	 "NoSuchKey"},
	{"404 of something else", 404, "<html></html>", NULL, SA_ERR_NOTFOUND, S3_REPAIR_NONE,
	 false, "check s3_endpoint"},
	{"407", 407, NULL, NULL, SA_ERR_PERM, S3_REPAIR_NONE, false, "s3_proxy"},
	{"405", 405, ERROR("MethodNotAllowed"), NULL, SA_ERR_PERM, S3_REPAIR_NONE, false,
	 "settings"},

	{"too large", 400, ERROR("EntityTooLarge"), NULL, SA_ERR_INVALID, S3_REPAIR_NONE, false,
	 "this request or object"},
	{"413 of a proxy", 413, "<html></html>", NULL, SA_ERR_INVALID, S3_REPAIR_NONE, false,
	 "this request or object"},
	{"key too long", 400, ERROR("KeyTooLongError"), NULL, SA_ERR_INVALID, S3_REPAIR_NONE, false,
	 "such a key"},
	{"invalid request", 400, ERROR("InvalidRequest"), NULL, SA_ERR_INVALID, S3_REPAIR_NONE,
	 false, "this request or object"},
	{"a code nobody knows", 400, ERROR("Frobnicated"), NULL, SA_ERR_PERM, S3_REPAIR_NONE, false,
	 "400 Frobnicated for PUT"},
	{"a status nobody knows", 999, NULL, NULL, SA_ERR_PERM, S3_REPAIR_NONE, false,
	 "999 for PUT"},
};

static const struct s3_asked asked = {.store = "s3://b/p",
				      .method = "PUT",
				      .action = "s3:PutObject",
				      .resource = "arn:aws:s3:::b/p/*",
				      .credentials = "environment"};

static void test_table(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_answer_ struct http_answer raw = {0};
		struct s3_answer a;
		struct sa_err err = {0};

		make(&raw, cases[i].status, cases[i].headers, cases[i].body);
		s3_answer_read(&raw, NOW, "us-east-1", &a);
		tap_int(a.rc, cases[i].rc, "%s: outcome", cases[i].name);
		tap_int(a.repair, cases[i].repair, "%s: repair", cases[i].name);
		tap_int(a.lost, cases[i].lost, "%s: lost", cases[i].name);
		if (!cases[i].says)
			continue;
		tap_int(s3_answer_fail(&a, &asked, &err), cases[i].rc, "%s: fails", cases[i].name);
		tap_int(err.code, cases[i].rc, "%s: code", cases[i].name);
		tap_ok(strstr(err.msg, cases[i].says) != NULL, "%s: %s", cases[i].name, err.msg);
	}
}

static void read_body(int status, const char *headers, const char *body, struct s3_answer *out)
{
	_cleanup_answer_ struct http_answer raw = {0};

	make(&raw, status, headers, body);
	s3_answer_read(&raw, NOW, "us-east-1", out);
}

static void test_untrusted(void)
{
	char text[2048];
	struct s3_answer a;

	read_body(403, NULL, XML "<Error><Code>Access\x1b[31mDenied</Code></Error>", &a);
	tap_str(a.code, "", "a code with an escape in it is none");
	read_body(403, NULL, XML "<Error><Code>Access Denied</Code></Error>", &a);
	tap_str(a.code, "", "nor one with a blank");
	snprintf(text, sizeof(text), XML "<Error><Code>%064d</Code></Error>", 1);
	read_body(403, NULL, text, &a);
	tap_str(a.code, "", "nor one of 64 bytes");
	snprintf(text, sizeof(text), XML "<Error><Code>%063d</Code></Error>", 1);
	read_body(403, NULL, text, &a);
	tap_int((long long)strlen(a.code), 63, "one of 63 is");
	read_body(403, NULL,
		  XML "<Error><Message>a&#10;b\xc2\x9b"
		      "c</Message></Error>",
		  &a);
	tap_str(a.message, "a\\nb\\u{009b}c", "control bytes of a message are escaped");
	snprintf(text, sizeof(text), XML "<Error><Message>%0500d</Message></Error>", 7);
	read_body(403, NULL, text, &a);
	tap_int((long long)strlen(a.message), 200, "a message is cut");
	snprintf(text, sizeof(text), XML "<Error><Message>%0199d\xc3\xa4</Message></Error>", 7);
	read_body(403, NULL, text, &a);
	tap_int((long long)strlen(a.message), 199, "not amid a character");
	read_body(403, NULL, XML "<Error><Code>AccessDenied</Code><Mess", &a);
	tap_str(a.code, "", "of XML that is cut nothing counts");
	read_body(403, NULL, XML "<Error><Code>AccessDenied</Code></Error>x", &a);
	tap_str(a.code, "", "nor of XML with something behind");
	read_body(403, NULL, "<!DOCTYPE Error [<!ENTITY a \"b\">]><Error><Code>&a;</Code></Error>",
		  &a);
	tap_str(a.code, "", "nor of XML with a declaration");
	read_body(403, NULL, XML "<Fault><Code>AccessDenied</Code></Fault>", &a);
	tap_str(a.code, "", "an error is called Error");
	read_body(403, NULL,
		  XML
		  "<Error xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Code>SlowDown</Code>"
		  "</Error>",
		  &a);
	tap_str(a.code, "SlowDown", "in a namespace too");
	read_body(301, "x-amz-bucket-region: evil.com/x\n", "", &a);
	tap_str(a.region, "", "a region that is a host is none");
	read_body(301, NULL, XML "<Error><Region>evil.com#</Region></Error>", &a);
	tap_str(a.region, "", "nor in the body");
	read_body(200, "Date: gibberish\n", "", &a);
	tap_int(a.date_ms, 0, "a date that is none");
	read_body(200, "Date: " DATE "\n", "", &a);
	tap_int(a.date_ms, NOW, "a date");
}

static void test_owner(void)
{
	struct s3_asked q = asked;
	struct s3_answer a;
	struct sa_err err;

	q.owner = "123456789012";
	read_body(403, NULL, ERROR("AccessDenied"), &a);
	s3_answer_fail(&a, &q, &err);
	tap_ok(strstr(err.msg, "must belong to account 123456789012") != NULL, "owner: %s",
	       err.msg);
}

/* --- what confirms a put --- */

static const char ours[] = "hello";
static const struct s3_sum sum = {
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
	"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="};
static const struct s3_sum md5 = {"5d41402abc4b2a76b9719d911017c592", "XUFAKrxLKna5cZ2REBfFkg=="};

static void test_sums(const struct s3_body *b)
{
	struct s3_body longer = *b;
	struct s3_sum got;
	struct sa_err err;

	tap_int(s3_body_sha256(b, &got, &err), 0, "SHA-256");
	tap_str(got.hex, sum.hex, "SHA-256: hex");
	tap_str(got.base64, sum.base64, "SHA-256: base64");
	tap_int(s3_body_md5(b, &got, &err), 0, "MD5");
	tap_str(got.hex, md5.hex, "MD5: hex");
	tap_str(got.base64, md5.base64, "MD5: base64");
	longer.size++;
	tap_int(s3_body_sha256(&longer, &got, &err), SA_ERR_IO, "a file that is shorter");
	tap_str(err.msg, "object is shorter than its size", "says so");
	longer.fd = -1;
	tap_int(s3_body_sha256(&longer, &got, &err), SA_ERR_IO, "no file: %s", err.msg);
}

static void test_doubt(void)
{
	static const struct {
		const char *name;
		int status;
		const char *headers;
		bool with_md5;
		const char *says; /* NULL: no doubt */
	} rows[] = {
		{"an ETag", 200, "ETag: \"x\"\n", false, NULL},
		{"no ETag", 200, "Server: portal\n", false, "no ETag"},
		{"an empty one", 200, "ETag: \n", false, "no ETag"},
		{"204", 204, "ETag: \"x\"\n", false, "no answer of S3"},
		{"our checksum", 200,
		 "ETag: \"x\"\n"
		 "x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\n",
		 false, NULL},
		{"another one", 200,
		 "ETag: \"x\"\n"
		 "x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCA=\n",
		 false, "its checksum"},
		{"our MD5", 200, "ETag: \"5D41402abc4b2a76b9719d911017c592\"\n", true, NULL},
		{"another one", 200, "ETag: \"6d41402abc4b2a76b9719d911017c592\"\n", true,
		 "its ETag"},
		{"another one, none sent", 200, "ETag: \"6d41402abc4b2a76b9719d911017c592\"\n",
		 false, NULL},
		{"another one, of a key service", 200,
		 "ETag: \"6d41402abc4b2a76b9719d911017c592\"\n"
		 "x-amz-server-side-encryption: aws:kms\n",
		 true, NULL},
		{"another one, of S3's own keys", 200,
		 "ETag: \"6d41402abc4b2a76b9719d911017c592\"\n"
		 "x-amz-server-side-encryption: AES256\n",
		 true, "its ETag"},
		{"no MD5", 200, "ETag: \"6d41402abc4b2a76b9719d911017c592-2\"\n", true, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_answer_ struct http_answer raw = {0};
		const char *doubt;

		make(&raw, rows[i].status, rows[i].headers, NULL);
		doubt = s3_doubt(&raw, &sum, rows[i].with_md5 ? &md5 : NULL);
		tap_ok(rows[i].says ? doubt && strstr(doubt, rows[i].says) : !doubt,
		       "doubt: %s: %s", rows[i].name, doubt ? doubt : "none");
	}
}

static void test_compare(const struct s3_body *b)
{
	static const struct {
		const char *name, *headers;
		enum s3_same want;
	} rows[] = {
		{"our checksum",
		 "x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\n", S3_SAME},
		{"another one",
		 "x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCA=\n"
		 "Content-Length: 5\nETag: \"5d41402abc4b2a76b9719d911017c592\"\n",
		 S3_OTHER},
		{"one over parts",
		 "x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=-2\n"
		 "Content-Length: 5\n",
		 S3_CANNOT_TELL},
		{"our size and MD5",
		 "Content-Length: 5\nETag: \"5d41402abc4b2a76b9719d911017c592\"\n", S3_SAME},
		{"another MD5", "Content-Length: 5\nETag: \"6d41402abc4b2a76b9719d911017c592\"\n",
		 S3_OTHER},
		{"another size", "Content-Length: 6\nETag: \"5d41402abc4b2a76b9719d911017c592\"\n",
		 S3_OTHER},
		{"another size is enough", "Content-Length: 6\n", S3_OTHER},
		{"our size alone", "Content-Length: 5\n", S3_CANNOT_TELL},
		{"no size", "ETag: \"5d41402abc4b2a76b9719d911017c592\"\n", S3_CANNOT_TELL},
		{"an ETag of parts",
		 "Content-Length: 5\nETag: \"5d41402abc4b2a76b9719d911017c592-1\"\n",
		 S3_CANNOT_TELL},
		{"an ETag of a key service",
		 "Content-Length: 5\nETag: \"6d41402abc4b2a76b9719d911017c592\"\n"
		 "x-amz-server-side-encryption: aws:kms:dsse\n",
		 S3_CANNOT_TELL},
		{"nothing", "Server: x\n", S3_CANNOT_TELL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_answer_ struct http_answer raw = {0};

		make(&raw, 200, rows[i].headers, NULL);
		tap_int(s3_compare(&raw.headers, b, &sum), rows[i].want, "compare: %s",
			rows[i].name);
	}
}

static void test_bytes(void)
{
	_cleanup_close_ int fd = memfd_create("bytes", MFD_CLOEXEC);
	struct s3_body b = {.fd = fd, .size = sizeof(ours) - 1};

	tap_int(write(fd, ours, sizeof(ours) - 1), 5, "a file of 5 bytes");
	test_sums(&b);
	test_compare(&b);
}

static bool turn_never(void *ctx)
{
	++*(int *)ctx;
	return false;
}

/* 33 MiB of nothing: a hole. */
static void test_turn(void)
{
	int turns = 0;
	_cleanup_close_ int fd = memfd_create("hole", MFD_CLOEXEC);
	struct s3_body b = {.fd = fd, .size = 33 << 20, .turn = turn_never, .turn_ctx = &turns};
	struct s3_sum got;

	tap_int(ftruncate(fd, 33 << 20), 0, "a large file");
	tap_int(s3_body_sha256(&b, &got, NULL), SA_ERR_AGAIN, "hashing stops when it shall");
	tap_int(turns, 1, "and asks every 16 MiB");
}

/* --- a page of a list --- */

static int collect(void *ctx, const char *key, uint64_t size)
{
	buf_printf(ctx, "%s=%llu ", key, (unsigned long long)size);
	return strcmp(key, "stop") == 0 ? 7 : 0;
}

#define ENTRY(key, size)                                                                           \
	"<Contents><Key>" key "</Key><LastModified>2026-11-21T09:00:00.000Z</LastModified>"        \
	"<ETag>&quot;x&quot;</ETag><Size>" size "</Size><Owner><ID>o</ID></Owner></Contents>"
#define LIST(entries)                                                                              \
	XML "<ListBucketResult><Name>b</Name><EncodingType>url</EncodingType>"                     \
	    "<IsTruncated>false</IsTruncated>" entries "</ListBucketResult>"

static void test_pages(void)
{
	static const struct {
		const char *name, *xml, *under;
		size_t drop;
		int rc;
		const char *want;
		const char *next;
		size_t odd;
		int stopped;
	} rows[] = {
		{"empty", LIST(""), "", 0, 0, "", "", 0, 0},
		{"two", LIST(ENTRY("a", "1") ENTRY("b%2Fc", "18446744073709551615")), "", 0, 0,
		 "a=1 b/c=18446744073709551615 ", "", 0, 0},
		{"prefix dropped", LIST(ENTRY("p%2Fa", "1") ENTRY("p%2Fab", "2")), "p/a", 2, 0,
		 "a=1 ab=2 ", "", 0, 0},
		{"not below it", LIST(ENTRY("p%2Fa", "1") ENTRY("q%2Fa", "2")), "p/", 2, 0, "a=1 ",
		 "", 1, 0},
		{"every encoding", LIST(ENTRY("a+b%2Bc%25d%C3%A4%26&amp;", "1")), "", 0, 0,
		 "a b+c%d\xc3\xa4&&=1 ", "", 0, 0},
		{"not encoded",
		 XML "<ListBucketResult><IsTruncated>false</IsTruncated>" ENTRY(
			 "a+b%2B", "1") "</ListBucketResult>",
		 "", 0, 0, "a+b%2B=1 ", "", 0, 0},
		{"said so at the end",
		 XML "<ListBucketResult><IsTruncated>false</IsTruncated>" ENTRY(
			 "a%2Bb", "1") "<EncodingType>url</EncodingType></ListBucketResult>",
		 "", 0, 0, "a+b=1 ", "", 0, 0},
		{"a folder's own object", LIST(ENTRY("p%2F", "0") ENTRY("p%2Fa", "1")), "p/", 2, 0,
		 "a=1 ", "", 1, 0},
		{"keys that are none of ours",
		 LIST(ENTRY("%2Fa", "1") ENTRY("..%2Fa", "1") ENTRY("a%0Ab", "1")
			      ENTRY("a%00b", "1") ENTRY("a%2", "1") ENTRY("a%zz", "1")
				      ENTRY("", "1") ENTRY("ok", "2")),
		 "", 0, 0, "ok=2 ", "", 7, 0},
		{"sizes that are none",
		 LIST(ENTRY("a", "") ENTRY("b", "-1") ENTRY("c", "18446744073709551616")
			      ENTRY("d", "1x") ENTRY("e", "3")),
		 "", 0, 0, "e=3 ", "", 4, 0},
		{"no size", LIST("<Contents><Key>a</Key></Contents>" ENTRY("b", "1")), "", 0, 0,
		 "b=1 ", "", 1, 0},
		{"no key", LIST(ENTRY("a", "1") "<Contents><Size>1</Size></Contents>"), "", 0, 0,
		 "a=1 ", "", 1, 0},
		{"more pages",
		 XML
		 "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;"
		 "/+</NextContinuationToken></ListBucketResult>",
		 "", 0, 0, "", "t&/+", 0, 0},
		{"a token that is not needed",
		 XML "<ListBucketResult><IsTruncated>false</IsTruncated><NextContinuationToken>t"
		     "</NextContinuationToken></ListBucketResult>",
		 "", 0, 0, "", "", 0, 0},
		{"more pages, but no token",
		 XML "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "", 0,
		 SA_ERR_INVALID, "", "", 0, 0},
		{"stopped", LIST(ENTRY("a", "1") ENTRY("stop", "2") ENTRY("z", "3")), "", 0, 0,
		 "a=1 stop=2 ", "", 0, 7},
		{"no list", XML "<Error><Code>x</Code></Error>", "", 0, SA_ERR_INVALID, "", "", 0,
		 0},
		{"a page of a portal", "<html><body>hello</body></html>", "", 0, SA_ERR_INVALID, "",
		 "", 0, 0},
		{"nothing", "", "", 0, SA_ERR_INVALID, "", "", 0, 0},
		{"cut", XML "<ListBucketResult><IsTruncated>false</IsTruncated>" ENTRY("a", "1"),
		 "", 0, SA_ERR_INVALID, "a=1 ", "", 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_s3_page_ struct s3_page page = {0};
		_cleanup_buf_ struct buf got = {0};
		struct sa_err err = {0};

		buf_init(&got, 65536);
		tap_int(s3_page_read(slice_of(rows[i].xml), rows[i].under, rows[i].drop, collect,
				     &got, &page, &err),
			rows[i].rc, "page: %s: outcome %s", rows[i].name, err.msg);
		tap_str(buf_cstr(&got), rows[i].want, "page: %s: keys", rows[i].name);
		if (rows[i].rc == 0)
			tap_bytes(buf_slice(&page.next), slice_of(rows[i].next), "page: %s: next",
				  rows[i].name);
		tap_int((long long)page.odd, (long long)rows[i].odd, "page: %s: passed over",
			rows[i].name);
		tap_int(page.stopped, rows[i].stopped, "page: %s: stopped", rows[i].name);
	}
}

int main(void)
{
	test_table();
	test_untrusted();
	test_owner();
	test_doubt();
	test_bytes();
	test_turn();
	test_pages();
	return tap_done();
}
