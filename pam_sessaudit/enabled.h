/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Is audit switched on in the kernel? When not, nothing that this module does is
 * recorded, and the admin should know. Asking is dear: for each answer the kernel makes
 * a thread. So in a storm of logins it is asked once in ENABLED_MS; a file in the run
 * directory remembers a yes, never a no.
 */
#ifndef SA_PAM_ENABLED_H
#define SA_PAM_ENABLED_H

#include "pam_sessaudit/netlink.h"

#define ENABLED_MS 1000

/* One question; does not move while it is pending. */
struct enabled {
	char path[256]; /* of the file */
	struct audit_status status;
	struct netlink_request get;
	bool asked;
};

/* Sends the question, unless the answer is known. */
void enabled_ask(struct enabled *e, const char *run_dir, struct netlink *nl);
/* Once it is answered: remembers a yes. True for a no. */
bool enabled_is_off(const struct enabled *e);

#endif
