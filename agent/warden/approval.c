/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/warden/approval.h"

const char *verdict_name(enum verdict v)
{
	return v == VERDICT_EXPIRED ? "expired" : v == VERDICT_REVOKED ? "revoked" : "holds";
}

enum verdict approval_judge(const struct approval *a, int64_t now_ms)
{
	int64_t expires = a->grant_expires_ms > 0 ? a->grant_expires_ms : a->expires_ms;

	if (!a->approved)
		return VERDICT_HOLDS;
	/* First: a grant is usually taken away once it has expired. */
	if (expires > 0 && expires <= now_ms)
		return VERDICT_EXPIRED;
	if (a->grant == GRANT_REVOKED ||
	    (a->grant == GRANT_GONE && a->gone >= APPROVAL_GONE_ROUNDS))
		return VERDICT_REVOKED;
	return VERDICT_HOLDS;
}
