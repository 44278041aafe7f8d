/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/pipeline.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/settings.h"
#include "tests/unit/spool_check.h"
#include "tests/unit/tap.h"

/* Recorded and handwritten logs are tests/golden's; here is what needs a look inside. */

#define AT(serial) "audit(1795222800.000:" #serial "): "
#define LOGIN(ses)                                                                                 \
	"type=LOGIN msg=" AT(                                                                      \
		1) "pid=50 uid=0 old-auid=4294967295 auid=1001 old-ses=4294967295 ses=" #ses       \
		   " res=1"
#define TAG(ses, req)                                                                              \
	"type=TRUSTED_APP msg=" AT(2) "pid=50 uid=0 auid=1001 ses=" #ses                           \
				      " msg='op=sessaudit-bind "                                   \
				      "sa_v=1 sa_st=approved sa_src=user sa_req=\"" req            \
				      "\" sa_user=\"alice\" sa_svc=\"sshd\" sa_addr=\"10.0.0.9\" " \
				      "sa_term=\"ssh\" exe=\"/usr/sbin/sshd\" res=success'"
#define SYSCALL(serial, ses)                                                                       \
	"type=SYSCALL msg=" AT(                                                                    \
		serial) "arch=c000003e syscall=59 success=yes exit=0 ppid=51 pid=70 "              \
			"auid=1001 uid=1001 euid=0 tty=pts0 ses=" #ses                             \
			" comm=\"x\" exe=\"/bin/x\""
#define DONE(serial) "type=PROCTITLE msg=" AT(serial) "proctitle=\"x\""
#define END(ses, pid, exe)                                                                         \
	"type=USER_END msg=" AT(9) "pid=" #pid " uid=0 auid=1001 ses=" #ses                        \
				   " msg='op=PAM:session_close exe=\"" exe "\" res=success'"

static struct settings settings;

struct run {
	struct check c;
	struct pipeline p;
};

static void run_open(struct run *r, const char *boot_id)
{
	struct pipeline_facts facts = {.host = "h1",
				       .machine_id = "m",
				       .boot_id = boot_id,
				       .capture = "replay",
				       .settings = &settings};

	check_open(&r->c);
	facts.spool_dir = r->c.spool;
	if (pipeline_open(&r->p, &facts, NULL))
		abort();
}

static void feed(struct run *r, const char *line)
{
	struct record rec;

	if (record_parse_line(slice_of(line), &rec))
		tap_ok(false, "bad line: %s", line);
	else
		pipeline_record(&r->p, &rec);
}

static bool run_close(struct run *r)
{
	bool ok;

	transcript_end_all(r->p.transcript, "end_of_recording", T0);
	check_ship(&r->c);
	ok = check_store(&r->c);
	pipeline_close(&r->p);
	check_close(&r->c);
	return ok;
}

static enum session_phase phase(struct run *r, uint32_t ses)
{
	return session_find(r->p.sessions, ses)->phase;
}

static void test_begin(void)
{
	struct run r;
	struct session *s;

	run_open(&r, "b");
	feed(&r, LOGIN(1));
	tap_int(phase(&r, 1), SESSION_PENDING, "LOGIN alone: pending");
	feed(&r, TAG(1, "REQ-1"));
	s = session_find(r.p.sessions, 1);
	tap_ok(s->phase == SESSION_OPEN && s->tagged, "the tag opens it");
	tap_str(s->request, "REQ-1", "under its request");
	tap_str(s->user, "alice", "with its user");
	feed(&r, SYSCALL(5, 2));
	feed(&r, DONE(5));
	s = session_find(r.p.sessions, 2);
	tap_ok(s->phase == SESSION_OPEN && !s->request, "an exec of an unknown session adopts it");
	feed(&r, TAG(2, "REQ-2"));
	tap_ok(s->tagged && !s->request, "a late tag is taken, the folder stays");
	tap_str(s->folder, "sessions/request=unapproved", "that of no request");
	feed(&r, "type=LOGIN msg=" AT(1) "pid=50 auid=1001 ses=3 res=0");
	tap_ok(!session_find(r.p.sessions, 3), "a login that failed is none");
	feed(&r, "type=TRUSTED_APP msg=" AT(
			 2) "pid=5 auid=1 ses=4294967295 msg='op=sessaudit-bind sa_v=1'");
	tap_int((long long)session_count(r.p.sessions), 2, "nothing without a session number");
	tap_ok(run_close(&r), "the store: %s", r.c.why);
	tap_int(r.c.pointers, 1, "a pointer leads from the late request to it");
}

