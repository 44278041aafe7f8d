/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"

#define BUF_FIRST_CAP 256

void buf_init(struct buf *b, size_t max)
{
	/* One byte beyond max is kept for the NUL of buf_cstr. */
	*b = (struct buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* Doubles until `need` bytes fit, but not past max + 1. */
static bool buf_grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST_CAP;
	char *data;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	data = realloc(b->data, cap);
	if (!data)
		return false;
	b->data = data;
	b->cap = cap;
	return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->max - b->len || (b->len + n >= b->cap && !buf_grow(b, b->len + n + 1))) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	char *room;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0) {
		b->failed = true;
	} else if ((room = buf_reserve(b, (size_t)n)) != NULL) {
		/* buf_reserve always leaves a byte for the NUL */
		vsnprintf(room, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *buf_cstr(struct buf *b)
{
	if (b->len >= b->cap && !buf_grow(b, b->len + 1))
		return "";
	b->data[b->len] = '\0';
	return b->data;
}
