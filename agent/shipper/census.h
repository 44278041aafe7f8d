/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Counts what lies in ready/ and quarantine/, a little at a time, for the status.
 * Not part of the search for work: that one waits for room, this one does not.
 */
#ifndef SA_CENSUS_H
#define SA_CENSUS_H

#include <stdint.h>

#include "agent/shipper/stream.h"
#include "agent/shipper/walk.h"

#define CENSUS_MS 60000 /* from the end of a count to the next */
#define CENSUS_TURN 256 /* names counted in a turn */

struct census_count {
	uint64_t objects[STREAM_ROOTS];
	uint64_t odd;      /* in ready/, what cannot be shipped */
	int64_t oldest_ms; /* since when the oldest is in ready/, real time; INT64_MAX: none is */
};

struct census {
	int root_fd[STREAM_ROOTS]; /* borrowed */
	int64_t due_ms;
	enum stream_root root; /* being counted */
	struct walk walk;
	struct census_count now, last; /* so far; the last whole one */
};

/* Counts a little, when it is due; true when a count has just been finished. */
bool census_turn(struct census *c, int64_t now_ms);
/* Counts all. */
void census_whole(struct census *c, int64_t now_ms);
/* When it has something to do; INT64_MIN: now. */
int64_t census_next(const struct census *c);
void census_stop(struct census *c);

#endif
