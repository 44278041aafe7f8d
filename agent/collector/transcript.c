/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/transcript.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/transcript_internal.h"
#include "agent/collector/typing.h"
#include "common/access/tag.h"
#include "common/cleanup.h"
#include "common/log.h"

#define SCRATCH_MAX (2 * EVENT_MAX_BYTES)
#define SCRATCH_KEEP (256 * 1024)

int transcript_new(struct writer *w, struct session_table *sessions,
		   const struct transcript_facts *facts, struct transcript **out,
		   struct sa_err *err)
{
	struct transcript *t = calloc(1, sizeof(*t));

	if (!t)
		return sa_fail(err, SA_ERR_NOMEM, "transcript: out of memory");
	t->writer = w;
	t->sessions = sessions;
	t->facts = *facts;
	t->next_due_ms = INT64_MAX;
	buf_init(&t->scratch, SCRATCH_MAX);
	arguments_init(&t->arguments);
	t->typed = typed_new();
	t->joins = join_store_new();
	t->procs = procs_new();
	if (!t->typed || !t->joins || !t->procs) {
		transcript_free(t);
		return sa_fail(err, SA_ERR_NOMEM, "transcript: out of memory");
	}
	*out = t;
	return 0;
}

/* It borrows from the transcript's store. */
static void forget_typing(void *ctx, struct session *s)
{
	(void)ctx;
	typing_free(s->typing);
	s->typing = NULL;
}

void transcript_free(struct transcript *t)
{
	if (!t)
		return;
	buf_free(&t->scratch);
	arguments_free(&t->arguments);
	session_each(t->sessions, forget_typing, NULL);
	join_store_free(t->joins);
	typed_free(t->typed);
	procs_free(t->procs);
	auth_free(t);
	inodes_free(t->inodes);
	free(t);
}

const struct transcript_stats *transcript_stats(const struct transcript *t)
{
	return &t->stats;
}

/* root is 0 everywhere; the session's own user is known from its login; other ids stay digits,
 * since a look-up could block and would differ in a replay. */
struct slice transcript_user(const struct session *s, uint32_t uid, char digits[16])
{
	if (uid == 0)
		return SLICE_LIT("root");
	if (uid == ENTRY_ID_UNSET || (uid == s->auid && s->user))
		return slice_of(s->user);
	snprintf(digits, 16, "%u", uid);
	return slice_of(digits);
}

void transcript_fill(const struct session *s, const struct event *ev, enum entry_type type,
		     uint32_t uid, char name[16], struct entry *e)
{
	*e = (struct entry){
		.time_ms = ev->time_ms,
		.type = type,
		.user = transcript_user(s, uid, name),
		.origin = slice_of(s->origin),
		.audit_serial = ev->serial,
		.after_logout = s->part > 1,
		.uid = uid,
		.euid = ENTRY_ID_UNSET,
		.auid = s->auid,
	};
}

struct session *transcript_create(struct transcript *t, uint32_t ses, int64_t start_ms)
{
	char sid[LAYOUT_SID_SIZE], start[24];
	const char *boot_id = t->facts.boot_id;
	struct session *s;

	if (!boot_id) {
		snprintf(start, sizeof(start), "%lld", (long long)start_ms);
		boot_id = start;
	}
	layout_session_id(slice_of(t->facts.machine_id), slice_of(boot_id), ses, sid);
	s = t->facts.boot_id ? writer_recall(t->writer, ses, sid) : NULL;
	if (s) {
		transcript_take_up(t, s);
		return s;
	}
	s = session_add(t->sessions, ses, sid);
	if (!s) {
		static struct log_limit limit = {.burst = 5};

		t->stats.refused++;
		log_limited(&limit, LOG_LEVEL_ERR, "event=session_refused ses=%u open=%zu", ses,
			    session_count(t->sessions));
		return NULL;
	}
	session_set(&s->boot_id, slice_of(boot_id));
	s->start_ms = start_ms;
	if (t->blind)
		s->loss = (struct session_loss){t->blind, start_ms, start_ms, 0};
	t->stats.sessions++;
	return s;
}

