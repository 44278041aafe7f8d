/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * grantd at work: asks the broker every broker.interval and has grants.d follow its
 * answers. A broker that is away changes nothing: what lies there stays until it
 * expires.
 */
#ifndef SA_GRANTD_LIVE_H
#define SA_GRANTD_LIVE_H

#include <limits.h>

#include "agent/grantd/fetch.h"
#include "agent/grantd/keeper.h"
#include "agent/grantd/report.h"
#include "agent/retry.h"
#include "agent/role.h"

struct live {
	struct role *role;
	unsigned key_owner; /* uid that the keys must belong to */
	char host[HOST_NAME_MAX + 1];
	struct signers signers;
	struct fetch fetch;
	struct keeper keeper;
	struct report report;
	struct retry retry;
	int own_fd; /* <run_dir>/grantd */
	bool ready; /* keys and directories are open */
	int64_t next_ms;
};

/* As root still: the token may be for root alone. SA_ERR_INVALID: settings that cannot work. */
int live_init(struct live *l, struct role *role, struct sa_err *err);
/* Until it is told to stop. The exit status. */
int live_run(struct live *l);
void live_end(struct live *l);

#endif
