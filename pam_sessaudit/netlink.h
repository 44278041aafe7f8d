/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel's audit netlink as a login may use it: every request is acknowledged
 * or given up, and all waiting on one handle together takes at most
 * NETLINK_TIMEOUT_MS, because a login must not hang. That, and that it never looks
 * up a host name, is why libaudit's audit_log_user_message is not used.
 *
 * Requests are sent at once and waited for later, together: the answer to a "get"
 * comes from a thread that the kernel makes for it, and meanwhile there is work.
 * Results are 0 or a negative errno value: callers tell the cases apart by it.
 */
#ifndef SA_PAM_NETLINK_H
#define SA_PAM_NETLINK_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_TIMEOUT_MS 2000
#define NETLINK_MAX_PENDING 4

/* Data and answer are borrowed until the request is settled. */
struct netlink_request {
	uint16_t type;
	const void *data;
	size_t len;
	uint16_t answer_type; /* 0: none but the acknowledgement */
	void *answer;
	size_t answer_size;
	int rc; /* once settled */
	uint32_t seq;
	bool acked, answered;
};

struct netlink {
	int fd;       /* -1: not open, and */
	int open_rc;  /* this is why: every request fails with it */
	uint32_t seq; /* of the last request */
	int64_t left_ms;
	struct netlink_request *pending[NETLINK_MAX_PENDING];
	size_t n_pending;
};

void netlink_open(struct netlink *nl);
void netlink_close(struct netlink *nl);

/* Sends a request; its rc counts after netlink_wait. */
void netlink_send(struct netlink *nl, struct netlink_request *r);
/* Waits until all requests that were sent are settled. */
void netlink_wait(struct netlink *nl);
/* Both. Gives the request's rc. */
int netlink_call(struct netlink *nl, struct netlink_request *r);

struct netlink_request netlink_get_status(struct audit_status *out);
struct netlink_request netlink_get_tty(struct audit_tty_status *out);
/* Sets the flags of this process, which its children inherit. */
struct netlink_request netlink_set_tty(const struct audit_tty_status *status);
/* A user message; text is what stands between msg=' and ' in the record. */
struct netlink_request netlink_user_message(uint16_t type, const char *text);

#endif
