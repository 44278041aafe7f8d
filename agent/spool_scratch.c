/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * open/ of a scratch spool. Nobody finds its files again, so they need no names on the disk: all
 * share one file without a name, in the order in which they are appended to. Thousands of sessions
 * append a few KiB at a time, which is dear where each opens a file, or writes to a place of its
 * own. The shared file is filled zone by zone, the last one in memory; a zone that nobody has a
 * part in any more is filled again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/spool_internal.h"
#include "common/fdio.h"

#define ZONE 262144
#define NONE SIZE_MAX
#define BUCKETS 4096 /* a power of two */
#define COPY 65536

struct part { /* in one zone */
	size_t zone, at, len;
};

struct scratch_file {
	struct scratch_file *next;
	off_t size;
	struct part *parts; /* in order */
	size_t n, cap;
	char name[];
};

struct zone {
	size_t used;      /* bytes of parts */
	size_t next_free; /* NONE: the last one */
};

struct scratch {
	int fd;
	struct zone *zones;
	size_t n_zones, zones_cap;
	size_t free;      /* the first zone that nobody uses; NONE: all are used */
	size_t now, fill; /* the zone in memory, NONE: there is none; bytes of it that are taken */
	struct scratch_file *files[BUCKETS];
	char memory[ZONE], copy[COPY];
};

