/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Break-glass: a reason and a ticket that the user types where no request approves
 * the login. Self-asserted: it gives the status breakglass and never approved, and
 * forging what is handed on gains nothing that typing it would not.
 *
 * sshd can prompt only while it authenticates, and does that in another process; the
 * PAM environment is what comes back from there. So the answer is left there (in hex)
 * by the auth phase and taken away by the session phase.
 */
#ifndef SA_PAM_ASK_H
#define SA_PAM_ASK_H

#include <security/pam_modules.h>

#include "common/access/access.h"

struct ask {
	pam_handle_t *pamh;
	const char *user, *host; /* named in the question */
};

/* Takes what the auth phase left, or else prompts. True when there is a
 * reason: then access is breakglass and names no request. A service that cannot prompt is as good
 * as a user who types nothing. */
bool ask_now(const struct ask *ask, struct access *access);
/* The auth phase: prompts and leaves the answer, an empty one too. */
void ask_ahead(const struct ask *ask);
/* Forgets what the auth phase left. */
void ask_forget(pam_handle_t *pamh);

#endif
