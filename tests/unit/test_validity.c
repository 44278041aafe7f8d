/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/collector/pipeline.h"
#include "common/access/tagfile.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/transcript/entry.h"
#include "tests/unit/broker_key.h"
#include "tests/unit/spool_check.h"
#include "tests/unit/tap.h"

/* Grants that end, are moved and are withdrawn, in real files, while a session runs as the live
 * collector sees it. Without files, and in replays: tests/unit/test_transcript. */

#define START INT64_C(1795222800000) /* 2026-11-21T01:00:00Z */
#define BOOT "11111111-2222-3333-4444-555555555555"
#define AT_30 "2026-11-21T01:00:30Z"
#define AT_60 "2026-11-21T01:01:00Z"
#define AT_10 "2026-11-21T01:00:10Z"

static struct settings settings;

static void test_start(void)
{
	static const struct {
		const char *name;
		enum access_status status;
		const char *expires_at;
		int64_t want;
	} cases[] = {
		{"approved", ACCESS_APPROVED, AT_30, START + 30000},
		{"without an end", ACCESS_APPROVED, NULL, VALIDITY_NO_END},
		{"a broken end", ACCESS_APPROVED, "soon", VALIDITY_NO_END},
		{"not approved", ACCESS_UNAPPROVED, AT_30, VALIDITY_NO_END},
		{"by its id only", ACCESS_ID_ONLY, AT_30, VALIDITY_NO_END},
		{"break-glass", ACCESS_BREAKGLASS, AT_30, VALIDITY_NO_END},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_access_ struct access a = {.status = cases[i].status};
		struct validity v = {0};

		access_set(&a.expires_at, slice_of(cases[i].expires_at));
		validity_start(&v, &a);
		tap_int(v.expires_ms, cases[i].want, "%s: ends", cases[i].name);
	}
}

static void test_channels(void)
{
	static const struct {
		const char *name, *steps; /* pid<ppid, own unless '*'; '!': a new channel */
	} cases[] = {
		{"a shell and its programs", "70<51 71<70 72<70 71<70"},
		{"a shell that becomes another", "70<51 70<51 70<51"},
		{"a second channel", "70<51 71<70 80<51! 81<80 80<51"},
		{"three of them", "70<51 80<51! 90<51! 70<51 80<51"},
		{"pam_motd ran before, as root", "60<50* 61<60* 70<51 80<51!"},
		{"xauth ran before the shell", "71<70 70<51 72<70 80<51! 81<80"},
		{"rc and xauth ran before the shell", "71<70 72<70! 70<51 73<70 80<51!"},
		{"of init", "70<1 80<1 90<1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct channels c = {0};

		for (const char *p = cases[i].steps; p;) {
			long long pid, ppid;
			int n = 0;
			bool own, want, got;

			sscanf(p, " %lld<%lld%n", &pid, &ppid, &n);
			own = p[n] != '*';
			want = p[n] == '!';
			got = channels_note(&c, pid, ppid, own);
			tap_ok(got == want, "%s: %lld", cases[i].name, pid);
			p = strchr(p + n, ' ');
		}
	}
}

/* --- what a broker signed --- */

static void sign_grant(const char *path, unsigned char key, const char *issued, const char *expires,
		       bool revoked)
{
	_cleanup_buf_ struct buf out = {0};
	char text[600];
	int n = snprintf(text, sizeof(text),
			 "{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"g-1\",\"request\":{"
			 "\"id\":\"REQ-1\"},\"hosts\":[\"h1\"],\"issued_at\":\"%s\","
			 "\"expires_at\":\"%s\",\"revoked\":%s,\"match\":{\"users\":[\"alice\"]}}",
			 issued, expires, revoked ? "true" : "false");

	buf_init(&out, SIGNED_MAX_BYTES);
	broker_key_sign(key, (struct slice){text, (size_t)n}, &out);
	if (fdio_replace_file(AT_FDCWD, path, out.data, out.len, 0644, NULL))
		abort();
}

static void test_signed(void)
{
	static const struct {
		const char *name;
		unsigned char key;
		const char *issued, *expires;
		bool revoked;
		int64_t want_end;
		const char *want_gone;
		bool unreadable;
	} steps[] = {
		{"as it was", 1, AT_10, AT_30, false, START + 30000, NULL, false},
		{"another key", 2, AT_30, AT_60, false, START + 30000, NULL, true},
		{"issued anew", 1, AT_30, AT_60, false, START + 60000, NULL, false},
		{"the old version", 1, AT_10, AT_30, true, START + 60000, NULL, true},
		{"revoked", 1, AT_60, AT_60, true, START + 60000, "revoked", false},
		{"revoked by another key", 2, AT_60, AT_60, false, START + 60000, "revoked", true},
		{"back to before", 1, AT_30, AT_60, false, START + 60000, "revoked", true},
	};
	_cleanup_access_ struct access a = {.status = ACCESS_APPROVED};
	struct signers signers = {.len = 0};
	struct grants_trust trust = {geteuid(), &signers};
	struct validity v = {0};
	struct rlimit files;
	struct check c;
	char path[100];

	check_open(&c);
	snprintf(path, sizeof(path), "%s/a.json", c.dir);
	access_set(&a.request_id, SLICE_LIT("REQ-1"));
	access_set(&a.grant_id, SLICE_LIT("g-1"));
	validity_start(&v, &a);
	v.file = slice_dup(slice_of(path));
	broker_key_signers(1, &signers);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		sign_grant(path, steps[i].key, steps[i].issued, steps[i].expires, steps[i].revoked);
		tap_str(validity_look(&v, &a, &trust), steps[i].want_gone, "%s", steps[i].name);
		tap_int(v.expires_ms, steps[i].want_end, "%s: ends", steps[i].name);
		tap_ok(v.unreadable == steps[i].unreadable, "%s: complained of or not",
		       steps[i].name);
	}
	/* A revocation that could not be read at the first look is read at the next. */
	sign_grant(path, 1, AT_60, AT_60, false);
	tap_ok(!validity_look(&v, &a, &trust), "issued anew once more");
	sign_grant(path, 1, AT_60, AT_60, true);
	getrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, files.rlim_max});
	tap_ok(!validity_look(&v, &a, &trust), "no descriptor is left");
	setrlimit(RLIMIT_NOFILE, &files);
	tap_str(validity_look(&v, &a, &trust), "revoked", "there is one again");
	unlink(path);
	tap_str(validity_look(&v, &a, &trust), "grant_removed", "taken away");
	signers_free(&signers);
	validity_free(&v);
	check_close(&c);
}

