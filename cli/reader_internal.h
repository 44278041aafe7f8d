/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What reader.c and reader_load.c share; nobody else includes it. */
#ifndef SA_READER_INTERNAL_H
#define SA_READER_INTERNAL_H

#include "cli/reader.h"

/* Reads an index object or manifest of session sid; false, the user being told, when it is bad. */
bool reader_object_get(struct reader *r, const char *key, const char *sid, size_t max,
		       struct reader_object *out);
void reader_object_free(struct reader_object *o);

#endif
