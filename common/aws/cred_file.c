/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "common/aws/credentials_internal.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "common/log.h"

#define CRED_READ_ROOM 16384 /* of fdio_read_all at a time */

void cred_buf_wipe(struct buf *b)
{
	if (b->data)
		OPENSSL_cleanse(b->data, b->cap);
	buf_free(b);
}

/* Symbolic links are followed: in a home directory and in what Kubernetes mounts they are usual. */
static int cred_open(const char *path, struct stat *st, struct sa_err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		close(fd);
		sa_fail(err, SA_ERR_INVALID, "%s: not a regular file", path);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

/* With all the room taken before: growing would leave copies of a secret behind. */
static int cred_read(int fd, const char *path, const struct stat *st, size_t max, struct buf *out,
		     struct sa_err *err)
{
	size_t room = st->st_size < (off_t)max ? (size_t)st->st_size : max;
	int rc;

	buf_init(out, max + CRED_READ_ROOM);
	if (!buf_reserve(out, room + CRED_READ_ROOM))
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	rc = fdio_read_all(fd, max, out, err);
	if (rc == SA_ERR_TOOBIG)
		return sa_fail(err, SA_ERR_INVALID, "%s: more than %zu bytes", path, max);
	return rc < 0 ? sa_wrap(err, rc, "%s", path) : 0;
}

void cred_file_warn(const struct cred_file *f)
{
	if (!f->there || !(f->mode & (S_IROTH | S_IWOTH)) ||
	    !memmem(f->text.data, f->text.len, "secret", 6))
		return;
	log_warn("event=credentials_exposed file=%s mode=%04o reason=\"every user can read or "
		 "change the secrets in it\" action=\"chmod 600 it, and make new keys\"",
		 f->path, (unsigned)f->mode & 07777);
}

/* Fills in an f that has path and kind. A file that is not there is fine; one that may not be read
 * is said to be so: whether that matters is the caller's. */
int cred_file_load(struct cred_file *f, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc;

	if (!f->path || strcmp(f->path, "/dev/null") == 0) /* a usual way to say "none" */
		return 0;
	fd = cred_open(f->path, &st, err);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 && errno == EACCES) {
		f->unreadable = true;
		return 0;
	}
	if (fd < 0)
		return errno == EINVAL ? SA_ERR_INVALID : sa_fail_errno(err, "open %s", f->path);
	rc = cred_read(fd, f->path, &st, CRED_PROFILE_MAX_TEXT, &f->text, err);
	if (rc == 0)
		rc = cred_profile_read(f->path, buf_slice(&f->text), f->kind, NULL, NULL, err);
	if (rc < 0) {
		cred_buf_wipe(&f->text);
		return rc;
	}
	f->there = true;
	f->mode = st.st_mode;
	return 0;
}

void cred_file_free(struct cred_file *f)
{
	cred_buf_wipe(&f->text);
	free(f->path);
	*f = (struct cred_file){0};
}

void cred_files_free(struct cred_files *f)
{
	cred_file_free(&f->credentials);
	cred_file_free(&f->config);
}

/* given: what the environment says; below: the usual place in a home directory. *out stays NULL
 * when there is no home. */
static int cred_path(const struct aws_chain *c, const char *given, const char *below, char **out)
{
	const char *home = cred_env(c, "HOME");
	bool at_home = !given || strncmp(given, "~/", 2) == 0;
	int n;

	if (at_home && (!home || home[0] != '/'))
		return 0;
	n = at_home ? asprintf(out, "%s/%s", home, given ? given + 2 : below)
		    : asprintf(out, "%s", given);
	if (n >= 0)
		return 0;
	*out = NULL;
	return SA_ERR_NOMEM;
}

static int cred_locate(struct aws_chain *c, struct cred_file *f, const char *variable,
		       const char *below, struct sa_err *err)
{
	const char *given = cred_env(c, variable);
	int rc = cred_path(c, given, below, &f->path);

	if (rc < 0)
		return sa_fail(err, rc, "out of memory");
	if (given && !f->path)
		return sa_fail(err, SA_ERR_INVALID, "%s: ~ without HOME", variable);
	rc = cred_file_load(f, err);
	if (rc == 0 && f->unreadable && given)
		return sa_fail(err, SA_ERR_PERM, "%s: %s may not be read", variable, f->path);
	return rc;
}

int cred_files_load(struct aws_chain *c, struct cred_files *out, struct sa_err *err)
{
	int rc;

	*out = (struct cred_files){.credentials.kind = CRED_CREDENTIALS,
				   .config.kind = CRED_CONFIG};
	rc = cred_locate(c, &out->credentials, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials",
			 err);
	if (rc == 0)
		rc = cred_locate(c, &out->config, "AWS_CONFIG_FILE", ".aws/config", err);
	if (rc < 0)
		cred_files_free(out);
	return rc;
}

int cred_read_token(const char *path, struct buf *out, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = cred_open(path, &st, err);
	if (fd < 0)
		return errno == EINVAL ? SA_ERR_INVALID : sa_fail_errno(err, "open %s", path);
	return cred_read(fd, path, &st, CRED_MAX_TOKEN, out, err);
}
