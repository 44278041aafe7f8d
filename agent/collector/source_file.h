/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A recorded audit log as a source: auditd's raw or enriched format, or what
 * `ausearch --raw` prints, also packed by gzip. "-" is standard input.
 */
#ifndef SA_SOURCE_FILE_H
#define SA_SOURCE_FILE_H

#include "agent/collector/source.h"

/* Calls fn with each record to the end of the file. Lines that are no records are counted, one
 * message names the first. SA_ERR_IO when the file cannot be read; SA_ERR_INVALID when it is packed
 * and damaged or cut off: what came before has been given on, the message says how far. */
int source_file_read(const char *path, source_fn fn, void *ctx, struct source_stats *stats,
		     struct sa_err *err);

#endif
