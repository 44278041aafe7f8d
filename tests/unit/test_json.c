/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdio.h>

#include <inttypes.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

static const struct {
	struct slice text;
	const char *msg;
} bad[] = {
	{SLICE_LIT(""), "line 1: parse error: premature EOF"},
	{SLICE_LIT(" \n "), "line 2: parse error: premature EOF"},
	{SLICE_LIT("{\"a\":1,\n\"b\":2,\n\"a\":3}"), "line 3: key \"a\" stands twice"},
	{SLICE_LIT("{\"a\\n\":1,\"\\u0061\\n\":2}"), "line 1: key \"a\\n\" stands twice"},
	{SLICE_LIT("[{},{\"x\":{\"k\":1,\"k\":1}}]"), "line 1: key \"k\" stands twice"},
	{SLICE_LIT("{\"\":1,\"\":1}"), "line 1: key \"\" stands twice"},
	{SLICE_LIT("{} {}"), "line 1: parse error: trailing garbage"},
	{SLICE_LIT("1 2"), "line 1: parse error: trailing garbage"},
	{SLICE_LIT("{}\n\nx"), "line 3: parse error: trailing garbage"},
	{SLICE_LIT("{\"a\":1"), "line 1: parse error: premature EOF"},
	{SLICE_LIT("[1,]"), NULL},
	{SLICE_LIT("{\"a\" 1}"), NULL},
	{SLICE_LIT("{a:1}"), NULL},
	{SLICE_LIT("{1:1}"), NULL},
	{SLICE_LIT("01"), NULL},
	{SLICE_LIT("+1"), NULL},
	{SLICE_LIT("1."), NULL},
	{SLICE_LIT(".5"), NULL},
	{SLICE_LIT("1e"), NULL},
	{SLICE_LIT("-"), NULL},
	{SLICE_LIT("NaN"), NULL},
	{SLICE_LIT("nul"), NULL},
	{SLICE_LIT("'a'"), NULL},
	{SLICE_LIT("\"a"), NULL},
	{SLICE_LIT("\"a\nb\""), NULL},
	{SLICE_LIT("\"a\0b\""), NULL},
	{SLICE_LIT("\"\\x41\""), NULL},
	{SLICE_LIT("\"\\u12g4\""), NULL},
	{SLICE_LIT("\"\\u12"), NULL},
	{SLICE_LIT("\"\\"), NULL},
	{SLICE_LIT("/* c */ 1"), NULL},
	{SLICE_LIT("// c\n1"), NULL},
	{SLICE_LIT("{}\0"), NULL},
	{SLICE_LIT("\xef\xbb\xbf{}"), NULL},
	{SLICE_LIT("{}\n\"\xff\""), "line 2: not valid UTF-8"},
	{SLICE_LIT("\"\xc0\xaf\""), "line 1: not valid UTF-8"},
	{SLICE_LIT("\"\xed\xa0\x80\""), "line 1: not valid UTF-8"},
	{SLICE_LIT("\n\"\\ud83d\""), "line 2: a \\u escape holds half of a surrogate pair"},
	{SLICE_LIT("\"\\ud83dx\\ude00\""), "line 1: a \\u escape holds half of a surrogate pair"},
	{SLICE_LIT("\"\\ud83d\\u0041\""), "line 1: a \\u escape holds half of a surrogate pair"},
	{SLICE_LIT("\"\\ud83d\\n\""), "line 1: a \\u escape holds half of a surrogate pair"},
	{SLICE_LIT("\"\\ude00\""), "line 1: a \\u escape holds half of a surrogate pair"},
	{SLICE_LIT("\"\\ud83d"), "line 1: a \\u escape holds half of a surrogate pair"},
	{SLICE_LIT("\"\\ud83d\\ud83d\\ude00\""),
	 "line 1: a \\u escape holds half of a surrogate pair"},
};

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct json *j = (struct json *)&bad; /* to see that it is left alone */
		struct sa_err err = {0};

		tap_int(json_parse(bad[i].text.ptr, bad[i].text.len, &j, &err), SA_ERR_INVALID,
			"refuse %s", bad[i].text.ptr);
		tap_ok(j == (struct json *)&bad, "out is untouched");
		tap_int(err.code, SA_ERR_INVALID, "code in err");
		if (bad[i].msg)
			tap_str(err.msg, bad[i].msg, "message of %s", bad[i].text.ptr);
		else
			tap_ok(strncmp(err.msg, "line ", 5) == 0, "has a line: %s", err.msg);
	}
}

