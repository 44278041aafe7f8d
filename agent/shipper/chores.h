/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the shipper does now and then besides shipping: tells how it is (status.h),
 * asks the store whether it is append-only, removes local copies that were kept
 * long enough (store.keep_local).
 */
#ifndef SA_CHORES_H
#define SA_CHORES_H

#include "agent/shipper/status.h"

#define CHORES_STATUS_MS 1000      /* between two writes of the status, when it changes */
#define CHORES_STATUS_MAX_MS 60000 /* and when it does not */
#define CHORES_PRUNE_MS 60000      /* between two looks into sent/ */
#define CHORES_PROBE_MS (24 * 3600 * 1000LL)
#define CHORES_PROBE_AGAIN_MS 600000       /* when the store did not answer */
#define CHORES_PROBE_LATE_MS (3600 * 1000) /* longest time to wait for an idle moment */

struct chores {
	const struct settings *settings;
	struct status status, written;
	int64_t written_ms, prune_ms, probe_ms; /* when each was done last or is due; 0: never */
	int run_fd;                             /* <run_dir>/ship, -1: not open */
};

void chores_init(struct chores *c, const struct settings *s);
void chores_end(struct chores *c);

/* Writes the status where that is due. */
void chores_status(struct chores *c, int64_t now_ms);
/* Asks the store when that is due: waits for its answer. idle: nothing is under way. */
void chores_probe(struct chores *c, struct store *store, bool idle, int64_t now_ms);
/* sent_fd: sent/. Where room is short, nothing is kept. */
void chores_prune(struct chores *c, int sent_fd, int64_t now_ms);

#endif
