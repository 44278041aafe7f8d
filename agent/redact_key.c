/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/redact_key.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "common/cleanup.h"
#include "common/fdio.h"

static int fill(int fd, const char *path, struct sa_err *err)
{
	unsigned char key[REDACT_KEY_SIZE];
	int rc;

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return sa_fail_errno(err, "%s: getrandom", path);
	rc = fdio_write_all(fd, key, sizeof(key), err);
	OPENSSL_cleanse(key, sizeof(key));
	if (rc == 0 && fsync(fd) != 0)
		rc = sa_fail_errno(err, "%s: fsync", path);
	return rc;
}

/* Opens it, made if it was missing. */
static int open_or_make(const char *path, int *out, bool *made, struct sa_err *err)
{
	*made = true;
	*out = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*out < 0 && errno == EEXIST) {
		*made = false;
		*out = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	}
	return *out < 0 ? sa_fail_errno(err, "%s", path) : 0;
}

static int make(const char *path, int fd, bool made, struct sa_err *err)
{
	_cleanup_free_ char *copy = strdup(path);
	struct stat st;
	int rc;

	if (!copy)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if (fstat(fd, &st) != 0)
		return sa_fail_errno(err, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return sa_fail(err, SA_ERR_INVALID, "%s: not a file of its own; remove it", path);
	if (st.st_size != 0)
		return 0;
	rc = fill(fd, path, err);
	if (rc != 0 && made)
		(void)unlink(path);
	return rc ? rc : fdio_fsync_dir(AT_FDCWD, dirname(copy), err);
}

int redact_key_make(const char *path, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	bool made;
	int rc = open_or_make(path, &fd, &made, err);

	return rc ? rc : make(path, fd, made, err);
}

int redact_key_own(const char *path, uid_t uid, gid_t gid, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	bool made;
	int rc = open_or_make(path, &fd, &made, err);

	if (rc == 0)
		rc = make(path, fd, made, err);
	if (rc == 0 && (fchown(fd, uid, gid) != 0 || fchmod(fd, 0600) != 0))
		rc = sa_fail_errno(err, "%s: change its owner", path);
	return rc;
}

int redact_key_read(const char *path, unsigned char key[REDACT_KEY_SIZE], struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, 4 * REDACT_KEY_SIZE);
	rc = fdio_read_file(AT_FDCWD, path, REDACT_KEY_SIZE, &text, err);
	if (rc == 0 && text.len != REDACT_KEY_SIZE)
		rc = sa_fail(err, SA_ERR_INVALID,
			     "%s: %zu bytes, a key has %d; remove it, a new one is made", path,
			     text.len, REDACT_KEY_SIZE);
	if (rc == 0)
		memcpy(key, text.data, REDACT_KEY_SIZE);
	if (text.data)
		OPENSSL_cleanse(text.data, text.len);
	return rc;
}