#define TAG_OF_TWO                                                                                 \
	"type=TRUSTED_APP msg=" AT(                                                                \
		2) "pid=50 uid=0 auid=1001 ses=1 msg='op=sessaudit-bind sa_v=1 sa_st=ambiguous "   \
		   "sa_src=user sa_cand=\"REQ-1,REQ-2,REQ-3\" sa_user=\"al/ice\" "                 \
		   "sa_svc=\"sshd\" sa_addr=\"10.0.0.9\" sa_term=\"ssh\" "                         \
		   "exe=\"/usr/sbin/sshd\" res=success'"

/* Whatever the folder is, each request of a session leads to it; spool_check follows them. */
static void test_pointers(void)
{
	static const struct {
		const char *prefix, *tag, *folder;
		unsigned pointers;
	} cases[] = {
		{NULL, TAG(1, "REQ-1"), "sessions/request=REQ-1", 0},
		{NULL, TAG_OF_TWO, "sessions/request=REQ-1", 2},
		{"{year}/{month}/{day}/{host}", TAG(1, "REQ-1"), "2026/11/21/h1", 1},
		{"by/{user}", TAG_OF_TWO, "by/al%2Fice", 3},
		{"by/{user}", "", "by/1001", 0},
		{"sessions/request={request_id}/{host}", TAG(1, "REQ-1"),
		 "sessions/request=REQ-1/h1", 1},
	};
	char *before = settings.store_session_prefix;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *prefix = strdup(cases[i].prefix ? cases[i].prefix : before);
		struct run r;

		settings.store_session_prefix = prefix;
		run_open(&r, "b");
		settings.store_session_prefix = before;
		feed(&r, LOGIN(1));
		if (*cases[i].tag)
			feed(&r, cases[i].tag);
		feed(&r, SYSCALL(5, 1));
		feed(&r, DONE(5));
		tap_str(session_find(r.p.sessions, 1)->folder, cases[i].folder, "folder");
		tap_ok(run_close(&r), "%s: the store: %s", cases[i].folder, r.c.why);
		tap_int(r.c.pointers, cases[i].pointers, "%s: pointers", cases[i].folder);
	}
}

static void test_bad_prefix(void)
{
	struct pipeline_facts facts = {.host = "h1",
				       .machine_id = "m",
				       .capture = "replay",
				       .spool_dir = "/nonexistent",
				       .settings = &settings};
	char *before = settings.store_session_prefix;
	struct sa_err err = {0};
	struct pipeline p;

	settings.store_session_prefix = (char[]){"{users}"};
	tap_int(pipeline_open(&p, &facts, &err), SA_ERR_INVALID, "a bad template is refused");
	tap_ok(strstr(err.msg, "store.session_prefix: unknown word {users}") != NULL, "says: %s",
	       err.msg);
	settings.store_session_prefix = before;
}

/* The host's clock was set back by an hour, so that events will be older than the logout. */
static void test_clock_set_back(void)
{
	int64_t end = T0 / 1000 * 1000, grace = settings.capture_end_grace;
	struct run r;

	run_open(&r, "b");
	feed(&r, LOGIN(1));
	feed(&r, TAG(1, "REQ-1"));
	tap_int(transcript_due_ms(r.p.transcript), INT64_MAX, "nothing ends");
	r.p.now_ms = 1000;
	feed(&r, END(1, 50, "/usr/sbin/sshd"));
	tap_int(transcript_due_ms(r.p.transcript), end + grace, "a session's grace");
	transcript_advance(r.p.transcript, end - 3600000, 1000 + grace + 700);
	transcript_expire(r.p.transcript, 700, 1000 + grace + 700);
	tap_int(phase(&r, 1), SESSION_ENDING, "is waited for by both clocks");
	transcript_expire(r.p.transcript, 700, 1000 + grace + 701);
	tap_int(phase(&r, 1), SESSION_CLOSED, "but not for an hour");
	tap_ok(run_close(&r), "the store: %s", r.c.why);
}

