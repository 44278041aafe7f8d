/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/verb.h"
#include "common/cleanup.h"

#define WIDTH_DEFAULT 100
#define WIDTH_MIN 80
#define WIDTH_MAX 140

void cli_style(struct page_style *st, bool no_color)
{
	const char *refused = getenv("NO_COLOR"), *term = getenv("TERM"); /* no-color.org */
	bool tty = isatty(STDOUT_FILENO);
	struct winsize size;

	st->color = tty && !no_color && !(refused && *refused) && term && strcmp(term, "dumb") != 0;
	st->width = WIDTH_DEFAULT;
	if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		st->width = size.ws_col;
	if (st->width < WIDTH_MIN)
		st->width = WIDTH_MIN;
	if (st->width > WIDTH_MAX)
		st->width = WIDTH_MAX;
}

bool cli_flush(struct buf *out)
{
	bool good = !out->failed && fwrite(out->data, 1, out->len, stdout) == out->len;

	buf_clear(out);
	return good;
}

/* The code point of the valid UTF-8 sequence at p, and its length. */
static unsigned long code_point(const unsigned char *p, size_t *n)
{
	unsigned long c;

	*n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	c = p[0] & (0x7fu >> *n);
	for (size_t i = 1; i < *n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

static void put_escaped(struct buf *out, unsigned long c)
{
	if (c > 0xffff) {
		c -= 0x10000;
		buf_printf(out, "\\u%04lx\\u%04lx", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
	} else {
		buf_printf(out, "\\u%04lx", c);
	}
}

void cli_json_line(struct buf *out, struct slice json)
{
	bool tty = isatty(STDOUT_FILENO);
	size_t n;

	for (size_t i = 0; i < json.len; i += n) {
		const unsigned char *p = (const unsigned char *)json.ptr + i;

		n = 1;
		if (*p < 0x20) { /* in valid JSON: white space between the values */
			buf_putc(out, ' ');
		} else if (*p == 0x7f && tty) {
			put_escaped(out, *p);
		} else if (*p < 0x80 || !tty) {
			buf_putc(out, (char)*p);
		} else {
			put_escaped(out, code_point(p, &n));
		}
	}
	buf_putc(out, '\n');
}
