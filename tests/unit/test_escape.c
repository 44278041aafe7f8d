/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include "common/cleanup.h"
#include "common/err.h"
#include "common/escape.h"
#include "tests/unit/tap.h"

static const struct {
	const char *name;
	struct slice in;
	bool valid;
	struct slice utf8, terminal;
} texts[] = {
	{"empty", SLICE_LIT(""), true, SLICE_LIT(""), SLICE_LIT("")},
	{"ascii", SLICE_LIT("ls -l\\x"), true, SLICE_LIT("ls -l\\x"), SLICE_LIT("ls -l\\x")},
	{"two bytes", SLICE_LIT("\xc3\xa4\xc2\xa0"), true, SLICE_LIT("\xc3\xa4\xc2\xa0"),
	 SLICE_LIT("\xc3\xa4\xc2\xa0")},
	{"three, four bytes", SLICE_LIT("\xe2\x82\xac\xf0\x9f\x98\x80"), true,
	 SLICE_LIT("\xe2\x82\xac\xf0\x9f\x98\x80"), SLICE_LIT("\xe2\x82\xac\xf0\x9f\x98\x80")},
	{"last character", SLICE_LIT("\xf4\x8f\xbf\xbf"), true, SLICE_LIT("\xf4\x8f\xbf\xbf"),
	 SLICE_LIT("\xf4\x8f\xbf\xbf")},
	{"NUL", SLICE_LIT("a\0b"), true, SLICE_LIT("a\0b"), SLICE_LIT("a\\x00b")},
	{"C0", SLICE_LIT("\n\t\r\x1b\x07\x1f\x7f"), true, SLICE_LIT("\n\t\r\x1b\x07\x1f\x7f"),
	 SLICE_LIT("\\n\\t\\r\\e\\x07\\x1f\\x7f")},
	{"C1", SLICE_LIT("\xc2\x80\xc2\x9b\xc2\x9f"), true, SLICE_LIT("\xc2\x80\xc2\x9b\xc2\x9f"),
	 SLICE_LIT("\\u{0080}\\u{009b}\\u{009f}")},
	{"C1, raw", SLICE_LIT("\x9b[2J"), false, SLICE_LIT("\\x9b[2J"), SLICE_LIT("\\x9b[2J")},
	{"bidi override",
	 SLICE_LIT("a\xe2\x80\xae"
		   "b\xe2\x81\xa6"),
	 true,
	 SLICE_LIT("a\xe2\x80\xae"
		   "b\xe2\x81\xa6"),
	 SLICE_LIT("a\\u{202e}b\\u{2066}")},
	{"line separator, BOM", SLICE_LIT("\xe2\x80\xa8\xef\xbb\xbf"), true,
	 SLICE_LIT("\xe2\x80\xa8\xef\xbb\xbf"), SLICE_LIT("\\u{2028}\\u{feff}")},
	{"borders of the bidi ranges",
	 SLICE_LIT("\xe2\x80\x8a\xe2\x80\x8b\xe2\x80\x8f\xe2\x80\x90\xe2\x80\xaf\xe2\x81\xaa"),
	 true,
	 SLICE_LIT("\xe2\x80\x8a\xe2\x80\x8b\xe2\x80\x8f\xe2\x80\x90\xe2\x80\xaf\xe2\x81\xaa"),
	 SLICE_LIT("\xe2\x80\x8a\\u{200b}\\u{200f}\xe2\x80\x90\xe2\x80\xaf\xe2\x81\xaa")},
	{"overlong", SLICE_LIT("\xc0\xaf\xe0\x80\xaf"), false,
	 SLICE_LIT("\\xc0\\xaf\\xe0\\x80\\xaf"), SLICE_LIT("\\xc0\\xaf\\xe0\\x80\\xaf")},
	{"overlong, four bytes", SLICE_LIT("\xf0\x8f\xbf\xbf"), false,
	 SLICE_LIT("\\xf0\\x8f\\xbf\\xbf"), SLICE_LIT("\\xf0\\x8f\\xbf\\xbf")},
	{"surrogate", SLICE_LIT("\xed\xa0\x80"), false, SLICE_LIT("\\xed\\xa0\\x80"),
	 SLICE_LIT("\\xed\\xa0\\x80")},
	{"before the surrogates", SLICE_LIT("\xed\x9f\xbf"), true, SLICE_LIT("\xed\x9f\xbf"),
	 SLICE_LIT("\xed\x9f\xbf")},
	{"too large", SLICE_LIT("\xf4\x90\x80\x80\xf5"), false,
	 SLICE_LIT("\\xf4\\x90\\x80\\x80\\xf5"), SLICE_LIT("\\xf4\\x90\\x80\\x80\\xf5")},
	{"cut short", SLICE_LIT("a\xe2\x82"), false, SLICE_LIT("a\\xe2\\x82"),
	 SLICE_LIT("a\\xe2\\x82")},
	{"cut short, text follows", SLICE_LIT("\xe2\x82z"), false, SLICE_LIT("\\xe2\\x82z"),
	 SLICE_LIT("\\xe2\\x82z")},
	{"continuation alone", SLICE_LIT("\x80\xbf"), false, SLICE_LIT("\\x80\\xbf"),
	 SLICE_LIT("\\x80\\xbf")},
};

