/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel's audit netlink as a login may use it: every request is acknowledged
 * or given up, and all of one handle together take at most NETLINK_TIMEOUT_MS,
 * because a login must not hang. That, and that it never looks up a host name, is
 * why libaudit's audit_log_user_message is not used.
 *
 * Functions give 0 or a negative errno value: callers tell the cases apart by it.
 */
#ifndef SA_PAM_NETLINK_H
#define SA_PAM_NETLINK_H

#include <linux/audit.h>
#include <stdint.h>

#define NETLINK_TIMEOUT_MS 2000

struct netlink {
	int fd;
	uint32_t seq;
	int64_t deadline_ms; /* on the monotonic clock */
};

/* On failure nl needs no closing. */
int netlink_open(struct netlink *nl);
void netlink_close(struct netlink *nl);

int netlink_status(struct netlink *nl, struct audit_status *out);
int netlink_tty_get(struct netlink *nl, struct audit_tty_status *out);
/* Sets the flags of this process, which its children inherit. */
int netlink_tty_set(struct netlink *nl, const struct audit_tty_status *status);
/* A user message; text is what stands between msg=' and ' in the record. */
int netlink_user_message(struct netlink *nl, uint16_t type, const char *text);

#endif
