/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <signal.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http/transfer.h"

#define POOL_MAX 64  /* handles and connections that are kept */
#define CHECK_MS 100 /* between two looks for transfers that stand still */
#define TURN_MS 200

struct http {
	CURLM *many, *one; /* http_start's, http_perform's */
	struct transfer *live, *idle;
	size_t n_idle, in_flight;
	int64_t checked_ms;
	bool closing;
	struct http_options o; /* owns its strings */
};

/* Before 7.87 the library writes to TLS connections without MSG_NOSIGNAL, and CURLOPT_NOSIGNAL
 * leaves the signal to us: blocked around each call that may write; what came meanwhile is dropped.
 */
static sigset_t hold_sigpipe(void)
{
	sigset_t broken, old;

	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	sigprocmask(SIG_BLOCK, &broken, &old);
	return old;
}

static void release_sigpipe(sigset_t old)
{
	static const struct timespec at_once = {0};
	sigset_t broken;

	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	if (!sigismember(&old, SIGPIPE))
		(void)sigtimedwait(&broken, NULL, &at_once);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* An idle one or a new one. */
static struct transfer *take_transfer(struct http *h)
{
	struct transfer *t = h->idle;

	if (!t)
		return transfer_new(&h->o);
	h->idle = t->next;
	h->n_idle--;
	return t;
}

static void put_back(struct http *h, struct transfer *t)
{
	transfer_clear(t);
	if (h->n_idle >= POOL_MAX) {
		transfer_free(t);
		return;
	}
	t->next = h->idle;
	h->idle = t;
	h->n_idle++;
}

static void unlink_live(struct http *h, const struct transfer *t)
{
	struct transfer **p = &h->live;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	h->in_flight -= t->in == h->many;
}

static void finish(struct http *h, struct transfer *t, CURLcode c)
{
	sigset_t old;

	transfer_judge(t, c);
	old = hold_sigpipe();
	(void)curl.multi_remove_handle(t->in, t->easy);
	release_sigpipe(old);
	unlink_live(h, t);
	t->done(t->ctx, t->err.code, &t->a, &t->err);
	put_back(h, t);
}

/* Ends it before its time. */
static void abandon(struct http *h, struct transfer *t, const char *why)
{
	(void)sa_fail(&t->err, SA_ERR_AGAIN, "%s: %s", t->host, why);
	finish(h, t, CURLE_ABORTED_BY_CALLBACK);
}

static int start(struct http *h, CURLM *in, const struct http_request *r, http_done done, void *ctx,
		 struct sa_err *err)
{
	struct transfer *t;
	int rc;

	if (h->closing)
		return sa_fail(err, SA_ERR_AGAIN, "the HTTP client is being closed");
	t = take_transfer(h);
	if (!t)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory for a request");
	rc = transfer_prepare(t, r, err);
	if (rc == 0 && curl.multi_add_handle(in, t->easy) != CURLM_OK)
		rc = sa_fail(err, SA_ERR_NOMEM, "out of memory for a request");
	if (rc < 0) {
		put_back(h, t);
		return rc;
	}
	t->done = done;
	t->ctx = ctx;
	t->in = in;
	t->next = h->live;
	h->live = t;
	h->in_flight += in == h->many;
	return 0;
}

int http_start(struct http *h, const struct http_request *r, http_done done, void *ctx,
	       struct sa_err *err)
{
	return start(h, h->many, r, done, ctx, err);
}

/* ---- moving transfers ---- */

static void end_stalled(struct http *h, const CURLM *in)
{
	struct transfer *t = h->live;
	int64_t now = clock_mono_ms();

	if (now - h->checked_ms < CHECK_MS)
		return;
	h->checked_ms = now;
	while (t) {
		if (t->in == in && transfer_stalled(t, now)) {
			finish(h, t, CURLE_OPERATION_TIMEDOUT);
			t = h->live; /* done may have changed the list */
		} else {
			t = t->next;
		}
	}
}

static void end_done(struct http *h, CURLM *in)
{
	CURLMsg *m;
	int left;

	while ((m = curl.multi_info_read(in, &left))) {
		CURLcode c = m->data.result;
		char *t = NULL;

		(void)curl.easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		finish(h, (struct transfer *)t, c);
	}
}

_Static_assert(CURL_WAIT_POLLIN == POLLIN && CURL_WAIT_POLLPRI == POLLPRI &&
		       CURL_WAIT_POLLOUT == POLLOUT,
	       "poll's and curl's events are the same");

/* Until a socket of the transfers or one of fds is ready. */
static void wait_ready(CURLM *in, int ms, const struct pollfd *fds, size_t n)
{
	struct curl_waitfd extra[HTTP_MAX_FDS];
	int ready = 0;

	if (n > HTTP_MAX_FDS)
		n = HTTP_MAX_FDS;
	for (size_t i = 0; i < n; i++)
		extra[i] = (struct curl_waitfd){.fd = fds[i].fd, .events = fds[i].events};
#if LIBCURL_VERSION_NUM >= 0x074200
	(void)curl.multi_poll(in, extra, (unsigned)n, ms, &ready);
#else
	/* Does not wait when there is no descriptor at all, as while a name is looked up. */
	long next = -1;

	(void)curl.multi_wait(in, extra, (unsigned)n, ms, &ready);
	if (n == 0 && ready == 0 && curl.multi_timeout(in, &next) == CURLM_OK && next != 0)
		(void)poll(NULL, 0, next > 0 && next < 10 ? (int)next : ms < 10 ? ms : 10);
#endif
}

/* Not longer than a stall may go unseen. */
static int bounded_wait(const struct http *h, int ms)
{
	int64_t tick = h->o.stall_ms / 4 < 1000 ? h->o.stall_ms / 4 : 1000;

	return ms < tick ? ms : (int)tick;
}

static void drive(struct http *h, CURLM *in, int ms, const struct pollfd *fds, size_t n)
{
	sigset_t old;
	int running;

	wait_ready(in, bounded_wait(h, ms), fds, n);
	old = hold_sigpipe();
	(void)curl.multi_perform(in, &running);
	release_sigpipe(old);
	end_done(h, in);
	end_stalled(h, in);
}

void http_run(struct http *h, int timeout_ms, struct pollfd *fds, size_t n)
{
	int ms = timeout_ms > 0 ? timeout_ms : 0;

	if (h->in_flight > 0) {
		drive(h, h->many, ms, fds, n);
		ms = 0; /* what follows only fills in revents: curl knows no POLLHUP */
	}
	for (size_t i = 0; i < n; i++)
		fds[i].revents = 0;
	if (n > 0 || ms > 0)
		(void)poll(fds, n, ms);
}

size_t http_in_flight(const struct http *h)
{
	return h->in_flight;
}

struct waited {
	int rc;
	struct http_answer *out;
	struct sa_err *err;
};

static void waited_done(void *ctx, int rc, struct http_answer *a, const struct sa_err *err)
{
	struct waited *w = ctx;

	w->rc = rc;
	*w->out = *a;
	*a = (struct http_answer){0};
	if (w->err && rc < 0)
		*w->err = *err;
}

static struct transfer *find_waited(const struct http *h, const struct waited *w)
{
	struct transfer *t = h->live;

	while (t && t->ctx != w)
		t = t->next;
	return t;
}

int http_perform(struct http *h, const struct http_request *r, struct http_answer *out,
		 struct sa_err *err)
{
	struct waited w = {.out = out, .err = err};
	struct transfer *t;
	int rc = start(h, h->one, r, waited_done, &w, err);

	if (rc < 0)
		return rc;
	while ((t = find_waited(h, &w))) {
		if (h->o.turn && !h->o.turn(h->o.turn_ctx))
			abandon(h, t, "not waited for any longer");
		else
			drive(h, h->one, TURN_MS, NULL, 0);
	}
	return w.rc;
}

static CURLM *new_multi(void)
{
	CURLM *m = curl.multi_init();

	if (m && curl.multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)POOL_MAX) == CURLM_OK)
		return m;
	(void)curl.multi_cleanup(m);
	return NULL;
}

