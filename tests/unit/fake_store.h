/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A store that does as a test says: each put gets the answer that `answer` gives
 * for its key, when the test lets it end. Objects are kept in memory.
 */
#ifndef SA_FAKE_STORE_H
#define SA_FAKE_STORE_H

#include "common/store/store.h"

#define FAKE_PARALLEL 64

enum fake_answer {
	FAKE_OK,    /* as a store does: 412 is looked into if looks is set */
	FAKE_AGAIN, /* away, surely not stored */
	FAKE_PERM,
	FAKE_INVALID,
	FAKE_IO,
	FAKE_LOST,        /* stored, but no answer comes */
	FAKE_LOST_BEFORE, /* not stored, but that is not known */
	FAKE_SLOW,        /* does not end yet */
};

struct fake_object {
	char *key, *bytes;
	size_t size;
};

struct fake_store {
	struct store base; /* pass &base */
	bool looks;        /* may read what is there (HEAD) */
	enum fake_answer (*answer)(void *ctx, const char *key);
	void (*stored)(void *ctx, const char *key); /* an object has just appeared; may be NULL */
	void *ctx;

	struct fake_object *objects;
	size_t n_objects, cap;
	struct store_put *flying[FAKE_PARALLEL];
	size_t n_flying, most_flying, started;
	struct buf order; /* keys in the order they were started, each with a blank */
};

void fake_store_init(struct fake_store *f);
void fake_store_free(struct fake_store *f);
/* NULL: not there. */
const struct fake_object *fake_store_find(const struct fake_store *f, const char *key);
void fake_store_plant(struct fake_store *f, const char *key, const char *text);
/* The caller was killed: what is under way never ends. reached: those reach the store all the same
 * for which it says so. */
void fake_store_forget(struct fake_store *f, bool (*reached)(void *ctx), void *ctx);
/* Ends one put: number i of those under way. False: it is slow. */
bool fake_store_end_one(struct fake_store *f, size_t i);

#endif