/* --- a session with files --- */

struct run {
	struct check c;
	struct pipeline p;
	char ses_dir[100], grants[100], file[140];
	int serial;
};

static void write_grant(const struct run *r, const char *id, const char *expires, bool revoked)
{
	char text[600];
	int n = snprintf(
		text, sizeof(text),
		"{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"g-1\",\"request\":{\"id\":"
		"\"%s\"},\"expires_at\":\"%s\",\"revoked\":%s,\"match\":{\"users\":["
		"\"alice\"]}}\n",
		id, expires, revoked ? "true" : "false");

	if (fdio_replace_file(AT_FDCWD, r->file, text, (size_t)n, 0644, NULL))
		abort();
}

static void write_tagfile(const struct run *r, uint32_t ses, const char *expires)
{
	struct tagfile f = {.ses = ses, .auid = 1001, .pid = 50, .boot_id = BOOT, .time_ms = START};
	struct access *a = &f.tag.access;

	a->status = ACCESS_APPROVED;
	a->source = ACCESS_SOURCE_USER;
	access_set(&a->request_id, SLICE_LIT("REQ-1"));
	access_set(&a->grant_id, SLICE_LIT("g-1"));
	access_set(&a->expires_at, slice_of(expires));
	access_set(&f.tag.user, SLICE_LIT("alice"));
	access_set(&f.tag.service, SLICE_LIT("sshd"));
	access_set(&f.grant_file, slice_of(r->file));
	if (tagfile_write(r->ses_dir, &f, NULL))
		abort();
	tagfile_free(&f);
}

static void start(struct run *r)
{
	struct pipeline_facts facts = {.host = "h1",
				       .machine_id = "m",
				       .boot_id = BOOT,
				       .capture = "netlink",
				       .spool_dir = r->c.spool,
				       .ses_dir = r->ses_dir,
				       .durable = true,
				       .owner_uid = geteuid(),
				       .settings = &settings};

	if (pipeline_open(&r->p, &facts, NULL))
		abort();
}

/* It is so many seconds after the start, for events and for the clock. */
static void at(struct run *r, int seconds)
{
	r->p.now_ms = START + 1000 * (int64_t)seconds;
	clock_fake(r->p.now_ms, 0);
}

static void feed(struct run *r, const char *type, const char *rest)
{
	int64_t now = clock_real_ms();
	struct record rec;
	char line[800];

	snprintf(line, sizeof(line), "type=%s msg=audit(%lld.%03d:%d): %s", type,
		 (long long)(now / 1000), (int)(now % 1000), ++r->serial, rest);
	if (record_parse_line(slice_of(line), &rec))
		abort();
	pipeline_record(&r->p, &rec);
}