static void test_end(void)
{
	struct run r;

	run_open(&r, "b");
	feed(&r, LOGIN(1));
	feed(&r, TAG(1, "REQ-1"));
	feed(&r, END(1, 77, "/usr/sbin/sshd"));
	tap_int(phase(&r, 1), SESSION_OPEN, "the end of another process's PAM session");
	feed(&r, END(1, 50, "/usr/sbin/sshd"));
	tap_int(phase(&r, 1), SESSION_ENDING, "that of its own");
	transcript_advance(r.p.transcript, T0 / 1000 * 1000 + settings.capture_end_grace, T0);
	tap_int(phase(&r, 1), SESSION_ENDING, "late events may come");
	transcript_advance(r.p.transcript, T0 / 1000 * 1000 + settings.capture_end_grace + 1, T0);
	tap_int(phase(&r, 1), SESSION_CLOSED, "until the grace is over");
	feed(&r, TAG(1, "REQ-2"));
	tap_int(phase(&r, 1), SESSION_ENDING, "a conflict after the end opens part 2");
	tap_int(session_find(r.p.sessions, 1)->part, 2, "which is its number");
	tap_ok(run_close(&r) && r.c.parts == 2, "the store: %s", r.c.why);
}

/* A log of two boots, with one boot id given for both. */
static void test_reboot(void)
{
	struct run r;

	run_open(&r, "b");
	feed(&r, LOGIN(1));
	feed(&r, SYSCALL(5, 1));
	feed(&r, DONE(5));
	feed(&r, "type=LOGIN msg=audit(1795222900.000:1): pid=50 auid=1001 ses=1 res=1");
	feed(&r, SYSCALL(6, 1));
	feed(&r, DONE(6));
	tap_ok(run_close(&r), "the store: %s", r.c.why);
	tap_int(r.c.sessions, 2, "two sessions of one number");
	tap_ok(r.c.seen[5] == 2 && r.c.seen[6] == 2, "with their starts and execs");
}

static void test_gap(void)
{
	struct run r;

	run_open(&r, "b");
	feed(&r, LOGIN(1));
	feed(&r, TAG(1, "REQ-1"));
	transcript_gap_all(r.p.transcript, "kernel_lost", T0, T0, 3, T0);
	transcript_end_all(r.p.transcript, "end_of_recording", T0);
	transcript_gap_all(r.p.transcript, "kernel_lost", T0, T0, 3, T0);
	tap_ok(run_close(&r), "the store: %s", r.c.why);
	tap_ok(r.c.gaps == 1 && r.c.lost == 3, "a gap in each open session, none in a closed one");
}

/* What is lost while a session waits for its tag may be the tag. */
static void test_gap_before_tag(void)
{
	struct run r;

	run_open(&r, "b");
	feed(&r, LOGIN(1));
	transcript_gap_all(r.p.transcript, "kernel_lost", T0, T0, 3, T0);
	transcript_gap_all(r.p.transcript, "kernel_lost", T0, T0, 4, T0);
	tap_int(phase(&r, 1), SESSION_PENDING, "a loss does not begin a session");
	feed(&r, TAG(1, "REQ-1"));
	tap_str(session_find(r.p.sessions, 1)->request, "REQ-1", "its tag still names its folder");
	tap_ok(run_close(&r), "the store: %s", r.c.why);
	tap_ok(r.c.gaps == 1 && r.c.lost == 7, "and one gap says what was lost before");
}

int main(void)
{
	log_init("test_transcript", LOG_LEVEL_ERR - 1);
	settings_parse("test", SLICE_LIT(""), &settings, NULL);
	test_begin();
	test_pointers();
	test_bad_prefix();
	test_clock_set_back();
	test_end();
	test_reboot();
	test_gap();
	test_gap_before_tag();
	settings_free(&settings);
	return tap_done();
}
