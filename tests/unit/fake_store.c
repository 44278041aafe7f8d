/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "tests/unit/fake_store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

static struct fake_store *fake(struct store *s)
{
	return (struct fake_store *)s;
}

const struct fake_object *fake_store_find(const struct fake_store *f, const char *key)
{
	for (size_t i = 0; i < f->n_objects; i++)
		if (strcmp(f->objects[i].key, key) == 0)
			return &f->objects[i];
	return NULL;
}

static void add(struct fake_store *f, const char *key, char *bytes, size_t size)
{
	if (f->n_objects == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->objects = reallocarray(f->objects, f->cap, sizeof(*f->objects));
		if (!f->objects)
			abort();
	}
	f->objects[f->n_objects++] = (struct fake_object){strdup(key), bytes, size};
	if (f->stored)
		f->stored(f->ctx, key);
}

void fake_store_plant(struct fake_store *f, const char *key, const char *text)
{
	add(f, key, strdup(text), strlen(text));
}

/* The bytes of a put; NULL: the file ends before. */
static char *take(const struct store_put *p)
{
	char *bytes = malloc(p->size + 1);

	if (bytes && pread(p->fd, bytes, p->size, 0) == (ssize_t)p->size)
		return bytes;
	free(bytes);
	return NULL;
}

/* What a store that puts once answers to p. */
static int put(struct fake_store *f, struct store_put *p)
{
	const struct fake_object *o = fake_store_find(f, p->key);
	_cleanup_free_ char *bytes = take(p);

	if (!bytes)
		return sa_fail(&p->err, SA_ERR_IO, "short");
	if (!o) {
		add(f, p->key, TAKE_PTR(bytes), p->size);
		return 0;
	}
	if (f->looks && o->size == p->size && memcmp(o->bytes, bytes, p->size) == 0)
		return 0;
	if (!f->looks && p->again) {
		p->assumed = true;
		return 0;
	}
	return sa_fail(&p->err, SA_ERR_EXISTS, "exists");
}

static int lose(struct store_put *p)
{
	p->lost = true;
	return sa_fail(&p->err, SA_ERR_AGAIN, "no answer");
}

static int answer(struct fake_store *f, struct store_put *p, enum fake_answer a)
{
	switch (a) {
	case FAKE_AGAIN:
		return sa_fail(&p->err, SA_ERR_AGAIN, "away");
	case FAKE_PERM:
		return sa_fail(&p->err, SA_ERR_PERM, "denied");
	case FAKE_INVALID:
		return sa_fail(&p->err, SA_ERR_INVALID, "bad object");
	case FAKE_IO:
		return sa_fail(&p->err, SA_ERR_IO, "cannot be read");
	case FAKE_LOST:
		(void)put(f, p);
		p->assumed = false;
		return lose(p);
	case FAKE_LOST_BEFORE:
		return lose(p);
	default:
		return put(f, p);
	}
}

bool fake_store_end_one(struct fake_store *f, size_t i)
{
	struct store_put *p = f->flying[i];
	enum fake_answer a = f->answer ? f->answer(f->ctx, p->key) : FAKE_OK;

	if (a == FAKE_SLOW)
		return false;
	memmove(&f->flying[i], &f->flying[i + 1], (--f->n_flying - i) * sizeof(f->flying[0]));
	p->rc = answer(f, p, a);
	p->lost = p->lost || (p->again && p->rc != 0 && p->rc != SA_ERR_EXISTS); /* sticky */
	p->done(p);
	return true;
}

void fake_store_forget(struct fake_store *f, bool (*reached)(void *ctx), void *ctx)
{
	for (size_t i = 0; i < f->n_flying; i++)
		if (reached(ctx))
			(void)put(f, f->flying[i]);
	f->n_flying = 0;
}

static void fake_put_start(struct store *s, struct store_put *p)
{
	struct fake_store *f = fake(s);

	if (f->n_flying == FAKE_PARALLEL)
		abort();
	f->flying[f->n_flying++] = p;
	f->started++;
	if (f->n_flying > f->most_flying)
		f->most_flying = f->n_flying;
	buf_printf(&f->order, "%s ", p->key);
}

/* Ends all that are under way now. */
static void fake_run(struct store *s, int timeout_ms, struct pollfd *fds, size_t n)
{
	struct fake_store *f = fake(s);
	size_t slow = 0;

	(void)timeout_ms;
	(void)fds;
	(void)n;
	for (size_t todo = f->n_flying; todo > 0; todo--)
		slow += !fake_store_end_one(f, slow);
}

static size_t fake_in_flight(const struct store *s)
{
	return ((const struct fake_store *)s)->n_flying;
}

static const struct store_ops ops = {
	.put_start = fake_put_start, .run = fake_run, .in_flight = fake_in_flight};

void fake_store_init(struct fake_store *f)
{
	*f = (struct fake_store){.base = {.ops = &ops}};
	buf_init(&f->order, 1 << 24);
}

void fake_store_free(struct fake_store *f)
{
	for (size_t i = 0; i < f->n_objects; i++) {
		free(f->objects[i].key);
		free(f->objects[i].bytes);
	}
	free(f->objects);
	buf_free(&f->order);
}
