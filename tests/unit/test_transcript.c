/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/collector/pipeline.h"
#include "common/access/tagfile.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/transcript/entry.h"
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

/* Something hides calls for a while: each session that it touches says so. */
static void test_blind(void)
{
	struct run r;

	run_open(&r, "b");
	feed(&r, LOGIN(1));
	feed(&r, TAG(1, "REQ-1"));
	transcript_blind(r.p.transcript, NULL, T0, T0, T0);
	transcript_blind(r.p.transcript, "rules_silence", T0 - 1000, T0, T0);
	transcript_blind(r.p.transcript, "rules_silence", T0, T0, T0);
	feed(&r, LOGIN(2));
	feed(&r, TAG(2, "REQ-2"));
	transcript_blind(r.p.transcript, NULL, T0, T0 + 1000, T0);
	feed(&r, LOGIN(3));
	feed(&r, TAG(3, "REQ-3"));
	tap_ok(run_close(&r), "the store: %s", r.c.why);
	tap_int(r.c.gaps, 4, "two in each session that runs then, none in one that begins after");
}

/* --- exact entries --- */

#define S(sec) "audit(17952228" #sec ".000:" #sec "): "
#define TAGGED(head, rest)                                                                         \
	"type=TRUSTED_APP msg=" head " msg='op=sessaudit-bind sa_v=1 " rest                        \
	" sa_user=\"alice\" sa_svc=\"sshd\" sa_addr=\"10.0.0.9\" sa_term=\"ssh\" "                 \
	"exe=\"/usr/sbin/sshd\" res=success'"
#define APPROVED "sa_st=approved sa_src=user sa_req=\"REQ-1\" sa_grant=\"g-1\""
#define UNTIL " sa_exp=\"2026-11-21T01:00:30.000Z\"" /* T0 + 30 s */
#define ALICE TAGGED(S(00) "pid=50 uid=0 auid=1001 ses=1", APPROVED)
#define ALICE_UNTIL TAGGED(S(00) "pid=50 uid=0 auid=1001 ses=1", APPROVED UNTIL)
#define NEST(sec, head, rest)                                                                      \
	"type=TRUSTED_APP msg=" S(sec) head " msg='op=sessaudit-nest sa_v=1 " APPROVED " " rest    \
					    " exe=\"/usr/bin/sudo\" res=success'"
#define SUDO(sec, from, to)                                                                        \
	NEST(sec, "pid=70 uid=1001 auid=1001 ses=1",                                               \
	     "sa_user=\"" to "\" sa_from=\"" from "\" sa_svc=\"sudo-i\" sa_term=\"pts/0\"")
#define STARTED(sec, head, acct, exe, res)                                                         \
	"type=USER_START msg=" S(sec) head " msg='op=PAM:session_open acct=\"" acct                \
					   "\" exe=\"" exe                                         \
					   "\" hostname=? addr=? terminal=pts/0 res=" res "'"
#define PROGRAM(sec, ids, ses)                                                                     \
	"type=SYSCALL msg=" S(sec) "arch=c000003e syscall=59 success=yes exit=0 " ids              \
				   " auid=1001 euid=0 tty=pts0 ses=" #ses                          \
				   " comm=\"x\" exe=\"/bin/x\"",                                   \
		"type=EXECVE msg=" S(sec) "argc=1 a0=\"x\"",                                       \
		"type=PROCTITLE msg=" S(sec) "proctitle=\"x\""
#define LEAVES(sec, old, ses)                                                                      \
	"type=LOGIN msg=" S(sec) "pid=60 uid=0 old-auid=1001 auid=1001 tty=pts0 old-ses=" #old     \
				 " ses=" #ses " res=1"
#define LEAVE_AS(sec, old, ses, auid)                                                              \
	"type=LOGIN msg=" S(sec) "pid=60 uid=0 old-auid=1001 auid=" #auid                          \
				 " tty=(none) old-ses=" #old " ses=" #ses " res=1"

#define START "session_start success alice/1001 pid=50 object=sshd\n"
#define GOT "access success alice/1001 object=REQ-1 access=approved/user\n"