static void program(struct run *r, int pid, int ppid, int ses)
{
	char rest[300];

	snprintf(rest, sizeof(rest),
		 "arch=c000003e syscall=59 success=yes exit=0 ppid=%d pid=%d auid=1001 uid=1001 "
		 "euid=1001 tty=pts0 ses=%d comm=\"x\" exe=\"/bin/x\"",
		 ppid, pid, ses);
	feed(r, "SYSCALL", rest);
	r->serial--;
	feed(r, "PROCTITLE", "proctitle=\"x\"");
}

static void login(struct run *r, const char *expires)
{
	char rest[400];

	write_grant(r, "REQ-1", expires, false);
	write_tagfile(r, 1, expires);
	feed(r, "LOGIN",
	     "pid=50 uid=0 old-auid=4294967295 auid=1001 old-ses=4294967295 ses=1 res=1");
	snprintf(rest, sizeof(rest),
		 "pid=50 uid=0 auid=1001 ses=1 msg='op=sessaudit-bind sa_v=1 sa_st=approved "
		 "sa_src=user sa_req=\"REQ-1\" sa_grant=\"g-1\" sa_exp=\"%s\" sa_user=\"alice\" "
		 "sa_svc=\"sshd\" exe=\"/usr/sbin/sshd\" res=success'",
		 expires);
	feed(r, "TRUSTED_APP", rest);
	program(r, 70, 51, 1);
}

static void open_run(struct run *r)
{
	*r = (struct run){.serial = 0};
	check_open(&r->c);
	snprintf(r->ses_dir, sizeof(r->ses_dir), "%s/ses", r->c.dir);
	snprintf(r->grants, sizeof(r->grants), "%s/grants", r->c.dir);
	snprintf(r->file, sizeof(r->file), "%s/a.json", r->grants);
	mkdir(r->ses_dir, 0700);
	mkdir(r->grants, 0755);
	at(r, 0);
	start(r);
}

static void look(struct run *r)
{
	transcript_advance(r->p.transcript, clock_real_ms(), r->p.now_ms);
	transcript_look(r->p.transcript, r->p.now_ms);
	writer_flush(r->p.writer);
}

/* "expired@30000/expires_at " for each such entry in the session's open segment. */
static void told(const struct run *r, uint32_t ses, char out[300])
{
	_cleanup_buf_ struct buf text = {0};
	char path[300], sid[LAYOUT_SID_SIZE];
	size_t used = 0;

	*out = '\0';
	layout_session_id(SLICE_LIT("m"), SLICE_LIT(BOOT), ses, sid);
	snprintf(path, sizeof(path), "%s/open/%s.000000.jsonl", r->c.spool, sid);
	buf_init(&text, 1 << 20);
	if (fdio_read_file(AT_FDCWD, path, text.max, &text, NULL))
		return;
	for (char *line = strtok((char *)(uintptr_t)buf_cstr(&text), "\n"); line;
	     line = strtok(NULL, "\n")) {
		struct entry_read e;

		if (entry_parse(slice_of(line), &e, NULL))
			continue;
		if (e.e.type == ENTRY_EXPIRED || e.e.type == ENTRY_REVOKED)
			used += (size_t)snprintf(out + used, 300 - used, "%s@%lld/%.*s%s%.0lld ",
						 entry_type_name(e.e.type),
						 (long long)(e.e.time_ms - START),
						 (int)e.e.cause.len, e.e.cause.ptr,
						 e.e.pid ? ":" : "", (long long)e.e.pid);
		entry_read_free(&e);
	}
}

static void expect(const struct run *r, const char *want, const char *name)
{
	char got[300];

	told(r, 1, got);
	tap_str(got, want, "%s", name);
}

/* As by kill -9: all that is known is what the spool has. */
static void take_up(void *ctx, struct session *s)
{
	struct run *r = ctx;

	transcript_take_up(r->p.transcript, s);
}

static void again(struct run *r)
{
	int64_t now_ms = r->p.now_ms;

	writer_flush(r->p.writer); /* as after each batch of records */
	pipeline_close(&r->p);
	start(r);
	r->p.now_ms = now_ms;
	if (writer_recover(r->p.writer, take_up, r, NULL))
		abort();
}

