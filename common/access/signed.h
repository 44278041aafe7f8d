/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A signed grant: what a broker vouches for, so that the process that fetched it need not be
 * trusted. A file <name>.json that holds
 *   {"schema":"sessaudit.signed-grant/1","grant":"<base64 of the grant's exact bytes>",
 *    "signature":"<base64 of 64 bytes>"}
 * with an Ed25519 signature (RFC 8032, no prehash, no context) over those exact bytes. The grant
 * inside must name its hosts (no "*") and have grant_id, issued_at and expires_at.
 * Key files: PEM, "BEGIN PUBLIC KEY" (openssl pkey -pubout).
 */
#ifndef SA_SIGNED_H
#define SA_SIGNED_H

#include "common/access/grant.h"
#include "common/buf.h"

#define SIGNED_MAX_BYTES (GRANT_MAX_BYTES / 3 * 4 + 1024)
#define SIGNED_MAX_KEYS 16

struct signers {                     /* public keys */
	void *keys[SIGNED_MAX_KEYS]; /* EVP_PKEY */
	size_t len;
};

/* Loads key files (must belong to owner_uid and not be writable by others). SA_ERR_*: names the
 * file; out holds none. */
int signers_load(const char *const *files, size_t n, unsigned owner_uid, struct signers *out,
		 struct sa_err *err);
void signers_free(struct signers *s);

/* True when text looks like an envelope (its schema), whatever is in it. */
bool signed_is(struct slice text);
/* Opens the envelope and checks the signature against every key: 0 and the exact bytes of the
 * grant, or SA_ERR_INVALID (broken), SA_ERR_PERM (no key verifies it); SA_ERR_IO, SA_ERR_NOMEM:
 * cannot be told now. */
int signed_open(const char *name, struct slice text, const struct signers *s, struct buf *grant,
		struct sa_err *err);
/* The same, and parses the grant and checks what a signed one must have. */
int signed_grant(const char *name, struct slice text, const struct signers *s, struct grant **out,
		 struct sa_err *err);
/* An envelope around bytes and signature. */
int signed_write(struct slice grant, struct slice signature, struct buf *out);

#endif
