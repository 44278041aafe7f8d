/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/pick.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/store/store.h"

enum pick_kind { PICK_FILE, PICK_DIR, PICK_ODD };

struct pick {
	const struct pick_ops *ops;
	void *ctx;
	char key[STORE_MAX_KEY + NAME_MAX + 2]; /* of where the walk is */
	bool stop;
};

/* The smallest names of a directory behind some name. */
struct pick_names {
	char *items[2 * PICK_CHUNK];
	size_t n;
	bool more; /* there are others behind these */
};

static void pick_names_cut(struct pick_names *names, size_t n)
{
	while (names->n > n)
		free(names->items[--names->n]);
}

static void pick_names_freep(struct pick_names **names)
{
	if (*names)
		pick_names_cut(*names, 0);
	free(*names);
}

#define _cleanup_pick_names_ _cleanup_(pick_names_freep)

static int pick_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void pick_names_settle(struct pick_names *names)
{
	qsort(names->items, names->n, sizeof(names->items[0]), pick_order);
	names->more = names->more || names->n > PICK_CHUNK;
	pick_names_cut(names, PICK_CHUNK);
}

static enum pick_kind pick_kind_of(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type == DT_REG)
		return PICK_FILE;
	if (e->d_type == DT_DIR)
		return PICK_DIR;
	if (e->d_type != DT_UNKNOWN || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return PICK_ODD;
	return S_ISREG(st.st_mode) ? PICK_FILE : S_ISDIR(st.st_mode) ? PICK_DIR : PICK_ODD;
}

/* Sorted names of one kind with after < name <= upto (NULL: no bound), at most PICK_CHUNK. */
static int pick_scan(int dir, enum pick_kind kind, const char *after, const char *upto,
		     struct pick_names *names, struct sa_err *err)
{
	_cleanup_closedir_ DIR *list = NULL;
	_cleanup_close_ int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;

	names->more = false;
	pick_names_cut(names, 0);
	if (fd < 0 || !(list = fdopendir(fd)))
		return sa_fail_errno(err, "spool: list directory");
	(void)TAKE_FD(fd);
	while (errno = 0, (e = readdir(list)) != NULL) {
		if (e->d_name[0] == '.' || (after && strcmp(e->d_name, after) <= 0) ||
		    (upto && strcmp(e->d_name, upto) > 0) || pick_kind_of(dir, e) != kind)
			continue;
		if (names->n == ARRAY_LEN(names->items))
			pick_names_settle(names);
		names->items[names->n] = strdup(e->d_name);
		if (!names->items[names->n])
			return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
		names->n++;
	}
	if (errno != 0)
		return sa_fail_errno(err, "spool: read directory");
	pick_names_settle(names);
	return 0;
}

/* The next objects behind `after`. Read twice: one pass over a directory may show a new file and
 * miss an older one that appeared while it ran. What is older than a file of the first pass is
 * there for all of the second. */
static int pick_files(int dir, const char *after, struct pick_names *names, struct sa_err *err)
{
	_cleanup_free_ char *newest = NULL;
	int rc = pick_scan(dir, PICK_FILE, after, NULL, names, err);
	bool more = names->more;

	if (rc != 0 || names->n == 0)
		return rc;
	newest = TAKE_PTR(names->items[names->n - 1]);
	rc = pick_scan(dir, PICK_FILE, after, newest, names, err);
	names->more = names->more || more;
	return rc;
}

/* Puts name behind the first `at` bytes of the key. False: odd, and told. */
static bool pick_key(struct pick *p, size_t at, const char *name)
{
	memcpy(p->key + at, name, strlen(name) + 1);
	if (store_key_valid(p->key))
		return true;
	p->ops->odd(p->ctx, p->key, "not a valid object key");
	return false;
}

/* Tells the names one by one; *after becomes the last one told. */
static enum pick_next pick_tell(struct pick *p, int dir, size_t at, struct pick_names *names,
				char **after)
{
	enum pick_next next = PICK_GO;

	for (size_t i = 0; next == PICK_GO && i < names->n; i++) {
		if (pick_key(p, at, names->items[i]))
			next = p->ops->object(p->ctx, dir, p->key, names->items[i]);
		free(*after);
		*after = TAKE_PTR(names->items[i]);
	}
	return next;
}

static int pick_objects(struct pick *p, int dir, size_t at, struct pick_names *names,
			struct sa_err *err)
{
	_cleanup_free_ char *after = NULL;
	enum pick_next next;
	int rc = 0;

	p->key[at] = '\0';
	next = p->ops->enter(p->ctx, p->key);
	for (names->more = true; next == PICK_GO && names->more && rc == 0;) {
		rc = pick_files(dir, after, names, err);
		if (rc == 0)
			next = pick_tell(p, dir, at, names, &after);
	}
	p->stop = next == PICK_STOP;
	return rc;
}

static void pick_odd(struct pick *p, int dir, size_t at, struct pick_names *names)
{
	if (pick_scan(dir, PICK_ODD, NULL, NULL, names, NULL) != 0)
		return;
	for (size_t i = 0; i < names->n; i++) {
		memcpy(p->key + at, names->items[i], strlen(names->items[i]) + 1);
		p->ops->odd(p->ctx, p->key, "not a regular file");
	}
}

static int pick_dir(struct pick *p, int dir, size_t at, struct sa_err *err);

/* Goes through one subdirectory; what is wrong with it is not its parent's failure. */
static void pick_subdir(struct pick *p, int dir, size_t at, const char *name)
{
	size_t len = strlen(name);
	struct sa_err err = {0};
	int fd;

	if (!pick_key(p, at, name))
		return;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT)
			p->ops->odd(p->ctx, p->key, strerror(errno));
		return;
	}
	p->key[at + len] = '/';
	if (pick_dir(p, fd, at + len + 1, &err) != 0) {
		p->key[at + len] = '\0';
		p->ops->odd(p->ctx, p->key, err.msg);
	}
	close(fd);
	/* Only an empty one goes; the collector makes anew what it needs again. */
	unlinkat(dir, name, AT_REMOVEDIR);
}

static int pick_subdirs(struct pick *p, int dir, size_t at, struct pick_names *names,
			struct sa_err *err)
{
	_cleanup_free_ char *after = NULL;
	int rc;

	do {
		if ((rc = pick_scan(dir, PICK_DIR, after, NULL, names, err)) != 0)
			return rc;
		for (size_t i = 0; !p->stop && i < names->n; i++) {
			pick_subdir(p, dir, at, names->items[i]);
			free(after);
			after = TAKE_PTR(names->items[i]);
		}
	} while (names->more && !p->stop);
	return 0;
}

/* dir is the directory whose key is the first `at` bytes of p->key. Depth and length are bounded by
 * store_key_valid. */
static int pick_dir(struct pick *p, int dir, size_t at, struct sa_err *err)
{
	_cleanup_pick_names_ struct pick_names *names = malloc(sizeof(*names));
	int rc;

	if (!names)
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	names->n = 0;
	rc = pick_objects(p, dir, at, names, err);
	if (rc != 0 || p->stop)
		return rc;
	pick_odd(p, dir, at, names);
	return pick_subdirs(p, dir, at, names, err);
}

int pick_walk(int ready_fd, const struct pick_ops *ops, void *ctx, struct sa_err *err)
{
	struct pick p = {.ops = ops, .ctx = ctx};

	return pick_dir(&p, ready_fd, 0, err);
}
