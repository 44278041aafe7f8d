/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Gives up root: user, groups, capabilities, for good. Each role says which
 * capabilities it keeps and why.
 */
#ifndef SA_PRIVDROP_H
#define SA_PRIVDROP_H

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/* The ids of a user of the agent. SA_ERR_NOTFOUND says what to do about a missing one, SA_ERR_PERM
 * is for a user that is root by another name. */
int privdrop_lookup(const char *user, uid_t *uid, gid_t *gid, struct sa_err *err);

/* Becomes user (its primary group, no supplementary groups) with only the capabilities caps (names
 * of <linux/capability.h>) permitted and effective, an empty bounding set otherwise, no_new_privs,
 * and umask 0007. A parent-death signal stays set. Checks that it holds. Not root: does nothing but
 * no_new_privs and umask, and returns 0. */
int privdrop(const char *user, const int *caps, size_t n_caps, struct sa_err *err);

#endif
