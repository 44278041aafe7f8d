/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/search.h"

#include <string.h>

#include "agent/shipper/quarantine.h"
#include "common/log.h"

static void search_begin(struct search *s, int64_t now_ms)
{
	static struct log_limit limit = {.burst = 1};
	struct sa_err err = {0};

	s->soon = false;
	s->begun_ms = now_ms;
	s->due_ms = now_ms + s->every_ms;
	if (walk_start(&s->walk, s->root_fd, &err) != 0)
		log_limited(&limit, LOG_LEVEL_ERR, "event=walk-failed reason=\"%s\"", err.msg);
}

static void search_end(struct search *s, int64_t now_ms)
{
	int64_t rest = (now_ms - s->begun_ms) * SEARCH_SHARE;

	if (rest > SEARCH_MAX_MS)
		rest = SEARCH_MAX_MS;
	s->due_ms = now_ms + (rest > s->every_ms ? rest : s->every_ms);
}

/* False: it must wait for room. */
static bool search_tell(struct search *s, const struct search_ops *ops, void *ctx)
{
	s->held = !ops->found(ctx, s->root, s->dir);
	return !s->held;
}

/* One name; false: the turn is over. */
static bool search_step(struct search *s, const struct search_ops *ops, void *ctx, int64_t now_ms)
{
	switch (walk_next(&s->walk)) {
	case WALK_OBJECT:
		if (s->root == STREAM_QUARANTINE && quarantine_is_reason(s->walk.name))
			return true;
		walk_pass_objects(&s->walk);
		walk_dir(&s->walk, s->dir);
		return search_tell(s, ops, ctx);
	case WALK_ODD:
		ops->odd(ctx, s->walk.key, s->walk.why);
		return true;
	case WALK_NOTHING:
		return true;
	case WALK_END:
		search_end(s, now_ms);
		break;
	}
	return false;
}

void search_turn(struct search *s, const struct search_ops *ops, void *ctx, int64_t now_ms)
{
	if (s->held && !search_tell(s, ops, ctx))
		return;
	if (!search_is_walking(s)) {
		if (now_ms < s->due_ms && !s->soon)
			return;
		search_begin(s, now_ms);
	}
	for (int i = 0; i < SEARCH_TURN && search_step(s, ops, ctx, now_ms); i++)
		continue;
}

bool search_is_walking(const struct search *s)
{
	return s->walk.depth > 0;
}

void search_soon(struct search *s)
{
	s->soon = true;
}

void search_restart(struct search *s)
{
	search_stop(s);
	search_soon(s);
}

int64_t search_next(const struct search *s)
{
	if (s->held)
		return INT64_MAX;
	return s->soon || search_is_walking(s) ? INT64_MIN : s->due_ms;
}

void search_stop(struct search *s)
{
	walk_stop(&s->walk);
	s->held = false;
}
