/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/retry.h"

#include <limits.h>

void retry_failed(struct retry *r, const struct retry_policy *p, int64_t now_ms, uint32_t random)
{
	int64_t top = p->min_ms;

	for (unsigned i = 0; i < r->failures && top < p->max_ms; i++)
		top *= 2;
	if (top > p->max_ms)
		top = p->max_ms;
	if (r->failures < UINT_MAX)
		r->failures++;
	/* Pauses are bounded by an hour (settings), so that the product stays far below 2^63. */
	r->next_ms = now_ms + (((top + 1) * (int64_t)random) >> 32);
}

bool retry_due(const struct retry *r, int64_t now_ms)
{
	return r->failures == 0 || now_ms >= r->next_ms;
}
