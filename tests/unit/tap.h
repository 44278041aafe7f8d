/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Checks that print TAP (testanything.org): one "ok" or "not ok" line each, with what was got and
 * what was wanted below a failure. The plan comes last, from tap_done.
 */
#ifndef SA_TAP_H
#define SA_TAP_H

#include <stdbool.h>

#include "common/slice.h"

/* Each returns whether it passed. fmt names the case. */
bool tap_ok(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool tap_int(long long got, long long want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Two NULLs are equal. */
bool tap_str(const char *got, const char *want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Absent equals absent only. */
bool tap_bytes(struct slice got, struct slice want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Counts as passed; says why it could not run. */
void tap_skip(const char *why, const char *name);
/* Prints the plan; the exit status: 0 when at least one check ran and all passed. */
int tap_done(void);

#endif
