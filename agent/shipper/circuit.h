/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Whether to bother the store at all. Failures of different directories in a row,
 * with no success between them, open the circuit: then one put at a time tries, in
 * pauses that grow (retry.h), until one works. Pure: clock and chance come in.
 */
#ifndef SA_CIRCUIT_H
#define SA_CIRCUIT_H

#include "agent/retry.h"

#define CIRCUIT_FAILURES 3 /* in a row */

struct circuit {
	struct retry_policy policy;
	unsigned in_a_row;
	bool open, trying; /* trying: the one put is under way */
	struct retry retry;
	int64_t since_ms; /* monotonic, of the first failure in a row */
};

/* May a put start now? When open: one, once the pause is over; it counts as trying. */
bool circuit_allows(struct circuit *c, int64_t now_ms);
/* When circuit_allows can be true: now_ms or earlier, now; INT64_MAX: not before a put ends. */
int64_t circuit_next(const struct circuit *c, int64_t now_ms);
/* The store as such failed (away or refusing), or worked (also when it refused one object). True
 * when the circuit opened or closed by it: worth a line in the log. While it is open, only a put
 * that was trying may tell of a failure: others were started before. */
bool circuit_failed(struct circuit *c, int64_t now_ms, uint32_t random);
bool circuit_worked(struct circuit *c);
/* The put that was trying ended without saying anything about the store. */
void circuit_not_tried(struct circuit *c);

#endif
