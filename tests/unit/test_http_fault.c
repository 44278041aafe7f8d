/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What goes wrong between a request and its answer: the code, whether it may have been sent, and no
 * secret in the message. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/http_seen.h"
#include "tests/unit/httpd.h"
#include "tests/unit/tap.h"

#define BIG (8 << 20)

static struct sa_err err;
static struct headers secret; /* sent with each request */
static char *big;

static void (*play)(const struct httpd_request *r, struct httpd_reply *out);

static void on_request(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	(void)ctx;
	play(r, out);
}

static struct httpd *serve(void (*how)(const struct httpd_request *r, struct httpd_reply *out))
{
	play = how;
	return httpd_start(on_request, NULL);
}

static struct http_request request(const char *method, int port)
{
	static char url[100];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/path?X-Amz-Signature=SECRET", port);
	return (struct http_request){
		.method = method, .url = url, .headers = &secret, .body_fd = -1, .max_body = 1000};
}

static void check(const struct seen *s, int rc, bool sent, const char *what)
{
	tap_int(s->rc, rc, "%s: %s", what, s->msg);
	tap_int(s->sent, sent, "%s: %s", what, sent ? "sent" : "not sent");
	tap_ok(!strstr(s->msg, "SECRET") && !strstr(s->msg, "path"), "%s: tells no secret", what);
	if (rc < 0)
		tap_ok(strncmp(s->msg, "127.0.0.1:", 10) == 0, "%s: tells the host", what);
}

static void play_ok(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	httpd_answer(out, 200, "fine");
}

static void test_refused(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	struct httpd *d = serve(play_ok);
	int port = httpd_port(d);
	struct http_request r = request("PUT", port);
	struct seen s;

	r.body = SLICE_LIT("x");
	httpd_stop(d);
	s = seen_ask(h, &r);
	check(&s, SA_ERR_AGAIN, false, "refused");
	tap_ok(strstr(s.msg, ": Connection refused"), "says why");
	tap_int(s.status, 0, "no status");
	d = httpd_start_at("127.0.0.1", port, on_request, NULL);
	if (!tap_ok(d, "the server is back"))
		return;
	s = seen_ask(h, &r);
	check(&s, 0, true, "back");
	httpd_stop(d);
	s = seen_ask(h, &r);
	check(&s, SA_ERR_AGAIN, false, "refused again, on a handle that was used");
	tap_int(s.status, 0, "no status of the earlier answer");
	tap_str(s.echo, "none", "and no header");
}

/* A port that takes no connection: its queue is full. */
static int full_port(int fds[3])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fds[0], (struct sockaddr *)&a, len) < 0 || listen(fds[0], 0) < 0 ||
	    getsockname(fds[0], (struct sockaddr *)&a, &len) < 0)
		abort();
	for (int i = 1; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(fds[i], (struct sockaddr *)&a, len);
	}
	return ntohs(a.sin_port);
}

