/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A scripted HTTP/1.1 server on loopback, for tests: the test's handler sees each
 * request and says what is answered, and how that goes wrong. It runs in threads of
 * the test: link with PTHREAD_LIBS and common/http/libhttp.la. Connections are kept
 * until a fault or the client ends them. What it cannot do (no memory, no port) ends
 * the test with a message.
 */
#ifndef SA_HTTPD_H
#define SA_HTTPD_H

#include <stdint.h>

#include "common/buf.h"
#include "common/http/headers.h"

#define HTTPD_MAX_BODY (16 << 20)

struct httpd_request { /* valid during the handler */
	const char *method, *target;
	struct headers headers;
	struct slice body;   /* absent in on_head */
	unsigned connection; /* which one, from 1 */
	unsigned number;     /* of the request, over all connections, from 1 */
};

struct httpd_reply {
	int status;             /* 200 unless the handler says so */
	struct headers headers; /* Content-Length is put there when it is not; it may lie */
	struct buf body;        /* not sent to HEAD and with 204, 304 */
	struct buf raw;         /* when not empty: sent instead of all of the above */
	struct buf before;      /* sent before the answer, as "HTTP/1.1 100 Continue\r\n\r\n" */

	int64_t wait_ms;   /* before the first byte */
	int64_t drip_ms;   /* one byte at a time, so long before each; 0: all at once */
	int64_t cut_after; /* ends the connection after so many bytes; -1: never; 0: no answer */
	bool close;        /* ends the connection after the answer */
	bool reset;        /* ends it by RST where it ends by cut_after or close */
};

/* One call at a time, whatever the connection: needs no lock among handlers. */
typedef void httpd_handler(void *ctx, const struct httpd_request *r, struct httpd_reply *out);

struct httpd;

/* On 127.0.0.1, any free port. */
struct httpd *httpd_start(httpd_handler *handler, void *ctx);
/* On that address ("127.0.0.1", "::1", "127.0.0.2"), port 0: any. NULL when the machine does not
 * have the address (no IPv6). */
struct httpd *httpd_start_at(const char *address, int port, httpd_handler *handler, void *ctx);
/* Asked when a head has come, before its body is read. Leaves status 0: go on, read the body, ask
 * the handler. Else: answered so, the body is left unread, the connection ends. */
void httpd_on_head(struct httpd *h, httpd_handler *on_head);
/* From now on reads at most so many bytes of a body at a time, and rests so long before each; new
 * connections buffer little. */
void httpd_slow(struct httpd *h, size_t bytes, int64_t ms);
/* Ends connections and threads, also amid a wait. */
void httpd_stop(struct httpd *h);
void httpd_stopp(struct httpd **h);
#define _cleanup_httpd_ __attribute__((cleanup(httpd_stopp)))

int httpd_port(const struct httpd *h);
/* Since the start; any thread may ask. */
unsigned httpd_connections(const struct httpd *h);
unsigned httpd_requests(const struct httpd *h); /* those that the handler saw */
/* For what the handler shares with the test while requests may come in. */
void httpd_lock(struct httpd *h);
void httpd_unlock(struct httpd *h);

/* Handler's shorthand: status and a body. */
void httpd_answer(struct httpd_reply *out, int status, const char *body);

#endif
