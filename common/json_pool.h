/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * yajl's memory, for json.c and json_write.c only. yajl does not check its
 * allocations: out of memory it writes through NULL. So it gets a pool that is
 * enough for the text at hand, taken in one piece beforehand; what it frees
 * comes back with the pool.
 */
#ifndef SA_JSON_POOL_H
#define SA_JSON_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include <yajl/yajl_common.h>

#define JSON_POOL_FIXED 16384 /* yajl's handles, and the first size of its buffers */

struct json_pool {
	char *bytes;
	size_t used, size, last; /* last: where the newest block starts */
};

/* False when out of memory. */
bool json_pool_init(struct json_pool *pool, size_t size);
void json_pool_release(struct json_pool *pool);
/* Borrows pool. */
yajl_alloc_funcs json_pool_funcs(struct json_pool *pool);

#endif