static void close_run(struct run *r)
{
	transcript_end_all(r->p.transcript, "logout", r->p.now_ms);
	writer_tick(r->p.writer, r->p.now_ms);
	check_ship(&r->c);
	tap_ok(check_store(&r->c), "the store: %s", r->c.why);
	pipeline_close(&r->p);
	check_close(&r->c);
}

static void plainly(struct run *r)
{
	(void)r;
}

/* Every one of these, with and without a collector that is killed at each step. */
static void test_expiry(void (*kill)(struct run *r), const char *how)
{
	struct run r;

	open_run(&r);
	login(&r, AT_30);
	kill(&r);
	at(&r, 29);
	look(&r);
	expect(&r, "", how);
	tap_int(transcript_due_ms(r.p.transcript), START + 29999, "it is waited for");
	kill(&r);
	at(&r, 31);
	look(&r);
	expect(&r, "expired@30000/expires_at ", "it ends");
	tap_int(transcript_due_ms(r.p.transcript), INT64_MAX, "once");
	kill(&r);
	at(&r, 32);
	look(&r);
	program(&r, 71, 70, 1);
	program(&r, 80, 51, 1);
	writer_flush(r.p.writer);
	expect(&r, "expired@30000/expires_at expired@32000/new_channel:80 ",
	       "a new channel, and no old one");
	kill(&r);
	program(&r, 80, 51, 1);
	program(&r, 90, 51, 1);
	writer_flush(r.p.writer);
	expect(&r,
	       "expired@30000/expires_at expired@32000/new_channel:80 "
	       "expired@32000/new_channel:90 ",
	       "and another");
	write_grant(&r, "REQ-1", AT_60, false);
	at(&r, 33);
	look(&r);
	program(&r, 91, 51, 1);
	at(&r, 61);
	kill(&r);
	look(&r);
	expect(&r,
	       "expired@30000/expires_at expired@32000/new_channel:80 "
	       "expired@32000/new_channel:90 expired@60000/expires_at ",
	       "an approval that was given once more ends once more");
	unlink(r.file);
	look(&r);
	program(&r, 92, 51, 1);
	writer_flush(r.p.writer);
	expect(&r,
	       "expired@30000/expires_at expired@32000/new_channel:80 "
	       "expired@32000/new_channel:90 expired@60000/expires_at "
	       "expired@61000/new_channel:92 ",
	       "a grant that is taken away after its end was no approval");
	close_run(&r);
}

static void test_moved(void (*kill)(struct run *r), const char *how)
{
	struct run r;

	open_run(&r);
	login(&r, AT_30);
	at(&r, 20);
	look(&r);
	kill(&r);
	write_grant(&r, "REQ-1", AT_60, false);
	at(&r, 31); /* nobody has looked since */
	transcript_advance(r.p.transcript, START + 31000, r.p.now_ms);
	writer_flush(r.p.writer);
	expect(&r, "", how);
	kill(&r);
	at(&r, 32);
	look(&r);
	expect(&r, "", "nor later");
	write_grant(&r, "REQ-1", AT_10, false);
	at(&r, 33);
	look(&r);
	look(&r);
	expect(&r, "expired@10000/expires_at ", "an end that is moved back");
	close_run(&r);
}

static void test_withdrawn(void (*kill)(struct run *r), const char *how)
{
	struct run r;

	open_run(&r);
	login(&r, AT_60);
	look(&r);
	write_grant(&r, "REQ-1", AT_60, true);
	at(&r, 5);
	look(&r);
	kill(&r);
	look(&r);
	program(&r, 71, 70, 1);
	kill(&r);
	program(&r, 80, 51, 1);
	writer_flush(r.p.writer);
	expect(&r, "revoked@5000/revoked revoked@5000/new_channel:80 ", how);
	unlink(r.file);
	at(&r, 6);
	look(&r);
	kill(&r);
	look(&r);
	expect(&r, "revoked@5000/revoked revoked@5000/new_channel:80 ",
	       "gone after that is no news");
	write_grant(&r, "REQ-1", AT_60, false);
	at(&r, 7);
	look(&r);
	kill(&r);
	look(&r);
	program(&r, 81, 51, 1);
	unlink(r.file);
	at(&r, 8);
	look(&r);
	kill(&r);
	at(&r, 9);
	look(&r);
	expect(&r, "revoked@5000/revoked revoked@5000/new_channel:80 revoked@8000/grant_removed ",
	       "it was there again, and then was not");
	write_grant(&r, "REQ-2", AT_60, false);
	at(&r, 10);
	look(&r);
	expect(&r, "revoked@5000/revoked revoked@5000/new_channel:80 revoked@8000/grant_removed ",
	       "another grant by its name is not it");
	close_run(&r);
}

