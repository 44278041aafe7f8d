/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/failing.h"

/* FNV-1a. A collision makes two objects share a pause and a count. */
uint64_t failing_key(const char *key)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3u;
	return h;
}

struct failing_object *failing_find(struct failing *f, uint64_t key)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->objects[i].key == key)
			return &f->objects[i];
	return NULL;
}

static struct failing_object *failing_place(struct failing *f)
{
	struct failing_object *oldest = &f->objects[0];

	if (f->n < FAILING_MAX)
		return &f->objects[f->n++];
	for (size_t i = 1; i < f->n; i++)
		if (f->objects[i].retry.next_ms < oldest->retry.next_ms)
			oldest = &f->objects[i];
	return oldest;
}

struct failing_object *failing_note(struct failing *f, uint64_t key, enum failing_cause cause,
				    uint64_t stored)
{
	struct failing_object *o = failing_find(f, key);

	if (!o) {
		o = failing_place(f);
		*o = (struct failing_object){.key = key};
	}
	o->bad += cause == FAILING_LOST ? FAILING_BAD : cause == FAILING_OBJECT;
	o->any += cause != FAILING_LOCAL && (o->any == 0 || o->stored != stored);
	o->stored = stored;
	return o;
}

bool failing_is_enough(const struct failing_object *o)
{
	return o->bad >= FAILING_BAD || o->any >= FAILING_ANY;
}

void failing_wake(struct failing *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->objects[i].retry.next_ms = INT64_MIN;
}

void failing_forget(struct failing *f, uint64_t key)
{
	struct failing_object *o = failing_find(f, key);

	if (o)
		*o = f->objects[--f->n];
}
