/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include "common/aws/cred_profile.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

/* "profile|key|value\n" for all that is told; a section's begin as "profile|\n". */
static void tell(void *ctx, struct slice profile, struct slice key, struct slice value)
{
	struct buf *out = ctx;

	buf_put(out, profile);
	buf_putc(out, '|');
	if (key.ptr) {
		buf_put(out, key);
		buf_putc(out, '|');
		buf_put(out, value);
	}
	buf_putc(out, '\n');
}

static const struct {
	const char *name;
	enum cred_kind kind;
	struct slice text;
	const char *told;
} good[] = {
	{"nothing", CRED_CREDENTIALS, SLICE_LIT(""), ""},
	{"blank lines and comments", CRED_CREDENTIALS, SLICE_LIT("\n \t\n# a = b\n  ; [x]\n"), ""},
	{"one profile", CRED_CREDENTIALS, SLICE_LIT("[default]\na = b\nc=d\n"),
	 "default|\ndefault|a|b\ndefault|c|d\n"},
	{"no last line end", CRED_CREDENTIALS, SLICE_LIT("[p]\na=b"), "p|\np|a|b\n"},
	{"line ends of DOS, a byte order mark", CRED_CREDENTIALS,
	 SLICE_LIT("\xef\xbb\xbf[p]\r\na = b\r\n\r\n"), "p|\np|a|b\n"},
	{"blanks", CRED_CREDENTIALS, SLICE_LIT("[ p ]\t\n a\t =  b c \t\n"), "p|\np|a|b c\n"},
	{"a value with = and brackets", CRED_CREDENTIALS, SLICE_LIT("[p]\ntoken = ab==/+[x]\n"),
	 "p|\np|token|ab==/+[x]\n"},
	{"a comment behind", CRED_CREDENTIALS, SLICE_LIT("[p] # x\na = b # c\nd = e ;f\ng = #h\n"),
	 "p|\np|a|b\np|d|e\np|g|\n"},
	{"# amid a value", CRED_CREDENTIALS, SLICE_LIT("[p]\na = b#c;d\n"), "p|\np|a|b#c;d\n"},
	{"an empty value", CRED_CREDENTIALS, SLICE_LIT("[p]\na =\nb=\n"), "p|\np|a|\np|b|\n"},
	{"a profile twice", CRED_CREDENTIALS, SLICE_LIT("[p]\na=1\n[q]\na=2\n[p]\na=3\n"),
	 "p|\np|a|1\nq|\nq|a|2\np|\np|a|3\n"},
	{"names of profiles in credentials are as they are", CRED_CREDENTIALS,
	 SLICE_LIT("[profile p]\na=1\n[\"q\"]\n"), "profile p|\nprofile p|a|1\n\"q\"|\n"},
	{"sections of config", CRED_CONFIG,
	 SLICE_LIT("[default]\na=1\n[profile p]\na=2\n[p]\na=3\n[sso-session s]\na=4\n"
		   "[profiles]\na=5\n[profile]\na=6\n[profile\tq  r ]\na=7\n"),
	 "default|\ndefault|a|1\np|\np|a|2\nq  r|\nq  r|a|7\n"},
	{"quoted names in config", CRED_CONFIG,
	 SLICE_LIT("[profile \"a b\"]\nk=1\n[profile 'c']\nk=2\n[profile \"]\n"),
	 "a b|\na b|k|1\nc|\nc|k|2\n\"|\n"},
	{"[profile default]", CRED_CONFIG, SLICE_LIT("[profile default]\na=1\n"),
	 "default|\ndefault|a|1\n"},
	{"settings below a key", CRED_CONFIG,
	 SLICE_LIT("[default]\ns3 =\n  max = 10\n\n  # c\n  x\n  [y]\nregion = r\n"),
	 "default|\ndefault|s3|\ndefault|region|r\n"},
	{"all lines indented alike", CRED_CREDENTIALS, SLICE_LIT("[p]\n  a = 1\n  b = 2\n c = 3\n"),
	 "p|\np|a|1\np|b|2\np|c|3\n"},
	{"an indented section", CRED_CREDENTIALS, SLICE_LIT("  [p]\na = 1\n"), "p|\np|a|1\n"},
};

