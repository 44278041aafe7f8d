/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/clock.h"
#include "pam_sessaudit/netlink.h"

struct packet {
	_Alignas(struct nlmsghdr) char bytes[16384]; /* a refusal holds the whole request, which may
							be 8560 bytes (AUDIT_MESSAGE_TEXT_MAX) */
	size_t len;
};

void netlink_open(struct netlink *nl)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);

	*nl = (struct netlink){
		.fd = fd, .open_rc = fd < 0 ? -errno : 0, .left_ms = NETLINK_TIMEOUT_MS};
}

void netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
	nl->open_rc = -EBADF;
}

static int send_request(const struct netlink *nl, const struct netlink_request *r)
{
	struct nlmsghdr head = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(r->len),
				.nlmsg_type = r->type,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
				.nlmsg_seq = r->seq};
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

void netlink_send(struct netlink *nl, struct netlink_request *r)
{
	r->seq = ++nl->seq;
	r->acked = false;
	r->answered = r->answer_type == 0;
	if (nl->fd < 0)
		r->rc = nl->open_rc;
	else if (nl->n_pending == NETLINK_MAX_PENDING)
		r->rc = -ENOBUFS;
	else
		r->rc = send_request(nl, r);
	if (r->rc == 0)
		nl->pending[nl->n_pending++] = r;
}

static int wait_readable(const struct netlink *nl, int64_t deadline_ms)
{
	struct pollfd p = {.fd = nl->fd, .events = POLLIN};
	int n;

	do {
		int64_t left = deadline_ms - clock_mono_ms();

		n = left > 0 ? poll(&p, 1, (int)left) : 0;
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* A datagram from the kernel; those of other processes are dropped. Mostly it is there already. */
static int receive(const struct netlink *nl, int64_t deadline_ms, struct packet *p)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(nl->fd, p->bytes, sizeof(p->bytes), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_len);
		int rc;

		if (n >= 0 && from_len == sizeof(from) && from.nl_pid == 0) {
			p->len = (size_t)n;
			return 0;
		}
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n < 0 && errno == EAGAIN && (rc = wait_readable(nl, deadline_ms)) < 0)
			return rc;
		if (clock_mono_ms() >= deadline_ms)
			return -ETIMEDOUT;
	}
}

/* Copies what the kernel sent of the answer: an older kernel's struct may be shorter. */
static void take_answer(struct netlink_request *r, const struct nlmsghdr *h)
{
	size_t n = NLMSG_PAYLOAD(h, 0);

	memset(r->answer, 0, r->answer_size);
	memcpy(r->answer, NLMSG_DATA(h), n < r->answer_size ? n : r->answer_size);
	r->answered = true;
}

/* Acknowledgement and answer come in any order. True when the request is settled. */
static bool take(struct netlink_request *r, const struct nlmsghdr *h)
{
	if (h->nlmsg_type == NLMSG_ERROR && NLMSG_PAYLOAD(h, 0) >= sizeof(int)) {
		memcpy(&r->rc, NLMSG_DATA(h), sizeof(r->rc));
		r->acked = true;
	} else if (!r->answered && h->nlmsg_type == r->answer_type) {
		take_answer(r, h);
	}
	return r->rc < 0 || (r->acked && r->answered);
}

static void dispatch(struct netlink *nl, const struct packet *p)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)p->bytes;

	if (!NLMSG_OK(h, p->len))
		return;
	for (size_t i = 0; i < nl->n_pending; i++) {
		if (nl->pending[i]->seq != h->nlmsg_seq)
			continue;
		if (take(nl->pending[i], h))
			nl->pending[i] = nl->pending[--nl->n_pending];
		return;
	}
}

void netlink_wait(struct netlink *nl)
{
	int64_t start_ms = nl->n_pending > 0 ? clock_mono_ms() : 0;
	struct packet p;
	int rc;

	if (nl->n_pending == 0)
		return;
	while (nl->n_pending > 0) {
		rc = receive(nl, start_ms + nl->left_ms, &p);
		if (rc == 0) {
			dispatch(nl, &p);
			continue;
		}
		while (nl->n_pending > 0)
			nl->pending[--nl->n_pending]->rc = rc;
	}
	nl->left_ms -= clock_mono_ms() - start_ms;
}

int netlink_call(struct netlink *nl, struct netlink_request *r)
{
	netlink_send(nl, r);
	netlink_wait(nl);
	return r->rc;
}

struct netlink_request netlink_get_status(struct audit_status *out)
{
	return (struct netlink_request){.type = AUDIT_GET,
					.answer_type = AUDIT_GET,
					.answer = out,
					.answer_size = sizeof(*out)};
}

struct netlink_request netlink_get_tty(struct audit_tty_status *out)
{
	return (struct netlink_request){.type = AUDIT_TTY_GET,
					.answer_type = AUDIT_TTY_GET,
					.answer = out,
					.answer_size = sizeof(*out)};
}

struct netlink_request netlink_set_tty(const struct audit_tty_status *status)
{
	return (struct netlink_request){
		.type = AUDIT_TTY_SET, .data = status, .len = sizeof(*status)};
}

struct netlink_request netlink_user_message(uint16_t type, const char *text)
{
	/* With the NUL: the kernel overwrites the last byte with one (audit_receive_msg). */
	return (struct netlink_request){.type = type, .data = text, .len = strlen(text) + 1};
}
