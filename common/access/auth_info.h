/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Lines that hold keys: SSH_AUTH_INFO_0 (one line per method: "publickey <type> <base64>",
 * "password", "keyboard-interactive/pam" ...; sshd's auth2.c), and the lines of *.pub files
 * ("<type> <base64> [comment]").
 */
#ifndef SA_AUTH_INFO_H
#define SA_AUTH_INFO_H

#include "common/access/ssh_key.h"
#include "common/buf.h"

#define AUTH_INFO_MAX_BYTES (256 * 1024)
#define AUTH_INFO_MAX_KEYS 8

struct auth_key {
	struct buf blob; /* owns what key points to */
	struct ssh_key key;
};

struct auth_info {
	struct auth_key *keys;
	size_t n_keys;
	unsigned broken;   /* publickey lines that were passed over: not parsed, or one too many */
	struct sa_err why; /* of the first of them */
};

/* Takes all publickey lines of text; what cannot be parsed is counted. SA_ERR_NOMEM, or
 * SA_ERR_TOOBIG for a text that is too long, with an empty out. */
int auth_info_parse(struct slice text, struct auth_info *out);
void auth_info_free(struct auth_info *a);

/* "<type> <base64> [comment]": the type must be the blob's. comment may be NULL. */
int auth_key_line(struct slice line, struct auth_key *out, struct slice *comment,
		  struct sa_err *err);
void auth_key_free(struct auth_key *k);

#endif
