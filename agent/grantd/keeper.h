/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Brings the directory of grants in line with what a broker says: keeps what is
 * signed, for this host, valid and newest; removes what is revoked, expired or not
 * in the answer any more.
 */
#ifndef SA_KEEPER_H
#define SA_KEEPER_H

#include "agent/grantd/answer.h"
#include "agent/grantd/judge.h"

struct keeper {
	const struct signers *signers;
	const char *host;
	int shelf_fd;     /* shelf.h */
	struct seen seen; /* owned */
	/* Called now and then in a long answer: false ends it with SA_ERR_AGAIN. May be NULL. */
	bool (*turn)(void *ctx);
	void *turn_ctx;
};

struct keeper_counts {
	uint64_t verdicts[VERDICTS];
};

/* At the start, after seen_load, and when the host has got another name: looks through what lies
 * there from an earlier run, and removes what would not be kept today. */
int keeper_recover(struct keeper *k, int64_t now_ms, struct sa_err *err);
/* One answer taken over, which is all there is to keep. An error (of the disk, say) is the last of
 * several; the rest was done, but nothing is removed as absent when memory ran out: it may well be
 * in the answer. */
int keeper_apply(struct keeper *k, const struct answer *a, int64_t now_ms,
		 struct keeper_counts *counts, struct sa_err *err);
/* Removes what has expired. */
int keeper_expire(struct keeper *k, int64_t now_ms, struct sa_err *err);
uint64_t keeper_on_shelf(const struct keeper *k);
void keeper_free(struct keeper *k);

#endif
