/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* The collector as a role of the agent: reads the kernel's stream until it is told to stop. */
#ifndef SA_LIVE_H
#define SA_LIVE_H

#include "agent/role.h"

/* An exit status. */
int live_run(struct role *role);

#endif