static void set_default(char **field, struct slice text)
{
	if (!*field)
		session_set(field, text);
}

/* Who, from where and by what is known as far as it will be: the transcript begins. */
void transcript_begin(struct transcript *t, struct session *s, const struct event *ev,
		      const char *cause)
{
	bool inherited = link_inherit(t, s);
	const struct access *a = &s->access;
	char digits[16], name[16];
	struct entry e;

	snprintf(digits, sizeof(digits), "%u", s->auid);
	set_default(&s->user, s->auid == 0 ? SLICE_LIT("root") : slice_of(digits));
	set_default(&s->origin, s->terminal ? slice_of(s->terminal) : SLICE_LIT("local"));
	set_default(&s->service, SLICE_LIT("unknown"));
	set_default(&s->request, a->request_id
					 ? slice_of(a->request_id)
					 : slice_of(a->n_candidates ? a->candidates[0] : NULL));
	s->phase = SESSION_OPEN;
	writer_start(t->writer, s);
	transcript_fill(s, ev, ENTRY_SESSION_START, s->auid, name, &e);
	e.time_ms = s->start_ms;
	e.outcome = ENTRY_SUCCESS;
	e.object = e.service = slice_of(s->service);
	e.pid = s->leader_pid;
	e.tty = slice_of(s->terminal);
	e.cause = slice_of(cause);
	e.linked = s->linked[0] ? slice_of(s->linked) : SLICE_NONE;
	writer_entry(t->writer, s, &e, t->now_ms);
	if (s->loss.cause)
		writer_gap(t->writer, s, s->loss.cause, s->loss.start_ms, s->loss.end_ms,
			   s->loss.count, t->now_ms);
	if (inherited)
		binding_settled(t, s, ev);
	auth_begin(t, s);
}

void transcript_wake(struct transcript *t, struct session *s, const struct event *ev)
{
	if (s->phase == SESSION_CLOSED)
		writer_reopen(t->writer, s);
	if (s->phase != SESSION_ENDING)
		return;
	if (s->part > 1) {
		s->end_ms = ev->time_ms;
		s->end_cause = session_end_cause(SLICE_LIT("left_behind"));
		s->ending_ms = t->now_ms;
		lapse_wake(t, s, ev);
	}
	transcript_plan_end(t, s);
}

struct session *transcript_session(struct transcript *t, const struct event *ev, uint32_t ses,
				   uint32_t auid)
{
	struct session *s;

	if (ses == UINT32_MAX)
		return NULL;
	s = session_find(t->sessions, ses);
	if (!s) {
		s = transcript_create(t, ses, ev->time_ms);
		if (!s)
			return NULL;
		if (s->phase == SESSION_PENDING) {
			s->auid = auid;
			binding_adopt(t, s, ev, ev->time_ms);
		}
	}
	if (s->phase == SESSION_PENDING)
		transcript_begin(t, s, ev, NULL);
	transcript_wake(t, s, ev);
	return s;
}

static void on_login(struct transcript *t, const struct event *ev, struct slice body)
{
	uint32_t ses = record_id(record_get(body, "ses"));
	struct session *s;
	uint64_t pid = 0;

	if (slice_is(record_get(body, "res"), "0"))
		return;
	if (ses == UINT32_MAX) {
		link_lost(t, ev, body);
		return;
	}
	s = session_find(t->sessions, ses);
	if (s) { /* the kernel numbers anew after a reboot: a recording of several boots */
		if (s->phase != SESSION_CLOSED)
			transcript_end(t, s, "reboot", ev->time_ms, t->now_ms);
		if (s->w.finishing)
			return; /* its end is not in the spool yet */
		session_remove(t->sessions, s);
		procs_forget(t->procs, ses);
		if (!t->facts.ses_dir)
			t->facts.boot_id =
				NULL; /* a recording's own boot id was that of the first */
	}
	s = transcript_create(t, ses, ev->time_ms);
	if (!s)
		return;
	s->auid = record_id(record_get(body, "auid"));
	record_u64(record_get(body, "pid"), &pid);
	s->leader_pid = (int64_t)pid;
	s->logged_in = pid != 0 && record_id(record_get(body, "old-ses")) == UINT32_MAX;
	link_login(t, s, ev, body);
}