static void test_texts(void)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_buf_ struct buf b = {0};

		buf_init(&b, 1000);
		tap_int(escape_utf8_valid(texts[i].in), texts[i].valid, "valid: %s", texts[i].name);
		escape_to_utf8(&b, texts[i].in);
		tap_bytes(buf_slice(&b), texts[i].utf8, "utf8: %s", texts[i].name);
		tap_ok(escape_utf8_valid(buf_slice(&b)), "utf8 is valid: %s", texts[i].name);
		buf_clear(&b);
		escape_terminal(&b, texts[i].in);
		tap_bytes(buf_slice(&b), texts[i].terminal, "terminal: %s", texts[i].name);
	}
	tap_ok(escape_utf8_valid(SLICE_NONE), "valid: absent");
}

static void test_cut(void)
{
	static const struct {
		struct slice in;
		size_t max, want;
	} cases[] = {
		{SLICE_LIT("abc"), 5, 3},
		{SLICE_LIT("abc"), 3, 3},
		{SLICE_LIT("abc"), 2, 2},
		{SLICE_LIT("abc"), 0, 0},
		{SLICE_LIT("a\xe2\x82\xac"
			   "b"),
		 4, 4},
		{SLICE_LIT("a\xe2\x82\xac"
			   "b"),
		 3, 1},
		{SLICE_LIT("a\xe2\x82\xac"
			   "b"),
		 2, 1},
		{SLICE_LIT("\xf0\x9f\x98\x80"), 3, 0},
		{SLICE_LIT("\xc3\xa4\xc3\xa4"), 3, 2},
		{SLICE_LIT("\xff\xff\xff\xff\xff"), 3, 3},
		{SLICE_NONE, 3, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_int((long long)escape_utf8_cut(cases[i].in, cases[i].max),
			(long long)cases[i].want, "cut case %zu", i);
}

static void test_key_part(void)
{
	static const struct {
		struct slice in, want;
	} cases[] = {
		{SLICE_LIT("REQ-1042_a.b"), SLICE_LIT("REQ-1042_a.b")},
		{SLICE_LIT("a/b c%\n\0~\xc3\xa4"), SLICE_LIT("a%2Fb%20c%25%0A%00%7E%C3%A4")},
		{SLICE_LIT("."), SLICE_LIT("%2E")},
		{SLICE_LIT(".."), SLICE_LIT("%2E%2E")},
		{SLICE_LIT("..."), SLICE_LIT("...")},
		{SLICE_LIT("../x"), SLICE_LIT("..%2Fx")},
		{SLICE_LIT(""), SLICE_LIT("")},
	};
	char big[201];
	_cleanup_buf_ struct buf b = {0}, want = {0};

	buf_init(&b, 1000);
	buf_init(&want, 1000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&b);
		buf_puts(&b, "k=");
		escape_key_part(&b, cases[i].in);
		buf_consume(&b, 2);
		tap_bytes(buf_slice(&b), cases[i].want, "key part %zu", i);
	}
	memset(big, 'a', sizeof(big));
	buf_clear(&b);
	escape_key_part(&b, (struct slice){big, 200});
	tap_bytes(buf_slice(&b), (struct slice){big, 200}, "200 bytes stay");
	buf_clear(&b);
	buf_puts(&b, "k=");
	escape_key_part(&b, (struct slice){big, 201});
	buf_puts(&want, "k=");
	buf_append(&want, big, 160);
	/* the first half of sha256sum over 201 times a */
	buf_puts(&want, "~a92efd82109373e58f9a2056dee01e80");
	tap_bytes(buf_slice(&b), buf_slice(&want), "201 bytes are cut and hashed");
	memset(big, '/', sizeof(big));
	buf_clear(&b);
	escape_key_part(&b, (struct slice){big, 100});
	tap_int((long long)b.len, 159 + 33, "never cut inside an escape");
	tap_bytes((struct slice){b.data + 156, 4}, SLICE_LIT("%2F~"), "which stays whole");
}

static void test_hex(void)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 100);
	escape_hex(&b, SLICE_LIT("\0\x0f\xa5\xff"));
	tap_bytes(buf_slice(&b), SLICE_LIT("000fa5ff"), "hex");
	buf_clear(&b);
	tap_int(escape_unhex(&b, SLICE_LIT("000fA5ff")), 0, "unhex");
	tap_bytes(buf_slice(&b), SLICE_LIT("\0\x0f\xa5\xff"), "unhex: bytes");
	tap_int(escape_unhex(&b, SLICE_LIT("")), 0, "unhex: nothing");
	tap_int(escape_unhex(&b, SLICE_LIT("abc")), SA_ERR_INVALID, "unhex: odd");
	tap_int(escape_unhex(&b, SLICE_LIT("aag0")), SA_ERR_INVALID, "unhex: no digit");
	tap_int(escape_unhex(&b, SLICE_LIT("aa 0")), SA_ERR_INVALID, "unhex: blank");
	tap_bytes(buf_slice(&b), SLICE_LIT("\0\x0f\xa5\xff"), "unhex: nothing added on failure");
}