static void test_no_connection(void)
{
	_cleanup_http_ struct http *h =
		seen_client(&(struct http_options){.connect_ms = 700, .stall_ms = 200});
	int fds[3];
	struct http_request r = request("PUT", full_port(fds));
	int64_t begun = clock_mono_ms(), took;
	struct seen s;

	r.body = SLICE_LIT("x");
	s = seen_ask(h, &r);
	took = clock_mono_ms() - begun;
	check(&s, SA_ERR_AGAIN, false, "no connection");
	tap_ok(took >= 690 && took < 3000, "after connect_ms, not stall_ms: %" PRId64, took);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void play_nothing(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	out->cut_after = 0;
}

static void play_reset(const struct httpd_request *r, struct httpd_reply *out)
{
	play_nothing(r, out);
	out->reset = true;
}

static void play_cut_status(const struct httpd_request *r, struct httpd_reply *out)
{
	play_ok(r, out);
	out->cut_after = 8;
}

static void play_cut_head(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_puts(&out->raw, "HTTP/1.1 200 OK\r\nX-Echo: yes\r\n");
	out->close = true;
}

static void play_cut_body(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_puts(&out->raw, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour");
	out->close = true;
}

static void play_cut_chunk(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_puts(&out->raw, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n");
	out->close = true;
}

static void play_only_100(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_puts(&out->raw, "HTTP/1.1 100 Continue\r\n\r\n");
	out->close = true;
}

static void play_garbage(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_puts(&out->raw, "SSH-2.0-OpenSSH_9.2\r\n");
	out->close = true;
}

static void play_with(struct httpd_reply *out, struct slice field)
{
	buf_puts(&out->raw, "HTTP/1.1 200 OK\r\nX-Echo: yes\r\n");
	buf_put(&out->raw, field);
	buf_puts(&out->raw, "\r\nContent-Length: 4\r\n\r\nfine");
}

static void play_control(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	play_with(out, SLICE_LIT("X-Bad: a\x1b[31mb"));
}

static void play_nul(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	play_with(out, SLICE_LIT("X-Bad: a\0b"));
}

static void play_no_colon(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	play_with(out, SLICE_LIT("X-Bad"));
}

static void play_fields(struct httpd_reply *out, int n)
{
	buf_puts(&out->raw, "HTTP/1.1 200 OK\r\nX-Echo: yes\r\nContent-Length: 4\r\n");
	for (int i = 2; i < n; i++)
		buf_printf(&out->raw, "N%d: %d\r\n", i, i);
	buf_puts(&out->raw, "\r\nfine");
}

static void play_most_fields(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	play_fields(out, HEADERS_MAX);
}

static void play_too_many(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	play_fields(out, HEADERS_MAX + 1);
}

static void play_too_long(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	play_with(out, SLICE_LIT("X-Long: "));
	out->raw.len = (size_t)(strstr(buf_cstr(&out->raw), "X-Long: ") + 8 - out->raw.data);
	buf_append(&out->raw, big, HEADERS_MAX_VALUE + 1);
	buf_puts(&out->raw, "\r\nContent-Length: 4\r\n\r\nfine");
}

static void play_1000(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_append(&out->body, big, 1000);
	headers_add(&out->headers, "X-Echo", SLICE_LIT("yes"));
}

static void play_1001(const struct httpd_request *r, struct httpd_reply *out)
{
	play_1000(r, out);
	buf_putc(&out->body, 'x');
}

static void play_interim(const struct httpd_request *r, struct httpd_reply *out)
{
	play_ok(r, out);
	buf_puts(&out->before, "HTTP/1.1 100 Continue\r\nX-Echo: interim\r\n\r\n"
			       "HTTP/1.1 103 Early Hints\r\nX-Echo: hint\r\n\r\n");
}

static void play_trailers(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_puts(&out->raw, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			    "4\r\nfine\r\n0\r\nX-Echo: trailer\r\n\r\n");
}

static void play_to_the_end(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_puts(&out->raw, "HTTP/1.1 200 OK\nX-Echo: yes\n\nfine");
	out->close = true;
}

static const struct {
	const char *what;
	void (*play)(const struct httpd_request *r, struct httpd_reply *out);
	int rc, status;
	const char *body, *echo;
} answers[] = {
	{"closed without an answer", play_nothing, SA_ERR_AGAIN, 0, "", "none"},
	{"reset without an answer", play_reset, SA_ERR_AGAIN, 0, "", "none"},
	{"cut in the status line", play_cut_status, SA_ERR_AGAIN, 0, "", "none"},
	{"cut in the head", play_cut_head, SA_ERR_AGAIN, 200, "", "yes"},
	{"cut in the body", play_cut_body, SA_ERR_AGAIN, 200, "four", "none"},
	{"cut between chunks", play_cut_chunk, SA_ERR_AGAIN, 200, "four", "none"},
	{"nothing after 100", play_only_100, SA_ERR_AGAIN, 0, "", "none"},
	{"not HTTP", play_garbage, SA_ERR_INVALID, 0, "", "none"},
	{"a control byte", play_control, SA_ERR_INVALID, 200, "", "yes"},
	{"NUL in a field", play_nul, SA_ERR_INVALID, 200, "", "yes"},
	{"a field without colon", play_no_colon, SA_ERR_INVALID, 200, "", "yes"},
	{"as many fields as may be", play_most_fields, 0, 200, "fine", "yes"},
	{"one field more", play_too_many, SA_ERR_INVALID, 200, "", "yes"},
	{"a field too long", play_too_long, SA_ERR_INVALID, 200, "", "yes"},
	{"a body of max_body", play_1000, 0, 200, NULL, "yes"},
	{"a byte more", play_1001, SA_ERR_TOOBIG, 200, NULL, "yes"},
	{"100 and 103 before the answer", play_interim, 0, 200, "fine", "none"},
	{"trailers", play_trailers, 0, 200, "fine", "none"},
	{"no length, bare LF", play_to_the_end, 0, 200, "fine", "yes"},
};

static void test_answers(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	struct httpd *d = serve(play_ok);

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct http_request r = request("PUT", httpd_port(d));
		struct seen s;

		httpd_stop(d); /* on a fresh connection each time */
		d = serve(answers[i].play);
		r = request("PUT", httpd_port(d));
		r.body = (struct slice){big, 100000};
		s = seen_ask(h, &r);
		check(&s, answers[i].rc, true, answers[i].what);
		tap_int(s.status, answers[i].status, "%s: status", answers[i].what);
		tap_str(s.echo, answers[i].echo, "%s: header", answers[i].what);
		if (answers[i].body)
			tap_str(s.body, answers[i].body, "%s: body", answers[i].what);
		else
			tap_ok(s.body_len <= 1000, "%s: bounded", answers[i].what);
		tap_int(httpd_requests(d), 1, "%s: asked once", answers[i].what);
	}
	httpd_stop(d);
}

static void play_second_cut(const struct httpd_request *r, struct httpd_reply *out)
{
	play_ok(r, out);
	if (r->number == 2)
		out->cut_after = 0;
}

/* A kept connection that breaks: what has no body is asked again; a body that the server has had
 * is not sent again behind our back. */
static void test_kept_connection(void)
{
	for (int with_body = 0; with_body < 2; with_body++) {
		_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
		struct httpd *d = serve(play_second_cut);
		struct http_request r = request(with_body ? "PUT" : "GET", httpd_port(d));
		struct seen s;

		if (with_body)
			r.body = (struct slice){big, 70000};
		s = seen_ask(h, &r);
		check(&s, 0, true, "first");
		s = seen_ask(h, &r);
		check(&s, with_body ? SA_ERR_AGAIN : 0, true, "second");
		if (with_body)
			tap_ok(strstr(s.msg, ": the connection broke before the answer"),
			       "says so");
		tap_int(httpd_requests(d), with_body ? 2 : 3, "the server saw");
		s = seen_ask(h, &r);
		check(&s, 0, true, "third");
		httpd_stop(d);
	}
}

static void head_reset(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	(void)ctx;
	play_reset(r, out);
	out->status = 200;
}

static void head_403(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	(void)ctx;
	(void)r;
	httpd_answer(out, 403, "no");
	headers_add(&out->headers, "X-Echo", SLICE_LIT("early"));
}

static void test_before_the_body(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	struct httpd *d = serve(play_ok);
	struct http_request r = request("PUT", httpd_port(d));
	struct seen s;

	r.body = (struct slice){big, BIG};
	httpd_on_head(d, head_reset);
	s = seen_ask(h, &r);
	check(&s, SA_ERR_AGAIN, true, "reset amid the body");
	tap_int(s.status, 0, "no status");
	httpd_on_head(d, head_403);
	s = seen_ask(h, &r);
	check(&s, 0, true, "an answer amid the body");
	tap_int(s.status, 403, "its status");
	tap_str(s.echo, "early", "its header");
	tap_int(httpd_requests(d), 0, "no body was read");
	httpd_on_head(d, NULL);
	httpd_stop(d);
}

static void play_hang(const struct httpd_request *r, struct httpd_reply *out)
{
	play_ok(r, out);
	out->wait_ms = 15000;
}

static void play_drip(const struct httpd_request *r, struct httpd_reply *out)
{
	(void)r;
	buf_puts(&out->raw, "HTTP/1.1 200 OK\r\n\r\n");
	buf_append(&out->raw, big, 60);
	out->close = true;
	out->drip_ms = 20;
}

static void head_hang(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	(void)ctx;
	play_hang(r, out);
}

/* Asks, and how long it took. */
static int64_t time_ask(struct http *h, const struct http_request *r, struct seen *s)
{
	int64_t begun = clock_mono_ms();

	*s = seen_ask(h, r);
	return clock_mono_ms() - begun;
}

static void test_stall(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){.stall_ms = 1000});
	struct httpd *d = serve(play_hang);
	struct http_request r = request("GET", httpd_port(d));
	struct seen s;
	int64_t took = time_ask(h, &r, &s);

	check(&s, SA_ERR_AGAIN, true, "no answer");
	tap_ok(strstr(s.msg, ": nothing has moved for 1000 ms"), "says so: %s", s.msg);
	tap_ok(took >= 990 && took < 3000, "in time: %" PRId64, took);
	play = play_drip;
	took = time_ask(h, &r, &s);
	check(&s, 0, true, "an answer byte by byte");
	tap_int((long long)s.body_len, 60, "comes whole");
	tap_ok(took > 1500, "though slowly: %" PRId64, took);
	httpd_on_head(d, head_hang);
	r = request("PUT", httpd_port(d));
	r.body = (struct slice){big, BIG};
	took = time_ask(h, &r, &s);
	check(&s, SA_ERR_AGAIN, true, "a body that is not read");
	tap_ok(took >= 990 && took < 5000, "in time: %" PRId64, took);
	httpd_stop(d);
}

