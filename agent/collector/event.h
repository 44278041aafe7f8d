/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Records that share a serial and a stamp become one event. A record that says all by itself (user
 * messages, LOGIN, TTY, everything that is no part of a system call) is an event at once, also when
 * a system call has its serial; the records of a system call are gathered.
 *
 * The kernel (audit_log_exit in kernel/auditsc.c) writes them in one order: SYSCALL, what the call
 * has of its own (EXECVE, SOCKADDR ...), CWD, as many PATH as SYSCALL's items= says, PROCTITLE,
 * EOE; with those of other events in between. So an event whose records come in that order is given
 * on with its PROCTITLE. auditd leaves EOE out of its logs: closing there live would order events
 * differently. EOE ends what has no PROCTITLE (an admin excludes the type), or has PATH records
 * missing after it (the kernel hides some).
 *
 * An event whose records come in another order, or lack one that is due, waits for EVENT_SETTLE_MS
 * more once its SYSCALL and its end are there, and is given on in the kernel's order; one without
 * SYSCALL or end waits for EVENT_TIMEOUT_MS and is counted (see event_expire). What comes for an
 * event that was given on is counted, and not made an event of its own.
 *
 * Memory is bounded: EVENT_MAX_OPEN events of EVENT_MAX_BYTES each, EVENT_TABLE_BYTES in all. What
 * does not fit is counted and the event is given on as far as it came, marked truncated.
 */
#ifndef SA_EVENT_H
#define SA_EVENT_H

#include "agent/collector/record.h"

#define EVENT_MAX_OPEN 16384 /* one for each of SESSION_MAX sessions, and more */
/* An argument list has 6 MiB at most (fs/exec.c: three quarters of _STK_LIM), twice that in hex, in
 * records of 7,500 bytes (MAX_EXECVE_AUDIT_LEN): 1,700 records. */
#define EVENT_MAX_RECORDS 4096
#define EVENT_MAX_BYTES (16 * 1024 * 1024)
#define EVENT_TABLE_BYTES (32 * 1024 * 1024)
/* A process that waits for room in the kernel's backlog stands in the midst of its event. */
#define EVENT_TIMEOUT_MS 10000
#define EVENT_SETTLE_MS 100
#define EVENT_CLOSED 4096 /* events given on that are known again; a power of two */

struct event_record {
	unsigned type;
	struct slice body, enriched;
};

struct event {
	int64_t time_ms;
	uint64_t serial;
	const struct event_record *records;
	size_t n;
	bool truncated; /* records or bytes of it are missing */
};

/* The event and all its slices are valid during the call only. */
typedef void (*event_fn)(void *ctx, const struct event *ev);

struct event_stats {
	uint64_t events;
	uint64_t timeouts;  /* events given on without their SYSCALL or their end */
	uint64_t truncated; /* events that did not fit */
	uint64_t evicted;   /* events given on too early, or lost, for want of room in the table */
	uint64_t late;      /* records that came after their event was given on */
};

struct event_table;

struct event_table *event_table_new(event_fn fn, void *ctx); /* NULL: out of memory */
void event_table_free(struct event_table *t);
/* now_ms: monotonic time, or the log's own time in a replay. */
void event_add(struct event_table *t, const struct record *r, int64_t now_ms);
/* Gives on the events that have waited long enough. */
void event_expire(struct event_table *t, int64_t now_ms);
/* Gives on all that is open (end of a log, shutdown). */
void event_flush(struct event_table *t);
const struct event_stats *event_stats(const struct event_table *t);

/* The first record of a type; NULL when the event has none. */
const struct event_record *event_find(const struct event *ev, unsigned type);

#endif
