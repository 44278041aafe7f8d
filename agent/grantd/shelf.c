/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/access/signed.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/fdio.h"

#define SHELF_MODE 0644         /* no secrets: the module reads it as whoever the service runs as */
#define SHELF_TEMPORARY ".tmp-" /* fdio.c */

int shelf_open(const char *run_dir, int *fd, struct sa_err *err)
{
	_cleanup_close_ int run = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dir;

	if (run < 0)
		return sa_fail_errno(err, "open %s", run_dir);
	dir = openat(run, "grants.d", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return sa_fail_errno(err, "open %s/grants.d (sessauditd makes it at its start)",
				     run_dir);
	*fd = dir;
	return 0;
}

int shelf_name(const char *grant_id, char out[SHELF_NAME_SIZE], struct sa_err *err)
{
	_cleanup_buf_ struct buf name = {0};

	buf_init(&name, SHELF_NAME_SIZE - 1);
	if (*grant_id == '.') { /* hidden files are no grants */
		buf_puts(&name, "%2E");
		grant_id++;
	}
	escape_key_part(&name, slice_of(grant_id)); /* at most 200 bytes, no '/' */
	buf_puts(&name, SHELF_SUFFIX);
	snprintf(out, SHELF_NAME_SIZE, "%s", buf_cstr(&name));
	return name.failed ? sa_fail(err, SA_ERR_NOMEM, "out of memory") : 0;
}

int shelf_list(int fd, struct trusted_names *out, struct sa_err *err)
{
	return trusted_dir_names(fd, SHELF_SUFFIX, SHELF_MAX_FILES, out, err);
}

int shelf_read(int fd, const char *name, struct buf *out, struct sa_err *err)
{
	return trusted_read(fd, name, geteuid(), SIGNED_MAX_BYTES, out, err);
}

int shelf_put(int fd, const char *name, struct slice envelope, bool *written, struct sa_err *err)
{
	_cleanup_buf_ struct buf old = {0};
	int rc;

	buf_init(&old, SIGNED_MAX_BYTES + 1);
	*written = shelf_read(fd, name, &old, NULL) != 0 || !slice_eq(buf_slice(&old), envelope);
	if (!*written)
		return 0;
	rc = fdio_replace_file(fd, name, envelope.ptr, envelope.len, SHELF_MODE, err);
	return rc == 0 ? 0 : sa_wrap(err, rc, "grants.d");
}

/* In a sticky directory the kernel refuses what another user owns; this is for those that are not.
 */
static bool shelf_owns(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_uid == geteuid();
}

int shelf_remove(int fd, const char *name, struct sa_err *err)
{
	if (!shelf_owns(fd, name))
		return sa_fail(err, SA_ERR_PERM, "grants.d/%s: belongs to another user", name);
	if (unlinkat(fd, name, 0) != 0 && errno != ENOENT)
		return sa_fail_errno(err, "remove grants.d/%s", name);
	return 0;
}

void shelf_sweep(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((e = readdir(dir)))
		if (slice_starts(slice_of(e->d_name), SHELF_TEMPORARY))
			(void)shelf_remove(fd, e->d_name, NULL);
}
