/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "tests/unit/httpd.h"

#define MAX_CONNECTIONS 256 /* at a time */
#define MAX_HEAD 65536
#define RECEIVE 65536
#define SMALL_BUFFER 4096

struct connection {
	struct httpd *h;
	pthread_t thread;
	int fd;
	unsigned number;
	bool used;        /* of the accepting thread */
	atomic_bool over; /* the thread may be joined */
};

struct httpd {
	httpd_handler *handler;
	_Atomic(httpd_handler *) on_head;
	atomic_size_t slow_bytes;
	atomic_llong slow_ms;
	void *ctx;
	int fd, port;
	int stop[2]; /* a pipe; its writing end closes: all stop */
	pthread_t thread;
	pthread_mutex_t lock;
	atomic_uint connections, requests;
	struct connection items[MAX_CONNECTIONS];
};

static void die(const char *what)
{
	fprintf(stderr, "httpd: %s: %s\n", what, strerror(errno));
	abort();
}

/* Waits until fd is ready; false when the server stops first or the time is over (-1: never). */
static bool wait_for(const struct httpd *h, int fd, short events, int64_t ms)
{
	struct pollfd p[] = {{.fd = h->stop[0], .events = POLLIN}, {.fd = fd, .events = events}};

	while (poll(p, 2, (int)ms) < 0)
		if (errno != EINTR)
			die("poll");
	return p[0].revents == 0 && p[1].revents != 0;
}

/* false when the server stops. */
static bool pause_ms(const struct httpd *h, int64_t ms)
{
	struct pollfd p = {.fd = h->stop[0], .events = POLLIN};

	return ms <= 0 || poll(&p, 1, (int)ms) == 0;
}

/* Appends what has come, at most n bytes; false at the end of the connection. */
static bool receive(const struct connection *c, struct buf *in, size_t n)
{
	char *to = buf_reserve(in, n);
	ssize_t got;

	if (!to || !wait_for(c->h, c->fd, POLLIN, -1))
		return false;
	got = recv(c->fd, to, n, 0);
	if (got <= 0)
		return false;
	in->len += (size_t)got;
	return true;
}

static bool send_all(const struct connection *c, struct slice s)
{
	while (s.len > 0) {
		ssize_t n;

		if (!wait_for(c->h, c->fd, POLLOUT, -1))
			return false;
		n = send(c->fd, s.ptr, s.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0)
			s = (struct slice){s.ptr + n, s.len - (size_t)n};
	}
	return true;
}

static bool send_slowly(const struct connection *c, struct slice s, int64_t ms)
{
	for (size_t i = 0; i < s.len; i++)
		if (!pause_ms(c->h, ms) || !send_all(c, (struct slice){s.ptr + i, 1}))
			return false;
	return true;
}

static void reset(const struct connection *c)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) < 0)
		die("SO_LINGER");
}

static void compose(struct buf *out, const struct httpd_request *r, const struct httpd_reply *a)
{
	bool bare = strcmp(r->method, "HEAD") == 0 || a->status == 204 || a->status == 304;

	buf_printf(out, "HTTP/1.1 %d Scripted\r\n", a->status);
	for (size_t i = 0; i < a->headers.len; i++)
		buf_printf(out, "%s: %s\r\n", a->headers.items[i].name, a->headers.items[i].value);
	if (a->status != 204 && !headers_get(&a->headers, "Content-Length"))
		buf_printf(out, "Content-Length: %zu\r\n", a->body.len);
	if (a->close)
		buf_puts(out, "Connection: close\r\n");
	buf_puts(out, "\r\n");
	if (!bare)
		buf_put(out, buf_slice(&a->body));
}

/* Whether the connection goes on. */
static bool answer(const struct connection *c, const struct httpd_request *r,
		   const struct httpd_reply *a)
{
	_cleanup_buf_ struct buf out = {0};
	struct slice s;
	bool cut, sent;

	buf_init(&out, HTTPD_MAX_BODY + MAX_HEAD);
	buf_put(&out, buf_slice(&a->before));
	if (a->raw.len > 0)
		buf_put(&out, buf_slice(&a->raw));
	else
		compose(&out, r, a);
	if (out.failed || a->headers.failed || a->body.failed || a->raw.failed)
		die("an answer over the bounds");
	s = buf_slice(&out);
	cut = a->cut_after >= 0 && (uint64_t)a->cut_after < s.len;
	if (cut)
		s.len = (size_t)a->cut_after;
	sent = pause_ms(c->h, a->wait_ms) &&
	       (a->drip_ms > 0 ? send_slowly(c, s, a->drip_ms) : send_all(c, s));
	if (sent && (cut || a->close) && a->reset)
		reset(c);
	return sent && !cut && !a->close;
}

