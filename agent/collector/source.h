/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What every source of records has in common. */
#ifndef SA_SOURCE_H
#define SA_SOURCE_H

#include "agent/collector/record.h"

struct source_stats {
	uint64_t records, malformed, oversized;
};

typedef void (*source_fn)(void *ctx, const struct record *r);

#endif
