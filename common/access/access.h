/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The access context: which approved request a login belongs to. It is what the
 * matcher finds, what tag and tag file carry, and what stands in every segment
 * header, `access` entry, index object and manifest.
 */
#ifndef SA_ACCESS_H
#define SA_ACCESS_H

#include <stddef.h>

#include "common/err.h"
#include "common/json.h"
#include "common/slice.h"

enum access_status {
	ACCESS_UNAPPROVED, /* no grant; also what every error comes down to */
	ACCESS_APPROVED,
	ACCESS_ID_ONLY,
	ACCESS_AMBIGUOUS, /* several grants tie; candidates names their request ids */
	ACCESS_CONFLICT,
	ACCESS_BREAKGLASS,
};

enum access_source {
	ACCESS_SOURCE_NONE,
	ACCESS_SOURCE_CERT,
	ACCESS_SOURCE_KEY,
	ACCESS_SOURCE_USER,
	ACCESS_SOURCE_PROMPT,
	ACCESS_SOURCE_SESSION /* the session that this one left had it */
};

/* What the host's policy made of the status, see policy.h. */
enum access_policy {
	ACCESS_POLICY_NONE, /* nothing to say: let in and recorded */
	ACCESS_POLICY_DENIED,
	ACCESS_POLICY_EXEMPT /* would have been denied, but for the exempt list */
};

#define ACCESS_MAX_APPROVALS 16
#define ACCESS_MAX_CANDIDATES 16
#define ACCESS_MAX_FIELD 1024 /* bytes of any one string below */

struct access_approval {
	char *by, *type, *status, *at; /* who, user|group|auto..., approved|..., RFC 3339 */
};

/* Every string is owned, valid UTF-8, and NULL when not known (never empty). */
struct access {
	enum access_status status;
	enum access_source source;
	enum access_policy policy;
	char *request_id, *grant_id, *broker;
	char *requester_id, *requester; /* requester: email or name */
	char *flow_id, *flow;
	char *justification, *resource, *ticket;
	char *not_before, *expires_at; /* RFC 3339 UTC */
	char *grant_sha256;            /* hex, of the grant's exact bytes */
	char *key_fp; /* "SHA256:..." of the key that logged in, as ssh-keygen -l */
	/* Of its certificate, when the CA is listed in ca.d; its profile there. */
	char *ca_fp, *cert_key_id, *cert_serial, *cert_profile;
	char *reason; /* why not approved: "grant g-7f3a: expired" */
	struct access_approval *approvals;
	size_t n_approvals;
	char **candidates; /* request ids, for ambiguous and conflict */
	size_t n_candidates;
};

void access_free(struct access *a); /* frees the members, zeroes the struct */
int access_copy(struct access *dst, const struct access *src); /* deep; dst is overwritten */
#define _cleanup_access_ __attribute__((cleanup(access_free)))
/* Appends a copy. SA_ERR_TOOBIG (nothing changed) beyond ACCESS_MAX_CANDIDATES. */
int access_add_candidate(struct access *a, struct slice request_id);

const char *access_status_name(enum access_status s); /* "approved", "id_only", ... */
const char *access_source_name(enum access_source s); /* "cert", "key", ..., "none" */
const char *access_policy_name(enum access_policy p); /* "denied", "exempt", "none" */
/* Unknown text gives SA_ERR_INVALID, out untouched. */
int access_status_parse(struct slice text, enum access_status *out);
int access_source_parse(struct slice text, enum access_source *out);
int access_policy_parse(struct slice text, enum access_policy *out);
/* Replaces an owned string by a copy of text, with bytes that are no UTF-8 and NUL as \xNN, cut at
 * ACCESS_MAX_FIELD bytes; an empty text gives NULL. SA_ERR_NOMEM leaves it alone. */
int access_set(char **field, struct slice text);
/* Appends an approval; by is copied as access_set does, type is a literal. SA_ERR_TOOBIG beyond
 * ACCESS_MAX_APPROVALS. */
int access_add_approval(struct access *a, struct slice by, const char *type);

/* One JSON object:
 * {"status":"approved","source":"user","request":{"id","flow":{"id","name"},
 *  "requester":{"id","email"},"approvals":[{"by","type","status","at"}],"justification","resource","ticket"},
 *  "grant":{"id","broker","not_before","expires_at","sha256"},
 *  "key":{"fingerprint"},"certificate":{"ca","key_id","serial","profile"},
 *  "reason","policy","candidates":[...]}
 * Fields that are not known are left out. */
void access_write(struct json_writer *w, const struct access *a);
/* "request":{...} alone, nothing when nothing is known of it. A requester without '@' is written
 * as "name" instead of "email". */
void access_write_request(struct json_writer *w, const struct access *a);
/* Reads it back. Unknown keys are passed over; a wrong type or bound is SA_ERR_INVALID. */
int access_read(const struct json *j, struct access *out, struct sa_err *err);

/* Pieces of it that the grant reader shares; `where` stands before the key in messages
 * ("request."). A string: absent, null or empty leaves *out alone, else it is replaced by a copy.
 */
int access_read_str(const struct json *object, const char *where, const char *key, char **out,
		    struct sa_err *err);
/* The same of any length, borrowed from the tree. */
int access_read_text(const struct json *object, const char *where, const char *key,
		     struct slice *out, struct sa_err *err);
/* The object or array under key, NULL when absent; *rc is set when it is of another type. */
const struct json *access_read_object(const struct json *object, const char *where, const char *key,
				      enum json_type type, int *rc, struct sa_err *err);
/* The members of "request". What was read before an error stays in out, for access_free. */
int access_read_request(const struct json *request, struct access *out, struct sa_err *err);

#endif
