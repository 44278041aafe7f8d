/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* What the transcript says when an approval ends while its session runs. */
#include "agent/collector/transcript_internal.h"
#include "common/access/tagfile.h"
#include "common/clock.h"

#define AGAIN_MS 1000 /* when the spool takes nothing */

/* False when there was no room for it. */
static bool tell(struct transcript *t, struct session *s, const struct event *ev,
		 enum entry_type type, const char *cause, int64_t pid)
{
	const char *request = s->access.request_id;
	char name[16];
	struct entry e;

	transcript_fill(s, ev, type, s->auid, name, &e);
	e.outcome = ENTRY_FAILURE; /* as that of a session that was never approved */
	e.object = request ? slice_of(request) : SLICE_LIT("no request");
	e.cause = slice_of(cause);
	e.pid = pid;
	writer_entry(t->writer, s, &e, t->now_ms);
	return e.seq != 0;
}

/* The end that holds now was told: an end that moved is told again when it comes. */
static bool has_expired(const struct session *s)
{
	return s->w.counts.expired_ms && s->w.counts.expired_ms >= s->validity.expires_ms;
}

/* An end that is due, but could not be told, is tried again after AGAIN_MS. */
static void plan(struct transcript *t, const struct session *s, int64_t now_ms)
{
	int64_t due = s->validity.expires_ms - 1;

	if (s->validity.expires_ms == VALIDITY_NO_END || has_expired(s))
		return;
	transcript_plan(t, due >= now_ms ? due : now_ms + AGAIN_MS);
}

static const char *why_gone(const struct transcript *t, struct session *s)
{
	struct grants_trust trust = {t->facts.owner_uid, t->facts.signers};

	if (!t->facts.ses_dir || !s->validity.file || s->access.status != ACCESS_APPROVED)
		return NULL;
	return validity_look(&s->validity, &s->access, &trust);
}

/* A grant that is withdrawn after it has expired changes nothing. */
static void look(struct transcript *t, struct session *s)
{
	struct event ev = {.time_ms = clock_real_ms()};
	int64_t before = s->validity.expires_ms;
	const char *cause = why_gone(t, s);

	if (!s->validity.file)
		return;
	if (!cause)
		s->validity.withdrawn = false;
	else if (!s->validity.withdrawn && s->validity.expires_ms > ev.time_ms)
		s->validity.withdrawn = tell(t, s, &ev, ENTRY_REVOKED, cause, 0);
	if (s->validity.expires_ms != before)
		plan(t, s, INT64_MIN);
}

/* It is now_ms. The entry has the time of the end, but not one before from_ms. */
static void check(struct transcript *t, struct session *s, int64_t now_ms, int64_t from_ms)
{
	const int64_t *end = &s->validity.expires_ms;

	if (*end <= now_ms && !has_expired(s))
		look(t, s); /* it may have a later one since the last look */
	if (*end <= now_ms && !has_expired(s)) {
		struct event at = {.time_ms = *end > from_ms ? *end : from_ms};

		tell(t, s, &at, ENTRY_EXPIRED, "expires_at", 0);
	}
	plan(t, s, now_ms);
}

void lapse_bind(struct transcript *t, struct session *s, const struct event *ev)
{
	validity_start(&s->validity, &s->access);
	check(t, s, ev->time_ms, ev->time_ms);
}

void lapse_advance(struct transcript *t, struct session *s, int64_t event_ms)
{
	if (s->past)
		return;
	if (s->taken_up) /* it is not yet known whether it still runs */
		plan(t, s, event_ms);
	else
		check(t, s, event_ms, 0);
}

void lapse_wake(struct transcript *t, struct session *s, const struct event *ev)
{
	check(t, s, ev->time_ms, ev->time_ms);
}

void lapse_exec(struct transcript *t, struct session *s, const struct event *ev,
		const struct call *call)
{
	if (!channels_note(&s->channels, call->pid, call->ppid, call->uid == s->auid))
		return;
	if (s->validity.withdrawn)
		tell(t, s, ev, ENTRY_REVOKED, "new_channel", call->pid);
	else if (has_expired(s))
		tell(t, s, ev, ENTRY_EXPIRED, "new_channel", call->pid);
}

static void look_at(void *ctx, struct session *s)
{
	if (s->phase == SESSION_OPEN && !s->past)
		look(ctx, s);
}

void transcript_look(struct transcript *t, int64_t now_ms)
{
	t->now_ms = now_ms;
	session_each(t->sessions, look_at, t);
}

void transcript_take_up(struct transcript *t, struct session *s)
{
	struct tagfile file;

	validity_start(&s->validity, &s->access);
	s->validity.withdrawn = s->w.counts.revoked_ms != 0;
	if (!s->validity.file && binding_read(t, s, &file)) {
		session_set(&s->validity.file, slice_of(file.grant_file));
		tagfile_free(&file);
	}
	why_gone(t, s); /* it may have another end by now; what else it says is told later */
	plan(t, s, INT64_MIN);
}
