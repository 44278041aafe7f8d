/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Time, in milliseconds. All code asks here, so that tests can set and advance
 * it. Real time is UTC since the epoch; monotonic time never steps.
 */
#ifndef SA_CLOCK_H
#define SA_CLOCK_H

#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"

#define CLOCK_TEXT_SIZE 40

struct timespec;

int64_t clock_real_ms(void);
int64_t clock_mono_ms(void);

/* Rounded down: of a file, say. */
int64_t clock_ms(const struct timespec *ts);
/* Tests: from here on both clocks stand still at these values. */
void clock_fake(int64_t real_ms, int64_t mono_ms);
/* Tests: moves both faked clocks. */
void clock_fake_advance(int64_t ms);

/* "2026-11-21T01:00:00.123Z" (RFC 3339, UTC, always milliseconds) for years 1970-9999;
 * values outside are clamped. */
void clock_format_utc(int64_t real_ms, char out[CLOCK_TEXT_SIZE]);
/* "2026-11-21 02:00:00.123 +0100" in the TZ of the process. */
void clock_format_local(int64_t real_ms, char out[CLOCK_TEXT_SIZE]);
/* RFC 3339 with Z or a numeric offset and any number of fraction digits (ms are kept).
 * SA_ERR_INVALID for anything else, impossible dates included. */
int clock_parse_utc(struct slice text, int64_t *real_ms);

#endif
