/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * HTTP header fields, of a request or an answer: an ordered list. Names compare
 * without case. Values that hold a control byte are refused (they would make a
 * header of their own).
 */
#ifndef SA_HEADERS_H
#define SA_HEADERS_H

#include <stdbool.h>

#include "common/slice.h"

#define HEADERS_MAX 128         /* of one list */
#define HEADERS_MAX_VALUE 16384 /* bytes; a session token has up to about 2,000 */

struct header {
	char *name, *value; /* owned */
};
struct headers {
	struct header items[HEADERS_MAX];
	size_t len;
	bool failed; /* something did not go in: bounds, memory, a control byte */
};

/* Appends name: value; value loses its leading and trailing blanks. */
void headers_add(struct headers *h, const char *name, struct slice value);
/* Replaces the first of that name, or appends. */
void headers_set(struct headers *h, const char *name, struct slice value);
/* The first of that name, NULL when there is none. */
const char *headers_get(const struct headers *h, const char *name);
/* Empties; values are zeroed first: some are secrets. */
void headers_clear(struct headers *h);
#define _cleanup_headers_ __attribute__((cleanup(headers_clear))) /* always with = {0} */

#endif