static void test_good(void)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_buf_ struct buf out = {0};
		struct sa_err err = {0};

		buf_init(&out, 4096);
		tap_int(cred_profile_read("f", good[i].text, good[i].kind, tell, &out, &err), 0,
			"%s", good[i].name);
		tap_str(err.msg, "", "%s: no message", good[i].name);
		tap_str(buf_cstr(&out), good[i].told, "%s: told", good[i].name);
	}
}

static const struct {
	const char *name;
	struct slice text;
	const char *msg;
} bad[] = {
	{"no section", SLICE_LIT("# x\na = SECRET\n"), "f:2: a key before the first [section]"},
	{"no =", SLICE_LIT("[p]\n\nSECRET\n"), "f:3: neither [section] nor key = value"},
	{"no key", SLICE_LIT("[p]\n = SECRET\n"), "f:2: a value without a key"},
	{"no ]", SLICE_LIT("[SECRET\n"), "f:1: a section without ]"},
	{"more after ]", SLICE_LIT("[p] SECRET\n"), "f:1: something stands after the section's ]"},
	{"no name", SLICE_LIT("[ ]\n"), "f:1: a section without a name"},
	{"NUL", SLICE_LIT("[p]\na = SEC\0RET\n"), "f:2: a control byte"},
	{"carriage return amid a line", SLICE_LIT("[p]\na = S\rX\n"), "f:2: a control byte"},
	{"escape in a comment", SLICE_LIT("# \x1b[31m\n"), "f:1: a control byte"},
	{"a value that goes on", SLICE_LIT("[p]\na = SECRET\n SECRET\n"),
	 "f:3: an indented line goes on with the value above it; write the value in one line"},
};

static void test_bad(void)
{
	char text[CRED_PROFILE_MAX_TEXT + 1];
	struct sa_err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		tap_int(cred_profile_read("f", bad[i].text, CRED_CREDENTIALS, NULL, NULL, &err),
			SA_ERR_INVALID, "%s", bad[i].name);
		tap_str(err.msg, bad[i].msg, "%s: message", bad[i].name);
	}
	memset(text, '\n', sizeof(text));
	tap_int(cred_profile_read("f", (struct slice){text, sizeof(text) - 1}, CRED_CONFIG, NULL,
				  NULL, &err),
		0, "64 KiB");
	tap_int(cred_profile_read("f", (struct slice){text, sizeof(text)}, CRED_CONFIG, NULL, NULL,
				  &err),
		SA_ERR_TOOBIG, "a byte more");
	tap_str(err.msg, "f: more than 65536 bytes", "a byte more: message");
}

static void test_lookup(void)
{
	static const struct slice text = SLICE_LIT("[p]\nRegion = one\nempty = x\n[default]\n"
						   "region = d\n[p]\nregion = two\nEMPTY =\n"
						   "[q]\n[sso-session s]\nregion = s\n");

	tap_bytes(cred_profile_get(text, CRED_CREDENTIALS, "p", "region"), SLICE_LIT("two"),
		  "the last one, in any case");
	tap_bytes(cred_profile_get(text, CRED_CREDENTIALS, "p", "empty"), SLICE_NONE,
		  "empty is absent");
	tap_bytes(cred_profile_get(text, CRED_CREDENTIALS, "p", "regio"), SLICE_NONE,
		  "not by a beginning");
	tap_bytes(cred_profile_get(text, CRED_CREDENTIALS, "q", "region"), SLICE_NONE,
		  "default does not stand in");
	tap_bytes(cred_profile_get(text, CRED_CONFIG, "default", "region"), SLICE_LIT("d"),
		  "what is no profile says nothing");
	tap_bytes(cred_profile_get(text, CRED_CONFIG, "p", "region"), SLICE_NONE,
		  "config wants [profile p]");
	tap_ok(cred_profile_has(text, CRED_CREDENTIALS, "q"), "an empty profile is one");
	tap_ok(!cred_profile_has(text, CRED_CREDENTIALS, "Q"), "names keep their case");
	tap_ok(!cred_profile_has(text, CRED_CONFIG, "q"), "config: not there");
	tap_ok(!cred_profile_has(SLICE_LIT(""), CRED_CONFIG, "default"), "not in nothing");
}

int main(void)
{
	test_good();
	test_bad();
	test_lookup();
	return tap_done();
}
