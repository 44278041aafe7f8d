/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The channels of a session: several shells and commands share one login when ssh
 * multiplexes them (ControlMaster), and PAM is asked only once. All of them are
 * started by one process, that of sshd for the user: a program that has this parent
 * and was no child of it before is the first one of a channel.
 */
#ifndef SA_CHANNELS_H
#define SA_CHANNELS_H

#include <stdbool.h>
#include <stdint.h>

#define CHANNELS_KNOWN 16 /* the last ones, by the process they began with */

struct channels {
	int64_t parent; /* 0: not known yet */
	int64_t pids[CHANNELS_KNOWN];
	unsigned next; /* of pids, to be overwritten */
};

/* A program was started. own: it runs as the login's own user; programs of the login itself
 * (pam_motd) do not, and their parent is another one. True for the first program of a channel that
 * was not known, but not for the first one of the session. */
bool channels_note(struct channels *c, int64_t pid, int64_t ppid, bool own);

#endif
