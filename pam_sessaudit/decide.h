/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What happens to a login, by its access context and the host's policy: whether a reason
 * may be typed, whether it is let in. Says it to the user and to the log: with PAM_SILENT
 * too, which sudo always sets, since nobody could tell otherwise why nothing happens.
 */
#ifndef SA_PAM_DECIDE_H
#define SA_PAM_DECIDE_H

#include <security/pam_modules.h>

#include "pam_sessaudit/login.h"
#include "pam_sessaudit/options.h"

struct decide {
	pam_handle_t *pamh;
	const struct settings *settings;
	const struct options *options;
	const struct login *login;
	const char *owner; /* whose session it is */
};

/* Asks where that is due, and sets access->policy. */
void decide_login(const struct decide *d, struct access *access);
/* The auth phase: asks ahead where the session phase will find no accepted request. */
void decide_ahead(const struct decide *d, const struct access *access);
/* Logs the decision when it is one, and tells the user of a denial. */
void decide_report(const struct decide *d, const struct access *access);

#endif
