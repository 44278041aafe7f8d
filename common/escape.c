/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include "common/digest.h"
#include "common/err.h"
#include "common/escape.h"

#define ESCAPE_KEY_MAX 200
#define ESCAPE_KEY_KEEP 160
#define ESCAPE_KEY_HASH 32

/* Length of the valid UTF-8 character at the front of s (not empty), 0 when there is none.
 * The ranges of the second byte are those of RFC 3629 section 4. */
static size_t escape_utf8_char(struct slice s, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	unsigned char low = 0x80, high = 0xbf;
	uint32_t value;
	size_t n;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.len < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	value = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3fu);
	}
	*cp = value;
	return n;
}

static struct slice escape_skip(struct slice s, size_t n)
{
	return (struct slice){s.ptr + n, s.len - n};
}

#define ESCAPE_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The eight bytes at p when each of them is printable ASCII, else 0. Bytes below 0x20 borrow, those
 * from 0x7f on carry into their highest bit; what they do to the byte above does not matter. */
static uint64_t escape_printable(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return ((v - ESCAPE_EACH(0x20)) | v | (v + ESCAPE_EACH(1))) & ESCAPE_EACH(0x80) ? 0 : v;
}

size_t escape_ascii_run(struct slice s)
{
	size_t n = 0;

	while (s.len - n >= sizeof(uint64_t) && escape_printable(s.ptr + n))
		n += sizeof(uint64_t);
	while (n < s.len && s.ptr[n] >= 0x20 && s.ptr[n] < 0x7f)
		n++;
	return n;
}

size_t escape_utf8_len(struct slice s)
{
	uint32_t cp;

	return escape_utf8_char(s, &cp);
}

static bool escape_is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Has a byte of v, all of which are printable, that value? */
static bool escape_has(uint64_t v, char byte)
{
	return ((v ^ ESCAPE_EACH((unsigned char)byte)) - ESCAPE_EACH(1)) & ESCAPE_EACH(0x80);
}

size_t escape_plain_run(struct slice s)
{
	size_t n = 0;

	while (s.len - n >= sizeof(uint64_t)) {
		uint64_t v = escape_printable(s.ptr + n);

		if (!v || escape_has(v, '"') || escape_has(v, '\\'))
			break;
		n += sizeof(v);
	}
	while (n < s.len && escape_is_plain(s.ptr[n]))
		n++;
	return n;
}

bool escape_utf8_valid(struct slice s)
{
	uint32_t cp;

	for (;;) {
		size_t n = escape_ascii_run(s);

		if (n == s.len)
			return true;
		s = escape_skip(s, n);
		n = escape_utf8_char(s, &cp);
		if (n == 0)
			return false;
		s = escape_skip(s, n);
	}
}

size_t escape_utf8_cut(struct slice s, size_t max)
{
	uint32_t cp;

	if (s.len <= max)
		return s.len;
	/* A character that the cut would split starts at most three bytes before it. */
	for (size_t back = 1; back <= 3 && back <= max; back++) {
		size_t n = escape_utf8_char(escape_skip(s, max - back), &cp);

		if (n > 0)
			return n > back ? max - back : max;
	}
	return max;
}

static void escape_byte(struct buf *out, unsigned char c)
{
	buf_printf(out, "\\x%02x", c);
}

void escape_to_utf8(struct buf *out, struct slice s)
{
	uint32_t cp;

	while (s.len > 0) {
		size_t n = escape_ascii_run(s);

		if (n == 0)
			n = escape_utf8_char(s, &cp);
		if (n == 0) {
			escape_byte(out, (unsigned char)s.ptr[0]);
			n = 1;
		} else {
			buf_append(out, s.ptr, n);
		}
		s = escape_skip(s, n);
	}
}

/* Characters that would move, hide or reorder what a reader sees. */
static bool escape_is_unsafe(uint32_t cp)
{
	return (cp >= 0x80 && cp <= 0x9f) || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x2069) || cp == 0xfeff;
}

static void escape_control(struct buf *out, unsigned char c)
{
	switch (c) {
	case '\n':
		buf_puts(out, "\\n");
		break;
	case '\t':
		buf_puts(out, "\\t");
		break;
	case '\r':
		buf_puts(out, "\\r");
		break;
	case 0x1b:
		buf_puts(out, "\\e");
		break;
	default:
		escape_byte(out, c);
	}
}

