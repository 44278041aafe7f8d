/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/access/trusted_file.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/fdio.h"

/* Opens of one file that was replaced between open and fstat. */
#define REPLACED_TRIES 5

int trusted_owner(const struct stat *st, unsigned owner_uid, struct sa_err *err)
{
	if (st->st_uid != owner_uid)
		return sa_fail(err, SA_ERR_PERM, "owner %u: must belong to %u",
			       (unsigned)st->st_uid, owner_uid);
	return 0;
}

static int check_mode(const struct stat *st, struct sa_err *err)
{
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return sa_fail(err, SA_ERR_PERM,
			       "mode %04o: must not be writable by group or others",
			       (unsigned)st->st_mode & 07777);
	return 0;
}

int trusted_dir_open(const char *path, unsigned owner_uid, int *out, struct sa_err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0)
		return sa_fail_errno(err, "open");
	if (fstat(fd, &st) < 0)
		return sa_fail_errno(err, "stat");
	if ((rc = trusted_owner(&st, owner_uid, err)) < 0)
		return rc;
	if (!(st.st_mode & S_ISVTX) && (rc = check_mode(&st, err)) < 0)
		return rc;
	*out = TAKE_FD(fd);
	return 0;
}

static bool is_wanted(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return name[0] != '.' && n > m && strcmp(name + n - m, suffix) == 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct trusted_names *out, size_t max, const char *name)
{
	if (out->len == max) {
		out->more = true;
		return 0;
	}
	out->items[out->len] = strdup(name);
	if (!out->items[out->len])
		return SA_ERR_NOMEM;
	out->len++;
	return 0;
}

static int read_names(DIR *dir, const char *suffix, size_t max, struct trusted_names *out)
{
	const struct dirent *e;
	int rc = 0;

	out->items = calloc(max, sizeof(*out->items));
	if (!out->items)
		return SA_ERR_NOMEM;
	while (rc == 0 && !out->more && (errno = 0, e = readdir(dir)))
		if (is_wanted(e->d_name, suffix))
			rc = add_name(out, max, e->d_name);
	return rc == 0 && !out->more && errno ? SA_ERR_IO : rc;
}

int trusted_dir_names(int dirfd, const char *suffix, size_t max, struct trusted_names *out,
		      struct sa_err *err)
{
	_cleanup_close_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct trusted_names names = {0};
	int rc;

	*out = names;
	if (!dir)
		return sa_fail_errno(err, "list");
	(void)TAKE_FD(fd);
	if ((rc = read_names(dir, suffix, max, &names)) < 0) {
		trusted_names_free(&names);
		return sa_fail(err, rc, rc == SA_ERR_NOMEM ? "out of memory" : "cannot be listed");
	}
	qsort(names.items, names.len, sizeof(*names.items), by_bytes);
	*out = names;
	return 0;
}

void trusted_names_free(struct trusted_names *n)
{
	for (size_t i = 0; i < n->len; i++)
		free(n->items[i]);
	free(n->items);
	*n = (struct trusted_names){0};
}

static int check_file(const struct stat *st, size_t max, struct sa_err *err)
{
	int rc;

	if (!S_ISREG(st->st_mode))
		return sa_fail(err, SA_ERR_PERM, "not a regular file");
	if ((rc = check_mode(st, err)) < 0)
		return rc;
	if (st->st_nlink != 1)
		return sa_fail(err, SA_ERR_PERM, "%lu links: must have no other name",
			       (unsigned long)st->st_nlink);
	if ((uintmax_t)st->st_size > max)
		return sa_fail(err, SA_ERR_TOOBIG, "larger than %zu bytes", max);
	return 0;
}

int trusted_open(int dirfd, const char *name, size_t max, int *out, struct stat *st,
		 struct sa_err *err)
{
	int rc;

	for (int tries = 0; tries < REPLACED_TRIES; tries++) {
		_cleanup_close_ int fd = openat(
			dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd < 0 && errno == ELOOP)
			return sa_fail(err, SA_ERR_PERM, "is a symbolic link");
		if (fd < 0)
			return sa_fail_errno(err, "open");
		if (fstat(fd, st) < 0)
			return sa_fail_errno(err, "stat");
		/* No name left: a new version was renamed over it, so look again. */
		if (st->st_nlink == 0)
			continue;
		if ((rc = check_file(st, max, err)) == 0)
			*out = TAKE_FD(fd);
		return rc;
	}
	return sa_fail(err, SA_ERR_AGAIN, "replaced again and again while being read");
}

int trusted_read(int dirfd, const char *name, unsigned owner_uid, size_t max, struct buf *out,
		 struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc;

	if ((rc = trusted_open(dirfd, name, max, &fd, &st, err)) < 0 ||
	    (rc = trusted_owner(&st, owner_uid, err)) < 0)
		return rc;
	return fdio_read_all(fd, max, out, err);
}

void trusted_report(void (*fn)(void *ctx, const char *message), void *ctx, const char *message)
{
	_cleanup_buf_ struct buf safe = {0};

	if (!fn)
		return;
	buf_init(&safe, 8192);
	escape_terminal(&safe, slice_of(message));
	fn(ctx, buf_cstr(&safe));
}
