/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Records on their way from where they come (the kernel's socket, a pipe) to the stages: a
 * thread of its own does nothing but drain the descriptor into a bounded queue, so that
 * parsing, sealing and a slow disk never make the kernel wait or lose.
 *
 * The thread belongs to the process as it is then: start it after privileges are given up.
 */
#ifndef SA_INTAKE_H
#define SA_INTAKE_H

#include "agent/collector/source.h"

enum intake_kind {
	INTAKE_DATAGRAMS, /* netlink, one record each */
	INTAKE_LINES,     /* auditd's text, as its plugins read it */
};
enum intake_overload { INTAKE_WAIT, INTAKE_DROP }; /* when the queue is full */

struct intake_facts {
	int fd; /* borrowed, and the thread's alone from now on */
	enum intake_kind kind;
	enum intake_overload overload;
	size_t max_bytes;
};

struct intake_stats {
	uint64_t datagrams, bytes, overruns; /* overruns: ENOBUFS */
	uint64_t dropped;                    /* by INTAKE_DROP */
	uint64_t full;                       /* times that the queue was full */
	uint64_t oversized, foreign;         /* foreign: not from the kernel */
	size_t queued, queued_max;           /* bytes */
};

struct intake;

int intake_start(const struct intake_facts *facts, struct intake **out, struct sa_err *err);
/* Readable (poll) when the queue is not empty, and once when the source has ended. */
int intake_fd(const struct intake *q);
/* Gives at most max records on to fn and returns how many messages it took from the queue. */
size_t intake_take(struct intake *q, size_t max, source_fn fn, void *ctx,
		   struct source_stats *stats);
void intake_stats(struct intake *q, struct intake_stats *out);
/* The source has come to its end (a pipe's writer is gone, a socket is broken) and all is taken. */
bool intake_ended(struct intake *q);
/* Reads what still waits at the source, but no longer than INTAKE_FINISH_MS, ends the thread and
 * gives all on. Nothing comes after that. */
#define INTAKE_FINISH_MS 3000
void intake_finish(struct intake *q, source_fn fn, void *ctx, struct source_stats *stats);
void intake_free(struct intake *q); /* ends the thread if need be; NULL-safe */

/* What a datagram is. from: nl_pid of its sender; cut: it did not fit. The length is the datagram's
 * own: nlmsg_len is without the header on unicast (kernel/audit.c, kauditd_send_queue), and with it
 * on multicast. */
enum intake_verdict {
	INTAKE_RECORD,
	INTAKE_OTHER, /* replies, and messages between the kernel and its daemon */
	INTAKE_FOREIGN,
	INTAKE_OVERSIZED
};
#define INTAKE_DATAGRAM_MAX 9216 /* MAX_AUDIT_MESSAGE_LENGTH is 8970, and the header */
enum intake_verdict intake_judge(uint32_t from, struct slice datagram, bool cut);
/* A record's type and the text of it. */
unsigned intake_type(struct slice datagram);
struct slice intake_payload(struct slice datagram);

#endif
