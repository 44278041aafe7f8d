/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/pick.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/store/store.h"

/* Names being collected. */
struct pick_scan {
	const struct pick_query *q;
	struct buf text; /* names, each with its NUL */
	size_t n;
	char upto[NAME_MAX + 1]; /* later names need not be looked at; "": all must */
	bool more;
};

static void pick_scan_free(struct pick_scan *s)
{
	buf_free(&s->text);
}

#define _cleanup_scan_ _cleanup_(pick_scan_free)

int pick_open(int root_fd, const char *dir, int *out, struct sa_err *err)
{
	_cleanup_close_ int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];

	while (fd >= 0 && *dir) {
		size_t len = strcspn(dir, "/");
		int next;

		if (len > NAME_MAX)
			return sa_fail(err, SA_ERR_INVALID, "spool: %s: name too long", dir);
		memcpy(name, dir, len);
		name[len] = '\0';
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return sa_fail_errno(err, "spool: open directory %s", name);
		close(fd);
		fd = next;
		dir += len + (dir[len] == '/');
	}
	if (fd < 0)
		return sa_fail_errno(err, "spool: open directory");
	*out = TAKE_FD(fd);
	return 0;
}

static int pick_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts what was collected and cuts it to the size of a chunk. */
static int pick_settle(struct pick_scan *s, struct sa_err *err)
{
	_cleanup_free_ const char **names = NULL;
	struct buf sorted;
	const char *name = s->text.data;
	size_t i;

	if (s->n == 0)
		return 0;
	names = reallocarray(NULL, s->n, sizeof(*names));
	if (!names)
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	for (i = 0; i < s->n; i++, name += strlen(name) + 1)
		names[i] = name;
	qsort(names, s->n, sizeof(*names), pick_order);
	buf_init(&sorted, s->q->max);
	for (i = 0; i < s->n && !sorted.failed; i++)
		buf_append(&sorted, names[i], strlen(names[i]) + 1);
	if (sorted.failed) { /* the last one did not fit, or memory is out */
		s->more = true;
		i--;
	}
	if (i == 0)
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	if (s->more)
		memcpy(s->upto, names[i - 1], strlen(names[i - 1]) + 1);
	s->n = i;
	buf_free(&s->text);
	s->text = sorted;
	s->text.max = 2 * s->q->max;
	s->text.failed = false;
	return 0;
}

static int pick_add(struct pick_scan *s, const char *name, struct sa_err *err)
{
	size_t size = strlen(name) + 1;
	int rc;

	if (s->text.len + size > s->text.max && (rc = pick_settle(s, err)) != 0)
		return rc;
	buf_append(&s->text, name, size);
	if (s->text.failed)
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	s->n++;
	return 0;
}

/* Whether key and name make an object key; others are told by whoever walks the tree. */
static bool pick_is_key(const char *dir, const char *name)
{
	char key[STORE_MAX_KEY + NAME_MAX + 2];
	size_t n = strlen(dir);

	if (n > STORE_MAX_KEY)
		return false;
	memcpy(key, dir, n);
	memcpy(key + n, name, strlen(name) + 1);
	return store_key_valid(key);
}

static bool pick_is_file(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_REG;
	return fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Later than what the chunk can still take. */
static bool pick_is_late(struct pick_scan *s, const char *name)
{
	if (!*s->upto || strcmp(name, s->upto) <= 0)
		return false;
	s->more = true;
	return true;
}

/* A directory that was removed meanwhile reads as ENOENT. */
static int pick_read(int dir, struct pick_scan *s, struct sa_err *err)
{
	_cleanup_closedir_ DIR *list = NULL;
	_cleanup_close_ int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct pick_query *q = s->q;
	struct dirent *e;
	int rc;

	if (fd < 0 || !(list = fdopendir(fd)))
		return errno == ENOENT ? 0 : sa_fail_errno(err, "spool: list directory");
	(void)TAKE_FD(fd);
	while (errno = 0, (e = readdir(list)) != NULL) {
		if (e->d_name[0] == '.' || (q->after && strcmp(e->d_name, q->after) <= 0) ||
		    (q->without && slice_ends(slice_of(e->d_name), q->without)) ||
		    pick_is_late(s, e->d_name) || !pick_is_file(dir, e) ||
		    !pick_is_key(q->dir, e->d_name))
			continue;
		if ((rc = pick_add(s, e->d_name, err)) != 0)
			return rc;
	}
	if (errno != 0 && errno != ENOENT)
		return sa_fail_errno(err, "spool: read directory");
	return pick_settle(s, err);
}

static void pick_give(struct pick_scan *s, struct pick_names *out)
{
	pick_free(out);
	*out = (struct pick_names){s->text.data, s->text.len, 0, s->more};
	s->text = (struct buf){0};
}

int pick_any(int dir_fd, const struct pick_query *q, struct pick_names *out, struct sa_err *err)
{
	_cleanup_scan_ struct pick_scan s = {.q = q};
	int rc;

	buf_init(&s.text, 2 * q->max);
	if ((rc = pick_read(dir_fd, &s, err)) == 0)
		pick_give(&s, out);
	return rc;
}

/* Read twice: one pass over a directory may show a new file and miss an older one that appeared
 * while it ran. What is older than a file of the first pass is there for all of the second. */
int pick_ordered(int dir_fd, const struct pick_query *q, struct pick_names *out, struct sa_err *err)
{
	_cleanup_(pick_free) struct pick_names first = {0};
	_cleanup_scan_ struct pick_scan s = {.q = q};
	const char *last;
	int rc = pick_any(dir_fd, q, &first, err);

	if (rc != 0)
		return rc;
	buf_init(&s.text, 2 * q->max);
	if ((last = pick_last(&first)) != NULL) {
		memcpy(s.upto, last, strlen(last) + 1);
		rc = pick_read(dir_fd, &s, err);
	}
	if (rc == 0)
		pick_give(&s, out);
	return rc;
}

const char *pick_next(const struct pick_names *names)
{
	return names->at < names->len ? names->text + names->at : NULL;
}

void pick_step(struct pick_names *names)
{
	names->at += strlen(names->text + names->at) + 1;
}

const char *pick_last(const struct pick_names *names)
{
	const char *nul;

	if (names->len == 0)
		return NULL;
	nul = memrchr(names->text, '\0', names->len - 1);
	return nul ? nul + 1 : names->text;
}

void pick_free(struct pick_names *names)
{
	free(names->text);
	*names = (struct pick_names){0};
}