static bool copy(const char **to, const char *s)
{
	*to = s ? strdup(s) : NULL;
	return !s || *to;
}

static bool copy_options(struct http_options *to, const struct http_options *o)
{
	to->connect_ms = o->connect_ms > 0 ? o->connect_ms : 10000;
	to->stall_ms = o->stall_ms > 0 ? o->stall_ms : 30000;
	to->turn = o->turn;
	to->turn_ctx = o->turn_ctx;
	return copy(&to->ca_file, o->ca_file) && copy(&to->proxy, o->proxy) &&
	       copy(&to->no_proxy, o->no_proxy);
}

int http_new(const struct http_options *o, struct http **out, struct sa_err *err)
{
	_cleanup_http_ struct http *h = NULL;
	int rc = curl_load(err);

	if (rc)
		return rc;
	/* The library counts: as many calls of global_cleanup undo it. */
	if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return sa_fail(err, SA_ERR_NOMEM, "libcurl does not start");
	h = calloc(1, sizeof(*h));
	if (!h) {
		curl.global_cleanup();
		return sa_fail(err, SA_ERR_NOMEM, "out of memory for the HTTP client");
	}
	h->many = new_multi();
	h->one = new_multi();
	if (!h->many || !h->one || !copy_options(&h->o, o))
		return sa_fail(err, SA_ERR_NOMEM, "out of memory for the HTTP client");
	*out = TAKE_PTR(h);
	return 0;
}

void http_free(struct http *h)
{
	sigset_t old;

	if (!h)
		return;
	h->closing = true;
	while (h->live)
		abandon(h, h->live, "the HTTP client is being closed");
	old = hold_sigpipe();
	while (h->idle)
		transfer_free(take_transfer(h));
	(void)curl.multi_cleanup(h->many);
	(void)curl.multi_cleanup(h->one);
	release_sigpipe(old);
	free((char *)h->o.ca_file);
	free((char *)h->o.proxy);
	free((char *)h->o.no_proxy);
	free(h);
	curl.global_cleanup();
}

void http_freep(struct http **h)
{
	http_free(*h);
}
