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
	bool revoked;
	struct grant_list hosts; /* empty: every host */
	/* match: AND across the keys that are present, OR inside a list. users is never empty. */
	struct grant_list users, services, source, key_fp, ca_fp, cert_key_id, cert_serial;
};

/* Parses the exact bytes of a grant file. SA_ERR_INVALID names the field and the reason: unknown
 * schema, unknown key, wrong type, duplicate key, missing request.id / expires_at / match.users,
 * bad time, empty list, over a bound, control bytes in request.id. Times come out in UTC. name is
 * for messages. */
int grant_parse(const char *name, struct slice text, struct grant **out, struct sa_err *err);
void grant_free(struct grant *g);

#endif
