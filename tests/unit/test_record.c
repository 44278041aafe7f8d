/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/record.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define STAMP "audit(1795222800.123:456)"
#define T0 INT64_C(1795222800123)

static void test_lines(void)
{
	static const struct {
		const char *name;
		struct slice line;
		int rc;
		unsigned type;
		struct slice body, enriched, node;
	} cases[] = {
		{"raw", SLICE_LIT("type=CWD msg=" STAMP ": cwd=\"/root\""), 0, RECORD_CWD,
		 SLICE_LIT("cwd=\"/root\""), SLICE_NONE, SLICE_NONE},
		{"two blanks after the stamp: one is its",
		 SLICE_LIT("type=CWD msg=" STAMP ":  cwd=x"), 0, RECORD_CWD, SLICE_LIT(" cwd=x"),
		 SLICE_NONE, SLICE_NONE},
		{"enriched", SLICE_LIT("type=LOGIN msg=" STAMP ": pid=1 uid=0\x1dUID=\"root\" A=b"),
		 0, RECORD_LOGIN, SLICE_LIT("pid=1 uid=0"), SLICE_LIT("UID=\"root\" A=b"),
		 SLICE_NONE},
		{"enriched with nothing", SLICE_LIT("type=LOGIN msg=" STAMP ": pid=1\x1d"), 0,
		 RECORD_LOGIN, SLICE_LIT("pid=1"), SLICE_LIT(""), SLICE_NONE},
		{"node", SLICE_LIT("node=db1 type=EOE msg=" STAMP ": "), 0, RECORD_EOE,
		 SLICE_LIT(""), SLICE_NONE, SLICE_LIT("db1")},
		{"no body at all", SLICE_LIT("type=EOE msg=" STAMP ":"), 0, RECORD_EOE,
		 SLICE_LIT(""), SLICE_NONE, SLICE_NONE},
		{"CR LF", SLICE_LIT("type=TTY msg=" STAMP ": tty pid=7\r"), 0, RECORD_TTY,
		 SLICE_LIT("tty pid=7"), SLICE_NONE, SLICE_NONE},
		{"a name from libaudit", SLICE_LIT("type=TRUSTED_APP msg=" STAMP ": a=b"), 0,
		 RECORD_TRUSTED_APP, SLICE_LIT("a=b"), SLICE_NONE, SLICE_NONE},
		{"a type without a name", SLICE_LIT("type=UNKNOWN[1334] msg=" STAMP ": a=b"), 0,
		 1334, SLICE_LIT("a=b"), SLICE_NONE, SLICE_NONE},
		{"such a type too large",
		 SLICE_LIT("type=UNKNOWN[65536] msg=" STAMP ": a=b"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"such a type empty",
		 SLICE_LIT("type=UNKNOWN[] msg=" STAMP ": a=b"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"a name nobody knows",
		 SLICE_LIT("type=NOSUCH msg=" STAMP ": a=b"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"a NUL in the name",
		 SLICE_LIT("type=CWD\0X msg=" STAMP ": a=b"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"blank", SLICE_LIT("   \r"), SA_ERR_NOTFOUND, 0, {0}, {0}, {0}},
		{"ausearch's separator", SLICE_LIT("----"), SA_ERR_NOTFOUND, 0, {0}, {0}, {0}},
		{"node and nothing", SLICE_LIT("node=db1"), SA_ERR_INVALID, 0, {0}, {0}, {0}},
		{"an empty node",
		 SLICE_LIT("node= type=EOE msg=" STAMP ":"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"no type", SLICE_LIT("msg=" STAMP ": a=b"), SA_ERR_INVALID, 0, {0}, {0}, {0}},
		{"no msg", SLICE_LIT("type=CWD " STAMP ": a=b"), SA_ERR_INVALID, 0, {0}, {0}, {0}},
		{"cut in the stamp",
		 SLICE_LIT("type=CWD msg=audit(1795222800.12"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"no colon after it",
		 SLICE_LIT("type=CWD msg=" STAMP),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"milliseconds past 999",
		 SLICE_LIT("type=CWD msg=audit(1.1000:1): a"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"after the year 9999",
		 SLICE_LIT("type=CWD msg=audit(253402300800.000:1): a"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"seconds past 64 bits",
		 SLICE_LIT("type=CWD msg=audit(99999999999999999999.000:1): a"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
		{"a negative serial",
		 SLICE_LIT("type=CWD msg=audit(1.000:-1): a"),
		 SA_ERR_INVALID,
		 0,
		 {0},
		 {0},
		 {0}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct record r = {.serial = 99};
		int rc = record_parse_line(cases[i].line, &r);

		if (!tap_int(rc, cases[i].rc, "line: %s", cases[i].name))
			continue;
		if (rc) {
			tap_int((long long)r.serial, 99, "line: %s: out is untouched",
				cases[i].name);
			continue;
		}
		tap_int(r.type, cases[i].type, "line: %s: type", cases[i].name);
		tap_int(r.time_ms, T0, "line: %s: time", cases[i].name);
		tap_int((long long)r.serial, 456, "line: %s: serial", cases[i].name);
		tap_bytes(r.body, cases[i].body, "line: %s: body", cases[i].name);
		tap_bytes(r.enriched, cases[i].enriched, "line: %s: enriched", cases[i].name);
		tap_bytes(r.node, cases[i].node, "line: %s: node", cases[i].name);
	}
}

static void test_payloads(void)
{
	static const struct {
		const char *name;
		struct slice payload;
		int rc;
		struct slice body;
	} cases[] = {
		{"as sent", SLICE_LIT(STAMP ": a=b"), 0, SLICE_LIT("a=b")},
		{"NUL and LF at the end", SLICE_LIT(STAMP ": a=b\n\0"), 0, SLICE_LIT("a=b")},
		{"0x1d is no tail here", SLICE_LIT(STAMP ": a=\x1d"), 0, SLICE_LIT("a=\x1d")},
		{"empty", SLICE_LIT(""), SA_ERR_INVALID, {0}},
		{"a line is no payload",
		 SLICE_LIT("type=CWD msg=" STAMP ": a=b"),
		 SA_ERR_INVALID,
		 {0}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct record r = {0};

		if (tap_int(record_parse_payload(1300, cases[i].payload, &r), cases[i].rc,
			    "payload: %s", cases[i].name) &&
		    cases[i].rc == 0)
			tap_bytes(r.body, cases[i].body, "payload: %s: body", cases[i].name);
	}
}

static void test_bounds(void)
{
	_cleanup_free_ char *text = malloc(RECORD_MAX_BYTES + 1);
	static const char start[] = "type=CWD msg=" STAMP ": ";
	struct record r;

	memset(text, 'x', RECORD_MAX_BYTES + 1);
	memcpy(text, start, strlen(start));
	tap_int(record_parse_line((struct slice){text, RECORD_MAX_BYTES}, &r), 0,
		"the longest line");
	tap_int(record_parse_line((struct slice){text, RECORD_MAX_BYTES + 1}, &r), SA_ERR_TOOBIG,
		"a line one byte longer");
	memcpy(text, STAMP ": ", strlen(STAMP ": "));
	tap_int(record_parse_payload(1300, (struct slice){text, RECORD_MAX_BYTES}, &r), 0,
		"the longest payload");
	tap_int(record_parse_payload(1300, (struct slice){text, RECORD_MAX_BYTES + 1}, &r),
		SA_ERR_TOOBIG, "a payload one byte longer");
}

/* Fields written as name<value> one after the other. */
static void test_fields(void)
{
	static const struct {
		const char *name, *body, *want;
	} cases[] = {
		{"plain", "pid=12 uid=0", "pid<12>uid<0>"},
		{"words between", "tty pid=12  x y=1", "pid<12>y<1>"},
		{"quoted, with blanks", "name=\"a b=c\" nr=1", "name<\"a b=c\">nr<1>"},
		{"quote that does not end", "name=\"a b", "name<\"a b>"},
		{"empty value", "a= b=1", "a<>b<1>"},
		{"value at the end", "a=", "a<>"},
		{"equals sign in a value", "a=b=c d", "a<b=c>"},
		{"message", "ses=1 msg='op=x acct=\"a\" res=ok'",
		 "ses<1>msg<'op=x acct=\"a\" res=ok'>"},
		{"message with quotes inside", "msg='a='b' c'", "msg<'a='b' c'>"},
		{"message that does not end", "msg='a=b c", "msg<'a=b c>"},
		{"no name", "=x a=1", "a<1>"},
		{"nothing", "", ""},
		{"blanks only", "   ", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct record_fields f = record_fields(slice_of(cases[i].body));
		_cleanup_buf_ struct buf got = {0};
		struct slice name, value;

		buf_init(&got, 1024);
		while (record_next(&f, &name, &value)) {
			buf_put(&got, name);
			buf_putc(&got, '<');
			buf_put(&got, value);
			buf_putc(&got, '>');
		}
		tap_str(buf_cstr(&got), cases[i].want, "fields: %s", cases[i].name);
	}
}

static void test_get(void)
{
	struct slice body = SLICE_LIT("pid=1 ses=2 msg='op=login ses=3 id=4' ses=5 id=6");
	struct slice fake = SLICE_LIT("x=\"ses=9\" uid=0 ses=2");

	tap_bytes(record_get(body, "ses"), SLICE_LIT("2"), "the kernel's field, not the sender's");
	tap_bytes(record_get(body, "id"), SLICE_NONE, "nothing behind the message is looked at");
	tap_bytes(record_get(body, "se"), SLICE_NONE, "a part of a name is no name");
	tap_bytes(record_get(fake, "ses"), SLICE_LIT("2"), "what stands in quotes is no field");
	tap_bytes(record_get(SLICE_NONE, "ses"), SLICE_NONE, "no body");
	tap_bytes(record_msg(body), SLICE_LIT("op=login ses=3 id=4"), "message");
	tap_bytes(record_msg(SLICE_LIT("msg='op=x")), SLICE_NONE, "message without an end");
	tap_bytes(record_msg(SLICE_LIT("msg='")), SLICE_NONE, "message of one quote");
	tap_bytes(record_msg(SLICE_LIT("msg=''")), SLICE_LIT(""), "empty message");
	tap_bytes(record_msg(SLICE_LIT("a=b")), SLICE_NONE, "no message");
}

static void test_numbers(void)
{
	static const struct {
		const char *text;
		bool u64, i64;
		int64_t value;
		uint32_t id;
	} cases[] = {
		{"0", true, true, 0, 0},
		{"1001", true, true, 1001, 1001},
		{"-2", false, true, -2, UINT32_MAX},
		{"4294967295", true, true, 4294967295, UINT32_MAX},
		{"4294967294", true, true, 4294967294, 4294967294},
		{"-1", false, true, -1, UINT32_MAX},
		{"unset", false, false, 0, UINT32_MAX},
		{"", false, false, 0, UINT32_MAX},
		{"12x", false, false, 0, UINT32_MAX},
		{" 1", false, false, 0, UINT32_MAX},
		{"+1", false, false, 0, UINT32_MAX},
		{"9223372036854775807", true, true, INT64_MAX, UINT32_MAX},
		{"9223372036854775808", true, false, 0, UINT32_MAX},
		{"99999999999999999999", false, false, 0, UINT32_MAX},
		{"--1", false, false, 0, UINT32_MAX},
	};
	int64_t i64 = 0;
	uint64_t u64 = 0;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice v = slice_of(cases[i].text);

		tap_int(record_u64(v, &u64), cases[i].u64, "unsigned '%s'", cases[i].text);
		if (tap_int(record_i64(v, &i64), cases[i].i64, "signed '%s'", cases[i].text) &&
		    cases[i].i64)
			tap_int(i64, cases[i].value, "signed '%s': value", cases[i].text);
		tap_int(record_id(v), cases[i].id, "id '%s'", cases[i].text);
	}
	tap_ok(!record_u64(SLICE_NONE, &u64) && record_id(SLICE_NONE) == UINT32_MAX,
	       "absent number");
}

static void test_text(void)
{
	static const struct {
		const char *name;
		struct slice value, want;
	} cases[] = {
		{"quoted", SLICE_LIT("\"/bin/ls\""), SLICE_LIT("/bin/ls")},
		{"quoted digits stay", SLICE_LIT("\"4142\""), SLICE_LIT("4142")},
		{"empty quotes", SLICE_LIT("\"\""), SLICE_LIT("")},
		{"cut inside quotes", SLICE_LIT("\"abc"), SLICE_LIT("abc")},
		{"one quote", SLICE_LIT("\""), SLICE_LIT("")},
		{"hex", SLICE_LIT("2F746D702F612062"), SLICE_LIT("/tmp/a b")},
		{"hex with NUL", SLICE_LIT("610062"), SLICE_LIT("a\0b")},
		{"hex, lower case", SLICE_LIT("c3bc"), SLICE_LIT("\xc3\xbc")},
		{"odd digits stay", SLICE_LIT("123"), SLICE_LIT("123")},
		{"no digits stay", SLICE_LIT("pts0"), SLICE_LIT("pts0")},
		{"(null)", SLICE_LIT("(null)"), SLICE_NONE},
		{"(none)", SLICE_LIT("(none)"), SLICE_NONE},
		{"?", SLICE_LIT("?"), SLICE_NONE},
		{"empty", SLICE_LIT(""), SLICE_LIT("")},
		{"absent", SLICE_NONE, SLICE_NONE},
		{"quoted (null) is text", SLICE_LIT("\"(null)\""), SLICE_LIT("(null)")},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf scratch = {0};

		buf_init(&scratch, 1024);
		buf_puts(&scratch, "before");
		tap_bytes(record_text(cases[i].value, &scratch), cases[i].want, "text: %s",
			  cases[i].name);
	}
}

int main(void)
{
	test_lines();
	test_payloads();
	test_bounds();
	test_fields();
	test_get();
	test_numbers();
	test_text();
	return tap_done();
}
