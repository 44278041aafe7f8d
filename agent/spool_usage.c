/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * How full the spool is. What the collector makes is added up as it goes; what the shipper
 * removes only a walk can see. So the sum is never too low, and it is only near a limit that
 * walking pays. A walk takes a little at a time: it may meet hundreds of thousands of objects.
 */
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/spool_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"

#define TURN 16384 /* steps in one go */
#define TURN_MS 20 /* and no longer, should the disk be slow: records wait meanwhile */
#define WALK_MIN_MS 1000
#define WALK_MAX_MS 10000
#define PER_MS 10 /* objects: 100,000 make it ten seconds to the next walk */

/* What is taken from the disk, as du counts it: most objects are smaller than a block. */
static uint64_t disk_bytes(const struct stat *st)
{
	return (uint64_t)st->st_blocks * 512;
}

static void walk_enter(struct spool_walk *w, int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d)
		w->dirs[w->depth++] = d;
	else if (fd >= 0)
		close(fd);
}

static void walk_see(struct spool_walk *w, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return; /* shipped meanwhile */
	w->bytes += disk_bytes(&st);
	if (!S_ISDIR(st.st_mode))
		w->objects++;
	else if (w->depth < SPOOL_WALK_DEPTH)
		walk_enter(w, dir, name);
}

/* True when all was seen. */
static bool walk_turn(struct spool_walk *w, int spool_fd)
{
	static const char *const roots[] = {"ready", "quarantine", "sent"};
	int64_t until = clock_mono_ms() + TURN_MS;
	struct dirent *e;

	for (unsigned n = 0; n < TURN && (n % 256 || clock_mono_ms() <= until); n++) {
		if (w->depth == 0 && w->root == ARRAY_LEN(roots))
			return true;
		if (w->depth == 0) {
			walk_enter(w, spool_fd, roots[w->root++]);
			continue;
		}
		e = readdir(w->dirs[w->depth - 1]);
		if (!e)
			closedir(w->dirs[--w->depth]);
		else if (e->d_name[0] != '.')
			walk_see(w, dirfd(w->dirs[w->depth - 1]), e->d_name);
	}
	return false;
}

void spool_walk_end(struct spool_walk *w)
{
	while (w->depth)
		closedir(w->dirs[--w->depth]);
	*w = (struct spool_walk){.depth = 0};
}

static enum spool_level level_of(uint64_t part, uint64_t whole)
{
	if (part >= whole)
		return SPOOL_FULL;
	if (part >= whole - whole / 20)
		return SPOOL_CRITICAL;
	return part >= whole - whole / 5 ? SPOOL_WARN : SPOOL_OK;
}

static enum spool_level quota_level(const struct spool *s)
{
	uint64_t max = (uint64_t)s->limits.max_bytes;

	return max ? level_of(s->count.bytes, max) : SPOOL_OK;
}

/* What must stay free, as a part of what is. */
static enum spool_level disk_level(const struct spool *s)
{
	uint64_t min = (uint64_t)s->limits.min_free;

	return min ? level_of(min, s->count.free) : SPOOL_OK;
}

static void set_level(struct spool *s)
{
	enum spool_level quota = quota_level(s), disk = disk_level(s);

	s->count.level = quota > disk ? quota : disk;
}

void spool_count_object(struct spool *s, const struct stat *st)
{
	struct spool_count *c = &s->count;

	c->bytes += disk_bytes(st);
	c->objects++;
	if (c->walking) {
		c->new_bytes += disk_bytes(st);
		c->new_objects++;
	}
	/* Without waiting for the next look, so that one object is the most it is passed by. */
	if (c->level != SPOOL_FULL && quota_level(s) > c->level)
		c->level = quota_level(s);
}

static bool walk_due(const struct spool *s, int64_t now_ms)
{
	const struct spool_count *c = &s->count;
	uint64_t pause = WALK_MIN_MS + c->objects / PER_MS;

	if (c->walking || !c->walked)
		return true;
	if (pause > WALK_MAX_MS)
		pause = WALK_MAX_MS;
	if (quota_level(s) == SPOOL_FULL && !c->sure)
		return true;
	return quota_level(s) != SPOOL_OK && now_ms - c->walked_ms >= (int64_t)pause;
}

static void walk_on(struct spool *s, int64_t now_ms)
{
	struct spool_count *c = &s->count;

	if (!c->walking)
		c->new_bytes = c->new_objects = 0;
	c->walking = true;
	if (!walk_turn(&c->walk, s->dir_fd))
		return;
	c->bytes = c->walk.bytes + c->new_bytes;
	c->objects = c->walk.objects + c->new_objects;
	/* One that was under way before may have passed by what is shipped now. */
	c->sure = quota_level(s) == SPOOL_FULL && c->new_objects == 0;
	c->walking = false;
	c->walked = true;
	c->walked_ms = now_ms;
	spool_walk_end(&c->walk);
}

void spool_usage(struct spool *s, int64_t now_ms, struct spool_usage *out)
{
	struct statvfs fs;

	if (fstatvfs(s->dir_fd, &fs) == 0 && fs.f_blocks > 0) /* 0: a file system without limit */
		s->count.free = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (walk_due(s, now_ms))
		walk_on(s, now_ms);
	set_level(s);
	*out = (struct spool_usage){
		.level = s->count.level,
		.sure = s->count.sure || disk_level(s) == SPOOL_FULL,
		.bytes = s->count.bytes,
		.objects = s->count.objects,
		.free = s->count.free,
	};
}
