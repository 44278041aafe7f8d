/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/session.h"
#include "tests/unit/tap.h"

#define SID "0123456789abcdef0123456789abcdef"

static void collect(void *ctx, struct session *s)
{
	buf_printf(ctx, "%u ", s->ses);
}

static const char *all(struct session_table *t)
{
	static struct buf out;

	buf_free(&out);
	buf_init(&out, 1024);
	session_each(t, collect, &out);
	return buf_cstr(&out);
}

static void retire_one(void *ctx, struct session *s)
{
	if (s->ses % 2)
		session_retire(ctx, s);
	else
		session_remove(ctx, s);
}

static void test_table(void)
{
	struct session_table *t = session_table_new();
	struct session *a = session_add(t, 1, SID), *b = session_add(t, 4097, SID),
		       *c = session_add(t, 2, SID);

	tap_ok(session_find(t, 1) == a && session_find(t, 4097) == b, "two in one bucket");
	tap_ok(!session_find(t, 8193), "a third that is not there");
	tap_str(all(t), "1 4097 2 ", "all, oldest first");
	tap_ok(a->part == 1 && a->auid == UINT32_MAX && a->w.next_seq == 1, "a fresh one");
	tap_str(a->sid, SID, "its id");
	session_retire(t, a);
	session_retire(t, a);
	tap_str(all(t), "4097 2 ", "a retired one is passed over");
	tap_int((long long)session_count(t), 2, "and not counted");
	tap_ok(session_find(t, 1) == a, "but found");
	session_revive(t, a);
	session_revive(t, a);
	tap_str(all(t), "4097 2 1 ", "and comes back");
	b->past = true;
	tap_ok(!session_find(t, 4097), "one of an earlier boot is not found");
	session_remove(t, c);
	tap_ok(!session_find(t, 2), "removed");
	session_each(t, retire_one, t);
	tap_str(all(t), "", "the callback may retire and remove");
	session_table_free(t);
	session_table_free(NULL);
}

static void test_bounds(void)
{
	struct session_table *t = session_table_new();
	struct session *s;

	for (uint32_t n = 1; n <= SESSION_MAX; n++) {
		s = session_add(t, n, SID);
		s->phase = n == 7 || n == 9 ? SESSION_PENDING : SESSION_OPEN;
	}
	tap_ok(session_add(t, SESSION_MAX + 1, SID) != NULL && !session_find(t, 7) &&
		       session_find(t, 9),
	       "a full table: the oldest pending one makes room");
	session_find(t, SESSION_MAX + 1)->phase = SESSION_OPEN;
	session_find(t, 9)->phase = SESSION_ENDING;
	tap_ok(!session_add(t, SESSION_MAX + 2, SID), "no open one does");
	for (uint32_t n = 10; n < 10 + SESSION_MAX_RETIRED + 1; n++)
		session_retire(t, session_find(t, n));
	tap_ok(!session_find(t, 10) && session_find(t, 11), "of the retired the oldest goes");
	tap_ok(session_add(t, SESSION_MAX + 3, SID) != NULL, "and there is room again");
	session_table_free(t);
}

static void test_strings(void)
{
	char *field = NULL;

	session_set(&field, SLICE_LIT("a"));
	session_set(&field, SLICE_NONE);
	tap_str(field, "a", "absent text changes nothing");
	session_set(&field, SLICE_LIT("bc"));
	tap_str(field, "bc", "text replaces");
	session_set(&field, SLICE_LIT("b\xff"));
	tap_str(field, "b\\xff", "what is no UTF-8 is escaped");
	free(field);
	tap_str(session_end_cause(SLICE_LIT("logout")), "logout", "a cause");
	tap_str(session_end_cause(SLICE_LIT("x")), "unknown", "a cause nobody knows");
	tap_str(session_end_cause(SLICE_NONE), "unknown", "no cause");
}

int main(void)
{
	test_table();
	test_bounds();
	test_strings();
	return tap_done();
}
