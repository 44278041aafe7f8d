/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A grant: the approved access request as this host knows it, one strict JSON
 * file (schema sessaudit.grant/1, see FORMAT.md). Parsing only; where grants lie
 * is grants.h, which login one fits is match.h.
 */
#ifndef SA_GRANT_H
#define SA_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/access/access.h"

#define GRANT_MAX_BYTES (64 * 1024)
#define GRANT_MAX_LIST 256 /* items in any one list */
#define GRANT_MAX_ID 256   /* bytes of request.id and grant_id */

struct grant_list {
	char **items;
	size_t len;
};

struct grant {
	char *file;           /* name for messages */
	struct access access; /* status APPROVED, source and sha256 filled by the matcher/parser */
	int64_t not_before_ms, expires_ms; /* not_before <= now < expires */
	int64_t issued_ms;                 /* issued_at; 0: not given. The newer of two versions */
	bool revoked;
	struct grant_list hosts; /* empty: every host */
	/* match: AND across the keys that are present, OR inside a list. users or groups is there.
	 */
	struct grant_list users, groups, services, source, key_fp, ca_fp, cert_key_id, cert_serial;
};

/* Parses the exact bytes of a grant file. SA_ERR_INVALID names the field and the reason: unknown
 * schema, unknown key, wrong type, duplicate key, missing request.id / expires_at / match.users and
 * match.groups, bad time, empty list, over a bound, control bytes in request.id. Times come out in
 * UTC. name is for messages. */
int grant_parse(const char *name, struct slice text, struct grant **out, struct sa_err *err);
void grant_free(struct grant *g);
/* Whether g is still the grant that a is from: the same request, and the same grant_id where both
 * have one. Another grant may have come under its file's name. */
bool grant_is_of(const struct grant *g, const struct access *a);
/* The rule for ids, of requests and grants: they name objects in the store and stand in every log.
 * 1 to GRANT_MAX_ID bytes of UTF-8, nothing invisible, no blank, quote or backslash; not
 * "unapproved". SA_ERR_INVALID begins with where. */
int grant_check_id(struct slice id, const char *where, struct sa_err *err);

#endif
