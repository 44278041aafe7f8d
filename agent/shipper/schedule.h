/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Which directory is next. News goes first, but every fourth pick is from the
 * walk; a directory gives a few objects, then goes to the back: small sessions
 * never wait behind big ones. At most SCHEDULE_MAX directories are known at a time;
 * the walk waits with the others. Owns the streams. No I/O of its own.
 */
#ifndef SA_SCHEDULE_H
#define SA_SCHEDULE_H

#include "agent/shipper/stream.h"

#define SCHEDULE_MAX 1024
#define SCHEDULE_WALK_MAX 768 /* of these for what the walk finds: news still finds room */
#define SCHEDULE_TURN 8       /* objects in a row */
#define SCHEDULE_NEWS 4       /* every so many picks are from the walk */
#define SCHEDULE_EVICT_MS 100 /* a paused directory gives its place away, so often at most */

TAILQ_HEAD(schedule_list, stream);

struct schedule {
	size_t n;
	unsigned picks;
	int64_t wake_ms;  /* no paused one ends its pause before */
	int64_t evict_ms; /* none is evicted before */
	size_t pool;      /* bytes of names that the streams hold */
	struct schedule_list queues[STREAM_QUEUES];
	struct stream *buckets[SCHEDULE_MAX];
};

void schedule_init(struct schedule *s);
void schedule_free(struct schedule *s);

struct stream *schedule_find(struct schedule *s, enum stream_root root, const char *dir);
/* A new stream in queue (STREAM_NEWS or STREAM_WALK), at its back. NULL: no room (or no memory). */
struct stream *schedule_add(struct schedule *s, enum stream_root root, const char *dir,
			    enum stream_queue queue, int64_t now_ms);
void schedule_drop(struct schedule *s, struct stream *st);

/* The stream that is next; it stays where it is, the first of its queue. NULL: none is ready. */
struct stream *schedule_pick(struct schedule *s);
/* queue: STREAM_NEWS or STREAM_WALK. */
void schedule_to_back(struct schedule *s, struct stream *st, enum stream_queue queue);
/* Not picked until schedule_resume, which puts it at the front of its queue, or schedule_to_back.
 */
void schedule_hold(struct schedule *s, struct stream *st);
void schedule_resume(struct schedule *s, struct stream *st);
void schedule_pause(struct schedule *s, struct stream *st, int64_t until_ms);
/* Those whose pause is over are ready again. INT64_MAX as now: all. */
void schedule_wake(struct schedule *s, int64_t now_ms);

#endif
