/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Deaths by signal wait here until the records before them have been read: they come on a
 * socket of their own and may overtake the record of the program's start. Bounded.
 */
#ifndef SA_DEATHS_H
#define SA_DEATHS_H

#include "agent/collector/source_deaths.h"

#define DEATHS_MAX 4096

struct deaths_waiting {
	struct death death;
	int64_t came_ms; /* monotonic */
};

struct deaths {
	struct deaths_waiting *items; /* a ring of DEATHS_MAX, made with the first death */
	size_t first, n;
	uint64_t dropped; /* the oldest, for want of room */
};

void deaths_free(struct deaths *d);
void deaths_add(struct deaths *d, const struct death *death, int64_t came_ms);
/* Gives on, in their order, those that happened before event_ms (event time) or came before came_ms
 * (monotonic). */
void deaths_take(struct deaths *d, int64_t event_ms, int64_t came_ms,
		 void (*fn)(void *ctx, const struct death *death), void *ctx);

#endif
