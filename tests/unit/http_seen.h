/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What a client of common/http was told about a request, for tests. */
#ifndef SA_HTTP_SEEN_H
#define SA_HTTP_SEEN_H

#include "common/http/http.h"

struct seen {
	unsigned calls, order; /* of done; which done of the program it was, from 1 */
	int rc, status;
	bool sent;
	char body[300], echo[100], msg[600]; /* cut; echo: the header X-Echo, or "none" */
	size_t body_len;
};

/* For http_start, ctx is a struct seen. */
void seen_done(void *ctx, int rc, struct http_answer *a, const struct sa_err *err);
/* http_new, which must work. */
struct http *seen_client(const struct http_options *o);
/* Runs until nothing is in flight. */
void seen_finish_all(struct http *h);
/* Starts one, runs it to its end. */
struct seen seen_ask(struct http *h, const struct http_request *r);

#endif
