/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/settings.h"
#include "tests/unit/tap.h"

static void check_defaults(const struct settings *s, const char *when)
{
	tap_str(s->spool_dir, "/var/lib/sessaudit/spool", "spool.dir %s", when);
	tap_str(s->store_type, "dir", "store.type %s", when);
	tap_str(s->agent_log_level, "info", "agent.log_level %s", when);
	tap_int(s->store_retry_min, 500, "store.retry_min %s", when);
	tap_int(s->segment_max_bytes, 262144, "segment.max_bytes %s", when);
	tap_ok(s->capture_commands && !s->pam_log_passwd, "switches %s", when);
	tap_ok(!s->pam_enable && s->pam_grants_dir.len == 0, "unset %s", when);
}

static const struct {
	const char *text, *msg;
} bad[] = {
	{"[store]\ntype = tape", "f: store.type: unknown word; write dir or s3"},
	{"[store]\ntype =", "f: store.type: unknown word; write dir or s3"},
	{"[agent]\nlog_level = loud",
	 "f: agent.log_level: unknown word; write err, warn, info or debug"},
	{"[store]\nretry_min = 2s\nretry_max = 1s",
	 "f: store.retry_min: longer than store.retry_max; make it shorter"},
	{"[pam]\ngrants_dir = /a\ngrants_dir = b",
	 "f: pam.grants_dir: not an absolute path; start it with /"},
	{"[store]\ntype = s3", "f: store.s3_url: missing; name the bucket, as s3://bucket/prefix"},
	{"[store]\ns3_path_style = maybe",
	 "f: store.s3_path_style: unknown word; write auto, yes or no"},
	{"[store]\ns3_encryption = rot13",
	 "f: store.s3_encryption: unknown word; write AES256, aws:kms or aws:kms:dsse"},
	{"[store]\ns3_lock_mode = compliance",
	 "f: store.s3_lock_mode: unknown word; write COMPLIANCE or GOVERNANCE"},
	{"[store]\ns3_kms_key = alias/x",
	 "f: store.s3_encryption: s3_kms_key and s3_bucket_key go with aws:kms; write "
	 "s3_encryption = aws:kms"},
	{"[spool]\non_full = panic", "f: spool.on_full: unknown word; write suspend or halt"},
	{"[agent]\nuser =", "f: agent.user: empty; name a user"},
	{"[agent]\nship_user =", "f: agent.ship_user: empty; name a user"},
	{"[agent]\ngrant_user =", "f: agent.grant_user: empty; name a user"},
	{"[policy]\non_none = allow", "f: policy.on_none: unknown word; write record or deny"},
	{"[policy]\non_expiry = kill",
	 "f: policy.on_expiry: unknown word; write record or terminate"},
	{"[broker]\nurl = http://b/g", "f: broker.url: not an https:// URL"},
	{"[broker]\nurl = https://b/g",
	 "f: broker.keys: missing; name the file with the public key that signs the broker's "
	 "grants"},
	{"[broker]\nurl = https://b/g\nkeys = k.pem",
	 "f: broker.keys: not an absolute path; start it with /"},
	{"[spool]\ndir = x\n", "f:2: spool.dir: not an absolute path \"x\"; start it with /"},
};

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct settings s;
		struct sa_err err = {0};

		tap_int(settings_parse("f", slice_of(bad[i].text), &s, &err), SA_ERR_INVALID,
			"refuse %zu", i);
		tap_str(err.msg, bad[i].msg, "message %zu", i);
		check_defaults(&s, "after a failure");
		settings_free(&s);
	}
}

/* Every option, in its own section, comes back as it was. */
static void test_round_trip(void)
{
	static const char text[] = "[pam]\nenable = alice\ngrants_dir = /a\ngrants_dir = /b\n"
				   "open_only = yes\n[capture]\nend_grace = 1m\n[store]\n"
				   "dir = /srv/audit\nretry_min = 1s\n[agent]\nlog_level = debug\n";
	_cleanup_buf_ struct buf one = {0}, two = {0};
	struct settings s;

	buf_init(&one, 1 << 16);
	buf_init(&two, 1 << 16);
	tap_int(settings_parse("f", slice_of(text), &s, NULL), 0, "parse");
	tap_str(s.pam_enable, "alice", "pam.enable");
	tap_int((long long)s.pam_grants_dir.len, 2, "pam.grants_dir");
	tap_int(s.capture_end_grace, 60000, "capture.end_grace");
	settings_print(&s, &one);
	settings_free(&s);
	tap_int(settings_parse("printed", buf_slice(&one), &s, NULL), 0, "what is printed parses");
	settings_print(&s, &two);
	settings_free(&s);
	tap_bytes(buf_slice(&two), buf_slice(&one), "and gives the same");
	tap_ok(strstr(buf_cstr(&one), "\ngrants_dir = /b\n") != NULL, "lists too");
}

static void test_set_store(void)
{
	static const struct {
		const char *where, *type, *dir, *url;
	} rows[] = {
		{"/srv/audit", "dir", "/srv/audit", NULL},
		{"s3://b/p", "s3", "/var/lib/sessaudit/store", "s3://b/p"},
		{"arn:aws:s3:::b", "s3", "/var/lib/sessaudit/store", "arn:aws:s3:::b"},
		{"s3:/b", "dir", "s3:/b", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings s;

		tap_int(settings_parse("f", SLICE_LIT(""), &s, NULL), 0, "defaults");
		tap_int(settings_set_store(&s, rows[i].where, NULL), 0, "%s", rows[i].where);
		tap_str(s.store_type, rows[i].type, "kind of %s", rows[i].where);
		tap_str(s.store_dir, rows[i].dir, "directory of %s", rows[i].where);
		tap_str(s.store_s3_url, rows[i].url, "bucket of %s", rows[i].where);
		settings_free(&s);
	}
}

static void test_grant_dirs(void)
{
	struct settings s;
	const char **dirs;

	tap_int(settings_parse("f", SLICE_LIT(""), &s, NULL), 0, "none given");
	dirs = settings_grant_dirs(&s);
	tap_ok(dirs && strcmp(dirs[0], "/etc/sessaudit/grants.d") == 0 &&
		       strcmp(dirs[1], "/run/sessaudit/grants.d") == 0 && !dirs[2],
	       "the usual directories");
	free(dirs);
	settings_free(&s);
	tap_int(settings_parse("f", SLICE_LIT("[pam]\ngrants_dir = /a\n"), &s, NULL), 0, "one");
	dirs = settings_grant_dirs(&s);
	tap_ok(dirs && strcmp(dirs[0], "/a") == 0 && !dirs[1], "it alone");
	free(dirs);
	settings_free(&s);
}

static void test_load(void)
{
	struct settings s;
	struct sa_err err = {0};

	tap_int(settings_load("/nonexistent/sessaudit.conf", &s, &err), SA_ERR_NOTFOUND,
		"a file that was asked for must be there");
	check_defaults(&s, "without a file");
	settings_free(&s);
	if (access(SETTINGS_DEFAULT_PATH, F_OK) == 0) {
		tap_skip("this machine has a configuration", "no default file");
		return;
	}
	tap_int(settings_load(NULL, &s, &err), 0, "the default file need not be there");
	check_defaults(&s, "without the default file");
	settings_free(&s);
}

int main(void)
{
	test_bad();
	test_round_trip();
	test_set_store();
	test_grant_dirs();
	test_load();
	return tap_done();
}
