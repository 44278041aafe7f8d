/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/source_netlink.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/collector/intake.h"
#include "common/clock.h"

#define ACK_TIMEOUT_MS 2000

struct source_netlink {
	int fd;
	uint32_t seq;
};

static int open_error(int errnum, struct sa_err *err)
{
	errno = errnum;
	if (errnum == EPROTONOSUPPORT || errnum == EAFNOSUPPORT || errnum == ECONNREFUSED)
		return sa_fail(
			err, SA_ERR_UNSUPPORTED,
			"kernel audit is not to be had here (%s): no audit in this kernel, or a "
			"container; run the agent on the host",
			strerror(errnum));
	if (errnum == EPERM || errnum == EACCES)
		return sa_fail(
			err, SA_ERR_PERM,
			"kernel audit refused this process (%s): it needs CAP_AUDIT_CONTROL and "
			"CAP_AUDIT_READ in the initial user namespace; start it as root on the host",
			strerror(errnum));
	return sa_fail_errno(err, "netlink audit socket");
}

int source_netlink_open(int64_t rcvbuf, struct source_netlink **out, struct sa_err *err)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	struct source_netlink *s;
	int size = (int)rcvbuf;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self))) {
		int saved = errno;

		if (fd >= 0)
			close(fd);
		return open_error(saved, err);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	s = calloc(1, sizeof(*s));
	if (!s) {
		close(fd);
		return sa_fail(err, SA_ERR_NOMEM, "netlink: out of memory");
	}
	s->fd = fd;
	*out = s;
	return 0;
}

void source_netlink_close(struct source_netlink *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s);
}

int source_netlink_fd(const struct source_netlink *s)
{
	return s->fd;
}

static int send_status(struct source_netlink *s, const struct audit_status *st, uint16_t flags)
{
	struct {
		struct nlmsghdr h;
		struct audit_status st;
	} m = {.h = {.nlmsg_len = sizeof(m),
		     .nlmsg_type = AUDIT_SET,
		     .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
		     .nlmsg_seq = ++s->seq},
	       .st = *st};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(s->fd, &m, sizeof(m), 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ? -1
											       : 0;
}

/* The errno that the kernel answers with; -1: this is not its answer. */
static int answer(const struct source_netlink *s, uint32_t from, struct slice d)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} m;

	if (from != 0 || d.len < sizeof(m))
		return -1;
	memcpy(&m, d.ptr, sizeof(m));
	return m.h.nlmsg_type == NLMSG_ERROR && m.h.nlmsg_seq == s->seq ? -m.e.error : -1;
}

/* A record that came before the answer. */
static void take_record(uint32_t from, struct slice d, bool cut, source_fn fn, void *ctx,
			struct source_stats *stats)
{
	enum intake_verdict v = intake_judge(from, d, cut);
	struct record r;

	if (v == INTAKE_OVERSIZED)
		stats->oversized++;
	if (v != INTAKE_RECORD)
		return;
	if (record_parse_payload(intake_type(d), intake_payload(d), &r)) {
		stats->malformed++;
		return;
	}
	stats->records++;
	fn(ctx, &r);
}

int source_netlink_register(struct source_netlink *s, source_fn fn, void *ctx,
			    struct source_stats *stats, struct sa_err *err)
{
	struct audit_status st = {.mask = AUDIT_STATUS_PID, .pid = (uint32_t)getpid()};
	int64_t deadline = clock_mono_ms() + ACK_TIMEOUT_MS;
	int errnum = -1;

	if (send_status(s, &st, NLM_F_ACK))
		return open_error(errno, err);
	while (errnum < 0) {
		char data[INTAKE_DATAGRAM_MAX];
		struct sockaddr_nl from = {0};
		struct iovec iov = {data, sizeof(data)};
		struct msghdr msg = {.msg_name = &from,
				     .msg_namelen = sizeof(from),
				     .msg_iov = &iov,
				     .msg_iovlen = 1};
		struct pollfd p = {.fd = s->fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();
		ssize_t n;

		if (left <= 0)
			return sa_fail(err, SA_ERR_IO, "kernel audit does not answer");
		poll(&p, 1, (int)left);
		n = recvmsg(s->fd, &msg, MSG_DONTWAIT);
		if (n < 0)
			continue;
		errnum = answer(s, from.nl_pid, (struct slice){data, (size_t)n});
		if (errnum < 0)
			take_record(from.nl_pid, (struct slice){data, (size_t)n},
				    msg.msg_flags & MSG_TRUNC, fn, ctx, stats);
	}
	if (errnum == EEXIST)
		return sa_fail(
			err, SA_ERR_EXISTS,
			"another audit daemon holds the kernel's one slot; stop it (systemctl stop "
			"auditd), or listen beside it (capture.source = multicast)");
	return errnum ? open_error(errnum, err) : 0;
}

int source_netlink_join(struct source_netlink *s, struct sa_err *err)
{
	int group = AUDIT_NLGRP_READLOG;

	if (setsockopt(s->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return open_error(errno, err);
	return 0;
}

void source_netlink_unregister(struct source_netlink *s)
{
	struct audit_status st = {.mask = AUDIT_STATUS_PID, .pid = 0};

	send_status(s, &st, 0);
}
