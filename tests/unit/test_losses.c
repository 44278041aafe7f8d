/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/collector/losses.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "tests/unit/spool_check.h"
#include "tests/unit/tap.h"

#define AT "audit(1795222800.123:"
#define LOGIN                                                                                      \
	"type=LOGIN msg=" AT                                                                       \
	"1): pid=50 uid=0 old-auid=4294967295 auid=1001 old-ses=4294967295 ses=1 res=1"
#define START                                                                                      \
	"type=USER_START msg=" AT "2): pid=50 uid=0 auid=1001 ses=1 msg='op=PAM:session_open "     \
	"acct=\"al\" exe=\"/usr/sbin/sshd\" hostname=h addr=10.0.0.9 terminal=ssh res=success'"

static struct settings settings;

struct run {
	struct check c;
	struct pipeline p;
	struct losses *l;
	struct losses_source src;
	int64_t real_ms;
};

static void feed(struct run *r, const char *line)
{
	struct record rec;

	if (record_parse_line(slice_of(line), &rec))
		abort();
	losses_record(r->l, &rec);
	pipeline_record(&r->p, &rec);
}

/* A record of nobody, that has a serial. */
static void number(struct run *r, unsigned serial)
{
	char line[120];

	snprintf(line, sizeof(line), "type=USER_ACCT msg=" AT "%u): pid=1 uid=0 auid=1 ses=9",
		 serial);
	feed(r, line);
}

static void run_open(struct run *r, uint32_t lost)
{
	struct pipeline_facts facts = {
		.host = "h1",
		.machine_id = "m",
		.boot_id = "b",
		.capture = "netlink",
		.settings = &settings,
	};
	struct control_state st = {.enabled = 1, .lost = lost, .backlog_limit = 1000};

	*r = (struct run){.real_ms = T0};
	check_open(&r->c);
	facts.spool_dir = r->c.spool;
	if (pipeline_open(&r->p, &facts, NULL))
		abort();
	r->p.now_ms = 1000000;
	r->l = losses_new(&r->p, NULL);
	if (!r->l || losses_begin(r->l, &r->src, T0, NULL))
		abort();
	losses_kernel(r->l, &st, T0);
	feed(r, LOGIN);
	feed(r, START);
}

static void tick(struct run *r, int64_t ms)
{
	r->real_ms += ms;
	r->p.now_ms += ms;
	losses_tick(r->l, &r->src, r->real_ms);
}

/* Ends the session, and brings everything to the store. */
static bool run_close(struct run *r)
{
	bool ok;

	transcript_end_all(r->p.transcript, "end_of_recording", r->real_ms);
	losses_free(r->l);
	check_ship(&r->c);
	ok = check_store(&r->c);
	pipeline_close(&r->p);
	return ok;
}

/* The gap entries in the store, as "cause count;". */
static const char *gaps(struct run *r)
{
	char command[300];

	snprintf(command, sizeof(command),
		 "zcat %s/sessions/*/*/0*.jsonl.gz | grep '\"type\":\"gap\"' | "
		 "sed -E 's/.*\"reason\":\"([a-z_]*)\"(,\"count\":([0-9]*))?.*/\\1 \\3;/' | "
		 "tr -d '\\n'",
		 r->c.store);
	return check_output(command);
}

static bool no_known_loss(struct run *r)
{
	char command[300];

	snprintf(command, sizeof(command),
		 "grep -q '\"no_known_loss\":true' %s/sessions/*/*/manifest.json", r->c.store);
	return system(command) == 0;
}

static void kernel(struct run *r, uint32_t lost, uint32_t backlog)
{
	struct control_state st = {
		.enabled = 1, .lost = lost, .backlog = backlog, .backlog_limit = 1000};

	losses_kernel(r->l, &st, r->real_ms);
}

static void nothing(struct run *r)
{
	for (unsigned i = 3; i < 100; i++)
		number(r, i);
	tick(r, 1000);
	tick(r, 5000);
	kernel(r, 100, 899);
}

static void lost(struct run *r)
{
	kernel(r, 4, 0); /* around 2^32 */
	tick(r, 1000);
}

static void lost_reset(struct run *r)
{
	kernel(r, 0, 0);
	tick(r, 1000);
	kernel(r, 3, 0);
	tick(r, 1000);
}

static void overrun(struct run *r)
{
	r->src.overruns = 2;
	tick(r, 1000);
}

static void queue(struct run *r)
{
	r->src.dropped = 7;
	tick(r, 1000);
}

static void unreadable(struct run *r)
{
	r->src.malformed = 1;
	r->src.oversized = 2;
	tick(r, 1000);
}

static void hole(struct run *r)
{
	number(r, 3);
	number(r, 6);
	tick(r, 1000);
	tick(r, 3000);
}

static void backlog(struct run *r)
{
	for (int i = 0; i < 100; i++) {
		kernel(r, 100, 900);
		tick(r, 1000);
	}
}

static void storm(struct run *r)
{
	for (int i = 1; i <= 25; i++) {
		kernel(r, 100 + (uint32_t)i, 0);
		tick(r, 1000);
	}
}

static void incomplete(struct run *r)
{
	feed(r, "type=SYSCALL msg=" AT "3): arch=c000003e syscall=1 success=yes exit=0 a0=1 "
		"items=2 ppid=51 pid=70 auid=1001 uid=1001 euid=0 tty=pts0 ses=1 comm=\"x\" "
		"exe=\"/bin/x\"");
	event_expire(r->p.events, r->p.now_ms + EVENT_TIMEOUT_MS + 1);
	tick(r, 1000);
}

/* Nothing was told yet when the session ends: it is asked for. */
static void hole_at_end(struct run *r)
{
	number(r, 3);
	number(r, 5);
	r->p.now_ms += 1000;
}

