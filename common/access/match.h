/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Which grant a login belongs to. A pure function of the login's facts, the
 * grants and the time.
 */
#ifndef SA_MATCH_H
#define SA_MATCH_H

#include "common/access/grants.h"

/* One key of the login. */
struct match_key {
	const char *fp;                      /* never NULL */
	const char *ca_fp, *key_id, *serial; /* of a certificate whose CA is listed; else NULL */
};

struct match_login {
	const char *user, *service, *host; /* host: short or full name of this machine */
	const char *source;                /* numeric address of the peer, NULL when none */
	int64_t now_ms;
	const struct match_key *keys;
	size_t n_keys;
	/* Asked only when a grant names groups and all else fits; may be NULL: in none. */
	bool (*in_group)(void *ctx, const char *user, const char *group);
	void *group_ctx;
};

/* Why one grant does not fit, for logs and `grant check`. In this order: a later reason means that
 * what comes before it fits. */
enum match_reason {
	MATCH_OK,
	MATCH_USER, /* users or groups are others */
	MATCH_HOST,
	MATCH_SERVICE,
	MATCH_SOURCE,
	MATCH_KEY, /* key_fp, ca_fp, cert_key_id, cert_serial: no one key has them all */
	MATCH_REVOKED,
	MATCH_NOT_YET,
	MATCH_EXPIRED,
};
const char *match_reason_text(enum match_reason r);
enum match_reason match_one(const struct grant *g, const struct match_login *login);
/* Only that the grant's users and groups are those of the login; asks in_group. */
bool match_user(const struct grant *g, const struct match_login *login);
/* The first of the login's keys that has all that the grant asks of one; NULL when none has, or
 * the grant asks nothing of keys. */
const struct match_key *match_which_key(const struct grant *g, const struct match_login *login);
/* Whether the list names this host, by its whole name or what comes before its first dot; case does
 * not count. "*" names none, and nor does an empty list. */
bool match_hosts(const struct grant_list *hosts, const char *host);
/* * is any bytes, ? is one byte, everything else is itself. */
bool match_glob(struct slice pattern, const char *text);

/* How closely a grant names its login: the higher rank wins. */
enum match_rank { MATCH_RANK_USER = 1, MATCH_RANK_SOURCE, MATCH_RANK_KEY };
enum match_rank match_rank(const struct grant *g);

/* SA_ERR_INVALID for a network that is none ("10.0.0.0/8", "2001:db8::/32", a single address);
 * host bits must be zero. For the grant parser. */
int match_check_source(const char *network);

#endif
