/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Which grant a login belongs to. A pure function of the login's facts, the
 * grants and the time.
 */
#ifndef SA_MATCH_H
#define SA_MATCH_H

#include "common/access/grants.h"

struct match_login {
	const char *user, *service, *host; /* host: short or full name of this machine */
	const char *source;                /* numeric address of the peer, NULL when none */
	int64_t now_ms;
};

/* Why one grant does not fit; for logs and `grant check`. */
enum match_reason {
	MATCH_OK,
	MATCH_REVOKED,
	MATCH_NOT_YET,
	MATCH_EXPIRED,
	MATCH_HOST,
	MATCH_USER,
	MATCH_SERVICE,
	MATCH_SOURCE,
	MATCH_CRITERION,
	/* names a criterion this version cannot check: no match */
};
const char *match_reason_text(enum match_reason r);
enum match_reason match_one(const struct grant *g, const struct match_login *login);

/* Fills out: approved with the only fitting request, ambiguous with all ids when grants of
 * different requests fit, else unapproved. SA_ERR_NOMEM leaves unapproved. */
int match_login(const struct grants *grants, const struct match_login *login, struct access *out);

#endif
