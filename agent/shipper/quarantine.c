/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "common/log.h"
#include "common/store/store.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DIR_MODE 0775 /* the collector counts the bytes; nobody else comes into the spool */
#define REASON_MODE 0640
#define REASON_MAX 4096

bool quarantine_is_reason(const char *name)
{
	struct slice s = slice_of(name);

	return s.len >= sizeof(QUARANTINE_REASON) && slice_ends(s, QUARANTINE_REASON);
}

/* The first component of key; what follows its slash, NULL when it is the last one. */
static const char *first_part(const char *key, char part[NAME_MAX + 1])
{
	const char *slash = strchr(key, '/');
	int n = slash ? (int)(slash - key) : (int)strlen(key);

	snprintf(part, NAME_MAX + 1, "%.*s", n, key);
	return slash ? slash + 1 : NULL;
}

/* A valid key of which each component can be a file's name. */
static bool can_be_path(const char *key)
{
	if (!store_key_valid(key))
		return false;
	for (const char *p = key; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n > NAME_MAX)
			return false;
		p += n;
	}
	return true;
}

/* Makes the directory that key lies in, step by step, so that no link is followed; *base is key's
 * last component. */
static int make_parent(int root_fd, const char *key, int *out, const char **base,
		       struct sa_err *err)
{
	_cleanup_close_ int at = openat(root_fd, ".", OPEN_DIR);
	char part[NAME_MAX + 1];
	const char *rest;

	if (at < 0)
		return sa_fail_errno(err, "open directory");
	for (; (rest = first_part(key, part)) != NULL; key = rest) {
		_cleanup_close_ int above = TAKE_FD(at);
		bool made = mkdirat(above, part, DIR_MODE) == 0;

		if (!made && errno != EEXIST)
			return sa_fail_errno(err, "create directory %s", part);
		at = openat(above, part, OPEN_DIR);
		if (at < 0)
			return sa_fail_errno(err, "open directory %s", part);
		if (made)
			(void)fchmod(at, DIR_MODE); /* whatever the umask is */
	}
	*out = TAKE_FD(at);
	*base = key;
	return 0;
}

static int move_into(int dir_fd, const char *name, int root_fd, const char *key, int *parent,
		     const char **base, struct sa_err *err)
{
	_cleanup_close_ int to = -1;
	int rc;

	if (!can_be_path(key))
		return sa_fail(err, SA_ERR_INVALID, "move out of the way: not a valid object key");
	if ((rc = make_parent(root_fd, key, &to, base, err)) != 0)
		return sa_wrap(err, rc, "move %s out of the way", key);
	if (renameat(dir_fd, name, to, *base) != 0)
		return sa_fail_errno(err, "move %s out of the way", key);
	*parent = TAKE_FD(to);
	return 0;
}

int quarantine_move(int dir_fd, const char *name, int root_fd, const char *key, struct sa_err *err)
{
	_cleanup_close_ int parent = -1;
	const char *base;

	return move_into(dir_fd, name, root_fd, key, &parent, &base, err);
}

/* Best effort: the log has the reason too, and a disk that is full for it must not leave the object
 * in the way of the others. */
static void write_reason(int parent, const char *base, const char *why, int64_t now_ms)
{
	static struct log_limit limit = {.burst = 5};
	char name[NAME_MAX + sizeof(QUARANTINE_REASON)], time[CLOCK_TEXT_SIZE];
	_cleanup_buf_ struct buf line = {0};
	struct sa_err err = {0};

	snprintf(name, sizeof(name), "%s" QUARANTINE_REASON, base);
	clock_format_utc(now_ms, time);
	buf_init(&line, REASON_MAX);
	buf_printf(&line, "%s ", time);
	escape_terminal(&line, slice_of(why));
	buf_putc(&line, '\n');
	if (fdio_replace_file(parent, name, line.data, line.len, REASON_MODE, &err) != 0)
		log_limited(&limit, LOG_LEVEL_WARN, "event=reason-not-kept reason=\"%s\"", err.msg);
}

int quarantine_put(int dir_fd, const char *name, int root_fd, const char *key, const char *why,
		   int64_t now_ms, struct sa_err *err)
{
	_cleanup_close_ int parent = -1;
	const char *base;
	int rc = move_into(dir_fd, name, root_fd, key, &parent, &base, err);

	if (rc == 0)
		write_reason(parent, base, why, now_ms);
	return rc;
}

/* Below dir; one level deeper for each component of a valid key, so at most STORE_MAX_DEPTH. */
static void remove_below(int dir, const char *key)
{
	char part[NAME_MAX + 1], reason[NAME_MAX + sizeof(QUARANTINE_REASON)];
	const char *rest = first_part(key, part);
	_cleanup_close_ int sub = -1;

	if (!rest) {
		snprintf(reason, sizeof(reason), "%s" QUARANTINE_REASON, part);
		unlinkat(dir, part, 0);
		unlinkat(dir, reason, 0);
		return;
	}
	sub = openat(dir, part, OPEN_DIR);
	if (sub < 0)
		return;
	remove_below(sub, rest);
	unlinkat(dir, part, AT_REMOVEDIR); /* stays while it holds something */
}

void quarantine_remove(int root_fd, const char *key)
{
	if (can_be_path(key))
		remove_below(root_fd, key);
}

static bool changed_before(const struct stat *st, int64_t until_ms)
{
	return clock_ms(&st->st_ctim) < until_ms;
}

static uint64_t prune_below(int dir, int64_t until_ms, unsigned depth);

/* How many files stay of this entry: one, none, or those of a directory. */
static uint64_t prune_entry(int dir, const char *name, int64_t until_ms, unsigned depth)
{
	struct stat st;
	uint64_t stay;
	int sub;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno != ENOENT;
	if (!S_ISDIR(st.st_mode))
		return !changed_before(&st, until_ms) || unlinkat(dir, name, 0) != 0;
	/* No key leads deeper: nothing of ours. */
	if (depth == STORE_MAX_DEPTH || (sub = openat(dir, name, OPEN_DIR)) < 0)
		return 0;
	stay = prune_below(sub, until_ms, depth + 1);
	if (stay == 0)
		unlinkat(dir, name, AT_REMOVEDIR);
	return stay;
}

/* Takes dir. */
static uint64_t prune_below(int dir, int64_t until_ms, unsigned depth)
{
	_cleanup_closedir_ DIR *list = fdopendir(dir);
	const struct dirent *e;
	uint64_t stay = 0;

	if (!list) {
		close(dir);
		return 0;
	}
	while ((e = readdir(list)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			stay += prune_entry(dirfd(list), e->d_name, until_ms, depth);
	return stay;
}

uint64_t quarantine_prune(int root_fd, int64_t until_ms)
{
	int dir = openat(root_fd, ".", OPEN_DIR);

	return dir < 0 ? 0 : prune_below(dir, until_ms, 1);
}
