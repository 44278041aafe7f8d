/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A bounded first-in first-out queue of messages in one piece of memory. It starts again at
 * the front whenever it has run empty, so that only as much memory is touched as is really
 * used. Knows nothing of threads: see intake.c.
 */
#ifndef SA_RING_H
#define SA_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"

#define RING_MIN_BYTES (256 * 1024)
#define RING_KEEP_BYTES (1024 * 1024) /* what ring_rest leaves in memory */

struct ring {
	char *base;
	size_t size, head, tail, used;
	size_t limit;    /* where the bytes at the back end, while wrapped */
	size_t touched;  /* memory beyond this was never written, or given back */
	size_t used_max; /* most that ever waited */
	bool wrapped;    /* head is before tail */
};

/* At most max_bytes, at least RING_MIN_BYTES. */
int ring_init(struct ring *r, size_t max_bytes, struct sa_err *err);
void ring_free(struct ring *r);
/* False: it does not fit now. */
bool ring_put(struct ring *r, unsigned type, struct slice data);

/* Messages at the front that lie in one run, empty when none waits. They stay where they are until
 * they are dropped, whatever is put meanwhile. */
struct slice ring_front(const struct ring *r);
/* Takes the first message off a run; false at its end. */
bool ring_next(struct slice *run, unsigned *type, struct slice *data);
/* Drops the first n bytes, which are whole messages of ring_front. */
void ring_drop(struct ring *r, size_t n);
/* Gives memory back, when nothing waits. */
void ring_rest(struct ring *r);

#endif
