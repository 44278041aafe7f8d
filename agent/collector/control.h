/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel audit system's settings that the agent needs: audit enabled, a long
 * enough backlog, its rules. What was there before is noted in the spool, so that
 * a clean stop leaves the machine as it was even after a crash in between.
 */
#ifndef SA_CONTROL_H
#define SA_CONTROL_H

#include "agent/spool.h"
#include "common/settings.h"

struct control;

/* Needs CAP_AUDIT_CONTROL. */
int control_open(struct control **out, struct sa_err *err);
void control_close(struct control *c);
/* Notes what is, then enables audit, raises the backlog limit and installs the rules. With
 * immutable rules (-e 2) the agent goes on and says which rules are missing. */
int control_begin(struct control *c, struct spool *spool, const char *boot_id,
		  const struct settings *set, struct sa_err *err);
/* Takes the rules out; later control_restore puts the rest back as it was. */
void control_remove_rules(struct control *c);
void control_restore(struct control *c, struct spool *spool);
/* Records the kernel has lost since boot; the pid of the audit daemon. */
int control_status(struct control *c, uint32_t *lost, uint32_t *pid, struct sa_err *err);

#endif
