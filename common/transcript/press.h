/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * gzip of whole texts, one after the other: what zlib sets up for a text (268 KB)
 * is kept for the next one.
 */
#ifndef SA_PRESS_H
#define SA_PRESS_H

#include "common/buf.h"
#include "common/err.h"

struct press;

struct press *press_new(void); /* NULL: out of memory */
void press_free(struct press *p);
/* Appends one gzip member without a time: the same bytes for the same text (with the same zlib). */
int press_gzip(struct press *p, struct slice plain, struct buf *out, struct sa_err *err);

#endif
