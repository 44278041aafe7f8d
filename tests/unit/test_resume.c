/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/collector/resume.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "tests/unit/spool_check.h"
#include "tests/unit/tap.h"

/* A number that no process of the host has. */
#define SES "4294967000"
#define SES_NUMBER 4294967000U
#define AT "audit(1795222800.123:"
#define LOGIN                                                                                      \
	"type=LOGIN msg=" AT                                                                       \
	"1): pid=50 uid=0 old-auid=4294967295 auid=1001 old-ses=4294967295 ses=" SES " res=1"
#define START                                                                                      \
	"type=USER_START msg=" AT "2): pid=50 uid=0 auid=1001 ses=" SES                            \
	" msg='op=PAM:session_open acct=\"al\" exe=\"/usr/sbin/sshd\" hostname=h addr=10.0.0.9 "   \
	"terminal=ssh res=success'"
#define END                                                                                        \
	"type=USER_END msg=" AT "3): pid=50 uid=0 auid=1001 ses=" SES                              \
	" msg='op=PAM:session_close exe=\"/usr/sbin/sshd\" res=success'"

static struct settings settings;

struct run {
	struct check c;
	struct pipeline p;
	char ses_dir[100];
};

static void run_open(struct run *r, const char *boot_id)
{
	struct pipeline_facts facts = {
		.spool_dir = r->c.spool,
		.host = "h1",
		.machine_id = "m",
		.boot_id = boot_id,
		.capture = "netlink",
		.ses_dir = r->ses_dir,
		.durable = true, /* what is in the spool is taken up again */
		.settings = &settings,
	};

	snprintf(r->ses_dir, sizeof(r->ses_dir), "%s/ses", r->c.dir);
	mkdir(r->ses_dir, 0700);
	if (pipeline_open(&r->p, &facts, NULL))
		abort();
	r->p.now_ms = 1000000;
	if (resume_take_up(&r->p, NULL))
		abort();
}

static void feed(struct run *r, const char *line)
{
	struct record rec;

	if (record_parse_line(slice_of(line), &rec))
		abort();
	pipeline_record(&r->p, &rec);
}

static void run_close(struct run *r)
{
	writer_seal_all(r->p.writer);
	check_ship(&r->c);
	pipeline_close(&r->p);
}

/* What the stored entries say, "type reason;" each. */
static const char *told(struct run *r)
{
	char command[300];

	snprintf(
		command, sizeof(command),
		"zcat %s/sessions/*/*/0*.jsonl.gz | grep '\"seq\":' | "
		"sed -E 's/.*\"type\":\"([a-z_]*)\"/\\1/;s/\"reason\":\"([a-z_]*)\"/\\n \\1\\n/;' | "
		"sed -E '/^[a-z]/s/,.*//;/^[^a-z ]/d' | tr -d '\\n' | tr ',' ';'",
		r->c.store);
	return check_output(command);
}

/* What a run that was killed leaves, taken up in the same boot or another. */
static void test_ends(void)
{
	static const struct numbers nobody = {.whole = true};
	static const struct {
		const char *name, *boot, *told;
	} cases[] = {
		{"sshd was killed while nobody listened", "b1",
		 "session_startgap agent_restartsession_end ended_unseen"},
		{"the power was cut", "b2", "session_startgap agent_restartsession_end reboot"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run r = {0};

		check_open(&r.c);
		run_open(&r, "b1");
		feed(&r, LOGIN);
		feed(&r, START);
		run_close(&r);
		run_open(&r, cases[i].boot);
		resume_with(&r.p, &nobody, T0, 1000);
		run_close(&r);
		tap_str(told(&r), cases[i].told, "%s", cases[i].name);
		tap_ok(check_store(&r.c), "%s: the store: %s", cases[i].name, r.c.why);
		tap_int(r.c.gaps, 1, "%s: a gap", cases[i].name);
		check_close(&r.c);
	}
}

static void test_adopt(void)
{
	struct run r = {0};
	int64_t now = T0 + 60000;

	check_open(&r.c);
	run_open(&r, "b1");
	transcript_adopt(r.p.transcript, SES_NUMBER, 1001, T0, now, r.p.now_ms);
	tap_int(session_find(r.p.sessions, SES_NUMBER)->phase, SESSION_OPEN, "found running: open");
	transcript_adopt(r.p.transcript, SES_NUMBER, 1001, T0, now, r.p.now_ms);
	tap_int((long long)session_count(r.p.sessions), 1, "once more: nothing");
	feed(&r, END);
	transcript_end_all(r.p.transcript, "end_of_recording", r.p.now_ms);
	transcript_adopt(r.p.transcript, SES_NUMBER, 1001, T0, now, r.p.now_ms);
	tap_int((long long)session_count(r.p.sessions), 0,
		"left behind after its end: not begun anew");
	run_close(&r);
	tap_str(told(&r), "session_start adoptedgap agent_not_runningsession_end logout",
		"adopted, with a gap");
	tap_ok(check_store(&r.c), "adopted: the store: %s", r.c.why);

	run_open(&r, "b1"); /* the next run knows it by its checkpoint */
	transcript_adopt(r.p.transcript, SES_NUMBER, 1001, T0, now, r.p.now_ms);
	tap_int((long long)session_count(r.p.sessions), 0, "nor by the next run");
	run_close(&r);
	check_close(&r.c);
}

int main(void)
{
	log_init("test_resume", LOG_LEVEL_ERR);
	if (settings_parse("t", SLICE_LIT("[redact]\nenable = no\n"), &settings, NULL))
		return 1;
	test_ends();
	test_adopt();
	settings_free(&settings);
	return tap_done();
}
