/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The sessions of an earlier run of the collector: taken up before the first record is
 * read, so that none begins twice, and gone on with (or ended) once the kernel's records
 * come, with a gap that says how long nobody listened. Sessions of this boot that no run
 * knew are adopted.
 */
#ifndef SA_RESUME_H
#define SA_RESUME_H

#include "agent/collector/numbers.h"
#include "agent/collector/pipeline.h"

/* Events older than this are taken to have arrived, once the socket is empty: what the kernel may
 * hold back. */
#define RESUME_IN_FLIGHT_MS 150

int resume_take_up(struct pipeline *p, struct sa_err *err);
/* down_since_ms: real time until which all was read for sure. sync_ms: what had not reached the
 * disk at the end of another boot. */
void resume_all(struct pipeline *p, int64_t down_since_ms, int64_t sync_ms);
/* The same, with these processes. */
void resume_with(struct pipeline *p, const struct numbers *numbers, int64_t down_since_ms,
		 int64_t sync_ms);

#endif
