/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What spool.c, spool_scratch.c and spool_usage.c share; nobody else includes it. */
#ifndef SA_SPOOL_INTERNAL_H
#define SA_SPOOL_INTERNAL_H

#include <dirent.h>
#include <sys/stat.h>

#include "agent/spool.h"

#define SPOOL_WALK_DEPTH 24 /* directories; a key has 16 components */

struct spool_walk { /* over what is counted, some entries at a time */
	DIR *dirs[SPOOL_WALK_DEPTH];
	unsigned depth, root;
	uint64_t bytes, objects;
};

struct spool_count {
	struct spool_walk walk;
	uint64_t bytes, objects; /* by the last whole walk, plus what was made since it began */
	uint64_t new_bytes, new_objects; /* of these, made since the walk under way began */
	uint64_t free;
	bool walked, walking;
	bool sure; /* a walk found it full */
	int64_t walked_ms;
	enum spool_level level;
};

struct scratch;

struct spool {
	int dir_fd, lock_fd, news_fd; /* news_fd -1: nobody is told */
	int open_fd, state_fd, tmp_fd, ready_fd;
	struct scratch *scratch; /* has what is in open/ else; NULL: durable */
	uint64_t tmp_count;
	struct spool_limits limits;
	struct spool_count count;
};

/* One more object lies in ready/. */
void spool_count_object(struct spool *s, const struct stat *st);
void spool_walk_end(struct spool_walk *w);

/* spool_scratch.c: the calls of spool.h for open/ of a scratch spool. */
int scratch_open(int dir_fd, struct scratch **out, struct sa_err *err);
void scratch_close(struct scratch *s); /* NULL-safe */
int scratch_append(struct scratch *s, const char *name, off_t at, struct slice p,
		   struct sa_err *err);
int scratch_read(struct scratch *s, const char *name, struct buf *out, struct sa_err *err);
/* Writes the whole file to fd. */
int scratch_copy(struct scratch *s, const char *name, int fd, struct sa_err *err);
off_t scratch_size(struct scratch *s, const char *name);
void scratch_remove(struct scratch *s, const char *name);

#endif
