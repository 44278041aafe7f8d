/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One SSH public key or user certificate, from the bytes that sshd hands on. sshd has
 * verified signature, validity, principal and possession; here it is only taken apart,
 * strictly: every length is checked, nothing may be left over, nothing may come twice.
 * Formats: RFC 4253 6.6, RFC 5656, RFC 8709, PROTOCOL.certkeys and PROTOCOL.u2f of OpenSSH.
 * A login's user chooses these bytes: bounded, and fuzzed (fuzz_sshkey).
 */
#ifndef SA_SSH_KEY_H
#define SA_SSH_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"

#define SSH_KEY_MAX_BYTES (64 * 1024) /* of a blob */
#define SSH_KEY_MAX_PRINCIPALS 256
#define SSH_KEY_MAX_OPTIONS 64 /* critical options; extensions as many */
#define SSH_KEY_FP_SIZE 51     /* "SHA256:", 43 characters of base64, NUL */

struct ssh_option {
	struct slice name;
	struct slice value; /* unwrapped from its inner string; absent for a flag */
};

/* Slices point into the blob. */
struct ssh_key {
	struct slice type;        /* "ssh-ed25519-cert-v01@openssh.com" */
	char fp[SSH_KEY_FP_SIZE]; /* of the plain key, also for a certificate (ssh-keygen -l) */
	bool cert;                /* all below only then */
	char ca_fp[SSH_KEY_FP_SIZE];
	bool user_cert; /* not a host's */
	uint64_t serial;
	struct slice key_id; /* any bytes */
	struct slice principals[SSH_KEY_MAX_PRINCIPALS];
	size_t n_principals;
	uint64_t valid_after, valid_before; /* seconds since the epoch; UINT64_MAX: for ever */
	struct ssh_option critical[SSH_KEY_MAX_OPTIONS], extensions[SSH_KEY_MAX_OPTIONS];
	size_t n_critical, n_extensions;
};

/* Parses blob; out borrows from it. SA_ERR_INVALID: broken (cut, too long, left-over bytes, names
 * twice, fields out of bounds). SA_ERR_UNSUPPORTED: a type that is not known (known are
 * ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256/384/521, sk-ssh-ed25519@openssh.com,
 * sk-ecdsa-sha2-nistp256@openssh.com, ssh-dss, and the certificates of all). */
int ssh_key_parse(struct slice blob, struct ssh_key *out, struct sa_err *err);
/* The value of an extension; absent when it is not there. An empty one is not absent. */
struct slice ssh_key_extension(const struct ssh_key *k, const char *name);

#endif
