/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One object's file in the spool: opened to be put, and what becomes of it once it
 * is stored.
 */
#ifndef SA_OBJECT_H
#define SA_OBJECT_H

#include <stdint.h>

#include "agent/shipper/stream.h"
#include "common/store/store.h"

#define OBJECT_CONFLICT_KEY (STORE_MAX_KEY + 32)

struct object {
	int fd; /* -1: not open */
	uint64_t size;
	int64_t made_ms; /* real time */
};

/* SA_ERR_NOTFOUND: there is none (any more), or what is there is no regular file. SA_ERR_AGAIN: not
 * now. Any other: it cannot be read. */
int object_open(int dir_fd, const char *name, struct object *out, struct sa_err *err);
void object_close(struct object *o);

/* Where it goes when its key holds something else: <key>.conflict-<8 digits of its SHA-256>. */
int object_conflict_key(const struct object *o, const char *key, char out[OBJECT_CONFLICT_KEY],
			struct sa_err *err);

struct object_dirs {
	int root_fd[STREAM_ROOTS]; /* ready/, quarantine/ */
	int sent_fd;               /* sent/; -1: stored objects do not stay */
};
/* It is stored: the file s->dir/name goes, or moves to sent/. */
int object_stored(const struct object_dirs *d, const struct stream *s, const char *name,
		  const char *key, struct sa_err *err);

#endif
