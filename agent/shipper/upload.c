/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/shipper/pick.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/log.h"

#define CONFLICT_DIGITS 8

static struct log_limit failed_limit = {.burst = 30};
static struct log_limit recovered_limit = {.burst = 30};
static struct log_limit odd_limit = {.burst = 3};

/* FNV-1a. A collision makes two directories share a pause, nothing worse. */
static uint64_t upload_hash(const char *dir, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)dir[i]) * 0x100000001b3u;
	return h;
}

static uint32_t upload_random(void)
{
	uint32_t v = 0;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != (ssize_t)sizeof(v))
		v = (uint32_t)clock_real_ms() * 2654435761u;
	return v;
}

static struct upload_failing *upload_find(struct upload *u)
{
	for (size_t i = 0; i < u->n_failing; i++)
		if (u->failing[i].dir == u->dir)
			return &u->failing[i];
	return NULL;
}

static void upload_stays(struct upload *u, const struct sa_err *why)
{
	u->left++;
	u->reason = *why;
}

static enum pick_next upload_failed(struct upload *u, const char *key, const struct sa_err *why)
{
	struct upload_failing *f = upload_find(u);

	upload_stays(u, why);
	if (!f && u->n_failing < UPLOAD_MAX_FAILING) {
		f = &u->failing[u->n_failing++];
		*f = (struct upload_failing){.dir = u->dir, .pass = u->pass};
		log_limited(&failed_limit, LOG_LEVEL_WARN, "event=put-failed key=%s reason=\"%s\"",
			    key, why->msg);
	}
	if (f)
		retry_failed(&f->retry, &u->policy, clock_mono_ms(), upload_random());
	return PICK_LEAVE;
}

static void upload_worked(struct upload *u, const char *key)
{
	struct upload_failing *f = upload_find(u);

	u->shipped++;
	if (!f)
		return;
	log_limited(&recovered_limit, LOG_LEVEL_INFO, "event=put-recovered key=%s failures=%u", key,
		    f->retry.failures);
	*f = u->failing[--u->n_failing];
}

static int upload_digest(int fd, size_t size, char out[DIGEST_HEX_SIZE], struct sa_err *err)
{
	_cleanup_digest_ struct digest *d = digest_new();
	char chunk[65536];
	ssize_t n = 0;

	if (!d)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	for (size_t off = 0; off < size; off += (size_t)n) {
		n = pread(fd, chunk, sizeof(chunk), (off_t)off);
		if (n <= 0)
			return sa_fail(err, SA_ERR_IO, "spool: read object");
		digest_add(d, (struct slice){chunk, (size_t)n});
	}
	digest_final_hex(d, out);
	return 0;
}

/* Nobody but this host writes this key, so other content under it is worth an alarm: a forged
 * object, a cloned machine, or our own fault. Both are kept. */
static int upload_conflict(struct upload *u, const char *key, int fd, size_t size,
			   struct sa_err *err)
{
	char hex[DIGEST_HEX_SIZE], other[STORE_MAX_KEY + 32];
	int rc;

	if ((rc = upload_digest(fd, size, hex, err)) != 0)
		return rc;
	snprintf(other, sizeof(other), "%s.conflict-%.*s", key, CONFLICT_DIGITS, hex);
	rc = store_put_once(u->store, other, fd, size, err);
	if (rc == 0)
		log_err("event=conflict key=%s stored_as=%s reason=\"the key holds other content\"",
			key, other);
	return rc;
}

static int upload_put(struct upload *u, int dir_fd, const char *key, const char *name,
		      struct sa_err *err)
{
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) != 0)
		return sa_fail_errno(err, "spool: open object");
	if (!S_ISREG(st.st_mode))
		return sa_fail(err, SA_ERR_INVALID, "spool: not a regular file");
	rc = store_put_once(u->store, key, fd, (size_t)st.st_size, err);
	if (rc == SA_ERR_EXISTS)
		rc = upload_conflict(u, key, fd, (size_t)st.st_size, err);
	if (rc == 0 && unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT)
		rc = sa_fail_errno(err, "spool: remove the stored object");
	return rc;
}

static enum pick_next upload_enter(void *ctx, const char *dir)
{
	struct upload *u = ctx;
	struct upload_failing *f;

	if (!u->turn(u->turn_ctx))
		return PICK_STOP;
	u->dir = upload_hash(dir, strlen(dir));
	f = upload_find(u);
	if (f)
		f->pass = u->pass;
	if (u->force)
		return PICK_GO;
	if (f ? retry_due(&f->retry, clock_mono_ms()) : u->n_failing < UPLOAD_MAX_FAILING)
		return PICK_GO;
	return PICK_LEAVE;
}

static enum pick_next upload_object(void *ctx, int dir_fd, const char *key, const char *name)
{
	struct upload *u = ctx;
	struct sa_err err = {0};

	if (!u->turn(u->turn_ctx))
		return PICK_STOP;
	if (upload_put(u, dir_fd, key, name, &err) != 0)
		return upload_failed(u, key, &err);
	upload_worked(u, key);
	return PICK_GO;
}

static void upload_odd(void *ctx, const char *key, const char *why)
{
	struct upload *u = ctx;
	struct sa_err err = {0};

	sa_fail(&err, SA_ERR_INVALID, "%s", why);
	upload_stays(u, &err);
	log_limited(&odd_limit, LOG_LEVEL_ERR, "event=not-shippable key=%s reason=\"%s\"", key,
		    why);
}

/* Forgets failures of directories that are no longer there. */
static void upload_prune(struct upload *u)
{
	for (size_t i = u->n_failing; i-- > 0;)
		if (u->failing[i].pass != u->pass)
			u->failing[i] = u->failing[--u->n_failing];
}

int upload_pass(struct upload *u, int ready_fd, struct sa_err *err)
{
	static const struct pick_ops ops = {upload_enter, upload_object, upload_odd};
	int rc;

	u->pass++;
	u->shipped = u->left = 0;
	rc = pick_walk(ready_fd, &ops, u, err);
	if (rc == 0 && u->turn(u->turn_ctx))
		upload_prune(u);
	return rc;
}
