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
};

struct transcript_stats {
	uint64_t sessions, refused; /* refused: no room in the table */
	uint64_t unverified_tags;
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
/* Looks at the grants of open sessions: about once a second, where their files are. */
void transcript_look(struct transcript *t, int64_t now_ms);
/* A gap entry in each open session. */
void transcript_gap_all(struct transcript *t, const char *cause, int64_t start_ms, int64_t end_ms,
			uint64_t count, int64_t now_ms);
/* Ends s now, for a cause of session_end_cause. */
void transcript_end(struct transcript *t, struct session *s, const char *cause, int64_t end_ms,
		    int64_t now_ms);
/* Ends all that is open (end of a recording). */
void transcript_end_all(struct transcript *t, const char *cause, int64_t now_ms);

#endif
