/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* What binds a session to its access context: the module's tag, its tag file, or the session that
 * this one came from. */
#include <stdlib.h>

#include "agent/collector/transcript_internal.h"
#include "common/access/tagfile.h"
#include "common/cleanup.h"

static void write_access(struct transcript *t, struct session *s, const struct event *ev,
			 enum entry_type type, const struct access *a, const char *cause)
{
	char name[16];
	struct entry e;

	transcript_fill(s, ev, type, s->auid, name, &e);
	if (type == ENTRY_CONFLICT || a->status == ACCESS_UNAPPROVED ||
	    a->policy == ACCESS_POLICY_DENIED)
		e.outcome = ENTRY_FAILURE;
	else if (a->status == ACCESS_APPROVED)
		e.outcome = ENTRY_SUCCESS;
	e.object = a->request_id ? slice_of(a->request_id) : SLICE_LIT("no request");
	e.access = a;
	e.cause = slice_of(cause);
	writer_entry(t->writer, s, &e, t->now_ms);
}

void binding_settled(struct transcript *t, struct session *s, const struct event *ev)
{
	bool denied = s->access.policy == ACCESS_POLICY_DENIED;

	write_access(t, s, ev, ENTRY_ACCESS, &s->access, denied ? "denied" : NULL);
	lapse_bind(t, s, ev);
}

bool binding_read(const struct transcript *t, const struct session *s, struct tagfile *out)
{
	if (!t->facts.ses_dir ||
	    tagfile_read(t->facts.ses_dir, s->ses, t->facts.owner_uid, out, NULL))
		return false;
	if (out->auid == s->auid && slice_is(slice_of(out->boot_id), t->facts.boot_id))
		return true;
	tagfile_free(out);
	return false;
}

/* A login from before the agent ran: its tag file still says who and why. */
void binding_adopt(struct transcript *t, struct session *s, const struct event *ev,
		   int64_t since_ms)
{
	struct tagfile file = {0};
	bool own = binding_read(t, s, &file);

	if (own) {
		access_copy(&s->access, &file.tag.access);
		s->tagged = true;
		s->leader_pid = file.pid;
		session_set(&s->user, slice_of(file.tag.user));
		session_set(&s->service, slice_of(file.tag.service));
		session_set(&s->origin, slice_of(file.tag.source));
		session_set(&s->terminal, slice_of(file.tag.terminal));
		session_set(&s->validity.file, slice_of(file.grant_file));
	}
	link_find(t, s);
	transcript_begin(t, s, ev, "adopted");
	if (own)
		binding_settled(t, s, ev);
	if (own && file.time_ms < since_ms)
		since_ms = file.time_ms;
	/* A recording may begin anywhere: its first line says so. */
	if (t->facts.ses_dir)
		writer_gap(t->writer, s, "agent_not_running",
			   since_ms < ev->time_ms ? since_ms : ev->time_ms, ev->time_ms, 0,
			   t->now_ms);
	tagfile_free(&file);
}

void transcript_adopt(struct transcript *t, uint32_t ses, uint32_t auid, int64_t since_ms,
		      int64_t time_ms, int64_t now_ms)
{
	struct event ev = {.time_ms = time_ms};
	struct session *s;

	t->now_ms = now_ms;
	if (session_find(t->sessions, ses) || !(s = transcript_create(t, ses, time_ms)))
		return;
	if (s->phase != SESSION_PENDING) { /* it is over, and somebody is left behind */
		session_retire(t->sessions, s);
		return;
	}
	s->auid = auid;
	binding_adopt(t, s, &ev, since_ms);
}

static bool same_text(const char *a, const char *b)
{
	return slice_eq(slice_of(a), slice_of(b));
}

static bool same_access(const struct access *a, const struct access *b)
{
	return a->status == b->status && a->policy == b->policy &&
	       same_text(a->request_id, b->request_id) &&
	       same_text(a->grant_sha256, b->grant_sha256);
}

/* A tag is believed when the module's file for that session says the same: any process that holds
 * CAP_AUDIT_WRITE can send a tag, only root can have written the file. grant_file is filled then,
 * when there is one. */
static bool verify_tag(struct transcript *t, const struct session *s, struct tag *tag,
		       char **grant_file)
{
	struct tagfile file = {0};
	bool ok;

	if (!t->facts.ses_dir)
		return true;
	if (!binding_read(t, s, &file))
		return false;
	ok = same_access(&file.tag.access, &tag->access);
	if (ok && tag->truncated) { /* the file holds the fields in full */
		access_free(&tag->access);
		access_copy(&tag->access, &file.tag.access);
	}
	if (ok)
		*grant_file = TAKE_PTR(file.grant_file);
	tagfile_free(&file);
	return ok;
}

static void take_who(struct session *s, const struct tag *tag)
{
	session_set(&s->user, slice_of(tag->user));
	session_set(&s->service, slice_of(tag->service));
	session_set(&s->origin, slice_of(tag->source));
	session_set(&s->terminal, slice_of(tag->terminal));
}

static void take_tag(struct transcript *t, struct session *s, const struct event *ev,
		     struct tag *tag)
{
	_cleanup_free_ char *grant_file = NULL;
	bool pending = s->phase == SESSION_PENDING;
	bool believed = verify_tag(t, s, tag, &grant_file);
	bool ours = believed && session_takes_access(s);

	if (pending)
		take_who(s, tag);
	if (ours) {
		access_free(&s->access);
		access_copy(&s->access, &tag->access);
		s->tagged = true;
		s->w.pointed = s->w.identified = false;
		session_set(&s->validity.file, slice_of(grant_file));
	}
	if (pending)
		transcript_begin(t, s, ev, NULL);
	if (!ours && believed && same_access(&s->access, &tag->access))
		return; /* the same tag once more */
	transcript_wake(t, s, ev);
	if (ours) {
		binding_settled(t, s, ev);
		return;
	}
	t->stats.unverified_tags += !believed;
	write_access(t, s, ev, ENTRY_CONFLICT, &tag->access,
		     believed ? "second_tag" : "tag_unverified");
}

void binding_tag(struct transcript *t, const struct event *ev, struct slice body, struct tag *tag)
{
	uint32_t ses = record_id(record_get(body, "ses"));
	struct session *s = session_find(t->sessions, ses);

	if (ses == UINT32_MAX)
		return;
	if (!s && (s = transcript_create(t, ses, ev->time_ms))) {
		uint64_t pid = 0;

		s->auid = record_id(record_get(body, "auid"));
		record_u64(record_get(body, "pid"), &pid);
		s->leader_pid = (int64_t)pid;
	}
	if (s)
		take_tag(t, s, ev, tag);
}
