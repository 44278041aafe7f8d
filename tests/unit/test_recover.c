/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/collector/pipeline.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/log.h"
#include "common/settings.h"
#include "tests/unit/spool_check.h"
#include "tests/unit/tap.h"

/*
 * What a file system leaves behind: a collector writes, ends as by kill -9, files of its spool
 * come back empty, short, garbled or not at all, and another one goes on. tests/unit/test_writer
 * has the ends at each single step.
 */

#define AT(serial) "audit(1795222800.000:" #serial "): "
#define LOGIN "type=LOGIN msg=" AT(1) "pid=50 uid=0 auid=1001 ses=7 res=1"
#define TAG                                                                                        \
	"type=TRUSTED_APP msg=" AT(2) "pid=50 uid=0 auid=1001 ses=7 msg='op=sessaudit-bind "       \
				      "sa_v=1 sa_st=approved sa_src=user sa_req=\"REQ-1\" "        \
				      "sa_user=\"alice\" sa_svc=\"sshd\" sa_addr=\"10.0.0.9\" "    \
				      "sa_term=\"ssh\" exe=\"/usr/sbin/sshd\" res=success'"

static struct settings settings;

struct run {
	struct check c;
	struct pipeline p;
	struct session *s; /* the one that was taken up */
	unsigned taken;
	char sid[LAYOUT_SID_SIZE];
};

static void start(struct run *r)
{
	struct pipeline_facts facts = {.host = "h1",
				       .machine_id = "m",
				       .boot_id = "b",
				       .capture = "replay",
				       .spool_dir = r->c.spool,
				       .durable = true,
				       .settings = &settings};

	if (pipeline_open(&r->p, &facts, NULL))
		abort();
	r->p.now_ms = T0;
}

static void open_run(struct run *r)
{
	*r = (struct run){.taken = 0};
	layout_session_id(SLICE_LIT("m"), SLICE_LIT("b"), 7, r->sid);
	check_open(&r->c);
	start(r);
}

static void feed(struct run *r, const char *line)
{
	struct record rec;

	if (record_parse_line(slice_of(line), &rec))
		tap_ok(false, "bad line: %s", line);
	else
		pipeline_record(&r->p, &rec);
}

static void run_program(struct run *r, int serial)
{
	char line[400];

	snprintf(line, sizeof(line),
		 "type=SYSCALL msg=audit(1795222800.000:%d): arch=c000003e syscall=59 success=yes "
		 "exit=0 ppid=51 pid=70 auid=1001 uid=1001 euid=0 tty=pts0 ses=7 comm=\"x\" "
		 "exe=\"/bin/x\"",
		 serial);
	feed(r, line);
	snprintf(line, sizeof(line), "type=EXECVE msg=audit(1795222800.000:%d): argc=1 a0=\"x\"",
		 serial);
	feed(r, line);
	snprintf(line, sizeof(line), "type=PROCTITLE msg=audit(1795222800.000:%d): proctitle=\"x\"",
		 serial);
	feed(r, line);
	writer_flush(r->p.writer);
}

/* All that is open is old enough to be sealed. */
static void seal(struct run *r)
{
	r->p.now_ms += settings.segment_max_age;
	writer_tick(r->p.writer, r->p.now_ms);
}

static void take(void *ctx, struct session *s)
{
	struct run *r = ctx;

	r->taken++;
	r->s = s;
}

/* Another process. */
static void again(struct run *r)
{
	start(r);
	r->taken = 0;
	r->s = NULL;
	tap_int(writer_recover(r->p.writer, take, r, NULL), 0, "taken up");
}

static bool finish(struct run *r)
{
	transcript_end_all(r->p.transcript, "logout", r->p.now_ms);
	writer_tick(r->p.writer, r->p.now_ms);
	check_ship(&r->c);
	return check_store(&r->c);
}

static void close_run(struct run *r)
{
	pipeline_close(&r->p);
	check_close(&r->c);
}

/* Makes the file so long that it ends after size bytes; -1: removes it; -2: all of it zeroes. */
static void damage(struct run *r, const char *dir, const char *ext, off_t size)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s/%s%s", r->c.spool, dir, r->sid, ext);
	if (size == -1) {
		tap_int(unlink(path), 0, "%s%s is gone", dir, ext);
		return;
	}
	tap_ok(stat(path, &st) == 0 && truncate(path, size == -2 ? 0 : size) == 0 &&
		       (size != -2 || truncate(path, st.st_size) == 0),
	       "%s%s is %lld bytes", dir, ext, (long long)size);
}

