/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The shipper at work: opens store and spool, waiting for both if it must, then
 * ships until it is told to stop, and a last time after that.
 */
#ifndef SA_LIVE_H
#define SA_LIVE_H

#include "agent/role.h"
#include "agent/shipper/chores.h"
#include "agent/shipper/dock.h"
#include "agent/shipper/news.h"
#include "agent/shipper/upload.h"

struct live {
	struct role *role;
	struct store *store; /* NULL until it could be opened */
	struct dock dock;
	struct news news;
	struct upload *upload; /* NULL while store or spool is not open */
	struct chores chores;
	struct retry opening;
	struct sa_err why;   /* it could not be opened */
	int64_t deadline_ms; /* of the last pass, 0 while none is due */
	int64_t news_ms, check_ms;
};

void live_init(struct live *l, struct role *role);
/* Opens the store now. SA_ERR_INVALID: it is not configured right. */
int live_open_store(struct live *l, struct sa_err *err);
/* Ships until role->stop; the exit status. */
int live_run(struct live *l);
/* Ships what is there; the exit status: 0 when nothing is left. */
int live_once(struct live *l);
void live_end(struct live *l);

#endif
