/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Records the live audit stream, beside whatever daemon reads it, to a file in
 * auditd's raw form: `type=NAME msg=audit(SEC.MSEC:SERIAL): ...`. It listens on
 * the multicast group AUDIT_NLGRP_READLOG and knows nothing of the product, so
 * that what it records can judge the product.
 *
 *   nlrecord [--keep-eoe] FILE
 *
 * Writes "ready" to stdout once it listens. SIGTERM or SIGINT: takes what is
 * still queued, then ends. Exit status 0 only when the kernel reported no loss.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <libaudit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (16 * 1024 * 1024)
#define MAX_RECORD (64 * 1024)
#define QUIET_MS 500 /* no record for so long after SIGTERM: the queue is empty */

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	(void)sig;
	stopping = 1;
}

static int open_multicast(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK};
	int size = RECEIVE_BUFFER, group = AUDIT_NLGRP_READLOG;
	int fd = socket(PF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
		perror("nlrecord: audit multicast");
		return -1;
	}
	return fd;
}

static void write_name(FILE *out, int type)
{
	const char *name = audit_msg_type_to_name(type);

	if (name)
		fprintf(out, "type=%s msg=", name);
	else
		fprintf(out, "type=UNKNOWN[%d] msg=", type);
}

/* One datagram is one record. nlmsg_len counts the header on multicast and leaves it out on
 * unicast; the datagram's own size is right in both cases and must agree with one of them. */
static bool write_record(FILE *out, const char *datagram, size_t size, bool keep_eoe)
{
	struct nlmsghdr h;
	const char *text = datagram + NLMSG_HDRLEN;
	size_t len;

	if (size < NLMSG_HDRLEN)
		return false;
	memcpy(&h, datagram, sizeof(h));
	len = size - NLMSG_HDRLEN;
	if (h.nlmsg_len != size && h.nlmsg_len != len) {
		fprintf(stderr, "nlrecord: datagram of %zu bytes says %u\n", size, h.nlmsg_len);
		return false;
	}
	while (len > 0 && (text[len - 1] == '\0' || text[len - 1] == '\n'))
		len--;
	if (h.nlmsg_type < AUDIT_FIRST_USER_MSG && h.nlmsg_type != AUDIT_LOGIN)
		return true; /* answers to commands, not log records */
	if (h.nlmsg_type == AUDIT_EOE && !keep_eoe)
		return true;
	write_name(out, h.nlmsg_type);
	for (size_t i = 0; i < len; i++) /* as auditd: one record, one line */
		putc(text[i] == '\n' ? ' ' : text[i], out);
	putc('\n', out);
	return true;
}

/* Returns 1 for a record, 0 for none, -1 for a loss or failure. */
static int take(int fd, FILE *out, bool keep_eoe)
{
	static char datagram[MAX_RECORD];
	struct sockaddr_nl from = {0};
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, datagram, sizeof(datagram), MSG_DONTWAIT | MSG_TRUNC,
			     (struct sockaddr *)&from, &from_len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (from.nl_pid != 0) /* only the kernel's word counts */
		return 1;
	if ((size_t)n > sizeof(datagram))
		return -1;
	return write_record(out, datagram, (size_t)n, keep_eoe) ? 1 : -1;
}

static unsigned long record(int fd, FILE *out, bool keep_eoe)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	unsigned long bad = 0;

	for (;;) {
		int ready = poll(&p, 1, stopping ? QUIET_MS : 1000), got = 0;

		if (ready == 0 && stopping)
			return bad;
		while (ready > 0 && (got = take(fd, out, keep_eoe)) != 0)
			if (got < 0) {
				bad++;
				fprintf(stderr, "nlrecord: lost: %s\n", strerror(errno));
			}
		fflush(out);
	}
}

int main(int argc, char **argv)
{
	bool keep_eoe = argc > 2 && strcmp(argv[1], "--keep-eoe") == 0;
	struct sigaction sa = {.sa_handler = on_signal};
	unsigned long bad;
	FILE *out;
	int fd;

	if (argc != 2 + keep_eoe) {
		fprintf(stderr, "usage: nlrecord [--keep-eoe] FILE\n");
		return 2;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	out = fopen(argv[argc - 1], "we");
	if (!out) {
		perror(argv[argc - 1]);
		return 1;
	}
	fd = open_multicast();
	if (fd < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	bad = record(fd, out, keep_eoe);
	if (fclose(out) != 0) {
		perror("nlrecord: write");
		return 1;
	}
	return bad ? 1 : 0;
}
