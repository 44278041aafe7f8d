/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

#define FDIO_CHUNK 16384

int fdio_write_all(int fd, const void *p, size_t n, struct sa_err *err)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return sa_fail_errno(err, "write %zu bytes", n);
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static ssize_t fdio_read(int fd, void *p, size_t n)
{
	ssize_t got;

	do {
		got = read(fd, p, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* One read into out, of at most `left` bytes; *got is 0 at the end of fd. */
static int fdio_read_some(int fd, size_t left, struct buf *out, size_t *got, struct sa_err *err)
{
	size_t room = left < FDIO_CHUNK ? left : FDIO_CHUNK;
	char over, *at = &over;
	ssize_t n;

	if (room > out->max - out->len)
		room = out->max - out->len;
	if (room > 0 && !(at = buf_reserve(out, room)))
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	n = fdio_read(fd, at, room > 0 ? room : 1);
	if (n < 0)
		return sa_fail_errno(err, "read");
	if (n > 0 && room == 0)
		return sa_fail(err, SA_ERR_TOOBIG, "too big");
	*got = (size_t)n;
	return 0;
}

int fdio_read_all(int fd, size_t max, struct buf *out, struct sa_err *err)
{
	size_t start = out->len, got = 0;

	do {
		int rc = fdio_read_some(fd, max - (out->len - start), out, &got, err);

		if (rc < 0) {
			out->len = start;
			return rc == SA_ERR_TOOBIG ? sa_fail(err, rc, "more than %zu bytes", max)
						   : rc;
		}
		out->len += got;
	} while (got > 0);
	return 0;
}

int fdio_read_file(int dirfd, const char *path, size_t max, struct buf *out, struct sa_err *err)
{
	_cleanup_close_ int fd =
		openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0)
		return sa_fail_errno(err, "open %s", path);
	if (fstat(fd, &st) < 0)
		return sa_fail_errno(err, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return sa_fail(err, SA_ERR_INVALID, "%s: not a regular file", path);
	rc = fdio_read_all(fd, max, out, err);
	return rc < 0 ? sa_wrap(err, rc, "%s", path) : 0;
}

/* The directory part of path as a fresh string, "." when there is none. */
static char *fdio_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int fdio_fill(int fd, const void *p, size_t n, mode_t mode, struct sa_err *err)
{
	int rc = fdio_write_all(fd, p, n, err);

	if (rc < 0)
		return rc;
	if (fchmod(fd, mode) < 0) /* whatever the umask is */
		return sa_fail_errno(err, "chmod");
	return fsync(fd) < 0 ? sa_fail_errno(err, "fsync") : 0;
}

/* The temporary's name starts with '.', so that nobody who lists the directory takes it for a
 * file. A crash leaves it behind; its name is never used again. */
static int fdio_replace_in(int dir, const char *base, const void *p, size_t n, mode_t mode,
			   struct sa_err *err)
{
	static atomic_uint counter;
	char tmp[64];
	_cleanup_close_ int fd = -1;
	int rc;

	snprintf(tmp, sizeof(tmp), ".tmp-%ld-%lld-%u", (long)getpid(), (long long)clock_real_ms(),
		 atomic_fetch_add(&counter, 1));
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return sa_fail_errno(err, "create a temporary file");
	rc = fdio_fill(fd, p, n, mode, err);
	if (rc == 0 && renameat(dir, tmp, dir, base) < 0)
		rc = sa_fail_errno(err, "rename");
	if (rc < 0) {
		unlinkat(dir, tmp, 0);
		return rc;
	}
	return fsync(dir) < 0 ? sa_fail_errno(err, "fsync of the directory") : 0;
}

int fdio_replace_file(int dirfd, const char *path, const void *p, size_t n, mode_t mode,
		      struct sa_err *err)
{
	_cleanup_free_ char *parent = fdio_dirname(path);
	_cleanup_close_ int dir = -1;
	const char *slash = strrchr(path, '/');
	int rc;

	if (!parent)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	dir = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return sa_fail_errno(err, "open directory %s", parent);
	rc = fdio_replace_in(dir, slash ? slash + 1 : path, p, n, mode, err);
	return rc < 0 ? sa_wrap(err, rc, "write %s", path) : 0;
}

int fdio_mkdirs(int dirfd, const char *path, mode_t mode, struct sa_err *err)
{
	_cleanup_free_ char *copy = NULL;
	struct stat st;
	char *at;

	if (mkdirat(dirfd, path, mode) == 0) /* mostly its parents exist */
		return 0;
	at = copy = strdup(path);
	if (!copy)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	do {
		at += strspn(at, "/");
		at += strcspn(at, "/");
		char end = *at;

		*at = '\0';
		if (*copy && mkdirat(dirfd, copy, mode) < 0 && errno != EEXIST)
			return sa_fail_errno(err, "create directory %s", copy);
		*at = end;
	} while (*at);
	if (fstatat(dirfd, *path ? path : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return sa_fail_errno(err, "stat %s", path);
	if (!S_ISDIR(st.st_mode))
		return sa_fail(err, SA_ERR_INVALID, "%s: not a directory", path);
	return 0;
}

int fdio_fsync_dir(int dirfd, const char *path, struct sa_err *err)
{
	_cleanup_close_ int dir =
		openat(dirfd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return sa_fail_errno(err, "open directory %s", path);
	return fsync(dir) < 0 ? sa_fail_errno(err, "fsync of directory %s", path) : 0;
}
