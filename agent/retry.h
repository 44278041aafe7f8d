/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * When to try again after a failure: exponential backoff with full jitter, so that
 * many hosts do not return to a recovering peer at the same moment. No limit of
 * attempts. Pure: clock and chance come in as arguments.
 */
#ifndef SA_RETRY_H
#define SA_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
	int64_t min_ms, max_ms; /* upper bounds of the first pause and of any */
};

struct retry { /* all zero: nothing has failed */
	unsigned failures;
	int64_t next_ms; /* monotonic */
};

/* Notes a failure at now_ms. The pause lies between 0 and the policy's min_ms doubled with each
 * failure after the first, at most max_ms; random, evenly spread over 32 bits, picks where. */
void retry_failed(struct retry *r, const struct retry_policy *p, int64_t now_ms, uint32_t random);
/* True when nothing has failed or the pause is over. */
bool retry_due(const struct retry *r, int64_t now_ms);

#endif
