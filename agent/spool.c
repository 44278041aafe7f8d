/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/spool_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

#define NAMES_MAX_BYTES (64 * 1024 * 1024) /* two million sessions */

static int open_dir(int parent, const char *name, mode_t mode, int *out, struct sa_err *err)
{
	if (mkdirat(parent, name, mode) && errno != EEXIST)
		return sa_fail_errno(err, "spool: create %s", name);
	*out = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *out < 0 ? sa_fail_errno(err, "spool: open %s", name) : 0;
}

static int each_name(int dir_fd, int (*fn)(void *ctx, const char *name), void *ctx,
		     struct sa_err *err)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return sa_fail_errno(err, "spool: open directory");
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return sa_fail_errno(err, "spool: read directory");
	}
	while (errno = 0, rc == 0 && (e = readdir(d)))
		if (e->d_name[0] != '.')
			rc = fn(ctx, e->d_name);
	/* What cannot be listed must not pass for what is not there. */
	return rc == 0 && errno ? sa_fail_errno(err, "spool: read directory") : rc;
}

static int remove_tmp(void *ctx, const char *name)
{
	struct spool *s = ctx;

	unlinkat(s->tmp_fd, name, 0);
	return 0;
}

/* The file stays when its holder dies, the lock does not. */
static int take_lock(struct spool *s, const char *dir, struct sa_err *err)
{
	char pid[16] = "";
	int n;

	s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (s->lock_fd < 0)
		return sa_fail_errno(err, "spool: open %s/lock", dir);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0) {
		n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
		/* For whoever finds it held; without it the lock holds as well. */
		(void)!(ftruncate(s->lock_fd, 0) || pwrite(s->lock_fd, pid, (size_t)n, 0) != n);
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return sa_fail_errno(err, "spool: lock %s/lock", dir);
	(void)!pread(s->lock_fd, pid, sizeof(pid) - 1, 0);
	return sa_fail(err, SA_ERR_EXISTS,
		       "spool: process %ld works in %s; stop it, or name another spool.dir",
		       strtol(pid, NULL, 10), dir);
}

