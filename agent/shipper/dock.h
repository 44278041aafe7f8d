/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The spool as the shipper has it: its directories (agent/spool.h) open, locked
 * against a second shipper, and what is known of earlier attempts.
 */
#ifndef SA_DOCK_H
#define SA_DOCK_H

#include "agent/shipper/attempts.h"
#include "agent/shipper/object.h"

struct dock {
	int spool_fd, ready_fd, quarantine_fd, sent_fd, ship_fd, lock_fd;
	struct attempts *attempts;
};

#define DOCK_CLOSED ((struct dock){-1, -1, -1, -1, -1, -1, NULL})

/* spool: its path. Makes what the shipper needs there. SA_ERR_EXISTS: another shipper has it. On
 * failure *d is closed. */
int dock_open(struct dock *d, const char *spool, struct sa_err *err);
void dock_close(struct dock *d);
/* The path leads to another directory now (something was mounted there, say). */
bool dock_is_elsewhere(const struct dock *d, const char *spool);

#endif
