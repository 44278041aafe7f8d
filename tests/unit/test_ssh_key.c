/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/access/ssh_key.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/cert_make.h"
#include "tests/unit/ssh_fixtures.h"
#include "tests/unit/tap.h"

static void unbase64(const char *text, struct buf *out)
{
	buf_init(out, 1 << 20);
	if (escape_unbase64(out, slice_of(text)) < 0)
		abort();
}

static void check_plain(const struct ssh_fixture *f)
{
	_cleanup_buf_ struct buf blob = {0};
	struct ssh_key k;

	unbase64(f->key, &blob);
	if (!tap_int(ssh_key_parse(buf_slice(&blob), &k, NULL), 0, "%s", f->type))
		return;
	tap_bytes(k.type, slice_of(f->type), "%s: type", f->type);
	tap_str(k.fp, f->fp, "%s: fingerprint", f->type);
	tap_ok(!k.cert && !k.user_cert, "%s: no certificate", f->type);
	tap_str(k.ca_fp, "", "%s: no CA", f->type);
	tap_bytes(k.key_id, SLICE_NONE, "%s: no key id", f->type);
}

static void check_options(const struct ssh_key *k, const char *name)
{
	if (!tap_int((long long)k->n_critical, 2, "%s: critical options", name) ||
	    !tap_int((long long)k->n_extensions, 3, "%s: extensions", name))
		return;
	tap_bytes(k->critical[0].name, SLICE_LIT("force-command"), "%s: force-command", name);
	tap_bytes(k->critical[0].value, SLICE_LIT("/bin/true"), "%s: its value", name);
	tap_bytes(k->critical[1].name, SLICE_LIT("source-address"), "%s: source-address", name);
	tap_bytes(k->critical[1].value, SLICE_LIT("10.0.0.0/8"), "%s: its value", name);
	tap_bytes(k->extensions[1].name, SLICE_LIT("permit-pty"), "%s: a flag", name);
	tap_bytes(k->extensions[1].value, SLICE_NONE, "%s: has no value", name);
	tap_bytes(ssh_key_extension(k, "permit-pty"), SLICE_LIT(""), "%s: but is there", name);
	tap_bytes(ssh_key_extension(k, "request-id@sessaudit"), SLICE_LIT("REQ-1042"),
		  "%s: request id", name);
	tap_bytes(ssh_key_extension(k, "approver@sessaudit"), SLICE_LIT("bob@example.com"),
		  "%s: approver", name);
	tap_bytes(ssh_key_extension(k, "request-id"), SLICE_NONE, "%s: no such extension", name);
	tap_bytes(ssh_key_extension(k, "force-command"), SLICE_NONE, "%s: critical is another list",
		  name);
}

static void check_cert(const struct ssh_fixture *f)
{
	const char *name = f->cert_type;
	_cleanup_buf_ struct buf blob = {0};
	struct ssh_key k;

	unbase64(f->cert, &blob);
	if (!tap_int(ssh_key_parse(buf_slice(&blob), &k, NULL), 0, "%s", name))
		return;
	tap_bytes(k.type, slice_of(name), "%s: type", name);
	tap_str(k.fp, f->fp, "%s: fingerprint of the plain key", name);
	tap_str(k.ca_fp, SSH_FIXTURE_CA_FP, "%s: CA", name);
	tap_ok(k.cert && k.user_cert, "%s: a user's certificate", name);
	tap_ok(k.serial == UINT64_MAX, "%s: serial", name);
	tap_bytes(k.key_id, SLICE_LIT("REQ-1042/alice"), "%s: key id", name);
	tap_int((long long)k.valid_after, 1767225600, "%s: valid after", name);
	tap_int((long long)k.valid_before, 1798761600, "%s: valid before", name);
	if (tap_int((long long)k.n_principals, 2, "%s: principals", name)) {
		tap_bytes(k.principals[0], SLICE_LIT("dba"), "%s: first principal", name);
		tap_bytes(k.principals[1], SLICE_LIT("app"), "%s: second principal", name);
	}
	check_options(&k, name);
}

static void check_host_cert(void)
{
	_cleanup_buf_ struct buf blob = {0};
	struct ssh_key k;

	unbase64(strchr(ssh_fixture_host, ' ') + 1, &blob);
	tap_int(ssh_key_parse(buf_slice(&blob), &k, NULL), 0, "host certificate");
	tap_ok(k.cert && !k.user_cert, "host certificate: not a user's");
	tap_str(k.fp, ssh_fixtures[0].fp, "host certificate: key");
	tap_str(k.ca_fp, SSH_FIXTURE_CA_RSA_FP, "host certificate: an RSA CA");
	tap_bytes(k.key_id, SLICE_LIT("by rsa"), "host certificate: key id");
	tap_ok(k.valid_after == 0 && k.valid_before == UINT64_MAX, "host certificate: for ever");
	tap_int((long long)k.n_extensions, 0, "host certificate: no extensions");
}

