/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * What programs themselves say of authentication, credentials and accounts: user messages of
 * sshd, login, sudo, su, useradd ... (libaudit: audit_log_acct_message, audit_log_user_command).
 * The kernel vouches for pid, uid, auid and ses before msg='...'; the rest is the program's, and
 * may hold what an attacker typed.
 *
 * A login is authenticated before the kernel gives it a session. What a process says before is
 * kept for EARLY_MS, and belongs to the session whose login that process turns out to be. Whatever
 * no session claims is dropped: system services never get into a transcript.
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/transcript_internal.h"

#include <libaudit.h>

#include "common/cleanup.h"

#define EARLY_MAX 256
#define EARLY_MS 120000
#define EARLY_BYTES 8970 /* MAX_AUDIT_MESSAGE_LENGTH */

struct early {
	struct early_message {
		int64_t pid, time_ms;
		uint64_t serial;
		uint32_t ses;
		unsigned type;
		char *body; /* NULL: none */
		size_t len;
	} ring[EARLY_MAX];
	unsigned next; /* to be overwritten: the oldest */
};

/* Not of who may do what: keys that sshd negotiates (CRYPTO_*), tests, what SELinux says to
 * programs; and USER_TTY holds typed text, which is nothing to be shown here. */
static bool is_told(unsigned type)
{
	if (type >= AUDIT_FIRST_CRYPTO_MSG && type <= AUDIT_LAST_CRYPTO_MSG)
		return false;
	switch (type) {
	case AUDIT_USER_AVC:
	case AUDIT_USER_SELINUX_ERR:
	case AUDIT_USER_TTY:
	case AUDIT_TEST:
	case AUDIT_MAC_CHECK:
		return false;
	default:
		return true;
	}
}

/* op is more than one word where shadow's tools write it ("op=adding home directory id=1001"): all
 * until the next field. */
static struct slice operation(struct slice msg, struct buf *scratch)
{
	struct slice first = record_get(msg, "op");
	struct record_fields f;
	struct slice name, value;

	if (first.len == 0 || first.ptr[0] == '"')
		return first.len ? record_text(first, scratch) : SLICE_NONE;
	f = record_fields((struct slice){first.ptr + first.len,
					 (size_t)(msg.ptr + msg.len - first.ptr) - first.len});
	if (!record_next(&f, &name, &value) || name.ptr == first.ptr + first.len + 1)
		return record_text(first, scratch);
	return (struct slice){first.ptr, (size_t)(name.ptr - 1 - first.ptr)};
}

static bool is_group(unsigned type)
{
	return type == AUDIT_ADD_GROUP || type == AUDIT_DEL_GROUP || type == AUDIT_CHGRP_ID ||
	       type == AUDIT_GRP_AUTH || type == AUDIT_GRP_MGMT || type == AUDIT_GRP_CHAUTHTOK;
}

/* Whose account: by name, or by number; a user's may be the login's own. */
static struct slice account(const struct session *s, unsigned type, struct slice msg,
			    char digits[16], struct buf *scratch)
{
	struct slice name = record_text(record_get(msg, "acct"), scratch);
	struct slice id = record_get(msg, "id");

	if (name.ptr && !slice_is(name, "?"))
		return name;
	if (record_id(id) == UINT32_MAX)
		return SLICE_NONE;
	return is_group(type) ? id : transcript_user(s, record_id(id), digits);
}

static void set_command(struct transcript *t, struct slice msg, struct entry *e)
{
	e->cwd = record_text(record_get(msg, "cwd"), &t->scratch);
	e->command = record_text(record_get(msg, "cmd"), &t->scratch);
	if (!e->command.ptr)
		return;
	redact_begin(t->facts.redact);
	e->redacted = redact_text(t->facts.redact, &e->command);
	e->object = e->command;
}

