/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What happens to a login by its status. Patterns are USER or USER/SERVICE, with * and ? as in
 * fnmatch(3); @GROUP instead of USER is its members. exempt goes before record before deny before
 * on_none. Pure.
 */
#ifndef SA_POLICY_H
#define SA_POLICY_H

#include <stdbool.h>

#include "common/access/access.h"
#include "common/settings.h"

struct policy_login {
	const char *user, *service;
	bool (*in_group)(void *ctx, const char *user, const char *group);
	void *ctx;
	const char *on_none; /* of the PAM line, NULL: as [policy] says */
};

/* NONE: let in; DENIED; EXEMPT: let in although it would have been denied. */
enum access_policy policy_decide(const struct settings *s, const struct policy_login *login,
				 enum access_status status);
/* True when policy.accept lists the status. */
bool policy_accepts(const struct settings *s, enum access_status status);
/* True when the user may give a reason instead of a request. */
bool policy_breakglass(const struct settings *s, const struct policy_login *login);
/* True when some login could be denied: for checks of the PAM line. */
bool policy_may_deny(const struct settings *s);
/* SA_ERR_INVALID for a pattern or a status that cannot be meant; names option and item. */
int policy_check(const struct settings *s, struct sa_err *err);
/* "no approved access request for dba on prod-db-1 (request REQ-7: expired); ask for access, then
 * log in again": what is in parentheses is the access' reason, escaped, when there is one. */
void policy_message(struct buf *out, const char *user, const char *host, const struct access *a);

#endif
