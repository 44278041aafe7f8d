/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * TTY audit of this process: set at open, put back at close. What is to be put back is
 * kept in the PAM handle, once, so that several instances in one stack do not take what
 * another of them had set for what was there before.
 *
 * A session of its own begins without TTY audit, and at its end that is what is put back.
 * The kernel is not asked, since the answer takes longer than all else here; a flag that a
 * daemon got from the session of whoever started it would not be this session's anyway.
 */
#ifndef SA_PAM_TTY_H
#define SA_PAM_TTY_H

#include <security/pam_modules.h>

#include "pam_sessaudit/netlink.h"
#include "pam_sessaudit/options.h"

/* One change of it; does not move while requests are pending. */
struct tty {
	struct audit_tty_status before, wanted;
	struct netlink_request set;
	bool save; /* before is to be put back at close */
};

/* Asks for what is wanted; nothing is done for OPTIONS_TTY_LEAVE. fresh: a session of its own
 * begins. Otherwise what is there is found out first, and that is waited for. */
void tty_set(struct tty *t, pam_handle_t *pamh, const struct options *options, bool fresh,
	     struct netlink *nl);
/* Once that is settled: keeps what was there. 0 or a negative errno value. */
int tty_finish(struct tty *t, pam_handle_t *pamh);
/* True when there is something to put back. */
bool tty_saved(pam_handle_t *pamh);
/* Puts back what tty_set saved, and forgets it; a second call does nothing. */
int tty_restore(pam_handle_t *pamh, struct netlink *nl);

#endif
