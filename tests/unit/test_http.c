/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/http_seen.h"
#include "tests/unit/httpd.h"
#include "tests/unit/tap.h"

#define BIG (8 << 20)

static struct sa_err err;

/* What the server does next, and what it saw last. */
static struct {
	struct httpd *h;
	void (*play)(const struct httpd_request *r, struct httpd_reply *out); /* NULL: echoes */
	char method[16], target[300], fields[2000];
	bool body_is_ramp;
	size_t body_len;
} server;

/* Byte i of every body that is sent. */
static char ramp(size_t i)
{
	return (char)(i * 7 + i / 251);
}

static void on_request(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	size_t used = 0;

	(void)ctx;
	snprintf(server.method, sizeof(server.method), "%s", r->method);
	snprintf(server.target, sizeof(server.target), "%s", r->target);
	for (size_t i = 0; i < r->headers.len && used < sizeof(server.fields); i++)
		used += (size_t)snprintf(server.fields + used, sizeof(server.fields) - used,
					 "%s: %s\n", r->headers.items[i].name,
					 r->headers.items[i].value);
	server.body_len = r->body.len;
	server.body_is_ramp = true;
	for (size_t i = 0; i < r->body.len; i++)
		server.body_is_ramp &= r->body.ptr[i] == ramp(i);
	if (server.play) {
		server.play(r, out);
		return;
	}
	headers_add(&out->headers, "X-Echo", slice_of(r->target));
	httpd_answer(out, 200, r->target);
}

static void serve(void)
{
	server.play = NULL;
	server.h = httpd_start(on_request, NULL);
}

static const char *url(const char *path)
{
	static char text[400];

	snprintf(text, sizeof(text), "http://127.0.0.1:%d%s", httpd_port(server.h), path);
	return text;
}

static struct http_request get(const char *path)
{
	return (struct http_request){
		.method = "GET", .url = url(path), .body_fd = -1, .max_body = 1000};
}

static void test_get(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	_cleanup_headers_ struct headers fields = {0};
	char want[600];
	struct http_request r;
	struct seen s;

	serve();
	headers_add(&fields, "X-One", SLICE_LIT("a b"));
	headers_add(&fields, "x-empty", SLICE_LIT(""));
	r = get("/a/../b//c/./d?x=%2F&y=a+b&z=~");
	r.headers = &fields;
	s = seen_ask(h, &r);
	tap_int(s.rc, 0, "rc");
	tap_int(s.status, 200, "status");
	tap_ok(s.sent, "sent");
	tap_str(s.body, "/a/../b//c/./d?x=%2F&y=a+b&z=~", "body");
	tap_str(s.echo, "/a/../b//c/./d?x=%2F&y=a+b&z=~", "a header of the answer");
	tap_str(server.method, "GET", "method");
	tap_str(server.target, "/a/../b//c/./d?x=%2F&y=a+b&z=~", "the path goes as it is");
	snprintf(want, sizeof(want),
		 "Host: 127.0.0.1:%d\nUser-Agent: sessaudit/%s\nAccept: */*\nX-One: a b\n"
		 "x-empty: \n",
		 httpd_port(server.h), PACKAGE_VERSION);
	tap_str(server.fields, want, "these header fields and no other");
	headers_set(&fields, "Host", SLICE_LIT("bucket.example.com"));
	(void)seen_ask(h, &r);
	tap_ok(strncmp(server.fields, "Host: bucket.example.com\nUser-Agent", 35) == 0,
	       "Host is ours when it is given: %s", server.fields);
	httpd_stop(server.h);
}

static int answer_status;

static void play_status(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	httpd_answer(out, answer_status, answer_status == 204 ? "" : "<Error/>");
	headers_add(&out->headers, "Location", SLICE_LIT("http://127.0.0.1:1/elsewhere"));
	headers_add(&out->headers, "X-Echo", SLICE_LIT("this one"));
}