/* OpenSSH 9.8 took sshd apart; PAM's service is still sshd. */
static struct slice service_of(struct slice exe)
{
	struct slice name = slice_base_name(exe);

	return slice_is(name, "sshd-session") || slice_is(name, "sshd-auth") ? SLICE_LIT("sshd")
									     : name;
}

/* USER_START of the process that logged in: a stack without our module gets no further. */
static void begin_untagged(struct transcript *t, struct session *s, const struct event *ev,
			   struct slice msg)
{
	session_set(&s->user, record_text(record_get(msg, "acct"), &t->scratch));
	session_set(&s->origin, record_text(record_get(msg, "addr"), &t->scratch));
	session_set(&s->terminal, record_text(record_get(msg, "terminal"), &t->scratch));
	session_set(&s->service, service_of(record_text(record_get(msg, "exe"), &t->scratch)));
	transcript_begin(t, s, ev, NULL);
}

static void begin_end(struct transcript *t, struct session *s, const struct event *ev,
		      const char *cause)
{
	s->phase = SESSION_ENDING;
	s->end_ms = ev->time_ms;
	s->end_cause = session_end_cause(slice_of(cause));
	s->ending_ms = t->now_ms;
	transcript_plan_end(t, s);
}

/* A login that the policy denied gets no USER_END: its session was never opened. */
static bool is_denied(const struct session *s, struct slice msg)
{
	return s->phase == SESSION_OPEN && s->access.policy == ACCESS_POLICY_DENIED &&
	       slice_is(record_get(msg, "res"), "failed");
}

static void on_user_start(struct transcript *t, const struct event *ev, struct slice body)
{
	struct session *s = session_find(t->sessions, record_id(record_get(body, "ses")));
	struct slice msg = record_msg(body);
	int64_t pid = 0;

	record_i64(record_get(body, "pid"), &pid);
	if (!s || !msg.ptr)
		return;
	if (s->leader_pid ? pid == s->leader_pid : s->phase == SESSION_PENDING) {
		s->leader_pid = pid;
		if (s->phase == SESSION_PENDING)
			begin_untagged(t, s, ev, msg);
		else if (is_denied(s, msg))
			begin_end(t, s, ev, "denied");
	} else if (s->phase != SESSION_PENDING &&
		   nested_is(record_text(record_get(msg, "exe"), &t->scratch))) {
		nested_start(t, s, ev, body);
	}
}

static void on_user_end(struct transcript *t, const struct event *ev, struct slice body)
{
	struct session *s = session_find(t->sessions, record_id(record_get(body, "ses")));
	struct slice exe;
	int64_t pid = 0;

	if (!s || s->phase == SESSION_CLOSED || s->phase == SESSION_ENDING)
		return;
	record_i64(record_get(body, "pid"), &pid);
	exe = record_text(record_get(record_msg(body), "exe"), &t->scratch);
	if (s->leader_pid ? pid != s->leader_pid : nested_is(exe))
		return;
	if (s->phase == SESSION_PENDING)
		transcript_begin(t, s, ev, NULL);
	begin_end(t, s, ev, "logout");
}

static void on_tag(struct transcript *t, const struct event *ev, struct slice body)
{
	struct tag tag = {0};

	if (tag_decode(body, &tag))
		return;
	if (tag.kind == TAG_NEST)
		nested_tag(t, ev, body, &tag);
	else
		binding_tag(t, ev, body, &tag);
	tag_free(&tag);
}

static void on_tty(struct transcript *t, const struct event *ev, struct slice body)
{
	struct session *s = transcript_session(t, ev, record_id(record_get(body, "ses")),
					       record_id(record_get(body, "auid")));

	if (s)
		input_entries(t, s, ev, body);
}

