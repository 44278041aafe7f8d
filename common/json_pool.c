/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_pool.h"

#define JSON_POOL_ALIGN(n) (((n) + 15) & ~(size_t)15)

static void *json_pool_alloc(void *ctx, size_t n)
{
	struct json_pool *pool = ctx;
	size_t at = pool->used;

	if (JSON_POOL_ALIGN(n) > pool->size - at)
		return NULL;
	pool->last = at;
	pool->used = at + JSON_POOL_ALIGN(n);
	return pool->bytes + at;
}

/* yajl only ever grows a block, and nearly always the newest. */
static void *json_pool_realloc(void *ctx, void *old, size_t n)
{
	struct json_pool *pool = ctx;
	size_t at, have;
	char *fresh;

	if (!old)
		return json_pool_alloc(pool, n);
	at = (size_t)((char *)old - pool->bytes);
	if (at == pool->last && JSON_POOL_ALIGN(n) <= pool->size - at) {
		pool->used = at + JSON_POOL_ALIGN(n);
		return old;
	}
	have = pool->used - at; /* at least the old block */
	fresh = json_pool_alloc(pool, n);
	if (fresh)
		memcpy(fresh, old, have < n ? have : n);
	return fresh;
}

static void json_pool_free(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

bool json_pool_init(struct json_pool *pool, size_t size)
{
	*pool = (struct json_pool){.bytes = malloc(size), .size = size};
	return pool->bytes != NULL;
}

void json_pool_release(struct json_pool *pool)
{
	if (pool->bytes) /* the text that was parsed may be credentials */
		explicit_bzero(pool->bytes, pool->used);
	free(pool->bytes);
}

yajl_alloc_funcs json_pool_funcs(struct json_pool *pool)
{
	return (yajl_alloc_funcs){json_pool_alloc, json_pool_realloc, json_pool_free, pool};
}
