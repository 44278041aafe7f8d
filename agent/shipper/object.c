/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/shipper/quarantine.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/log.h"

#define CHUNK 65536

int object_open(int dir_fd, const char *name, struct object *out, struct sa_err *err)
{
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		errno = ENOENT;
	if (fd < 0 || fstat(fd, &st) != 0)
		return sa_fail_errno(err, "spool: open object");
	if (!S_ISREG(st.st_mode))
		return sa_fail(err, SA_ERR_NOTFOUND, "spool: not a regular file");
	out->size = (uint64_t)st.st_size;
	out->made_ms = clock_ms(&st.st_mtim);
	out->fd = TAKE_FD(fd);
	return 0;
}

void object_close(struct object *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

static int object_digest(const struct object *o, char out[DIGEST_HEX_SIZE], struct sa_err *err)
{
	_cleanup_digest_ struct digest *d = digest_new();
	_cleanup_free_ char *chunk = malloc(CHUNK);
	ssize_t n = 0;

	if (!d || !chunk)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	for (uint64_t off = 0; off < o->size; off += (uint64_t)n) {
		n = pread(o->fd, chunk, CHUNK, (off_t)off);
		if (n <= 0)
			return sa_fail(err, SA_ERR_IO, "spool: read object");
		digest_add(d, (struct slice){chunk, (size_t)n});
	}
	digest_final_hex(d, out);
	return 0;
}

int object_conflict_key(const struct object *o, const char *key, char out[OBJECT_CONFLICT_KEY],
			struct sa_err *err)
{
	char hex[DIGEST_HEX_SIZE];
	int rc = object_digest(o, hex, err);

	if (rc == 0)
		snprintf(out, OBJECT_CONFLICT_KEY, "%s.conflict-%.8s", key, hex);
	return rc;
}

/* A copy that cannot stay (a full disk, say) goes: the store has the object. */
static bool object_keep(const struct object_dirs *d, int dir_fd, const char *name, const char *key)
{
	static struct log_limit limit = {.burst = 1};
	struct sa_err err = {0};

	if (d->sent_fd < 0)
		return false;
	if (quarantine_move(dir_fd, name, d->sent_fd, key, &err) == 0)
		return true;
	log_limited(&limit, LOG_LEVEL_WARN, "event=not-kept key=%s reason=\"%s\"", key, err.msg);
	return false;
}

int object_stored(const struct object_dirs *d, const struct stream *s, const char *name,
		  const char *key, struct sa_err *err)
{
	if (!object_keep(d, s->fd, name, key) && unlinkat(s->fd, name, 0) != 0 && errno != ENOENT)
		return sa_fail_errno(err, "spool: remove the stored object");
	if (s->root == STREAM_QUARANTINE)
		quarantine_remove(d->root_fd[STREAM_QUARANTINE], key);
	return 0;
}
