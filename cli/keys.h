/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* The keys below a prefix of a store, collected so that objects can be read one after the other. */
#ifndef SA_KEYS_H
#define SA_KEYS_H

#include "common/store/store.h"

struct keys {
	char **items; /* owned, in byte order */
	size_t len, cap, max;
};

/* SA_ERR_TOOBIG when there are more than max. */
int keys_list(struct store *s, const char *prefix, size_t max, struct keys *out,
	      struct sa_err *err);
/* Appends those that want lets through, while there are not more than out->max. */
int keys_list_some(struct store *s, const char *prefix, bool (*want)(void *ctx, const char *key),
		   void *ctx, struct keys *out, struct sa_err *err);
void keys_free(struct keys *k);
#define _cleanup_keys_ __attribute__((cleanup(keys_free)))

/* Makes room for one more item of size bytes; NULL when out of memory. For arrays that grow. */
void *keys_grow(void *array, size_t len, size_t *cap, size_t size);

#endif
