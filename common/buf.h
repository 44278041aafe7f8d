/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The one growing byte buffer, with a hard maximum. Appending past the maximum
 * or out of memory leaves the content as it was and sets `failed`, which stays
 * set until buf_clear: a writer appends freely and checks once at the end.
 */
#ifndef SA_BUF_H
#define SA_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"

struct buf {
	char *data; /* owned; not NUL-terminated, see buf_cstr */
	size_t len, cap, max;
	bool failed;
};

/* max: bytes the buffer may ever hold. Nothing is allocated yet. */
void buf_init(struct buf *b, size_t max);
/* Frees and leaves the buffer empty and usable. */
void buf_free(struct buf *b);
/* Empties, keeps the memory, clears `failed`. */
void buf_clear(struct buf *b);

/* Makes room for n more bytes and returns where they go, NULL (and failed) when it cannot;
 * the caller then adds what it wrote to len. */
char *buf_reserve(struct buf *b, size_t n);

void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Inline: appending is what the collector does most. */
static inline void buf_append(struct buf *b, const void *p, size_t n)
{
	char *room = n < b->cap - b->len && !b->failed ? b->data + b->len : buf_reserve(b, n);

	if (!room || n == 0)
		return;
	memcpy(room, p, n);
	b->len += n;
}
static inline void buf_putc(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}
static inline void buf_puts(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}
static inline void buf_put(struct buf *b, struct slice s)
{
	buf_append(b, s.ptr, s.len);
}

/* Drops the first n bytes (n <= len). */
void buf_consume(struct buf *b, size_t n);
/* The content as a C string, valid until the next change; "" when memory is out. */
const char *buf_cstr(struct buf *b);
static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){b->data ? b->data : "", b->len};
}

/* Always with ` = {0}` at the declaration: the cleanup also runs on a return before buf_init. */
#define _cleanup_buf_ __attribute__((cleanup(buf_free)))

#endif
