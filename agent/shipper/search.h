/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Finds directories with objects by walking ready/ or quarantine/ now and then: what
 * was there at start, and whatever news missed. Goes on where it was as soon as
 * there is room for what it finds.
 */
#ifndef SA_SEARCH_H
#define SA_SEARCH_H

#include <stdint.h>

#include "agent/shipper/stream.h"
#include "agent/shipper/walk.h"

#define SEARCH_TURN 256     /* names looked at in a turn */
#define SEARCH_MAX_MS 60000 /* an expensive walk rests longer, but no longer than this */
#define SEARCH_SHARE 10     /* rests this many times as long as the walk took */

struct search_ops {
	/* A directory with objects. False: there is no room for it now. */
	bool (*found)(void *ctx, enum stream_root root, const char *dir);
	/* Something that cannot be shipped; key may hold any bytes. */
	void (*odd)(void *ctx, const char *key, const char *why);
};

struct search {
	enum stream_root root;
	int root_fd;      /* borrowed */
	int64_t every_ms; /* from the end of a walk to the next */
	int64_t due_ms, begun_ms;
	struct walk walk;
	bool soon; /* another walk is wanted before due_ms */
	bool held; /* there is no room for dir */
	char dir[STORE_MAX_KEY + 1];
};

/* Walks a little, when it is due. */
void search_turn(struct search *s, const struct search_ops *ops, void *ctx, int64_t now_ms);
bool search_is_walking(const struct search *s);
/* Anew, as soon as the walk that goes on has ended. */
void search_soon(struct search *s);
/* Anew from the start. */
void search_restart(struct search *s);
/* When it has something to do; INT64_MIN: now. While held: not before there is room. */
int64_t search_next(const struct search *s);
void search_stop(struct search *s);

#endif
