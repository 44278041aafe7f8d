/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/intake.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/collector/intake_internal.h"
#include "common/cleanup.h"

static int prepare(struct intake *q, struct sa_err *err)
{
	struct intake_datagrams *d;

	if (q->facts.kind == INTAKE_LINES)
		q->lines = calloc(1, sizeof(*q->lines));
	else
		q->datagrams = calloc(1, sizeof(*q->datagrams));
	if (!q->lines && !q->datagrams)
		return sa_fail(err, SA_ERR_NOMEM, "intake: out of memory");
	d = q->datagrams;
	for (size_t i = 0; d && i < INTAKE_BATCH; i++) {
		d->iov[i] = (struct iovec){d->data[i], INTAKE_DATAGRAM_MAX};
		d->msgs[i].msg_hdr.msg_iov = &d->iov[i];
		d->msgs[i].msg_hdr.msg_iovlen = 1;
		d->msgs[i].msg_hdr.msg_name = &d->from[i];
	}
	q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->wake_fd < 0 || q->stop_fd < 0)
		return sa_fail_errno(err, "intake: eventfd");
	return ring_init(&q->ring, q->facts.max_bytes, err);
}

/* Signals are the main thread's. */
static int start_thread(struct intake *q, struct sa_err *err)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&q->thread, NULL, intake_drain, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno)
		return sa_fail_errno(err, "intake: start a thread");
	q->started = true;
	return 0;
}

int intake_start(const struct intake_facts *facts, struct intake **out, struct sa_err *err)
{
	struct intake *q = calloc(1, sizeof(*q));
	int rc;

	if (!q)
		return sa_fail(err, SA_ERR_NOMEM, "intake: out of memory");
	q->facts = *facts;
	q->wake_fd = q->stop_fd = -1;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->room, NULL);
	if ((rc = prepare(q, err)) || (rc = start_thread(q, err))) {
		intake_free(q);
		return rc;
	}
	*out = q;
	return 0;
}

int intake_fd(const struct intake *q)
{
	return q->wake_fd;
}

static struct slice front(struct intake *q)
{
	struct slice run;
	eventfd_t count;

	pthread_mutex_lock(&q->lock);
	run = ring_front(&q->ring);
	if (run.len == 0) {
		if (q->announced && eventfd_read(q->wake_fd, &count) == 0)
			q->announced = false;
		else
			ring_rest(&q->ring); /* looked at although nothing came: a quiet time */
	}
	pthread_mutex_unlock(&q->lock);
	return run;
}

static void drop(struct intake *q, size_t n)
{
	pthread_mutex_lock(&q->lock);
	ring_drop(&q->ring, n);
	if (q->waiting)
		pthread_cond_signal(&q->room);
	pthread_mutex_unlock(&q->lock);
}

static void give(const struct intake *q, unsigned type, struct slice data, source_fn fn, void *ctx,
		 struct source_stats *stats)
{
	struct record r;
	int rc = q->facts.kind == INTAKE_LINES ? record_parse_line(data, &r)
					       : record_parse_payload(type, data, &r);

	if (rc == 0) {
		stats->records++;
		fn(ctx, &r);
	} else if (rc == SA_ERR_TOOBIG) {
		stats->oversized++;
	} else if (rc != SA_ERR_NOTFOUND) {
		stats->malformed++;
	}
}

size_t intake_take(struct intake *q, size_t max, source_fn fn, void *ctx,
		   struct source_stats *stats)
{
	struct slice run, data;
	unsigned type;
	size_t n = 0;

	while (n < max && (run = front(q)).len > 0) {
		const char *start = run.ptr;

		while (n < max && ring_next(&run, &type, &data)) {
			give(q, type, data, fn, ctx, stats);
			n++;
		}
		drop(q, (size_t)(run.ptr - start));
	}
	return n;
}

void intake_stats(struct intake *q, struct intake_stats *out)
{
	pthread_mutex_lock(&q->lock);
	*out = q->stats;
	out->queued = q->ring.used;
	out->queued_max = q->ring.used_max;
	pthread_mutex_unlock(&q->lock);
}

bool intake_ended(struct intake *q)
{
	bool ended;

	pthread_mutex_lock(&q->lock);
	ended = q->ended && q->ring.used == 0;
	pthread_mutex_unlock(&q->lock);
	return ended;
}

static void ask_to_end(struct intake *q, bool give_up)
{
	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	q->giving_up = give_up;
	pthread_cond_signal(&q->room);
	pthread_mutex_unlock(&q->lock);
	eventfd_write(q->stop_fd, 1);
}

void intake_finish(struct intake *q, source_fn fn, void *ctx, struct source_stats *stats)
{
	struct pollfd p = {.fd = q->wake_fd, .events = POLLIN};

	ask_to_end(q, false);
	while (intake_take(q, SIZE_MAX, fn, ctx, stats) > 0 || !intake_ended(q))
		poll(&p, 1, 100);
	pthread_join(q->thread, NULL);
	q->started = false;
}

void intake_free(struct intake *q)
{
	if (!q)
		return;
	if (q->started) {
		ask_to_end(q, true);
		pthread_join(q->thread, NULL);
	}
	ring_free(&q->ring);
	cleanup_close(&q->wake_fd);
	cleanup_close(&q->stop_fd);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->room);
	free(q->datagrams);
	free(q->lines);
	free(q);
}