static void put(struct buf *out, const char *name, struct slice value)
{
	if (value.ptr)
		buf_printf(out, " %s=%.*s", name, (int)value.len, value.ptr);
}

/* The session's number, for an id. */
static void put_linked(struct buf *out, struct slice sid)
{
	char want[LAYOUT_SID_SIZE];

	for (uint32_t ses = 0; sid.ptr && ses < 10; ses++) {
		layout_session_id(SLICE_LIT("m"), SLICE_LIT("b"), ses, want);
		if (slice_is(sid, want))
			buf_printf(out, " linked=%u", ses);
	}
}

/* One line for an entry, with what differs from one to the next. Programs: their pid alone. */
static int describe(void *ctx, struct slice line)
{
	struct buf *out = ctx;
	struct entry_read r;

	if (entry_parse(line, &r, NULL)) {
		buf_puts(out, "unreadable\n");
		return 0;
	}
	buf_puts(out, entry_type_name(r.e.type));
	if (r.e.type == ENTRY_EXEC) {
		buf_printf(out, " %lld\n", (long long)r.e.pid);
		entry_read_free(&r);
		return 0;
	}
	buf_printf(out, " %s %.*s/%d", entry_outcome_name(r.e.outcome), (int)r.e.user.len,
		   r.e.user.ptr, (int)r.e.uid);
	if (r.e.type == ENTRY_EXPIRED || r.e.type == ENTRY_REVOKED)
		buf_printf(out, " at=%lld", (long long)(r.e.time_ms - T0 / 1000 * 1000));
	put(out, "target", r.e.target);
	if (r.e.pid)
		buf_printf(out, " pid=%lld", (long long)r.e.pid);
	put(out, "object", r.e.object);
	if (r.e.type == ENTRY_PRIVILEGE)
		put(out, "service", r.e.service);
	put(out, "cause", r.e.cause);
	put_linked(out, r.e.linked);
	if (r.e.access)
		buf_printf(out, " access=%s/%s", access_status_name(r.e.access->status),
			   access_source_name(r.e.access->source));
	buf_putc(out, '\n');
	entry_read_free(&r);
	return 0;
}

/* All entries of a session that are in the store. */
static void story(struct run *r, uint32_t ses, struct buf *out)
{
	const struct session *s = session_find(r->p.sessions, ses);

	uint32_t n = 0;

	while (s && check_read(&r->c, s->folder, s->sid, n, describe, out))
		n++;
}

#define STORY_LINES 12

struct story {
	const char *name;
	const char *lines[STORY_LINES];
	const char *want[3];   /* of sessions 1 and 2, without session_end */
	const char *folder[3]; /* of the same; NULL: that of REQ-1 */
};

