/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What intake.c (the queue's owner) and intake_thread.c (what fills it) share. */
#ifndef SA_INTAKE_INTERNAL_H
#define SA_INTAKE_INTERNAL_H

#include <linux/netlink.h>
#include <pthread.h>
#include <sys/socket.h>

#include "agent/collector/intake.h"
#include "agent/collector/ring.h"

#define INTAKE_BATCH 128
#define INTAKE_LINES_BYTES (2 * RECORD_MAX_BYTES)

struct intake_datagrams {
	struct mmsghdr msgs[INTAKE_BATCH];
	struct iovec iov[INTAKE_BATCH];
	struct sockaddr_nl from[INTAKE_BATCH];
	char data[INTAKE_BATCH][INTAKE_DATAGRAM_MAX] __attribute__((aligned(8)));
};

struct intake_lines {
	size_t have;
	bool skipping; /* inside a line that is too long */
	char data[INTAKE_LINES_BYTES];
};

struct intake {
	struct intake_facts facts;
	int wake_fd; /* for the reader of the queue */
	int stop_fd; /* for the thread */
	pthread_t thread;
	bool started;
	struct intake_datagrams *datagrams;
	struct intake_lines *lines;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t room;
	struct ring ring;
	struct intake_stats stats;
	bool announced;           /* wake_fd is readable */
	bool waiting;             /* the thread, for room */
	bool stopping, giving_up; /* giving_up: nobody takes any more */
	bool ended;
};

/* The thread; arg: struct intake. */
void *intake_drain(void *arg);

#endif
