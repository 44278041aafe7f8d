/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The bearer token that the broker asks for (RFC 6750), from a file that is read
 * anew before each request. Where only root may read it, what was read before root
 * was given up stays in use.
 */
#ifndef SA_TOKEN_H
#define SA_TOKEN_H

#include "common/buf.h"
#include "common/err.h"

#define TOKEN_MAX_BYTES 8192

struct token {
	char *path; /* NULL: the broker asks for none */
	struct buf text;
	bool stale; /* the last reading failed */
};

/* file: broker.token_file; relative: a credential of the service (systemd's LoadCredential=), below
 * credentials, which is $CREDENTIALS_DIRECTORY or NULL. */
int token_init(struct token *t, const char *file, const char *credentials, struct sa_err *err);
/* Reads it. 0 when there is a token to use, if only an earlier one; else SA_ERR_*. */
int token_read(struct token *t, struct sa_err *err);
void token_free(struct token *t); /* zeroes it */

#endif
