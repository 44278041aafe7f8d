/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A borrowed run of bytes: pointer and length, not NUL-terminated. What parsers
 * take and give; the owner is whoever owns the buffer it points into.
 */
#ifndef SA_SLICE_H
#define SA_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *ptr; /* NULL means absent; an empty value has len 0 and ptr not NULL */
	size_t len;
};

#define SLICE_NONE ((struct slice){NULL, 0})
#define SLICE_LIT(s) ((struct slice){"" s, sizeof(s) - 1})

/* A NULL string gives the absent slice. */
static inline struct slice slice_of(const char *s)
{
	return s ? (struct slice){s, strlen(s)} : SLICE_NONE;
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *s)
{
	return a.ptr != NULL && slice_eq(a, slice_of(s));
}

static inline bool slice_starts(struct slice a, const char *s)
{
	size_t n = strlen(s);

	return a.len >= n && memcmp(a.ptr, s, n) == 0;
}

static inline bool slice_ends(struct slice a, const char *s)
{
	size_t n = strlen(s);

	return a.len >= n && memcmp(a.ptr + a.len - n, s, n) == 0;
}

/* Whether a is one of the list, which ends in NULL. */
static inline bool slice_in(struct slice a, const char *const *list)
{
	for (; *list; list++)
		if (slice_is(a, *list))
			return true;
	return false;
}

/* What follows the last '/', all of it when there is none. */
static inline struct slice slice_base_name(struct slice path)
{
	size_t n = path.len;

	while (n > 0 && path.ptr[n - 1] != '/')
		n--;
	return path.ptr ? (struct slice){path.ptr + n, path.len - n} : path;
}

/* Takes what stands before the first stop off the front of *rest, and drops the stop. Without one
 * takes all. */
static inline struct slice slice_cut(struct slice *rest, char stop)
{
	const char *end = rest->len > 0 ? memchr(rest->ptr, stop, rest->len) : NULL;
	struct slice part = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
	size_t used = part.len + (end ? 1 : 0);

	*rest = (struct slice){rest->ptr + used, rest->len - used};
	return part;
}

/* Without the bytes of blanks at both ends. */
static inline struct slice slice_trim(struct slice s, const char *blanks)
{
	size_t n = strlen(blanks);

	while (s.len > 0 && memchr(blanks, s.ptr[0], n))
		s = (struct slice){s.ptr + 1, s.len - 1};
	while (s.len > 0 && memchr(blanks, s.ptr[s.len - 1], n))
		s.len--;
	return s;
}

/* The bytes as a fresh C string (caller frees), NULL when absent or out of memory. */
static inline char *slice_dup(struct slice a)
{
	return a.ptr ? strndup(a.ptr, a.len) : NULL;
}

#endif
