/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/typing.h"

#include <stdlib.h>

struct typing *typing_new(struct join_store *st)
{
	struct typing *y = calloc(1, sizeof(*y));

	if (y)
		join_init(&y->join, st);
	return y;
}

/* They may hold passwords. */
static void free_keys(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

void typing_reader_free(struct typing_reader *r)
{
	if (!r)
		return;
	free_keys(&r->open);
	free_keys(&r->keys);
	statements_free(r->statements);
	free(r);
}

void typing_free(struct typing *y)
{
	if (!y)
		return;
	for (size_t i = 0; i < TYPING_READERS; i++)
		typing_reader_free(y->readers[i]);
	join_free(&y->join);
	free(y);
}

struct typing_reader *typing_find(const struct typing *y, int64_t pid)
{
	for (size_t i = 0; i < TYPING_READERS; i++)
		if (y->readers[i] && y->readers[i]->pid == pid)
			return y->readers[i];
	return NULL;
}

struct typing_reader **typing_place(struct typing *y)
{
	struct typing_reader **quietest = &y->readers[0];

	for (size_t i = 0; i < TYPING_READERS; i++) {
		if (!y->readers[i])
			return &y->readers[i];
		if (y->readers[i]->last_ms < (*quietest)->last_ms)
			quietest = &y->readers[i];
	}
	return quietest;
}
