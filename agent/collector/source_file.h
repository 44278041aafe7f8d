/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A recorded audit log as a source: auditd's raw or enriched format, or what
 * `ausearch --raw` prints. "-" is standard input.
 */
#ifndef SA_SOURCE_FILE_H
#define SA_SOURCE_FILE_H

#include "agent/collector/record.h"

struct source_stats {
	uint64_t records, malformed, oversized;
};

typedef void (*source_fn)(void *ctx, const struct record *r);

/* Calls fn with each record to the end of the file. Lines that are no records are counted, one
 * message names the first. SA_ERR_IO when the file cannot be read. */
int source_file_read(const char *path, source_fn fn, void *ctx, struct source_stats *stats,
		     struct sa_err *err);

#endif
