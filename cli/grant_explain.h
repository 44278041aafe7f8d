/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What `sessaudit grant check` found, and how it is said: for people, and as one
 * JSON object. Nothing here decides anything.
 */
#ifndef SA_GRANT_EXPLAIN_H
#define SA_GRANT_EXPLAIN_H

#include "common/access/policy.h"
#include "common/access/profile.h"
#include "common/access/resolve.h"
#include "common/transcript/page.h"

struct explain_grant { /* owned */
	char *request_id, *grant_id, *file, *expires_at;
	enum match_reason why;
};

struct explain {
	/* the question, borrowed */
	const char *user, *service, *source, *host, *ca_dir;
	int64_t at_ms;
	/* the answer */
	struct resolved found; /* owned */
	bool accepted;         /* the status is one of policy.accept */
	enum access_policy policy;
	bool breakglass;
	char *refusal; /* owned: what the user is told, when denied */
	struct explain_grant *grants;
	size_t n_grants, cap_grants;
	char **skipped; /* owned: what was not read or not believed */
	size_t n_skipped, cap_skipped;
	/* the key or certificate that was given */
	const struct ssh_key *key; /* borrowed; NULL: none */
	bool key_counts;           /* the service is one whose word on keys is believed */
	const struct ca *ca;       /* borrowed; NULL: not listed */
	struct profile_says says;  /* owned; of a certificate whose CA is listed */
	char says_not[512];        /* why what it says cannot be believed */
};

void explain_free(struct explain *e);
#define _cleanup_explain_ __attribute__((cleanup(explain_free)))

void explain_text(struct buf *out, const struct page_style *st, const struct explain *e);
void explain_json(struct buf *out, const struct explain *e); /* one line, no LF */

/* "" while sshd would take the certificate at that time, else why it would not. */
const char *explain_validity(const struct ssh_key *cert, int64_t at_ms);

#endif
