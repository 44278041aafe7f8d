/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/store/store.h"

void store_close(struct store *s)
{
	char *name;

	if (!s)
		return;
	name = s->name;
	s->ops->close(s);
	free(name);
}

void store_closep(struct store **s)
{
	store_close(*s);
}

const char *store_name(const struct store *s)
{
	return s->name;
}

/* Everything that starts with '.' is kept for the stores' and the spool's own temporary files. */
bool store_key_valid(const char *key)
{
	size_t depth = 1;
	const char *p;

	for (p = key; *p; p++) {
		bool start = p == key || p[-1] == '/';
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f || (start && (c == '/' || c == '.')))
			return false;
		depth += c == '/';
	}
	return p != key && p[-1] != '/' && p - key <= STORE_MAX_KEY && depth <= STORE_MAX_DEPTH;
}

/* The key itself stays out of the message: it may hold anything. */
static int store_check(const struct store *s, const char *key, struct sa_err *err)
{
	if (store_key_valid(key))
		return 0;
	return sa_fail(err, SA_ERR_INVALID, "%s: not a valid object key", s->name);
}

void store_put_start(struct store *s, struct store_put *p)
{
	p->rc = 0;
	p->err = (struct sa_err){0};
	p->lost = p->assumed = false;
	p->etag[0] = p->version[0] = '\0';
	p->priv = NULL;
	s->ops->put_start(s, p);
}

void store_run(struct store *s, int timeout_ms, struct pollfd *fds, size_t n)
{
	s->ops->run(s, timeout_ms, fds, n);
}

size_t store_in_flight(const struct store *s)
{
	return s->ops->in_flight(s);
}

static void store_put_once_done(struct store_put *p)
{
	*(bool *)p->ctx = true;
}

int store_put_once(struct store *s, const char *key, int fd, uint64_t size, struct sa_err *err)
{
	bool done = false;
	struct store_put p = {
		.key = key, .fd = fd, .size = size, .done = store_put_once_done, .ctx = &done};
	int rc = store_check(s, key, err);

	if (rc != 0)
		return rc;
	store_put_start(s, &p);
	while (!done)
		store_run(s, 1000, NULL, 0);
	return p.rc ? sa_fail(err, p.rc, "%s", p.err.msg) : 0;
}

int store_probe(struct store *s, const char *host, enum store_append_only *out, struct sa_err *err)
{
	return s->ops->probe(s, host, out, err);
}

const char *store_append_only_name(enum store_append_only a)
{
	return a == STORE_PROVEN ? "proven" : a == STORE_UNPROVEN ? "unproven" : "unknown";
}

int store_get(struct store *s, const char *key, struct buf *out, struct sa_err *err)
{
	int rc = store_check(s, key, err);

	return rc ? rc : s->ops->get(s, key, out, err);
}

int store_list(struct store *s, const char *prefix, store_list_fn fn, void *ctx, struct sa_err *err)
{
	return s->ops->list(s, prefix, fn, ctx, err);
}