static struct json *parse(struct slice text)
{
	struct sa_err err = {0};
	struct json *j = NULL;

	if (json_parse(text.ptr, text.len, &j, &err) < 0)
		tap_ok(false, "parse: %s", err.msg);
	return j;
}

static void test_tree(void)
{
	_cleanup_json_ struct json *j =
		parse(SLICE_LIT("{\"s\":\"x\\u0000y\",\"n\":-12,\"t\":true,\"f\":false,\"z\":null,"
				"\"a\":[1,\"two\",[],{}],\"o\":{\"k\":\"v\"},\"e\":\"\",\"\":5}"));
	const struct json *a = json_get(j, "a");
	int64_t n = 0;

	tap_int(json_type(j), JSON_OBJECT, "root is an object");
	tap_int((long long)json_len(j), 9, "members");
	tap_bytes(json_get_str(j, "s"), SLICE_LIT("x\0y"), "NUL in a string stays");
	tap_bytes(json_get_str(j, "e"), SLICE_LIT(""), "empty string is present");
	tap_int(json_int(json_get(j, "n"), &n), 0, "number");
	tap_int(n, -12, "its value");
	tap_ok(json_bool(json_get(j, "t")) && !json_bool(json_get(j, "f")), "booleans");
	tap_ok(json_is(json_get(j, "z"), JSON_NULL), "null");
	tap_int((long long)json_len(a), 4, "array");
	tap_bytes(json_str(json_at(a, 1)), SLICE_LIT("two"), "array element");
	tap_ok(json_is(json_at(a, 2), JSON_ARRAY) && json_len(json_at(a, 2)) == 0, "empty array");
	tap_ok(json_is(json_at(a, 3), JSON_OBJECT) && json_len(json_at(a, 3)) == 0, "empty object");
	tap_bytes(json_get_str(json_get(j, "o"), "k"), SLICE_LIT("v"), "nested");
	tap_bytes(json_key_at(j, 0), SLICE_LIT("s"), "keys stay in order: first");
	tap_bytes(json_key_at(j, 8), SLICE_LIT(""), "keys stay in order: last, empty");
	tap_ok(json_is(json_get(j, ""), JSON_NUMBER), "empty key is found");
}

static void test_wrong_type(void)
{
	_cleanup_json_ struct json *j = parse(SLICE_LIT("{\"a\\u0000b\":\"1\",\"n\":1.5}"));
	int64_t n = 4711;

	tap_ok(!json_get(j, "a") && !json_get(j, "x") && !json_get(NULL, "a"), "no such key");
	tap_ok(!json_get(json_get(j, "n"), "x"), "key of a number");
	tap_ok(!json_at(j, 2) && !json_at(NULL, 0), "no such index");
	tap_int((long long)json_len(json_get(j, "n")), 0, "length of a number");
	tap_bytes(json_str(j), SLICE_NONE, "string of an object");
	tap_bytes(json_get_str(j, "n"), SLICE_NONE, "string of a number");
	tap_bytes(json_key_at(j, 0), SLICE_LIT("a\0b"), "key with a NUL");
	tap_bytes(json_key_at(j, 2), SLICE_NONE, "no such key index");
	tap_int(json_int(json_at(j, 0), &n), SA_ERR_INVALID, "integer of a string");
	tap_int(json_int(json_at(j, 1), &n), SA_ERR_INVALID, "integer of a fraction");
	tap_int(json_int(NULL, &n), SA_ERR_INVALID, "integer of nothing");
	tap_bytes(json_number(json_at(j, 1)), SLICE_LIT("1.5"), "a fraction as written");
	tap_ok(!json_number(json_at(j, 0)).ptr, "number of a string");
	tap_int(n, 4711, "untouched");
	tap_ok(!json_bool(j) && !json_bool(NULL), "boolean of an object");
	tap_ok(!json_is(NULL, JSON_NULL) && json_type(NULL) == JSON_NULL, "nothing");
	json_free(NULL);
}

