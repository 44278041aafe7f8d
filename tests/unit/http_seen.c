/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "tests/unit/http_seen.h"
#include "tests/unit/tap.h"

#define PATIENCE_MS 20000

static unsigned seen_order;

void seen_done(void *ctx, int rc, struct http_answer *a, const struct sa_err *err)
{
	struct seen *s = ctx;
	const char *echo = headers_get(&a->headers, "x-echo");

	s->calls++;
	s->order = ++seen_order;
	s->rc = rc;
	s->status = a->status;
	s->sent = a->sent;
	s->body_len = a->body.len;
	snprintf(s->body, sizeof(s->body), "%s", buf_cstr(&a->body));
	snprintf(s->echo, sizeof(s->echo), "%s", echo ? echo : "none");
	snprintf(s->msg, sizeof(s->msg), "%s", err->msg);
	if (err->code != rc)
		tap_ok(false, "done: rc is %d, err says %d", rc, err->code);
}

struct http *seen_client(const struct http_options *o)
{
	struct http *h = NULL;
	struct sa_err err;

	if (http_new(o, &h, &err) < 0) {
		tap_ok(false, "http_new: %s", err.msg);
		exit(tap_done());
	}
	return h;
}

void seen_finish_all(struct http *h)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	while (http_in_flight(h) > 0 && clock_mono_ms() < until)
		http_run(h, 1000, NULL, 0);
	if (http_in_flight(h) > 0)
		tap_ok(false, "still in flight after %d ms", PATIENCE_MS);
}

struct seen seen_ask(struct http *h, const struct http_request *r)
{
	struct seen s = {0};
	struct sa_err err;

	if (http_start(h, r, seen_done, &s, &err) < 0)
		tap_ok(false, "http_start: %s", err.msg);
	seen_finish_all(h);
	if (s.calls != 1)
		tap_ok(false, "done was called %u times", s.calls);
	return s;
}