static void test_statuses(void)
{
	static const int statuses[] = {200, 204, 301, 304, 307, 401, 403, 404,
				       407, 409, 412, 417, 429, 500, 503};
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});

	serve();
	server.play = play_status;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct http_request r = get("/");
		struct seen s;
		bool bare = statuses[i] == 204 || statuses[i] == 304;

		answer_status = statuses[i];
		s = seen_ask(h, &r);
		tap_int(s.rc, 0, "an answer %d is an answer", statuses[i]);
		tap_int(s.status, statuses[i], "its status");
		tap_str(s.body, bare ? "" : "<Error/>", "its body");
		tap_str(s.echo, "this one", "its header");
	}
	tap_int(httpd_requests(server.h), (long long)ARRAY_LEN(statuses), "nothing was followed");
	httpd_stop(server.h);
}

/* A file with n bytes of ramp, read position at its end. */
static int ramp_file(size_t n)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	for (size_t i = 0; i < n; i++) {
		char block[4096];
		size_t k = 0;

		for (; k < sizeof(block) && i + k < n; k++)
			block[k] = ramp(i + k);
		if (write(fd, block, k) != (ssize_t)k)
			abort();
		i += k - 1;
	}
	return fd;
}

static void test_put(void)
{
	static const size_t sizes[] = {1, 65536, 131072, 131073, 1048577, 0};
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	char *mem;
	struct seen s;

	serve();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		_cleanup_close_ int fd = ramp_file(sizes[i]);
		char length[40];
		struct http_request r = get("/put");

		r.method = "PUT";
		r.body_fd = fd;
		r.body_size = sizes[i];
		s = seen_ask(h, &r);
		tap_int(s.rc, 0, "PUT %zu bytes of a file", sizes[i]);
		tap_int((long long)server.body_len, (long long)sizes[i], "came whole");
		tap_ok(server.body_is_ramp, "and right");
		snprintf(length, sizeof(length), "\nContent-Length: %zu\n", sizes[i]);
		tap_ok(strstr(server.fields, length), "with its length");
		tap_ok(!strstr(server.fields, "Expect") && !strstr(server.fields, "Encoding"),
		       "no Expect, not chunked");
		tap_int(lseek(fd, 0, SEEK_CUR), (long long)sizes[i], "the position stays");
	}
	mem = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < BIG; i++)
		mem[i] = ramp(i);
	for (size_t n = 0; n <= BIG; n += BIG / 2) {
		struct http_request r = get("/post");

		r.method = "POST";
		r.body = (struct slice){mem, n};
		s = seen_ask(h, &r);
		tap_int(s.rc, 0, "POST %zu bytes of memory", n);
		tap_str(server.method, "POST", "is a POST");
		tap_ok(server.body_len == n && server.body_is_ramp, "came whole and right");
	}
	munmap(mem, BIG);
	tap_int(httpd_connections(server.h), 1, "all over one connection");
	httpd_stop(server.h);
}

static void play_long_head(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	headers_add(&out->headers, "Content-Length", SLICE_LIT("1000000000000"));
}

/* One handle is used for all of these: nothing of one request may stick to the next. */
static void test_methods(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	struct http_request r;
	struct seen s;

	serve();
	for (int i = 0; i < 2; i++) {
		r = get("/m");
		r.method = "PUT";
		r.body = SLICE_LIT("x");
		tap_int(seen_ask(h, &r).rc, 0, "PUT");
		server.play = play_long_head;
		r = get("/m");
		r.method = "HEAD";
		s = seen_ask(h, &r);
		tap_int(s.rc, 0, "HEAD of something longer than max_body");
		tap_str(server.method, "HEAD", "is a HEAD");
		server.play = NULL;
		r = get("/m");
		tap_str(seen_ask(h, &r).body, "/m", "GET after HEAD and PUT has a body");
		tap_ok(!strstr(server.fields, "Content-Length"), "and sends none");
		r.method = "DELETE";
		tap_int(seen_ask(h, &r).rc, 0, "DELETE");
		tap_str(server.method, "DELETE", "is a DELETE");
		tap_ok(!strstr(server.fields, "Content-Length"), "and sends none");
		r.method = "PUT";
		tap_int(seen_ask(h, &r).rc, 0, "PUT without a body");
		tap_ok(strstr(server.fields, "\nContent-Length: 0\n"), "says so: %s",
		       server.fields);
	}
	tap_int(httpd_connections(server.h), 1, "all over one connection");
	httpd_stop(server.h);
}

