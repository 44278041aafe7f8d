/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What join.c and join_align.c share; nobody else includes it. */
#ifndef SA_JOIN_INTERNAL_H
#define SA_JOIN_INTERNAL_H

#include "agent/collector/join.h"

/* Its command line; empty when it is not remembered any more. */
struct slice join_text(const struct join *j, const struct join_exec *e);
/* r->execs are there; fills r->taken and what was found of the lines. */
bool join_align(const struct join *j, struct join_line *lines, size_t n, int64_t settled_ms,
		struct join_result *r);

#endif
