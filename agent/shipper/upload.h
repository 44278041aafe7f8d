/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Brings what lies ready into the store: put once, then unlink. A failure stops
 * only its directory, for a pause that grows (retry.h); an object is never
 * dropped. A key that the store holds with other content is a conflict: the
 * object is stored beside it, under <key>.conflict-<8 digits of its SHA-256>.
 * Failure and recovery of a directory are logged once each.
 */
#ifndef SA_UPLOAD_H
#define SA_UPLOAD_H

#include <stddef.h>

#include "agent/shipper/retry.h"
#include "common/store/store.h"

/* Directories whose failure is remembered. When more fail at a time the store is gone as a whole:
 * the others wait until one of these comes back. */
#define UPLOAD_MAX_FAILING 1024

struct upload_failing {
	uint64_t dir; /* hash of its key */
	uint64_t pass;
	struct retry retry;
};

struct upload {
	struct store *store; /* borrowed */
	struct retry_policy policy;
	bool force;              /* does not wait for the end of a pause */
	bool (*turn)(void *ctx); /* called before each object and directory; false ends the pass */
	void *turn_ctx;

	/* The last pass: objects stored; objects or directories that stay, and why the last of
	 * them. */
	size_t shipped, left;
	struct sa_err reason;

	uint64_t pass, dir; /* number of this pass, hash of the directory it is in */
	size_t n_failing;
	struct upload_failing failing[UPLOAD_MAX_FAILING];
};

/* One pass over everything below ready_fd. The caller sets the members up to turn_ctx, the rest
 * zero before the first. SA_ERR_* when ready/ itself cannot be read. */
int upload_pass(struct upload *u, int ready_fd, struct sa_err *err);

#endif
