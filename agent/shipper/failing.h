/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Objects whose put failed: how often, when they may be tried again, and when it is
 * enough, so that the object is moved out of the way of the others. Bounded: of
 * more than FAILING_MAX the one that has been due the longest is forgotten. Pure.
 */
#ifndef SA_FAILING_H
#define SA_FAILING_H

#include <stddef.h>

#include "agent/retry.h"

#define FAILING_MAX 1024
#define FAILING_BAD 3 /* times the object itself is refused or cannot be read */
#define FAILING_ANY 8 /* failures of any kind, other objects stored before each */

enum failing_cause {
	FAILING_STORE,  /* the store is away or refuses us */
	FAILING_OBJECT, /* the store refuses this object, or it cannot be read */
	FAILING_LOST,   /* nothing is left of it: no try is worth it */
	FAILING_LOCAL,  /* something is wrong here: nobody's fault, tried again */
};

struct failing_object {
	uint64_t key; /* hash */
	unsigned bad, any;
	uint64_t stored; /* objects stored when it last failed */
	struct retry retry;
};

struct failing {
	size_t n;
	struct failing_object objects[FAILING_MAX];
};

uint64_t failing_key(const char *key);
/* NULL: it has not failed. */
struct failing_object *failing_find(struct failing *f, uint64_t key);
/* Notes a failure; stored: how many objects were stored so far. The pause is the caller's. */
struct failing_object *failing_note(struct failing *f, uint64_t key, enum failing_cause cause,
				    uint64_t stored);
/* All pauses are over. */
void failing_wake(struct failing *f);
bool failing_is_enough(const struct failing_object *o);
/* Nothing to do when it is not there. */
void failing_forget(struct failing *f, uint64_t key);

#endif
