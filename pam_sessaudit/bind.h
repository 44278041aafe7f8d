/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Binds a session to the request that approved it: inherits what an outer service
 * of the same session found, or matches the grants, writes the tag file and sends
 * the tag. Whatever goes wrong on the way is logged and comes down to unapproved.
 */
#ifndef SA_PAM_BIND_H
#define SA_PAM_BIND_H

#include "common/settings.h"
#include "pam_sessaudit/login.h"
#include "pam_sessaudit/netlink.h"

struct bind {
	struct tagfile file;
	bool inherited; /* from the tag file: nothing is to be sent */
	char near[256]; /* a grant of this user that does not fit, and why; "" when none */
};

/* Fills out with the access context of the login and, when it is new, writes the tag file. */
void bind_find(pam_handle_t *pamh, const struct settings *settings, const struct login *login,
	       bool debug, struct bind *out);
/* Sends the tag, unless inherited. 0 or a negative errno value. */
int bind_send(struct netlink *nl, const struct bind *b);
void bind_free(struct bind *b);

#endif