static void test_reuse(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	int wrong = 0;

	serve();
	for (int i = 0; i < 200; i++) {
		_cleanup_answer_ struct http_answer a = {0};
		struct http_request r = get("/reuse");
		struct seen s = {0};

		wrong += http_start(h, &r, seen_done, &s, &err) != 0;
		seen_finish_all(h);
		wrong += s.calls != 1 || s.rc != 0 || strcmp(s.body, "/reuse") != 0;
		wrong += http_perform(h, &r, &a, &err) != 0 || a.status != 200 ||
			 !slice_is(buf_slice(&a.body), "/reuse") ||
			 strcmp(headers_get(&a.headers, "X-ECHO"), "/reuse") != 0;
	}
	tap_int(wrong, 0, "400 requests, started or waited for");
	tap_int(httpd_requests(server.h), 400, "came");
	tap_int(httpd_connections(server.h), 2, "over one connection for each kind");
	httpd_stop(server.h);
}

static void play_wait(const struct httpd_request *r, struct httpd_reply *out)
{
	httpd_answer(out, 200, r->target);
	out->wait_ms = strtol(r->target + 1, NULL, 10);
}

static void test_parallel(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	_cleanup_close_ int fd = ramp_file(65536);
	struct seen s[32];
	int64_t begun;
	int wrong = 0;

	serve();
	server.play = play_wait;
	for (int round = 0; round < 2; round++) {
		begun = clock_mono_ms();
		for (int i = 0; i < 32; i++) {
			char path[20];
			struct http_request r;

			snprintf(path, sizeof(path), "/300/%d", i);
			r = get(path);
			r.method = "PUT";
			r.body_fd = fd;
			r.body_size = 65536;
			s[i] = (struct seen){0};
			wrong += http_start(h, &r, seen_done, &s[i], &err) != 0;
			tap_int(s[i].calls, 0, "done is not called by the start");
		}
		tap_int((long long)http_in_flight(h), 32, "32 in flight");
		seen_finish_all(h);
		tap_ok(clock_mono_ms() - begun < 32 * 300 / 4, "all at a time");
		for (int i = 0; i < 32; i++)
			wrong += s[i].calls != 1 || s[i].rc != 0 || atoi(s[i].body + 5) != i;
		tap_int(wrong, 0, "each has its own answer, once");
		tap_int(httpd_connections(server.h), 32, "32 connections, also the second time");
	}
	httpd_stop(server.h);
}

static void test_order(void)
{
	static const char *const paths[] = {"/300", "/0", "/150"};
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	struct seen s[3] = {0};

	serve();
	server.play = play_wait;

	for (int i = 0; i < 3; i++) {
		struct http_request r = get(paths[i]);

		tap_int(http_start(h, &r, seen_done, &s[i], &err), 0, "start %s", paths[i]);
	}
	seen_finish_all(h);
	tap_int(s[2].order - s[1].order, 1, "the quick one is done first, then the next");
	tap_int(s[0].order - s[2].order, 1, "the slow one last");
	httpd_stop(server.h);
}

struct chain {
	struct http *h;
	int left, failed, performed;
};

static void chain_done(void *ctx, int rc, struct http_answer *a, const struct sa_err *e)
{
	struct chain *c = ctx;
	struct http_request r = get("/next");

	(void)e;
	c->failed += rc != 0 || a->status != 200;
	if (c->left % 10 == 0) {
		_cleanup_answer_ struct http_answer again = {0};

		c->performed += http_perform(c->h, &r, &again, &err) == 0;
	}
	if (--c->left > 0)
		c->failed += http_start(c->h, &r, chain_done, c, &err) != 0;
}

static void test_chain(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	struct chain c = {.h = h, .left = 50};
	struct http_request r;

	serve();
	r = get("/first");
	tap_int(http_start(h, &r, chain_done, &c, &err), 0, "start");
	seen_finish_all(h);
	tap_int(c.left, 0, "each done started the next");
	tap_int(c.failed, 0, "none failed");
	tap_int(c.performed, 5, "some waited for one meanwhile");
	tap_int(httpd_connections(server.h), 2, "over one connection for each kind");
	httpd_stop(server.h);
}