int scratch_open(int dir_fd, struct scratch **out, struct sa_err *err)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	s->now = s->free = NONE;
	s->fd = openat(dir_fd, "scratch", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->fd < 0 || unlinkat(dir_fd, "scratch", 0)) {
		int rc = sa_fail_errno(err, "spool: create tmp/scratch");

		scratch_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

static void file_free(struct scratch_file *f)
{
	free(f->parts);
	free(f);
}

void scratch_close(struct scratch *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (s->files[i]) {
			struct scratch_file *f = s->files[i];

			s->files[i] = f->next;
			file_free(f);
		}
	if (s->fd >= 0)
		close(s->fd);
	free(s->zones);
	free(s);
}

/* Where the file of this name is, or would be. */
static struct scratch_file **find(struct scratch *s, const char *name)
{
	struct scratch_file **at;
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *p = name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	at = &s->files[(hash ^ hash >> 16) & (BUCKETS - 1)];
	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static int not_found(const char *name, struct sa_err *err)
{
	return sa_fail(err, SA_ERR_NOTFOUND, "spool: open/%s: no such file", name);
}

static int write_zone(struct scratch *s, struct sa_err *err)
{
	for (size_t done = 0; done < ZONE;) {
		ssize_t n =
			pwrite(s->fd, s->memory + done, ZONE - done, (off_t)(s->now * ZONE + done));

		if (n < 0 && errno != EINTR)
			return sa_fail_errno(err, "spool: write the scratch file");
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static bool add_zone(struct scratch *s)
{
	size_t cap = s->zones_cap ? s->zones_cap * 2 : 64;
	struct zone *p;

	if (s->n_zones == s->zones_cap) {
		p = reallocarray(s->zones, cap, sizeof(*p));
		if (!p)
			return false;
		s->zones = p;
		s->zones_cap = cap;
	}
	s->zones[s->n_zones] = (struct zone){.next_free = s->free};
	s->free = s->n_zones++;
	return true;
}

/* The zone in memory goes to the disk, and another one takes its place. */
static int next_zone(struct scratch *s, struct sa_err *err)
{
	int rc = s->now == NONE ? 0 : write_zone(s, err);

	if (rc)
		return rc;
	if (s->free == NONE && !add_zone(s))
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	s->now = s->free;
	s->free = s->zones[s->now].next_free;
	s->fill = 0;
	return 0;
}

static void give_back(struct scratch *s, const struct part *p, size_t len)
{
	struct zone *z = &s->zones[p->zone];

	z->used -= len;
	if (z->used)
		return;
	if (p->zone == s->now) {
		s->fill = 0;
		return;
	}
	z->next_free = s->free;
	s->free = p->zone;
}

static void cut(struct scratch *s, struct scratch_file *f, off_t size)
{
	while (f->size > size) {
		struct part *last = &f->parts[f->n - 1];
		size_t more = (size_t)(f->size - size), n = more < last->len ? more : last->len;

		give_back(s, last, n);
		last->len -= n;
		f->n -= last->len == 0;
		f->size -= (off_t)n;
	}
}

static struct part *add_part(struct scratch_file *f)
{
	size_t cap = f->cap ? f->cap * 2 : 4;
	struct part *p;

	if (f->n == f->cap) {
		p = reallocarray(f->parts, cap, sizeof(*p));
		if (!p)
			return NULL;
		f->parts = p;
		f->cap = cap;
	}
	return &f->parts[f->n];
}

static int add_bytes(struct scratch *s, struct scratch_file *f, struct slice *p, struct sa_err *err)
{
	struct part *part = add_part(f);
	size_t n;
	int rc = 0;

	if (!part)
		return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
	if ((s->now == NONE || s->fill == ZONE) && (rc = next_zone(s, err)) != 0)
		return rc;
	n = p->len < ZONE - s->fill ? p->len : ZONE - s->fill;
	memcpy(s->memory + s->fill, p->ptr, n);
	*part = (struct part){s->now, s->fill, n};
	s->zones[s->now].used += n;
	s->fill += n;
	f->n++;
	f->size += (off_t)n;
	p->ptr += n;
	p->len -= n;
	return 0;
}

int scratch_append(struct scratch *s, const char *name, off_t at, struct slice p,
		   struct sa_err *err)
{
	struct scratch_file **slot = find(s, name), *f = *slot;
	size_t len = strlen(name) + 1;
	int rc = 0;

	if (!f && at > 0)
		return not_found(name, err);
	if (!f) {
		f = calloc(1, sizeof(*f) + len);
		if (!f)
			return sa_fail(err, SA_ERR_NOMEM, "spool: out of memory");
		memcpy(f->name, name, len);
		*slot = f;
	}
	if (f->size < at)
		return sa_fail(err, SA_ERR_INVALID,
			       "spool: open/%s: %lld bytes are missing at its end", name,
			       (long long)(at - f->size));
	cut(s, f, at);
	while (rc == 0 && p.len)
		rc = add_bytes(s, f, &p, err);
	if (rc)
		cut(s, f, at);
	return rc;
}

static int read_part(struct scratch *s, const struct part *p, size_t from, char *to, size_t n,
		     struct sa_err *err)
{
	if (p->zone == s->now) {
		memcpy(to, s->memory + p->at + from, n);
		return 0;
	}
	while (n) {
		ssize_t r = pread(s->fd, to, n, (off_t)(p->zone * ZONE + p->at + from));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return sa_fail_errno(err, "spool: read the scratch file");
		if (r == 0)
			return sa_fail(err, SA_ERR_IO, "spool: the scratch file was cut off");
		to += r;
		from += (size_t)r;
		n -= (size_t)r;
	}
	return 0;
}

int scratch_read(struct scratch *s, const char *name, struct buf *out, struct sa_err *err)
{
	const struct scratch_file *f = *find(s, name);
	size_t before = out->len;
	int rc = 0;

	if (!f)
		return not_found(name, err);
	if (f->size && !buf_reserve(out, (size_t)f->size))
		return sa_fail(err, SA_ERR_TOOBIG, "spool: open/%s: more than %zu bytes", name,
			       out->max);
	for (size_t i = 0; rc == 0 && i < f->n; i++) {
		const struct part *p = &f->parts[i];

		rc = read_part(s, p, 0, out->data + out->len, p->len, err);
		out->len += p->len;
	}
	if (rc)
		out->len = before;
	return rc;
}

/* A page is some KiB here and some there: they are written in pieces of COPY. */
int scratch_copy(struct scratch *s, const char *name, int fd, struct sa_err *err)
{
	const struct scratch_file *f = *find(s, name);
	size_t have = 0, from = 0;
	int rc = 0;

	if (!f)
		return not_found(name, err);
	for (size_t i = 0; rc == 0 && i < f->n;) {
		const struct part *p = &f->parts[i];
		size_t n = p->len - from < COPY - have ? p->len - from : COPY - have;

		rc = read_part(s, p, from, s->copy + have, n, err);
		have += n;
		from += n;
		if (from == p->len) {
			from = 0;
			i++;
		}
		if (rc == 0 && (have == COPY || i == f->n)) {
			rc = fdio_write_all(fd, s->copy, have, err);
			have = 0;
		}
	}
	return rc;
}

off_t scratch_size(struct scratch *s, const char *name)
{
	const struct scratch_file *f = *find(s, name);

	return f ? f->size : -1;
}

void scratch_remove(struct scratch *s, const char *name)
{
	struct scratch_file **slot = find(s, name), *f = *slot;

	if (!f)
		return;
	cut(s, f, 0);
	*slot = f->next;
	file_free(f);
}