/* What a login does before it says who it is for (by our tag, by USER_START) is its own: the
 * message with the tag is a call too, and pam_motd runs programs. It began outside of all sessions,
 * so this is out of reach of who is recorded. A program that it becomes itself is the session's. */
static bool is_logins_own(const struct session *s, const struct call *c)
{
	if (s->phase != SESSION_PENDING || !s->logged_in)
		return false;
	return c->pid == s->leader_pid ? c->kind != CALL_EXEC
				       : c->ppid == s->leader_pid || c->uid != s->auid;
}

/* How a process ends says too little to begin or reopen a transcript, unless it is the end of a
 * program that is in one. */
bool transcript_takes(struct transcript *t, const struct call *c)
{
	const struct session *s = session_find(t->sessions, c->ses);

	if (s && is_logins_own(s, c))
		return false;
	return c->kind != CALL_EXIT || procs_find(t->procs, c->pid) ||
	       (s && (s->phase == SESSION_OPEN || s->phase == SESSION_ENDING));
}

/* What is done to our own files is told without the class too. */
static bool is_recorded(const struct transcript *t, enum call_kind kind)
{
	return t->facts.classes & 1U << kind || (kind == CALL_FILE && t->facts.self);
}

static void on_syscall(struct transcript *t, const struct event *ev)
{
	static void (*const entries[CALL_KINDS])(struct transcript *, struct session *,
						 const struct event *, const struct call *) = {
		[CALL_EXEC] = exec_entry,           [CALL_EXIT] = exits_call,
		[CALL_NETWORK] = network_entry,     [CALL_FILE] = files_entry,
		[CALL_PRIVILEGE] = privilege_entry,
	};
	struct call call;
	struct session *s;

	if (!call_parse(ev, &call) || call.ses == UINT32_MAX || call.kind == CALL_OTHER ||
	    !is_recorded(t, call.kind) || !transcript_takes(t, &call))
		return;
	s = transcript_session(t, ev, call.ses, call.auid);
	if (!s)
		return;
	if (!selfwatch_entry(t, s, ev, &call) && entries[call.kind])
		entries[call.kind](t, s, ev, &call);
}

static bool reserve_scratch(struct transcript *t, const struct event *ev)
{
	size_t need = 1;

	for (size_t i = 0; i < ev->n; i++)
		need += ev->records[i].body.len;
	if (t->scratch.cap > SCRATCH_KEEP && need <= SCRATCH_KEEP)
		buf_free(&t->scratch); /* that of an event with very long arguments */
	buf_clear(&t->scratch);
	return buf_reserve(&t->scratch, need) != NULL;
}

void transcript_event(struct transcript *t, const struct event *ev, int64_t now_ms)
{
	struct slice body;
	unsigned type;

	transcript_advance(t, ev->time_ms, now_ms);
	if (ev->n == 0 || !reserve_scratch(t, ev))
		return;
	body = ev->records[0].body;
	type = ev->records[0].type;
	switch (type) {
	case RECORD_LOGIN:
		on_login(t, ev, body);
		break;
	case RECORD_USER_START:
		on_user_start(t, ev, body);
		break;
	case RECORD_USER_END:
		on_user_end(t, ev, body);
		break;
	case RECORD_TRUSTED_APP:
		on_tag(t, ev, body);
		break;
	case RECORD_TTY:
		on_tty(t, ev, body);
		break;
	case RECORD_ANOM_ABEND:
		exits_abend(t, ev, body);
		break;
	default:
		if (type == RECORD_CONFIG_CHANGE || type == RECORD_FEATURE_CHANGE ||
		    (type >= 1200 && type < 1300))
			reconfig_message(t, ev, type, body);
		else if ((type >= 1100 && type < 1200) || (type >= 2100 && type < 3000))
			auth_message(t, ev, type, body);
		else
			on_syscall(t, ev);
	}
}
