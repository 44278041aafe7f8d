/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* The bytes of a recorded log, unpacked where it is gzip (RFC 1952), of one member or many. */
#ifndef SA_SOURCE_BYTES_H
#define SA_SOURCE_BYTES_H

#include <stddef.h>

#include "common/err.h"

struct source_bytes;

/* "-" is standard input. */
int source_bytes_open(const char *path, struct source_bytes **out, struct sa_err *err);
void source_bytes_close(struct source_bytes *s); /* NULL-safe */
/* At most n bytes; *got 0 is the end. SA_ERR_INVALID: packed data that are damaged, or cut off;
 * what came before was good. */
int source_bytes_read(struct source_bytes *s, char *buf, size_t n, size_t *got, struct sa_err *err);

#endif
