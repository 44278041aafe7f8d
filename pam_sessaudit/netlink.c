/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/clock.h"
#include "pam_sessaudit/netlink.h"

/* One request and the answer that is wanted besides the acknowledgement. */
struct request {
	uint16_t type;
	const void *data;
	size_t len;
	uint16_t answer_type; /* 0: none */
	void *answer;
	size_t answer_size;
};

struct packet {
	_Alignas(struct nlmsghdr) char bytes[8192];
	size_t len;
};

int netlink_open(struct netlink *nl)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);

	if (fd < 0)
		return -errno;
	*nl = (struct netlink){.fd = fd, .deadline_ms = clock_mono_ms() + NETLINK_TIMEOUT_MS};
	return 0;
}

void netlink_close(struct netlink *nl)
{
	close(nl->fd);
	nl->fd = -1;
}

static int send_request(const struct netlink *nl, const struct request *r)
{
	struct nlmsghdr head = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(r->len),
				.nlmsg_type = r->type,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
				.nlmsg_seq = nl->seq};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct iovec iov[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)r->data, r->len}};
	struct msghdr msg = {.msg_name = &kernel,
			     .msg_namelen = sizeof(kernel),
			     .msg_iov = iov,
			     .msg_iovlen = 2};
	ssize_t n;

	do
		n = sendmsg(nl->fd, &msg, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int wait_readable(const struct netlink *nl)
{
	struct pollfd p = {.fd = nl->fd, .events = POLLIN};
	int n;

	do {
		int64_t left = nl->deadline_ms - clock_mono_ms();

		n = left > 0 ? poll(&p, 1, (int)left) : 0;
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* A datagram from the kernel; those of other processes are dropped. */
static int receive(const struct netlink *nl, struct packet *p)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t from_len = sizeof(from);
		int rc = wait_readable(nl);
		ssize_t n;

		if (rc < 0)
			return rc;
		n = recvfrom(nl->fd, p->bytes, sizeof(p->bytes), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &from_len);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n < 0 || from_len != sizeof(from) || from.nl_pid != 0)
			continue;
		p->len = (size_t)n;
		return 0;
	}
}

/* Copies what the kernel sent of the answer: an older kernel's struct may be shorter. */
static void take_answer(const struct request *r, const struct nlmsghdr *h)
{
	size_t n = NLMSG_PAYLOAD(h, 0);

	memset(r->answer, 0, r->answer_size);
	memcpy(r->answer, NLMSG_DATA(h), n < r->answer_size ? n : r->answer_size);
}

/* The acknowledgement and the answer come in any order: the kernel sends the latter by a thread. */
static int transact(struct netlink *nl, const struct request *r)
{
	bool acked = false, answered = r->answer_type == 0;
	struct packet p;
	int rc;

	nl->seq++;
	if ((rc = send_request(nl, r)) < 0)
		return rc;
	while (!acked || !answered) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)p.bytes;

		if ((rc = receive(nl, &p)) < 0)
			return rc;
		if (!NLMSG_OK(h, p.len) || h->nlmsg_seq != nl->seq)
			continue;
		if (h->nlmsg_type == NLMSG_ERROR && NLMSG_PAYLOAD(h, 0) >= sizeof(int)) {
			memcpy(&rc, NLMSG_DATA(h), sizeof(rc));
			if (rc < 0)
				return rc;
			acked = true;
		} else if (!answered && h->nlmsg_type == r->answer_type) {
			take_answer(r, h);
			answered = true;
		}
	}
	return 0;
}

int netlink_status(struct netlink *nl, struct audit_status *out)
{
	struct request r = {.type = AUDIT_GET,
			    .answer_type = AUDIT_GET,
			    .answer = out,
			    .answer_size = sizeof(*out)};

	return transact(nl, &r);
}

int netlink_tty_get(struct netlink *nl, struct audit_tty_status *out)
{
	struct request r = {.type = AUDIT_TTY_GET,
			    .answer_type = AUDIT_TTY_GET,
			    .answer = out,
			    .answer_size = sizeof(*out)};

	return transact(nl, &r);
}

int netlink_tty_set(struct netlink *nl, const struct audit_tty_status *status)
{
	struct request r = {.type = AUDIT_TTY_SET, .data = status, .len = sizeof(*status)};

	return transact(nl, &r);
}

int netlink_user_message(struct netlink *nl, uint16_t type, const char *text)
{
	/* With the NUL: the kernel overwrites the last byte with one (audit_receive_msg). */
	struct request r = {.type = type, .data = text, .len = strlen(text) + 1};

	return transact(nl, &r);
}
