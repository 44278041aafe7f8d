/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What profile.c and profile_regex.c share. */
#ifndef SA_PROFILE_INTERNAL_H
#define SA_PROFILE_INTERNAL_H

#include "common/err.h"
#include "common/slice.h"

/* What the groups of a regex took of a key id; absent: nothing. */
struct regex_groups {
	struct slice request, requester, approver, flow, ticket;
};

/* No match leaves all absent and is no error. SA_ERR_INVALID: the key id is too long, or the regex
 * needs too many steps; SA_ERR_NOMEM. */
int profile_regex_match(const void *regex, struct slice key_id, struct regex_groups *out,
			struct sa_err *err);

#endif
