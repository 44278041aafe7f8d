/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What transcript*.c, binding.c, link.c, nested.c, lapse.c and the classes (exec, exits, network,
 * files, privilege, selfwatch, auth, reconfig, input) share; nobody else includes it. */
#ifndef SA_TRANSCRIPT_INTERNAL_H
#define SA_TRANSCRIPT_INTERNAL_H

#include "agent/collector/arguments.h"
#include "agent/collector/call.h"
#include "agent/collector/join.h"
#include "agent/collector/files.h"
#include "agent/collector/procs.h"
#include "agent/collector/transcript.h"
#include "agent/collector/typed.h"
#include "common/access/tag.h"

struct early;                 /* auth.c */
struct reconfig {             /* reconfig.c */
	bool added;           /* a rule, since it was asked for */
	int64_t first_ms;     /* of the first change since it was asked for; 0: none */
	int64_t own_until_ms; /* changes by nobody's login are the agent's own until then */
	struct change {       /* the last one that others than who made it were told of */
		char what[128];
		uint32_t ses, auid;
		int64_t time_ms;
	} told;
};
struct traced { /* privilege.c: the last process that was written to, by whom */
	int64_t pid, target;
	uint64_t request;
};

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
	struct arguments arguments;
	struct typed *typed;
	struct join_store *joins;
	struct procs *procs;
	void (*on_end)(void *ctx); /* may be NULL */
	void *on_end_ctx;
	struct early *early;
	struct inodes *inodes; /* files.c */
	struct reconfig reconfig;
	struct traced traced;
	const char *blind; /* see transcript_blind */
	int64_t blind_ms;  /* event time since when */
};

/* The fields every entry has, from the session and who acted. name: at least 16 bytes that live as
 * long as e. */
void transcript_fill(const struct session *s, const struct event *ev, enum entry_type type,
		     uint32_t uid, char name[16], struct entry *e);

/* The same of a system call: with who made it, from where, and how it went. */
void transcript_fill_call(struct transcript *t, const struct session *s, const struct event *ev,
			  const struct call *call, enum entry_type type, char name[16],
			  struct entry *e);

/* transcript_call.c: "user_auth" of record type 1100; absent when it has no name. */
struct slice transcript_action(unsigned type, char text[32]);
/* What res= of a message says. */
enum entry_outcome transcript_outcome(struct slice res);

/* Whether a call may have an entry in its session, in the state that is in. */
bool transcript_takes(struct transcript *t, const struct call *c);
/* The session an entry of this event is for, ready to take it: found, adopted, begun, woken. NULL:
 * none. */
struct session *transcript_session(struct transcript *t, const struct event *ev, uint32_t ses,
				   uint32_t auid);
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

/* Each takes an event of its class in a session that is ready for entries, and may write none. */
void exec_entry(struct transcript *t, struct session *s, const struct event *ev,
		const struct call *call);
void exits_call(struct transcript *t, struct session *s, const struct event *ev,
		const struct call *call);
void network_entry(struct transcript *t, struct session *s, const struct event *ev,
		   const struct call *call);
void files_entry(struct transcript *t, struct session *s, const struct event *ev,
		 const struct call *call);
void privilege_entry(struct transcript *t, struct session *s, const struct event *ev,
		     const struct call *call);
/* self.c does not write; selfwatch.c: a call of any kind that touches what is ours. Returns whether
 * it wrote an entry, so that the class of the call need not. */
bool selfwatch_entry(struct transcript *t, struct session *s, const struct event *ev,
		     const struct call *call);

/* Whether a call changed files that are ours. */
bool selfwatch_has(struct transcript *t, const struct call *call, const struct files_act *a);
/* privilege.c: "PTRACE_ATTACH" of a ptrace or process_vm_writev that takes hold of a process or
 * changes it; NULL for all that only look or go on. */
const char *privilege_ptrace(const struct call *call);

/* exits.c: ANOM_ABEND, a signal that wrote a core. */
void exits_abend(struct transcript *t, const struct event *ev, struct slice body);

/* auth.c: a user message that is no LOGIN, USER_START, USER_END or tag. It may have no session yet.
 */
void auth_message(struct transcript *t, const struct event *ev, unsigned type, struct slice body);
/* auth.c: the session's transcript has begun; what was said by the process that logged in before.
 */
void auth_begin(struct transcript *t, struct session *s);
void auth_free(struct transcript *t);

/* reconfig.c: CONFIG_CHANGE, DAEMON_*, FEATURE_CHANGE ...: an entry in each open session. */
void reconfig_message(struct transcript *t, const struct event *ev, unsigned type,
		      struct slice body);

/* input.c: a TTY record of the session. */
void input_entries(struct transcript *t, struct session *s, const struct event *ev,
		   struct slice body);
/* input.c: a program was started or failed to; e is its entry, written. */
void input_ran(struct transcript *t, struct session *s, const struct event *ev,
	       const struct entry *e);
/* input.c: the process has ended: what it read and is not written yet. */
void input_gone(struct transcript *t, struct session *s, const struct event *ev, int64_t pid);
/* input.c: the same of all processes of the session, which ends. */
void input_end(struct transcript *t, struct session *s, const struct event *ev);

/* binding.c: a session that nothing was known of; begins it. since_ms: it may run since then. */
void binding_adopt(struct transcript *t, struct session *s, const struct event *ev,
		   int64_t since_ms);
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
		const struct call *call);

#endif
