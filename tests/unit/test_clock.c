/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/tap.h"

static const struct {
	int64_t ms;
	const char *text;
} formats[] = {
	{0, "1970-01-01T00:00:00.000Z"},
	{-1, "1970-01-01T00:00:00.000Z"},
	{INT64_MIN, "1970-01-01T00:00:00.000Z"},
	{1, "1970-01-01T00:00:00.001Z"},
	{951782399999, "2000-02-28T23:59:59.999Z"},
	{951782400000, "2000-02-29T00:00:00.000Z"},
	{1795222800123, "2026-11-21T01:00:00.123Z"},
	{4107542400000, "2100-03-01T00:00:00.000Z"},
	{253402300799999, "9999-12-31T23:59:59.999Z"},
	{253402300800000, "9999-12-31T23:59:59.999Z"},
	{INT64_MAX, "9999-12-31T23:59:59.999Z"},
};

static void test_format(void)
{
	char text[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		clock_format_utc(formats[i].ms, text);
		tap_str(text, formats[i].text, "format %" PRId64, formats[i].ms);
	}
	setenv("TZ", "XYZ-1", 1);
	clock_format_local(1795222800123, text);
	tap_str(text, "2026-11-21 02:00:00.123 +0100", "local, east");
	setenv("TZ", "XYZ3:30", 1);
	clock_format_local(1795222800123, text);
	tap_str(text, "2026-11-20 21:30:00.123 -0330", "local, west, after a change of TZ");
}

static const struct {
	const char *text;
	int64_t ms;
} good[] = {
	{"2026-11-21T01:00:00Z", 1795222800000},
	{"2026-11-21T01:00:00.123Z", 1795222800123},
	{"2026-11-21T01:00:00.1239999999999999999999Z", 1795222800123},
	{"2026-11-21T01:00:00.5Z", 1795222800500},
	{"2026-11-21T02:00:00+01:00", 1795222800000},
	{"2026-11-20T21:30:00.007-03:30", 1795222800007},
	{"2026-11-21T01:00:00-00:00", 1795222800000},
	{"2000-02-29T00:00:00Z", 951782400000},
	{"2024-02-29T12:00:00Z", 1709208000000},
	{"1970-01-01T00:00:00Z", 0},
	{"1969-12-31T23:59:59.999Z", -1},
	{"0000-01-01T00:00:00Z", -62167219200000},
	{"9999-12-31T23:59:59.999Z", 253402300799999},
};

static const char *const bad[] = {
	"",
	"2026-11-21",
	"2026-11-21T01:00Z",
	"2026-11-21T01:00:00",
	"2026-11-21T01:00:00Z ",
	" 2026-11-21T01:00:00Z",
	"2026-11-21 01:00:00Z",
	"2026-11-21t01:00:00Z",
	"2026-11-21T01:00:00z",
	"2026-11-21T01:00:00.Z",
	"2026-11-21T01:00:00,5Z",
	"2026-11-21T01:00:00.5",
	"2026-11-21T01:00:00+0100",
	"2026-11-21T01:00:00+01",
	"2026-11-21T01:00:00+24:00",
	"2026-11-21T01:00:00+01:60",
	"2026-13-21T01:00:00Z",
	"2026-00-21T01:00:00Z",
	"2026-11-00T01:00:00Z",
	"2026-11-31T01:00:00Z",
	"2026-02-29T01:00:00Z",
	"2100-02-29T01:00:00Z",
	"2026-11-21T24:00:00Z",
	"2026-11-21T23:60:00Z",
	"2026-11-21T23:59:60Z",
	"+026-11-21T01:00:00Z",
	"2026-1-021T01:00:00Z",
	"12026-11-21T01:00:00Z",
	"2026-11-21T-1:00:00Z",
	"2026-11-21T01:00:00ZZ",
};

static void test_parse(void)
{
	int64_t ms;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ms = 4711;
		tap_int(clock_parse_utc(slice_of(good[i].text), &ms), 0, "parse %s", good[i].text);
		tap_int(ms, good[i].ms, "value of %s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ms = 4711;
		tap_int(clock_parse_utc(slice_of(bad[i]), &ms), SA_ERR_INVALID, "refuse '%s'",
			bad[i]);
		tap_int(ms, 4711, "untouched by '%s'", bad[i]);
	}
	tap_int(clock_parse_utc(SLICE_NONE, &ms), SA_ERR_INVALID, "refuse nothing");
	tap_int(clock_parse_utc(SLICE_LIT("2026-11-21T01:00:00\0Z"), &ms), SA_ERR_INVALID,
		"refuse a NUL");
}

/* A day of every month of every year, there and back. */
static void test_days(void)
{
	char text[CLOCK_TEXT_SIZE];
	unsigned wrong = 0;
	int64_t back;

	for (int64_t ms = 0; ms < INT64_C(253402300800000); ms += INT64_C(86400000) * 27) {
		clock_format_utc(ms, text);
		wrong += clock_parse_utc(slice_of(text), &back) != 0 || back != ms;
	}
	tap_int(wrong, 0, "parse undoes format");
}

static void test_now(void)
{
	int64_t before = (int64_t)time(NULL) * 1000, real = clock_real_ms(), mono = clock_mono_ms();

	tap_ok(real >= before && real <= before + 60000, "real time is now");
	tap_ok(clock_mono_ms() >= mono && mono > 0, "monotonic time goes on");
	clock_fake(1000, 50);
	clock_fake_advance(25);
	tap_int(clock_real_ms(), 1025, "faked real time");
	tap_int(clock_mono_ms(), 75, "faked monotonic time");
}

int main(void)
{
	test_format();
	test_parse();
	test_days();
	test_now();
	return tap_done();
}
