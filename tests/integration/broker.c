/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A broker for grantd.sh: an HTTPS server on loopback that does what the file
 * DIR/mode says when a request comes, and appends a line for each to DIR/requests:
 * "TARGET auth=... inm=... -> STATUS".
 *
 *   serve      DIR/answer, with the ETag in DIR/etag; 304 when that is what the client has
 *   status N   that status, with a Location
 *   drip       DIR/answer, a byte a second
 *   silent     no answer
 *   cut        half of DIR/answer, then the end of the connection
 *   huge       one gibibyte of blanks
 *
 * DIR/token: the bearer token to insist on (401 without), where it is there.
 * broker DIR CERT KEY; without CERT and KEY it speaks plain HTTP. The port goes to DIR/port.
 */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fdio.h"

#define HEAD_MAX 65536
#define FILE_MAX (64 << 20)
#define HUGE (1L << 30)

static const char *dir;

struct peer {
	SSL *ssl; /* NULL: plain */
	int fd;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static long get(struct peer *p, char *to, size_t n)
{
	return p->ssl ? SSL_read(p->ssl, to, (int)n) : (long)read(p->fd, to, n);
}

static bool put(struct peer *p, const char *from, size_t n)
{
	while (n > 0) {
		long sent = p->ssl ? SSL_write(p->ssl, from, (int)n) : (long)write(p->fd, from, n);

		if (sent <= 0)
			return false;
		from += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* The content without the line's end; "" when there is no such file. */
static const char *file(const char *name, struct buf *out)
{
	char path[512];

	buf_init(out, FILE_MAX);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (fdio_read_file(AT_FDCWD, path, FILE_MAX - 1, out, NULL) != 0)
		return "";
	while (out->len > 0 && out->data[out->len - 1] == '\n')
		out->len--;
	return buf_cstr(out);
}

static bool read_head(struct peer *p, struct buf *head)
{
	buf_init(head, HEAD_MAX);
	while (!memmem(head->data ? head->data : "", head->len, "\r\n\r\n", 4)) {
		char bytes[4096];
		long n = get(p, bytes, sizeof(bytes));

		if (n <= 0)
			return false;
		buf_append(head, bytes, (size_t)n);
		if (head->failed)
			return false;
	}
	return true;
}

/* A header field's value, "" when it is not there. */
static void field(struct buf *head, const char *name, char *out, size_t size)
{
	const char *at = buf_cstr(head);

	*out = '\0';
	while ((at = strstr(at, "\r\n")) != NULL) {
		at += 2;
		if (strncasecmp(at, name, strlen(name)) != 0 || at[strlen(name)] != ':')
			continue;
		at += strlen(name) + 1;
		at += strspn(at, " ");
		snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
		return;
	}
}

static void note(const char *target, const char *auth, const char *inm, int status)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/requests", dir);
	f = fopen(path, "ae");
	if (!f)
		fail(path);
	fprintf(f, "%s auth=%s inm=%s -> %d\n", target, auth, inm, status);
	fclose(f);
}

static void answer(struct peer *p, int status, const char *more, struct slice body)
{
	_cleanup_buf_ struct buf out = {0};

	buf_init(&out, FILE_MAX);
	buf_printf(&out, "HTTP/1.1 %d x\r\nConnection: close\r\n%s", status, more);
	if (status != 304)
		buf_printf(&out, "Content-Length: %zu\r\n", body.len);
	buf_puts(&out, "\r\n");
	if (status != 304)
		buf_put(&out, body);
	put(p, out.data, out.len);
}

static int serve(struct peer *p, const char *inm)
{
	_cleanup_buf_ struct buf body = {0}, tag = {0};
	const char *etag = file("etag", &tag);
	int status = *etag && strcmp(etag, inm) == 0 ? 304 : 200;
	char more[512] = "";

	file("answer", &body);
	if (*etag)
		snprintf(more, sizeof(more), "ETag: %s\r\n", etag);
	answer(p, status, more, buf_slice(&body));
	return status;
}

static void drip(struct peer *p)
{
	_cleanup_buf_ struct buf body = {0};
	char head[128];

	file("answer", &body);
	snprintf(head, sizeof(head), "HTTP/1.1 200 x\r\nContent-Length: %zu\r\n\r\n", body.len);
	put(p, head, strlen(head));
	for (size_t i = 0; i < body.len && put(p, body.data + i, 1); i++)
		sleep(1);
}

static void cut(struct peer *p)
{
	_cleanup_buf_ struct buf body = {0};
	char head[128];

	file("answer", &body);
	snprintf(head, sizeof(head), "HTTP/1.1 200 x\r\nContent-Length: %zu\r\n\r\n", body.len);
	put(p, head, strlen(head));
	put(p, body.data, body.len / 2);
}

static void huge(struct peer *p)
{
	static const char head[] = "HTTP/1.1 200 x\r\nConnection: close\r\n\r\n";
	static char blanks[65536];

	memset(blanks, ' ', sizeof(blanks));
	put(p, head, sizeof(head) - 1);
	for (long sent = 0; sent < HUGE && put(p, blanks, sizeof(blanks));)
		sent += (long)sizeof(blanks);
}

static int act(struct peer *p, const char *inm)
{
	_cleanup_buf_ struct buf text = {0};
	const char *mode = file("mode", &text);
	int status = 0;

	if (strcmp(mode, "serve") == 0)
		return serve(p, inm);
	if (sscanf(mode, "status %d", &status) == 1)
		answer(p, status, "Location: /elsewhere\r\n", SLICE_LIT("no"));
	else if (strcmp(mode, "drip") == 0)
		drip(p);
	else if (strcmp(mode, "cut") == 0)
		cut(p);
	else if (strcmp(mode, "huge") == 0)
		huge(p);
	else
		sleep(60);
	return status;
}

static void talk(struct peer *p)
{
	_cleanup_buf_ struct buf head = {0}, token = {0};
	char auth[512], inm[512], target[256] = "", want[512];

	if (!read_head(p, &head) || sscanf(buf_cstr(&head), "GET %255s HTTP/1.1", target) != 1)
		return;
	field(&head, "Authorization", auth, sizeof(auth));
	field(&head, "If-None-Match", inm, sizeof(inm));
	snprintf(want, sizeof(want), "Bearer %s", file("token", &token));
	if (token.len > 0 && strcmp(auth, want) != 0) {
		note(target, auth, inm, 401);
		answer(p, 401, "", SLICE_LIT("who are you"));
		return;
	}
	note(target, auth, inm, act(p, inm));
}

static void serve_one(SSL_CTX *ctx, int fd)
{
	struct peer p = {.ssl = ctx ? SSL_new(ctx) : NULL, .fd = fd};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (p.ssl && (SSL_set_fd(p.ssl, fd) != 1 || SSL_accept(p.ssl) != 1))
		_exit(1);
	talk(&p);
	if (p.ssl)
		SSL_shutdown(p.ssl);
	_exit(0);
}

static int listen_on_loopback(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char path[512], text[16];
	int n;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		fail("listen");
	snprintf(path, sizeof(path), "%s/port", dir);
	n = snprintf(text, sizeof(text), "%d\n", ntohs(a.sin_port));
	if (fdio_replace_file(AT_FDCWD, path, text, (size_t)n, 0644, NULL) != 0)
		fail(path);
	return fd;
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = NULL;
	int listener;

	if (argc != 2 && argc != 4)
		return 2;
	dir = argv[1];
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc == 4) {
		ctx = SSL_CTX_new(TLS_server_method());
		if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, argv[2]) != 1 ||
		    SSL_CTX_use_PrivateKey_file(ctx, argv[3], SSL_FILETYPE_PEM) != 1)
			fail("certificate");
	}
	listener = listen_on_loopback();
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && fork() == 0)
			serve_one(ctx, fd);
		if (fd >= 0)
			close(fd);
	}
}