struct restart {
	struct http *h;
	int port, left, wrong;
};

static void start_another(void *ctx, int rc, struct http_answer *a, const struct sa_err *e)
{
	struct restart *s = ctx;
	struct http_request r = request("GET", s->port);

	(void)a;
	(void)e;
	s->wrong += rc != SA_ERR_AGAIN;
	if (s->left-- > 0)
		s->wrong += http_start(s->h, &r, start_another, s, &err) != 0;
}

static void test_stalls(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){.stall_ms = 200});
	struct httpd *d = serve(play_hang);
	struct restart s = {.h = h, .port = httpd_port(d), .left = 6};
	struct http_request r = request("GET", s.port);
	int64_t begun = clock_mono_ms(), took;

	for (int i = 0; i < 4; i++)
		tap_int(http_start(h, &r, start_another, &s, &err), 0, "start");
	seen_finish_all(h);
	took = clock_mono_ms() - begun;
	tap_int(s.left, -4, "ten were done");
	tap_int(s.wrong, 0, "all stalled");
	tap_ok(took >= 600 && took < 2500, "four at a time: %" PRId64, took);
	httpd_stop(d);
}

/* Most of a small object would vanish in the kernel's buffer at once. */
static void test_slow_is_no_stall(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){.stall_ms = 1000});
	struct httpd *d = serve(play_ok);
	struct http_request r = request("PUT", httpd_port(d));
	struct seen s;
	int64_t took;

	httpd_slow(d, 8192, 100);
	r.body = (struct slice){big, 262144};
	took = time_ask(h, &r, &s);
	check(&s, 0, true, "a body that is read slowly");
	tap_ok(took > 2000, "goes through: %" PRId64, took);
	httpd_stop(d);
}

