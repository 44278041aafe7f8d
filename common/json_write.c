/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include "common/escape.h"
#include "common/json.h"

/*
 * Written by hand: generation is on the collector's hot path, and yajl_gen, which
 * calls back for each comma and quote, took a third of it. Reading stays yajl's.
 */
struct json_writer {
	struct buf *out;
	char open[JSON_MAX_DEPTH]; /* '{' or '[' */
	unsigned depth;
	bool more;  /* a comma comes before the next value of this object or array */
	bool keyed; /* a key waits for its value */
	bool whole; /* one value is complete */
	bool failed;
	unsigned refused;
};

struct json_writer *json_writer_new(struct buf *out)
{
	struct json_writer *w = calloc(1, sizeof(*w));

	if (w)
		w->out = out;
	return w;
}

void json_writer_free(struct json_writer *w)
{
	free(w);
}

void json_writer_freep(struct json_writer **w)
{
	json_writer_free(*w);
}

void json_writer_reset(struct json_writer *w)
{
	*w = (struct json_writer){.out = w->out};
}

int json_writer_end(struct json_writer *w)
{
	if (w->out->failed)
		return SA_ERR_TOOBIG;
	return w->whole && !w->failed ? 0 : SA_ERR_INVALID;
}

static bool json_in_object(const struct json_writer *w)
{
	return w->depth > 0 && w->open[w->depth - 1] == '{';
}

/* Whether a value may stand here; if not, the writer fails. */
static bool json_value_due(struct json_writer *w)
{
	if (w->whole || (json_in_object(w) && !w->keyed))
		w->failed = true;
	if (w->failed)
		return false;
	if (w->more && !w->keyed)
		buf_putc(w->out, ',');
	return true;
}

static void json_wrote(struct json_writer *w)
{
	w->more = true;
	w->keyed = false;
	w->whole = w->depth == 0;
}

static void json_write_opening(struct json_writer *w, char kind)
{
	if (w->depth == JSON_MAX_DEPTH)
		w->failed = true;
	if (!json_value_due(w))
		return;
	w->open[w->depth++] = kind;
	buf_putc(w->out, kind);
	w->more = w->keyed = false;
}

static void json_write_closing(struct json_writer *w, char kind)
{
	if (w->depth == 0 || w->open[w->depth - 1] != kind || w->keyed)
		w->failed = true;
	if (w->failed)
		return;
	w->depth--;
	buf_putc(w->out, kind == '{' ? '}' : ']');
	json_wrote(w);
}

void json_write_open(struct json_writer *w)
{
	json_write_opening(w, '{');
}

void json_write_close(struct json_writer *w)
{
	json_write_closing(w, '{');
}

void json_write_array_open(struct json_writer *w)
{
	json_write_opening(w, '[');
}

void json_write_array_close(struct json_writer *w)
{
	json_write_closing(w, '[');
}

/* RFC 8259 section 7: what must not stand in a string as it is. */
static void json_put_escaped(struct buf *out, char c)
{
	static const char digits[] = "0123456789ABCDEF", letters[] = "btnvfr";
	char text[6] = {'\\', c, '0', '0', digits[c >> 4 & 15], digits[c & 15]};

	if (c == '"' || c == '\\') {
		buf_append(out, text, 2);
	} else if (c >= '\b' && c <= '\r' && c != '\v') {
		text[1] = letters[c - '\b'];
		buf_append(out, text, 2);
	} else {
		text[1] = 'u';
		buf_append(out, text, 6);
	}
}

/* False when s is no UTF-8: out is as it was. */
static bool json_put_string(struct buf *out, struct slice s)
{
	size_t before = out->len;

	buf_putc(out, '"');
	while (s.len > 0) {
		size_t n = escape_plain_run(s);

		buf_append(out, s.ptr, n);
		if (n == s.len)
			break;
		s = (struct slice){s.ptr + n, s.len - n};
		n = escape_utf8_len(s);
		if (n == 0) {
			out->len = before;
			return false;
		}
		if (n == 1 && s.ptr[0] != 0x7f)
			json_put_escaped(out, s.ptr[0]);
		else
			buf_append(out, s.ptr, n);
		s = (struct slice){s.ptr + n, s.len - n};
	}
	buf_putc(out, '"');
	return true;
}

void json_write_name(struct json_writer *w, struct slice key)
{
	if (!json_in_object(w) || w->keyed)
		w->failed = true;
	if (w->failed)
		return;
	if (w->more)
		buf_putc(w->out, ',');
	w->failed = !json_put_string(w->out, key);
	buf_putc(w->out, ':');
	w->keyed = true;
}

static void json_write_word(struct json_writer *w, struct slice word)
{
	if (!json_value_due(w))
		return;
	buf_put(w->out, word);
	json_wrote(w);
}

bool json_write_str_valid(struct json_writer *w, struct slice s)
{
	size_t before = w->out->len;

	if (!s.ptr) {
		json_write_word(w, SLICE_LIT("null"));
		return true;
	}
	if (!json_value_due(w))
		return true;
	if (!json_put_string(w->out, s)) {
		w->out->len = before; /* without the comma */
		w->refused++;
		return false;
	}
	json_wrote(w);
	return true;
}

void json_write_str(struct json_writer *w, struct slice s)
{
	if (!json_write_str_valid(w, s))
		w->failed = true;
}

unsigned json_writer_refused(const struct json_writer *w)
{
	return w->refused;
}

void json_write_int(struct json_writer *w, int64_t v)
{
	uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (v < 0)
		digits[--at] = '-';
	json_write_word(w, (struct slice){digits + at, sizeof(digits) - at});
}

void json_write_bool(struct json_writer *w, bool v)
{
	json_write_word(w, v ? SLICE_LIT("true") : SLICE_LIT("false"));
}

void json_write_null(struct json_writer *w)
{
	json_write_str(w, SLICE_NONE);
}
