/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What a certificate says about the request, by the profile of its CA:
 *   sessaudit  extensions request-id@sessaudit, approver@sessaudit (comma list),
 *              requester@sessaudit, flow@sessaudit, justification@sessaudit, ticket@sessaudit
 *   teleport   extension teleport-active-requests: {"access_requests":["<id>",...]};
 *              the key id is the requester
 *   vault      the extensions of sessaudit; key id vault-<display name>-<64 hex digits>: the
 *              display name is the requester
 *   bless      key id "request[<id>] for[<user>] from[<ip>] ...": id and requester
 *   regex      named groups of the key id
 * Bytes are the user's as far as the CA signs what it is asked to: ids with control bytes, too long
 * or not UTF-8 are no ids.
 */
#ifndef SA_PROFILE_H
#define SA_PROFILE_H

#include "common/access/access.h"
#include "common/access/cas.h"

#define PROFILE_MAX_IDS 16 /* requests one certificate may name */

struct profile_says {
	char **ids; /* owned; none: the certificate names no request */
	size_t n_ids;
	/* requester, flow, justification, ticket and approvals (type "certificate"), cert_profile;
	 * nothing else is filled in */
	struct access about;
};

/* SA_ERR_INVALID: it names a request in a way that cannot be believed (err says why); then out is
 * empty. SA_ERR_NOMEM. Pure. */
int profile_read(const struct ca *ca, const struct ssh_key *key, struct profile_says *out,
		 struct sa_err *err);
void profile_free(struct profile_says *s);

/* For cas.c. A regex with a group named request, compiled; SA_ERR_INVALID names the place. Patterns
 * are of bytes and case-sensitive; $ is the very end. */
int profile_regex_compile(struct slice pattern, void **out, struct sa_err *err);
void profile_regex_free(void *regex);

#endif
