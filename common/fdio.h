/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Whole reads and writes on descriptors, and files that appear at once or not
 * at all. All descriptors are CLOEXEC; nothing here follows a final symlink.
 */
#ifndef SA_FDIO_H
#define SA_FDIO_H

#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

/* Writes all n bytes or fails with SA_ERR_IO (SA_ERR_AGAIN for ENOSPC/EDQUOT). */
int fdio_write_all(int fd, const void *p, size_t n, struct sa_err *err);
/* Reads to the end of fd, at most max bytes: more is SA_ERR_TOOBIG. Appends to out. */
int fdio_read_all(int fd, size_t max, struct buf *out, struct sa_err *err);
/* Opens dirfd/path (O_RDONLY|O_NOFOLLOW|O_NONBLOCK), insists on a regular file, reads it all. */
int fdio_read_file(int dirfd, const char *path, size_t max, struct buf *out, struct sa_err *err);
/* Writes dirfd/path through a fresh temporary in the same directory: fsync, rename over, fsync of
 * the directory. */
int fdio_replace_file(int dirfd, const char *path, const void *p, size_t n, mode_t mode,
		      struct sa_err *err);
/* Creates path (relative to dirfd, or absolute) and its missing parents. Existing is fine. */
int fdio_mkdirs(int dirfd, const char *path, mode_t mode, struct sa_err *err);
/* fsync of the directory dirfd/path; path "." or "" for dirfd itself. */
int fdio_fsync_dir(int dirfd, const char *path, struct sa_err *err);

#endif
