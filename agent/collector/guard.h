/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Somebody changes the kernel's audit settings under us (auditctl -D, auditctl -e 0): they
 * are put back, and each open transcript gets a gap entry for the time between. The config
 * entry that names who did it is made of the kernel's own record (reconfig.c); where none
 * came, one is made here, without a name.
 */
#ifndef SA_GUARD_H
#define SA_GUARD_H

#include "agent/collector/control.h"
#include "agent/collector/pipeline.h"

#define GUARD_RECORD_MS 3000 /* so long the kernel's record of a change is waited for */

struct guard_counters {
	uint64_t rules_removed;  /* how many were put back */
	uint64_t audit_disabled; /* times it was switched on again */
	uint64_t failed;         /* times it could not be put back */
};

struct guard;

/* Borrows all; NULL: out of memory. self: its pids are kept up to date, may be NULL. */
struct guard *guard_new(struct pipeline *p, struct control *c, const struct settings *set,
			struct self_facts *self);
void guard_free(struct guard *g);
/* About once a second, with p->now_ms set: checks every capture.rules_check, and at once when audit
 * is off or a record said that something was changed. */
void guard_tick(struct guard *g, int64_t real_ms);
const struct guard_counters *guard_counters(const struct guard *g);
/* The processes of this agent: the supervisor and its roles, as far as /proc tells. */
void guard_pids(struct self_facts *self);

#endif