static void test_scalars(void)
{
	static const struct {
		struct slice text, want;
	} cases[] = {
		{SLICE_LIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), SLICE_LIT("\"\\/\b\f\n\r\t")},
		{SLICE_LIT(" \"\\u00e4\\u20AC\" "), SLICE_LIT("\xc3\xa4\xe2\x82\xac")},
		{SLICE_LIT("\"\\ud83d\\ude00\""), SLICE_LIT("\xf0\x9f\x98\x80")},
		{SLICE_LIT("\"\\uD83D\\uDE00\\uD83D\\uDE00\""),
		 SLICE_LIT("\xf0\x9f\x98\x80\xf0\x9f\x98\x80")},
		{SLICE_LIT("\"\\\\ud83d\""), SLICE_LIT("\\ud83d")},
		{SLICE_LIT("\"\\\\\\ud83d\\ude00\""), SLICE_LIT("\\\xf0\x9f\x98\x80")},
		{SLICE_LIT("\"\xf0\x9f\x98\x80\x7f\""), SLICE_LIT("\xf0\x9f\x98\x80\x7f")},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_json_ struct json *j = parse(cases[i].text);

		tap_bytes(json_str(j), cases[i].want, "string %s", cases[i].text.ptr);
	}
}

static void test_int(void)
{
	static const struct {
		const char *text;
		int code;
		int64_t want;
	} cases[] = {
		{"0", 0, 0},
		{"-0", 0, 0},
		{"9223372036854775807", 0, INT64_MAX},
		{"-9223372036854775808", 0, INT64_MIN},
		{"9223372036854775808", SA_ERR_INVALID, 0},
		{"-9223372036854775809", SA_ERR_INVALID, 0},
		{"99999999999999999999999", SA_ERR_INVALID, 0},
		{"1.0", SA_ERR_INVALID, 0},
		{"1e3", SA_ERR_INVALID, 0},
		{"1E-1", SA_ERR_INVALID, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_json_ struct json *j = parse(slice_of(cases[i].text));
		int64_t n = 0;

		tap_int(json_int(j, &n), cases[i].code, "integer %s", cases[i].text);
		tap_int(n, cases[i].want, "value of %s", cases[i].text);
	}
}

static void test_depth(void)
{
	char text[2 * (JSON_MAX_DEPTH + 1)];
	struct json *j = NULL;
	struct sa_err err;

	memset(text, '[', JSON_MAX_DEPTH + 1);
	memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	tap_int(json_parse(text + 1, 2 * JSON_MAX_DEPTH, &j, &err), 0, "deepest allowed");
	json_free(j);
	tap_int(json_parse(text, sizeof(text), &j, &err), SA_ERR_INVALID, "one level deeper");
	tap_str(err.msg, "line 1: nested deeper than 16 levels", "says so");
}

/* Many members of many sizes: the tree, the index and yajl's memory all grow. */
static void test_big(void)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_json_ struct json *j = NULL;
	const unsigned count = 5000;
	unsigned wrong = 0;
	struct sa_err err;

	buf_init(&text, 1 << 24);
	buf_putc(&text, '{');
	for (unsigned i = 0; i < count; i++) {
		buf_printf(&text, "%s\"k%u\\n\":\"", i ? "," : "", i * 7919 % count);
		for (unsigned k = 0; k < i % 500; k++)
			buf_puts(&text, k % 2 ? "\\t" : "x");
		buf_putc(&text, '"');
	}
	buf_putc(&text, '}');
	tap_int(json_parse(text.data, text.len, &j, &err), 0, "%zu bytes", text.len);
	tap_int((long long)json_len(j), count, "all members");
	for (unsigned i = 0; i < count; i++) {
		char key[32];

		snprintf(key, sizeof(key), "k%u\n", i * 7919 % count);
		wrong += json_get_str(j, key).len != i % 500;
		wrong += !slice_is(json_key_at(j, i), key);
	}
	tap_int(wrong, 0, "found by key and by index");
}

