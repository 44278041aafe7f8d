/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What transcript.c, transcript_end.c, binding.c, link.c, nested.c, lapse.c, exec.c and input.c
 * share; nobody else includes it. */
#ifndef SA_TRANSCRIPT_INTERNAL_H
#define SA_TRANSCRIPT_INTERNAL_H

#include "agent/collector/transcript.h"
#include "agent/collector/typed.h"
#include "common/access/tag.h"

#define EXEC_MAX_ARGS 65536

struct span {
	size_t off, len;
};

struct transcript {
	struct writer *writer;
	struct session_table *sessions;
	struct transcript_facts facts;
	struct transcript_stats stats;
	int64_t now_ms;      /* age clock of the call */
	int64_t next_due_ms; /* no session's grace or approval is over before this event time */
	struct buf scratch;  /* decoded values of the event in hand */
	struct buf args;
	struct span *arg_spans;
	struct slice *argv;
	size_t args_cap;
	struct typed *typed;
};

/* The fields every entry has, from the session and who acted. name: at least 16 bytes that live as
 * long as e. */
void transcript_fill(const struct session *s, const struct event *ev, enum entry_type type,
		     uint32_t uid, char name[16], struct entry *e);

/* Who, from where and by what is known as far as it will be: the transcript begins. */
void transcript_begin(struct transcript *t, struct session *s, const struct event *ev,
		      const char *cause);
/* A user's name: root, the login's own, or digits. */
struct slice transcript_user(const struct session *s, uint32_t uid, char digits[16]);
/* The session of that number, new or closed and known again; NULL when there is no room. */
struct session *transcript_create(struct transcript *t, uint32_t ses, int64_t start_ms);
/* A session that takes an entry now goes on when it was over. */
void transcript_wake(struct transcript *t, struct session *s, const struct event *ev);
/* transcript_end.c: transcript_advance has something to do after that event time. */
void transcript_plan(struct transcript *t, int64_t event_ms);
/* transcript_end.c: s is ending; end_ms says since when. */
void transcript_plan_end(struct transcript *t, const struct session *s);

/* exec.c: an event with a SYSCALL record. Returns true and fills ses when it is a program's start.
 */
struct exec_call {
	struct slice success, tty, comm, exe;
	int64_t exit, pid, ppid;
	uint32_t ses, auid, uid, euid;
};
bool exec_recognize(const struct event *ev, struct exec_call *call);
void exec_entry(struct transcript *t, struct session *s, const struct event *ev,
		const struct exec_call *call);

/* input.c: a TTY record of the session. */
void input_entries(struct transcript *t, struct session *s, const struct event *ev,
		   struct slice body);

/* binding.c: a session that nothing was known of; begins it. */
void binding_adopt(struct transcript *t, struct session *s, const struct event *ev);
/* A TAG_BIND. */
void binding_tag(struct transcript *t, const struct event *ev, struct slice body, struct tag *tag);
/* s->access is what it will be, and its transcript has begun: the entry. */
void binding_settled(struct transcript *t, struct session *s, const struct event *ev);
struct tagfile;
/* The session's tag file, when it is believed; out is the caller's to free then. Always false in a
 * replay. */
bool binding_read(const struct transcript *t, const struct session *s, struct tagfile *out);

/* link.c: the LOGIN record of s, which is new: notes which session it comes from. */
void link_login(struct transcript *t, struct session *s, const struct event *ev, struct slice body);
/* A LOGIN record that gives a process no session at all: the way out of the recording. */
void link_lost(struct transcript *t, const struct event *ev, struct slice body);
/* Its LOGIN record was read by an earlier run. */
void link_find(struct transcript *t, struct session *s);
/* s begins: when it has no context of its own it takes that of the session it comes from. Returns
 * true then; binding_settled is the caller's to call. */
bool link_inherit(struct transcript *t, struct session *s);

/* nested.c: a program that opens sessions inside others (sudo, su). */
bool nested_is(struct slice exe);
/* A TAG_NEST. */
void nested_tag(struct transcript *t, const struct event *ev, struct slice body,
		const struct tag *tag);
/* Its USER_START. */
void nested_start(struct transcript *t, struct session *s, const struct event *ev,
		  struct slice body);

/* lapse.c: the session's access is settled. */
void lapse_bind(struct transcript *t, struct session *s, const struct event *ev);
/* An open session's approval may be over: it is event_ms. */
void lapse_advance(struct transcript *t, struct session *s, int64_t event_ms);
/* The session went on after its end. */
void lapse_wake(struct transcript *t, struct session *s, const struct event *ev);
/* A program is started. */
void lapse_exec(struct transcript *t, struct session *s, const struct event *ev,
		const struct exec_call *call);

#endif
