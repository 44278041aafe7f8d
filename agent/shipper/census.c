/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/census.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/shipper/quarantine.h"
#include "common/clock.h"

static bool census_is_walking(const struct census *c)
{
	return c->walk.depth > 0;
}

static void census_begin(struct census *c)
{
	c->now = (struct census_count){.oldest_ms = INT64_MAX};
	c->root = STREAM_READY;
	(void)walk_start(&c->walk, c->root_fd[c->root], NULL); /* the search says why */
}

static void census_object(struct census *c)
{
	struct stat st;
	int64_t made;

	if (c->root == STREAM_QUARANTINE && quarantine_is_reason(c->walk.name))
		return;
	c->now.objects[c->root]++;
	if (c->root != STREAM_READY ||
	    fstatat(walk_dir_fd(&c->walk), c->walk.name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	/* Since it is ready; its mtime may say something else, SPOOL_MADE_AGAIN_S. */
	made = clock_ms(&st.st_ctim);
	if (made < c->now.oldest_ms)
		c->now.oldest_ms = made;
}

/* The end of one root; true: of the last one. */
static bool census_end(struct census *c, int64_t now_ms)
{
	if (c->root == STREAM_READY) {
		c->root = STREAM_QUARANTINE;
		if (walk_start(&c->walk, c->root_fd[c->root], NULL) == 0)
			return false;
	}
	c->last = c->now;
	c->due_ms = now_ms + CENSUS_MS;
	return true;
}

bool census_turn(struct census *c, int64_t now_ms)
{
	if (!census_is_walking(c)) {
		if (now_ms < c->due_ms)
			return false;
		census_begin(c);
	}
	for (int i = 0; i < CENSUS_TURN; i++)
		switch (walk_next(&c->walk)) {
		case WALK_OBJECT:
			census_object(c);
			break;
		case WALK_ODD:
			c->now.odd += c->root == STREAM_READY;
			break;
		case WALK_NOTHING:
			break;
		case WALK_END:
			if (census_end(c, now_ms))
				return true;
			break;
		}
	return false;
}

void census_whole(struct census *c, int64_t now_ms)
{
	census_stop(c);
	c->due_ms = now_ms;
	while (!census_turn(c, now_ms))
		continue;
}

int64_t census_next(const struct census *c)
{
	return census_is_walking(c) ? INT64_MIN : c->due_ms;
}

void census_stop(struct census *c)
{
	walk_stop(&c->walk);
}