static void reply_init(struct httpd_reply *a, int status)
{
	a->status = status;
	a->cut_after = -1;
	buf_init(&a->body, HTTPD_MAX_BODY);
	buf_init(&a->raw, HTTPD_MAX_BODY);
	buf_init(&a->before, MAX_HEAD);
}

static void reply_clear(struct httpd_reply *a)
{
	headers_clear(&a->headers);
	buf_free(&a->body);
	buf_free(&a->raw);
	buf_free(&a->before);
}

/* Asks one of the handlers; whether the connection goes on. *asked: it has answered. */
static bool handle(const struct connection *c, httpd_handler *f, struct httpd_request *r,
		   int status, bool *asked)
{
	_cleanup_(reply_clear) struct httpd_reply a = {0};

	reply_init(&a, status);
	pthread_mutex_lock(&c->h->lock);
	f(c->h->ctx, r, &a);
	pthread_mutex_unlock(&c->h->lock);
	*asked = a.status != 0;
	if (!*asked)
		return true;
	return answer(c, r, &a);
}

/* Cuts the head in place. */
static bool parse_head(char *head, struct httpd_request *r)
{
	char *save = NULL, *line = strtok_r(head, "\r\n", &save), *sp;

	if (!line || !(sp = strchr(line, ' ')))
		return false;
	*sp = '\0';
	r->method = line;
	r->target = sp + 1;
	sp = strchr(sp + 1, ' ');
	if (!sp || strcmp(sp, " HTTP/1.1") != 0)
		return false;
	*sp = '\0';
	while ((line = strtok_r(NULL, "\r\n", &save))) {
		char *colon = strchr(line, ':');

		if (!colon)
			return false;
		*colon = '\0';
		headers_add(&r->headers, line, slice_of(colon + 1));
	}
	return !r->headers.failed;
}

/* Reads to the end of a head; its length, 0 when none comes, or something else (TLS). */
static size_t read_head(const struct connection *c, struct buf *in)
{
	const char *end = NULL;

	while (!end) {
		if (in->len > MAX_HEAD || (in->len == 0 && !receive(c, in, RECEIVE)) ||
		    in->data[0] < 'A' || in->data[0] > 'Z')
			return 0;
		end = memmem(in->data, in->len, "\r\n\r\n", 4);
		if (!end && !receive(c, in, RECEIVE))
			return 0;
	}
	return (size_t)(end - in->data) + 4;
}

static bool read_body(const struct connection *c, struct buf *in, struct httpd_request *r)
{
	const char *length = headers_get(&r->headers, "Content-Length");
	size_t n = length ? strtoul(length, NULL, 10) : 0;

	if (n > HTTPD_MAX_BODY || headers_get(&r->headers, "Transfer-Encoding"))
		return false; /* not ours to read; the client sees a closed connection */
	while (in->len < n) {
		size_t slow = atomic_load(&c->h->slow_bytes);

		if (slow > 0 && !pause_ms(c->h, atomic_load(&c->h->slow_ms)))
			return false;
		if (!receive(c, in, slow > 0 ? slow : RECEIVE))
			return false;
	}
	r->body = (struct slice){buf_slice(in).ptr, n};
	return true;
}

/* Lets the client read the answer: closing with bytes unread would reset the connection. */
static void drain(const struct connection *c, struct buf *in)
{
	shutdown(c->fd, SHUT_WR);
	do
		buf_clear(in);
	while (receive(c, in, RECEIVE));
}

static void request_clear(struct httpd_request *r)
{
	headers_clear(&r->headers);
}

/* One request of the connection; whether it goes on. */
static bool serve(const struct connection *c, struct buf *in)
{
	_cleanup_free_ char *head = NULL;
	_cleanup_(request_clear) struct httpd_request r = {.connection = c->number};
	httpd_handler *on_head = atomic_load(&c->h->on_head);
	size_t n = read_head(c, in);
	bool asked = false, go_on;

	if (n == 0 || !(head = strndup(in->data, n)))
		return false;
	buf_consume(in, n);
	go_on = parse_head(head, &r);
	if (go_on && on_head)
		go_on = handle(c, on_head, &r, 0, &asked);
	if (asked && go_on)
		drain(c, in);
	if (asked || !go_on || !read_body(c, in, &r))
		return false;
	r.number = atomic_fetch_add(&c->h->requests, 1) + 1;
	go_on = handle(c, c->h->handler, &r, 200, &asked);
	buf_consume(in, r.body.len);
	return go_on;
}

