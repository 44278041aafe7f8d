/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/schedule.h"

#include <string.h>

/* FNV-1a. */
static struct stream **schedule_bucket(struct schedule *s, enum stream_root root, const char *dir)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)root;

	for (; *dir; dir++)
		h = (h ^ (unsigned char)*dir) * 0x100000001b3u;
	return &s->buckets[(h ^ h >> 32) % SCHEDULE_MAX];
}

void schedule_init(struct schedule *s)
{
	*s = (struct schedule){.wake_ms = INT64_MAX, .evict_ms = INT64_MIN};
	for (int i = 0; i < STREAM_QUEUES; i++)
		TAILQ_INIT(&s->queues[i]);
}

void schedule_free(struct schedule *s)
{
	for (int i = 0; i < STREAM_QUEUES; i++)
		while (!TAILQ_EMPTY(&s->queues[i]))
			schedule_drop(s, TAILQ_FIRST(&s->queues[i]));
}

struct stream *schedule_find(struct schedule *s, enum stream_root root, const char *dir)
{
	struct stream *st = *schedule_bucket(s, root, dir);

	while (st && (st->root != root || strcmp(st->dir, dir) != 0))
		st = st->chain;
	return st;
}

/* A place for another one: where very many directories fail while the store works for others, the
 * one with the longest pause is forgotten. The walk finds it again. */
static bool schedule_room(struct schedule *s, enum stream_queue queue, int64_t now_ms)
{
	struct stream *st, *last = NULL;

	if (s->n < (queue == STREAM_NEWS ? SCHEDULE_MAX : SCHEDULE_WALK_MAX))
		return true;
	if (now_ms < s->evict_ms)
		return false;
	TAILQ_FOREACH(st, &s->queues[STREAM_PAUSED], link)
	if (st->flying == 0 && (!last || st->wake_ms > last->wake_ms))
		last = st;
	if (!last)
		return false;
	s->evict_ms = now_ms + SCHEDULE_EVICT_MS;
	schedule_drop(s, last);
	return true;
}

struct stream *schedule_add(struct schedule *s, enum stream_root root, const char *dir,
			    enum stream_queue queue, int64_t now_ms)
{
	struct stream *st, **bucket;

	if (!schedule_room(s, queue, now_ms) || !(st = stream_new(root, dir, &s->pool)))
		return NULL;
	bucket = schedule_bucket(s, root, dir);
	st->chain = *bucket;
	*bucket = st;
	s->n++;
	st->queue = queue;
	TAILQ_INSERT_TAIL(&s->queues[queue], st, link);
	return st;
}

void schedule_drop(struct schedule *s, struct stream *st)
{
	struct stream **at = schedule_bucket(s, st->root, st->dir);

	while (*at != st)
		at = &(*at)->chain;
	*at = st->chain;
	TAILQ_REMOVE(&s->queues[st->queue], st, link);
	s->n--;
	stream_free(st);
}

struct stream *schedule_pick(struct schedule *s)
{
	struct stream *news = TAILQ_FIRST(&s->queues[STREAM_NEWS]);
	struct stream *walk = TAILQ_FIRST(&s->queues[STREAM_WALK]);
	bool walks_turn = s->picks % SCHEDULE_NEWS == SCHEDULE_NEWS - 1;

	if (!news && !walk)
		return NULL;
	s->picks++;
	return !news || (walk && walks_turn) ? walk : news;
}

static void schedule_take(struct schedule *s, struct stream *st, enum stream_queue queue)
{
	TAILQ_REMOVE(&s->queues[st->queue], st, link);
	st->queue = queue;
}

void schedule_to_back(struct schedule *s, struct stream *st, enum stream_queue queue)
{
	schedule_take(s, st, queue);
	st->news = st->news && queue != STREAM_NEWS;
	TAILQ_INSERT_TAIL(&s->queues[queue], st, link);
}

void schedule_hold(struct schedule *s, struct stream *st)
{
	if (st->queue == STREAM_HELD)
		return;
	st->home = st->queue;
	schedule_take(s, st, STREAM_HELD);
	TAILQ_INSERT_TAIL(&s->queues[STREAM_HELD], st, link);
}

void schedule_resume(struct schedule *s, struct stream *st)
{
	schedule_take(s, st, st->home);
	TAILQ_INSERT_HEAD(&s->queues[st->home], st, link);
}

void schedule_pause(struct schedule *s, struct stream *st, int64_t until_ms)
{
	schedule_take(s, st, STREAM_PAUSED);
	TAILQ_INSERT_TAIL(&s->queues[STREAM_PAUSED], st, link);
	st->wake_ms = until_ms;
	if (until_ms < s->wake_ms)
		s->wake_ms = until_ms;
}

void schedule_wake(struct schedule *s, int64_t now_ms)
{
	struct stream *st, *next;

	if (now_ms < s->wake_ms)
		return;
	s->wake_ms = INT64_MAX;
	for (st = TAILQ_FIRST(&s->queues[STREAM_PAUSED]); st; st = next) {
		next = TAILQ_NEXT(st, link);
		if (st->wake_ms <= now_ms)
			schedule_to_back(s, st, st->news ? STREAM_NEWS : STREAM_WALK);
		else if (st->wake_ms < s->wake_ms)
			s->wake_ms = st->wake_ms;
	}
}
