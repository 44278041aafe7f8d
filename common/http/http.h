/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * An HTTP client with kept connections: many transfers at a time, or one that is
 * waited for. Only http.c and transfer.c know the library behind it (libcurl, 7.61 or
 * later).
 * Follows no redirect, sends no Expect, changes no path, speaks nothing but http
 * and https (TLS 1.2 or later, host and chain verified). Used by the shipper and
 * the command line, never by the collector or the PAM module.
 */
#ifndef SA_HTTP_H
#define SA_HTTP_H

#include <poll.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/http/headers.h"

#define HTTP_MAX_FDS 16 /* of http_run */

struct http_options {
	const char *ca_file;  /* PEM; NULL or "": the system's */
	const char *proxy;    /* NULL: as the environment says (https_proxy ...); "": none */
	const char *no_proxy; /* comma list of hosts; NULL: as the environment says */
	int64_t connect_ms;   /* longest time to a connection; 0: 10 s */
	int64_t stall_ms; /* a transfer that moves no byte (in a head: no line) this long is ended;
			     0: 30 s */
	/* While a request is waited for: called at least four times a second; false ends it with
	 * SA_ERR_AGAIN. May be NULL. */
	bool (*turn)(void *ctx);
	void *turn_ctx;
};

struct http;

/* Copies the options. */
int http_new(const struct http_options *o, struct http **out, struct sa_err *err);
/* Transfers that are not done end with SA_ERR_AGAIN, their done is called. */
void http_free(struct http *h);
void http_freep(struct http **h);
#define _cleanup_http_ __attribute__((cleanup(http_freep)))

struct http_request {
	const char *method, *url;
	const struct headers *headers; /* Host too when it is there; may be NULL */
	struct slice body;             /* absent: none, or body_fd's */
	int body_fd;                   /* with body_size: sent from its start by pread; else -1 */
	uint64_t body_size;
	size_t max_body;  /* of the answer; more is SA_ERR_TOOBIG */
	bool direct;      /* past every proxy: metadata services */
	int64_t total_ms; /* for all of it; 0: no limit but stall_ms */
};

struct http_answer {
	int status; /* 0: none came */
	struct headers headers;
	struct buf body;
	bool sent; /* some of the request may have reached the server */
};
void http_answer_free(struct http_answer *a);
#define _cleanup_answer_ __attribute__((cleanup(http_answer_free))) /* always with = {0} */

/* rc: 0 when a whole answer came, whatever its status; SA_ERR_AGAIN: no connection, broken off,
 * time is over; SA_ERR_PERM: the server's certificate is not right; SA_ERR_IO: body_fd could not
 * be read whole; SA_ERR_TOOBIG; SA_ERR_INVALID: not a URL, a broken answer. The answer belongs to
 * the client and is valid during the call. */
typedef void (*http_done)(void *ctx, int rc, struct http_answer *a, const struct sa_err *err);

/* Starts a transfer. What r points to is copied, but for body and body_fd, which must stay until
 * done. done is called once, from http_run or http_free, never from here; it may start others. */
int http_start(struct http *h, const struct http_request *r, http_done done, void *ctx,
	       struct sa_err *err);
/* Moves the transfers; waits up to timeout_ms for one of them or of fds (revents are filled in; n
 * may be 0) to get ready. */
void http_run(struct http *h, int timeout_ms, struct pollfd *fds, size_t n);
size_t http_in_flight(const struct http *h);

/* One request, waited for, over a connection of its own; the other transfers rest meanwhile. */
int http_perform(struct http *h, const struct http_request *r, struct http_answer *out,
		 struct sa_err *err);

/* RFC 7231 "Sun, 06 Nov 1994 08:49:37 GMT" to ms since the epoch. SA_ERR_INVALID. */
int http_date(const char *text, int64_t *real_ms);

#endif
