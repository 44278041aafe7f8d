/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What grantd knows of the grants it has ever kept or revoked, by their id: the
 * newest version, so that an older signed one cannot come back, and whether it lies
 * in the directory now. <run_dir>/grantd/seen.json carries it over a restart, not
 * over a boot.
 */
#ifndef SA_SEEN_H
#define SA_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"

#define SEEN_MAX                                                                                   \
	16384 /* what is forgotten soonest goes first; never what lies in the directory            \
	       */
#define SEEN_REVOKED_MS                                                                            \
	(30 * 24 * 3600 * 1000LL) /* a revocation is remembered so long at least                   \
				   */
#define SEEN_MAX_BYTES (16 << 20)

struct seen_grant {
	char *id;
	int64_t issued_ms, expires_ms; /* of the newest version */
	int64_t keep_ms;               /* when to forget it: no version seen is valid any more */
	bool revoked;
	bool on_shelf, marked; /* the directory has it; for whoever goes through an answer */
};

struct seen {                     /* all zero: nothing */
	struct seen_grant *items; /* sorted by id */
	size_t len;
	bool changed; /* since seen_save */
};

/* NULL when it is not known. Valid until the next seen_note or seen_forget. */
struct seen_grant *seen_find(const struct seen *s, const char *id);
/* Takes note of a version and gives its row; what is known of an older one is replaced.
 * SA_ERR_NOMEM leaves all as it was. */
int seen_note(struct seen *s, const struct seen_grant *version, int64_t now_ms,
	      struct seen_grant **out);
/* Drops what need not be known any more. */
void seen_forget(struct seen *s, int64_t now_ms);
void seen_free(struct seen *s);

/* dir_fd/seen.json. A missing file is nothing known. On an error s has what was read before it. */
int seen_load(struct seen *s, int dir_fd, int64_t now_ms, struct sa_err *err);
int seen_parse(struct seen *s, struct slice text, int64_t now_ms, struct sa_err *err);
int seen_save(struct seen *s, int dir_fd, struct sa_err *err);

#endif
