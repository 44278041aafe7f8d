/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The approved sessions of this boot, by their tag files, each with the state of
 * its grant. Files are read again only when they have changed. A session whose tag
 * file goes is watched on: the collector may remove the file, but must not be able
 * to save a session by that.
 */
#ifndef SA_WARDS_H
#define SA_WARDS_H

#include "agent/warden/approval.h"
#include "common/access/file_stamp.h"
#include "common/access/grants.h"
#include "common/access/tagfile.h"

#define WARDS_MAX 16384 /* sessions watched; beyond, those without a tag file go first */

struct ward {
	uint32_t ses;
	char *request_id, *grant_id, *grant_file; /* NULL: none */
	struct approval approval;
	struct file_stamp tag_stamp, grant_stamp;
	bool tagged, listed; /* its tag file is there; was seen in this refresh already */
	/* For whoever ends it. */
	enum verdict verdict;
	int64_t term_ms;    /* monotonic: when its processes were asked to end; 0: not */
	unsigned processes; /* found in the last look */
};

struct wards {
	const char *dir; /* <run_dir>/ses */
	unsigned owner_uid;
	char boot_id[BOOT_ID_SIZE];
	struct grants_trust trust;
	struct ward *items; /* sorted by ses */
	size_t len, cap;
};

/* Reads what has changed, tag files and grants. Problems are logged (limited). */
void wards_refresh(struct wards *w);
struct ward *wards_find(const struct wards *w, uint32_t ses); /* NULL: not watched */
bool wards_untagged(const struct wards *w);                   /* there is one without a tag file */
/* Forgets those that are over: no tag file, and no process in the look that was just taken. */
void wards_forget(struct wards *w);
void wards_free(struct wards *w);

#endif
