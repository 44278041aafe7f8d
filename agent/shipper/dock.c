/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/dock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/boot_id.h"
#include "common/cleanup.h"

static int dock_sub(const struct dock *d, const char *spool, const char *name, int *out,
		    struct sa_err *err)
{
	*out = openat(d->spool_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *out < 0 ? sa_fail_errno(err, "open spool %s/%s", spool, name) : 0;
}

/* The supervisor makes them with the right owners; without it they are the caller's. */
static int dock_own_sub(const struct dock *d, const char *spool, const char *name, int *out,
			bool *made, struct sa_err *err)
{
	*made = mkdirat(d->spool_fd, name, 0770) == 0;
	if (!*made && errno != EEXIST)
		return sa_fail_errno(err, "create directory %s/%s", spool, name);
	return dock_sub(d, spool, name, out, err);
}

/* The kernel drops the lock with the process, so that a lock file that is left over is none. */
static int dock_lock(struct dock *d, const char *spool, struct sa_err *err)
{
	d->lock_fd = openat(d->ship_fd, "lock",
			    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	if (d->lock_fd < 0)
		return sa_fail_errno(err, "open %s/ship/lock", spool);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return sa_fail(err, SA_ERR_EXISTS, "another shipper has the spool %s", spool);
	return sa_fail_errno(err, "lock %s/ship/lock", spool);
}

/* anew: there was no ship/, so that nothing of this spool was ever tried. */
static int dock_attempts(struct dock *d, bool anew, struct sa_err *err)
{
	char boot_id[BOOT_ID_SIZE] = "";
	int rc;

	(void)boot_id_read(boot_id, NULL);
	rc = attempts_open(d->ship_fd, boot_id, &d->attempts, err);
	if (rc == 0 && anew)
		attempts_all_new(d->attempts);
	return rc;
}

static int dock_fill(struct dock *d, const char *spool, struct sa_err *err)
{
	bool made = false;
	int rc;

	d->spool_fd = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->spool_fd < 0)
		return sa_fail_errno(err, "open spool %s", spool);
	if ((rc = dock_sub(d, spool, "ready", &d->ready_fd, err)) != 0 ||
	    (rc = dock_own_sub(d, spool, "quarantine", &d->quarantine_fd, &made, err)) != 0 ||
	    (rc = dock_own_sub(d, spool, "sent", &d->sent_fd, &made, err)) != 0 ||
	    (rc = dock_own_sub(d, spool, "ship", &d->ship_fd, &made, err)) != 0 ||
	    (rc = dock_lock(d, spool, err)) != 0)
		return rc;
	return dock_attempts(d, made, err);
}

int dock_open(struct dock *d, const char *spool, struct sa_err *err)
{
	int rc;

	*d = DOCK_CLOSED;
	rc = dock_fill(d, spool, err);
	if (rc != 0)
		dock_close(d);
	return rc;
}

void dock_close(struct dock *d)
{
	const int fds[] = {d->spool_fd, d->ready_fd, d->quarantine_fd,
			   d->sent_fd,  d->ship_fd,  d->lock_fd};

	attempts_close(d->attempts);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*d = DOCK_CLOSED;
}

bool dock_is_elsewhere(const struct dock *d, const char *spool)
{
	_cleanup_close_ int fd = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat have, want;

	return fd >= 0 && fstat(d->ready_fd, &have) == 0 &&
	       fstatat(fd, "ready", &want, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (have.st_dev != want.st_dev || have.st_ino != want.st_ino);
}
