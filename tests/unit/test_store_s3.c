/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The S3 store against a scripted server: what a real one cannot be made to say.
 * What a real one does is in tests/integration/store_s3.sh.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/store/s3_internal.h"
#include "tests/unit/httpd.h"
#include "tests/unit/tap.h"

#define NOW INT64_C(1795251600000) /* 2026-11-21T09:00:00Z */
#define HELLO_SUM "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
#define OTHER_SUM "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCA="
#define HELLO_HEX "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define HELLO_MD5 "5d41402abc4b2a76b9719d911017c592"
#define STORED "ETag: \"" HELLO_MD5 "\"\n"
#define SEEN_MAX 16

static struct sa_err err;

/* --- the server's part --- */

struct step {
	int status;
	const char *code;    /* of an error in XML */
	const char *headers; /* "Name: value\n" lines */
	const char *body;    /* instead of the error */
	bool drop;           /* the connection, without an answer */
};

struct seen {
	char method[16], target[2048];
	struct headers headers;
	char body[256];
};

static struct script {
	const struct step *steps; /* one for each request; the last stays */
	size_t n_steps, n;        /* n: requests so far */
	struct seen seen[SEEN_MAX];
} script;

static void add_lines(struct headers *h, const char *lines)
{
	while (lines && *lines) {
		const char *colon = strchr(lines, ':'), *end = strchr(lines, '\n');
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)(colon - lines), lines);
		headers_add(h, name, (struct slice){colon + 1, (size_t)(end - colon - 1)});
		lines = end + 1;
	}
}

static void remember(const struct httpd_request *r)
{
	struct seen *s = &script.seen[script.n % SEEN_MAX];

	headers_clear(&s->headers);
	*s = (struct seen){0};
	snprintf(s->method, sizeof(s->method), "%s", r->method);
	snprintf(s->target, sizeof(s->target), "%s", r->target);
	snprintf(s->body, sizeof(s->body), "%.*s", (int)r->body.len,
		 r->body.len ? r->body.ptr : "");
	for (size_t i = 0; i < r->headers.len; i++)
		headers_add(&s->headers, r->headers.items[i].name,
			    slice_of(r->headers.items[i].value));
}

static void serve(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	size_t i = script.n < script.n_steps ? script.n : script.n_steps - 1;
	const struct step *s = &script.steps[i];

	(void)ctx;
	remember(r);
	script.n++;
	out->status = s->drop ? 200 : s->status;
	add_lines(&out->headers, s->headers);
	out->cut_after = s->drop ? 0 : -1;
	if (s->body)
		buf_puts(&out->body, s->body);
	else if (s->code)
		buf_printf(&out->body, "<Error><Code>%s</Code><Message>m</Message></Error>",
			   s->code);
}

static struct httpd *server;

static void play(const struct step *steps, size_t n)
{
	httpd_lock(server);
	script.steps = steps;
	script.n_steps = n;
	script.n = 0;
	httpd_unlock(server);
}

static const char *seen(size_t i, const char *name)
{
	const char *value = headers_get(&script.seen[i].headers, name);

	return value ? value : "(none)";
}

/* --- our part --- */

struct var {
	const char *name, *value;
};
static struct var vars[16];

static const char *env(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(vars) && vars[i].name; i++)
		if (strcmp(vars[i].name, name) == 0)
			return vars[i].value;
	return NULL;
}