static void test_descriptors(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	struct pollfd p[2] = {{.fd = -1}, {.events = POLLIN}};
	struct seen s = {0};
	struct http_request r;
	int ends[2], turns = 0;
	int64_t begun;

	serve();
	server.play = play_wait;
	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
	p[1].fd = ends[0];
	begun = clock_mono_ms();
	http_run(h, 100, p, 2);
	tap_ok(clock_mono_ms() - begun >= 99, "nothing in flight: waits");
	tap_int(p[1].revents, 0, "nothing is ready");
	begun = clock_mono_ms();
	http_run(h, 100, NULL, 0);
	tap_ok(clock_mono_ms() - begun >= 99, "also without descriptors");
	r = get("/500");
	tap_int(http_start(h, &r, seen_done, &s, &err), 0, "start");
	begun = clock_mono_ms();
	while (clock_mono_ms() - begun < 300) {
		http_run(h, 100, p, 2);
		turns++;
	}
	tap_ok(turns < 20, "in flight: does not spin (%d turns)", turns);
	if (write(ends[1], "x", 1) != 1)
		abort();
	begun = clock_mono_ms();
	http_run(h, 5000, p, 2);
	tap_ok(clock_mono_ms() - begun < 150, "a ready descriptor ends the wait");
	tap_int(p[1].revents, POLLIN, "and is told");
	tap_int(s.calls, 0, "the transfer goes on");
	seen_finish_all(h);
	tap_str(s.body, "/500", "to its end");
	close(ends[1]);
	http_run(h, 5000, p, 2);
	tap_int(p[1].revents, POLLIN | POLLHUP, "a hang-up is told");
	close(ends[0]);
	httpd_stop(server.h);
}

static bool turn_left(void *ctx)
{
	int *left = ctx;

	return (*left)-- > 0;
}

static void test_turn(void)
{
	int left = 1000000;
	_cleanup_http_ struct http *h =
		seen_client(&(struct http_options){.turn = turn_left, .turn_ctx = &left});
	_cleanup_answer_ struct http_answer a = {0}, b = {0};
	struct seen s = {0};
	struct http_request r;
	int64_t begun = clock_mono_ms();

	serve();
	server.play = play_wait;
	r = get("/0");
	tap_int(http_start(h, &r, seen_done, &s, &err), 0, "another is in flight");
	r = get("/1000");
	tap_int(http_perform(h, &r, &a, &err), 0, "one second is waited for");
	tap_ok(left <= 1000000 - 4 && left > 1000000 - 50, "%d turns", 1000000 - left);
	tap_int(s.calls, 0, "the other rests");
	left = 3;
	begun = clock_mono_ms();
	r = get("/10000");
	tap_int(http_perform(h, &r, &b, &err), SA_ERR_AGAIN, "the turn ends it");
	tap_ok(strstr(err.msg, ": not waited for any longer"), "says so: %s", err.msg);
	tap_ok(clock_mono_ms() - begun < 2000, "soon");
	tap_ok(b.sent && b.status == 0, "it had been sent");
	seen_finish_all(h);
	tap_int(s.rc, 0, "the other goes on then");
	httpd_stop(server.h);
}

struct refused {
	struct http *h;
	struct seen s;
	int again;
};

static void start_again(void *ctx, int rc, struct http_answer *a, const struct sa_err *e)
{
	struct refused *f = ctx;
	struct http_request r = get("/");

	seen_done(&f->s, rc, a, e);
	f->again = http_start(f->h, &r, start_again, f, &err);
}

static void test_free(void)
{
	struct http *h = seen_client(&(struct http_options){0});
	struct refused f[3] = {0};
	struct http_request r;

	serve();
	server.play = play_wait;
	r = get("/10000");
	for (int i = 0; i < 3; i++) {
		f[i].h = h;
		tap_int(http_start(h, &r, start_again, &f[i], &err), 0, "start");
	}
	for (int i = 0; i < 20; i++)
		http_run(h, 10, NULL, 0);
	http_free(h);
	for (int i = 0; i < 3; i++) {
		tap_int(f[i].s.calls, 1, "done is called when the client goes");
		tap_int(f[i].s.rc, SA_ERR_AGAIN, "as broken off");
		tap_ok(f[i].s.sent, "and sent");
		tap_int(f[i].again, SA_ERR_AGAIN, "nothing is started any more");
	}
	httpd_stop(server.h);
}

