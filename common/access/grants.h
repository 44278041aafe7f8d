/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The directories grants lie in. A file that is not fit to be believed is
 * skipped and reported, never fatal.
 */
#ifndef SA_GRANTS_H
#define SA_GRANTS_H

#include "common/access/grant.h"

#define GRANTS_MAX_FILES 4096 /* per directory; what is beyond is reported once */

struct grants {
	struct grant **items; /* owned, in order of directory and file name */
	size_t len;
};

/* Called for each file (or directory) that is skipped: "grants.d/x.json: mode 0666: must not be
 * writable by group or others". */
typedef void (*grants_skip_fn)(void *ctx, const char *message);

/* Loads every *.json of the directories (NULL-ended list); others are passed over silently. A
 * missing directory is fine. Directory and files must belong to owner_uid (0 in production) and
 * not be writable by group or others; files are opened O_NOFOLLOW, regular, one link, at most
 * GRANT_MAX_BYTES. SA_ERR_NOMEM only. */
int grants_load(const char *const *dirs, unsigned owner_uid, struct grants *out,
		grants_skip_fn skip, void *ctx);
void grants_free(struct grants *g);

#endif