/* --- its checkpoint is lost --- */

static void not_sealed(struct run *r)
{
	feed(r, LOGIN);
	feed(r, TAG);
	run_program(r, 5);
}

static void half_sealed(struct run *r)
{
	not_sealed(r);
	seal(r);
	run_program(r, 6);
	seal(r);
	run_program(r, 7);
}

static void all_sealed(struct run *r)
{
	half_sealed(r);
	seal(r);
}

/* Its folder is that of no request, and what it is known as comes later. */
static void late_tag(struct run *r)
{
	run_program(r, 5);
	seal(r);
	feed(r, TAG);
	seal(r);
}

static void late_tag_open(struct run *r)
{
	run_program(r, 5);
	seal(r);
	feed(r, TAG);
	run_program(r, 6);
}

/* It went on after its end. */
static void second_part(struct run *r)
{
	not_sealed(r);
	transcript_end_all(r->p.transcript, "logout", r->p.now_ms);
	run_program(r, 6);
	seal(r);
	run_program(r, 7);
}

static void test_lost_checkpoint(void)
{
	static const struct {
		const char *name;
		void (*setup)(struct run *r);
		bool tagged_later;
	} cases[] = {
		{"not sealed", not_sealed, false}, {"half sealed", half_sealed, false},
		{"all sealed", all_sealed, false}, {"went on", second_part, false},
		{"tagged late", late_tag, true},   {"tagged now", late_tag_open, true},
	};
	static const off_t damages[] = {0, -1, -2, 100};

	for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(damages); i++) {
		const char *name = cases[i / ARRAY_LEN(damages)].name;
		bool later = cases[i / ARRAY_LEN(damages)].tagged_later;
		uint64_t next_seq, execs;
		struct run r;

		open_run(&r);
		cases[i / ARRAY_LEN(damages)].setup(&r);
		next_seq = session_find(r.p.sessions, 7)->w.next_seq;
		execs = session_find(r.p.sessions, 7)->w.counts.execs;
		pipeline_close(&r.p);
		damage(&r, "state", "", damages[i % ARRAY_LEN(damages)]);
		again(&r);
		if (!tap_int(r.taken, 1, "%s: one session", name)) {
			close_run(&r);
			continue;
		}
		tap_int((long long)r.s->w.next_seq, (long long)next_seq, "%s: its numbers go on",
			name);
		tap_int((long long)r.s->w.counts.execs, (long long)execs, "%s: all are counted",
			name);
		tap_str(r.s->request, later ? NULL : "REQ-1", "%s: its folder's request", name);
		tap_str(r.s->access.request_id, "REQ-1", "%s: its request", name);
		tap_int(r.s->auid, 1001, "%s: its user", name);
		if (!later)
			tap_int(r.s->leader_pid, 50, "%s: who opened it", name);
		run_program(&r, 20);
		tap_ok(finish(&r), "%s: the store: %s", name, r.c.why);
		tap_ok(r.c.sessions == 1 && r.c.seen[5] == (later ? 2 : 1) && r.c.seen[20] == 1 &&
			       r.c.gaps == 0,
		       "%s: all of it once, in one folder", name);
		tap_int(r.c.pointers, later ? 1 : 0, "%s: pointers", name);
		close_run(&r);
	}
}

/* What an approval that ended has left: nothing is told again, whatever became of the checkpoint.
 */
