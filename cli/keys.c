/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "cli/keys.h"

void *keys_grow(void *array, size_t len, size_t *cap, size_t size)
{
	size_t more = *cap > 0 ? *cap * 2 : 64;
	void *grown;

	if (len < *cap)
		return array;
	grown = reallocarray(array, more, size);
	if (grown)
		*cap = more;
	return grown;
}

struct listing {
	struct keys *keys;
	bool (*want)(void *ctx, const char *key);
	void *ctx;
};

static int add_key(void *ctx, const char *key, uint64_t size)
{
	struct listing *l = ctx;
	struct keys *k = l->keys;
	char **grown;

	(void)size;
	if (l->want && !l->want(l->ctx, key))
		return 0;
	if (k->len >= k->max)
		return SA_ERR_TOOBIG;
	grown = keys_grow(k->items, k->len, &k->cap, sizeof(*k->items));
	if (!grown)
		return SA_ERR_NOMEM;
	k->items = grown;
	k->items[k->len] = strdup(key);
	if (!k->items[k->len])
		return SA_ERR_NOMEM;
	k->len++;
	return 0;
}

int keys_list_some(struct store *s, const char *prefix, bool (*want)(void *ctx, const char *key),
		   void *ctx, struct keys *out, struct sa_err *err)
{
	struct listing l = {.keys = out, .want = want, .ctx = ctx};
	struct sa_err why = {0};
	int rc = store_list(s, prefix, add_key, &l, &why);

	if (rc == 0)
		return 0;
	if (rc == SA_ERR_TOOBIG && !why.msg[0])
		return sa_fail(err, rc, "%s: more than %zu objects below %s", store_name(s),
			       out->max, prefix);
	return sa_fail(err, rc, "%s", why.msg[0] ? why.msg : "out of memory");
}

int keys_list(struct store *s, const char *prefix, size_t max, struct keys *out, struct sa_err *err)
{
	struct keys k = {.max = max};
	int rc = keys_list_some(s, prefix, NULL, NULL, &k, err);

	if (rc == 0)
		*out = k;
	else
		keys_free(&k);
	return rc;
}

void keys_free(struct keys *k)
{
	for (size_t i = 0; i < k->len; i++)
		free(k->items[i]);
	free(k->items);
	memset(k, 0, sizeof(*k));
}