static int open_fifo(int dir_fd)
{
	/* Reading too: it then opens without a reader, and what is told waits for one. */
	int fd = openat(dir_fd, "news", O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISFIFO(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Made in tmp/, which gives its files to the shipper's group. The news are a hint: without them
 * the shipper finds all the same. */
static void open_news(struct spool *s)
{
	s->news_fd = open_fifo(s->dir_fd);
	if (s->news_fd < 0 && mkfifoat(s->tmp_fd, "news", 0640) == 0 &&
	    renameat(s->tmp_fd, "news", s->dir_fd, "news") == 0)
		s->news_fd = open_fifo(s->dir_fd);
}

/* Written whole or not at all (PIPE_BUF); a pipe that is full has news enough. */
static void tell(const struct spool *s, const char *key)
{
	char line[1100];
	int n = snprintf(line, sizeof(line), "%s\n", key);

	if (s->news_fd >= 0 && n > 0 && (size_t)n < sizeof(line))
		(void)!write(s->news_fd, line, (size_t)n);
}

static int open_all(struct spool *s, const char *dir, struct sa_err *err)
{
	int rc;

	s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return sa_fail_errno(err, "spool: open %s", dir);
	if ((rc = take_lock(s, dir, err)) ||
	    (rc = open_dir(s->dir_fd, "open", 0700, &s->open_fd, err)) ||
	    (rc = open_dir(s->dir_fd, "state", 0700, &s->state_fd, err)) ||
	    (rc = open_dir(s->dir_fd, "tmp", 0700, &s->tmp_fd, err)) ||
	    (rc = open_dir(s->dir_fd, "ready", 0770, &s->ready_fd, err)))
		return rc;
	return each_name(s->tmp_fd, remove_tmp, s, err);
}

static int spool_new(const char *dir, struct spool **out, struct sa_err *err)
{
	struct spool *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	s->dir_fd = s->lock_fd = s->news_fd = -1;
	s->open_fd = s->state_fd = s->tmp_fd = s->ready_fd = -1;
	s->count.free = UINT64_MAX;
	rc = open_all(s, dir, err);
	if (rc)
		spool_close(s);
	else
		*out = s;
	return rc;
}

int spool_open(const char *dir, const struct spool_limits *limits, struct spool **out,
	       struct sa_err *err)
{
	int rc = spool_new(dir, out, err);

	if (rc == 0 && limits)
		(*out)->limits = *limits;
	if (rc == 0)
		open_news(*out);
	return rc;
}

int spool_open_scratch(const char *dir, struct spool **out, struct sa_err *err)
{
	int rc = spool_new(dir, out, err);

	if (rc == 0 && (rc = scratch_open((*out)->tmp_fd, &(*out)->scratch, err)) != 0) {
		spool_close(*out);
		*out = NULL;
	}
	return rc;
}

void spool_close(struct spool *s)
{
	int *fds[] = {&s->dir_fd, &s->news_fd,  &s->open_fd, &s->state_fd,
		      &s->tmp_fd, &s->ready_fd, &s->lock_fd};

	spool_walk_end(&s->count.walk);
	scratch_close(s->scratch);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
	free(s);
}

/* As the disk would say it. */
static int check_room(const struct spool *s, struct sa_err *err)
{
	if (s->count.level != SPOOL_FULL)
		return 0;
	return sa_fail(err, SA_ERR_AGAIN,
		       "spool: full: over spool.max_bytes, or less than spool.min_free is left");
}

/* Makes tmp/<name> with data, on disk when durable. mtime NULL: now. */
static int write_tmp(struct spool *s, const char *name, struct slice data,
		     const struct timespec *mtime, struct stat *st, struct sa_err *err)
{
	_cleanup_close_ int fd = openat(
		s->tmp_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	int rc;

	if (fd < 0)
		return sa_fail_errno(err, "spool: create tmp/%s", name);
	rc = fdio_write_all(fd, data.ptr, data.len, err);
	if (rc == 0 && mtime && futimens(fd, (struct timespec[]){{.tv_nsec = UTIME_NOW}, *mtime}))
		rc = sa_fail_errno(err, "spool: set the time of tmp/%s", name);
	if (rc == 0 && !s->scratch && fsync(fd))
		rc = sa_fail_errno(err, "spool: fsync tmp/%s", name);
	if (rc == 0 && fstat(fd, st))
		rc = sa_fail_errno(err, "spool: stat tmp/%s", name);
	return rc;
}

/* Renames from_fd/<from> to key below ready/. The shipper removes directories it emptied, so a
 * missing one is made again, and again when it goes between the two calls. */
static int move_to_ready(struct spool *s, int from_fd, const char *from, const char *key,
			 const struct stat *st, struct sa_err *err)
{
	const char *slash = strrchr(key, '/');
	_cleanup_free_ char *dir = slash ? strndup(key, (size_t)(slash - key)) : NULL;
	int rc;

	if (slash && !dir)
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	for (int tries = 0;; tries++) {
		if (renameat(from_fd, from, s->ready_fd, key) == 0)
			break;
		if (errno != ENOENT || !dir || tries == 10)
			return sa_fail_errno(err, "spool: rename to ready/%s", key);
		rc = fdio_mkdirs(s->ready_fd, dir, 0770, err);
		if (rc && rc != SA_ERR_NOTFOUND)
			return rc;
	}
	spool_count_object(s, st);
	rc = fdio_fsync_dir(s->ready_fd, dir ? dir : ".", err);
	if (rc == 0)
		tell(s, key);
	/* Gone already: the shipper was faster, so the object is stored. */
	if (rc == 0 || rc == SA_ERR_NOTFOUND)
		return 0;
	if (err)
		err->code = SA_ERR_EXISTS;
	return SA_ERR_EXISTS;
}

/* Nobody looks into a scratch spool before it is whole: its objects are made where they belong. */
static int create_ready(struct spool *s, const char *key, int *fd, struct sa_err *err)
{
	const char *slash = strrchr(key, '/');
	_cleanup_free_ char *dir = NULL;
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, rc;

	*fd = openat(s->ready_fd, key, flags, 0640);
	if (*fd < 0 && errno == ENOENT && slash) {
		dir = strndup(key, (size_t)(slash - key));
		if (!dir)
			return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
		if ((rc = fdio_mkdirs(s->ready_fd, dir, 0770, err)) != 0)
			return rc;
		*fd = openat(s->ready_fd, key, flags, 0640);
	}
	return *fd < 0 ? sa_fail_errno(err, "spool: create ready/%s", key) : 0;
}

static int put_scratch(struct spool *s, const char *key, struct slice data, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	int rc = create_ready(s, key, &fd, err);

	if (rc == 0 && (rc = fdio_write_all(fd, data.ptr, data.len, err)) != 0)
		unlinkat(s->ready_fd, key, 0);
	return rc;
}

static int put(struct spool *s, const char *key, struct slice data, const struct timespec *mtime,
	       struct sa_err *err)
{
	char tmp[32];
	struct stat st;
	int rc = check_room(s, err);

	if (rc)
		return rc;
	if (s->scratch)
		return put_scratch(s, key, data, err);
	snprintf(tmp, sizeof(tmp), "%llu", (unsigned long long)s->tmp_count++);
	rc = write_tmp(s, tmp, data, mtime, &st, err);
	if (rc == 0)
		rc = move_to_ready(s, s->tmp_fd, tmp, key, &st, err);
	if (rc)
		unlinkat(s->tmp_fd, tmp, 0);
	return rc;
}

static int promote_scratch(struct spool *s, const char *name, const char *key, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	int rc;

	if (scratch_size(s->scratch, name) < 0)
		return sa_fail(err, SA_ERR_NOTFOUND, "spool: open/%s: no such file", name);
	rc = create_ready(s, key, &fd, err);
	if (rc == 0 && (rc = scratch_copy(s->scratch, name, fd, err)) != 0)
		unlinkat(s->ready_fd, key, 0);
	if (rc == 0)
		scratch_remove(s->scratch, name);
	return rc;
}

int spool_put(struct spool *s, const char *key, struct slice data, struct sa_err *err)
{
	return put(s, key, data, NULL, err);
}

int spool_put_again(struct spool *s, const char *key, struct slice data, struct sa_err *err)
{
	return put(s, key, data, &(struct timespec){.tv_sec = SPOOL_MADE_AGAIN_S}, err);
}

int spool_promote(struct spool *s, const char *name, const char *key, struct sa_err *err)
{
	struct stat st;
	int rc;

	if (s->scratch)
		return promote_scratch(s, name, key, err);
	rc = spool_sync(s, name, err);
	if (rc == 0 && fstatat(s->open_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		rc = sa_fail_errno(err, "spool: open/%s", name);
	return rc ? rc : move_to_ready(s, s->open_fd, name, key, &st, err);
}

int spool_append(struct spool *s, const char *name, off_t at, struct slice p, struct sa_err *err)
{
	/* Else an empty file would stand for one that was promoted. */
	int create = at == 0 ? O_CREAT : 0, rc = check_room(s, err);
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (rc)
		return rc;
	if (s->scratch)
		return scratch_append(s->scratch, name, at, p, err);
	fd = openat(s->open_fd, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | create, 0640);
	if (fd < 0 || fstat(fd, &st))
		return sa_fail_errno(err, "spool: open open/%s", name);
	if (st.st_size < at)
		return sa_fail(err, SA_ERR_INVALID,
			       "spool: open/%s: %lld bytes are missing at its end", name,
			       (long long)(at - st.st_size));
	if (st.st_size > at && ftruncate(fd, at))
		return sa_fail_errno(err, "spool: truncate open/%s", name);
	rc = fdio_write_all(fd, p.ptr, p.len, err);
	if (rc && ftruncate(fd, at))
		return sa_wrap(err, rc, "spool: open/%s: cut back a torn write", name);
	if (rc == 0 && at == 0) /* its name, too, must survive a power cut */
		rc = fdio_fsync_dir(s->open_fd, ".", err);
	return rc ? sa_wrap(err, rc, "spool: open/%s", name) : 0;
}

int spool_sync(struct spool *s, const char *name, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;

	if (s->scratch)
		return 0;
	fd = openat(s->open_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : sa_fail_errno(err, "spool: open open/%s", name);
	return fdatasync(fd) ? sa_fail_errno(err, "spool: fdatasync open/%s", name) : 0;
}

int spool_read(struct spool *s, const char *name, struct buf *out, struct sa_err *err)
{
	return s->scratch ? scratch_read(s->scratch, name, out, err)
			  : fdio_read_file(s->open_fd, name, out->max, out, err);
}

off_t spool_size(struct spool *s, const char *name)
{
	struct stat st;

	if (s->scratch)
		return scratch_size(s->scratch, name);
	return fstatat(s->open_fd, name, &st, AT_SYMLINK_NOFOLLOW) ? -1 : st.st_size;
}

int spool_truncate(struct spool *s, const char *name, off_t size, struct sa_err *err)
{
	_cleanup_close_ int fd = openat(s->open_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || ftruncate(fd, size))
		return sa_fail_errno(err, "spool: truncate open/%s", name);
	return 0;
}

void spool_remove(struct spool *s, const char *name)
{
	if (s->scratch)
		scratch_remove(s->scratch, name);
	else
		unlinkat(s->open_fd, name, 0);
}

void spool_set_aside(struct spool *s, const char *name)
{
	char aside[256];
	int n = snprintf(aside, sizeof(aside), "%s.damaged", name);

	if (n > 0 && (size_t)n < sizeof(aside))
		(void)!renameat(s->open_fd, name, s->open_fd, aside);
}

int spool_state_write(struct spool *s, const char *name, struct slice data, struct sa_err *err)
{
	struct stat st;
	int rc = write_tmp(s, name, data, NULL, &st, err);

	if (rc == 0 && renameat(s->tmp_fd, name, s->state_fd, name))
		rc = sa_fail_errno(err, "spool: rename to state/%s", name);
	if (rc == 0 && !s->scratch)
		rc = fdio_fsync_dir(s->state_fd, ".", err);
	return rc;
}

int spool_state_read(struct spool *s, const char *name, struct buf *out, struct sa_err *err)
{
	return fdio_read_file(s->state_fd, name, SPOOL_STATE_MAX_BYTES, out, err);
}

void spool_state_remove(struct spool *s, const char *name)
{
	unlinkat(s->state_fd, name, 0);
}

static int collect_name(void *ctx, const char *name)
{
	buf_append(ctx, name, strlen(name) + 1);
	return 0;
}

/* All names first: a file that fn replaces could come up a second time. */
static int each_of_all(int dir_fd, int (*fn)(void *ctx, const char *name), void *ctx,
		       struct sa_err *err)
{
	_cleanup_buf_ struct buf names = {0};
	int rc;

	buf_init(&names, NAMES_MAX_BYTES);
	rc = each_name(dir_fd, collect_name, &names, err);
	if (rc == 0 && names.failed)
		rc = sa_fail(err, SA_ERR_NOMEM, "spool: too many files in a directory");
	for (size_t at = 0; rc == 0 && at < names.len; at += strlen(names.data + at) + 1)
		rc = fn(ctx, names.data + at);
	return rc;
}

int spool_each(struct spool *s, int (*fn)(void *ctx, const char *name), void *ctx,
	       struct sa_err *err)
{
	return each_of_all(s->open_fd, fn, ctx, err);
}

int spool_state_each(struct spool *s, int (*fn)(void *ctx, const char *name), void *ctx,
		     struct sa_err *err)
{
	return each_of_all(s->state_fd, fn, ctx, err);
}

void spool_alive(struct spool *s)
{
	_cleanup_close_ int fd =
		openat(s->state_fd, SPOOL_ALIVE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);

	if (fd >= 0)
		futimens(fd, NULL); /* not synced: after a power cut it is older, never newer */
}

int64_t spool_state_time_ms(struct spool *s, const char *name)
{
	struct stat st;

	if (fstatat(s->state_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	return clock_ms(&st.st_mtim);
}
