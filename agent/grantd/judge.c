/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/judge.h"

#include "common/access/match.h"

const char *verdict_name(enum verdict v)
{
	static const char *const names[VERDICTS] = {
		[VERDICT_KEEP] = "kept",         [VERDICT_REVOKED] = "revoked",
		[VERDICT_BROKEN] = "broken",     [VERDICT_UNSIGNED] = "unsigned",
		[VERDICT_HOST] = "other_host",   [VERDICT_FUTURE] = "future",
		[VERDICT_OLDER] = "older",       [VERDICT_EXPIRED] = "expired",
		[VERDICT_TOO_LONG] = "too_long",
	};

	return names[v];
}

const char *verdict_text(enum verdict v)
{
	switch (v) {
	case VERDICT_HOST:
		return "its hosts do not name this one";
	case VERDICT_FUTURE:
		return "issued in the future: compare the clocks of broker and host";
	case VERDICT_OLDER:
		return "a newer version is known, or that it was revoked";
	case VERDICT_EXPIRED:
		return "has expired";
	case VERDICT_TOO_LONG:
		return "expires more than 400 days from now";
	case VERDICT_REVOKED:
		return "is revoked";
	default:
		return "lacks what a signed grant must have";
	}
}

/* Of two versions of one time the revoked one counts. */
static bool judge_older(const struct grant *g, const struct seen_grant *known)
{
	return known && (g->issued_ms < known->issued_ms ||
			 (g->issued_ms == known->issued_ms && known->revoked && !g->revoked));
}

enum verdict judge(const struct grant *g, const struct seen_grant *known, const char *host,
		   int64_t now_ms)
{
	if (!g->access.grant_id || g->issued_ms <= 0)
		return VERDICT_BROKEN;
	/* Not "*": a signed grant that every host takes could be used on hosts that it was not
	 * meant for. */
	if (!match_hosts(&g->hosts, host))
		return VERDICT_HOST;
	if (g->issued_ms > now_ms + JUDGE_SKEW_MS)
		return VERDICT_FUTURE;
	if (judge_older(g, known))
		return VERDICT_OLDER;
	if (g->revoked) /* whenever it would have expired */
		return VERDICT_REVOKED;
	if (g->expires_ms <= now_ms)
		return VERDICT_EXPIRED;
	return g->expires_ms - now_ms > JUDGE_MAX_MS ? VERDICT_TOO_LONG : VERDICT_KEEP;
}
