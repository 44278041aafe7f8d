/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "agent/grantd/answer.h"
#include "common/cleanup.h"
#include "common/log.h"

int fetch_init(struct fetch *f, const struct settings *s, struct sa_err *err)
{
	struct sa_err later = {0};
	int rc;

	*f = (struct fetch){.settings = s};
	/* The settings say so too; what goes over the wire is too dear for one check. */
	if (!s->broker_url || strncmp(s->broker_url, "https://", 8) != 0)
		return sa_fail(err, SA_ERR_INVALID, "broker.url: not an https:// URL");
	rc = token_init(&f->token, s->broker_token_file, getenv("CREDENTIALS_DIRECTORY"), err);
	if (rc == 0 && token_read(&f->token, &later) != 0)
		log_warn("event=token-missing reason=\"%s\"", later.msg);
	return rc;
}

static int fetch_open(struct fetch *f, bool (*turn)(void *ctx), void *ctx, struct sa_err *err)
{
	const struct settings *s = f->settings;
	struct http_options o = {
		.ca_file = s->broker_ca_file,
		.proxy = s->broker_proxy && *s->broker_proxy ? s->broker_proxy : NULL,
		.connect_ms = s->broker_timeout,
		.stall_ms = s->broker_timeout,
		.turn = turn,
		.turn_ctx = ctx,
	};

	return f->http ? 0 : http_new(&o, &f->http, err);
}

static int fetch_headers(const struct fetch *f, struct headers *out, struct sa_err *err)
{
	_cleanup_buf_ struct buf bearer = {0};

	headers_add(out, "Accept", SLICE_LIT("application/json"));
	if (f->etag)
		headers_add(out, "If-None-Match", slice_of(f->etag));
	if (f->token.path) {
		buf_init(&bearer, TOKEN_MAX_BYTES + sizeof("Bearer "));
		(void)buf_reserve(&bearer, TOKEN_MAX_BYTES + sizeof("Bearer "));
		buf_puts(&bearer, "Bearer ");
		buf_put(&bearer, buf_slice(&f->token.text));
		headers_add(out, "Authorization", buf_slice(&bearer));
		if (bearer.data)
			explicit_bzero(bearer.data, bearer.cap);
	}
	return out->failed || bearer.failed ? sa_fail(err, SA_ERR_NOMEM, "out of memory") : 0;
}

static int fetch_refused(const struct fetch *f, int status, struct sa_err *err)
{
	if (!f->token.path)
		return sa_fail(err, SA_ERR_PERM,
			       "the broker answers %d: it may want a token, see broker.token_file",
			       status);
	return sa_fail(err, SA_ERR_PERM,
		       "the broker answers %d: it does not take the token of %s; put a valid one "
		       "there%s",
		       status, f->token.path,
		       f->token.stale ? ", and reload the service: only root may read it" : "");
}

static int fetch_status(const struct fetch *f, int status, struct sa_err *err)
{
	if (status == 200 || (status == 304 && f->etag))
		return 0;
	if (status == 401 || status == 403)
		return fetch_refused(f, status, err);
	if (status / 100 == 3 && status != 304)
		return sa_fail(err, SA_ERR_INVALID,
			       "the broker answers %d, a redirect, which is not followed: name the "
			       "final URL in broker.url",
			       status);
	return sa_fail(err, SA_ERR_AGAIN, "the broker answers %d", status);
}

static const char *fetch_advice(int rc)
{
	switch (rc) {
	case SA_ERR_PERM:
		return "; see broker.ca_file";
	case SA_ERR_AGAIN:
		return "; see broker.url, broker.proxy and broker.timeout";
	default:
		return "";
	}
}

int fetch_get(struct fetch *f, bool (*turn)(void *ctx), void *ctx, struct http_answer *out,
	      struct sa_err *err)
{
	_cleanup_headers_ struct headers headers = {0};
	struct http_request r = {
		.method = "GET",
		.url = f->settings->broker_url,
		.headers = &headers,
		.body_fd = -1,
		.max_body = ANSWER_MAX_BYTES,
		.total_ms = f->settings->broker_timeout,
	};
	struct sa_err why = {0};
	int rc;

	if ((rc = token_read(&f->token, err)) != 0 || (rc = fetch_open(f, turn, ctx, err)) != 0 ||
	    (rc = fetch_headers(f, &headers, err)) != 0)
		return rc;
	if ((rc = http_perform(f->http, &r, out, &why)) != 0)
		return sa_fail(err, rc, "%s%s", why.msg, fetch_advice(rc));
	return fetch_status(f, out->status, err);
}

void fetch_taken(struct fetch *f, const struct http_answer *a)
{
	const char *etag = a ? headers_get(&a->headers, "ETag") : NULL;

	free(f->etag);
	f->etag = etag && *etag && strlen(etag) <= FETCH_MAX_ETAG ? strdup(etag) : NULL;
}

void fetch_free(struct fetch *f)
{
	token_free(&f->token);
	http_free(f->http);
	free(f->etag);
	*f = (struct fetch){0};
}
