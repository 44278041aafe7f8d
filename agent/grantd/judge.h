/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Whether a grant whose signature is right is taken over from the broker: is it for
 * this host, is its time now, is it the newest version. A pure function.
 */
#ifndef SA_JUDGE_H
#define SA_JUDGE_H

#include "agent/grantd/seen.h"
#include "common/access/grant.h"

#define JUDGE_MAX_MS (400 * 24 * 3600 * 1000LL) /* no grant is valid for longer */
#define JUDGE_SKEW_MS (5 * 60 * 1000)           /* clocks of broker and host may differ so much */

enum verdict {
	VERDICT_KEEP,
	VERDICT_REVOKED, /* taken over: it is withdrawn */
	/* Refused from here on. */
	VERDICT_BROKEN,   /* no envelope, or no grant, or one that may not be signed */
	VERDICT_UNSIGNED, /* no key of ours made the signature */
	VERDICT_HOST,     /* names other hosts */
	VERDICT_FUTURE,   /* issued in the future */
	VERDICT_OLDER,    /* a newer version is known, or that it was revoked */
	VERDICT_EXPIRED,
	VERDICT_TOO_LONG, /* expires too far in the future */
	VERDICTS
};
const char *verdict_name(enum verdict v); /* "unsigned" */
const char *verdict_text(enum verdict v); /* a sentence for the admin; of those that judge gives */

/* known: NULL when no version of it was seen. host: this machine's name. */
enum verdict judge(const struct grant *g, const struct seen_grant *known, const char *host,
		   int64_t now_ms);

#endif
