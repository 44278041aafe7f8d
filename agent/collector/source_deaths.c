/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/source_deaths.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

#define ACK_MS 300
#define MESSAGE_MAX 512
#define RCVBUF (1024 * 1024)

/* Where things are in a message, whose parts follow one another without padding. */
#define AT_EVENT (NLMSG_HDRLEN + sizeof(struct cn_msg))
#define AT_WHAT (AT_EVENT + offsetof(struct proc_event, what))
#define AT_CODE (AT_EVENT + offsetof(struct proc_event, event_data.exit.exit_code))

/* As the kernel has them since Linux 2.6.15; newer headers name them in another way. */
#define WHAT_NONE 0x00000000U
#define WHAT_EXIT 0x80000000U

struct source_deaths {
	int fd;
};

static int refused(struct sa_err *err)
{
	if (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT || errno == ECONNREFUSED)
		return sa_fail(err, SA_ERR_UNSUPPORTED,
			       "process events are not to be had here: no connector in this "
			       "kernel, or a container");
	return sa_fail_errno(err, "process events");
}

/* BPF loads words in network order, and single bytes as they lie: the signal is in the low byte of
 * exit_code, wait(2). The answer to LISTEN (NONE) passes too. */
static int attach_filter(int fd)
{
	const unsigned low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 3 : 0;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_WHAT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WHAT_NONE, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __builtin_bswap32(WHAT_EXIT), 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_CODE + low),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x7f, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {ARRAY_LEN(code), code};

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	code[2].k = WHAT_EXIT;
#endif
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

/* struct cn_msg ends in its data, so the message is put together by hand. */
static int send_listen(int fd)
{
	const uint32_t op = PROC_CN_MCAST_LISTEN;
	const struct cn_msg cn = {.id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof(op)};
	char m[NLMSG_LENGTH(sizeof(cn) + sizeof(op))];
	const struct nlmsghdr h = {.nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_DONE};

	memcpy(m, &h, sizeof(h));
	memcpy(m + NLMSG_HDRLEN, &cn, sizeof(cn));
	memcpy(m + NLMSG_HDRLEN + sizeof(cn), &op, sizeof(op));
	return send(fd, m, sizeof(m), 0) < 0 ? -1 : 0;
}

/* A kernel without CONFIG_PROC_EVENTS, and one that takes us for a container's, says nothing. */
static int await_answer(int fd, struct sa_err *err)
{
	int64_t until = clock_mono_ms() + ACK_MS, left;
	char m[MESSAGE_MAX];
	uint32_t what, errnum;

	while ((left = until - clock_mono_ms()) > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		poll(&p, 1, (int)left);
		n = recv(fd, m, sizeof(m), MSG_DONTWAIT);
		if (n < (ssize_t)(AT_EVENT + offsetof(struct proc_event, event_data) + 4))
			continue;
		memcpy(&what, m + AT_WHAT, sizeof(what));
		memcpy(&errnum, m + AT_EVENT + offsetof(struct proc_event, event_data.ack.err),
		       sizeof(errnum));
		errno = (int)errnum;
		if (what == WHAT_NONE)
			return errnum ? refused(err) : 0;
	}
	return sa_fail(err, SA_ERR_UNSUPPORTED,
		       "process events are not to be had here: the kernel has none "
		       "(CONFIG_PROC_EVENTS), or this is a container");
}

int source_deaths_open(struct source_deaths **out, struct sa_err *err)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC},
			   kernel = {.nl_family = AF_NETLINK};
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
	const int size = RCVBUF;
	int rc;

	if (fd < 0 || attach_filter(fd) || bind(fd, (struct sockaddr *)&self, sizeof(self)) ||
	    connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)))
		return refused(err);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (send_listen(fd))
		return refused(err);
	if ((rc = await_answer(fd, err)) != 0)
		return rc;
	*out = malloc(sizeof(**out));
	if (!*out)
		return sa_fail(err, SA_ERR_NOMEM, "process events: out of memory");
	(*out)->fd = TAKE_FD(fd);
	return 0;
}

void source_deaths_close(struct source_deaths *s)
{
	if (!s)
		return;
	close(s->fd); /* the kernel counts listeners by their sockets, or goes on for nobody */
	free(s);
}

int source_deaths_fd(const struct source_deaths *s)
{
	return s->fd;
}

bool source_deaths_parse(uint32_t from, struct slice message, int64_t mono_ns, int64_t real_ms,
			 struct death *out)
{
	struct proc_event e = {0};
	size_t need = offsetof(struct proc_event, event_data.exit.exit_signal);
	unsigned signal;

	if (from != 0 || message.len < AT_EVENT + need)
		return false;
	memcpy(&e, message.ptr + AT_EVENT,
	       message.len - AT_EVENT < sizeof(e) ? message.len - AT_EVENT : sizeof(e));
	signal = e.event_data.exit.exit_code & 0x7f;
	if ((uint32_t)e.what != WHAT_EXIT || signal == 0 ||
	    e.event_data.exit.process_pid != e.event_data.exit.process_tgid)
		return false;
	*out = (struct death){
		.pid = e.event_data.exit.process_tgid,
		.signal = signal,
		.time_ms = real_ms - (mono_ns - (int64_t)e.timestamp_ns) / 1000000,
	};
	return true;
}

bool source_deaths_read(struct source_deaths *s, void (*fn)(void *ctx, const struct death *d),
			void *ctx)
{
	bool whole = true;
	struct timespec ts;
	int64_t mono_ns;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	mono_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	for (;;) {
		char m[MESSAGE_MAX];
		struct sockaddr_nl from = {0};
		socklen_t len = sizeof(from);
		ssize_t n =
			recvfrom(s->fd, m, sizeof(m), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		struct death d;

		if (n < 0 && errno == ENOBUFS)
			whole = false;
		else if (n < 0 && errno != EINTR)
			return whole;
		else if (n > 0 && source_deaths_parse(from.nl_pid, (struct slice){m, (size_t)n},
						      mono_ns, clock_real_ms(), &d))
			fn(ctx, &d);
	}
}
