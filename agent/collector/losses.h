/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Everything that counts what was lost, and the gap entries that say so in each open
 * transcript. A counter that rises gives an entry at once; while it goes on rising, one
 * every LOSSES_EVERY_MS for all of that time. Before a session ends the counters are read
 * once more, so that no manifest says "no known loss" while one of them has risen.
 */
#ifndef SA_LOSSES_H
#define SA_LOSSES_H

#include "agent/collector/control.h"
#include "agent/collector/pipeline.h"

#define LOSSES_EVERY_MS 10000
#define LOSSES_BACKLOG_EVERY_MS 60000

struct losses_source {      /* what the source has counted since it was opened */
	uint64_t overruns;  /* ENOBUFS: the socket's buffer was full */
	uint64_t dropped;   /* by a full queue */
	uint64_t malformed; /* records that could not be read */
	uint64_t oversized;
};

enum losses_cause { /* FORMAT.md, gap */
		    LOSSES_KERNEL_LOST,
		    LOSSES_SOCKET_OVERRUN,
		    LOSSES_EVENTS_MISSING,
		    LOSSES_QUEUE_FULL,
		    LOSSES_RECORD_MALFORMED,
		    LOSSES_RECORD_OVERSIZED,
		    LOSSES_EVENT_INCOMPLETE,
		    LOSSES_EVENT_TABLE_FULL,
		    LOSSES_BACKLOG_NEAR_FULL,
		    LOSSES_CAUSES
};

struct losses_counters {
	struct {
		const char *cause; /* "kernel_lost", ... */
		uint64_t times;    /* it was seen to rise */
		uint64_t count;    /* of records or events; 0 where nobody counts them */
	} items[LOSSES_CAUSES];
	uint64_t refused;                /* sessions without a transcript: too many are open */
	uint32_t backlog, backlog_limit; /* of the kernel, when last asked */
};

struct losses;

/* Borrows p and c. c NULL: the kernel cannot be asked. NULL: out of memory. */
struct losses *losses_new(struct pipeline *p, struct control *c);
void losses_free(struct losses *l);
/* All counters as they are now are where counting begins. */
int losses_begin(struct losses *l, const struct losses_source *src, int64_t real_ms,
		 struct sa_err *err);
/* Each record that comes from the kernel, of whatever type, as long as it has a stamp. */
void losses_record(struct losses *l, const struct record *r);
/* About once a second, with p->now_ms set. */
void losses_tick(struct losses *l, const struct losses_source *src, int64_t real_ms);
/* What the kernel says of itself. losses_tick asks it, where there is a control. */
void losses_kernel(struct losses *l, const struct control_state *st, int64_t real_ms);
/* Nothing more comes: what waits to be told is told. */
void losses_end(struct losses *l, const struct losses_source *src, int64_t real_ms);
/* The process that the kernel gives its records to, when last asked; UINT32_MAX: not known. */
uint32_t losses_daemon(const struct losses *l);
const struct losses_counters *losses_counters(const struct losses *l);

#endif
