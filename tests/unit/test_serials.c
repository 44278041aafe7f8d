/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/serials.h"
#include "tests/unit/tap.h"

#define T 1000000 /* event time of serial 0; a millisecond each */
#define LATE (SERIALS_WAIT_MS + 100)

static struct serials *fresh(void)
{
	struct serials *s = serials_new();

	if (!s)
		abort();
	return s;
}

/* Numbers from..to at one moment of the age clock. */
static void note(struct serials *s, uint64_t from, uint64_t to, int64_t now_ms)
{
	for (uint64_t n = from; n <= to; n++)
		serials_note(s, n, T + (int64_t)(n & 0xffff), now_ms);
}

static long long missing(struct serials *s, int64_t now_ms)
{
	int64_t a, b;

	return (long long)serials_missing(s, SERIALS_WAIT_MS, now_ms, &a, &b);
}

static void test_cases(void)
{
	static const struct {
		const char *name;
		uint64_t in[12]; /* serials one after the other, 0 ends */
		long long want;
	} cases[] = {
		{"none", {0}, 0},
		{"one", {7}, 0},
		{"in order", {1, 2, 3, 4}, 0},
		{"records of one event", {1, 1, 1, 2, 2, 3}, 0},
		{"interleaved", {1, 2, 1, 2, 3, 1}, 0},
		{"two that changed places", {1, 3, 2, 4}, 0},
		{"one missing", {1, 3, 4}, 1},
		{"three missing in two holes", {1, 3, 6, 7}, 3},
		{"the first ones may be late, nobody waits for them", {5, 3, 4, 6}, 0},
		{"around 2^32, where there is no 0", {4294967294, 4294967295, 1, 2}, 0},
		{"a hole around 2^32", {4294967294, 2, 3}, 2},
		{"an old one once more", {10, 11, 12, 9, 2, 13}, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct serials *s = fresh();

		for (size_t j = 0; j < 12 && (cases[i].in[j] || j == 0); j++)
			if (cases[i].in[j])
				note(s, cases[i].in[j], cases[i].in[j], 0);
		tap_int(missing(s, 10), 0, "%s: nothing at once", cases[i].name);
		tap_int(missing(s, LATE), cases[i].want, "%s", cases[i].name);
		tap_int(missing(s, 2 * LATE), 0, "%s: told once", cases[i].name);
		serials_free(s);
	}
}

/* Each number has its own time to wait: from when a later one came. */
static void test_wait(void)
{
	struct serials *s = fresh();
	int64_t a = 0, b = 0;

	note(s, 100, 100, 0);
	note(s, 102, 102, 1000);
	note(s, 104, 104, 2500);
	tap_int(missing(s, 3900), 0, "101: not long enough");
	tap_int(missing(s, 4200), 1, "101 is missing 3 s after 102 came");
	note(s, 103, 103, 4300);
	tap_int(missing(s, 9000), 0, "103 came in time");
	note(s, 106, 106, 9100);
	tap_int((long long)serials_missing(s, 200, 9350, &a, &b), 1, "less time to wait");
	tap_ok(a <= T + 105 && b >= T + 105, "the interval is around it: %lld %lld", (long long)a,
	       (long long)b);
	tap_ok(a >= T + 100 && b <= T + 106, "and not wider than the events");
	note(s, 105, 105, 9400);
	tap_int(missing(s, 20000), 0, "what comes after all changes nothing");
	serials_free(s);
}

static void test_bounds(void)
{
	struct serials *s = fresh();
	int64_t a, b;

	note(s, 1, 10, 0);
	note(s, 12, SERIALS_WINDOW + 20, 0);
	tap_int((long long)serials_missing(s, SERIALS_WAIT_MS, 0, &a, &b), 1,
		"more than the window: the oldest are settled at once");
	tap_int(missing(s, LATE), 0, "and the others are whole");
	note(s, SERIALS_WINDOW + 21 + 1000000, SERIALS_WINDOW + 21 + 1000000, LATE);
	tap_int(missing(s, 2 * LATE), 1000000, "a hole larger than the window, counted");
	for (int64_t now = 3 * LATE, n = 2000000; n < 2400000; n += 1000, now += 10)
		for (int64_t i = 0; i < 1000; i++)
			serials_note(s, (uint64_t)(n + i), T, now);
	tap_int(missing(s, 10 * LATE), 2000000 - (SERIALS_WINDOW + 22 + 1000000),
		"400,000 in four seconds, none of them missing");
	serials_free(s);

	s = fresh();
	note(s, 1, 10, 0);
	note(s, 3000000000U, 3000000000U, 0); /* as far back as ahead: taken for an old one */
	note(s, 11, 20, 0);
	tap_int(missing(s, LATE), 0, "an old number disturbs nothing");
	note(s, 2000000000, 2000000000, LATE);
	note(s, 21, 200, LATE);
	missing(s, 2 * LATE);
	note(s, 201, 201, 2 * LATE);
	note(s, 203, 203, 2 * LATE);
	tap_int(missing(s, 3 * LATE), 1, "after a wrong number far ahead it finds back");
	serials_free(s);
}

int main(void)
{
	test_cases();
	test_wait();
	test_bounds();
	return tap_done();
}