/* The code for blob, from memory of exact size, so that a checker sees a read past the end. */
static int parse_exact(struct slice blob, struct sa_err *err)
{
	_cleanup_free_ char *copy = malloc(blob.len ? blob.len : 1);
	struct ssh_key k = {.n_principals = 77};
	int rc;

	if (!copy)
		abort();
	memcpy(copy, blob.ptr, blob.len);
	rc = ssh_key_parse((struct slice){copy, blob.len}, &k, err);
	if (rc < 0 && k.n_principals != 77)
		tap_ok(false, "a failure leaves the result alone");
	return rc;
}

static void check_cuts(const char *name, const char *base64)
{
	_cleanup_buf_ struct buf blob = {0};
	size_t refused = 0;

	unbase64(base64, &blob);
	for (size_t n = 0; n < blob.len; n++)
		refused += parse_exact((struct slice){blob.data, n}, NULL) == SA_ERR_INVALID;
	tap_int((long long)refused, (long long)blob.len, "%s: every cut is refused", name);
	buf_putc(&blob, '\0');
	tap_int(parse_exact(buf_slice(&blob), NULL), SA_ERR_INVALID, "%s: one byte more", name);
}

/* Any byte may be anything: no crash, and what comes out lies inside. */
static void check_flips(const char *base64)
{
	static const char bytes[] = {0, 1, 0x7f, (char)0x80, (char)0xff};
	_cleanup_buf_ struct buf blob = {0};
	size_t taken = 0, n;

	unbase64(base64, &blob);
	n = blob.len * sizeof(bytes);
	for (size_t i = 0; i < n; i++) {
		char *at = &blob.data[i / sizeof(bytes)], old = *at;

		*at = bytes[i % sizeof(bytes)];
		taken += parse_exact(buf_slice(&blob), NULL) == 0;
		*at = old;
	}
	tap_ok(taken > 0 && taken < n, "bytes changed: %zu of %zu are still a certificate", taken,
	       n);
}

static void check_spec(const char *name, const struct cert_spec *s, int want, const char *why)
{
	_cleanup_buf_ struct buf blob = {0};
	struct sa_err err = {0};

	cert_build(s, &blob);
	tap_int(parse_exact(buf_slice(&blob), &err), want, "%s", name);
	tap_str(err.msg, why, "%s: why", name);
}

