/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/access/auth_info.h"
#include "common/cleanup.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/ssh_fixtures.h"
#include "tests/unit/tap.h"

static void put_key(struct buf *text, const char *type, const char *base64)
{
	buf_printf(text, "publickey %s %s\n", type, base64);
}

static void check_lines(void)
{
	_cleanup_(auth_info_free) struct auth_info a = {0};
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 1 << 20);
	put_key(&text, ssh_fixtures[0].cert_type, ssh_fixtures[0].cert);
	buf_puts(&text, "password\nkeyboard-interactive/pam\n\n");
	buf_puts(&text, "hostbased ssh-ed25519 AAAA client user \"u\", client host \"h\"\n");
	put_key(&text, ssh_fixtures[1].type, ssh_fixtures[1].key);
	text.len--; /* the last line needs no newline */
	tap_int(auth_info_parse(buf_slice(&text), &a), 0, "five methods");
	tap_int(a.broken, 0, "none broken");
	if (!tap_int((long long)a.n_keys, 2, "two keys"))
		return;
	tap_str(a.keys[0].key.fp, ssh_fixtures[0].fp, "the certificate's key");
	tap_str(a.keys[0].key.ca_fp, SSH_FIXTURE_CA_FP, "its CA");
	tap_bytes(a.keys[0].key.key_id, SLICE_LIT("REQ-1042/alice"), "its key id");
	tap_str(a.keys[1].key.fp, ssh_fixtures[1].fp, "the plain key");
	tap_ok(!a.keys[1].key.cert, "is no certificate");
}

static void check_text(const char *name, struct slice text, size_t keys, unsigned broken,
		       const char *why)
{
	_cleanup_(auth_info_free) struct auth_info a = {0};

	tap_int(auth_info_parse(text, &a), 0, "%s", name);
	tap_int((long long)a.n_keys, (long long)keys, "%s: keys", name);
	tap_int(a.broken, broken, "%s: broken", name);
	tap_str(a.why.msg, why, "%s: why", name);
}

#define UNTERMINATED "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="

static void check_broken(void)
{
	_cleanup_buf_ struct buf text = {0};

	check_text("absent", SLICE_NONE, 0, 0, "");
	check_text("empty", SLICE_LIT(""), 0, 0, "");
	check_text("no key", SLICE_LIT("publickey \n"), 0, 1,
		   "not a key: \"<type> <base64>\" is wanted");
	check_text("no base64", SLICE_LIT("publickey ssh-rsa @@@@\n"), 0, 1, "not base64");
	check_text("no whole base64", SLICE_LIT("publickey ssh-rsa AAA\n"), 0, 1, "not base64");
	check_text("a cut key", SLICE_LIT(UNTERMINATED), 0, 1, "key: goes past the end");
	check_text("other methods", SLICE_LIT("publickeys ssh-rsa AAA\nPublickey ssh-rsa AAA\n"), 0,
		   0, "");
	buf_init(&text, 1 << 20);
	put_key(&text, ssh_fixtures[1].type, ssh_fixtures[0].key);
	put_key(&text, ssh_fixtures[0].type, ssh_fixtures[0].key);
	buf_puts(&text, "publickey x\n");
	check_text("another type, a good one, none", buf_slice(&text), 1, 2,
		   "the key is not of the type before it");
}

static void check_many(void)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 1 << 20);
	for (int i = 0; i < AUTH_INFO_MAX_KEYS; i++)
		put_key(&text, ssh_fixtures[0].type, ssh_fixtures[0].key);
	check_text("eight", buf_slice(&text), 8, 0, "");
	put_key(&text, ssh_fixtures[0].type, ssh_fixtures[0].key);
	check_text("nine", buf_slice(&text), 8, 1, "more than 8 keys");
}

static void check_too_big(void)
{
	_cleanup_(auth_info_free) struct auth_info a = {0};
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 1 << 20);
	put_key(&text, ssh_fixtures[0].type, ssh_fixtures[0].key);
	while (text.len < AUTH_INFO_MAX_BYTES)
		buf_putc(&text, 'x');
	check_text("the longest text", buf_slice(&text), 1, 0, "");
	buf_putc(&text, 'x');
	tap_int(auth_info_parse(buf_slice(&text), &a), SA_ERR_TOOBIG, "one byte more");
	tap_int((long long)a.n_keys, 0, "and then no key");
	buf_clear(&text);
	buf_puts(&text, "publickey ssh-rsa ");
	for (int i = 0; i < 90000; i++)
		buf_putc(&text, 'A');
	check_text("a key of 67,500 bytes", buf_slice(&text), 0, 1, "key: longer than 65536 bytes");
}

static void check_key_line(void)
{
	static const struct {
		const char *name, *before, *between, *after, *comment;
	} rows[] = {
		{"plain", "", " ", "", NULL},
		{"comment", "", " ", " alice@laptop", "alice@laptop"},
		{"comment of many words", "", " ", "  the laptop of alice ", "the laptop of alice"},
		{"blanks all over", " \t", "\t  ", "\t", NULL},
		{"CR LF", "", " ", " x\r", "x"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(auth_key_free) struct auth_key k = {0};
		struct slice comment = SLICE_LIT("?");
		char line[512];

		snprintf(line, sizeof(line), "%s%s%s%s%s", rows[i].before, ssh_fixtures[0].type,
			 rows[i].between, ssh_fixtures[0].key, rows[i].after);
		tap_int(auth_key_line(slice_of(line), &k, &comment, NULL), 0, "%s", rows[i].name);
		tap_str(k.key.fp, ssh_fixtures[0].fp, "%s: fingerprint", rows[i].name);
		tap_bytes(comment, slice_of(rows[i].comment), "%s: comment", rows[i].name);
	}
}

static void check_no_memory(void)
{
	_cleanup_buf_ struct buf text = {0};
	unsigned long n = 0;
	int rc;

	buf_init(&text, 1 << 20);
	put_key(&text, ssh_fixtures[0].cert_type, ssh_fixtures[0].cert);
	put_key(&text, ssh_fixtures[0].type, ssh_fixtures[0].key);
	do {
		_cleanup_(auth_info_free) struct auth_info a = {0};

		alloc_fail_at(++n);
		rc = auth_info_parse(buf_slice(&text), &a);
		if (alloc_failed())
			tap_int((long long)a.n_keys, 0, "allocation %lu fails: nothing", n);
	} while (alloc_failed() && tap_int(rc, SA_ERR_NOMEM, "allocation %lu fails", n));
	alloc_fail_at(0);
	tap_ok(n > 6 && rc == 0, "and none after them");
}

int main(void)
{
	check_lines();
	check_broken();
	check_many();
	check_too_big();
	check_key_line();
	check_no_memory();
	return tap_done();
}
