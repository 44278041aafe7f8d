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
	r = (struct record){.type = RECORD_PROCTITLE, .serial = 2};
	event_add(t, &r, 0);
	tap_str(buf_cstr(&got), "first<TAIL||second||", "bodies and tails are copied");
	event_table_free(t);
}

static void test_too_many_records(void)
{
	struct event_table *t = fresh();

	add(t, 1, RECORD_SYSCALL, 0);
	for (int i = 0; i < EVENT_MAX_RECORDS + 5; i++)
		add_body(t, 1, RECORD_PATH, i % 2 ? SLICE_LIT("item=1") : SLICE_LIT("item=2"), 0);
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
	for (int i = 0; i < EVENT_MAX_BYTES / RECORD_MAX_BYTES + 3; i++) {
		big[0] = (char)i; /* else it is the same record again */
		add_body(t, 1, RECORD_EXECVE, body, 0);
	}
	event_flush(t);
	tap_int((long long)got.bytes, EVENT_MAX_BYTES, "no more than EVENT_MAX_BYTES of one event");
	tap_ok(got.truncated, "and it is marked");
	got = (struct sizes){0};
	for (uint64_t s = 2; s <= EVENT_TABLE_BYTES / RECORD_MAX_BYTES + 4; s++)
		add_body(t, s, RECORD_EXECVE, body, 0);
	event_flush(t);
	tap_int((long long)got.bytes, EVENT_TABLE_BYTES, "no more than EVENT_TABLE_BYTES of all");
	got = (struct sizes){0};
	add_body(t, 100001, RECORD_EXECVE, body, 0);
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

#define CALL "arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=1"
#define S RECORD_SYSCALL, CALL
#define X RECORD_EXECVE, "argc=2 a0=\"ls\""
#define X1 RECORD_EXECVE, "a1[0]=6162"
#define X2 RECORD_EXECVE, "a1[1]=6364"
#define C RECORD_CWD, "cwd=\"/\""
#define P0 RECORD_PATH, "item=0"
#define P1 RECORD_PATH, "item=1"
#define T RECORD_PROCTITLE, "proctitle=\"ls\""
#define E RECORD_EOE, ""

/* One event's records in any order: what is given on at once, what when time has passed. */
static void test_any_order(void)
{
	static const struct {
		const char *name;
		struct {
			unsigned type;
			const char *body;
		} in[10];
		const char *at_once, *later;
		unsigned long long timeouts, late;
	} cases[] = {
		{"in the kernel's order",
		 {{S}, {X}, {C}, {P0}, {P1}, {T}, {E}},
		 "1:1300,1309,1307,1302,1302,1327;",
		 "",
		 0,
		 0},
		{"as auditd writes it",
		 {{S}, {X}, {C}, {P0}, {P1}, {T}},
		 "1:1300,1309,1307,1302,1302,1327;",
		 "",
		 0,
		 0},
		{"reversed",
		 {{E}, {T}, {P1}, {P0}, {C}, {X}, {S}},
		 "",
		 "1:1300,1309,1307,1302,1302,1327;",
		 0,
		 0},
		{"the last record comes after EOE",
		 {{S}, {X}, {C}, {P0}, {E}, {P1}, {T}},
		 "",
		 "1:1300,1309,1307,1302,1302,1327;",
		 0,
		 0},
		{"PROCTITLE comes after EOE, and is not missed",
		 {{S}, {X}, {C}, {P0}, {P1}, {E}, {T}},
		 "1:1300,1309,1307,1302,1302;",
		 "",
		 0,
		 0},
		{"a PATH comes after PROCTITLE",
		 {{S}, {X}, {C}, {P0}, {T}, {P1}, {E}},
		 "",
		 "1:1300,1309,1307,1302,1302,1327;",
		 0,
		 0},
		{"EXECVE comes after PROCTITLE",
		 {{S}, {C}, {P0}, {P1}, {T}, {X}, {E}},
		 "",
		 "1:1300,1309,1307,1302,1302,1327;",
		 0,
		 0},
		{"SYSCALL comes after PATH",
		 {{P0}, {S}, {X}, {C}, {P1}, {T}, {E}},
		 "",
		 "1:1300,1309,1307,1302,1302,1327;",
		 0,
		 0},
		{"a PATH is missing, the end is there",
		 {{S}, {X}, {C}, {P0}, {T}, {E}},
		 "1:1300,1309,1307,1302,1327;",
		 "",
		 0,
		 0},
		{"a PATH is missing, as auditd writes it",
		 {{S}, {X}, {C}, {P0}, {T}},
		 "",
		 "1:1300,1309,1307,1302,1327;",
		 0,
		 0},
		{"SYSCALL is missing",
		 {{X}, {C}, {P0}, {P1}, {T}, {E}},
		 "",
		 "1:1309,1307,1302,1302,1327;",
		 1,
		 0},
		{"the end is missing",
		 {{S}, {X}, {C}, {P0}, {P1}},
		 "",
		 "1:1300,1309,1307,1302,1302;",
		 1,
		 0},
		{"each record twice",
		 {{S}, {S}, {X}, {X}, {P0}, {P0}, {P1}, {P1}, {T}, {T}},
		 "1:1300,1309,1302,1302,1327;",
		 "",
		 0,
		 0},
		{"a record comes when it is over",
		 {{S}, {X}, {P0}, {P1}, {T}, {RECORD_SOCKADDR, "saddr=02"}, {E}},
		 "1:1300,1309,1302,1302,1327;",
		 "",
		 0,
		 1},
		{"the parts of an argument list",
		 {{S}, {X}, {X1}, {X2}, {P0}, {P1}, {T}},
		 "1:1300,1309,1309,1309,1302,1302,1327;",
		 "",
		 0,
		 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event_table *t = fresh();
		struct event_stats before;

		/* the stream is one with these records */
		add(t, 9, RECORD_SYSCALL, 0);
		add(t, 9, RECORD_EXECVE, 0);
		add(t, 9, RECORD_PATH, 0);
		add(t, 9, RECORD_PROCTITLE, 0);
		before = *event_stats(t);
		buf_clear(&given);
		for (size_t k = 0; k < ARRAY_LEN(cases[i].in) && cases[i].in[k].type; k++)
			add_body(t, 1, cases[i].in[k].type, slice_of(cases[i].in[k].body), 0);
		tap_str(buf_cstr(&given), cases[i].at_once, "%s: at once", cases[i].name);
		buf_clear(&given);
		event_expire(t, EVENT_TIMEOUT_MS);
		tap_str(buf_cstr(&given), cases[i].later, "%s: later", cases[i].name);
		tap_int((long long)(event_stats(t)->timeouts - before.timeouts),
			(long long)cases[i].timeouts, "%s: incomplete", cases[i].name);
		tap_int((long long)event_stats(t)->late, (long long)cases[i].late, "%s: late",
			cases[i].name);
		event_table_free(t);
	}
}

/* The pieces of arguments go into their order, too. */
static void test_order_of_arguments(void)
{
	static const char *const in[] = {"a10=\"k\"", "a2_len=9 a2[0]=41",
					 "argc=11 a0=\"x\" a1=\"y\"", "a2[10]=43", "a2[2]=42"};
	_cleanup_buf_ struct buf got = {0};
	struct event_table *t;

	buf_init(&got, 1024);
	t = event_table_new(keep_bodies, &got);
	add_body(t, 1, RECORD_PATH, SLICE_LIT("item=0"), 0);
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		add_body(t, 1, RECORD_EXECVE, slice_of(in[i]), 0);
	add_body(t, 1, RECORD_SYSCALL, SLICE_LIT(CALL), 0);
	event_expire(t, EVENT_TIMEOUT_MS);
	tap_str(buf_cstr(&got),
		CALL
		"|argc=11 a0=\"x\" a1=\"y\"|a2_len=9 a2[0]=41|a2[2]=42|a2[10]=43|a10=\"k\"|item=0|",
		"the kernel's order");
	event_table_free(t);
}

/* Without PROCTITLE (an old kernel, an exclude rule) EOE is the end; without PATH none is due. */
static void test_excluded_types(void)
{
	struct event_table *t = fresh();

	add_body(t, 1, RECORD_SYSCALL, SLICE_LIT(CALL), 0);
	add_body(t, 1, RECORD_EXECVE, SLICE_LIT("argc=1 a0=\"ls\""), 0);
	add(t, 1, RECORD_EOE, 0);
	tap_str(buf_cstr(&given), "1:1300,1309;", "EOE ends an event where PROCTITLE is excluded");
	event_table_free(t);
	t = fresh();
	add_body(t, 1, RECORD_SYSCALL, SLICE_LIT(CALL), 0);
	add_body(t, 1, RECORD_EXECVE, SLICE_LIT("argc=1 a0=\"ls\""), 0);
	add(t, 1, RECORD_PROCTITLE, 0);
	tap_str(buf_cstr(&given), "1:1300,1309,1327;", "and PROCTITLE where PATH is excluded");
	event_table_free(t);
	t = fresh();
	add(t, 1, 1326, 0);
	event_expire(t, EVENT_TIMEOUT_MS);
	tap_str(buf_cstr(&given), "1:1326;", "SECCOMP alone is an event");
	tap_int((long long)event_stats(t)->timeouts, 0, "that lacks nothing");
	event_table_free(t);
}

struct tally {
	size_t events, records;
	uint64_t last;
	bool ordered;
};

static void tally(void *ctx, const struct event *ev)
{
	struct tally *got = ctx;

	got->events++;
	got->records += ev->n;
	got->ordered &= ev->serial > got->last && ev->records[0].type == RECORD_SYSCALL;
	got->last = ev->serial;
}

/* A thousand events, one record of each in turn. */
static void test_interleaved(void)
{
	static const struct {
		unsigned type;
		const char *body;
	} parts[] = {{S}, {X}, {C}, {P0}, {P1}, {T}, {E}};
	struct tally got = {.ordered = true};
	struct event_table *t = event_table_new(tally, &got);

	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		for (uint64_t s = 1; s <= 1000; s++)
			add_body(t, s, parts[k].type, slice_of(parts[k].body), 0);
	tap_int((long long)got.events, 1000, "a thousand events that interleave");
	tap_int((long long)got.records, 6000, "with all their records");
	tap_ok(got.ordered, "in the order of their ends");
	tap_int((long long)event_stats(t)->late, 0, "EOE is not late");
	event_table_free(t);
}

/* Serials are 32 bits in the kernel, 64 here, and start again; the wall clock may step. */
static void test_wrap_and_steps(void)
{
	static const struct {
		uint64_t serial;
		int64_t time_ms;
	} events[] = {{UINT32_MAX, 5000}, {0, 5001},          {1, 5002},
		      {1, 3000},          {UINT64_MAX, 9000}, {1, 1000000}};
	struct event_table *t = fresh();

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < ARRAY_LEN(events); i++) {
			struct record r = {
				.type = pass ? RECORD_PROCTITLE : RECORD_SYSCALL,
				.time_ms = events[i].time_ms,
				.serial = events[i].serial,
				.body = SLICE_LIT("a=b"),
			};

			event_add(t, &r, 0);
		}
	}
	tap_str(buf_cstr(&given),
		"4294967295:1300,1327;0:1300,1327;1:1300,1327;1:1300,1327;"
		"18446744073709551615:1300,1327;1:1300,1327;",
		"serials that wrap, and the same one at several times");
	tap_int((long long)event_stats(t)->late, 0, "none is taken for another");
	event_table_free(t);
}

