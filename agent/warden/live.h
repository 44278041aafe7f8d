/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The warden at work (policy.on_expiry = terminate): once a second it looks whether
 * each session's approval still holds, and ends the processes of those where it does
 * not: SIGTERM, and SIGKILL to what is left five seconds later. It asks nobody, the
 * collector least of all.
 */
#ifndef SA_WARDEN_LIVE_H
#define SA_WARDEN_LIVE_H

#include "agent/role.h"
#include "agent/warden/processes.h"
#include "agent/warden/wards.h"

#define LIVE_TURN_MS 1000
#define LIVE_KILL_MS 5000 /* between SIGTERM and SIGKILL */
#define LIVE_CENSUS_MS 30000

struct live {
	struct role *role;
	struct wards wards;
	struct signers signers;
	struct buf ses_dir;
	struct process self;
	int proc_fd;
	int64_t now_ms; /* monotonic, of this round */
	int64_t census_ms;
	bool killed; /* in this look: more may have been born meanwhile */
};

/* As root still: whom tag files, grants and keys must belong to is who starts it. */
int live_init(struct live *l, struct role *role, struct sa_err *err);
/* Until it is told to stop. The exit status. */
int live_run(struct live *l);
void live_end(struct live *l);

#endif
