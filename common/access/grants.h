/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The directories grants lie in, and which files of theirs are to be believed. A file that is
 * not is skipped and reported, never fatal.
 * A plain grant must belong to owner_uid (0 in production); one of another owner, as the agent's
 * process for brokers writes it, must be signed (signed.h). Directories belong to owner_uid and
 * are writable by nobody else, unless they are sticky.
 */
#ifndef SA_GRANTS_H
#define SA_GRANTS_H

#include "common/access/grant.h"
#include "common/access/signed.h"

#define GRANTS_MAX_FILES 4096 /* per directory; what is beyond is reported once */

struct grants {
	struct grant **items; /* owned, in order of directory and file name */
	size_t len;
};

/* Called for each file (or directory) that is skipped: "grants.d/x.json: mode 0666: must not be
 * writable by group or others". */
typedef void (*grants_skip_fn)(void *ctx, const char *message);

/* What decides which file is believed; borrowed. */
struct grants_trust {
	unsigned owner_uid;
	const struct signers *signers; /* may be NULL: no signed grant is believed */
};

/* Loads every *.json of the directories (NULL-ended list); others are passed over silently. A
 * missing directory is fine. Files are opened O_NOFOLLOW, regular, one link, at most
 * GRANT_MAX_BYTES (SIGNED_MAX_BYTES). SA_ERR_NOMEM only. */
int grants_load(const char *const *dirs, const struct grants_trust *trust, struct grants *out,
		grants_skip_fn skip, void *ctx);
/* One file by its path, with the same checks on it and its directory. SA_ERR_NOTFOUND: not there;
 * SA_ERR_PERM: may not be read, or not to be believed; SA_ERR_INVALID: no grant. SA_ERR_AGAIN,
 * SA_ERR_IO, SA_ERR_NOMEM say nothing about the grant: ask again. */
int grants_load_file(const char *path, const struct grants_trust *trust, struct grant **out,
		     struct sa_err *err);
void grants_free(struct grants *g);

#endif