static void test_long_string(void)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 1 << 24);
	for (size_t n = 1; n < 1 << 20; n = n * 3 + 1) {
		_cleanup_json_ struct json *j = NULL;

		buf_clear(&text);
		buf_putc(&text, '"');
		for (size_t i = 0; i < n; i++)
			buf_puts(&text, "\\n");
		tap_int(json_parse(text.data, text.len, &j, NULL), SA_ERR_INVALID,
			"%zu escapes, not closed", n);
		buf_putc(&text, '"');
		tap_int(json_parse(text.data, text.len, &j, NULL), 0, "%zu escapes", n);
		tap_int((long long)json_str(j).len, (long long)n, "length");
	}
}

static void test_nomem(void)
{
	struct buf out;
	static const char text[] = "{\"a\\n\":[1,2,{\"b\":[]}],\"c\":\"\\u0041\",\"d\":12}";
	unsigned long n = 0;
	int rc;

	do {
		struct json *j = NULL;
		struct sa_err err = {0};

		alloc_fail_at(++n);
		rc = json_parse(text, sizeof(text) - 1, &j, &err);
		alloc_fail_at(0);
		if (rc < 0)
			tap_ok(rc == SA_ERR_NOMEM && err.code == rc && !j, "allocation %lu fails",
			       n);
		json_free(j);
	} while (rc < 0 && n < 100);
	tap_ok(n > 4 && rc == 0, "%lu allocations", n - 1);
	buf_init(&out, 10);
	alloc_fail_at(1);
	tap_ok(!json_writer_new(&out), "writer: allocation 1 fails");
	alloc_fail_at(0);
}

static void test_write(void)
{
	_cleanup_buf_ struct buf out = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	buf_init(&out, 1000);
	w = json_writer_new(&out);
	json_write_open(w);
	json_write_kstr(w, "s", SLICE_LIT("a\"\\/\n\x01\x7f\0\xc3\xa4"));
	json_write_kstr(w, "none", SLICE_NONE);
	json_write_kstr_opt(w, "left out", SLICE_NONE);
	json_write_kstr_opt(w, "empty", SLICE_LIT(""));
	json_write_kint(w, "n", INT64_MIN);
	json_write_kbool(w, "b", true);
	json_write_kopen(w, "o");
	json_write_close(w);
	json_write_karray(w, "a");
	json_write_int(w, 1);
	json_write_str(w, SLICE_LIT("x"));
	json_write_bool(w, false);
	json_write_null(w);
	json_write_array_open(w);
	json_write_array_close(w);
	json_write_array_close(w);
	tap_int(json_writer_end(w), SA_ERR_INVALID, "not closed yet");
	json_write_close(w);
	tap_int(json_writer_end(w), 0, "whole");
	tap_bytes(buf_slice(&out),
		  SLICE_LIT("{\"s\":\"a\\\"\\\\/\\n\\u0001\x7f\\u0000\xc3\xa4\",\"none\":null,"
			    "\"empty\":\"\",\"n\":-9223372036854775808,\"b\":true,\"o\":{},"
			    "\"a\":[1,\"x\",false,null,[]]}"),
		  "bytes");
	buf_clear(&out);
	json_writer_reset(w);
	tap_int(json_writer_end(w), SA_ERR_INVALID, "nothing is no value");
	json_write_str(w, SLICE_LIT("one"));
	tap_int(json_writer_end(w), 0, "a scalar is a value");
	json_write_int(w, 2);
	tap_int(json_writer_end(w), SA_ERR_INVALID, "two are not");
	tap_bytes(buf_slice(&out), SLICE_LIT("\"one\""), "and the second is not written");
}

static void close_only(struct json_writer *w)
{
	json_write_close(w);
}

static void close_twice(struct json_writer *w)
{
	json_write_open(w);
	json_write_close(w);
	json_write_close(w);
}

static void close_other(struct json_writer *w)
{
	json_write_array_open(w);
	json_write_close(w);
}

static void key_without_value(struct json_writer *w)
{
	json_write_open(w);
	json_write_key(w, "k");
	json_write_close(w);
}

static void key_after_key(struct json_writer *w)
{
	json_write_open(w);
	json_write_key(w, "k");
	json_write_kint(w, "k", 1);
	json_write_close(w);
}

static void value_without_key(struct json_writer *w)
{
	json_write_open(w);
	json_write_str(w, SLICE_LIT("k"));
	json_write_close(w);
}

static void key_in_array(struct json_writer *w)
{
	json_write_array_open(w);
	json_write_key(w, "k");
	json_write_array_close(w);
}