static void test_expired(void)
{
	static const struct {
		const char *name;
		off_t damage; /* of the checkpoint */
		bool sealed;
	} cases[] = {
		{"as it was", 100000, false},      {"sealed", 100000, true},
		{"no checkpoint", -1, false},      {"sealed, no checkpoint", -1, true},
		{"sealed, an empty one", 0, true},
	};
	static const char tag[] = "type=TRUSTED_APP msg=" AT(
		2) "pid=50 uid=0 auid=1001 ses=7 msg='op=sessaudit-bind sa_v=1 sa_st=approved "
		   "sa_src=user sa_req=\"REQ-1\" sa_exp=\"2026-11-21T01:00:30Z\" "
		   "sa_user=\"alice\" sa_svc=\"sshd\" exe=\"/usr/sbin/sshd\" res=success'";
	int64_t end = T0 / 1000 * 1000 + 30000;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t next_seq;
		struct run r;

		open_run(&r);
		feed(&r, LOGIN);
		feed(&r, tag);
		run_program(&r, 5);
		transcript_advance(r.p.transcript, end, r.p.now_ms);
		writer_flush(r.p.writer);
		if (cases[i].sealed)
			seal(&r);
		tap_int(session_find(r.p.sessions, 7)->w.counts.expired_ms, end, "%s: told",
			cases[i].name);
		next_seq = session_find(r.p.sessions, 7)->w.next_seq;
		pipeline_close(&r.p);
		if (cases[i].damage != 100000)
			damage(&r, "state", "", cases[i].damage);
		again(&r);
		transcript_take_up(r.p.transcript, r.s);
		tap_int(transcript_due_ms(r.p.transcript), INT64_MAX, "%s: nothing is due",
			cases[i].name);
		transcript_advance(r.p.transcript, end + 1000, r.p.now_ms);
		tap_int((long long)r.s->w.next_seq, (long long)next_seq, "%s: nor told again",
			cases[i].name);
		tap_int(r.s->channels.parent, 51, "%s: who starts channels", cases[i].name);
		tap_ok(finish(&r), "%s: the store: %s", cases[i].name, r.c.why);
		close_run(&r);
	}
}

/* One that is lost with all that belongs to it. */
static void test_nothing_left(void)
{
	char path[200];
	struct run r;

	open_run(&r);
	all_sealed(&r);
	pipeline_close(&r.p);
	damage(&r, "state", "", 0);
	damage(&r, "open", ".segs", -1);
	damage(&r, "open", ".txt", -1);
	again(&r);
	tap_int(r.taken, 0, "nothing says whose it was");
	snprintf(path, sizeof(path), "%s/state/%s", r.c.spool, r.sid);
	tap_ok(access(path, F_OK) != 0, "an empty checkpoint is not met again");
	close_run(&r);
}

/* Replaces from by to in the checkpoint. */
static void rewrite(struct run *r, const char *from, const char *to)
{
	_cleanup_buf_ struct buf text = {0}, changed = {0};
	char path[200];
	const char *at;

	buf_init(&text, 65536);
	buf_init(&changed, 65536);
	snprintf(path, sizeof(path), "%s/state/%s", r->c.spool, r->sid);
	fdio_read_file(AT_FDCWD, path, text.max, &text, NULL);
	at = strstr(buf_cstr(&text), from);
	if (!tap_ok(at != NULL, "the checkpoint says %s", from))
		return;
	buf_append(&changed, text.data, (size_t)(at - text.data));
	buf_puts(&changed, to);
	buf_puts(&changed, at + strlen(from));
	fdio_replace_file(AT_FDCWD, path, changed.data, changed.len, 0600, NULL);
}

/* The checkpoint says where the session lies; one from before that was so means the default. */
static void test_folder(void)
{
	static const struct {
		const char *name, *prefix, *to, *want;
	} cases[] = {
		{"another template", "a/{user}", "a/alice", "a/alice"},
		{"an older agent's", NULL, "\"older\":\"sessions/request=REQ-1\"", NULL},
		{"one that cannot be", "a/{user}", "\"folder\":\"../x\"", "a/alice"},
	};
	char *before = settings.store_session_prefix;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *mine = strdup(cases[i].prefix ? cases[i].prefix : before);
		struct run r;

		settings.store_session_prefix = mine;
		open_run(&r);
		half_sealed(&r);
		pipeline_close(&r.p);
		rewrite(&r,
			i == 0            ? "a/alice"
			: cases[i].prefix ? "\"folder\":\"a/alice\""
					  : "\"folder\":\"sessions/request=REQ-1\"",
			cases[i].to);
		settings.store_session_prefix = before;
		again(&r);
		tap_str(r.s ? r.s->folder : "no session", cases[i].want, "%s: folder",
			cases[i].name);
		run_program(&r, 20);
		tap_ok(finish(&r) && r.c.sessions == 1, "%s: the store: %s", cases[i].name,
		       r.c.why);
		tap_int(r.c.pointers, cases[i].prefix ? 1 : 0, "%s: pointers", cases[i].name);
		close_run(&r);
	}
}

/* --- files of lines are damaged --- */

#define BACKLOG 4 /* files, the last of them open; program 10 + n ran in file n */