/* 10,000 arguments, and the longest that a system with an unlimited stack takes. */
static void test_many_arguments(void)
{
	struct sizes got = {0};
	struct event_table *t = event_table_new(add_sizes, &got);
	_cleanup_buf_ struct buf body = {0};
	size_t records = 0;

	buf_init(&body, RECORD_MAX_BYTES);
	add_body(t, 1, RECORD_SYSCALL, SLICE_LIT(CALL), 0);
	for (size_t sent = 0; sent < 12 * 1024 * 1024; sent += 7400, records++) {
		buf_clear(&body);
		buf_printf(&body, "a1[%zu]=%07399d", records, 0);
		add_body(t, 1, RECORD_EXECVE, buf_slice(&body), 0);
	}
	add_body(t, 1, RECORD_PATH, SLICE_LIT("item=0"), 0);
	add_body(t, 1, RECORD_PATH, SLICE_LIT("item=1"), 0);
	add(t, 1, RECORD_PROCTITLE, 0);
	tap_ok(got.events == 1 && !got.truncated && got.bytes > 12 * 1024 * 1024,
	       "12 MiB of arguments in %zu records", records);
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
	test_any_order();
	test_order_of_arguments();
	test_excluded_types();
	test_interleaved();
	test_wrap_and_steps();
	test_many_arguments();
	test_bytes();
	test_too_many_records();
	test_too_many_bytes();
	test_too_many_open();
	test_find();
	buf_free(&given);
	return tap_done();
}