static const struct story stories[] = {
	{"sudo says so",
	 {LOGIN(1), ALICE, SUDO(01, "alice", "root"),
	  STARTED(02, "pid=70 uid=0 auid=1001 ses=1", "root", "/usr/bin/sudo", "success")},
	 {START GOT "privilege success alice/1001 target=root pid=70 object=root service=sudo-i "
		    "cause=nested\n"},
	 {0}},
	{"sudo without our module",
	 {LOGIN(1), ALICE,
	  STARTED(02, "pid=70 uid=1001 auid=1001 ses=1", "root", "/usr/bin/sudo", "success")},
	 {START GOT "privilege success alice/1001 target=root pid=70 object=root service=sudo "
		    "cause=nested\n"},
	 {0}},
	{"su that failed",
	 {LOGIN(1), ALICE,
	  STARTED(02, "pid=71 uid=1001 auid=1001 ses=1", "bob", "/usr/bin/su", "failed")},
	 {START GOT "privilege failure alice/1001 target=bob pid=71 object=bob service=su "
		    "cause=nested\n"},
	 {0}},
	{"another module refused what ours had let in",
	 {LOGIN(1), ALICE, SUDO(01, "alice", "root"),
	  STARTED(02, "pid=70 uid=0 auid=1001 ses=1", "root", "/usr/bin/sudo", "failed")},
	 {START GOT "privilege success alice/1001 target=root pid=70 object=root service=sudo-i "
		    "cause=nested\n"
		    "privilege failure root/0 target=root pid=70 object=root service=sudo "
		    "cause=nested\n"},
	 {0}},
	{"a process number that comes again",
	 {LOGIN(1), ALICE, SUDO(01, "alice", "root"),
	  STARTED(02, "pid=70 uid=0 auid=1001 ses=1", "root", "/usr/bin/sudo", "success"),
	  STARTED(03, "pid=70 uid=0 auid=1001 ses=1", "bob", "/usr/bin/su", "success")},
	 {START GOT "privilege success alice/1001 target=root pid=70 object=root service=sudo-i "
		    "cause=nested\n"
		    "privilege success root/0 target=bob pid=70 object=bob service=su "
		    "cause=nested\n"},
	 {0}},
	{"one in another",
	 {LOGIN(1), ALICE,
	  NEST(01, "pid=70 uid=1001 auid=1001 ses=1",
	       "sa_user=\"bob\" sa_from=\"alice\" sa_svc=\"su\""),
	  NEST(02, "pid=71 uid=1002 auid=1001 ses=1",
	       "sa_user=\"root\" sa_from=\"bob\" sa_svc=\"sudo\""),
	  NEST(03, "pid=72 uid=0 auid=1001 ses=1",
	       "sa_user=\"carol\" sa_from=\"root\" sa_svc=\"runuser\"")},
	 {START GOT
	  "privilege success alice/1001 target=bob pid=70 object=bob service=su cause=nested\n"
	  "privilege success bob/1002 target=root pid=71 object=root service=sudo cause=nested\n"
	  "privilege success root/0 target=carol pid=72 object=carol service=runuser "
	  "cause=nested\n"},
	 {0}},
	{"a sudo that asks as root",
	 {LOGIN(1), ALICE,
	  NEST(01, "pid=70 uid=0 auid=1001 ses=1",
	       "sa_user=\"root\" sa_from=\"alice\" sa_svc=\"sudo\""),
	  NEST(02, "pid=71 uid=0 auid=1001 ses=1",
	       "sa_user=\"root\" sa_from=\"bob\" sa_svc=\"sudo\"")},
	 {START GOT
	  "privilege success alice/1001 target=root pid=70 object=root service=sudo cause=nested\n"
	  "privilege success bob/-1 target=root pid=71 object=root service=sudo cause=nested\n"},
	 {0}},
	{"from is not who the kernel says",
	 {LOGIN(1), ALICE, SUDO(01, "bob", "root")},
	 {START GOT "privilege success alice/1001 target=root pid=70 object=root service=sudo-i "
		    "cause=nested\n"},
	 {0}},
	{"denied inside",
	 {LOGIN(1), ALICE,
	  NEST(01, "pid=70 uid=1001 auid=1001 ses=1",
	       "sa_pol=denied sa_user=\"root\" sa_from=\"alice\" sa_svc=\"sudo\""),
	  STARTED(02, "pid=70 uid=0 auid=1001 ses=1", "root", "/usr/bin/sudo", "failed")},
	 {START GOT "privilege failure alice/1001 target=root pid=70 object=root service=sudo "
		    "cause=denied access=approved/user\n"},
	 {0}},
	{"a reason typed for sudo",
	 {LOGIN(1), ALICE,
	  "type=TRUSTED_APP msg=" S(
		  01) "pid=70 uid=1001 auid=1001 ses=1 msg='op=sessaudit-nest "
		      "sa_v=1 sa_st=breakglass sa_src=prompt sa_user=\"root\" sa_from=\"alice\" "
		      "sa_svc=\"sudo\" exe=\"/usr/bin/sudo\"'"},
	 {START GOT "privilege success alice/1001 target=root pid=70 object=root service=sudo "
		    "cause=nested access=breakglass/prompt\n"},
	 {0}},
	{"a nest tag binds nothing",
	 {LOGIN(1), NEST(01, "pid=50 uid=0 auid=1001 ses=1", "sa_user=\"root\" sa_from=\"alice\""),
	  STARTED(02, "pid=50 uid=0 auid=1001 ses=1", "alice", "/usr/sbin/sshd", "success"),
	  NEST(03, "pid=70 uid=1001 auid=1001 ses=1", "sa_user=\"root\" sa_from=\"alice\""),
	  NEST(04, "pid=70 uid=1001 auid=1001 ses=2", "sa_user=\"root\" sa_from=\"alice\"")},
	 {START "privilege success alice/1001 target=root pid=70 object=root cause=nested\n"},
	 {"sessions/request=unapproved"}},
	{"a denied login",
	 {LOGIN(1),
	  TAGGED(S(00) "pid=50 uid=0 auid=1001 ses=1",
		 "sa_st=unapproved sa_src=none sa_pol=denied"),
	  STARTED(02, "pid=50 uid=0 auid=1001 ses=1", "alice", "/usr/sbin/sshd", "failed")},
	 {START
	  "access failure alice/1001 object=no request cause=denied access=unapproved/none\n"},
	 {"sessions/request=unapproved"}},
	{"a tag that says denied now",
	 {LOGIN(1), ALICE,
	  TAGGED(S(01) "pid=50 uid=0 auid=1001 ses=1", "sa_st=approved sa_src=user sa_pol=denied "
						       "sa_req=\"REQ-1\" sa_grant=\"g-1\"")},
	 {START GOT "conflict failure alice/1001 object=REQ-1 cause=second_tag "
		    "access=approved/user\n"},
	 {0}},
	{"a login that is let in although",
	 {LOGIN(1),
	  TAGGED(S(00) "pid=50 uid=0 auid=1001 ses=1",
		 "sa_st=unapproved sa_src=none sa_pol=exempt"),
	  PROGRAM(01, "ppid=51 pid=70 uid=1001", 1)},
	 {START "access failure alice/1001 object=no request access=unapproved/none\nexec 70\n"},
	 {"sessions/request=unapproved"}},
	{"one that leaves takes its context along",
	 {LOGIN(1), ALICE, LEAVES(05, 1, 2), PROGRAM(06, "ppid=60 pid=61 uid=1001", 2)},
	 {START GOT
	  "privilege success root/0 target=alice pid=60 object=alice cause=left linked=2\n",
	  "session_start success alice/1001 pid=60 object=unknown linked=1\n"
	  "access unknown alice/1001 object=REQ-1 access=id_only/session\nexec 61\n"},
	 {0}},
	{"one that leaves and has a context of its own",
	 {LOGIN(1), ALICE, LEAVES(05, 1, 2),
	  TAGGED(S(06) "pid=60 uid=0 auid=1001 ses=2",
		 "sa_st=approved sa_src=user sa_req=\"REQ-2\"")},
	 {START GOT
	  "privilege success root/0 target=alice pid=60 object=alice cause=left linked=2\n",
	  "session_start success alice/1001 pid=60 object=sshd linked=1\n"
	  "access success alice/1001 object=REQ-2 access=approved/user\n"},
	 {NULL, "sessions/request=REQ-2"}},
	{"one that leaves, and whose own context comes late",
	 {LOGIN(1), ALICE, LEAVES(05, 1, 2), PROGRAM(06, "ppid=60 pid=61 uid=1001", 2),
	  TAGGED(S(07) "pid=60 uid=0 auid=1001 ses=2",
		 "sa_st=approved sa_src=user sa_req=\"REQ-2\"")},
	 {START GOT
	  "privilege success root/0 target=alice pid=60 object=alice cause=left linked=2\n",
	  "session_start success alice/1001 pid=60 object=unknown linked=1\n"
	  "access unknown alice/1001 object=REQ-1 access=id_only/session\nexec 61\n"
	  "access success alice/1001 object=REQ-2 access=approved/user\n"},
	 {0}},
	{"one that leaves as somebody else, without PAM",
	 {LOGIN(1), ALICE, LEAVE_AS(05, 1, 2, 1007), PROGRAM(06, "ppid=60 pid=61 uid=1001", 2)},
	 {START GOT "privilege success root/0 target=1007 pid=60 object=1007 cause=left linked=2\n",
	  "session_start success 1007/1007 pid=60 object=unknown linked=1\n"
	  "access unknown 1007/1007 object=REQ-1 access=id_only/session\nexec 61\n"},
	 {0}},
	{"cron has a stack without our module",
	 {LOGIN(1), ALICE, LEAVE_AS(05, 1, 2, 0),
	  STARTED(06, "pid=60 uid=0 auid=0 ses=2", "root", "/usr/sbin/cron", "success")},
	 {START GOT "privilege success root/0 target=root pid=60 object=root cause=left linked=2\n",
	  "session_start success root/0 pid=60 object=cron linked=1\n"
	  "access unknown root/0 object=REQ-1 access=id_only/session\n"},
	 {0}},
	{"one that leaves what was never approved",
	 {LOGIN(1), PROGRAM(01, "ppid=51 pid=70 uid=1001", 1), LEAVES(05, 1, 2),
	  PROGRAM(06, "ppid=60 pid=61 uid=1001", 2)},
	 {"session_start success 1001/1001 pid=50 object=unknown\nexec 70\n"
	  "privilege success root/0 target=1001 pid=60 object=1001 cause=left linked=2\n",
	  "session_start success 1001/1001 pid=60 object=unknown linked=1\nexec 61\n"},
	 {"sessions/request=unapproved", "sessions/request=unapproved"}},
	{"one that gives its number up",
	 {LOGIN(1), ALICE,
	  "type=LOGIN msg=" S(05) "pid=60 uid=0 old-auid=1001 auid=4294967295 tty=pts0 old-ses=1 "
				  "ses=4294967295 res=1"},
	 {START GOT "privilege success root/0 target=unset pid=60 object=unset cause=left\n"},
	 {0}},
	{"one that leaves before anything was known",
	 {LOGIN(1), LEAVES(05, 1, 2), ALICE},
	 {"session_start success 1001/1001 pid=50 object=unknown\n"
	  "privilege success root/0 target=1001 pid=60 object=1001 cause=left linked=2\n"
	  "access success 1001/1001 object=REQ-1 access=approved/user\n",
	  "session_start success 1001/1001 pid=60 object=unknown linked=1\n"
	  "access unknown 1001/1001 object=REQ-1 access=id_only/session\n"},
	 {"sessions/request=unapproved"}},
	{"one that leaves after the end",
	 {LOGIN(1), ALICE, END(1, 50, "/usr/sbin/sshd"), LEAVES(40, 1, 2),
	  PROGRAM(41, "ppid=60 pid=61 uid=1001", 2)},
	 {START GOT
	  "session_end success alice/1001 pid=50 object=sshd cause=logout\n"
	  "privilege success root/0 target=alice pid=60 object=alice cause=left linked=2\n",
	  "session_start success alice/1001 pid=60 object=unknown linked=1\n"
	  "access unknown alice/1001 object=REQ-1 access=id_only/session\nexec 61\n"},
	 {0}},
	{"what nobody knows is not linked to",
	 {LEAVES(05, 7, 1), PROGRAM(06, "ppid=60 pid=61 uid=1001", 1)},
	 {"session_start success 1001/1001 pid=60 object=unknown\nexec 61\n"},
	 {"sessions/request=unapproved"}},
	{"an approval that ends, once",
	 {LOGIN(1), ALICE_UNTIL, PROGRAM(29, "ppid=51 pid=70 uid=1001", 1),
	  PROGRAM(30, "ppid=70 pid=71 uid=1001", 1), PROGRAM(31, "ppid=70 pid=72 uid=1001", 1)},
	 {START GOT "exec 70\nexpired failure alice/1001 at=30000 object=REQ-1 cause=expires_at\n"
		    "exec 71\nexec 72\n"},
	 {0}},
	{"an approval that ends while nothing happens",
	 {LOGIN(1), ALICE_UNTIL,
	  "type=LOGIN msg=" S(45) "pid=52 uid=0 old-auid=4294967295 auid=1002 "
				  "old-ses=4294967295 ses=2 res=1"},
	 {START GOT "expired failure alice/1001 at=30000 object=REQ-1 cause=expires_at\n"},
	 {0}},
	{"an approval that is over at the login",
	 {LOGIN(1), TAGGED(S(35) "pid=50 uid=0 auid=1001 ses=1", APPROVED UNTIL),
	  PROGRAM(36, "ppid=51 pid=70 uid=1001", 1)},
	 {START GOT "expired failure alice/1001 at=35000 object=REQ-1 cause=expires_at\nexec 70\n"},
	 {0}},
	{"what is not approved has no end",
	 {LOGIN(1),
	  TAGGED(S(00) "pid=50 uid=0 auid=1001 ses=1",
		 "sa_st=id_only sa_src=cert sa_req=\"REQ-1\"" UNTIL),
	  PROGRAM(36, "ppid=51 pid=70 uid=1001", 1)},
	 {START "access unknown alice/1001 object=REQ-1 access=id_only/cert\nexec 70\n"},
	 {0}},
	{"no end after the logout",
	 {LOGIN(1), ALICE_UNTIL, END(1, 50, "/usr/sbin/sshd"),
	  PROGRAM(45, "ppid=1 pid=9 uid=1002", 2)},
	 {START GOT},
	 {0}},
	{"but for what is left behind",
	 {LOGIN(1), ALICE_UNTIL, END(1, 50, "/usr/sbin/sshd"),
	  PROGRAM(45, "ppid=1 pid=70 uid=1001", 1)},
	 {START GOT "session_end success alice/1001 pid=50 object=sshd cause=logout\n"
		    "expired failure alice/1001 at=45000 object=REQ-1 cause=expires_at\nexec 70\n"},
	 {0}},
	{"what a session that leaves takes along has no end",
	 {LOGIN(1), ALICE_UNTIL, LEAVES(05, 1, 2), PROGRAM(06, "ppid=60 pid=61 uid=1001", 2),
	  PROGRAM(31, "ppid=61 pid=62 uid=1001", 2)},
	 {START GOT
	  "privilege success root/0 target=alice pid=60 object=alice cause=left linked=2\n"
	  "expired failure alice/1001 at=30000 object=REQ-1 cause=expires_at\n",
	  "session_start success alice/1001 pid=60 object=unknown linked=1\n"
	  "access unknown alice/1001 object=REQ-1 access=id_only/session\nexec 61\n"
	  "exec 62\n"},
	 {0}},
};

