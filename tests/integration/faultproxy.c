/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * faultproxy PORT RULES LOG [SEED]
 *
 * A proxy in front of a real S3 server on 127.0.0.1:PORT that does to requests what
 * networks and stores do on bad days; faultproxy_rules.h says what, and how RULES is
 * written. Listens on a free port of loopback, which is the first line it prints.
 * Appends a line to LOG for each request before its client learns of it, so that a
 * test can count: FAULT METHOD TARGET STATUS, with `pass` for no fault, `away` when
 * the server does not answer, and STATUS `-` where there is none.
 *
 * Head and body go on as they came, so signatures hold; only Connection and Expect
 * are ours. One thread for each connection.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "tests/integration/faultproxy_rules.h"

#define HEAD_MAX 65536
#define MESSAGE_MAX (256u << 20)
#define CLIENTS_MAX 256
#define LOOK_MS 20 /* how often the listener looks at the rules */

struct proxy {
	uint16_t server, port;
	int log_fd;
	pthread_mutex_t lock; /* of what follows */
	struct rules rules;
	int clients[CLIENTS_MAX]; /* -1: free */
};

struct client {
	struct proxy *proxy;
	unsigned slot;
	int fd;
	struct buf in; /* what was read; a request begins at its start */
};

struct request { /* points into client.in */
	char method[32], target[4096];
	size_t head, body; /* bytes */
};

/* --- bytes --- */

static bool send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static ssize_t receive(int fd, struct buf *b)
{
	char *p = buf_reserve(b, 65536);
	ssize_t n = p ? recv(fd, p, 65536, 0) : -1;

	if (n > 0)
		b->len += (size_t)n;
	return n;
}

/* With nothing lingering the kernel sends RST instead of FIN. */
static bool reset(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	return false;
}

/* Waits; false when the other side has gone. */
static bool wait_beside(int fd, unsigned ms)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, (int)ms) == 0;
}

/* Bytes of the head with its empty line, 0 when it is not whole. */
static size_t head_length(const struct buf *b)
{
	const char *end = b->len ? memmem(b->data, b->len, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - b->data) + 4 : 0;
}

/* A header's value within head, up to its line's end, or NULL. */
static const char *head_find(const struct buf *b, size_t head, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = b->data; (p = memmem(p, head - (size_t)(p - b->data), "\r\n", 2));) {
		p += 2;
		if ((size_t)(b->data + head - p) > n && strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " ");
	}
	return NULL;
}

/* Copies a head without its empty line and without the lines named. */
static void head_copy(struct buf *out, const struct buf *b, size_t head, const char *const *without)
{
	const char *p = b->data, *end = b->data + head - 2, *next;

	for (; p < end; p = next) {
		bool keep = true;

		next = (const char *)memmem(p, (size_t)(end - p), "\r\n", 2) + 2;
		for (const char *const *w = without; *w; w++)
			keep = keep && strncasecmp(p, *w, strlen(*w)) != 0;
		if (keep)
			buf_append(out, p, (size_t)(next - p));
	}
}

/* --- the log --- */

static void tell(struct proxy *p, const char *what, const struct request *q, unsigned status)
{
	_cleanup_buf_ struct buf line = {0};

	buf_init(&line, 8192);
	buf_printf(&line, "%s %s %s ", what, q ? q->method : "-", q ? q->target : "-");
	if (status)
		buf_printf(&line, "%u\n", status);
	else
		buf_puts(&line, "-\n");
	if (write(p->log_fd, line.data, line.len) != (ssize_t)line.len)
		perror("faultproxy: log");
}

/* --- a request --- */

/* False at the end of the connection, or when it is no HTTP. */
static bool request_head(struct client *c, struct request *q)
{
	const char *length;

	while ((q->head = head_length(&c->in)) == 0)
		if (c->in.len > HEAD_MAX || receive(c->fd, &c->in) <= 0)
			return false;
	if (sscanf(buf_cstr(&c->in), "%31s %4095s", q->method, q->target) != 2 ||
	    head_find(&c->in, q->head, "Transfer-Encoding"))
		return false;
	length = head_find(&c->in, q->head, "Content-Length");
	q->body = length ? strtoul(length, NULL, 10) : 0;
	return true;
}

