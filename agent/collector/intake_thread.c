/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The thread that drains a source into the queue. No allocation here, and no logging. */
#include <errno.h>
#include <linux/audit.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/collector/intake_internal.h"
#include "common/clock.h"

/* After a batch that was not full: what comes meanwhile waits in the socket, which has room for ten
 * times that, and is read at once. To be woken for each record costs far more than to read it. */
#define NAP_MS 4

#ifndef AUDIT_REPLACE
#define AUDIT_REPLACE 1329
#endif

enum step { STEP_MORE, STEP_SOME, STEP_NOTHING, STEP_END };

static void announce(struct intake *q)
{
	if (!q->announced)
		q->announced = eventfd_write(q->wake_fd, 1) == 0;
}

static void put(struct intake *q, unsigned type, struct slice data)
{
	bool was_full = false;

	while (!ring_put(&q->ring, type, data)) {
		q->stats.full += !was_full;
		was_full = true;
		if (q->facts.overload == INTAKE_DROP || q->giving_up) {
			q->stats.dropped++;
			return;
		}
		announce(q);
		q->waiting = true;
		pthread_cond_wait(&q->room, &q->lock);
		q->waiting = false;
	}
	q->stats.datagrams++;
	q->stats.bytes += data.len;
	announce(q);
}

enum intake_verdict intake_judge(uint32_t from, struct slice datagram, bool cut)
{
	struct nlmsghdr h;

	if (from != 0)
		return INTAKE_FOREIGN;
	if (datagram.len < NLMSG_HDRLEN)
		return INTAKE_OTHER;
	memcpy(&h, datagram.ptr, sizeof(h));
	/* Replies are below 1100, LOGIN and USER too. REPLACE asks the daemon whether it lives. */
	if ((h.nlmsg_type < AUDIT_FIRST_USER_MSG && h.nlmsg_type != AUDIT_LOGIN &&
	     h.nlmsg_type != AUDIT_USER) ||
	    h.nlmsg_type == AUDIT_REPLACE)
		return INTAKE_OTHER;
	return cut ? INTAKE_OVERSIZED : INTAKE_RECORD;
}

unsigned intake_type(struct slice datagram)
{
	struct nlmsghdr h;

	memcpy(&h, datagram.ptr, sizeof(h));
	return h.nlmsg_type;
}

struct slice intake_payload(struct slice datagram)
{
	return (struct slice){datagram.ptr + NLMSG_HDRLEN, datagram.len - NLMSG_HDRLEN};
}

static void put_datagram(struct intake *q, size_t i)
{
	struct intake_datagrams *d = q->datagrams;
	struct slice s = {d->data[i], d->msgs[i].msg_len};

	switch (intake_judge(d->from[i].nl_pid, s, d->msgs[i].msg_hdr.msg_flags & MSG_TRUNC)) {
	case INTAKE_RECORD:
		put(q, intake_type(s), intake_payload(s));
		break;
	case INTAKE_OVERSIZED:
		q->stats.oversized++;
		break;
	case INTAKE_FOREIGN:
		q->stats.foreign++;
		break;
	case INTAKE_OTHER:
		break;
	}
}

static enum step read_datagrams(struct intake *q)
{
	struct intake_datagrams *d = q->datagrams;
	int n, errnum;

	for (size_t i = 0; i < INTAKE_BATCH; i++)
		d->msgs[i].msg_hdr.msg_namelen = sizeof(d->from[i]);
	n = recvmmsg(q->facts.fd, d->msgs, INTAKE_BATCH, MSG_DONTWAIT, NULL);
	errnum = errno;
	if (n < 0 && (errnum == EAGAIN || errnum == EINTR))
		return STEP_NOTHING;
	if (n < 0 && errnum != ENOBUFS)
		return STEP_END;
	pthread_mutex_lock(&q->lock);
	q->stats.overruns += n < 0;
	for (int i = 0; i < n; i++)
		put_datagram(q, (size_t)i);
	pthread_mutex_unlock(&q->lock);
	return n < 0 || n == INTAKE_BATCH ? STEP_MORE : STEP_SOME;
}

static void put_line(struct intake *q, struct slice line)
{
	if (!q->lines->skipping)
		put(q, 0, line);
	q->lines->skipping = false;
}

/* Takes the whole lines off the front. */
static void put_lines(struct intake *q)
{
	struct intake_lines *l = q->lines;
	char *p = l->data, *end = p + l->have, *eol;

	pthread_mutex_lock(&q->lock);
	while ((eol = memchr(p, '\n', (size_t)(end - p)))) {
		put_line(q, (struct slice){p, (size_t)(eol - p)});
		p = eol + 1;
	}
	l->have = (size_t)(end - p);
	memmove(l->data, p, l->have);
	if (l->have == INTAKE_LINES_BYTES) {
		q->stats.oversized += !l->skipping;
		l->skipping = true;
		l->have = 0;
	}
	pthread_mutex_unlock(&q->lock);
}

static enum step read_lines(struct intake *q)
{
	struct pollfd p = {.fd = q->facts.fd, .events = POLLIN};
	struct intake_lines *l = q->lines;
	ssize_t n;

	if (poll(&p, 1, 0) == 0)
		return STEP_NOTHING;
	n = read(q->facts.fd, l->data + l->have, INTAKE_LINES_BYTES - l->have);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? STEP_NOTHING : STEP_END;
	l->have += (size_t)n;
	put_lines(q);
	if (n > 0)
		return STEP_SOME;
	if (l->have > 0) {
		pthread_mutex_lock(&q->lock);
		put_line(q, (struct slice){l->data, l->have});
		pthread_mutex_unlock(&q->lock);
	}
	return STEP_END;
}

static bool is_stopping(struct intake *q)
{
	bool stopping;

	pthread_mutex_lock(&q->lock);
	stopping = q->stopping;
	pthread_mutex_unlock(&q->lock);
	return stopping;
}

/* Until something comes, or the thread is to end. */
static void await(struct intake *q)
{
	struct pollfd p[2] = {{.fd = q->facts.fd, .events = POLLIN},
			      {.fd = q->stop_fd, .events = POLLIN}};

	poll(p, 2, -1);
}

static void nap(const struct intake *q)
{
	struct pollfd p = {.fd = q->stop_fd, .events = POLLIN};

	poll(&p, 1, NAP_MS);
}

/* At the end nothing waits any more, nor is a line cut in two: the rest of it would be taken for a
 * line of its own by whoever reads next. */
static bool is_drained(const struct intake *q, enum step s)
{
	struct pollfd p = {.fd = q->facts.fd, .events = POLLIN};

	if (s != STEP_NOTHING)
		return false;
	return q->facts.kind != INTAKE_LINES || q->lines->have == 0 || poll(&p, 1, 100) <= 0;
}

void *intake_drain(void *arg)
{
	struct intake *q = arg;
	int64_t until = 0;
	enum step s;

	while ((s = q->facts.kind == INTAKE_LINES ? read_lines(q) : read_datagrams(q)) !=
	       STEP_END) {
		if (until || is_stopping(q)) {
			if (!until)
				until = clock_mono_ms() + INTAKE_FINISH_MS;
			if (is_drained(q, s) || clock_mono_ms() >= until)
				break;
		} else if (s == STEP_SOME) {
			nap(q);
		} else if (s == STEP_NOTHING) {
			await(q);
		}
	}
	pthread_mutex_lock(&q->lock);
	q->ended = true;
	announce(q);
	pthread_mutex_unlock(&q->lock);
	return NULL;
}
