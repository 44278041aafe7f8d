/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * Root can write a new loginuid, and so can a daemon that was started from a login: the process
 * goes on in a new session, which the LOGIN record's old-ses ties to the old one. Both transcripts
 * say so, and the new session keeps the request's id unless it has a context of its own.
 */
#include "agent/collector/transcript_internal.h"
#include "common/access/tagfile.h"

/* What the old session says: pid goes on as target, in the session linked (absent: in none). */
static void tell_left(struct transcript *t, struct session *old, const struct event *ev,
		      struct slice body, struct slice target, struct slice linked)
{
	char name[16];
	struct entry e;

	if (old->phase == SESSION_PENDING)
		transcript_begin(t, old, ev, NULL);
	transcript_wake(t, old, ev);
	transcript_fill(old, ev, ENTRY_PRIVILEGE, record_id(record_get(body, "uid")), name, &e);
	e.outcome = ENTRY_SUCCESS;
	record_i64(record_get(body, "pid"), &e.pid);
	e.tty = record_text(record_get(body, "tty"), &t->scratch);
	e.target = e.object = target;
	e.cause = SLICE_LIT("left");
	e.linked = linked;
	writer_entry(t->writer, old, &e, t->now_ms);
}

static struct session *find_old(struct transcript *t, struct slice body)
{
	uint32_t ses = record_id(record_get(body, "old-ses"));

	return ses == UINT32_MAX ? NULL : session_find(t->sessions, ses);
}

void link_login(struct transcript *t, struct session *s, const struct event *ev, struct slice body)
{
	struct session *old = find_old(t, body);
	char target[16];

	if (!old || old == s)
		return;
	s->linked_ses = old->ses;
	memcpy(s->linked, old->sid, sizeof(s->linked));
	memcpy(old->left, s->sid, sizeof(old->left));
	tell_left(t, old, ev, body, transcript_user(old, s->auid, target), slice_of(s->sid));
}

void link_lost(struct transcript *t, const struct event *ev, struct slice body)
{
	struct session *old = find_old(t, body);

	if (old)
		tell_left(t, old, ev, body, SLICE_LIT("unset"), SLICE_NONE);
}

static void find_one(void *ctx, struct session *old)
{
	struct session *s = ctx;

	if (old == s || strcmp(old->left, s->sid) != 0)
		return;
	s->linked_ses = old->ses;
	memcpy(s->linked, old->sid, sizeof(s->linked));
}

void link_find(struct transcript *t, struct session *s)
{
	if (!s->linked[0])
		session_each(t->sessions, find_one, s);
}

/* It tells where to look, and approves nothing: a daemon that was started from a login hands its
 * session number on to whomever it serves. */
static void weaken(struct access *a)
{
	a->source = ACCESS_SOURCE_SESSION;
	a->policy = ACCESS_POLICY_NONE;
	if (a->status != ACCESS_APPROVED)
		return;
	a->status = ACCESS_ID_ONLY;
	access_set(&a->reason, SLICE_LIT("of the session that this one left"));
}

bool link_inherit(struct transcript *t, struct session *s)
{
	struct session *old = s->linked[0] ? session_find(t->sessions, s->linked_ses) : NULL;
	struct tagfile file;

	if (s->tagged || !old || strcmp(old->sid, s->linked) != 0)
		return false;
	if (!s->origin)
		session_set(&s->origin, slice_of(old->origin));
	if (!s->user && s->auid == old->auid)
		session_set(&s->user, slice_of(old->user));
	if (!old->tagged)
		return false;
	if (binding_read(t, s, &file)) { /* its tag is on the way */
		tagfile_free(&file);
		return false;
	}
	if (access_copy(&s->access, &old->access))
		return false;
	s->tagged = true;
	weaken(&s->access);
	return true;
}
