/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Records that share a serial become one event. A record that says all by
 * itself (user messages, LOGIN, TTY, everything that is no part of a system
 * call) is an event at once; the records of a system call are gathered until
 * its PROCTITLE, which the kernel writes last, or its EOE. That way a log that
 * auditd wrote (no EOE) gives the same order of events as the live stream. What
 * stays open is closed by event_expire.
 *
 * Memory is bounded: a table of EVENT_MAX_OPEN events of EVENT_MAX_BYTES each,
 * EVENT_TABLE_BYTES in all. What does not fit is counted and the event is given
 * on as far as it came, marked truncated.
 */
#ifndef SA_EVENT_H
#define SA_EVENT_H

#include "agent/collector/record.h"

#define EVENT_MAX_OPEN 4096
#define EVENT_MAX_RECORDS 1024
#define EVENT_MAX_BYTES (8 * 1024 * 1024) /* a 2 MiB argument list in hex, twice */
#define EVENT_TABLE_BYTES (64 * 1024 * 1024)
#define EVENT_TIMEOUT_MS 2000

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
	uint64_t events, timeouts, truncated, evicted;
};

struct event_table;

struct event_table *event_table_new(event_fn fn, void *ctx); /* NULL: out of memory */
void event_table_free(struct event_table *t);
/* now_ms: monotonic time, or the log's own time in a replay. */
void event_add(struct event_table *t, const struct record *r, int64_t now_ms);
/* Gives on the events that have been open for EVENT_TIMEOUT_MS. */
void event_expire(struct event_table *t, int64_t now_ms);
/* Gives on all that is open, oldest first (end of a log, shutdown). */
void event_flush(struct event_table *t);
const struct event_stats *event_stats(const struct event_table *t);

/* The first record of a type; NULL when the event has none. */
const struct event_record *event_find(const struct event *ev, unsigned type);

#endif
