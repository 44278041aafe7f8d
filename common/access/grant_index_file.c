/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "common/access/grant_index_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

static const char index_magic[8] = "sagidx1";

/* FNV-1a over words. Not against an adversary: a collision costs a look at one file more. */
uint64_t index_hash(uint64_t seed, const void *p, size_t n)
{
	const char *at = p;
	uint64_t h = seed ^ 0xcbf29ce484222325;

	for (; n > 0;) {
		uint64_t word = 0;
		size_t take = n < sizeof(word) ? n : sizeof(word);

		memcpy(&word, at, take);
		h = (h ^ word) * 0x100000001b3;
		h ^= h >> 29;
		at += take;
		n -= take;
	}
	h *= 0x9e3779b97f4a7c15;
	return h ^ h >> 32;
}

uint64_t index_key_hash(char kind, const char *text)
{
	size_t n = strlen(text);

	return index_hash((uint64_t)(unsigned char)kind << 32 | n, text, n);
}

uint64_t index_identity(const struct index_run *run)
{
	const struct signers *s = run->trust->signers;
	uint64_t h =
		index_hash(sizeof(struct index_head), PACKAGE_VERSION, sizeof(PACKAGE_VERSION));

	h = index_hash(h, &run->trust->owner_uid, sizeof(run->trust->owner_uid));
	for (size_t i = 0; i < run->n_dirs; i++)
		h = index_hash(h, run->dirs[i], strlen(run->dirs[i]) + 1);
	for (size_t i = 0; s && i < s->len; i++) {
		unsigned char raw[64] = {0};
		size_t n = sizeof(raw);

		if (EVP_PKEY_get_raw_public_key(s->keys[i], raw, &n) == 1)
			h = index_hash(h, raw, n);
	}
	return h;
}

static size_t keys_len(const struct index_head *head)
{
	return (size_t)head->bucket_end[INDEX_BUCKETS - 1] * sizeof(struct index_key);
}

static uint64_t head_sum(const struct index_head *head)
{
	size_t start = offsetof(struct index_head, identity);

	return index_hash(0, (const char *)head + start, sizeof(*head) - start);
}

void index_head_finish(struct index_head *head)
{
	memcpy(head->magic, index_magic, sizeof(index_magic));
	head->sum = head_sum(head);
}

/* The sum says that these bytes are what was written; the bounds, that nothing is read beyond the
 * file whatever was written. */
static bool head_ok(const struct index_head *head, uint64_t size, const struct index_run *run)
{
	if (memcmp(head->magic, index_magic, sizeof(index_magic)) != 0 ||
	    head->sum != head_sum(head) || head->identity != index_identity(run) ||
	    head->n_dirs != run->n_dirs)
		return false;
	for (size_t i = 1; i < INDEX_BUCKETS; i++)
		if (head->bucket_end[i] < head->bucket_end[i - 1])
			return false;
	return size <= INDEX_MAX_BYTES && head->records_len <= size && head->groups_len <= size &&
	       sizeof(*head) + keys_len(head) + head->groups_len + head->records_len == size;
}

static bool read_at(const struct index *ix, uint64_t at, void *out, size_t n)
{
	if (ix->fd >= 0)
		return pread(ix->fd, out, n, (off_t)at) == (ssize_t)n;
	if (at > ix->image.len || n > ix->image.len - at)
		return false;
	memcpy(out, ix->image.ptr + at, n);
	return true;
}

bool index_open(struct index *ix, const char *path, const struct index_run *run)
{
	_cleanup_close_ int fd =
		open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct index opened = {.fd = fd};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_uid != run->trust->owner_uid || (st.st_mode & 077) || st.st_nlink > 1 ||
	    !read_at(&opened, 0, &opened.head, sizeof(opened.head)) ||
	    !head_ok(&opened.head, (uint64_t)st.st_size, run))
		return false;
	(void)TAKE_FD(fd);
	*ix = opened;
	return true;
}

void index_close(struct index *ix)
{
	if (ix->fd >= 0)
		close(ix->fd);
	ix->fd = -1;
}

struct index index_in_memory(const struct buf *image)
{
	struct index ix = {.fd = -1, .image = buf_slice(image)};

	read_at(&ix, 0, &ix.head, sizeof(ix.head));
	return ix;
}

