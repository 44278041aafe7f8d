/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The CAs whose certificates count: the files *.pub of a directory, one key a line, with an
 * optional word before it that says how the CA names a request:
 *   ssh-ed25519 AAAA... comment                          profile sessaudit
 *   profile=teleport ssh-ed25519 AAAA...                 or vault, bless, sessaudit
 *   regex="^(?<request>[A-Z]+-[0-9]+)/" ssh-rsa AAAA...  of the key id; other groups are
 *                                                        requester, approver, flow, ticket
 * A pattern ends at the first quote without a backslash before it, and goes to PCRE2 as it stands.
 * Empty lines and lines that begin with # are passed over. Directory and files must be fit to be
 * believed as grants are (grants.h).
 */
#ifndef SA_CAS_H
#define SA_CAS_H

#include "common/access/auth_info.h"
#include "common/access/grants.h"

#define CAS_MAX 256 /* keys */
#define CAS_MAX_FILES 64
#define CAS_MAX_FILE (64 * 1024)
#define CAS_MAX_REGEX 1024

enum ca_profile { CA_SESSAUDIT, CA_TELEPORT, CA_VAULT, CA_BLESS, CA_REGEX };

struct ca {
	char fp[SSH_KEY_FP_SIZE];
	enum ca_profile profile;
	void *regex; /* pcre2_code of CA_REGEX; cas.c and profile.c only */
};

struct cas {
	struct ca *items;
	size_t len;
};

/* A missing directory is fine and lists none. A file or line that is unfit is skipped and reported
 * ("/etc/sessaudit/ca.d/x.pub:3: ..."). The same CA twice: the first counts; the second is reported
 * unless it has the same profile. SA_ERR_NOMEM only. */
int cas_load(const char *dir, unsigned owner_uid, struct cas *out, grants_skip_fn skip, void *ctx);
/* Adds what the text of one file lists; name is for messages. SA_ERR_NOMEM only. */
int cas_parse(const char *name, struct slice text, struct cas *c, grants_skip_fn skip, void *ctx);
void cas_free(struct cas *c);
const struct ca *cas_find(const struct cas *c, const char *fp); /* NULL: not listed */
const char *ca_profile_name(enum ca_profile p);                 /* "sessaudit", ... "regex" */

#endif
