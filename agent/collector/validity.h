/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What an approval is worth while its session runs: it has an end, and the grant
 * that it comes from can be withdrawn. The end is a function of the access context
 * and of the time of events; the grant's file is only looked at while the kernel's
 * stream is read, and may move the end. lapse.c says in the transcript what this finds.
 */
#ifndef SA_VALIDITY_H
#define SA_VALIDITY_H

#include <stdint.h>

#include "common/access/file_stamp.h"
#include "common/access/grants.h"

#define VALIDITY_NO_END INT64_MAX

struct validity {
	int64_t expires_ms;   /* VALIDITY_NO_END: never, or nothing is approved */
	int64_t issued_ms;    /* of the newest version that was there; 0: not known */
	char *file;           /* the grant's, owned; NULL: none to look at */
	bool withdrawn;       /* and the transcript says so */
	bool unreadable;      /* said in the log */
	const char *why_gone; /* what the last look found; NULL: the grant is as it should be */
	struct file_stamp stamp;
};

/* When access ends: only what is approved has an end. Does not touch file. */
void validity_start(struct validity *v, const struct access *a);
void validity_free(struct validity *v);
/* Looks at the file, and reads it when it is another one than at the last look (one stat if not).
 * A grant of another end moves expires_ms. Returns why the grant is no longer there ("revoked",
 * "grant_removed"), NULL when it is. A file that may not be read, holds no whole grant, or an older
 * version of it than was there, changes nothing; that is logged once. */
const char *validity_look(struct validity *v, const struct access *a,
			  const struct grants_trust *trust);

#endif
