/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the parts of upload share: upload.c (which directory gives its next
 * object), upload_put.c (one object on its way), upload_fail.c (what a failure
 * means for the object, its directory and all others).
 */
#ifndef SA_UPLOAD_INTERNAL_H
#define SA_UPLOAD_INTERNAL_H

#include <limits.h>

#include "agent/shipper/census.h"
#include "agent/shipper/circuit.h"
#include "agent/shipper/failing.h"
#include "agent/shipper/schedule.h"
#include "agent/shipper/search.h"
#include "agent/shipper/upload.h"

/* One object under way. */
struct upload_slot {
	struct upload *u;
	struct stream *s; /* NULL: the slot is free */
	struct object object;
	bool trial;  /* the one put of an open circuit */
	bool beside; /* it goes to other, since key holds something else */
	char name[NAME_MAX + 1];
	char key[STORE_MAX_KEY + 1];
	char other[OBJECT_CONFLICT_KEY];
	struct store_put put;
};

struct upload {
	struct upload_options o;
	struct schedule schedule;
	struct search search[STREAM_ROOTS];
	struct census census;
	uint64_t counted_from; /* objects stored when the count began */
	struct circuit circuit;
	struct failing failing;
	struct sa_err reason; /* of the last failure */
	struct sa_err away;   /* why the store counts as away */
	unsigned row;         /* of failures of the store; a success begins another one */
	unsigned refusals;    /* of the store in this row, by whatever directory */
	bool pass;            /* upload_pass */
	bool closing;
	unsigned flying; /* slots in use */
	struct upload_slot slots[UPLOAD_PARALLEL_MAX];
};

/* upload.c. One object of s is no longer under way; s may be gone afterwards. */
void upload_landed(struct upload *u, struct stream *s);

/* upload_put.c. Starts to put slot->name (and key), the next of s, into the free slot. False:
 * nothing was started, because it is gone or failed before (then that is noted). */
bool upload_put(struct upload_slot *slot, struct stream *s);

/* upload_fail.c. */
/* The store as such worked, or failed for the reason in u->reason. trial: as in the slot. */
void upload_store_worked(struct upload *u);
void upload_store_failed(struct upload *u, struct stream *s, bool trial);
/* The object name of s (whose descriptor is open) failed for the reason in u->reason: it and its
 * directory pause, or it goes to quarantine. */
void upload_object_failed(struct upload *u, struct stream *s, const char *name, const char *key,
			  enum failing_cause cause);
/* It worked. */
void upload_object_worked(struct upload *u, struct stream *s, const char *key);

#endif
