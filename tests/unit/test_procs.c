/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/procs.h"
#include "tests/unit/tap.h"

static struct procs *procs;

static void put(int64_t pid, uint32_t ses, uint64_t seq)
{
	struct proc p = {.pid = pid, .ses = ses, .exec_seq = seq, .start_ms = (int64_t)seq * 10};

	procs_put(procs, &p);
}

static long long seq_of(int64_t pid)
{
	const struct proc *p = procs_find(procs, pid);

	return p ? (long long)p->exec_seq : -1;
}

static void test_find(void)
{
	procs = procs_new();
	tap_int(seq_of(10), -1, "nothing is known");
	put(10, 1, 3);
	put(10 + 65536, 1, 4); /* the same bucket */
	put(10 + 131072, 2, 5);
	tap_int(seq_of(10), 3, "found");
	tap_int(seq_of(10 + 65536), 4, "behind another");
	put(10, 2, 6);
	tap_int(seq_of(10), 6, "another program in the same process");
	tap_int((long long)procs_count(procs), 3, "is no other process");
	tap_ok(!procs_removed(procs, 10 + 65536), "it has not ended");
	procs_remove(procs, 10 + 65536);
	tap_int(seq_of(10 + 65536), -1, "it has");
	tap_ok(procs_removed(procs, 10 + 65536), "which is remembered");
	tap_int(seq_of(10 + 131072), 5, "the one behind it stays");
	procs_remove(procs, 77);
	tap_ok(procs_removed(procs, 77), "so is the end of one that was not known");
	procs_free(procs);
}

static void test_forget(void)
{
	procs = procs_new();
	for (int i = 1; i <= 100; i++)
		put(i, i % 2 ? 1 : 2, (uint64_t)i);
	procs_forget(procs, 1);
	tap_int((long long)procs_count(procs), 50, "one session's are forgotten");
	tap_ok(seq_of(1) == -1 && seq_of(99) == -1, "all of them");
	tap_ok(seq_of(2) == 2 && seq_of(100) == 100, "the other's are not");
	tap_ok(!procs_removed(procs, 1), "nothing is said of their end");
	procs_forget(procs, 2);
	tap_int((long long)procs_count(procs), 0, "nor the last");
	procs_free(procs);
}

static void test_full(void)
{
	procs = procs_new();
	for (int i = 1; i <= PROCS_MAX; i++)
		put(i, 1, (uint64_t)i);
	tap_int((long long)procs_count(procs), PROCS_MAX, "full");
	put(1, 1, 99); /* no longer the oldest; its old place is free then */
	tap_int((long long)procs_count(procs), PROCS_MAX * 3 / 4 + 1,
		"the first started make room");
	tap_int(seq_of(1), 99, "not one that started anew");
	tap_int(seq_of(2), -1, "the oldest");
	tap_int(seq_of(PROCS_MAX / 4), -1, "a quarter of them");
	tap_int(seq_of(PROCS_MAX / 4 + 2), PROCS_MAX / 4 + 2, "no more");
	tap_int(seq_of(PROCS_MAX), PROCS_MAX, "not the last");
	for (int i = 1; i <= PROCS_MAX; i++)
		procs_remove(procs, i);
	tap_int((long long)procs_count(procs), 0, "all have ended");
	tap_ok(procs_removed(procs, PROCS_MAX - 63), "64 ends are remembered");
	tap_ok(!procs_removed(procs, PROCS_MAX - 64), "no more");
	procs_free(procs);
	procs_free(NULL);
}

/* A few live long while many come and go. */
static void test_storm(void)
{
	unsigned wrong = 0;

	procs = procs_new();
	for (int i = 1; i <= 100; i++)
		put(i, 7, (uint64_t)i);
	for (int i = 1000; i < 301000; i++) {
		put(i, 1, (uint64_t)i);
		wrong += seq_of(i) != i || seq_of(i % 100 + 1) != i % 100 + 1;
		procs_remove(procs, i);
		wrong += seq_of(i) != -1;
	}
	tap_int(wrong, 0, "each is found while it lives");
	tap_int((long long)procs_count(procs), 100, "the long-lived stay");
	procs_forget(procs, 7);
	tap_int((long long)procs_count(procs), 0, "until they are forgotten");
	procs_free(procs);
}

int main(void)
{
	test_find();
	test_forget();
	test_full();
	test_storm();
	return tap_done();
}