void escape_terminal(struct buf *out, struct slice s)
{
	uint32_t cp;

	while (s.len > 0) {
		size_t n = escape_ascii_run(s);

		if (n > 0) {
			buf_append(out, s.ptr, n);
		} else if ((n = escape_utf8_char(s, &cp)) <= 1) {
			/* no character, or a control one: ASCII is handled above */
			escape_control(out, (unsigned char)s.ptr[0]);
			n = 1;
		} else if (escape_is_unsafe(cp)) {
			buf_printf(out, "\\u{%04x}", (unsigned)cp);
		} else {
			buf_append(out, s.ptr, n);
		}
		s = escape_skip(s, n);
	}
}

static bool escape_key_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

/* Appends while the result stays within max bytes; whether all of s went in. */
static bool escape_key_encode(struct buf *out, struct slice s, bool dots, size_t max)
{
	size_t used = 0;

	for (size_t i = 0; i < s.len; i++) {
		bool plain = escape_key_plain(s.ptr[i]) && !dots;
		size_t n = plain ? 1 : 3;

		if (used + n > max)
			return false;
		if (plain)
			buf_putc(out, s.ptr[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)s.ptr[i]);
		used += n;
	}
	return true;
}

void escape_key_part(struct buf *out, struct slice s)
{
	bool dots = slice_is(s, ".") || slice_is(s, "..");
	size_t start = out->len;
	char hash[DIGEST_HEX_SIZE];

	if (escape_key_encode(out, s, dots, ESCAPE_KEY_MAX) || out->failed)
		return;
	out->len = start;
	escape_key_encode(out, s, false, ESCAPE_KEY_KEEP);
	digest_hex(s, hash);
	buf_putc(out, '~');
	buf_append(out, hash, ESCAPE_KEY_HASH);
}

void escape_hex(struct buf *out, struct slice s)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		buf_putc(out, digits[c >> 4]);
		buf_putc(out, digits[c & 15]);
	}
}

static int escape_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int escape_unhex(struct buf *out, struct slice hex)
{
	size_t start = out->len;

	if (hex.len % 2 != 0)
		return SA_ERR_INVALID;
	for (size_t i = 0; i < hex.len; i += 2) {
		int high = escape_hex_digit(hex.ptr[i]), low = escape_hex_digit(hex.ptr[i + 1]);

		if (high < 0 || low < 0) {
			out->len = start;
			return SA_ERR_INVALID;
		}
		buf_putc(out, (char)(high << 4 | low));
	}
	return 0;
}

static const char escape_b64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void escape_base64(struct buf *out, struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	for (size_t i = 0; i < s.len; i += 3) {
		size_t left = s.len - i;
		unsigned v = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) |
			     (left > 2 ? p[i + 2] : 0u);
		char quad[4] = {escape_b64_digits[v >> 18], escape_b64_digits[v >> 12 & 63],
				left > 1 ? escape_b64_digits[v >> 6 & 63] : '=',
				left > 2 ? escape_b64_digits[v & 63] : '='};

		buf_append(out, quad, sizeof(quad));
	}
}

static int escape_b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, of which the last `pad` are '='. The bits that padding leaves over must be zero,
 * so that a text has one encoding only. */
static bool escape_b64_quad(struct buf *out, const char *quad, size_t pad)
{
	unsigned v = 0;
	char bytes[3];

	for (size_t i = 0; i < 4; i++) {
		int d = i < 4 - pad ? escape_b64_value(quad[i]) : 0;

		if (d < 0)
			return false;
		v = v << 6 | (unsigned)d;
	}
	if ((pad == 1 && (v & 0xff) != 0) || (pad == 2 && (v & 0xffff) != 0))
		return false;
	bytes[0] = (char)(v >> 16);
	bytes[1] = (char)(v >> 8 & 0xff);
	bytes[2] = (char)(v & 0xff);
	buf_append(out, bytes, 3 - pad);
	return true;
}

int escape_unbase64(struct buf *out, struct slice b64)
{
	size_t start = out->len;

	if (b64.len % 4 != 0)
		return SA_ERR_INVALID;
	for (size_t i = 0; i < b64.len; i += 4) {
		const char *quad = b64.ptr + i;
		size_t pad = 0;

		if (i + 4 == b64.len && quad[3] == '=')
			pad = quad[2] == '=' ? 2 : 1;
		if (!escape_b64_quad(out, quad, pad)) {
			out->len = start;
			return SA_ERR_INVALID;
		}
	}
	return 0;
}
