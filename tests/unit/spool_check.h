/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * For tests of the collector: a scratch spool, a shipper that moves what is ready into
 * a scratch store, and a reader that checks what has come together there.
 */
#ifndef SA_SPOOL_CHECK_H
#define SA_SPOOL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/transcript/segment.h"

#define T0 INT64_C(1795222800123)
#define CHECK_IDS 256

struct check {
	char dir[64], spool[80], store[80];
	unsigned seen[CHECK_IDS];  /* how many entries have this audit serial */
	unsigned shown[CHECK_IDS]; /* and in how many pages' lines "id-N." stands */
	unsigned sessions, gaps, lost, segments, parts, pointers;
	unsigned again; /* objects that were shipped once more, with the same bytes */
	bool over;
	char why[200];
};

void check_open(struct check *c);
void check_close(struct check *c);
/* Returns false; why is kept, unless there is one already. */
bool check_fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Moves ready/ to the store. An object that the store has with other bytes, or that does not say
 * that it is made again, is noted as a failure. */
void check_ship(struct check *c);
/* Reads the store: each session's segments in a row, one chain over all, consecutive numbers, the
 * manifests name exactly these segments, index objects and pages are there, and each session is
 * found by all of its requests; nothing is left over in the spool but checkpoints, lock and news.
 */
bool check_store(struct check *c);
/* Hands the entries of a stored segment to fn, whatever the chain says. False: there is none of
 * that number; one that cannot be read is a test that failed. folder: of the session, s->folder. */
bool check_read(const struct check *c, const char *folder, const char *sid, unsigned number,
		segment_entry_fn fn, void *ctx);
/* What a shell command prints, at most 2000 bytes, until the next call. */
const char *check_output(const char *command);

#endif
