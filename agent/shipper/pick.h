/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What lies ready in one directory of the spool: the next names, in byte order, so
 * that a session's segments come in order and its manifest after them. Never
 * follows a symbolic link. Memory is bounded however many objects lie there: names
 * are taken in chunks.
 */
#ifndef SA_PICK_H
#define SA_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define PICK_CHUNK 4096 /* bytes of a chunk that any directory may have: 256 segments */

struct pick_names { /* all zero: none */
	char *text; /* owned; each ends in NUL, sorted */
	size_t len;
	size_t at; /* of the next one */
	bool more; /* the directory holds others, behind these */
};

struct pick_query {
	const char *dir;     /* key of the directory, "" or with a '/' at the end */
	const char *after;   /* only names behind this one; NULL: all */
	const char *without; /* passes over names that end so; NULL: over none */
	size_t max;          /* bytes of the chunk, at least PICK_CHUNK */
};

/* Opens the directory with key dir below root_fd; SA_ERR_NOTFOUND. */
int pick_open(int root_fd, const char *dir, int *out, struct sa_err *err);

/* The next names of regular files whose keys are valid; names that begin with '.' are not looked
 * at. Replaces *out, which stays as it is on failure. */
int pick_any(int dir_fd, const struct pick_query *q, struct pick_names *out, struct sa_err *err);
/* The same, and no name is missing before one that is there: an object that appeared before another
 * one comes before it. */
int pick_ordered(int dir_fd, const struct pick_query *q, struct pick_names *out,
		 struct sa_err *err);

/* The next name, NULL at the end; it stays the next one until pick_step. */
const char *pick_next(const struct pick_names *names);
void pick_step(struct pick_names *names);
/* The last name of the chunk, also when it was stepped over; NULL: there is none. */
const char *pick_last(const struct pick_names *names);
void pick_free(struct pick_names *names);

#endif
