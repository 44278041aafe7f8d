/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Goes through a tree of the spool (ready/, quarantine/), a little at a time: it
 * can be left at any name and gone on with later, whatever happened to the tree
 * meanwhile. Never follows a symbolic link; removes directories that it finds
 * empty. The same directory may come twice when it changes.
 */
#ifndef SA_WALK_H
#define SA_WALK_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/store/store.h"

enum walk_found {
	WALK_OBJECT,  /* a regular file with a valid key */
	WALK_ODD,     /* something that cannot be shipped; why says so */
	WALK_NOTHING, /* one step, nothing to tell */
	WALK_END,
};

struct walk_level {
	DIR *list;
	size_t at;    /* where its names begin in key */
	bool objects; /* it has some */
	bool passed;  /* walk_pass_objects was said */
};

struct walk { /* all zero: not walking */
	struct walk_level levels[STORE_MAX_DEPTH + 1];
	size_t depth;                           /* open levels; 0: not walking */
	char key[STORE_MAX_KEY + NAME_MAX + 2]; /* of what was found; when odd, any bytes */
	const char *name;                       /* its last part */
	const char *why;                        /* of an odd one; static or strerror */
};

/* Begins at root_fd (borrowed only here). */
int walk_start(struct walk *w, int root_fd, struct sa_err *err);
/* One name further. */
enum walk_found walk_next(struct walk *w);
/* The directory that the last object lies in, and the key of that directory. */
int walk_dir_fd(const struct walk *w);
void walk_dir(const struct walk *w, char out[STORE_MAX_KEY + 1]);
/* The other objects of that directory are not told. */
void walk_pass_objects(struct walk *w);
/* Before the end; nothing to do after it. */
void walk_stop(struct walk *w);

#endif
