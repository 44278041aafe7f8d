/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Whether the approval of a session still holds. A pure function of what its tag
 * file says, what became of the grant it rests on, and the time.
 */
#ifndef SA_APPROVAL_H
#define SA_APPROVAL_H

#include <stdbool.h>
#include <stdint.h>

/* A file that is gone may be on its way back: not everybody who writes one renames it into place.
 */
#define APPROVAL_GONE_ROUNDS 2

enum grant_state {
	GRANT_NONE,    /* the approval rests on no file */
	GRANT_VALID,   /* is there */
	GRANT_REVOKED, /* says so */
	GRANT_GONE,    /* is not there, or another grant is there in its place */
	GRANT_UNKNOWN, /* cannot be read, or is not to be believed: decides nothing */
};

struct approval {
	bool approved;      /* the login was; only then there is something to end */
	int64_t expires_ms; /* as the tag file says; 0: never */
	enum grant_state grant;
	int64_t grant_expires_ms; /* as it was last read: goes before what the tag file says; 0 */
	unsigned gone;            /* looks in a row that found GRANT_GONE */
};

enum verdict { VERDICT_HOLDS, VERDICT_EXPIRED, VERDICT_REVOKED };
const char *verdict_name(enum verdict v); /* "expired" */

enum verdict approval_judge(const struct approval *a, int64_t now_ms);

#endif
