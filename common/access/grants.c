/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/access/grants.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/fdio.h"

/* One run over the directories. */
struct loader {
	struct grants *out;
	unsigned owner_uid;
	grants_skip_fn skip;
	void *ctx;
};

/* Opens of one file that was replaced between open and fstat. */
#define REPLACED_TRIES 5

static void report(const struct loader *l, const char *message)
{
	_cleanup_buf_ struct buf safe = {0};

	buf_init(&safe, 8192);
	escape_terminal(&safe, slice_of(message));
	if (l->skip)
		l->skip(l->ctx, buf_cstr(&safe));
}

static int check_owner(const struct loader *l, const struct stat *st, struct sa_err *err)
{
	if (st->st_uid != l->owner_uid)
		return sa_fail(err, SA_ERR_PERM, "owner %u: must belong to %u",
			       (unsigned)st->st_uid, l->owner_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return sa_fail(err, SA_ERR_PERM,
			       "mode %04o: must not be writable by group or others",
			       (unsigned)st->st_mode & 07777);
	return 0;
}

static int check_file(const struct loader *l, const struct stat *st, struct sa_err *err)
{
	int rc;

	if (!S_ISREG(st->st_mode))
		return sa_fail(err, SA_ERR_PERM, "not a regular file");
	if ((rc = check_owner(l, st, err)) < 0)
		return rc;
	if (st->st_nlink != 1)
		return sa_fail(err, SA_ERR_PERM, "%lu links: must have no other name",
			       (unsigned long)st->st_nlink);
	if (st->st_size > GRANT_MAX_BYTES)
		return sa_fail(err, SA_ERR_TOOBIG, "larger than %d bytes", GRANT_MAX_BYTES);
	return 0;
}

static int open_checked(const struct loader *l, int dirfd, const char *name, int *out,
			struct sa_err *err)
{
	struct stat st;
	int rc;

	for (int tries = 0; tries < REPLACED_TRIES; tries++) {
		_cleanup_close_ int fd = openat(
			dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			return SA_ERR_NOTFOUND;
		if (fd < 0 && errno == ELOOP)
			return sa_fail(err, SA_ERR_PERM, "is a symbolic link");
		if (fd < 0)
			return sa_fail_errno(err, "open");
		if (fstat(fd, &st) < 0)
			return sa_fail_errno(err, "stat");
		/* No name left: a broker renamed a new version over it, so look again. */
		if (st.st_nlink == 0)
			continue;
		if ((rc = check_file(l, &st, err)) == 0)
			*out = TAKE_FD(fd);
		return rc;
	}
	return sa_fail(err, SA_ERR_AGAIN, "replaced again and again while being read");
}

static int keep(struct grants *out, struct grant *g)
{
	struct grant **grown = out->items;

	/* Grown at 0, 16, 32, 64 ... */
	if (out->len == 0 || (out->len >= 16 && (out->len & (out->len - 1)) == 0)) {
		size_t cap = out->len ? 2 * out->len : 16;

		grown = realloc(out->items, cap * sizeof(struct grant *));
		if (!grown) {
			grant_free(g);
			return SA_ERR_NOMEM;
		}
		out->items = grown;
	}
	grown[out->len++] = g;
	return 0;
}

/* SA_ERR_NOMEM, or another code when the file is to be skipped. */
static int load_file(const struct loader *l, int dirfd, const char *dir, const char *name,
		     struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_buf_ struct buf text = {0}, path = {0};
	struct grant *g;
	int rc;

	buf_init(&text, GRANT_MAX_BYTES + 1);
	buf_init(&path, 2 * PATH_MAX);
	buf_printf(&path, "%s/%s", dir, name);
	if ((rc = open_checked(l, dirfd, name, &fd, err)) == SA_ERR_NOTFOUND)
		return 0; /* gone since the directory was listed: withdrawn, nothing to report */
	if (rc < 0 || (rc = fdio_read_all(fd, GRANT_MAX_BYTES, &text, err)) < 0)
		return sa_wrap(err, rc, "%s", buf_cstr(&path));
	if ((rc = grant_parse(buf_cstr(&path), buf_slice(&text), &g, err)) < 0)
		return rc;
	return keep(l->out, g);
}

static int is_grant_name(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

struct names {
	char **items;
	size_t len;
	bool more; /* than GRANTS_MAX_FILES */
};

static void names_free(struct names *n)
{
	for (size_t i = 0; i < n->len; i++)
		free(n->items[i]);
	free(n->items);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(DIR *dir, struct names *out)
{
	const struct dirent *e;

	out->items = calloc(GRANTS_MAX_FILES, sizeof(*out->items));
	if (!out->items)
		return SA_ERR_NOMEM;
	while ((e = readdir(dir))) {
		if (!is_grant_name(e))
			continue;
		if (out->len == GRANTS_MAX_FILES) {
			out->more = true;
			break;
		}
		out->items[out->len] = strdup(e->d_name);
		if (!out->items[out->len])
			return SA_ERR_NOMEM;
		out->len++;
	}
	qsort(out->items, out->len, sizeof(*out->items), by_bytes);
	return 0;
}

/* A missing directory gives success and no stream. */
static int open_dir(const struct loader *l, const char *path, DIR **out, struct sa_err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return sa_fail_errno(err, "open");
	if (fstat(fd, &st) < 0)
		return sa_fail_errno(err, "stat");
	if ((rc = check_owner(l, &st, err)) < 0)
		return rc;
	*out = fdopendir(fd);
	if (!*out)
		return sa_fail_errno(err, "open");
	TAKE_FD(fd);
	return 0;
}

static int load_dir(const struct loader *l, const char *path, struct sa_err *err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_(names_free) struct names names = {0};
	int rc = open_dir(l, path, &dir, err);

	if (rc < 0 || !dir)
		return rc;
	if (list_names(dir, &names) < 0)
		return SA_ERR_NOMEM;
	for (size_t i = 0; i < names.len; i++) {
		rc = load_file(l, dirfd(dir), path, names.items[i], err);
		if (rc == SA_ERR_NOMEM)
			return rc;
		if (rc < 0)
			report(l, err->msg);
	}
	if (names.more)
		return sa_fail(err, SA_ERR_TOOBIG, "more than %d files: the rest is not read",
			       GRANTS_MAX_FILES);
	return 0;
}

int grants_load(const char *const *dirs, unsigned owner_uid, struct grants *out,
		grants_skip_fn skip, void *ctx)
{
	struct grants all = {0};
	struct loader l = {.out = &all, .owner_uid = owner_uid, .skip = skip, .ctx = ctx};

	for (; *dirs; dirs++) {
		struct sa_err err = {0};
		int rc = load_dir(&l, *dirs, &err);

		if (rc == SA_ERR_NOMEM) {
			grants_free(&all);
			return rc;
		}
		if (rc < 0) {
			sa_wrap(&err, rc, "%s", *dirs);
			report(&l, err.msg);
		}
	}
	*out = all;
	return 0;
}

void grants_free(struct grants *g)
{
	for (size_t i = 0; i < g->len; i++)
		grant_free(g->items[i]);
	free(g->items);
	*g = (struct grants){0};
}
