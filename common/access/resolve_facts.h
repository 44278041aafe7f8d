/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What a login's decision rests on, gathered from files and sshd's word: its keys and how far they
 * are believed, the requests its certificates name, the grants and whether each fits. For
 * resolve.c only.
 */
#ifndef SA_RESOLVE_FACTS_H
#define SA_RESOLVE_FACTS_H

#include "common/access/profile.h"
#include "common/access/resolve.h"

#define FACTS_MAX_IDS (AUTH_INFO_MAX_KEYS * PROFILE_MAX_IDS)

struct facts_key {
	const struct ca *ca;      /* of a certificate whose CA is listed; else NULL, and so is: */
	char *key_id;             /* NULL also when it holds a NUL byte */
	char serial[24];          /* decimal */
	struct profile_says says; /* which requests it names */
};

struct facts {
	struct auth_info auth;
	struct cas cas;
	struct signers signers;
	struct grants grants;
	enum match_reason *why; /* of each grant */
	struct match_login login;
	struct match_key match_keys[AUTH_INFO_MAX_KEYS]; /* the same keys as in auth */
	struct facts_key keys[AUTH_INFO_MAX_KEYS];
	char *ids[FACTS_MAX_IDS]; /* the requests that certificates name, each once; borrowed */
	size_t id_keys[FACTS_MAX_IDS]; /* which key named it first */
	size_t n_ids;
	/* What went wrong; "": nothing did. Otherwise no grant was looked at, and nothing may be
	 * approved. */
	char trouble[sizeof(((struct sa_err *)NULL)->msg)];
};

/* out borrows from r. SA_ERR_NOMEM; out is to be freed all the same. */
int facts_gather(const struct resolve *r, struct facts *out);
void facts_free(struct facts *f);

#endif
