/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * Programs that open a session of their own inside a session (sudo, su): who became whom. The
 * module's nest tag says it best, and comes first; where the module is not in that program's
 * stack, libpam's USER_START has to do. What a tag says binds nothing, so the worst a forged one
 * does is an entry of its own.
 */
#include <stdio.h>

#include "agent/collector/transcript_internal.h"

bool nested_is(struct slice exe)
{
	static const char *const names[] = {"sudo", "su", "runuser", "pkexec", "doas", NULL};

	return slice_in(slice_base_name(exe), names);
}

/* The user's name is known, and not only the number. */
static bool has_name(const struct session *s)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", s->auid);
	return s->user && strcmp(s->user, digits) != 0;
}

/* Who asks. The kernel's uid stays when it is that of somebody whose name is known and another.
 * uid 0 says nothing: a sudo that was set up so asks PAM as root. */
static void fill_from(const struct session *s, struct slice from, struct entry *e)
{
	bool is_login = has_name(s) && slice_is(from, s->user);

	if (!from.ptr || (e->uid == s->auid && e->uid != 0 && has_name(s)))
		return;
	e->user = from;
	if (e->uid == 0 && !slice_is(from, "root"))
		e->uid = is_login ? s->auid : ENTRY_ID_UNSET;
}

static void fill_nested(const struct session *s, const struct event *ev, struct slice body,
			char name[16], struct entry *e)
{
	transcript_fill(s, ev, ENTRY_PRIVILEGE, record_id(record_get(body, "uid")), name, e);
	record_i64(record_get(body, "pid"), &e->pid);
	e->cause = SLICE_LIT("nested");
}

static void remember(struct session *s, int64_t pid, bool ok)
{
	s->nested[s->next_nested] = (struct session_nested){pid, ok};
	s->next_nested = (s->next_nested + 1) % SESSION_NESTED;
}

/* What is not the session's: a reason that was typed, an approval that has ended, an exemption. An
 * approval is never taken from here. */
static bool has_own_access(const struct session *s, const struct access *a)
{
	return a->status != ACCESS_APPROVED &&
	       (a->status != s->access.status || a->policy != ACCESS_POLICY_NONE);
}

void nested_tag(struct transcript *t, const struct event *ev, struct slice body,
		const struct tag *tag)
{
	struct session *s = session_find(t->sessions, record_id(record_get(body, "ses")));
	bool denied = tag->access.policy == ACCESS_POLICY_DENIED;
	char name[16];
	struct entry e;

	if (!s || s->phase == SESSION_PENDING)
		return;
	transcript_wake(t, s, ev);
	fill_nested(s, ev, body, name, &e);
	fill_from(s, slice_of(tag->from), &e);
	e.outcome = denied ? ENTRY_FAILURE : ENTRY_SUCCESS;
	e.target = e.object = slice_of(tag->user);
	e.service = slice_of(tag->service);
	e.tty = slice_of(tag->terminal);
	if (denied)
		e.cause = SLICE_LIT("denied");
	if (denied || has_own_access(s, &tag->access))
		e.access = &tag->access;
	writer_entry(t->writer, s, &e, t->now_ms);
	remember(s, e.pid, !denied);
}

/* What a tag of this process said; it is forgotten. */
static struct session_nested recall(struct session *s, int64_t pid)
{
	struct session_nested found = {0};

	for (unsigned i = 0; pid && i < SESSION_NESTED; i++) {
		if (s->nested[i].pid != pid)
			continue;
		found = s->nested[i];
		s->nested[i] = (struct session_nested){0};
	}
	return found;
}

void nested_start(struct transcript *t, struct session *s, const struct event *ev,
		  struct slice body)
{
	struct slice msg = record_msg(body);
	bool failed = slice_is(record_get(msg, "res"), "failed");
	struct session_nested told;
	char name[16];
	struct entry e;

	fill_nested(s, ev, body, name, &e);
	told = recall(s, e.pid);
	if (told.pid && (!told.ok || !failed))
		return; /* all is said */
	transcript_wake(t, s, ev);
	e.outcome = failed ? ENTRY_FAILURE : ENTRY_SUCCESS;
	e.target = e.object = record_text(record_get(msg, "acct"), &t->scratch);
	e.service = slice_base_name(record_text(record_get(msg, "exe"), &t->scratch));
	e.tty = record_text(record_get(msg, "terminal"), &t->scratch);
	writer_entry(t->writer, s, &e, t->now_ms);
}