static void *connection_main(void *arg)
{
	struct connection *c = arg;
	_cleanup_buf_ struct buf in = {0};

	buf_init(&in, HTTPD_MAX_BODY + 4 * MAX_HEAD);
	while (serve(c, &in))
		;
	close(c->fd);
	atomic_store(&c->over, true);
	return NULL;
}

static struct connection *free_slot(struct httpd *h)
{
	for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
		struct connection *c = &h->items[i];

		if (c->used && atomic_load(&c->over)) {
			pthread_join(c->thread, NULL);
			c->used = false;
		}
		if (!c->used)
			return c;
	}
	errno = EMFILE;
	die("connections");
	return NULL;
}

static void *accept_main(void *arg)
{
	struct httpd *h = arg;
	int on = 1;

	while (wait_for(h, h->fd, POLLIN, -1)) {
		struct connection *c = free_slot(h);

		c->fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC);
		if (c->fd < 0)
			continue; /* the client has gone again */
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		c->h = h;
		c->number = atomic_fetch_add(&h->connections, 1) + 1;
		atomic_store(&c->over, false);
		if (pthread_create(&c->thread, NULL, connection_main, c) != 0)
			die("pthread_create");
		c->used = true;
	}
	return NULL;
}

static socklen_t make_address(const char *text, int port, struct sockaddr_storage *a)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)a;

	*a = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons((uint16_t)port);
		return sizeof(*in4);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		die(text);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	return sizeof(*in6);
}

/* Whether it listens; fills in fd and port. */
static bool listen_at(struct httpd *h, const char *address, int port)
{
	struct sockaddr_storage a;
	socklen_t len = make_address(address, port, &a);
	int on = 1;

	h->fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (h->fd < 0)
		return false;
	setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(h->fd, (struct sockaddr *)&a, len) < 0 || listen(h->fd, 128) < 0 ||
	    getsockname(h->fd, (struct sockaddr *)&a, &len) < 0) {
		close(h->fd);
		return false;
	}
	h->port = ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port
					       : ((struct sockaddr_in6 *)&a)->sin6_port);
	return true;
}

struct httpd *httpd_start_at(const char *address, int port, httpd_handler *handler, void *ctx)
{
	struct httpd *h = calloc(1, sizeof(*h));

	if (!h)
		die("memory");
	h->handler = handler;
	h->ctx = ctx;
	pthread_mutex_init(&h->lock, NULL);
	if (!listen_at(h, address, port)) {
		free(h);
		return NULL;
	}
	if (pipe2(h->stop, O_CLOEXEC) < 0 || pthread_create(&h->thread, NULL, accept_main, h) != 0)
		die("start");
	return h;
}

struct httpd *httpd_start(httpd_handler *handler, void *ctx)
{
	struct httpd *h = httpd_start_at("127.0.0.1", 0, handler, ctx);

	if (!h)
		die("127.0.0.1");
	return h;
}

void httpd_on_head(struct httpd *h, httpd_handler *on_head)
{
	atomic_store(&h->on_head, on_head);
}

void httpd_slow(struct httpd *h, size_t bytes, int64_t ms)
{
	int size = SMALL_BUFFER;

	if (setsockopt(h->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		die("SO_RCVBUF"); /* connections inherit it */
	atomic_store(&h->slow_ms, ms);
	atomic_store(&h->slow_bytes, bytes);
}

void httpd_stop(struct httpd *h)
{
	if (!h)
		return;
	close(h->stop[1]);
	pthread_join(h->thread, NULL);
	for (size_t i = 0; i < MAX_CONNECTIONS; i++)
		if (h->items[i].used)
			pthread_join(h->items[i].thread, NULL);
	close(h->stop[0]);
	close(h->fd);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void httpd_stopp(struct httpd **h)
{
	httpd_stop(*h);
}

int httpd_port(const struct httpd *h)
{
	return h->port;
}

unsigned httpd_connections(const struct httpd *h)
{
	return atomic_load(&h->connections);
}

unsigned httpd_requests(const struct httpd *h)
{
	return atomic_load(&h->requests);
}

void httpd_lock(struct httpd *h)
{
	pthread_mutex_lock(&h->lock);
}

void httpd_unlock(struct httpd *h)
{
	pthread_mutex_unlock(&h->lock);
}

void httpd_answer(struct httpd_reply *out, int status, const char *body)
{
	out->status = status;
	buf_clear(&out->body);
	buf_puts(&out->body, body);
}