/* What comes right before the end may still be on its way. */
static void late_at_end(struct run *r)
{
	number(r, 3);
	number(r, 5);
}

static void waits_at_end(struct run *r)
{
	r->src.dropped = 1;
	tick(r, 1000);
	r->src.dropped = 3;
	tick(r, 1000);
}

static void daemon_number(struct run *r)
{
	number(r, 3);
	feed(r, "type=DAEMON_START msg=" AT "7531): op=start ver=3 res=success");
	number(r, 4);
	tick(r, 1000);
	tick(r, 4000);
}

static void older(struct run *r)
{
	feed(r, "type=USER_ACCT msg=audit(1795222700.000:3): pid=1 uid=0 auid=1 ses=9");
	number(r, 400);
	tick(r, 1000);
	tick(r, 4000);
}

static void test_causes(void)
{
	static const struct {
		const char *name;
		void (*what)(struct run *r);
		const char *gaps;
		unsigned count;
		uint32_t lost; /* the kernel's counter at the start; 0: 100 */
	} cases[] = {
		{"nothing lost", nothing, "", 0, 0},
		{"the kernel's counter, around 2^32", lost, "kernel_lost 10;", 10, 4294967290U},
		{"the kernel's counter set back", lost_reset, "kernel_lost 3;", 3, 0},
		{"the socket's buffer", overrun, "socket_overrun ;", 0, 0},
		{"the queue", queue, "queue_full 7;", 7, 0},
		{"unreadable records", unreadable, "record_malformed 1;record_oversized 2;", 3, 0},
		{"numbers that do not come", hole, "events_missing 2;", 2, 0},
		{"a backlog nearly full: once a minute", backlog,
		 "backlog_near_full ;backlog_near_full ;", 0, 0},
		{"while it goes on: at once, then every ten seconds", storm,
		 "kernel_lost 1;kernel_lost 10;kernel_lost 10;kernel_lost 4;", 25, 0},
		{"an event without its end", incomplete, "event_incomplete 1;", 1, 0},
		{"a number that does not come, and the session ends", hole_at_end,
		 "events_missing 1;", 1, 0},
		{"a number that may be on its way", late_at_end, "", 0, 0},
		{"what waits to be told when the session ends", waits_at_end,
		 "queue_full 1;queue_full 2;", 3, 0},
		{"auditd's own records have other numbers", daemon_number, "", 0, 0},
		{"records from before the start begin no count", older, "events_missing 397;", 397,
		 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run r;

		run_open(&r, cases[i].lost ? cases[i].lost : 100);
		cases[i].what(&r);
		tap_ok(run_close(&r), "%s: the store: %s", cases[i].name, r.c.why);
		tap_str(gaps(&r), cases[i].gaps, "%s", cases[i].name);
		tap_int(r.c.lost, cases[i].count, "%s: counted", cases[i].name);
		tap_int(no_known_loss(&r), *cases[i].gaps == '\0', "%s: no_known_loss says so",
			cases[i].name);
		check_close(&r.c);
	}
}

static void test_counters(void)
{
	const struct losses_counters *n;
	struct run r;

	run_open(&r, 100);
	r.src = (struct losses_source){.overruns = 3, .dropped = 5};
	tick(&r, 1000);
	r.src.dropped = 6;
	tick(&r, 1000);
	kernel(&r, 101, 17);
	n = losses_counters(r.l);
	tap_str(n->items[LOSSES_QUEUE_FULL].cause, "queue_full", "counters: named");
	tap_int((long long)n->items[LOSSES_QUEUE_FULL].times, 2, "counters: times");
	tap_int((long long)n->items[LOSSES_QUEUE_FULL].count, 6, "counters: count");
	tap_int((long long)n->items[LOSSES_SOCKET_OVERRUN].times, 1, "counters: overruns");
	tap_int((long long)n->items[LOSSES_SOCKET_OVERRUN].count, 0, "of an unknown size");
	tap_int((long long)n->items[LOSSES_KERNEL_LOST].count, 1, "counters: the kernel's");
	tap_int(n->backlog, 17, "counters: backlog");
	for (size_t i = 0; i < LOSSES_CAUSES; i++)
		if (!n->items[i].cause)
			tap_ok(false, "cause %zu has no name", i);
	run_close(&r);
	check_close(&r.c);
}

/* Two sessions, one ends in between: each has what was lost in its time. */
static void test_each_its_own(void)
{
	struct run r;

	run_open(&r, 100);
	r.src.dropped = 1;
	tick(&r, 1000);
	transcript_end(r.p.transcript, session_find(r.p.sessions, 1), "logout", r.real_ms,
		       r.p.now_ms);
	feed(&r, "type=LOGIN msg=" AT "20): pid=60 uid=0 old-auid=4294967295 auid=1002 "
		 "old-ses=4294967295 ses=2 res=1");
	tick(&r, 20000);
	transcript_end(r.p.transcript, session_find(r.p.sessions, 2), "logout", r.real_ms,
		       r.p.now_ms);
	tap_ok(run_close(&r), "two sessions: the store: %s", r.c.why);
	tap_int(r.c.gaps, 2, "two sessions: a gap in one, serials in the other");
	tap_ok(no_known_loss(&r) == false, "two sessions: both know");
	check_close(&r.c);
}

int main(void)
{
	log_init("test_losses", LOG_LEVEL_ERR);
	if (settings_parse("t", SLICE_LIT("[redact]\nenable = no\n"), &settings, NULL))
		return 1;
	test_causes();
	test_counters();
	test_each_its_own();
	settings_free(&settings);
	return tap_done();
}
