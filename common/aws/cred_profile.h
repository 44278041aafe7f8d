/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The two files that AWS clients share: ~/.aws/credentials and ~/.aws/config, which
 * are [sections] with `key = value` lines. Pure; fuzzed. A secret may stand in any
 * line: messages name the file and the line, never what stands there.
 * Source: "Shared config and credentials files", AWS SDKs and Tools Reference Guide;
 * indented lines as Python's configparser takes them, which the stock client uses.
 */
#ifndef SA_CRED_PROFILE_H
#define SA_CRED_PROFILE_H

#include <stdbool.h>

#include "common/err.h"
#include "common/slice.h"

#define CRED_PROFILE_MAX_TEXT (64 * 1024)

enum cred_kind {
	CRED_CREDENTIALS, /* each section is a profile: [name] */
	CRED_CONFIG,      /* [default], [profile name]; other sections are something else */
};

/* A profile begins (key absent), or has this value. Profiles and keys may come again: what comes
 * last counts. Slices of the text; key in any case; value without blanks around it, may be empty.
 */
typedef void (*cred_profile_fn)(void *ctx, struct slice profile, struct slice key,
				struct slice value);

/* SA_ERR_INVALID ("name:line: reason") for a line that is none of: blank, comment (# or ;),
 * [section], key = value, an indented line below a key without value (belongs to that and is passed
 * over); for a control byte; SA_ERR_TOOBIG. fn may be NULL: only checks. */
int cred_profile_read(const char *name, struct slice text, enum cred_kind kind, cred_profile_fn fn,
		      void *ctx, struct sa_err *err);

/* Of a text that was checked. */
bool cred_profile_has(struct slice text, enum cred_kind kind, const char *profile);
/* Absent when it is not there or empty. */
struct slice cred_profile_get(struct slice text, enum cred_kind kind, const char *profile,
			      const char *key);

#endif
