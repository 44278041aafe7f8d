/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/pipeline.h"
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
	feed(&r, "type=LOGIN msg=" AT(1) "pid=50 auid=1001 ses=3 res=0");
	tap_ok(!session_find(r.p.sessions, 3), "a login that failed is none");
	feed(&r, "type=TRUSTED_APP msg=" AT(
			 2) "pid=5 auid=1 ses=4294967295 msg='op=sessaudit-bind sa_v=1'");
	tap_int((long long)session_count(r.p.sessions), 2, "nothing without a session number");
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
	test_end();
	test_reboot();
	test_gap();
	test_gap_before_tag();
	settings_free(&settings);
	return tap_done();
}
