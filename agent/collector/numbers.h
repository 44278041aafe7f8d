/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* The kernel's session numbers that processes have now, by /proc: which sessions still live. */
#ifndef SA_NUMBERS_H
#define SA_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number {
	uint32_t ses;
	int pid;
};

struct numbers {
	struct number *items;
	size_t n;
	bool whole; /* all processes were seen: else a missing number says nothing */
};

void numbers_read(struct numbers *l);
void numbers_free(struct numbers *l);
/* False only when it is certain. */
bool numbers_may_have(const struct numbers *l, uint32_t ses);
/* Whose session that is, and since when its oldest process runs (UTC). False when it has none any
 * more, or they tell nothing. */
bool numbers_login(const struct numbers *l, uint32_t ses, uint32_t *auid, int64_t *since_ms);

#endif