static void test_base64(void)
{
	/* RFC 4648 section 10 */
	static const struct {
		struct slice plain, coded;
	} cases[] = {
		{SLICE_LIT(""), SLICE_LIT("")},
		{SLICE_LIT("f"), SLICE_LIT("Zg==")},
		{SLICE_LIT("fo"), SLICE_LIT("Zm8=")},
		{SLICE_LIT("foo"), SLICE_LIT("Zm9v")},
		{SLICE_LIT("foob"), SLICE_LIT("Zm9vYg==")},
		{SLICE_LIT("fooba"), SLICE_LIT("Zm9vYmE=")},
		{SLICE_LIT("foobar"), SLICE_LIT("Zm9vYmFy")},
		{SLICE_LIT("\xfb\xff\xfe\0"), SLICE_LIT("+//+AA==")},
	};
	static const struct slice wrong[] = {
		SLICE_LIT("Z"),           SLICE_LIT("Zg="),      SLICE_LIT("Zg"),
		SLICE_LIT("Zh=="),        SLICE_LIT("Zm9="),     SLICE_LIT("===="),
		SLICE_LIT("Z==="),        SLICE_LIT("Zg==Zg=="), SLICE_LIT("Zm9v\n"),
		SLICE_LIT("Zm-v"),        SLICE_LIT("Z=9v"),     SLICE_LIT("Zm9\0"),
		SLICE_LIT("Zm9vZm9\xff"),
	};
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 100);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&b);
		escape_base64(&b, cases[i].plain);
		tap_bytes(buf_slice(&b), cases[i].coded, "base64 %zu", i);
		buf_clear(&b);
		tap_int(escape_unbase64(&b, cases[i].coded), 0, "unbase64 %zu", i);
		tap_bytes(buf_slice(&b), cases[i].plain, "unbase64 %zu: bytes", i);
	}
	buf_clear(&b);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		tap_int(escape_unbase64(&b, wrong[i]), SA_ERR_INVALID, "unbase64 refuses %zu", i);
		tap_int((long long)b.len, 0, "nothing added by %zu", i);
	}
}

/* Runs are looked at eight bytes at a time: each byte at each place. */
static void test_runs(void)
{
	bool plain = true, valid = true;

	for (unsigned c = 0; c < 256; c++) {
		char text[] = "abcdefgh !#[]^}~01234567";
		bool is_plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			struct slice s = {text, sizeof(text) - 1};
			char before = text[i];

			text[i] = (char)c;
			plain = plain && escape_plain_run(s) == (is_plain ? s.len : i);
			valid = valid && escape_utf8_valid(s) == (c < 0x80);
			text[i] = before;
		}
	}
	tap_ok(plain, "plain runs end where they should");
	tap_ok(valid, "one byte makes a text invalid, wherever it stands");
	tap_int((long long)escape_plain_run(SLICE_LIT("")), 0, "nothing is no run");
	tap_int((long long)escape_utf8_len(SLICE_LIT("\xc3\xa4z")), 2, "a character of two bytes");
	tap_int((long long)escape_utf8_len(SLICE_LIT("\xa4")), 0, "no character");
}

int main(void)
{
	test_runs();
	test_texts();
	test_cut();
	test_key_part();
	test_hex();
	test_base64();
	return tap_done();
}
