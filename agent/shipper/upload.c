/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/upload_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"

static struct log_limit odd_limit = {.burst = 3};
static struct log_limit unreadable_limit = {.burst = 3};

int upload_new(const struct upload_options *o, struct upload **out, struct sa_err *err)
{
	struct upload *u = calloc(1, sizeof(*u));

	if (!u)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	u->o = *o;
	if (u->o.parallel > UPLOAD_PARALLEL_MAX)
		u->o.parallel = UPLOAD_PARALLEL_MAX;
	schedule_init(&u->schedule);
	u->circuit.policy = o->policy;
	u->row = 1;
	for (int root = 0; root < STREAM_ROOTS; root++) {
		u->search[root].root = (enum stream_root)root;
		u->search[root].root_fd = u->census.root_fd[root] = o->dirs.root_fd[root];
		search_soon(&u->search[root]);
	}
	u->search[STREAM_READY].every_ms = SEARCH_MAX_MS;
	u->search[STREAM_QUARANTINE].every_ms = o->quarantine_retry_ms;
	u->census.due_ms = INT64_MIN;
	for (size_t i = 0; i < UPLOAD_PARALLEL_MAX; i++) {
		u->slots[i].u = u;
		u->slots[i].object.fd = -1;
	}
	*out = u;
	return 0;
}

void upload_free(struct upload *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < UPLOAD_PARALLEL_MAX; i++)
		object_close(&u->slots[i].object);
	for (int root = 0; root < STREAM_ROOTS; root++)
		search_stop(&u->search[root]);
	census_stop(&u->census);
	schedule_free(&u->schedule);
	free(u);
}

void upload_close(struct upload *u)
{
	u->closing = true;
}

/* Work comes in. */

void upload_news(struct upload *u, const char *key)
{
	const char *slash = strrchr(key, '/');
	size_t n = slash ? (size_t)(slash - key) + 1 : 0;
	char dir[STORE_MAX_KEY + 1];
	struct stream *s;

	if (n > STORE_MAX_KEY)
		return;
	memcpy(dir, key, n);
	dir[n] = '\0';
	s = schedule_find(&u->schedule, STREAM_READY, dir);
	if (!s) {
		if (!schedule_add(&u->schedule, STREAM_READY, dir, STREAM_NEWS, clock_mono_ms()))
			search_soon(&u->search[STREAM_READY]); /* finds it when there is room */
		return;
	}
	s->look = true;
	if (s->queue == STREAM_WALK)
		schedule_to_back(&u->schedule, s, STREAM_NEWS);
	else
		s->news = s->queue != STREAM_NEWS;
}

static bool upload_found(void *ctx, enum stream_root root, const char *dir)
{
	struct upload *u = ctx;
	struct stream *s = schedule_find(&u->schedule, root, dir);

	if (s && root == STREAM_READY)
		s->look = true;
	return s || schedule_add(&u->schedule, root, dir, STREAM_WALK, clock_mono_ms());
}

static void upload_odd(void *ctx, const char *key, const char *why)
{
	struct upload *u = ctx;

	sa_fail(&u->reason, SA_ERR_INVALID, "%s", why);
	log_limited(&odd_limit, LOG_LEVEL_ERR, "event=not-shippable key=%s reason=\"%s\"", key,
		    why);
}

/* What was stored while the count went on is taken off, counted or not: better too few for a
 * minute than objects that are long gone. */
static void upload_count(struct upload *u, int64_t now_ms)
{
	const struct census_count *c = &u->census.last;
	struct status *status = u->o.status;
	uint64_t gone;
	int64_t age;

	if (census_next(&u->census) != INT64_MIN)
		u->counted_from = status->stored;
	if (!census_turn(&u->census, now_ms))
		return;
	gone = status->stored - u->counted_from;
	age = clock_real_ms() - c->oldest_ms;
	status->waiting = c->objects[STREAM_READY] > gone ? c->objects[STREAM_READY] - gone : 0;
	status->quarantined = c->objects[STREAM_QUARANTINE];
	status->oldest = status->waiting > 0 && age > 0 ? (uint64_t)age / 1000 : 0;
}

/* Work goes out. */

/* A stream from which nothing more comes now. */
static void upload_let_go(struct upload *u, struct stream *s)
{
	if (s->flying > 0)
		schedule_hold(&u->schedule, s);
	else
		schedule_drop(&u->schedule, s);
}

/* Where a stream belongs after its next object was dealt with. */
static void upload_settle(struct upload *u, struct stream *s)
{
	if (s->given_up) {
		upload_let_go(u, s);
	} else if (s->queue == STREAM_PAUSED) {
		return;
	} else if (s->ordered && s->flying > 0) {
		schedule_hold(&u->schedule, s);
	} else if (s->given >= SCHEDULE_TURN) {
		stream_rest(s);
		schedule_to_back(&u->schedule, s, s->news ? STREAM_NEWS : STREAM_WALK);
	} else if (s->queue == STREAM_HELD) {
		schedule_resume(&u->schedule, s);
	}
}

void upload_landed(struct upload *u, struct stream *s)
{
	s->flying--;
	u->flying--;
	if (s->given_up || s->queue == STREAM_HELD)
		upload_settle(u, s);
	else if (s->given == 0)
		stream_rest(s);
}

/* All of the directory was tried: it is done with, or waits for what failed. */
static void upload_swept(struct upload *u, struct stream *s)
{
	if (s->again_ms == INT64_MAX || s->root == STREAM_QUARANTINE || u->pass) {
		upload_let_go(u, s);
		return;
	}
	s->look = true;
	schedule_pause(&u->schedule, s, s->again_ms);
	stream_rest(s);
}

