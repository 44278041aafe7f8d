/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What transcript.c, transcript_end.c, exec.c and input.c share; nobody else includes it. */
#ifndef SA_TRANSCRIPT_INTERNAL_H
#define SA_TRANSCRIPT_INTERNAL_H

#include "agent/collector/transcript.h"
#include "agent/collector/typed.h"

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
	int64_t next_end_ms; /* no session's grace is over before this event time */
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

#endif