static void open_backlog(struct run *r)
{
	char ready[100];

	open_run(r);
	snprintf(ready, sizeof(ready), "%s/ready", r->c.spool);
	feed(r, LOGIN);
	feed(r, TAG);
	check_ship(&r->c);
	/* Nothing can be made ready now, so what is cut waits. */
	for (int n = 0; n < BACKLOG; n++) {
		run_program(r, 10 + n);
		if (n == 0) {
			char command[200];

			snprintf(command, sizeof(command), "rm -rf %s", ready);
			if (system(command) != 0)
				abort();
		}
		if (n < BACKLOG - 1)
			seal(r);
	}
	pipeline_close(&r->p);
}

#define GAP (CHECK_IDS - 1)

/* Which of the programs 10 to 13 and 20 can be found in the store, whatever the chain says. */
static int count_entry(void *ctx, struct slice line)
{
	unsigned *seen = ctx;
	struct entry_read e;

	if (entry_parse(line, &e, NULL))
		return 0;
	if (e.e.audit_serial < CHECK_IDS)
		seen[e.e.audit_serial]++;
	if (e.e.type == ENTRY_GAP && slice_is(e.e.cause, "spool_damaged"))
		seen[GAP] += 1000 + (unsigned)e.e.count;
	entry_read_free(&e);
	return 0;
}

static void read_numbers(struct run *r, unsigned seen[CHECK_IDS], char numbers[32])
{
	size_t n = 0;

	memset(seen, 0, CHECK_IDS * sizeof(*seen));
	for (unsigned i = 0; i < 10; i++)
		if (check_read(&r->c, "sessions/request=REQ-1", r->sid, i, count_entry, seen))
			numbers[n++] = (char)('0' + i);
	numbers[n] = '\0';
}

static void test_damaged_lines(void)
{
	static const struct {
		const char *name, *ext;
		off_t size;
		const char *numbers; /* of segments in the store, the end's included */
		const char *seen;    /* of the programs 10 to 13 */
		unsigned gap;        /* 1000 for a gap, and what it counts */
		bool whole;          /* for a reader nothing is wrong */
	} cases[] = {
		{"not", ".000001.jsonl", 100000, "0123", "1111", 0, true},
		{"the last empty", ".000003.jsonl", 0, "0123", "1110", 0, true},
		{"the last zeroes", ".000003.jsonl", -2, "0123", "1110", 0, true},
		{"the last gone", ".000003.jsonl", -1, "0123", "1110", 0, true},
		{"the last torn", ".000003.jsonl", 900, "0123", "1110", 0, true},
		{"one empty", ".000001.jsonl", 0, "023", "1011", 1001, false},
		{"one gone", ".000001.jsonl", -1, "023", "1011", 1001, false},
		{"one zeroes", ".000002.jsonl", -2, "013", "1101", 1001, false},
		{"the first empty", ".000000.jsonl", 0, "123", "0111", 1003, false},
		{"one without its end", ".000001.jsonl", 1050, "0123", "1111", 0, true},
		{"one without its entry", ".000001.jsonl", 600, "023", "1011", 1001, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned seen[CHECK_IDS];
		char numbers[32], got[BACKLOG + 1] = "";
		struct run r;
		bool whole;

		open_backlog(&r);
		if (cases[i].size != 100000)
			damage(&r, "open", cases[i].ext, cases[i].size);
		again(&r);
		tap_int(r.taken, 1, "%s: one session", cases[i].name);
		run_program(&r, 20);
		whole = finish(&r);
		if (cases[i].whole)
			tap_ok(whole, "%s: the store: %s", cases[i].name, r.c.why);
		read_numbers(&r, seen, numbers);
		for (int n = 0; n < BACKLOG; n++)
			got[n] = (char)('0' + seen[10 + n]);
		tap_str(numbers, cases[i].numbers, "%s: segments", cases[i].name);
		tap_str(got, cases[i].seen, "%s: programs", cases[i].name);
		tap_int(seen[20], 1, "%s: it goes on", cases[i].name);
		tap_int(seen[GAP], cases[i].gap, "%s: the gap", cases[i].name);
		close_run(&r);
	}
}

int main(void)
{
	log_init("test_recover", LOG_LEVEL_ERR - 1);
	clock_fake(T0, 0);
	settings_parse("test", SLICE_LIT("[spool]\nmin_free = 0\n"), &settings, NULL);
	test_lost_checkpoint();
	test_expired();
	test_nothing_left();
	test_folder();
	test_damaged_lines();
	settings_free(&settings);
	return tap_done();
}