int index_find(const struct index *ix, uint64_t hash, struct buf *out)
{
	_cleanup_buf_ struct buf keys = {0};
	size_t bucket = hash >> 56;
	size_t first = bucket ? ix->head.bucket_end[bucket - 1] : 0;
	size_t n = ix->head.bucket_end[bucket] - first;
	size_t size = n * sizeof(struct index_key);
	struct index_key *items;

	if (n == 0)
		return 0;
	buf_init(&keys, INDEX_MAX_BYTES);
	items = (struct index_key *)(void *)buf_reserve(&keys, size);
	if (!items)
		return SA_ERR_NOMEM;
	if (!read_at(ix, sizeof(ix->head) + first * sizeof(*items), items, size) ||
	    index_hash(0, items, size) != ix->head.bucket_sum[bucket])
		return SA_ERR_INVALID;
	for (size_t i = 0; i < n; i++)
		if (items[i].hash == hash)
			buf_append(out, &items[i], sizeof(items[i]));
	return out->failed ? SA_ERR_NOMEM : 0;
}

int index_read_records(const struct index *ix, uint64_t at, uint64_t len, struct buf *out)
{
	uint64_t start = sizeof(ix->head) + keys_len(&ix->head);
	char *to;

	if (at > ix->head.records_len || len > ix->head.records_len - at)
		return SA_ERR_INVALID;
	if (len == 0)
		return 0;
	to = buf_reserve(out, len);
	if (!to)
		return SA_ERR_NOMEM;
	if (!read_at(ix, start + at, to, len))
		return SA_ERR_INVALID;
	out->len += len;
	return 0;
}

int index_read_groups(const struct index *ix, struct buf *out)
{
	uint64_t len = ix->head.groups_len;
	char *to = buf_reserve(out, len);

	if (!to)
		return SA_ERR_NOMEM;
	if (!read_at(ix, sizeof(ix->head) + keys_len(&ix->head) + ix->head.records_len, to, len) ||
	    index_hash(0, to, len) != ix->head.groups_sum || to[len - 1] != 0)
		return SA_ERR_INVALID;
	out->len += len;
	return 0;
}

const uint64_t *index_record_keys(const struct index_record *r)
{
	return (const uint64_t *)(const void *)(r + 1);
}

const char *index_record_name(const struct index_record *r)
{
	return (const char *)(index_record_keys(r) + r->n_keys);
}

const char *index_record_groups(const struct index_record *r)
{
	return index_record_name(r) + r->name_len + 1;
}

size_t index_record_size(const struct index_record *r)
{
	size_t text = (size_t)r->name_len + 1 + r->groups_len;

	return sizeof(*r) + r->n_keys * sizeof(uint64_t) + ((text + 7) & ~(size_t)7);
}

const struct index_record *index_record_check(const struct index_head *head, const char *p,
					      size_t len)
{
	const struct index_record *r = (const struct index_record *)(const void *)p;
	size_t size = len < sizeof(*r) ? 0 : index_record_size(r);
	const char *name;

	if (size == 0 || size > len || r->dir >= head->n_dirs || r->name_len == 0 ||
	    r->name_len > NAME_MAX || r->sum != index_hash(0, &r->stamp, size - sizeof(r->sum)))
		return NULL;
	name = index_record_name(r);
	if (r->groups_len > 0 && index_record_groups(r)[r->groups_len - 1] != 0)
		return NULL;
	return strnlen(name, r->name_len + 1) == r->name_len && !strchr(name, '/') ? r : NULL;
}

/* A limit on the size of files, which pam_limits may have set, would end the login with SIGXFSZ. */
static int check_limit(size_t n, struct sa_err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    n > limit.rlim_cur)
		return sa_fail(err, SA_ERR_TOOBIG, "%zu bytes are over the limit of file sizes", n);
	return 0;
}

/* Not fdio_replace_file: what is lost at a crash is made anew, so there is nothing to fsync. */
int index_write(const char *path, const struct buf *image, struct sa_err *err)
{
	char tmp[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int n = snprintf(tmp, sizeof(tmp), "%s.%ld-%lld", path, (long)getpid(),
			 (long long)clock_mono_ms());
	int rc = check_limit(image->len, err);

	if (rc < 0)
		return rc;
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return sa_fail(err, SA_ERR_TOOBIG, "name too long");
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return sa_fail_errno(err, "create a temporary file");
	rc = fdio_write_all(fd, image->data, image->len, err);
	if (rc == 0 && rename(tmp, path) < 0)
		rc = sa_fail_errno(err, "rename");
	if (rc < 0)
		unlink(tmp);
	return rc;
}

/* Eight bytes at their boundary; were they torn, they would be a time that is not believed, or one
 * within the interval that is not yet over. */
void index_touch(const struct index *ix, int64_t now_boot_ms)
{
	const size_t at = offsetof(struct index_head, sweep_ms);
	ssize_t done = -1;

	if (check_limit(at + sizeof(now_boot_ms), NULL) == 0)
		done = pwrite(ix->fd, &now_boot_ms, sizeof(now_boot_ms), (off_t)at);
	(void)done; /* then the next login compares again */
}
