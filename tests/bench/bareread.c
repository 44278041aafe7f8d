/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * bareread: the yardstick of live.sh. Becomes the audit daemon, receives up to 64 records a call
 * with a 16 MiB buffer, counts them by type and does nothing else. Prints `ready`; after SIGTERM
 *
 *   records=N overruns=N exec=N open=N
 *
 * where exec and open are the events that came whole: the least of what they are made of.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <libaudit.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define BUFFER (16 << 20)
#define TYPES 4096

static char data[BATCH][MAX_AUDIT_MESSAGE_LENGTH];
static unsigned long counts[TYPES], records, overruns;
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static unsigned long least(const int *types, size_t n)
{
	unsigned long low = counts[types[0]];

	for (size_t i = 1; i < n; i++)
		if (counts[types[i]] < low)
			low = counts[types[i]];
	return low;
}

static int receive(int fd, int flags)
{
	static struct iovec iov[BATCH];
	static struct mmsghdr msgs[BATCH];
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){data[i], sizeof(data[i])};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	n = recvmmsg(fd, msgs, BATCH, flags, NULL);
	if (n < 0 && errno == ENOBUFS)
		overruns++;
	for (int i = 0; i < n; i++) {
		unsigned type = ((const struct nlmsghdr *)data[i])->nlmsg_type;

		if (type >= AUDIT_FIRST_USER_MSG && type < TYPES) {
			counts[type]++;
			records++;
		}
	}
	return n;
}

int main(void)
{
	static const int exec[] = {AUDIT_SYSCALL, AUDIT_EXECVE, AUDIT_CWD, AUDIT_PATH,
				   AUDIT_PROCTITLE};
	static const int open[] = {AUDIT_SYSCALL, AUDIT_CWD, AUDIT_PATH, AUDIT_PROCTITLE};
	struct sigaction action = {.sa_handler = on_signal};
	struct timeval second = {.tv_sec = 1}; /* so that a signal is not missed */
	int fd = audit_open(), size = BUFFER;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) ||
	    audit_set_pid(fd, (uint32_t)getpid(), WAIT_YES) <= 0) {
		perror("bareread");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (!stop)
		receive(fd, MSG_WAITFORONE);
	audit_set_pid(fd, 0, WAIT_NO);
	while (receive(fd, MSG_DONTWAIT) > 0)
		;
	printf("records=%lu overruns=%lu exec=%lu open=%lu\n", records, overruns, least(exec, 5),
	       least(open, 4));
	return 0;
}
