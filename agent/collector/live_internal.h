/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What live.c (the loop) and live_start.c (until it begins) share. */
#ifndef SA_LIVE_INTERNAL_H
#define SA_LIVE_INTERNAL_H

#include "agent/collector/control.h"
#include "agent/collector/deaths.h"
#include "agent/collector/guard.h"
#include "agent/collector/intake.h"
#include "agent/collector/live.h"
#include "agent/collector/losses.h"
#include "agent/collector/pipeline.h"
#include "agent/collector/source_netlink.h"
#include "common/access/tagfile.h"

enum live_source { LIVE_UNICAST, LIVE_MULTICAST, LIVE_STDIN };

struct live {
	struct role *role;
	enum live_source source;
	struct self_facts self;
	struct control *control; /* NULL: the kernel's settings are out of reach (stdin) */
	struct guard *guard;     /* likewise */
	struct losses *losses;
	struct source_netlink *netlink; /* NULL: stdin */
	struct intake *intake;
	struct source_deaths *deaths_source; /* may be NULL */
	struct deaths deaths;
	struct source_stats stats;
	struct pipeline pipe;
	struct signers signers;
	char host[256], machine_id[64], boot_id[BOOT_ID_SIZE], ses_dir[4096];
	char capture[16]; /* segment header */
	int64_t seen_ms;  /* event time of the latest record */
	int64_t tick_ms, second_ms, look_ms, prune_ms, status_ms;
	int nice;
	bool registered; /* the kernel's slot is ours */
	bool controlled; /* so are its rules */
	bool started, slot_lost, broken;
	bool behind;                       /* more waits in the queue than one turn takes */
	uint64_t deaths_told, deaths_lost; /* lost: times the kernel could not tell some */
	enum spool_level level;
};

void live_record(void *ctx, const struct record *r); /* source_fn; ctx: struct live */
/* From the first look at the host to the first record. */
int live_start(struct live *l, struct sa_err *err);
/* status.json and metrics. */
void live_status(struct live *l);
/* What the source has counted until now. */
struct losses_source live_losses(const struct live *l);
/* "unicast", "multicast", "stdin". */
const char *live_source_name(enum live_source source);

#endif
