/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Which grant files may matter for a login, without reading thousands: a file (root's, in the run
 * directory) that the module keeps. It only says where to look; each grant it names is read and
 * checked anew, so it can hide grants but never make one. It is rebuilt when a directory has
 * changed (a grant was added, removed, replaced), and compared file by file when it was not for
 * GRANT_INDEX_SWEEP_MS, for grants that were edited in place.
 */
#ifndef SA_GRANT_INDEX_H
#define SA_GRANT_INDEX_H

#include "common/access/grants.h"

#define GRANT_INDEX_SWEEP_MS 5000

struct grant_query {
	const char *user;
	char *const *request_ids; /* of the certificates; a grant with one of them is wanted too */
	size_t n_request_ids;
	/* As of match_login: asked once for each group that a grant names. NULL: in every group. */
	bool (*in_group)(void *ctx, const char *user, const char *group);
	void *group_ctx;
};

/* The grants of the directories that name the user, or no users but a group of the user's, or have
 * one of the request ids; the order is that of grants_load. index_path NULL, or an index that
 * cannot be used nor written: all directories are read; the result is the same. now_boot_ms:
 * CLOCK_BOOTTIME. SA_ERR_NOMEM only. */
int grant_index_load(const char *index_path, const char *const *dirs,
		     const struct grants_trust *trust, const struct grant_query *q,
		     int64_t now_boot_ms, struct grants *out, grants_skip_fn skip, void *ctx);

#endif