static void key_outside(struct json_writer *w)
{
	json_write_key(w, "k");
}

static void too_deep(struct json_writer *w)
{
	for (int i = 0; i <= JSON_MAX_DEPTH; i++)
		json_write_array_open(w);
	for (int i = 0; i <= JSON_MAX_DEPTH; i++)
		json_write_array_close(w);
}

static void bad_value(struct json_writer *w)
{
	json_write_array_open(w);
	json_write_str(w, SLICE_LIT("\xff"));
	json_write_array_close(w);
}

static void overlong_value(struct json_writer *w)
{
	json_write_str(w, SLICE_LIT("\xc0\x80"));
}

static void bad_key(struct json_writer *w)
{
	json_write_open(w);
	json_write_kint(w, "\xff", 1);
	json_write_close(w);
}

static void test_misuse(void)
{
	static const struct {
		const char *name;
		void (*write)(struct json_writer *w);
	} cases[] = {
		{"close without open", close_only},
		{"closed twice", close_twice},
		{"} closes [", close_other},
		{"key without value", key_without_value},
		{"key after key", key_after_key},
		{"value without key", value_without_key},
		{"key in an array", key_in_array},
		{"key outside", key_outside},
		{"too deep", too_deep},
		{"string not UTF-8", bad_value},
		{"string overlong", overlong_value},
		{"key not UTF-8", bad_key},
	};
	_cleanup_buf_ struct buf out = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	buf_init(&out, 1000);
	w = json_writer_new(&out);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_writer_reset(w);
		cases[i].write(w);
		tap_int(json_writer_end(w), SA_ERR_INVALID, "%s", cases[i].name);
		buf_clear(&out);
		json_writer_reset(w);
		json_write_open(w);
		json_write_close(w);
		tap_int(json_writer_end(w), 0, "reset makes it good again");
		tap_bytes(buf_slice(&out), SLICE_LIT("{}"), "bytes after a reset");
	}
	json_writer_free(NULL);
}

static void test_full(void)
{
	_cleanup_buf_ struct buf out = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	buf_init(&out, 5);
	w = json_writer_new(&out);
	json_write_str(w, SLICE_LIT("abcdef"));
	tap_int(json_writer_end(w), SA_ERR_TOOBIG, "buffer is full");
}

/* Each byte that is a character by itself, at each place of a run of eight. */
static void test_strings(void)
{
	static const char *const escapes[] = {"\\u0000", "\\u0001", "\\u0007", "\\b", "\\t",
					      "\\n",     "\\u000B", "\\f",     "\\r", "\\u000E",
					      "\\u001F", "\\\"",    "\\\\"};
	static const char escaped[] = {0, 1, 7, 8, 9, 10, 11, 12, 13, 14, 31, '"', '\\'};
	_cleanup_buf_ struct buf out = {0}, want = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;
	bool ok = true;

	buf_init(&out, 100);
	buf_init(&want, 100);
	w = json_writer_new(&out);
	for (unsigned c = 0; c < 0x80; c++) {
		const char *at = memchr(escaped, (int)c, sizeof(escaped));
		char text[] = "abcdefghij~ lmnopqrs";
		char one[8] = {(char)c, '\0'};

		if (at)
			strcpy(one, escapes[at - escaped]);
		else if (c < 0x20)
			snprintf(one, sizeof(one), "\\u%04X", c);
		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			char before = text[i];

			text[i] = (char)c;
			buf_clear(&out);
			buf_clear(&want);
			json_writer_reset(w);
			json_write_str(w, (struct slice){text, sizeof(text) - 1});
			buf_printf(&want, "\"%.*s%s%s\"", (int)i, text, one, text + i + 1);
			ok = ok && json_writer_end(w) == 0 &&
			     slice_eq(buf_slice(&out), buf_slice(&want));
			text[i] = before;
		}
	}
	tap_ok(ok, "each ASCII character, escaped where it must be");
}

int main(void)
{
	test_strings();
	test_bad();
	test_tree();
	test_wrong_type();
	test_scalars();
	test_int();
	test_depth();
	test_big();
	test_long_string();
	test_nomem();
	test_write();
	test_misuse();
	test_full();
	return tap_done();
}