static bool request_body(struct client *c, const struct request *q)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (head_find(&c->in, q->head, "Expect") && !send_all(c->fd, go_on, sizeof(go_on) - 1))
		return false;
	while (c->in.len < q->head + q->body)
		if (receive(c->fd, &c->in) <= 0)
			return false;
	return true;
}

static int server_connect(const struct proxy *p)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons(p->server),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ? TAKE_FD(fd) : -1;
}

/* The server's answer: it ends when the server closes, as it is asked to. Returns its status, 0
 * when there is none. */
static unsigned server_ask(struct client *c, const struct request *q, struct buf *answer)
{
	static const char *const ours[] = {"Connection:", "Expect:", NULL};
	_cleanup_close_ int fd = server_connect(c->proxy);
	_cleanup_buf_ struct buf head = {0};
	unsigned status;
	ssize_t n;

	buf_init(&head, HEAD_MAX);
	head_copy(&head, &c->in, q->head, ours);
	buf_puts(&head, "Connection: close\r\n\r\n");
	if (fd < 0 || head.failed || !send_all(fd, head.data, head.len) ||
	    !send_all(fd, c->in.data + q->head, q->body))
		return 0;
	while ((n = receive(fd, answer)) > 0)
		;
	if (n < 0 || head_length(answer) == 0 ||
	    sscanf(buf_cstr(answer), "HTTP/%*s %u", &status) != 1)
		return 0;
	return status;
}

/* --- answers --- */

/* The server's, with the connection kept. */
static void answer_passed(struct buf *out, const struct buf *answer)
{
	static const char *const ours[] = {"Connection:", NULL};
	size_t head = head_length(answer);

	head_copy(out, answer, head, ours);
	buf_puts(out, "\r\n");
	buf_append(out, answer->data + head, answer->len - head);
}

