/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * <run>/ses/<ses>.json: the full context of one login, written by the module
 * (root) before it sends the tag, read by the collector to believe the tag, and
 * by the module in a nested service (sudo, su) to inherit instead of matching anew.
 */
#ifndef SA_TAGFILE_H
#define SA_TAGFILE_H

#include <stdint.h>

#include "common/access/tag.h"
#include "common/boot_id.h"

#define TAGFILE_MAX_BYTES (128 * 1024) /* a grant's 64 KiB and what we add */

struct tagfile {
	uint32_t ses, auid;
	int32_t pid; /* of the process that opened the session */
	char boot_id[BOOT_ID_SIZE];
	int64_t time_ms;
	char *grant_file; /* path of the grant that approved it; NULL when none did */
	struct tag tag;   /* fields in full; TAG_BIND */
};

/* dir: <run>/ses. Written atomically, mode 0640, schema sessaudit.session/1. */
int tagfile_write(const char *dir, const struct tagfile *t, struct sa_err *err);
/* Believes only a regular file that belongs to owner_uid, is not writable by others, and names the
 * same ses inside. SA_ERR_NOTFOUND when there is none. */
int tagfile_read(const char *dir, uint32_t ses, unsigned owner_uid, struct tagfile *out,
		 struct sa_err *err);
void tagfile_free(struct tagfile *t);

#endif