static void test_story(const struct story *c)
{
	struct run r;
	bool whole;

	run_open(&r, "b");
	for (size_t i = 0; i < STORY_LINES && c->lines[i]; i++)
		feed(&r, c->lines[i]);
	transcript_end_all(r.p.transcript, "end_of_recording", T0);
	check_ship(&r.c);
	whole = check_store(&r.c);
	tap_ok(whole, "%s: the store: %s", c->name, r.c.why);
	for (uint32_t ses = 1; ses <= 2 && c->want[ses - 1]; ses++) {
		const char *folder = c->folder[ses - 1];
		_cleanup_buf_ struct buf got = {0};
		char *end;

		buf_init(&got, 65536);
		story(&r, ses, &got);
		end = strstr(buf_cstr(&got), "session_end");
		for (char *more; end && (more = strstr(end + 1, "session_end"));)
			end = more;
		if (end)
			*end = '\0';
		tap_str(buf_cstr(&got), c->want[ses - 1], "%s: session %u", c->name, ses);
		tap_str(session_find(r.p.sessions, ses)->folder,
			folder ? folder : "sessions/request=REQ-1", "%s: folder %u", c->name, ses);
	}
	pipeline_close(&r.p);
	check_close(&r.c);
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
	test_blind();
	for (size_t i = 0; i < ARRAY_LEN(stories); i++)
		test_story(&stories[i]);
	settings_free(&settings);
	return tap_done();
}