static void test_total(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	struct httpd *d = serve(play_hang);
	struct http_request r = request("GET", httpd_port(d));
	struct seen s;
	int64_t took;

	r.total_ms = 300;
	took = time_ask(h, &r, &s);
	check(&s, SA_ERR_AGAIN, true, "no answer in total_ms");
	tap_ok(took >= 290 && took < 2000, "in time: %" PRId64, took);
	play = play_ok;
	r.total_ms = 0;
	s = seen_ask(h, &r);
	check(&s, 0, true, "no limit the next time");
	httpd_stop(d);
}

static void test_file(void)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){0});
	_cleanup_close_ int fd = memfd_create("body", MFD_CLOEXEC);
	_cleanup_close_ int unreadable = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct httpd *d = serve(play_ok);
	struct http_request r = request("PUT", httpd_port(d));
	struct seen s;

	if (ftruncate(fd, 100000) < 0)
		abort();
	r.body_fd = fd;
	r.body_size = 100001;
	s = seen_ask(h, &r);
	tap_int(s.rc, SA_ERR_IO, "a file that is too short");
	tap_str(s.msg, "what is to be sent is 100000 bytes long, not 100001", "says so");
	tap_ok(s.sent, "most of it was sent");
	r.body_size = 99999;
	s = seen_ask(h, &r);
	check(&s, 0, true, "a file that has grown is sent as far as it was known");
	r.body_fd = unreadable;
	s = seen_ask(h, &r);
	tap_int(s.rc, SA_ERR_IO, "a file that cannot be read");
	tap_str(s.msg, "read what is to be sent: Bad file descriptor", "says why");
	tap_int(httpd_requests(d), 1, "the server has seen one whole request");
	httpd_stop(d);
}

/* Each allocation of ours fails once; the library's do not. */
static void test_memory(void)
{
	struct httpd *d = serve(play_ok);
	struct http_request r = request("PUT", httpd_port(d));
	unsigned long n = 0;
	bool failed;

	httpd_stop(d); /* its threads would allocate, too */
	do {
		_cleanup_http_ struct http *h = NULL;
		struct seen s = {0};
		int rc;

		alloc_fail_at(++n);
		rc = http_new(&(struct http_options){.ca_file = "/x", .proxy = "", .no_proxy = "y"},
			      &h, &err);
		if (rc == 0)
			rc = http_start(h, &r, seen_done, &s, &err);
		failed = alloc_failed();
		alloc_fail_at(0);
		if (failed) {
			tap_int(rc, SA_ERR_NOMEM, "allocation %lu fails", n);
			continue;
		}
		seen_finish_all(h);
		check(&s, SA_ERR_AGAIN, false, "none fails");
	} while (failed && n < 100);
	tap_ok(n > 5, "%lu allocations", n - 1);
}

int main(void)
{
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	big = calloc(1, BIG);
	if (!big)
		abort();
	memset(big, 'b', BIG);
	headers_add(&secret, "Authorization", SLICE_LIT("SECRET"));
	test_refused();
	test_no_connection();
	test_answers();
	test_kept_connection();
	test_before_the_body();
	test_stall();
	test_stalls();
	test_slow_is_no_stall();
	test_total();
	test_file();
	test_memory();
	headers_clear(&secret);
	free(big);
	return tap_done();
}