static void check_option_lists(void)
{
	static const struct {
		const char *name, *first, *second;
		struct slice raw; /* value of second when not absent */
		const char *why;
	} rows[] = {
		{"two extensions", "a@x", "b@x", {NULL, 0}, ""},
		{"unordered is fine", "b@x", "a@x", {NULL, 0}, ""},
		{"duplicate", "a@x", "a@x", {NULL, 0}, "extensions: a name comes twice"},
		{"value without inner string",
		 "a@x",
		 "b@x",
		 {"abc", 3},
		 "extensions: goes past the end"},
		{"inner string too long",
		 "a@x",
		 "b@x",
		 {"\0\0\0\4abc", 7},
		 "extensions: goes past the end"},
		{"bytes after the inner string",
		 "a@x",
		 "b@x",
		 {"\0\0\0\2abc", 7},
		 "extensions: 1 bytes left over"},
		{"empty inner string", "a@x", "b@x", {"\0\0\0\0", 4}, ""},
		{"duplicate flag", "a@x", "a@x", {"", 0}, "extensions: a name comes twice"},
		{"names differ in case", "a@x", "A@x", {"", 0}, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_cert_spec_ struct cert_spec s = {0};

		cert_spec_init(&s);
		cert_put_option(&s.extensions, rows[i].first, "1");
		if (rows[i].raw.ptr)
			cert_put_raw_option(&s.extensions, rows[i].second, rows[i].raw);
		else
			cert_put_option(&s.extensions, rows[i].second, "2");
		check_spec(rows[i].name, &s, rows[i].why[0] ? SA_ERR_INVALID : 0, rows[i].why);
	}
}

static void check_both_lists(void)
{
	_cleanup_cert_spec_ struct cert_spec s = {0};

	cert_spec_init(&s);
	cert_put_option(&s.extensions, "a@x", "1");
	cert_put_option(&s.critical, "a@x", "1");
	check_spec("one name in both lists", &s, 0, "");
	cert_put_option(&s.critical, "a@x", "2");
	check_spec("a critical option twice", &s, SA_ERR_INVALID,
		   "critical options: a name comes twice");
}

static void check_list_ends(void)
{
	_cleanup_cert_spec_ struct cert_spec s = {0};

	cert_spec_init(&s);
	buf_append(&s.principals, "\0\0\0\3dba\0", 8);
	check_spec("left over in principals", &s, SA_ERR_INVALID, "principals: goes past the end");
	buf_clear(&s.principals);
	buf_append(&s.principals,
		   "\xff\xff\xff\xff"
		   "dba",
		   7);
	check_spec("a principal of 4 GiB", &s, SA_ERR_INVALID, "principals: goes past the end");
	buf_clear(&s.principals);
	buf_append(&s.extensions, "\0\0\0\1a", 5);
	check_spec("a name without value", &s, SA_ERR_INVALID, "extensions: goes past the end");
	buf_clear(&s.extensions);
	check_spec("and without", &s, 0, "");
}

static void check_bounds(void)
{
	_cleanup_cert_spec_ struct cert_spec s = {0};
	char name[16];

	cert_spec_init(&s);
	for (int i = 0; i < SSH_KEY_MAX_PRINCIPALS; i++)
		cert_put_string(&s.principals, SLICE_LIT("dba"));
	check_spec("256 principals, all the same", &s, 0, "");
	cert_put_string(&s.principals, SLICE_LIT("dba"));
	check_spec("257 principals", &s, SA_ERR_INVALID, "more than 256 principals");
	buf_clear(&s.principals);
	for (int i = 0; i <= SSH_KEY_MAX_OPTIONS; i++) {
		snprintf(name, sizeof(name), "%d@x", i);
		cert_put_raw_option(&s.extensions, name, SLICE_LIT(""));
		if (i == SSH_KEY_MAX_OPTIONS - 1)
			check_spec("64 extensions", &s, 0, "");
	}
	check_spec("65 extensions", &s, SA_ERR_INVALID, "extensions: more than 64");
}

static void check_kinds(void)
{
	_cleanup_cert_spec_ struct cert_spec s = {0};

	cert_spec_init(&s);
	s.kind = 3;
	check_spec("kind 3", &s, SA_ERR_INVALID, "neither a user's certificate nor a host's");
	s.kind = 0;
	check_spec("kind 0", &s, SA_ERR_INVALID, "neither a user's certificate nor a host's");
	s.kind = 2;
	check_spec("kind 2", &s, 0, "");
	s.signature = SLICE_LIT("");
	check_spec("no signature", &s, SA_ERR_INVALID, "signature: empty");
}

static void check_ca(void)
{
	_cleanup_cert_spec_ struct cert_spec inner = {0}, s = {0};
	_cleanup_buf_ struct buf cert = {0};

	cert_spec_init(&inner);
	cert_build(&inner, &cert);
	cert_spec_init(&s);
	buf_putc(&s.ca, 'x');
	check_spec("bytes after the CA's key", &s, SA_ERR_INVALID, "CA: 1 bytes left over");
	buf_clear(&s.ca);
	check_spec("no CA", &s, SA_ERR_INVALID, "CA: goes past the end");
	cert_put_string(&s.ca, SLICE_LIT("ssh-rot13"));
	check_spec("CA of an unknown type", &s, SA_ERR_UNSUPPORTED, "CA: unknown type of key");
	buf_clear(&s.ca);
	buf_put(&s.ca, buf_slice(&cert));
	check_spec("a certificate for a CA", &s, SA_ERR_INVALID, "CA: is itself a certificate");
}

static void check_key_ids(void)
{
	static const struct slice ids[] = {{"", 0},
					   {"a\nREQ-1 \"'\\\033[2J\x7f", 15},
					   {"REQ\0-1", 6},
					   {"\xff\xfe\x80", 3},
					   {"sa_req=\"x\" ", 11}};
	_cleanup_buf_ struct buf blob = {0}, big = {0};
	struct ssh_key k;

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		_cleanup_cert_spec_ struct cert_spec s = {0};

		cert_spec_init(&s);
		s.key_id = ids[i];
		cert_build(&s, &blob);
		tap_int(ssh_key_parse(buf_slice(&blob), &k, NULL), 0, "key id %zu", i);
		tap_bytes(k.key_id, ids[i], "key id %zu: byte for byte", i);
		buf_free(&blob);
	}
	_cleanup_cert_spec_ struct cert_spec s = {0};

	cert_spec_init(&s);
	buf_init(&big, 1 << 20);
	for (int i = 0; i < 6000; i++)
		buf_putc(&big, 'x');
	s.key_id = buf_slice(&big);
	cert_build(&s, &blob);
	tap_int(ssh_key_parse(buf_slice(&blob), &k, NULL), 0, "a key id of 6,000 bytes");
	tap_bytes(k.key_id, buf_slice(&big), "all of it");
}

