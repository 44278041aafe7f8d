/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * From events to entries: which session an event belongs to, what it says there.
 * A function of the events, the tag files and the clock it is given, so that a
 * recorded log gives the same entries as the live stream did.
 */
#ifndef SA_TRANSCRIPT_H
#define SA_TRANSCRIPT_H

#include "agent/collector/event.h"
#include "agent/collector/redact.h"
#include "agent/collector/self.h"
#include "agent/collector/session.h"
#include "agent/collector/writer.h"

struct transcript_facts { /* borrowed for the transcript's life */
	const char *machine_id;
	const char *boot_id; /* NULL: a recording of unknown boots, sessions are told apart by their
				start */
	const char *ses_dir; /* tag files; NULL in a replay: the tag is believed as recorded, and no
				grant file is looked at */
	unsigned owner_uid;  /* of tag files and grants; 0 in production */
	const struct signers *signers; /* of grants that brokers sent; may be NULL */
	int64_t end_grace_ms;
	unsigned classes;              /* 1 << CALL_...: kinds of calls that are recorded */
	bool auth, config;             /* so are these messages */
	struct redact *redact;         /* may be NULL */
	const struct self_facts *self; /* may be NULL */
};

struct transcript_stats {
	uint64_t sessions, refused; /* refused: no room in the table */
	uint64_t unverified_tags;
	uint64_t reconfigs; /* changes of the audit system's configuration that were not the agent's
			     */
};

struct transcript;

int transcript_new(struct writer *w, struct session_table *sessions,
		   const struct transcript_facts *facts, struct transcript **out,
		   struct sa_err *err);
void transcript_free(struct transcript *t);
const struct transcript_stats *transcript_stats(const struct transcript *t);

/* now_ms: age clock of segments (monotonic; the log's time in a replay). */
void transcript_event(struct transcript *t, const struct event *ev, int64_t now_ms);
/* It is event_ms and no event older than that can still come: sessions whose grace is over end, and
 * approvals that are over are told. */
void transcript_advance(struct transcript *t, int64_t event_ms, int64_t now_ms);
/* The event time after which transcript_advance has something to do; INT64_MAX: nothing. */
int64_t transcript_due_ms(const struct transcript *t);
/* Ends the sessions that have been ending for wait_ms longer than their grace, whatever the time of
 * events is: the host's clock may have been set back. */
void transcript_expire(struct transcript *t, int64_t wait_ms, int64_t now_ms);
/* A session of an earlier run is in the table: what of it no checkpoint says. */
void transcript_take_up(struct transcript *t, struct session *s);
/* A signal ended the process, as somebody else than the audit system tells. It is passed over when
 * the process is not known as a session's program, or its end is told already: call it after the
 * events of that time and before. time_ms: UTC. */
void transcript_death(struct transcript *t, int64_t pid, unsigned signal, int64_t time_ms,
		      int64_t now_ms);
/* A session of this boot that runs and of which no record was seen: its transcript begins, with a
 * gap from since_ms to now (time_ms). Nothing when it is known already. */
void transcript_adopt(struct transcript *t, uint32_t ses, uint32_t auid, int64_t since_ms,
		      int64_t time_ms, int64_t now_ms);
/* Looks at the grants of open sessions: about once a second, where their files are. */
void transcript_look(struct transcript *t, int64_t now_ms);
/* Event time of the first change of the audit system's configuration by somebody else since the
 * last call; 0: none. Counted also when the class config is off. */
int64_t transcript_reconfigured(struct transcript *t);
/* Whether a rule was added since the last call, by whomever: also by the agent, and by somebody who
 * gave it the agent's name. */
bool transcript_rules_added(struct transcript *t);
/* Changes until that event time by processes of no login are the agent's own, of an earlier run or
 * of one that stops now. */
void transcript_own_changes(struct transcript *t, int64_t until_ms);
/* A change that no record told: a config entry in each open session. what: "audit_enabled",
 * "audit_backlog_limit" ..., or what happened to rules: "remove_rule". Values may be NULL. */
void transcript_reconfig_found(struct transcript *t, const char *what, const char *old_value,
			       const char *new_value, int64_t time_ms, int64_t now_ms);
/* A gap entry in each open session. */
void transcript_gap_all(struct transcript *t, const char *cause, int64_t start_ms, int64_t end_ms,
			uint64_t count, int64_t now_ms);
/* What sessions do is not recorded in full since then, for a cause (static) that lasts: a gap entry
 * in each open session, and in each that begins from now on. NULL: it is over; those that are open
 * get an entry for all of it. Nothing when the cause is as before. */
void transcript_blind(struct transcript *t, const char *cause, int64_t since_ms, int64_t time_ms,
		      int64_t now_ms);
/* Ends s now, for a cause of session_end_cause. */
void transcript_end(struct transcript *t, struct session *s, const char *cause, int64_t end_ms,
		    int64_t now_ms);
/* fn is called before each session's last entry: what is known to be lost can still be said. NULL:
 * nothing is. */
void transcript_on_end(struct transcript *t, void (*fn)(void *ctx), void *ctx);
/* The collector stops and sessions go on: lines that were typed and are not written yet. */
void transcript_release(struct transcript *t, int64_t now_ms);
/* Ends all that is open (end of a recording). */
void transcript_end_all(struct transcript *t, const char *cause, int64_t now_ms);

#endif
