/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * For tests of what events become: records in, the entries of the sessions out, one line each.
 */
#ifndef SA_ENTRY_FEED_H
#define SA_ENTRY_FEED_H

#include "agent/collector/pipeline.h"
#include "common/settings.h"
#include "tests/unit/spool_check.h"

struct feed {
	struct check c;
	struct pipeline p;
	int serial; /* of the next event */
};

/* Sessions are opened with feed_login. self may be NULL. */
void feed_open(struct feed *f, const struct settings *set, struct self_facts *self);
/* Ends all, and checks the store. */
void feed_close(struct feed *f);
/* A line as auditd has it, but "@" stands for "audit(1795222800.000:<serial>):". */
void feed_line(struct feed *f, const char *line);
/* LOGIN and USER_START of al, uid 1001, by sshd, whose pid is 50 + ses. */
void feed_login(struct feed *f, unsigned ses);
/* A system call of session ses by pid 70, whose parent is 60: "syscall=257 success=yes exit=3
 * a0=..." and, where it says other ids than 1001, " uid=0 euid=0 suid=0 gid=0 egid=0"; then "TYPE
 * fields" of the other records, a NULL at the end. */
void feed_call(struct feed *f, unsigned ses, const char *call, const char *const *more);
/* Compares the session's entries from the one after *seen on with want, which ends in NULL, each as
 * "type action outcome object key=value ..."; moves *seen on. */
void feed_expect(struct feed *f, unsigned ses, size_t *seen, const char *const *want,
		 const char *name);

#endif
