/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"

enum walk_kind { WALK_FILE, WALK_SUBDIR, WALK_OTHER };

static struct walk_level *walk_top(struct walk *w)
{
	return &w->levels[w->depth - 1];
}

/* Opens dir/name as the next level, whose names begin at `at`. */
static int walk_enter(struct walk *w, int dir, const char *name, size_t at)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list)
		return -1;
	(void)TAKE_FD(fd);
	w->levels[w->depth++] = (struct walk_level){.list = list, .at = at};
	return 0;
}

int walk_start(struct walk *w, int root_fd, struct sa_err *err)
{
	walk_stop(w);
	w->key[0] = '\0';
	w->name = w->key;
	return walk_enter(w, root_fd, ".", 0) == 0 ? 0
						   : sa_fail_errno(err, "spool: list directory");
}

/* Back to the level above; an empty directory goes, the collector makes anew what it needs. */
static enum walk_found walk_leave(struct walk *w)
{
	struct walk_level left = *walk_top(w);

	closedir(left.list);
	if (--w->depth == 0)
		return WALK_END;
	w->key[left.at - 1] = '\0';
	if (!left.objects)
		unlinkat(dirfd(walk_top(w)->list), w->key + walk_top(w)->at, AT_REMOVEDIR);
	return WALK_NOTHING;
}

static enum walk_found walk_odd(struct walk *w, const char *why)
{
	w->why = why;
	return WALK_ODD;
}

static enum walk_kind walk_kind(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type == DT_REG)
		return WALK_FILE;
	if (e->d_type == DT_DIR)
		return WALK_SUBDIR;
	if (e->d_type != DT_UNKNOWN || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return WALK_OTHER;
	return S_ISREG(st.st_mode) ? WALK_FILE : S_ISDIR(st.st_mode) ? WALK_SUBDIR : WALK_OTHER;
}

static enum walk_found walk_subdir(struct walk *w)
{
	size_t len = strlen(w->key);

	if (walk_enter(w, walk_dir_fd(w), w->name, len + 1) != 0)
		return errno == ENOENT ? WALK_NOTHING : walk_odd(w, strerror(errno));
	w->key[len] = '/';
	return WALK_NOTHING;
}

/* Depth and length are bounded by store_key_valid, which a directory's key must pass too. */
static enum walk_found walk_entry(struct walk *w, const struct dirent *e)
{
	struct walk_level *top = walk_top(w);
	enum walk_kind kind = walk_kind(dirfd(top->list), e);

	w->name = w->key + top->at;
	memcpy(w->key + top->at, e->d_name, strlen(e->d_name) + 1);
	if (kind == WALK_OTHER)
		return walk_odd(w, "not a regular file");
	if (!store_key_valid(w->key))
		return walk_odd(w, "not a valid object key");
	if (kind == WALK_SUBDIR)
		return walk_subdir(w);
	top->objects = true;
	return top->passed ? WALK_NOTHING : WALK_OBJECT;
}

enum walk_found walk_next(struct walk *w)
{
	struct walk_level *top;
	struct dirent *e;
	int error;

	if (w->depth == 0)
		return WALK_END;
	top = walk_top(w);
	do {
		errno = 0;
		e = readdir(top->list);
		error = errno;
	} while (e && e->d_name[0] == '.');
	if (e)
		return walk_entry(w, e);
	if (error == 0 || error == ENOENT) /* ENOENT: removed meanwhile */
		return walk_leave(w);
	w->key[top->at] = '\0';
	top->objects = true; /* perhaps */
	walk_leave(w);
	return walk_odd(w, strerror(error));
}

int walk_dir_fd(const struct walk *w)
{
	return dirfd(w->levels[w->depth - 1].list);
}

void walk_dir(const struct walk *w, char out[STORE_MAX_KEY + 1])
{
	size_t at = w->levels[w->depth - 1].at;

	memcpy(out, w->key, at);
	out[at] = '\0';
}

void walk_pass_objects(struct walk *w)
{
	walk_top(w)->passed = true;
}

void walk_stop(struct walk *w)
{
	while (w->depth > 0)
		closedir(w->levels[--w->depth].list);
}