/* What cannot be read, or cannot be believed, withdraws nothing. */
static void test_unreadable(void)
{
	struct run r;

	open_run(&r);
	login(&r, AT_30);
	look(&r);
	if (fdio_replace_file(AT_FDCWD, r.file, "{", 1, 0644, NULL))
		abort();
	at(&r, 1);
	look(&r);
	expect(&r, "", "half a file");
	write_grant(&r, "REQ-1", AT_60, true);
	chmod(r.file, 0666);
	at(&r, 2);
	look(&r);
	expect(&r, "", "one that anybody could have written");
	tap_ok(session_find(r.p.sessions, 1)->validity.unreadable, "is complained of");
	at(&r, 31);
	look(&r);
	expect(&r, "expired@30000/expires_at ", "the end is known all the same");
	close_run(&r);
}

#define OWN_TAG                                                                                    \
	"pid=60 uid=0 auid=1001 ses=2 msg='op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user "   \
	"sa_req=\"REQ-1\" sa_grant=\"g-1\" sa_exp=\"" AT_30 "\" sa_user=\"alice\" "                \
	"sa_svc=\"sshd\" exe=\"/usr/sbin/sshd\" res=success'"

/* Its LOGIN record is known to the run before only. */
static void test_left(void (*kill)(struct run *r), const char *how)
{
	char got[300];
	struct run r;

	open_run(&r);
	login(&r, AT_60);
	feed(&r, "LOGIN", "pid=60 uid=0 old-auid=1001 auid=1001 tty=pts0 old-ses=1 ses=2 res=1");
	writer_flush(r.p.writer);
	kill(&r);
	program(&r, 61, 60, 2);
	writer_flush(r.p.writer);
	tap_str(session_find(r.p.sessions, 2)->access.request_id, "REQ-1", "%s", how);
	tap_int(session_find(r.p.sessions, 2)->access.source, ACCESS_SOURCE_SESSION,
		"by its session");
	tap_str(session_find(r.p.sessions, 2)->folder, "sessions/request=REQ-1", "in its folder");
	tap_str(session_find(r.p.sessions, 2)->linked, session_find(r.p.sessions, 1)->sid,
		"and linked");
	tap_int(session_find(r.p.sessions, 2)->access.status, ACCESS_ID_ONLY, "not approved");
	kill(&r);
	feed(&r, "TRUSTED_APP", OWN_TAG);
	kill(&r);
	tap_int(session_find(r.p.sessions, 2)->access.source, ACCESS_SOURCE_SESSION,
		"and a tag without its file changes nothing");
	write_tagfile(&r, 2, AT_30);
	feed(&r, "TRUSTED_APP", OWN_TAG);
	kill(&r);
	tap_int(session_find(r.p.sessions, 2)->access.status, ACCESS_APPROVED,
		"but for a context of its own");
	at(&r, 61);
	look(&r);
	told(&r, 2, got);
	tap_str(got, "expired@60000/expires_at ", "that ends when its grant does");
	close_run(&r);
}

/* Its own tag file is there, its tag on the way. */
static void test_left_with_own(void)
{
	struct run r;

	open_run(&r);
	login(&r, AT_60);
	feed(&r, "LOGIN", "pid=60 uid=0 old-auid=1001 auid=1001 tty=pts0 old-ses=1 ses=2 res=1");
	write_tagfile(&r, 2, AT_30);
	program(&r, 61, 60, 2);
	tap_ok(!session_find(r.p.sessions, 2)->tagged, "nothing is taken over");
	feed(&r, "TRUSTED_APP", OWN_TAG);
	tap_int(session_find(r.p.sessions, 2)->access.source, ACCESS_SOURCE_USER, "it has its own");
	close_run(&r);
}

int main(void)
{
	log_init("test_validity", LOG_LEVEL_ERR - 1);
	settings_parse("test", SLICE_LIT("[spool]\nmin_free = 0\n"), &settings, NULL);
	test_start();
	test_channels();
	test_signed();
	test_expiry(plainly, "not before its time");
	test_expiry(again, "killed: not before its time");
	test_moved(plainly, "a later end, looked at before it is told");
	test_moved(again, "killed: a later end, looked at before it is told");
	test_withdrawn(plainly, "revoked once, and a new channel");
	test_withdrawn(again, "killed: revoked once, and a new channel");
	test_unreadable();
	test_left(plainly, "a session that leaves takes its request along");
	test_left(again, "killed: a session that leaves takes its request along");
	test_left_with_own();
	settings_free(&settings);
	return tap_done();
}
