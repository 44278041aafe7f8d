/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The key of the hash that stands for a secret: 32 random bytes in a file of the
 * collector's user. The supervisor makes it, since it lies in a directory of root's.
 */
#ifndef SA_REDACT_KEY_H
#define SA_REDACT_KEY_H

#include <sys/types.h>

#include "common/err.h"

#define REDACT_KEY_SIZE 32

/* Makes the file where it is missing (or empty, as a crash may leave it). Its directory must be
 * there. */
int redact_key_make(const char *path, struct sa_err *err);
/* The same, and gives it to this user. */
int redact_key_own(const char *path, uid_t uid, gid_t gid, struct sa_err *err);
int redact_key_read(const char *path, unsigned char key[REDACT_KEY_SIZE], struct sa_err *err);

#endif
