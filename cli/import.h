/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What an access broker says of a request, made into a grant of ours. A payload
 * is untrusted: read with bounds, and nothing comes out that grant_parse does not
 * take. Pure, and fuzzed (fuzz_import).
 */
#ifndef SA_IMPORT_H
#define SA_IMPORT_H

#include "common/access/grant.h"

#define IMPORT_MAX_BYTES (1024 * 1024) /* of a payload */

/* A broker's word on one request. */
struct import {
	struct grant grant; /* owned: the request, times (0: not said), perhaps match.users */
	bool ended;         /* it is approved no longer */
	char state[64];     /* in the broker's words, escaped */
};
void import_free(struct import *i);
#define _cleanup_import_ __attribute__((cleanup(import_free)))

/* What the admin adds. The items are borrowed. */
struct import_options {
	struct grant_list users; /* instead of what the broker says */
	struct grant_list hosts, services;
	int64_t expires_ms; /* 0: as the broker says; never later than that */
	int64_t now_ms;
};

/* broker: "apono" or "teleport". Unknown keys are passed over; a wrong type, a missing id, or a
 * state that is not an approval is SA_ERR_INVALID and names the field. Texts are cut at their
 * bounds. out holds nothing on errors. */
int import_read(const char *broker, struct slice payload, struct import *out, struct sa_err *err);
bool import_knows(const char *broker);
/* The grant file, pretty JSON. SA_ERR_INVALID: what is missing, or too much. i is not changed. */
int import_grant(const struct import *i, const struct import_options *o, struct buf *out,
		 struct sa_err *err);
/* The grant file `have` (of the same grant) with revoked set, which i, an ended one, asks for. */
int import_revoke(const struct import *i, const struct grant *have, struct buf *out,
		  struct sa_err *err);
/* SA_ERR_INVALID when `have`, the grant that is there, is another one, or newer than what i
 * says. */
int import_check_newer(const struct import *i, const struct grant *have, struct sa_err *err);

/* The readers of one broker each, for import.c. */
int import_apono(const struct json *root, struct import *out, struct sa_err *err);
int import_teleport(const struct json *root, struct import *out, struct sa_err *err);

/* What they share, besides access_read_text; `where` stands before the key in messages ("data.").
 * All: absent, null and empty leave out as it is; a wrong type is SA_ERR_INVALID. */
/* Into an owned field, cut at ACCESS_MAX_FIELD. */
int import_set(const struct json *object, const char *where, const char *key, char **out,
	       struct sa_err *err);
int import_part(const struct json *object, const char *where, const char *key, enum json_type type,
		const struct json **out, struct sa_err *err);
/* RFC 3339, after 1970; the year 1, Go's zero time, is absent too. */
int import_time(const struct json *object, const char *where, const char *key, int64_t *ms,
		struct sa_err *err);
/* Appends an approval; type and status in lower case. at_ms 0: not known. */
int import_approval(struct import *i, struct slice by, struct slice type, struct slice status,
		    int64_t at_ms, struct sa_err *err);
/* request.id, and grant_id "<broker>-<id>". */
int import_ids(struct import *i, const char *broker, struct slice request_id, struct slice id,
	       struct sa_err *err);
void import_state(struct import *i, struct slice state);
/* Appends item to a list in text, which is cut when it gets too long. A failed item makes text
 * failed. */
void import_list(struct buf *text, const struct buf *item);
/* The list becomes the resource. */
int import_resource(struct import *i, const struct buf *text, struct sa_err *err);

#endif
