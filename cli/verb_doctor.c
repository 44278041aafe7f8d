/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/verb.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/store/store_s3.h"
#include "common/transcript/page_text.h"

#define SCHEMA "sessaudit.doctor/1"
#define OUT_MAX (1024 * 1024)
#define NAME_COLUMNS 17

struct report {
	struct page_style style;
	bool json;
	size_t counts[DOCTOR_UNKNOWN + 1];
	struct buf out;
	struct json_writer *w; /* NULL: text */
};

static const struct {
	const char *name;
	enum page_color color;
} words[] = {
	[DOCTOR_OK] = {"ok", PAGE_GOOD},
	[DOCTOR_WARN] = {"warn", PAGE_WARN},
	[DOCTOR_FAIL] = {"fail", PAGE_ALARM},
	[DOCTOR_UNKNOWN] = {"unknown", PAGE_DIM},
};

static void put_finding(void *ctx, const char *check, enum doctor_status status,
			const char *message)
{
	struct report *r = ctx;
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, OUT_MAX);
	escape_terminal(&text, slice_of(message));
	r->counts[status]++;
	if (r->w) {
		json_write_open(r->w);
		json_write_kstr(r->w, "check", slice_of(check));
		json_write_kstr(r->w, "status", slice_of(words[status].name));
		json_write_kstr(r->w, "message", buf_slice(&text));
		json_write_close(r->w);
		return;
	}
	page_colored(&r->out, &r->style, words[status].color, words[status].name);
	page_pad(&r->out, sizeof("unknown ") - strlen(words[status].name));
	buf_printf(&r->out, "%-*s ", NAME_COLUMNS, check);
	buf_put(&r->out, buf_slice(&text));
	buf_putc(&r->out, '\n');
	(void)cli_flush(&r->out); /* checks may take their time; main sees a lost stdout */
}

void doctor_say(struct doctor *d, enum doctor_status status, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	d->say(d->say_ctx, d->check, status, message);
}

static void run_checks(struct doctor *d, const struct doctor_check *checks)
{
	for (; checks->name; checks++) {
		d->check = checks->name;
		checks->run(d);
	}
}

/* An auditor's machine has no agent to look at. */
static bool is_agent_host(const struct cli *cli, const struct settings *s)
{
	struct stat st;

	return !cli->store || stat(s->spool_dir, &st) == 0;
}

static bool check_configuration(struct doctor *d, const struct cli *cli)
{
	struct settings s = {0};
	struct sa_err err = {0};
	int rc = settings_load(cli->config, &s, &err);

	settings_free(&s);
	d->check = "configuration";
	if (rc != 0)
		doctor_say(d, rc == SA_ERR_PERM ? DOCTOR_UNKNOWN : DOCTOR_FAIL, "%s", err.msg);
	else if (cli->config || access(SETTINGS_DEFAULT_PATH, F_OK) == 0)
		doctor_say(d, DOCTOR_OK, "%s", cli->config ? cli->config : SETTINGS_DEFAULT_PATH);
	else
		doctor_say(d, DOCTOR_OK, "no " SETTINGS_DEFAULT_PATH ": the defaults are in force");
	return rc == 0;
}

static void check_store(struct doctor *d)
{
	struct sa_err err = {0};
	int rc = store_open(d->settings, false, NULL, NULL, &d->store, &err);

	d->check = "store";
	if (rc != 0) {
		doctor_say(d, rc == SA_ERR_PERM ? DOCTOR_UNKNOWN : DOCTOR_FAIL, "%s", err.msg);
		return;
	}
	if (!store_s3_location(d->store)) {
		run_checks(d, doctor_dir);
		return;
	}
	run_checks(d, doctor_s3_first);
	d->check = "bucket";
	if (d->reached)
		run_checks(d, doctor_s3);
	else
		doctor_say(d, DOCTOR_UNKNOWN, "not reached: how it is set up was not looked at");
}

static void examine(struct doctor *d, const struct cli *cli)
{
	struct settings s = {0};
	struct sa_err err = {0};
	bool good = check_configuration(d, cli);

	d->settings = &s;
	if (reader_settings(cli->store, cli->config, &s, &err) == 0) {
		if (is_agent_host(cli, &s)) {
			doctor_status_read(&s, DOCTOR_SHIPPER, &d->shipper);
			run_checks(d, doctor_host);
		}
		check_store(d);
	} else if (good) {
		doctor_say(d, DOCTOR_FAIL, "%s", err.msg);
	}
	json_free(d->shipper.json);
	store_close(d->store);
	settings_free(&s);
}

static void begin_report(struct report *r)
{
	buf_init(&r->out, OUT_MAX);
	cli_style(&r->style, false);
	if (!r->json)
		return;
	r->w = json_writer_new(&r->out);
	if (!r->w) {
		r->out.failed = true;
		return;
	}
	json_write_open(r->w);
	json_write_kstr(r->w, "schema", SLICE_LIT(SCHEMA));
	json_write_karray(r->w, "checks");
}

static bool end_report(struct report *r)
{
	if (r->w) {
		json_write_array_close(r->w);
		json_write_kint(r->w, "failed", (int64_t)r->counts[DOCTOR_FAIL]);
		json_write_kint(r->w, "warnings", (int64_t)r->counts[DOCTOR_WARN]);
		json_write_kint(r->w, "unknown", (int64_t)r->counts[DOCTOR_UNKNOWN]);
		json_write_close(r->w);
		if (json_writer_end(r->w) != 0)
			r->out.failed = true;
		buf_putc(&r->out, '\n');
	}
	return cli_flush(&r->out);
}

static int report(const struct cli *cli, struct doctor *d, struct report *r)
{
	d->say = put_finding;
	d->say_ctx = r;
	begin_report(r);
	examine(d, cli);
	if (!end_report(r))
		return cli_fail("cannot write the report");
	return r->counts[DOCTOR_FAIL] > 0 ? CLI_FAILED : CLI_OK;
}

static int run(const struct verb *v, const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"probe", no_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"pam-dir", required_argument, NULL, 'd'},
		{NULL, 0, NULL, 0},
	};
	struct report r = {0};
	struct doctor d = {0};
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			d.probe = true;
		else if (c == 'j')
			r.json = true;
		else if (c == 'd')
			d.pam_dir = optarg;
		else
			return cli_bad_option(v, argv);
	}
	if (optind < argc)
		return cli_usage(v, "%s: doctor takes options only", argv[optind]);
	rc = report(cli, &d, &r);
	json_writer_free(r.w);
	buf_free(&r.out);
	return rc;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.arguments = "[options]",
	.summary = "checks this host and the store, and says what is missing",
	.options =
		"      --probe            tries to write over an object (writes one, probe/host=...)\n"
		"      --json             one JSON object\n"
		"      --pam-dir DIR      reads the PAM services of DIR, not /etc/pam.d\n",
	.run = run,
};
