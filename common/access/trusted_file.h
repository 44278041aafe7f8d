/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Files that decide who is let in, and so count only when nobody but their owner can have written
 * them: grants, CAs, signers' keys. Opened without following a symbolic link or waiting on a FIFO;
 * what is checked is the open file, never a name.
 */
#ifndef SA_TRUSTED_FILE_H
#define SA_TRUSTED_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/err.h"

/* Opens a directory that belongs to owner_uid and in which nobody else can replace what is there:
 * writable by group or others only when it is sticky. SA_ERR_NOTFOUND: there is none; SA_ERR_PERM:
 * not to be trusted. Messages do not name path: the caller adds it with sa_wrap. */
int trusted_dir_open(const char *path, unsigned owner_uid, int *fd, struct sa_err *err);

struct trusted_names {
	char **items; /* sorted by bytes */
	size_t len;
	bool more; /* than max: these were not taken */
};

/* The names in a directory that end in suffix, with something before it and no '.' in front.
 * SA_ERR_NOMEM, SA_ERR_IO; then out is empty. */
int trusted_dir_names(int dirfd, const char *suffix, size_t max, struct trusted_names *out,
		      struct sa_err *err);
void trusted_names_free(struct trusted_names *n);

/* Opens dirfd/name: a regular file, not writable by group or others, with no other name, of at most
 * max bytes. st is what fstat said; whose file it is, trusted_owner checks. A file that is renamed
 * over just then is opened anew. SA_ERR_NOTFOUND: not there. */
int trusted_open(int dirfd, const char *name, size_t max, int *fd, struct stat *st,
		 struct sa_err *err);
/* SA_ERR_PERM unless st belongs to owner_uid. */
int trusted_owner(const struct stat *st, unsigned owner_uid, struct sa_err *err);
/* trusted_open, trusted_owner, and all its bytes, appended to out. dirfd may be AT_FDCWD. */
int trusted_read(int dirfd, const char *name, unsigned owner_uid, size_t max, struct buf *out,
		 struct sa_err *err);

/* Hands message on, safe for a log (names of files may hold anything). fn may be NULL. */
void trusted_report(void (*fn)(void *ctx, const char *message), void *ctx, const char *message);

#endif
