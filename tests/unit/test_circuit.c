/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/circuit.h"
#include "tests/unit/tap.h"

#define FULL UINT32_MAX

static const struct retry_policy policy = {500, 4000};

static void test_opens(void)
{
	struct circuit c = {.policy = policy};

	tap_ok(circuit_allows(&c, 0) && circuit_allows(&c, 0), "closed: any number may start");
	tap_ok(circuit_next(&c, 7) <= 7, "now");
	tap_ok(!circuit_failed(&c, 10, FULL) && !circuit_failed(&c, 20, FULL), "two failures");
	tap_ok(circuit_allows(&c, 20), "do not open it");
	tap_ok(!circuit_worked(&c), "a success");
	tap_ok(!circuit_failed(&c, 30, FULL) && !circuit_failed(&c, 40, FULL),
	       "breaks the row: two more do not either");
	tap_ok(circuit_failed(&c, 50, FULL), "the third in a row opens it");
	tap_int(c.since_ms, 30, "since the first");
	tap_ok(!circuit_allows(&c, 549), "nothing starts during the pause");
	tap_int(circuit_next(&c, 60), 550, "which ends");
}

static void test_tries(void)
{
	struct circuit c = {.policy = policy};
	int64_t now = 0, pauses[] = {1000, 2000, 4000, 4000};

	for (int i = 0; i < 3; i++)
		circuit_failed(&c, now, FULL);
	now += 500;
	tap_ok(circuit_allows(&c, now), "one tries");
	tap_ok(!circuit_allows(&c, now + 100000), "only one");
	tap_int(circuit_next(&c, now), INT64_MAX, "until it ends");
	for (int i = 0; i < 4; i++) {
		tap_ok(!circuit_failed(&c, now, FULL), "it fails: the circuit was open already");
		tap_int(circuit_next(&c, now) - now, pauses[i], "the next pause is longer");
		now = circuit_next(&c, now);
		tap_ok(circuit_allows(&c, now), "then one tries");
	}
	circuit_not_tried(&c);
	tap_ok(circuit_allows(&c, now), "one that did not get to the store: another one tries");
	tap_ok(circuit_worked(&c), "it works: the circuit closes");
	tap_ok(circuit_allows(&c, now) && circuit_allows(&c, now), "and all may start");
	tap_ok(!circuit_failed(&c, now, FULL) && !circuit_failed(&c, now, FULL) &&
		       circuit_failed(&c, now, FULL),
	       "three failures open it again");
	tap_int(circuit_next(&c, now) - now, 500, "with the first pause");
}

int main(void)
{
	test_opens();
	test_tries();
	return tap_done();
}