static void check_too_big(void)
{
	_cleanup_cert_spec_ struct cert_spec s = {0};
	_cleanup_buf_ struct buf big = {0};

	cert_spec_init(&s);
	buf_init(&big, 1 << 20);
	for (int i = 0; i < SSH_KEY_MAX_BYTES; i++)
		buf_putc(&big, 'x');
	s.key_id = buf_slice(&big);
	check_spec("more than 64 KiB", &s, SA_ERR_INVALID, "key: longer than 65536 bytes");
}

/* Keys as type and packed fields. */
static void check_fields(void)
{
	static const struct {
		const char *name, *type;
		struct slice fields;
		int want;
	} rows[] = {
		{"ed25519 of 31 bytes",
		 "ssh-ed25519",
		 {"\0\0\0\0370123456789012345678901234567890", 35},
		 SA_ERR_INVALID},
		{"ed25519 of 33 bytes",
		 "ssh-ed25519",
		 {"\0\0\0\041012345678901234567890123456789012", 37},
		 SA_ERR_INVALID},
		{"rsa", "ssh-rsa", {"\0\0\0\1\3\0\0\0\2\0\x81", 11}, 0},
		{"rsa, e with a zero in front",
		 "ssh-rsa",
		 {"\0\0\0\2\0\3\0\0\0\2\0\x81", 12},
		 SA_ERR_INVALID},
		{"rsa, n negative", "ssh-rsa", {"\0\0\0\1\3\0\0\0\1\x81", 10}, SA_ERR_INVALID},
		{"rsa, n zero", "ssh-rsa", {"\0\0\0\1\3\0\0\0\1\0", 10}, SA_ERR_INVALID},
		{"rsa, n empty", "ssh-rsa", {"\0\0\0\1\3\0\0\0\0", 9}, SA_ERR_INVALID},
		{"ecdsa, another curve's name",
		 "ecdsa-sha2-nistp256",
		 {"\0\0\0\10nistp384\0\0\0\0", 16},
		 SA_ERR_INVALID},
		{"ecdsa, an empty point",
		 "ecdsa-sha2-nistp256",
		 {"\0\0\0\10nistp256\0\0\0\0", 16},
		 SA_ERR_INVALID},
		{"ecdsa, a compressed point",
		 "ecdsa-sha2-nistp256",
		 {"\0\0\0\10nistp256\0\0\0\041\00201234567890123456789012345678901", 49},
		 SA_ERR_INVALID},
		{"unknown type", "ssh-rot13", {"", 0}, SA_ERR_UNSUPPORTED},
		{"a later form of certificate",
		 "ssh-ed25519-cert-v02@openssh.com",
		 {"", 0},
		 SA_ERR_UNSUPPORTED},
		{"the name of an algorithm", "rsa-sha2-256", {"", 0}, SA_ERR_UNSUPPORTED},
		{"another case", "SSH-RSA", {"", 0}, SA_ERR_UNSUPPORTED},
		{"an empty type", "", {"", 0}, SA_ERR_UNSUPPORTED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf blob = {0};

		buf_init(&blob, 4096);
		cert_put_string(&blob, slice_of(rows[i].type));
		buf_put(&blob, rows[i].fields);
		tap_int(parse_exact(buf_slice(&blob), NULL), rows[i].want, "%s", rows[i].name);
	}
}

static void check_no_memory(void)
{
	_cleanup_buf_ struct buf blob = {0};
	unsigned long n = 0;
	struct ssh_key k;
	int rc;

	unbase64(ssh_fixtures[0].cert, &blob);
	do {
		alloc_fail_at(++n);
		rc = ssh_key_parse(buf_slice(&blob), &k, NULL);
	} while (alloc_failed() && tap_int(rc, SA_ERR_NOMEM, "allocation %lu fails", n));
	alloc_fail_at(0);
	tap_ok(n > 2 && rc == 0, "and none after them");
}

int main(void)
{
	for (size_t i = 0; i < ssh_fixtures_len; i++) {
		check_plain(&ssh_fixtures[i]);
		check_cert(&ssh_fixtures[i]);
		check_cuts(ssh_fixtures[i].type, ssh_fixtures[i].key);
		check_cuts(ssh_fixtures[i].cert_type, ssh_fixtures[i].cert);
	}
	check_host_cert();
	check_flips(ssh_fixtures[0].cert);
	check_option_lists();
	check_both_lists();
	check_list_ends();
	check_bounds();
	check_kinds();
	check_ca();
	check_key_ids();
	check_too_big();
	check_fields();
	check_no_memory();
	return tap_done();
}
