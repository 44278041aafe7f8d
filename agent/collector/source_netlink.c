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

#include "common/cleanup.h"
#include "common/clock.h"

#define BATCH 64
#define DATAGRAM 9216 /* MAX_AUDIT_MESSAGE_LENGTH 8970 and the header */
#define ACK_TIMEOUT_MS 2000

struct source_netlink {
	int fd;
	uint32_t seq;
	int ack; /* errno the kernel answered with; -1 while it has not */
	struct source_stats stats;
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_nl from[BATCH];
	char data[BATCH][DATAGRAM] __attribute__((aligned(8)));
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
			"kernel audit refused this process (%s): it needs CAP_AUDIT_CONTROL in the "
			"initial user namespace; start it as root on the host",
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
	for (size_t i = 0; i < BATCH; i++) {
		s->iov[i] = (struct iovec){s->data[i], DATAGRAM};
		s->msgs[i].msg_hdr.msg_iov = &s->iov[i];
		s->msgs[i].msg_hdr.msg_iovlen = 1;
		s->msgs[i].msg_hdr.msg_name = &s->from[i];
	}
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

const struct source_stats *source_netlink_stats(const struct source_netlink *s)
{
	return &s->stats;
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

static void take_ack(struct source_netlink *s, const struct nlmsghdr *h, size_t len)
{
	const struct nlmsgerr *e = (const struct nlmsgerr *)(const void *)(h + 1);

	if (len >= NLMSG_HDRLEN + sizeof(*e) && h->nlmsg_seq == s->seq)
		s->ack = -e->error;
}

/* One datagram is one record. nlmsg_len is not used: on unicast the kernel leaves the header out of
 * it (kernel/audit.c kauditd_send_queue), so the datagram's own length counts. Replies are below
 * 1100, except LOGIN. */
static void take_datagram(struct source_netlink *s, size_t i, source_fn fn, void *ctx)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)s->data[i];
	size_t len = s->msgs[i].msg_len;
	struct record r;
	int rc;

	if (s->from[i].nl_pid != 0 || len < NLMSG_HDRLEN)
		return;
	if (h->nlmsg_type == NLMSG_ERROR) {
		take_ack(s, h, len);
		return;
	}
	if (h->nlmsg_type < AUDIT_FIRST_USER_MSG && h->nlmsg_type != AUDIT_LOGIN)
		return;
	if (s->msgs[i].msg_hdr.msg_flags & MSG_TRUNC) {
		s->stats.oversized++;
		return;
	}
	rc = record_parse_payload(
		h->nlmsg_type, (struct slice){s->data[i] + NLMSG_HDRLEN, len - NLMSG_HDRLEN}, &r);
	if (rc) {
		s->stats.malformed++;
		return;
	}
	s->stats.records++;
	fn(ctx, &r);
}

size_t source_netlink_read(struct source_netlink *s, source_fn fn, void *ctx, bool *overrun)
{
	size_t total = 0;

	while (total < SOURCE_NETLINK_TURN) {
		int n;

		for (size_t i = 0; i < BATCH; i++)
			s->msgs[i].msg_hdr.msg_namelen = sizeof(s->from[i]);
		n = recvmmsg(s->fd, s->msgs, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			*overrun = true;
			continue;
		}
		if (n <= 0)
			break;
		for (int i = 0; i < n; i++)
			take_datagram(s, (size_t)i, fn, ctx);
		total += (size_t)n;
	}
	return total;
}

int source_netlink_register(struct source_netlink *s, source_fn fn, void *ctx, struct sa_err *err)
{
	struct audit_status st = {.mask = AUDIT_STATUS_PID, .pid = (uint32_t)getpid()};
	int64_t deadline = clock_mono_ms() + ACK_TIMEOUT_MS;
	bool overrun = false;

	s->ack = -1;
	if (send_status(s, &st, NLM_F_ACK))
		return open_error(errno, err);
	while (s->ack < 0) {
		struct pollfd p = {.fd = s->fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();

		if (left <= 0)
			return sa_fail(err, SA_ERR_IO, "kernel audit does not answer");
		poll(&p, 1, (int)left);
		source_netlink_read(s, fn, ctx, &overrun);
	}
	if (s->ack == EEXIST)
		return sa_fail(
			err, SA_ERR_EXISTS,
			"another audit daemon holds the kernel's one slot; stop it (systemctl stop "
			"auditd) or leave recording to it");
	return s->ack ? open_error(s->ack, err) : 0;
}

void source_netlink_unregister(struct source_netlink *s)
{
	struct audit_status st = {.mask = AUDIT_STATUS_PID, .pid = 0};

	send_status(s, &st, 0);
}
