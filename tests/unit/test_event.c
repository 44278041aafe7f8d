/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/event.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

/* What was given on, as "serial:type,type;" with a '!' for a truncated one. */
static struct buf given;

static void give(void *ctx, const struct event *ev)
{
	(void)ctx;
	buf_printf(&given, "%llu:", (unsigned long long)ev->serial);
	for (size_t i = 0; i < ev->n; i++)
		buf_printf(&given, "%s%u", i ? "," : "", ev->records[i].type);
	buf_puts(&given, ev->truncated ? "!;" : ";");
}

static void add_body(struct event_table *t, uint64_t serial, unsigned type, struct slice body,
		     int64_t now_ms)
{
	struct record r = {.type = type, .time_ms = 1000, .serial = serial, .body = body};

	event_add(t, &r, now_ms);
}

static void add(struct event_table *t, uint64_t serial, unsigned type, int64_t now_ms)
{
	add_body(t, serial, type, SLICE_LIT("a=b"), now_ms);
}

static struct event_table *fresh(void)
{
	buf_clear(&given);
	return event_table_new(give, NULL);
}

/* step: "serial type ..."; "x" expires at the given time, "f" flushes. */
static void test_order(void)
{
	static const struct {
		const char *name;
		struct {
			uint64_t serial;
			unsigned type;
		} in[10];
		const char *at_once, *flushed;
	} cases[] = {
		{"a system call ends with its PROCTITLE",
		 {{1, 1300}, {1, 1309}, {1, 1307}, {1, 1302}, {1, 1327}, {1, 1320}},
		 "1:1300,1309,1307,1302,1327;",
		 ""},
		{"without PROCTITLE with its EOE",
		 {{1, 1300}, {1, 1309}, {1, 1320}},
		 "1:1300,1309;",
		 ""},
		{"without both at the end", {{1, 1300}, {1, 1309}}, "", "1:1300,1309;"},
		{"two that interleave",
		 {{1, 1300},
		  {2, 1300},
		  {1, 1309},
		  {2, 1309},
		  {2, 1327},
		  {1, 1327},
		  {1, 1320},
		  {2, 1320}},
		 "2:1300,1309,1327;1:1300,1309,1327;",
		 ""},
		{"user messages stand alone",
		 {{1, 1300}, {2, 1121}, {3, 1105}, {1, 1327}},
		 "2:1121;3:1105;1:1300,1327;",
		 ""},
		{"LOGIN in its system call's event",
		 {{1, 1006}, {1, 1300}, {1, 1327}},
		 "1:1006;1:1300,1327;",
		 ""},
		{"TTY before and within its system call",
		 {{1, 1319}, {1, 1300}, {1, 1319}, {1, 1327}},
		 "1:1319;1:1319;1:1300,1327;",
		 ""},
		{"CONFIG_CHANGE stands alone", {{1, 1305}}, "1:1305;", ""},
		{"EOE of an event nobody knows", {{1, 1320}}, "", ""},
		{"PROCTITLE without a SYSCALL waits",
		 {{1, 1327}, {2, 1300}, {2, 1327}},
		 "2:1300,1327;",
		 "1:1327;"},
		{"oldest first", {{3, 1300}, {1, 1300}, {2, 1300}}, "", "3:1300;1:1300;2:1300;"},
		{"serials that share a bucket",
		 {{1, 1300}, {1025, 1300}, {2049, 1300}, {1025, 1327}, {1, 1327}},
		 "1025:1300,1327;1:1300,1327;",
		 "2049:1300;"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event_table *t = fresh();

		for (size_t k = 0; k < ARRAY_LEN(cases[i].in) && cases[i].in[k].type; k++)
			add(t, cases[i].in[k].serial, cases[i].in[k].type, 0);
		tap_str(buf_cstr(&given), cases[i].at_once, "%s", cases[i].name);
		buf_clear(&given);
		event_flush(t);
		tap_str(buf_cstr(&given), cases[i].flushed, "%s: flushed", cases[i].name);
		event_table_free(t);
	}
}

static void test_same_serial(void)
{
	struct event_table *t = fresh();
	struct record r = {
		.type = RECORD_SYSCALL, .time_ms = 1, .serial = 7, .body = SLICE_LIT("a")};

	event_add(t, &r, 0);
	r.time_ms = 2;
	event_add(t, &r, 0);
	r.type = RECORD_PROCTITLE;
	event_add(t, &r, 0);
	tap_str(buf_cstr(&given), "7:1300,1327;",
		"the same serial at another time is another event");
	event_flush(t);
	tap_str(buf_cstr(&given), "7:1300,1327;7:1300;", "and the first is still there");
	event_table_free(t);
}

static void test_expire(void)
{
	struct event_table *t = fresh();

	add(t, 1, RECORD_SYSCALL, 1000);
	add(t, 2, RECORD_SYSCALL, 2000);
	event_expire(t, 1000 + EVENT_TIMEOUT_MS - 1);
	tap_str(buf_cstr(&given), "", "not yet");
	event_expire(t, 1000 + EVENT_TIMEOUT_MS);
	tap_str(buf_cstr(&given), "1:1300;", "what is old enough is given on");
	event_expire(t, 2000 + EVENT_TIMEOUT_MS);
	tap_str(buf_cstr(&given), "1:1300;2:1300;", "and then the other");
	tap_int((long long)event_stats(t)->timeouts, 2, "both are counted");
	event_table_free(t);
}

static void keep_bodies(void *ctx, const struct event *ev)
{
	struct buf *out = ctx;

	for (size_t i = 0; i < ev->n; i++) {
		buf_put(out, ev->records[i].body);
		buf_puts(out, ev->records[i].enriched.ptr ? "<" : "");
		buf_put(out, ev->records[i].enriched);
		buf_putc(out, '|');
	}
}

/* A second event gets the memory of the first. */
static void test_bytes(void)
{
	_cleanup_buf_ struct buf got = {0};
	struct event_table *t;
	struct record r = {.type = RECORD_SYSCALL, .serial = 1};
	char text[] = "first";

	buf_init(&got, 1024);
	t = event_table_new(keep_bodies, &got);
	r.body = (struct slice){text, 5};
	r.enriched = SLICE_LIT("TAIL");
	event_add(t, &r, 0);
	memcpy(text, "XXXXX", 5);
	r = (struct record){.type = RECORD_PROCTITLE, .serial = 1, .body = SLICE_LIT("")};
	event_add(t, &r, 0);
	r = (struct record){.type = RECORD_SYSCALL, .serial = 2, .body = SLICE_LIT("second")};
	event_add(t, &r, 0);
	r = (struct record){.type = RECORD_EOE, .serial = 2};
	event_add(t, &r, 0);
	tap_str(buf_cstr(&got), "first<TAIL||second|", "bodies and tails are copied");
	event_table_free(t);
}

static void test_too_many_records(void)
{
	struct event_table *t = fresh();

	add(t, 1, RECORD_SYSCALL, 0);
	for (int i = 0; i < EVENT_MAX_RECORDS + 5; i++)
		add(t, 1, RECORD_PATH, 0);
	buf_clear(&given);
	add(t, 1, RECORD_PROCTITLE, 0);
	tap_ok(given.len > 7 && memcmp(given.data + given.len - 7, ",1302!;", 7) == 0,
	       "an event of too many records is given on, marked");
	tap_int((long long)event_stats(t)->truncated, 1, "and counted");
	event_table_free(t);
}

struct sizes {
	size_t bytes, events;
	bool truncated;
};

static void add_sizes(void *ctx, const struct event *ev)
{
	struct sizes *s = ctx;

	s->events++;
	s->truncated |= ev->truncated;
	for (size_t i = 0; i < ev->n; i++)
		s->bytes += ev->records[i].body.len;
}

static void test_too_many_bytes(void)
{
	_cleanup_free_ char *big = malloc(RECORD_MAX_BYTES);
	struct slice body = {big, RECORD_MAX_BYTES};
	struct sizes got = {0};
	struct event_table *t = event_table_new(add_sizes, &got);

	memset(big, 'x', RECORD_MAX_BYTES);
	for (int i = 0; i < EVENT_MAX_BYTES / RECORD_MAX_BYTES + 3; i++)
		add_body(t, 1, RECORD_EXECVE, body, 0);
	add_body(t, 1, RECORD_EOE, SLICE_LIT(""), 0);
	tap_int((long long)got.bytes, EVENT_MAX_BYTES, "no more than EVENT_MAX_BYTES of one event");
	tap_ok(got.truncated, "and it is marked");
	got = (struct sizes){0};
	for (uint64_t s = 1; s <= EVENT_TABLE_BYTES / RECORD_MAX_BYTES + 3; s++)
		add_body(t, s, RECORD_EXECVE, body, 0);
	event_flush(t);
	tap_int((long long)got.bytes, EVENT_TABLE_BYTES, "no more than EVENT_TABLE_BYTES of all");
	got = (struct sizes){0};
	add_body(t, 1, RECORD_EXECVE, body, 0);
	event_flush(t);
	tap_int((long long)got.bytes, RECORD_MAX_BYTES, "and afterwards there is room again");
	event_table_free(t);
}

static void test_too_many_open(void)
{
	struct sizes got = {0};
	struct event_table *t = event_table_new(add_sizes, &got);

	for (uint64_t s = 1; s <= EVENT_MAX_OPEN; s++)
		add(t, s, RECORD_SYSCALL, 0);
	tap_int((long long)got.events, 0, "EVENT_MAX_OPEN events are held");
	add(t, 0, RECORD_SYSCALL, 0);
	tap_int((long long)got.events, 1, "for one more the oldest is given on");
	tap_ok(got.truncated, "marked");
	tap_int((long long)event_stats(t)->evicted, 1, "counted");
	event_table_free(t);
}

static void test_find(void)
{
	static const struct event_record records[] = {
		{RECORD_SYSCALL, SLICE_LIT("1"), SLICE_NONE},
		{RECORD_PATH, SLICE_LIT("2"), SLICE_NONE},
		{RECORD_PATH, SLICE_LIT("3"), SLICE_NONE},
	};
	struct event ev = {.records = records, .n = 3};

	tap_ok(event_find(&ev, RECORD_PATH) == &records[1], "the first of a type");
	tap_ok(!event_find(&ev, RECORD_CWD), "none of a type");
}

int main(void)
{
	buf_init(&given, 1 << 20);
	test_order();
	test_same_serial();
	test_expire();
	test_bytes();
	test_too_many_records();
	test_too_many_bytes();
	test_too_many_open();
	test_find();
	buf_free(&given);
	return tap_done();
}
