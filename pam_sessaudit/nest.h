/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A service inside a session (sudo, su, runuser ...): it has the session's access
 * context, nothing is matched anew, and what is recorded is who became whom. The
 * context is looked at again: the approval may have ended since the login.
 */
#ifndef SA_PAM_NEST_H
#define SA_PAM_NEST_H

#include "common/access/grants.h"
#include "pam_sessaudit/login.h"

/* True when PAM_USER is who the session belongs to, so that this is where they log in: pam_loginuid
 * made them the login uid. Without a session id (a container) the real uid has to do. */
bool nest_is_login(pam_handle_t *pamh, const struct login *login);
/* True when our line stands in the stack twice, and this is not the first: t was left by this very
 * service in this process, or it was remembered. */
bool nest_is_again(pam_handle_t *pamh, const struct tagfile *t, const struct login *login);
/* That the tag was sent for this handle, until its session closes. */
void nest_remember(pam_handle_t *pamh);
void nest_forget(pam_handle_t *pamh);
/* The name of a uid, or else what other says, or digits. */
void nest_name(pam_handle_t *pamh, uid_t uid, const char *other, char **out);
/* Makes the session's tag that of the nested service: TAG_NEST with from, user, service. */
void nest_describe(pam_handle_t *pamh, const struct login *login, struct tag *t);
/* Where the approval has ended (its time is over; its grant was revoked or taken away, or cannot be
 * read), access becomes unapproved with the reason. A grant that was issued anew counts with its
 * new time. SA_ERR_* and err of a grant that cannot be read or believed. */
int nest_recheck(struct tagfile *t, const struct grants_trust *trust, int64_t now_ms,
		 struct sa_err *err);

#endif
