/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * TTY audit of this process: set at open, put back at close. What was there
 * before the first of several instances is kept in the PAM handle, once, so that
 * closing restores that and not what another instance had set.
 */
#ifndef SA_PAM_TTY_H
#define SA_PAM_TTY_H

#include <security/pam_modules.h>

#include "pam_sessaudit/netlink.h"
#include "pam_sessaudit/options.h"

/* 0 or a negative errno value. Nothing is done for OPTIONS_TTY_LEAVE. */
int tty_set(pam_handle_t *pamh, struct netlink *nl, const struct options *options);
/* True when there is something to put back. */
bool tty_saved(pam_handle_t *pamh);
/* Puts back what tty_set saved, and forgets it; a second call does nothing. */
int tty_restore(pam_handle_t *pamh, struct netlink *nl);

#endif