/* Whether the object failed a while ago and pauses, which is dealt with then. */
static bool upload_pauses(struct upload *u, struct stream *s, const char *key, int64_t now_ms)
{
	struct failing_object *o =
		s->root == STREAM_READY ? failing_find(&u->failing, failing_key(key)) : NULL;

	if (!o || retry_due(&o->retry, now_ms))
		return false;
	if (!s->ordered) {
		stream_pass_over(s, o->retry.next_ms);
	} else if (u->pass) {
		s->given_up = true;
	} else {
		schedule_pause(&u->schedule, s, o->retry.next_ms);
		stream_rest(s);
	}
	return true;
}

/* Starts to put the next object of s. */
static void upload_give(struct upload *u, struct stream *s, const char *name,
			struct upload_slot *slot, int64_t now_ms)
{
	size_t n = strlen(s->dir), m = strlen(name) + 1;

	/* Together they are a valid key, pick.h. */
	memcpy(slot->name, name, m);
	memcpy(slot->key, s->dir, n);
	memcpy(slot->key + n, name, m);
	if (!upload_pauses(u, s, slot->key, now_ms))
		upload_put(slot, s);
	upload_settle(u, s);
}

/* Should it be there, the walk finds it again. */
static void upload_unreadable(struct upload *u, struct stream *s)
{
	log_limited(&unreadable_limit, LOG_LEVEL_ERR, "event=unreadable dir=%s reason=\"%s\"",
		    s->dir, u->reason.msg);
	upload_let_go(u, s);
}

static void upload_serve(struct upload *u, struct stream *s, struct upload_slot *slot,
			 int64_t now_ms)
{
	const char *name = NULL;

	switch (stream_next(s, u->o.dirs.root_fd[s->root], &name, &u->reason)) {
	case STREAM_NAME:
		upload_give(u, s, name, slot, now_ms);
		break;
	case STREAM_WAIT:
		schedule_hold(&u->schedule, s);
		break;
	case STREAM_SWEPT:
		upload_swept(u, s);
		break;
	case STREAM_ERROR:
		upload_unreadable(u, s);
		break;
	}
}

static struct upload_slot *upload_free_slot(struct upload *u)
{
	for (unsigned i = 0; u->flying < u->o.parallel && i < u->o.parallel; i++)
		if (!u->slots[i].s)
			return &u->slots[i];
	return NULL;
}

void upload_turn(struct upload *u)
{
	static const struct search_ops ops = {upload_found, upload_odd};
	int64_t now = clock_mono_ms();
	struct upload_slot *slot;
	struct stream *s;

	if (u->closing)
		return;
	for (int root = 0; root < STREAM_ROOTS; root++)
		search_turn(&u->search[root], &ops, u, now);
	upload_count(u, now);
	schedule_wake(&u->schedule, now);
	while ((slot = upload_free_slot(u)) && circuit_next(&u->circuit, now) <= now &&
	       (s = schedule_pick(&u->schedule)))
		upload_serve(u, s, slot, now);
}

static bool upload_is_ready(const struct upload *u)
{
	return !TAILQ_EMPTY(&u->schedule.queues[STREAM_NEWS]) ||
	       !TAILQ_EMPTY(&u->schedule.queues[STREAM_WALK]);
}

int64_t upload_wait_ms(const struct upload *u, int64_t max_ms)
{
	int64_t now = clock_mono_ms(), next = now + max_ms;
	const int64_t dues[] = {
		search_next(&u->search[STREAM_READY]),
		search_next(&u->search[STREAM_QUARANTINE]),
		census_next(&u->census),
		u->schedule.wake_ms,
		u->flying < u->o.parallel && upload_is_ready(u) ? circuit_next(&u->circuit, now)
								: INT64_MAX,
	};

	if (u->pass && upload_pass_is_over(u))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(dues); i++)
		if (dues[i] < next)
			next = dues[i];
	return next > now ? next - now : 0;
}

void upload_walk_every(struct upload *u, int64_t ms)
{
	struct search *s = &u->search[STREAM_READY];

	if (ms < s->every_ms && !search_is_walking(s))
		search_soon(s);
	s->every_ms = ms;
}

bool upload_is_idle(const struct upload *u)
{
	return u->flying == 0 && !upload_is_ready(u);
}

/* A pass over everything. */

static void upload_pass_stream(struct stream *s)
{
	s->look = true;
	s->given_up = false;
	s->retry = (struct retry){0};
}

void upload_pass(struct upload *u)
{
	struct stream *s;

	u->pass = true;
	u->circuit = (struct circuit){.policy = u->circuit.policy};
	u->row++;
	failing_wake(&u->failing);
	for (int queue = 0; queue < STREAM_QUEUES; queue++)
		TAILQ_FOREACH(s, &u->schedule.queues[queue], link)
	upload_pass_stream(s);
	schedule_wake(&u->schedule, INT64_MAX);
	u->search[STREAM_READY].every_ms = SEARCH_MAX_MS;
	for (int root = 0; root < STREAM_ROOTS; root++)
		search_restart(&u->search[root]);
}

bool upload_pass_is_over(const struct upload *u)
{
	if (u->flying > 0)
		return false;
	if (u->circuit.open && u->circuit.retry.failures >= UPLOAD_PASS_TRIES)
		return true;
	for (int root = 0; root < STREAM_ROOTS; root++)
		if (search_next(&u->search[root]) == INT64_MIN || u->search[root].held)
			return false;
	return u->schedule.n == 0;
}

const char *upload_reason(const struct upload *u)
{
	return u->reason.msg;
}

uint64_t upload_left(struct upload *u)
{
	const struct census_count *c = &u->census.last;

	census_whole(&u->census, clock_mono_ms());
	return c->objects[STREAM_READY] + c->objects[STREAM_QUARANTINE] + c->odd;
}