static void answer_made(struct buf *out, const struct rule *r, const char *body)
{
	time_t now = time(NULL) + r->date;
	char date[64];
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
	buf_printf(out, "HTTP/1.1 %u Made Up\r\nDate: %s\r\nContent-Type: application/xml\r\n",
		   r->status, date);
	if (r->header[0])
		buf_printf(out, "%s\r\n", r->header);
	buf_printf(out, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
}

static void answer_error(struct buf *out, const struct rule *r)
{
	char body[RULE_TEXT + 128];

	snprintf(body, sizeof(body),
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>%s</Code>"
		 "<Message>made up by faultproxy</Message></Error>",
		 r->code);
	answer_made(out, r, body);
}

static bool answer_drip(int fd, const struct buf *answer, unsigned bytes)
{
	size_t step = bytes / 10 ? bytes / 10 : 1;

	for (size_t at = 0; at < answer->len; at += step) {
		size_t n = answer->len - at < step ? answer->len - at : step;

		if (!send_all(fd, answer->data + at, n) ||
		    !wait_beside(fd, (unsigned)(1000 * n / (bytes ? bytes : 1))))
			return reset(fd);
	}
	return true;
}

static bool answer_send(struct client *c, const struct rule *r, const struct request *q,
			const struct buf *answer)
{
	_cleanup_buf_ struct buf out = {0};

	buf_init(&out, MESSAGE_MAX);
	if (r->fault == FAULT_ANSWER)
		answer_error(&out, r);
	else if (r->fault == FAULT_GARBAGE)
		answer_made(&out, r, "<Error><Code>Slow\x01&\xff<<Down </Kode>");
	else
		answer_passed(&out, answer);
	if (strcmp(q->method, "HEAD") == 0)
		out.len = head_length(&out);
	if (r->fault == FAULT_DRIP)
		return answer_drip(c->fd, &out, r->bytes);
	if (r->fault != FAULT_TRUNCATE)
		return send_all(c->fd, out.data, out.len);
	send_all(c->fd, out.data, r->bytes < out.len ? r->bytes : out.len);
	return false;
}

/* --- a connection --- */

/* The fault has its way with a request that was read. False: the connection ends. */
static bool client_fault(struct client *c, const struct rule *r, const struct request *q)
{
	_cleanup_buf_ struct buf answer = {0};
	unsigned status = 0;

	buf_init(&answer, MESSAGE_MAX);
	if (r->fault == FAULT_HANG) {
		tell(c->proxy, rule_name(r->fault), q, 0);
		if (!wait_beside(c->fd, r->ms))
			return reset(c->fd);
	}
	if (r->fault == FAULT_ANSWER || r->fault == FAULT_GARBAGE)
		status = r->status;
	else if (r->fault != FAULT_RESET_AFTER) {
		status = server_ask(c, q, &answer);
		if (status == 0) {
			tell(c->proxy, "away", q, 0);
			return reset(c->fd);
		}
	}
	tell(c->proxy, rule_name(r->fault == FAULT_HANG ? FAULT_PASS : r->fault), q, status);
	if (r->fault == FAULT_RESET_AFTER || r->fault == FAULT_DROP_ANSWER)
		return reset(c->fd);
	return answer_send(c, r, q, &answer);
}

static bool client_turn(struct client *c)
{
	struct request q = {0};
	struct rule r;

	if (!request_head(c, &q))
		return false;
	pthread_mutex_lock(&c->proxy->lock);
	if (!rules_refresh(&c->proxy->rules))
		exit(1);
	r = rules_choose(&c->proxy->rules, q.method, q.target);
	pthread_mutex_unlock(&c->proxy->lock);
	if (r.fault == FAULT_RESET_BEFORE) {
		tell(c->proxy, rule_name(r.fault), &q, 0);
		return reset(c->fd);
	}
	if (!request_body(c, &q) || !client_fault(c, &r, &q))
		return false;
	buf_consume(&c->in, q.head + q.body);
	return true;
}

static void *client_run(void *arg)
{
	struct client *c = arg;

	buf_init(&c->in, MESSAGE_MAX);
	while (client_turn(c))
		;
	pthread_mutex_lock(&c->proxy->lock);
	c->proxy->clients[c->slot] = -1;
	close(c->fd);
	pthread_mutex_unlock(&c->proxy->lock);
	buf_free(&c->in);
	free(c);
	return NULL;
}

static void client_start(struct proxy *p, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	pthread_t thread;
	unsigned i = 0;

	pthread_mutex_lock(&p->lock);
	while (i < CLIENTS_MAX && p->clients[i] >= 0)
		i++;
	if (c && i < CLIENTS_MAX) {
		*c = (struct client){.proxy = p, .slot = i, .fd = p->clients[i] = fd};
		if (pthread_create(&thread, NULL, client_run, c) != 0)
			abort();
		pthread_detach(thread);
	} else {
		close(fd);
		free(c);
	}
	pthread_mutex_unlock(&p->lock);
}

/* --- the listener --- */

static int proxy_listen(struct proxy *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(p->port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
		perror("faultproxy: listen");
		exit(1);
	}
	p->port = ntohs(a.sin_port);
	return fd;
}

static bool proxy_refuses(struct proxy *p)
{
	bool refuses;

	pthread_mutex_lock(&p->lock);
	if (!rules_refresh(&p->rules))
		exit(1);
	refuses = rules_refuse(&p->rules);
	for (unsigned i = 0; refuses && i < CLIENTS_MAX; i++)
		if (p->clients[i] >= 0)
			shutdown(p->clients[i], SHUT_RDWR);
	pthread_mutex_unlock(&p->lock);
	return refuses;
}

static void proxy_run(struct proxy *p, int fd)
{
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		bool refuses;
		int client;

		if (poll(&wait, 1, LOOK_MS) > 0 && fd >= 0 &&
		    (client = accept(fd, NULL, NULL)) >= 0)
			client_start(p, client);
		refuses = proxy_refuses(p);
		if (refuses && fd >= 0) {
			tell(p, rule_name(FAULT_REFUSE), NULL, 0);
			close(fd);
			fd = -1;
		} else if (!refuses && fd < 0) {
			fd = proxy_listen(p);
		}
	}
}

int main(int argc, char **argv)
{
	static struct proxy p = {.lock = PTHREAD_MUTEX_INITIALIZER};
	int fd;

	if (argc < 4 || argc > 5)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p.server = (uint16_t)atoi(argv[1]);
	p.rules.path = argv[2];
	p.rules.random = 1 + (argc > 4 ? strtoul(argv[4], NULL, 10) : 0);
	p.log_fd = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		p.clients[i] = -1;
	fd = proxy_listen(&p);
	if (p.log_fd < 0 || printf("%u\n", p.port) < 0 || fflush(stdout) != 0)
		return 1;
	proxy_run(&p, fd);
}
