/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* The kernel's session numbers that processes have now, by /proc: which sessions still live. */
#ifndef SA_NUMBERS_H
#define SA_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbers {
	uint32_t *items;
	size_t n;
	bool whole; /* all processes were seen: else a missing number says nothing */
};

void numbers_read(struct numbers *l);
void numbers_free(struct numbers *l);
/* False only when it is certain. */
bool numbers_may_have(const struct numbers *l, uint32_t ses);

#endif
