/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel audit system's settings that the agent needs: audit enabled, a long
 * enough backlog, its rules. What was there before is noted in the spool, so that
 * a clean stop leaves the machine as it was even after a crash in between.
 */
#ifndef SA_CONTROL_H
#define SA_CONTROL_H

#include "agent/collector/self.h"
#include "agent/spool.h"
#include "common/settings.h"

struct control;

struct control_state { /* of struct audit_status, linux/audit.h */
	uint32_t enabled, pid, rate_limit, backlog_limit, backlog, lost;
};

struct control_found {
	bool disabled;          /* audit was off */
	unsigned rules;         /* of ours that were gone */
	uint32_t backlog_limit; /* that was too small; 0: it was not */
	bool restored;          /* all of it */
};

/* Needs CAP_AUDIT_CONTROL. */
int control_open(struct control **out, struct sa_err *err);
void control_close(struct control *c);
/* Before control_begin, where it is otherwise than this: no paths of our own; no other daemon looks
 * after the kernel's audit system (owner). Where one does, its backlog limit stays, and of the
 * rules only what we added is ever removed. self is borrowed. */
void control_for(struct control *c, const struct self_facts *self, bool owner);
/* Notes what is, then enables audit, raises the backlog limit and installs the rules. With
 * immutable rules (-e 2) the agent goes on and says which rules are missing. set is borrowed. */
int control_begin(struct control *c, struct spool *spool, const char *boot_id,
		  const struct settings *set, struct sa_err *err);
/* Why less is recorded than the settings ask for, as last seen: a cause of gaps, FORMAT.md; NULL:
 * it is not. */
const char *control_blind(const struct control *c);
/* Whether all is still as control_begin made it; if not, makes it so again and says what it found.
 * Paths that have come into being get their rules. */
int control_check(struct control *c, struct control_found *found, struct sa_err *err);
/* Takes the rules out; later control_restore puts the rest back as it was. */
void control_remove_rules(struct control *c);
void control_restore(struct control *c, struct spool *spool);
/* What the kernel says of itself; an answer of just now is given once more. */
int control_look(struct control *c, struct control_state *out, struct sa_err *err);

#endif