static void tell(struct transcript *t, struct session *s, const struct event *ev, unsigned type,
		 struct slice body)
{
	char name[16], digits[16], action[32];
	struct slice msg = record_msg(body);
	struct entry e;

	transcript_fill(s, ev, ENTRY_AUTH, record_id(record_get(body, "uid")), name, &e);
	record_i64(record_get(body, "pid"), &e.pid);
	e.action = transcript_action(type, action);
	e.outcome = transcript_outcome(record_get(msg, "res"));
	e.target = e.object = account(s, type, msg, digits, &t->scratch);
	if (!e.object.ptr)
		e.object = record_text(record_get(msg, "grp"), &t->scratch);
	e.exe = record_text(record_get(msg, "exe"), &t->scratch);
	e.service = slice_base_name(e.exe);
	e.tty = record_text(record_get(msg, "terminal"), &t->scratch);
	e.cause = operation(msg, &t->scratch);
	set_command(t, msg, &e);
	writer_entry(t->writer, s, &e, t->now_ms);
}

static void forget(struct early_message *m)
{
	free(m->body);
	*m = (struct early_message){0};
}

static void keep(struct transcript *t, const struct event *ev, unsigned type, struct slice body)
{
	struct early_message *m;
	char *copy;
	int64_t pid;

	if (body.len > EARLY_BYTES || !record_i64(record_get(body, "pid"), &pid))
		return;
	if (!t->early && !(t->early = calloc(1, sizeof(*t->early))))
		return;
	copy = malloc(body.len + 1); /* a recorded log may hold NUL */
	if (!copy)
		return;
	memcpy(copy, body.ptr, body.len);
	m = &t->early->ring[t->early->next];
	t->early->next = (t->early->next + 1) % EARLY_MAX;
	forget(m);
	*m = (struct early_message){
		pid,  ev->time_ms, ev->serial, record_id(record_get(body, "ses")),
		type, copy,        body.len};
}

/* The last words of sshd come after the session is over. */
static bool is_late(const struct session *s, struct slice body)
{
	int64_t pid = 0;

	record_i64(record_get(body, "pid"), &pid);
	return s && s->phase == SESSION_CLOSED && pid == s->leader_pid;
}

void auth_message(struct transcript *t, const struct event *ev, unsigned type, struct slice body)
{
	uint32_t ses = record_id(record_get(body, "ses"));
	struct session *s = ses == UINT32_MAX ? NULL : session_find(t->sessions, ses);

	if (!t->facts.auth || !is_told(type) || !record_msg(body).ptr || is_late(s, body))
		return;
	if (ses == UINT32_MAX || (s && s->phase == SESSION_PENDING)) {
		keep(t, ev, type, body);
		return;
	}
	s = transcript_session(t, ev, ses, record_id(record_get(body, "auid")));
	if (s)
		tell(t, s, ev, type, body);
}

/* In the order in which they came. The scratch is in use by who begins the session, and too small.
 */
void auth_begin(struct transcript *t, struct session *s)
{
	struct buf scratch = t->scratch;

	for (unsigned i = 0; t->early && i < EARLY_MAX; i++) {
		struct early_message *m = &t->early->ring[(t->early->next + i) % EARLY_MAX];
		struct event ev = {.time_ms = m->time_ms, .serial = m->serial};
		bool own = m->ses == s->ses || (m->ses == UINT32_MAX && m->pid == s->leader_pid);

		if (!m->body || !own)
			continue;
		buf_init(&t->scratch, 2 * EARLY_BYTES);
		if (s->start_ms - m->time_ms <= EARLY_MS && buf_reserve(&t->scratch, 2 * m->len))
			tell(t, s, &ev, m->type, (struct slice){m->body, m->len});
		buf_free(&t->scratch);
		forget(m);
	}
	t->scratch = scratch;
}

void auth_free(struct transcript *t)
{
	for (unsigned i = 0; t->early && i < EARLY_MAX; i++)
		forget(&t->early->ring[i]);
	free(t->early);
}