static void plain_env(void)
{
	static const struct var plain[] = {{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
					   {"AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENG"},
					   {"AWS_EC2_METADATA_DISABLED", "true"},
					   {"HOME", "/nonexistent"}};

	memset(vars, 0, sizeof(vars));
	memcpy(vars, plain, sizeof(plain));
}

/* options: lines of [store]. */
static int open_store(const char *options, struct store **out)
{
	_cleanup_buf_ struct buf text = {0};
	struct settings set;
	int rc;

	buf_init(&text, 65536);
	buf_printf(&text, "[store]\ntype = s3\nstall_timeout = 2s\nconnect_timeout = 2s\n%s",
		   options);
	rc = settings_parse("test", buf_slice(&text), &set, &err);
	if (rc == 0)
		rc = store_s3_open(&set, NULL, NULL, env, NULL, out, &err);
	settings_free(&set);
	return rc;
}

/* The store in the scripted server. */
static struct store *scripted(const char *options)
{
	struct store *s = NULL;
	char text[2048];

	snprintf(text, sizeof(text), "s3_url = s3://bkt/p\ns3_endpoint = http://127.0.0.1:%d\n%s",
		 httpd_port(server), options);
	if (open_store(text, &s) != 0) {
		printf("Bail out! %s\n", err.msg);
		exit(99);
	}
	return s;
}

struct one { /* a put and its end */
	struct store_put put;
	int done;
};

static void one_done(struct store_put *p)
{
	((struct one *)p->ctx)->done++;
}

static int file_with(const char *text)
{
	int fd = memfd_create("object", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(99);
	return fd;
}

static void put_start(struct store *s, struct one *o, const char *key, int fd, bool again)
{
	o->done = 0;
	o->put = (struct store_put){
		.key = key, .fd = fd, .size = 5, .again = again, .done = one_done, .ctx = o};
	store_put_start(s, &o->put);
}

/* Waits for it; the outcome is in o. */
static void put(struct store *s, struct one *o, const char *key, bool again)
{
	_cleanup_close_ int fd = file_with("hello");

	put_start(s, o, key, fd, again);
	while (!o->done)
		store_run(s, 1000, NULL, 0);
}

/* --- what is asked --- */

static void test_request(void)
{
	static const struct step steps[] = {
		{.status = 200, .headers = STORED "x-amz-version-id: v1\n"}};
	_cleanup_store_ struct store *s = scripted("");
	char host[64];
	struct one o;

	play(steps, 1);
	snprintf(host, sizeof(host), "127.0.0.1:%d", httpd_port(server));
	tap_str(store_name(s), "s3://bkt/p", "name");
	put(s, &o, "a/b c+d%\xc3\xa4.jsonl.gz", false);
	tap_int(o.put.rc, 0, "put: %s", o.put.err.msg);
	tap_int(o.put.lost, 0, "not lost");
	tap_int(o.put.assumed, 0, "not assumed");
	tap_str(o.put.etag, "\"" HELLO_MD5 "\"", "ETag");
	tap_str(o.put.version, "v1", "version");
	tap_int((long long)script.n, 1, "one request");
	tap_str(script.seen[0].method, "PUT", "method");
	tap_str(script.seen[0].target, "/bkt/p/a/b%20c%2Bd%25%C3%A4.jsonl.gz", "encoded once");
	tap_str(script.seen[0].body, "hello", "body");
	tap_str(seen(0, "Host"), host, "Host");
	tap_str(seen(0, "Content-Length"), "5", "Content-Length");
	tap_str(seen(0, "Content-Type"), "application/gzip", "Content-Type");
	tap_str(seen(0, "Expect"), "(none)", "no Expect");
	tap_str(seen(0, "If-None-Match"), "*", "If-None-Match");
	tap_str(seen(0, "x-amz-checksum-sha256"), HELLO_SUM, "checksum");
	tap_str(seen(0, "x-amz-sdk-checksum-algorithm"), "SHA256", "its algorithm");
	tap_str(seen(0, "x-amz-content-sha256"), HELLO_HEX, "payload hash");
	tap_str(seen(0, "x-amz-date"), "20261121T090000Z", "date");
	tap_str(seen(0, "Content-MD5"), "(none)", "no MD5");
	tap_ok(strstr(seen(0, "Authorization"),
		      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request") ==
		       seen(0, "Authorization"),
	       "credential scope");
	tap_ok(strstr(seen(0, "Authorization"),
		      "SignedHeaders=content-type;host;if-none-match;x-amz-checksum-sha256;"
		      "x-amz-content-sha256;x-amz-date;x-amz-sdk-checksum-algorithm,"),
	       "what counts is signed: %s", seen(0, "Authorization"));
}

static void test_types(void)
{
	static const struct step steps[] = {{.status = 200, .headers = STORED}};
	static const char *const rows[][2] = {{"a.jsonl.gz", "application/gzip"},
					      {"manifest.json", "application/json"},
					      {"transcript.txt", "text/plain; charset=utf-8"},
					      {"a.jsonl", "application/octet-stream"},
					      {"json", "application/octet-stream"}};
	_cleanup_store_ struct store *s = scripted("");
	struct one o;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		play(steps, 1);
		put(s, &o, rows[i][0], false);
		tap_str(seen(0, "Content-Type"), rows[i][1], "type of %s", rows[i][0]);
	}
}

static void test_options(void)
{
	static const struct step steps[] = {{.status = 200, .headers = STORED}};
	static const char *const want[][2] = {
		{"x-amz-expected-bucket-owner", "123456789012"},
		{"x-amz-server-side-encryption", "aws:kms"},
		{"x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:eu-west-1:1:key/k"},
		{"x-amz-server-side-encryption-bucket-key-enabled", "true"},
		{"x-amz-object-lock-mode", "COMPLIANCE"},
		{"x-amz-object-lock-retain-until-date", "2026-11-23T09:00:00.000Z"},
		{"x-amz-object-lock-legal-hold", "ON"},
		{"x-amz-storage-class", "STANDARD_IA"},
		{"x-amz-tagging", "a=b&c=d%20e"},
		{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="},
	};
	_cleanup_store_ struct store *s =
		scripted("s3_owner = 123456789012\ns3_encryption = aws:kms\n"
			 "s3_kms_key = arn:aws:kms:eu-west-1:1:key/k\ns3_bucket_key = yes\n"
			 "s3_lock_mode = COMPLIANCE\ns3_lock_for = 2d\ns3_legal_hold = yes\n"
			 "s3_storage_class = STANDARD_IA\ns3_tags = a=b&c=d%20e\n"
			 "s3_content_md5 = yes\ns3_region = eu-west-1\n");
	struct one o;

	play(steps, 1);
	put(s, &o, "k", false);
	tap_int(o.put.rc, 0, "put with every option: %s", o.put.err.msg);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		char name[64] = ";";

		for (size_t j = 0; want[i][0][j] && j < 60; j++) {
			char c = want[i][0][j];

			name[j + 1] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		}
		tap_str(seen(0, want[i][0]), want[i][1], "%s", want[i][0]);
		tap_ok(strstr(seen(0, "Authorization"), name + (i == 9)) != NULL, "%s is signed",
		       want[i][0]);
	}
	tap_ok(strstr(seen(0, "Authorization"), "/eu-west-1/s3/") != NULL, "region");
}

static int nothing(void *ctx, const char *key, uint64_t size)
{
	(void)ctx;
	(void)key;
	(void)size;
	return 0;
}

/* The owner goes with each request, the options of puts with puts only. */
static void test_owner_everywhere(void)
{
	static const struct step steps[] = {
		{.status = 200,
		 .body = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"}};
	_cleanup_store_ struct store *s =
		scripted("s3_owner = 123456789012\ns3_encryption = AES256\n");
	_cleanup_s3_reply_ struct s3_reply reply = {0};
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 4096);
	play(steps, 1);
	tap_int(store_get(s, "k", &b, &err), 0, "get");
	tap_int(store_list(s, "", nothing, NULL, &err), 0, "list: %s", err.msg);
	tap_int(store_s3_ask(s, "GET", NULL, "policy", &reply, &err), 0, "ask");
	for (size_t i = 0; i < 3; i++) {
		tap_str(seen(i, "x-amz-expected-bucket-owner"), "123456789012", "owner: %zu", i);
		tap_str(seen(i, "x-amz-server-side-encryption"), "(none)", "no encryption: %zu", i);
		tap_str(seen(i, "If-None-Match"), "(none)", "no condition: %zu", i);
	}
}

/* --- how it may end --- */

struct outcome {
	const char *name;
	bool again;
	struct step steps[4];
	size_t requests; /* how many there must be; 0: libcurl may ask again by itself */
	int rc;
	bool lost, assumed;
	const char *says; /* part of the message */
};

#define TAKEN                                                                                      \
	{                                                                                          \
		.status = 412, .code = "PreconditionFailed"                                        \
	}

static const struct outcome outcomes[] = {
	{"stored, checksum echoed",
	 false,
	 {{.status = 200, .headers = STORED "x-amz-checksum-sha256: " HELLO_SUM "\n"}},
	 1,
	 0,
	 false,
	 false,
	 ""},
	{"200 without an ETag",
	 false,
	 {{.status = 200, .body = "<html>welcome</html>"}},
	 1,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "200 for PUT, but this is no answer of S3"},
	{"200 for other bytes",
	 false,
	 {{.status = 200, .headers = STORED "x-amz-checksum-sha256: " OTHER_SUM "\n"}},
	 1,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "checksum"},
	{"201", false, {{.status = 201, .headers = STORED}}, 1, SA_ERR_AGAIN, true, false, "201"},
	{"500",
	 false,
	 {{.status = 500, .code = "InternalError"}},
	 1,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "500 InternalError for PUT"},
	{"503",
	 false,
	 {{.status = 503, .code = "SlowDown"}},
	 1,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "SlowDown"},
	{"429", false, {{.status = 429}}, 1, SA_ERR_AGAIN, false, false, "429"},
	{"400 RequestTimeout",
	 false,
	 {{.status = 400, .code = "RequestTimeout"}},
	 1,
	 SA_ERR_AGAIN,
	 false,
	 false,
	 "RequestTimeout"},
	{"409",
	 false,
	 {{.status = 409, .code = "ConditionalRequestConflict"}},
	 1,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "ConditionalRequestConflict"},
	{"connection broken",
	 false,
	 {{.drop = true}},
	 1,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "s3://bkt/p: PUT"},
	{"garbage in an error",
	 false,
	 {{.status = 503, .body = "\xff\xfe<<<"}},
	 1,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "503 for PUT"},
	{"denied",
	 false,
	 {{.status = 403, .code = "AccessDenied"}},
	 1,
	 SA_ERR_PERM,
	 false,
	 false,
	 "allow s3:PutObject on arn:aws:s3:::bkt/p/*"},
	{"no bucket",
	 false,
	 {{.status = 404, .code = "NoSuchBucket"}},
	 1,
	 SA_ERR_PERM,
	 false,
	 false,
	 "no such bucket"},
	{"404 of something else",
	 false,
	 {{.status = 404, .body = "<html>"}},
	 1,
	 SA_ERR_PERM,
	 false,
	 false,
	 "check s3_endpoint"},
	{"too large",
	 false,
	 {{.status = 400, .code = "EntityTooLarge"}},
	 1,
	 SA_ERR_INVALID,
	 false,
	 false,
	 "this request or object"},
	{"invalid request",
	 false,
	 {{.status = 400, .code = "InvalidRequest"}},
	 1,
	 SA_ERR_INVALID,
	 false,
	 false,
	 "this request or object"},
	{"a page over the bound",
	 false,
	 {{.status = 200, .headers = STORED, .body = "BIG"}},
	 1,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "longer than"},

	{"taken, by the same bytes",
	 false,
	 {TAKEN, {.status = 200, .headers = STORED "x-amz-checksum-sha256: " HELLO_SUM "\n"}},
	 2,
	 0,
	 false,
	 false,
	 ""},
	{"taken, by the same MD5",
	 false,
	 {TAKEN, {.status = 200, .headers = STORED "Content-Length: 5\n"}},
	 2,
	 0,
	 false,
	 false,
	 ""},
	{"taken, by other bytes",
	 false,
	 {TAKEN, {.status = 200, .headers = STORED "x-amz-checksum-sha256: " OTHER_SUM "\n"}},
	 2,
	 SA_ERR_EXISTS,
	 false,
	 false,
	 "holds other bytes"},
	{"the same, again",
	 true,
	 {TAKEN, {.status = 200, .headers = STORED "x-amz-checksum-sha256: " OTHER_SUM "\n"}},
	 2,
	 SA_ERR_EXISTS,
	 false,
	 false,
	 "holds other bytes"},
	{"taken, may not look",
	 false,
	 {TAKEN, {.status = 403}},
	 2,
	 SA_ERR_EXISTS,
	 false,
	 false,
	 "cannot be compared"},
	{"taken, may not look, again", true, {TAKEN, {.status = 403}}, 2, 0, false, true, ""},
	{"taken, nothing to compare by",
	 false,
	 {TAKEN, {.status = 200, .headers = "ETag: \"abc-2\"\nContent-Length: 5\n"}},
	 2,
	 SA_ERR_EXISTS,
	 false,
	 false,
	 "cannot be compared"},
	{"taken, nothing to compare by, again",
	 true,
	 {TAKEN, {.status = 200, .headers = "ETag: \"abc-2\"\nContent-Length: 5\n"}},
	 2,
	 0,
	 false,
	 true,
	 ""},
	{"taken, and a page that is not S3's",
	 false,
	 {TAKEN, {.status = 200, .headers = "Content-Length: 22\n"}},
	 2,
	 SA_ERR_AGAIN,
	 false,
	 false,
	 "the key is taken, but 200 for HEAD"},
	{"taken, and gone",
	 false,
	 {TAKEN, {.status = 404}},
	 2,
	 SA_ERR_AGAIN,
	 false,
	 false,
	 "404 for HEAD"},
	{"taken, and busy",
	 false,
	 {TAKEN, {.status = 503}},
	 2,
	 SA_ERR_AGAIN,
	 false,
	 false,
	 "503 for HEAD"},
	{"taken, and no answer",
	 false,
	 {TAKEN, {.drop = true}},
	 0,
	 SA_ERR_AGAIN,
	 false,
	 false,
	 "HEAD"},

	/* What an earlier attempt left open stays open. */
	{"again, and denied",
	 true,
	 {{.status = 403, .code = "AccessDenied"}},
	 1,
	 SA_ERR_PERM,
	 true,
	 false,
	 "allow"},
	{"again, taken, and busy",
	 true,
	 {TAKEN, {.status = 503}},
	 2,
	 SA_ERR_AGAIN,
	 true,
	 false,
	 "503 for HEAD"},
	{"again, and stored", true, {{.status = 200, .headers = STORED}}, 1, 0, false, false, ""},

	{"a redirect elsewhere",
	 false,
	 {{.status = 307, .headers = "Location: http://127.0.0.1:1/bkt/p/k\n"}},
	 1,
	 SA_ERR_AGAIN,
	 false,
	 false,
	 "307"},
	{"a redirect to a region that is none",
	 false,
	 {{.status = 301, .headers = "x-amz-bucket-region: evil.com/\n"}},
	 1,
	 SA_ERR_PERM,
	 false,
	 false,
	 "another region"},
};

static void test_outcomes(void)
{
	_cleanup_free_ char *big = malloc(S3_MAX_ERROR + 2);

	memset(big, 'x', S3_MAX_ERROR + 1);
	big[S3_MAX_ERROR + 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		_cleanup_store_ struct store *s = scripted("");
		struct outcome c = outcomes[i];
		size_t n = 0;
		struct one o;

		if (c.steps[0].body && strcmp(c.steps[0].body, "BIG") == 0)
			c.steps[0].body = big;
		while (n < ARRAY_LEN(c.steps) && (c.steps[n].status || c.steps[n].drop))
			n++;
		play(c.steps, n);
		put(s, &o, "k", c.again);
		tap_int(o.put.rc, c.rc, "%s: outcome", c.name);
		tap_int(o.put.rc ? o.put.err.code : 0, c.rc, "%s: code", c.name);
		tap_int(o.put.lost, c.lost, "%s: lost", c.name);
		tap_int(o.put.assumed, c.assumed, "%s: assumed", c.name);
		if (c.requests > 0)
			tap_int((long long)script.n, (long long)c.requests, "%s: requests", c.name);
		tap_ok(strstr(o.put.err.msg, c.says) != NULL, "%s: %s", c.name, o.put.err.msg);
		tap_int(o.done, 1, "%s: done once", c.name);
		tap_int((long long)store_in_flight(s), 0, "%s: nothing under way", c.name);
		if (c.requests == 2) {
			tap_str(script.seen[1].method, "HEAD", "%s: looked", c.name);
			tap_str(seen(1, "x-amz-checksum-mode"), "ENABLED", "%s: for the checksum",
				c.name);
			tap_str(seen(1, "If-None-Match"), "(none)", "%s: without condition",
				c.name);
		}
	}
}

/* An object that the settings make impossible is no bad object. */
static void test_options_refused(void)
{
	static const struct step steps[] = {{.status = 400, .code = "InvalidRequest"}};
	_cleanup_store_ struct store *s = scripted("s3_lock_mode = GOVERNANCE\n");
	struct one o;

	play(steps, 1);
	put(s, &o, "k", false);
	tap_int(o.put.rc, SA_ERR_PERM, "a lock in a bucket that has none: %s", o.put.err.msg);
}

/* --- repairs --- */

static void test_clock(void)
{
	static const struct step off[] = {{.status = 403,
					   .code = "RequestTimeTooSkewed",
					   .headers = "Date: Sat, 21 Nov 2026 11:00:00 GMT\n"},
					  {.status = 200, .headers = STORED}};
	static const struct step always[] = {{.status = 403,
					      .code = "RequestTimeTooSkewed",
					      .headers = "Date: Sat, 21 Nov 2026 12:00:00 GMT\n"}};
	_cleanup_store_ struct store *s = scripted("");
	struct one o;

	play(off, 2);
	put(s, &o, "k", false);
	tap_int(o.put.rc, 0, "clock: repaired: %s", o.put.err.msg);
	tap_int((long long)script.n, 2, "clock: two requests");
	tap_str(seen(0, "x-amz-date"), "20261121T090000Z", "clock: ours");
	tap_str(seen(1, "x-amz-date"), "20261121T110000Z", "clock: the server's");
	play(off + 1, 1);
	put(s, &o, "k2", false);
	tap_str(seen(0, "x-amz-date"), "20261121T110000Z", "clock: kept");
	play(always, 1);
	put(s, &o, "k3", false);
	tap_int(o.put.rc, SA_ERR_PERM, "clock: not for ever");
	tap_int((long long)script.n, 2, "clock: tried once");
	tap_ok(strstr(o.put.err.msg, "set this host's clock") != NULL, "clock: %s", o.put.err.msg);
}

static void test_region(void)
{
	static const struct step moved[] = {
		{.status = 400,
		 .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-south-1</Region>"
			 "</Error>"},
		{.status = 200, .headers = STORED}};
	static const struct step ring[] = {
		{.status = 301, .headers = "x-amz-bucket-region: eu-west-1\n"},
		{.status = 301, .headers = "x-amz-bucket-region: eu-west-2\n"}};
	_cleanup_store_ struct store *s = scripted("");
	struct one o;

	play(moved, 2);
	put(s, &o, "k", false);
	tap_int(o.put.rc, 0, "region: repaired: %s", o.put.err.msg);
	tap_ok(strstr(seen(0, "Authorization"), "/us-east-1/s3/") != NULL, "region: first");
	tap_ok(strstr(seen(1, "Authorization"), "/ap-south-1/s3/") != NULL, "region: then");
	tap_str(store_s3_location(s)->region, "ap-south-1", "region: kept");
	play(ring, 2);
	put(s, &o, "k2", false);
	tap_int(o.put.rc, SA_ERR_PERM, "region: a ring ends");
	tap_int((long long)script.n, 2, "region: tried once");
	tap_ok(strstr(o.put.err.msg, "it says eu-west-2: set s3_region") != NULL, "region: %s",
	       o.put.err.msg);
}

/* On AWS the host follows the region, within the partition. */
static void test_region_aws(void)
{
	struct s3_answer a = {.status = 301, .repair = S3_REPAIR_REGION, .region = "eu-west-1"};
	struct s3_signed sent = {.region = "us-east-1"};
	struct store *s = NULL;
	unsigned done = 0;

	tap_int(open_store("s3_url = s3://bkt\n", &s), 0, "AWS: open: %s", err.msg);
	tap_str(store_s3_location(s)->host, "bkt.s3.us-east-1.amazonaws.com",
		"AWS: where to begin");
	tap_ok(s3_repair((struct store_s3 *)s, &sent, &a, &done), "AWS: moved");
	tap_str(store_s3_location(s)->host, "bkt.s3.eu-west-1.amazonaws.com", "AWS: another host");
	tap_ok(!s3_repair((struct store_s3 *)s, &sent, &a, &done), "AWS: once");
	done = 0;
	tap_ok(s3_repair((struct store_s3 *)s, &sent, &a, &done),
	       "AWS: what was signed before the move is signed again");
	done = 0;
	snprintf(sent.region, sizeof(sent.region), "eu-west-1");
	tap_ok(!s3_repair((struct store_s3 *)s, &sent, &a, &done), "AWS: nowhere else to go");
	done = 0;
	snprintf(a.region, sizeof(a.region), "cn-north-1");
	tap_ok(!s3_repair((struct store_s3 *)s, &sent, &a, &done), "AWS: not to China");
	tap_str(store_s3_location(s)->host, "bkt.s3.eu-west-1.amazonaws.com", "AWS: stays");
	store_close(s);
}

static const char *container(int key, char *text, size_t size)
{
	snprintf(text, size,
		 "{\"AccessKeyId\":\"ASIA%d\",\"SecretAccessKey\":\"s%d\",\"Token\":\"t%d\","
		 "\"Expiration\":\"2026-11-22T09:00:00Z\"}",
		 key, key, key);
	return text;
}

/* Credentials come from the same server. */
static void test_credentials(void)
{
	char first[256], second[256], url[128];
	const struct step steps[] = {{.status = 200, .body = container(1, first, sizeof(first))},
				     {.status = 200, .headers = STORED},
				     {.status = 400, .code = "ExpiredToken"},
				     {.status = 200, .body = container(2, second, sizeof(second))},
				     {.status = 200, .headers = STORED}};
	static const struct step expired[] = {{.status = 400, .code = "ExpiredToken"}};
	_cleanup_store_ struct store *s = NULL;
	struct one o;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/creds", httpd_port(server));
	memset(vars, 0, sizeof(vars));
	vars[0] = (struct var){"AWS_CONTAINER_CREDENTIALS_FULL_URI", url};
	s = scripted("");
	play(steps, 2);
	tap_str(store_s3_credentials(s), "none", "credentials: none asked for yet");
	put(s, &o, "k", false);
	tap_int(o.put.rc, 0, "credentials: fetched: %s", o.put.err.msg);
	tap_str(seen(1, "x-amz-security-token"), "t1", "credentials: signed with them");
	clock_fake_advance(20000);
	play(steps + 2, 3);
	put(s, &o, "k", false);
	tap_int(o.put.rc, 0, "credentials: new ones: %s", o.put.err.msg);
	tap_str(seen(0, "x-amz-security-token"), "t1", "credentials: the old ones");
	tap_str(script.seen[1].target, "/creds", "credentials: asked for");
	tap_str(seen(2, "x-amz-security-token"), "t2", "credentials: signed with them");
	tap_ok(strstr(seen(2, "Authorization"), "Credential=ASIA2/") != NULL, "credentials: key");
	tap_ok(strstr(store_s3_credentials(s), "container") != NULL, "credentials: %s",
	       store_s3_credentials(s));
	play(expired, 1);
	put(s, &o, "k", false);
	tap_int(o.put.rc, SA_ERR_PERM, "credentials: not for ever");
	tap_ok(strstr(o.put.err.msg, "ASIA") == NULL && strstr(o.put.err.msg, "t2") == NULL,
	       "credentials: none in the message: %s", o.put.err.msg);
	clock_fake(NOW, 1000000);
	plain_env();
}

static void test_no_credentials(void)
{
	_cleanup_close_ int fd = file_with("hello");
	_cleanup_store_ struct store *s = NULL;
	_cleanup_buf_ struct buf b = {0};
	struct one o;

	buf_init(&b, 100);
	vars[0].name = "X";
	s = scripted("");
	put_start(s, &o, "k", fd, false);
	tap_int(o.done, 0, "no credentials: not said from the start");
	tap_int((long long)store_in_flight(s), 1, "no credentials: under way");
	store_run(s, 10000, NULL, 0);
	tap_int(o.done, 1, "no credentials: said by the first run, without waiting");
	tap_int(o.put.rc, SA_ERR_PERM, "no credentials: %s", o.put.err.msg);
	tap_int(store_get(s, "k", &b, &err), SA_ERR_PERM, "no credentials: get: %s", err.msg);
	store_close(s);
	vars[1].name = "X";
	s = scripted("");
	tap_int(store_get(s, "k", &b, &err), SA_ERR_PERM, "no credentials at all: %s", err.msg);
	plain_env();
}

/* The server changes the file while it is being put. */
static int changed_fd = -1;
static bool cuts;

static void serve_changing(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	serve(ctx, r, out);
	if (cuts ? ftruncate(changed_fd, 2) != 0 : pwrite(changed_fd, "jello", 5, 0) != 5)
		exit(99);
}

static void test_body(void)
{
	static const struct step once[] = {{.status = 400, .code = "BadDigest"},
					   {.status = 200, .headers = STORED}};
	static const struct step always[] = {{.status = 400, .code = "XAmzContentSHA256Mismatch"}};
	_cleanup_store_ struct store *s = scripted("s3_content_md5 = yes\n");
	struct one o;

	play(once, 2);
	put(s, &o, "k", false);
	tap_int(o.put.rc, 0, "body: sent again: %s", o.put.err.msg);
	tap_str(script.seen[1].body, "hello", "body: whole");
	play(always, 1);
	put(s, &o, "k", false);
	tap_int(o.put.rc, SA_ERR_AGAIN, "body: spoilt on the way: %s", o.put.err.msg);
	tap_int(o.put.lost, 0, "body: not stored");
	tap_int((long long)script.n, 2, "body: tried once more");
}

static void put_changing(struct one *o)
{
	static const struct step always[] = {{.status = 400, .code = "BadDigest"}};
	_cleanup_close_ int fd = file_with("hello");
	struct httpd *keep = server;
	struct store *s;

	changed_fd = fd;
	server = httpd_start(serve_changing, NULL);
	s = scripted("");
	play(always, 1);
	put_start(s, o, "k", fd, false);
	while (!o->done)
		store_run(s, 1000, NULL, 0);
	store_close(s);
	httpd_stop(server);
	server = keep;
}

static void test_body_changes(void)
{
	struct one o;

	put_changing(&o);
	tap_int(o.put.rc, SA_ERR_IO, "body: a file that changes: %s", o.put.err.msg);
	tap_str(script.seen[1].body, "jello", "body: was read again");
	cuts = true;
	put_changing(&o);
	tap_int(o.put.rc, SA_ERR_IO, "body: a file that shrinks: %s", o.put.err.msg);
	tap_ok(strstr(o.put.err.msg, "shorter than its size") != NULL, "body: says so");
	tap_int((long long)script.n, 1, "body: not sent again");
}

/* --- what never gets to the server --- */

static void test_refused_here(void)
{
	static const struct step steps[] = {{.status = 200, .headers = STORED}};
	_cleanup_store_ struct store *s = scripted("");
	_cleanup_close_ int fd = file_with("hello");
	char key[STORE_MAX_KEY + 1];
	struct one o;

	play(steps, 1);
	memset(key, 'k', sizeof(key));
	key[STORE_MAX_KEY - 1] = '\0'; /* and "p/" before it */
	put(s, &o, key, false);
	tap_int(o.put.rc, SA_ERR_INVALID, "a key too long with the prefix: %s", o.put.err.msg);
	key[STORE_MAX_KEY - 2] = '\0';
	put(s, &o, key, false);
	tap_int(o.put.rc, 0, "the longest");
	put(s, &o, "a//b", false);
	tap_int(o.put.rc, SA_ERR_INVALID, "not a key");
	put_start(s, &o, "k", fd, false);
	o.put.size = (5ULL << 30) + 1;
	store_run(s, 1000, NULL, 0);
	tap_int(o.put.rc, SA_ERR_INVALID, "over 5 GiB: %s", o.put.err.msg);
	put_start(s, &o, "k", fd, false);
	o.put.size = 6;
	store_run(s, 1000, NULL, 0);
	tap_int(o.put.rc, SA_ERR_IO, "a file that is too short: %s", o.put.err.msg);
	put_start(s, &o, "k", -1, true);
	store_run(s, 1000, NULL, 0);
	tap_int(o.put.rc, SA_ERR_IO, "no file: %s", o.put.err.msg);
	tap_int(o.put.lost, 1, "an earlier attempt stays open");
	tap_int((long long)script.n, 1, "nothing of these was asked");
}

/* A put without its condition would write over what is there. */
static void test_headers_lost(void)
{
	_cleanup_store_ struct store *s = scripted("");
	_cleanup_s3_signed_ struct s3_signed sent = {0};
	struct headers add = {.failed = true};
	struct s3_request r = {.method = "PUT", .key = "k", .add = &add, .body_fd = -1};

	tap_ok(s3_sign((struct store_s3 *)s, &r, &sent, &err) != 0,
	       "a request that lost a header is not signed: %s", err.msg);
}

static void test_away(void)
{
	_cleanup_store_ struct store *s = NULL;
	_cleanup_buf_ struct buf b = {0};
	struct one o;

	buf_init(&b, 100);
	open_store("s3_url = bkt\ns3_endpoint = http://127.0.0.1:1\n", &s);
	put(s, &o, "k", false);
	tap_int(o.put.rc, SA_ERR_AGAIN, "nobody there: %s", o.put.err.msg);
	tap_int(o.put.lost, 0, "nobody there: not lost");
	tap_int(store_get(s, "k", &b, &err), SA_ERR_AGAIN, "nobody there: get");
	tap_int(store_list(s, "", nothing, NULL, &err), SA_ERR_AGAIN, "nobody there: list: %s",
		err.msg);
}

/* --- many at a time --- */

struct chain {
	struct one one;
	struct store *store;
	int left, fd;
};

static void chain_done(struct store_put *p)
{
	struct chain *c = p->ctx;

	c->one.done++;
	if (c->left-- > 0)
		store_put_start(c->store, p);
}

static void test_many(void)
{
	static const struct step steps[] = {{.status = 200, .headers = STORED}};
	_cleanup_store_ struct store *s = scripted("");
	_cleanup_close_ int fd = file_with("hello");
	struct chain c[8];
	int done = 0;

	play(steps, 1);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		c[i] = (struct chain){.store = s, .left = 9, .fd = fd};
		c[i].one.put = (struct store_put){
			.key = "k", .fd = fd, .size = 5, .done = chain_done, .ctx = &c[i]};
		store_put_start(s, &c[i].one.put);
	}
	tap_int((long long)store_in_flight(s), 8, "many: under way");
	while (store_in_flight(s) > 0)
		store_run(s, 1000, NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		done += c[i].one.done;
	tap_int(done, 80, "many: each has ended, and started the next");
	tap_int((long long)script.n, 80, "many: as many requests");
}

/* libcurl would send it again by itself, and 412 would be the answer to our own object. */
static void test_kept(void)
{
	static const struct step steps[] = {{.status = 200, .headers = STORED}, {.drop = true}};
	_cleanup_store_ struct store *s = scripted("");
	struct one o;

	play(steps, 2);
	put(s, &o, "k", false);
	tap_int(o.put.rc, 0, "kept: stored");
	put(s, &o, "k2", false);
	tap_int(o.put.rc, SA_ERR_AGAIN, "kept: a connection that breaks: %s", o.put.err.msg);
	tap_int(o.put.lost, 1, "kept: perhaps stored");
	tap_int((long long)script.n, 2, "kept: not sent again unasked");
}

static void test_close(void)
{
	static const struct step steps[] = {{.drop = true}};
	struct store *s = scripted("");
	_cleanup_close_ int fd = file_with("hello");
	struct one sent, queued;

	play(steps, 1);
	put_start(s, &sent, "k", fd, false);
	store_run(s, 0, NULL, 0);
	put_start(s, &queued, "k2", fd, true);
	store_close(s);
	tap_int(sent.done, 1, "close: what was sent has ended");
	tap_int(sent.put.rc, SA_ERR_AGAIN, "close: to be tried again");
	tap_int(queued.done, 1, "close: what was not sent too");
	tap_int(queued.put.rc, SA_ERR_AGAIN, "close: to be tried again");
	tap_int(queued.put.lost, 1, "close: an earlier attempt stays open");
}

/* --- reading --- */

static void test_get(void)
{
	static const struct step there[] = {{.status = 200, .body = "0123456789"}};
	static const struct step none[] = {{.status = 404, .code = "NoSuchKey"}};
	static const struct step busy[] = {{.status = 503, .code = "SlowDown"},
					   {.status = 500, .code = "InternalError"},
					   {.status = 200, .body = "0123456789"}};
	static const struct step denied[] = {{.status = 403, .code = "AccessDenied"}};
	_cleanup_store_ struct store *s = scripted("");
	_cleanup_buf_ struct buf b = {0}, small = {0};

	buf_init(&b, 12);
	buf_init(&small, 9);
	buf_puts(&b, "<>");
	play(there, 1);
	tap_int(store_get(s, "a b", &b, &err), 0, "get: %s", err.msg);
	tap_bytes(buf_slice(&b), SLICE_LIT("<>0123456789"), "get: appended");
	tap_str(script.seen[0].target, "/bkt/p/a%20b", "get: target");
	tap_str(seen(0, "x-amz-content-sha256"), SIGV4_EMPTY_SHA256, "get: payload hash");
	tap_int(store_get(s, "k", &small, &err), SA_ERR_TOOBIG, "get: over the bound: %s", err.msg);
	tap_int((long long)small.len, 0, "get: nothing appended");
	play(none, 1);
	tap_int(store_get(s, "k", &small, &err), SA_ERR_NOTFOUND,
		"get: none, in a small buffer: %s", err.msg);
	tap_int(store_get(s, "../k", &small, &err), SA_ERR_INVALID, "get: not a key");
	buf_clear(&b);
	play(busy, 3);
	tap_int(store_get(s, "k", &b, &err), 0, "get: asked again while it is busy: %s", err.msg);
	tap_int((long long)script.n, 3, "get: twice");
	play(busy, 1);
	tap_int(store_get(s, "k", &b, &err), SA_ERR_AGAIN, "get: not for ever: %s", err.msg);
	tap_int((long long)script.n, 3, "get: three times in all");
	play(denied, 1);
	tap_int(store_get(s, "k", &b, &err), SA_ERR_PERM, "get: denied");
	tap_ok(strstr(err.msg, "allow s3:GetObject on arn:aws:s3:::bkt/p/*") != NULL, "get: %s",
	       err.msg);
	tap_int((long long)script.n, 1, "get: not asked again");
}

static int collect(void *ctx, const char *key, uint64_t size)
{
	buf_printf(ctx, "%s=%llu ", key, (unsigned long long)size);
	return strcmp(key, "stop") == 0 ? 7 : 0;
}

#define PAGE(keys, next)                                                                           \
	"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"        \
	"<NextContinuationToken>" next "</NextContinuationToken>" keys "</ListBucketResult>"
#define LAST(keys)                                                                                 \
	"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>" keys  \
	"</ListBucketResult>"
#define ENTRY(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"

static void test_list(void)
{
	static const struct step two[] = {
		{.status = 200, .body = PAGE(ENTRY("p%2Fa+b") ENTRY("p%2Fc"), "t/+=")},
		{.status = 503, .code = "SlowDown"},
		{.status = 200, .body = LAST(ENTRY("p%2Fd") ENTRY("q%2Fx") ENTRY("p%2Fe%2F"))}};
	static const struct step stop[] = {
		{.status = 200, .body = PAGE(ENTRY("p%2Fstop") ENTRY("p%2Fz"), "t")}};
	static const struct step ring[] = {{.status = 200, .body = PAGE(ENTRY("p%2Fa"), "one")},
					   {.status = 200, .body = PAGE("", "two")},
					   {.status = 200, .body = PAGE("", "three")},
					   {.status = 200, .body = PAGE("", "two")}};
	static const struct step bad[] = {{.status = 200, .body = "<html></html>"}};
	static const struct step denied[] = {{.status = 403, .code = "AccessDenied"}};
	_cleanup_store_ struct store *s = scripted("");
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 65536);
	play(two, 3);
	tap_int(store_list(s, "", collect, &b, &err), 0, "list: %s", err.msg);
	tap_str(buf_cstr(&b), "a b=1 c=1 d=1 ", "list: keys of ours, without the prefix");
	tap_str(script.seen[0].target, "/bkt/?list-type=2&encoding-type=url&prefix=p%2F",
		"list: first page");
	tap_str(script.seen[2].target,
		"/bkt/?list-type=2&encoding-type=url&prefix=p%2F&continuation-token=t%2F%2B%3D",
		"list: second page, asked for twice");
	play(stop, 1);
	buf_clear(&b);
	tap_int(store_list(s, "st", collect, &b, &err), 7, "list: stopped");
	tap_str(buf_cstr(&b), "stop=1 ", "list: there");
	tap_str(script.seen[0].target, "/bkt/?list-type=2&encoding-type=url&prefix=p%2Fst",
		"list: a prefix");
	play(ring, 4);
	/* one, two, three, two, two, ...: the last step stays */
	tap_int(store_list(s, "", nothing, NULL, &err), SA_ERR_INVALID, "list: a ring: %s",
		err.msg);
	tap_ok(script.n <= 8, "list: found out after %zu pages", script.n);
	play(bad, 1);
	tap_int(store_list(s, "", nothing, NULL, &err), SA_ERR_INVALID, "list: no list: %s",
		err.msg);
	play(denied, 1);
	tap_int(store_list(s, "", nothing, NULL, &err), SA_ERR_PERM, "list: denied");
	tap_ok(strstr(err.msg, "allow s3:ListBucket on arn:aws:s3:::bkt ") != NULL, "list: %s",
	       err.msg);
}

static void test_probe(void)
{
	static const struct {
		const char *name;
		struct step steps[2];
		int rc;
		enum store_append_only want;
		size_t requests;
	} rows[] = {
		{"refused the second time",
		 {{.status = 200, .headers = STORED}, TAKEN},
		 0,
		 STORE_PROVEN,
		 2},
		{"refused at once", {TAKEN, TAKEN}, 0, STORE_PROVEN, 1},
		{"taken twice",
		 {{.status = 200, .headers = STORED}, {.status = 200, .headers = STORED}},
		 0,
		 STORE_UNPROVEN,
		 2},
		{"denied",
		 {{.status = 403, .code = "AccessDenied"}},
		 SA_ERR_PERM,
		 STORE_UNKNOWN,
		 1},
		{"no answer", {{.drop = true}, {.drop = true}}, SA_ERR_AGAIN, STORE_UNKNOWN, 1},
		{"busy the second time",
		 {{.status = 200, .headers = STORED}, {.status = 503}},
		 SA_ERR_AGAIN,
		 STORE_UNKNOWN,
		 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_store_ struct store *s = scripted("s3_encryption = AES256\n");
		enum store_append_only a = STORE_UNKNOWN;

		play(rows[i].steps, 2);
		tap_int(store_probe(s, "web/1", &a, &err), rows[i].rc, "probe: %s", rows[i].name);
		tap_int(a, rows[i].want, "probe: %s: result", rows[i].name);
		tap_int((long long)script.n, (long long)rows[i].requests, "probe: %s: requests",
			rows[i].name);
		tap_str(script.seen[0].target, "/bkt/p/probe/host%3Dweb%252F1.json",
			"probe: %s: target", rows[i].name);
		tap_str(seen(0, "If-None-Match"), "*", "probe: %s: condition", rows[i].name);
		tap_str(seen(0, "x-amz-server-side-encryption"), "AES256", "probe: %s: as any put",
			rows[i].name);
	}
}

static void test_ask(void)
{
	static const struct step steps[] = {{.status = 403,
					     .code = "RequestTimeTooSkewed",
					     .headers = "Date: Sat, 21 Nov 2026 11:00:00 GMT\n"},
					    {.status = 404,
					     .code = "NoSuchBucketPolicy",
					     .headers = "x-amz-bucket-region: r\n"}};
	static const struct step drop[] = {{.drop = true}};
	_cleanup_store_ struct store *s = scripted("");
	_cleanup_s3_reply_ struct s3_reply reply = {0};
	struct store *dir = NULL;

	play(steps, 2);
	tap_int(store_s3_ask(s, "GET", NULL, "?policy", &reply, &err), 0, "ask: %s", err.msg);
	tap_int(reply.status, 404, "ask: status");
	tap_str(reply.code, "NoSuchBucketPolicy", "ask: code");
	tap_str(headers_get(&reply.headers, "x-amz-bucket-region"), "r", "ask: headers");
	tap_bytes(buf_slice(&reply.body),
		  SLICE_LIT("<Error><Code>NoSuchBucketPolicy</Code><Message>m</Message></Error>"),
		  "ask: body");
	tap_str(script.seen[1].target, "/bkt/?policy", "ask: target");
	play(steps + 1, 1);
	tap_int(store_s3_ask(s, "HEAD", "k", "", &reply, &err), 0, "ask: into the same reply");
	tap_str(script.seen[0].method, "HEAD", "ask: method");
	tap_str(script.seen[0].target, "/bkt/p/k", "ask: an object");
	play(drop, 1);
	tap_int(store_s3_ask(s, "HEAD", NULL, "", &reply, &err), SA_ERR_AGAIN, "ask: no answer: %s",
		err.msg);
	store_dir_open("/tmp", false, &dir, &err);
	tap_int(store_s3_ask(dir, "HEAD", NULL, "", &reply, &err), SA_ERR_INVALID,
		"ask: not in a directory");
	tap_ok(!store_s3_location(dir) && !store_s3_credentials(dir),
	       "a directory is in no bucket");
	store_close(dir);
}

/* --- opening --- */

static void test_open(void)
{
	static const struct {
		const char *name, *options, *says;
	} rows[] = {
		{"no bucket", "s3_url = s3://\n", "no name of a bucket"},
		{"a wrong endpoint", "s3_url = bkt\ns3_endpoint = s3.lan\n", "endpoint"},
		{"a key without encryption", "s3_url = bkt\ns3_kms_key = k\n",
		 "s3_encryption = aws:kms"},
		{"a bucket key without KMS",
		 "s3_url = bkt\ns3_encryption = AES256\ns3_bucket_key = 1\n",
		 "s3_encryption = aws:kms"},
		{"FIPS with an endpoint", "s3_url = bkt\ns3_endpoint = http://a\ns3_fips = yes\n",
		 "s3_fips"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store *s = NULL;

		tap_int(open_store(rows[i].options, &s), SA_ERR_INVALID, "open: %s", rows[i].name);
		tap_ok(strstr(err.msg, rows[i].says) != NULL, "open: %s: %s", rows[i].name,
		       err.msg);
	}
}

static void check_location(const char *name, const char *options, const char *host,
			   const char *region)
{
	struct store *s = NULL;

	if (tap_int(open_store(options, &s), 0, "%s: open: %s", name, err.msg)) {
		tap_str(store_s3_location(s)->host, host, "%s: host", name);
		tap_str(store_s3_location(s)->region, region, "%s: region", name);
		store_close(s);
	}
}

static void test_environment(void)
{
	static const struct step region[] = {{.status = 200, .body = "token"},
					     {.status = 200, .body = "eu-west-3"}};
	char url[64];

	check_location("nothing says where", "s3_url = bkt\n", "bkt.s3.us-east-1.amazonaws.com",
		       "us-east-1");
	check_location("nothing but a partition", "s3_url = arn:aws-cn:s3:::bkt\n",
		       "bkt.s3.cn-north-1.amazonaws.com.cn", "cn-north-1");
	check_location("an access point",
		       "s3_url = arn:aws:s3:eu-west-1:123456789012:accesspoint/ap1\n",
		       "ap1-123456789012.s3-accesspoint.eu-west-1.amazonaws.com", "eu-west-1");
	vars[4] = (struct var){"AWS_DEFAULT_REGION", "eu-west-1"};
	check_location("AWS_DEFAULT_REGION", "s3_url = bkt\n", "bkt.s3.eu-west-1.amazonaws.com",
		       "eu-west-1");
	vars[5] = (struct var){"AWS_REGION", "eu-west-2"};
	check_location("AWS_REGION", "s3_url = bkt\n", "bkt.s3.eu-west-2.amazonaws.com",
		       "eu-west-2");
	check_location("the setting", "s3_url = bkt\ns3_region = us-west-1\n",
		       "bkt.s3.us-west-1.amazonaws.com", "us-west-1");
	vars[6] = (struct var){"AWS_ENDPOINT_URL", "http://all.lan"};
	check_location("AWS_ENDPOINT_URL", "s3_url = bkt\n", "all.lan", "eu-west-2");
	vars[7] = (struct var){"AWS_ENDPOINT_URL_S3", "http://s3.lan:9000"};
	check_location("AWS_ENDPOINT_URL_S3", "s3_url = bkt\n", "s3.lan:9000", "eu-west-2");
	check_location("the setting", "s3_url = bkt\ns3_endpoint = https://here.lan\n", "here.lan",
		       "eu-west-2");
	check_location("style", "s3_url = bkt\ns3_path_style = no\n", "bkt.s3.lan:9000",
		       "eu-west-2");
	plain_env();
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", httpd_port(server));
	vars[2] = (struct var){"AWS_EC2_METADATA_SERVICE_ENDPOINT", url};
	play(region, 2);
	check_location("the instance", "s3_url = bkt\n", "bkt.s3.eu-west-3.amazonaws.com",
		       "eu-west-3");
	plain_env();
}

int main(void)
{
	clock_fake(NOW, 1000000);
	plain_env();
	server = httpd_start(serve, NULL);
	test_request();
	test_types();
	test_options();
	test_owner_everywhere();
	test_outcomes();
	test_options_refused();
	test_clock();
	test_region();
	test_region_aws();
	test_credentials();
	test_no_credentials();
	test_body();
	test_body_changes();
	test_refused_here();
	test_headers_lost();
	test_away();
	test_many();
	test_kept();
	test_close();
	test_get();
	test_list();
	test_probe();
	test_ask();
	test_open();
	test_environment();
	httpd_stop(server);
	for (size_t i = 0; i < SEEN_MAX; i++)
		headers_clear(&script.seen[i].headers);
	return tap_done();
}
