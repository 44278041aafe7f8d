/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/session.h"

#include <stdlib.h>

#include "agent/collector/typing.h"
#include "common/cleanup.h"
#include "common/escape.h"

#define BUCKETS 4096                   /* a power of two */
#define PENDING_MAX (49 * 1024 * 1024) /* one entry with a 6 MiB argument list, all escaped */

struct list {
	struct session *oldest, *newest;
	size_t count;
};

struct session_table {
	struct session *hash[BUCKETS];
	struct list active, retired;
};

struct session_table *session_table_new(void)
{
	return calloc(1, sizeof(struct session_table));
}

static void session_free(struct session *s)
{
	free(s->user);
	free(s->origin);
	free(s->service);
	free(s->terminal);
	free(s->boot_id);
	free(s->request);
	free(s->folder);
	access_free(&s->access);
	validity_free(&s->validity);
	typing_free(s->typing);
	buf_free(&s->w.pending);
	buf_free(&s->w.text);
	free(s->w.unsealed);
	free(s);
}

static void free_list(struct list *l)
{
	while (l->oldest) {
		struct session *s = l->oldest;

		l->oldest = s->next;
		session_free(s);
	}
}

void session_table_free(struct session_table *t)
{
	if (!t)
		return;
	free_list(&t->active);
	free_list(&t->retired);
	free(t);
}

static struct list *list_of(struct session_table *t, const struct session *s)
{
	return s->retired ? &t->retired : &t->active;
}

static void detach(struct session_table *t, struct session *s)
{
	struct list *l = list_of(t, s);

	*(s->prev ? &s->prev->next : &l->oldest) = s->next;
	*(s->next ? &s->next->prev : &l->newest) = s->prev;
	l->count--;
}

static void attach(struct session_table *t, struct session *s)
{
	struct list *l = list_of(t, s);

	s->next = NULL;
	s->prev = l->newest;
	*(l->newest ? &l->newest->next : &l->oldest) = s;
	l->newest = s;
	l->count++;
}

struct session *session_find(struct session_table *t, uint32_t ses)
{
	struct session *s = t->hash[ses & (BUCKETS - 1)];

	while (s && (s->ses != ses || s->past))
		s = s->hash_next;
	return s;
}

void session_remove(struct session_table *t, struct session *s)
{
	struct session **p = &t->hash[s->ses & (BUCKETS - 1)];

	while (*p != s)
		p = &(*p)->hash_next;
	*p = s->hash_next;
	detach(t, s);
	session_free(s);
}

static bool make_room(struct session_table *t)
{
	for (struct session *s = t->active.oldest; s; s = s->next) {
		if (s->phase == SESSION_PENDING) {
			session_remove(t, s);
			return true;
		}
	}
	return false;
}

struct session *session_add(struct session_table *t, uint32_t ses, const char *sid)
{
	struct session *s;

	if (t->active.count >= SESSION_MAX && !make_room(t))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->ses = ses;
	s->auid = UINT32_MAX;
	s->part = 1;
	s->validity.expires_ms = VALIDITY_NO_END;
	memcpy(s->sid, sid, sizeof(s->sid));
	s->w.next_seq = 1;
	buf_init(&s->w.pending, PENDING_MAX);
	buf_init(&s->w.text, PENDING_MAX);
	s->hash_next = t->hash[ses & (BUCKETS - 1)];
	t->hash[ses & (BUCKETS - 1)] = s;
	attach(t, s);
	return s;
}

void session_retire(struct session_table *t, struct session *s)
{
	buf_free(&s->w.pending);
	buf_free(&s->w.text);
	typing_free(s->typing);
	s->typing = NULL;
	if (s->retired)
		return;
	detach(t, s);
	s->retired = true;
	attach(t, s);
	if (t->retired.count > SESSION_MAX_RETIRED)
		session_remove(t, t->retired.oldest);
}

void session_revive(struct session_table *t, struct session *s)
{
	if (!s->retired)
		return;
	detach(t, s);
	s->retired = false;
	attach(t, s);
}

void session_each(struct session_table *t, void (*fn)(void *ctx, struct session *s), void *ctx)
{
	struct session *s = t->active.oldest;

	while (s) {
		struct session *next = s->next;

		fn(ctx, s);
		s = next;
	}
}

size_t session_count(const struct session_table *t)
{
	return t->active.count;
}

bool session_takes_access(const struct session *s)
{
	return !s->tagged || s->access.source == ACCESS_SOURCE_SESSION;
}

const char *session_end_cause(struct slice text)
{
	static const char *const causes[] = {"logout",           "ended_unseen", "reboot",
					     "end_of_recording", "left_behind",  "denied"};

	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		if (slice_is(text, causes[i]))
			return causes[i];
	return "unknown";
}

void session_set(char **field, struct slice text)
{
	_cleanup_buf_ struct buf valid = {0};
	char *copy;

	if (text.ptr && !escape_utf8_valid(text)) {
		buf_init(&valid, 65536);
		escape_to_utf8(&valid, text);
		text = buf_slice(&valid);
	}
	copy = slice_dup(text);
	if (!copy)
		return;
	free(*field);
	*field = copy;
}
