/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <limits.h>

#include "agent/retry.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define HALF 0x80000000u
#define FULL UINT32_MAX

int main(void)
{
	static const struct {
		const char *name;
		struct retry_policy policy;
		unsigned failures; /* before this one */
		uint32_t random;
		int64_t pause;
	} cases[] = {
		{"first, least", {500, 60000}, 0, 0, 0},
		{"first, most", {500, 60000}, 0, FULL, 500},
		{"first, middle", {500, 60000}, 0, HALF, 250},
		{"second, least", {500, 60000}, 1, 0, 0},
		{"second, most", {500, 60000}, 1, FULL, 1000},
		{"second, middle", {500, 60000}, 1, HALF, 500},
		{"third, most", {500, 60000}, 2, FULL, 2000},
		{"seventh, most", {500, 60000}, 6, FULL, 32000},
		{"eighth is capped", {500, 60000}, 7, FULL, 60000},
		{"eighth, least", {500, 60000}, 7, 0, 0},
		{"a thousandth", {500, 60000}, 1000, FULL, 60000},
		{"failures at their end", {500, 60000}, UINT_MAX, FULL, 60000},
		{"an hour at most", {60000, 3600000}, 40, FULL, 3600000},
		{"max is min", {500, 500}, 3, HALF, 250},
	};
	struct retry r = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		r = (struct retry){.failures = cases[i].failures};
		retry_failed(&r, &cases[i].policy, 1000000, cases[i].random);
		tap_int(r.next_ms - 1000000, cases[i].pause, "pause: %s", cases[i].name);
		tap_int(r.failures,
			cases[i].failures == UINT_MAX ? UINT_MAX : cases[i].failures + 1LL,
			"count: %s", cases[i].name);
	}
	r = (struct retry){0};
	tap_ok(retry_due(&r, -5), "nothing failed: due at any time");
	retry_failed(&r, &cases[0].policy, 1000, FULL);
	tap_ok(!retry_due(&r, 1499), "not due before the end of the pause");
	tap_ok(retry_due(&r, 1500), "due at its end");
	return tap_done();
}
