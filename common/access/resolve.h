/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The decision: which approved request a login belongs to, from its keys and certificates, the
 * listed CAs and the grants. Used by the module, and by `sessaudit grant check`, so that what is
 * explained is what happens.
 *
 * The first of these that says something counts:
 *   1. a certificate of a listed CA that names a request (source cert). With a fitting grant of
 *      that id: approved. With grants of that id of which none fits: conflict. With none: id_only.
 *   2. a grant that names the key or the certificate (key)
 *   3. a grant that names user or group, and a source address (user)
 *   4. a grant that names user or group (user)
 * Several requests within one: ambiguous, with all ids as candidates. None: unapproved.
 * An error never gives approved.
 */
#ifndef SA_RESOLVE_H
#define SA_RESOLVE_H

#include "common/access/auth_info.h"
#include "common/access/match.h"

struct resolve {                  /* borrowed */
	struct match_login login; /* but for its keys, which are made here */
	struct slice auth_info;   /* SSH_AUTH_INFO_0; absent: none, or not to be believed */
	const char *ca_dir;
	const char *const *grant_dirs; /* NULL-ended */
	const char *const *signer_files;
	size_t n_signer_files;
	const char *index_path; /* NULL: every grant is read, and seen */
	unsigned owner_uid;     /* of all these files; 0 in production */
	/* What was skipped or not believed, one line each. */
	grants_skip_fn report;
	/* Each grant that was looked at and why it fits or not; may be NULL. */
	void (*seen)(void *ctx, const struct grant *g, enum match_reason r);
	void *ctx;
};

struct resolved {
	struct access access; /* key and certificate are filled in whatever the status */
	char *grant_file;     /* of the grant that approved it; NULL */
};

/* Always fills out; on SA_ERR_NOMEM it is unapproved. */
int resolve_login(const struct resolve *r, struct resolved *out);
void resolved_free(struct resolved *r);

#endif