static const struct {
	const char *what, *method, *url;
	int rc;
} bad_requests[] = {
	{"no scheme", "GET", "127.0.0.1/", SA_ERR_INVALID},
	{"another scheme", "GET", "ftp://127.0.0.1/", SA_ERR_INVALID},
	{"a file", "GET", "file:///etc/passwd", SA_ERR_INVALID},
	{"CR LF in the URL", "GET", "http://127.0.0.1/\r\nX: y", SA_ERR_INVALID},
	{"a blank in the URL", "GET", "http://127.0.0.1/a b", SA_ERR_INVALID},
	{"not ASCII in the URL", "GET", "http://127.0.0.1/\xc3\xa4", SA_ERR_INVALID},
	{"an empty method", "", "http://127.0.0.1/", SA_ERR_INVALID},
	{"a method with more", "GET / HTTP/1.1\r\nX: y\r\n", "http://127.0.0.1/", SA_ERR_INVALID},
};

static void test_bad_requests(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	_cleanup_headers_ struct headers fields = {0};
	struct http_request r = {.method = "GET", .body_fd = -1, .max_body = 10};
	struct seen s = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad_requests); i++) {
		r.method = bad_requests[i].method;
		r.url = bad_requests[i].url;
		tap_int(http_start(h, &r, seen_done, &s, &err), bad_requests[i].rc, "%s",
			bad_requests[i].what);
		tap_int(err.code, bad_requests[i].rc, "code");
	}
	headers_add(&fields, "a", SLICE_LIT("b\n"));
	r = (struct http_request){
		.method = "GET", .url = "http://127.0.0.1/", .headers = &fields, .body_fd = -1};
	tap_int(http_start(h, &r, seen_done, &s, &err), SA_ERR_INVALID, "a list that failed");
	tap_int((long long)http_in_flight(h), 0, "nothing is in flight");
	r.headers = NULL;
	r.url = "http://user:SECRET@127.0.0.1:1/";
	s = seen_ask(h, &r);
	tap_int(s.rc, SA_ERR_INVALID, "a user in the URL");
	tap_ok(!s.sent && !strstr(s.msg, "SECRET"), "not sent, not told: %s", s.msg);
}

static const struct {
	const char *text;
	int64_t ms;
} dates[] = {
	{"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000)},
	{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	{"Sat, 21 Nov 2026 01:00:00 GMT", INT64_C(1795222800000)},
	{"Thu, 29 Feb 2024 23:59:59 GMT", INT64_C(1709251199000)},
	{"Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799000)},
	{"Wed, 29 Feb 2023 00:00:00 GMT", -1},
	{"Sun, 32 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 00 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 24:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 08:60:37 GMT", -1},
	{"Sun, 06 Nop 1994 08:49:37 GMT", -1},
	{"Sun, 06 anF 1994 08:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 08:49:37 UTC", -1},
	{"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
	{" Sun, 06 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 6 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Nov 94 08:49:37 GMT", -1},
	{"Sunday, 06-Nov-94 08:49:37 GMT", -1},
	{"Sun Nov  6 08:49:37 1994", -1},
	{"Sun, 06 Nov 1994 08:49:37", -1},
	{"Sun, 06 Nov", -1},
	{"\xff\xff\xff, 06 Nov 1994 08:49:37 GMT", -1},
	{"", -1},
	{NULL, -1},
};

static void test_date(void)
{
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		int64_t ms = -7;
		int rc = http_date(dates[i].text, &ms);

		tap_int(rc, dates[i].ms < 0 ? SA_ERR_INVALID : 0, "date %s",
			dates[i].text ? dates[i].text : "NULL");
		tap_int(ms, rc == 0 ? dates[i].ms : -7, "its value");
	}
}

int main(void)
{
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	unsetenv("HTTPS_PROXY");
	test_get();
	test_statuses();
	test_put();
	test_methods();
	test_reuse();
	test_parallel();
	test_order();
	test_chain();
	test_descriptors();
	test_turn();
	test_free();
	test_bad_requests();
	test_date();
	return tap_done();
}
