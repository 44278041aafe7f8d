/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/transcript/page_text.h"

void page_stamp(struct page_stamp *out, const struct page_style *st, int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (st->local)
		clock_format_local(ms, text);
	else
		clock_format_utc(ms, text);
	/* "2026-11-21T01:02:03.000Z", local "2026-11-21 01:02:03.000 +0100" */
	memcpy(out->day, text, 10);
	memcpy(out->time, text + 11, 8);
	out->day[10] = out->time[8] = '\0';
	if (st->local)
		snprintf(out->zone, sizeof(out->zone), "%.7s", text + 24);
	else
		memcpy(out->zone, "UTC", 4);
}

void page_when(struct buf *out, const struct page_style *st, int64_t ms)
{
	struct page_stamp s;

	page_stamp(&s, st, ms);
	buf_printf(out, "%s %s %s", s.day, s.time, s.zone);
}

void page_when_text(struct buf *out, const struct page_style *st, const char *text)
{
	int64_t ms;

	if (clock_parse_utc(slice_of(text), &ms) == 0)
		page_when(out, st, ms);
	else
		page_safe(out, slice_of(text), 0);
}

void page_duration(struct buf *out, int64_t ms)
{
	int64_t s = ms / 1000;

	if (s < 1)
		buf_puts(out, "under 1 s");
	else if (s < 60)
		buf_printf(out, "%" PRId64 " s", s);
	else if (s < 3600)
		buf_printf(out, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else if (s < 86400)
		buf_printf(out, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
	else
		buf_printf(out, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
}

void page_safe(struct buf *out, struct slice s, size_t max)
{
	size_t n = s.len;

	if (!s.ptr)
		return;
	if (max > 0 && n > max)
		n = escape_utf8_cut(s, max);
	escape_terminal(out, (struct slice){s.ptr, n});
	if (n < s.len)
		buf_printf(out, "[... %zu more bytes]", s.len - n);
}

static bool quote_is_word(struct slice s)
{
	static const char safe[256] = {
		['a' ... 'z'] = 1, ['A' ... 'Z'] = 1, ['0' ... '9'] = 1, ['_'] = 1, ['.'] = 1,
		['/'] = 1,         [':'] = 1,         ['='] = 1,         ['@'] = 1, ['%'] = 1,
		['+'] = 1,         [','] = 1,         ['-'] = 1,
	};

	for (size_t i = 0; i < s.len; i++)
		if (!safe[(unsigned char)s.ptr[i]])
			return false;
	return s.len > 0;
}

/* In '...' a quote is written '\''; in $'...' quote and backslash get a backslash before them, so
 * that a newline (\n) and a typed backslash with an n (\\n) stay two things. */
static void quote_inside(struct buf *out, struct slice s, bool dollar)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\'')
			buf_puts(out, dollar ? "\\'" : "'\\''");
		else if (s.ptr[i] == '\\' && dollar)
			buf_puts(out, "\\\\");
		else
			buf_putc(out, s.ptr[i]);
	}
}

/* Does a terminal take it as it is? Nearly always it is ASCII, which needs no copy to tell. */
static bool quote_is_safe(struct buf *out, struct slice s)
{
	_cleanup_buf_ struct buf safe = {0};

	if (escape_ascii_run(s) == s.len)
		return true;
	buf_init(&safe, 8 * s.len + 1);
	escape_terminal(&safe, s);
	out->failed |= safe.failed;
	return slice_eq(buf_slice(&safe), s);
}

static void quote_put(struct buf *out, struct slice s)
{
	_cleanup_buf_ struct buf quoted = {0};
	bool dollar = !quote_is_safe(out, s);

	buf_init(&quoted, 4 * s.len + 1);
	quote_inside(&quoted, s, dollar);
	buf_puts(out, dollar ? "$'" : "'");
	escape_terminal(out, buf_slice(&quoted));
	buf_putc(out, '\'');
	out->failed |= quoted.failed;
}

void page_quote(struct buf *out, struct slice s, bool full)
{
	size_t n = full || s.len <= PAGE_ARG_MAX ? s.len : escape_utf8_cut(s, PAGE_ARG_MAX);
	struct slice shown = {s.ptr, n};

	if (quote_is_word(shown))
		buf_put(out, shown);
	else
		quote_put(out, shown);
	if (n < s.len)
		buf_printf(out, "[... %zu more bytes]", s.len - n);
}

/* Does the name a program was called by (argv[0], which the caller is free to invent) fit the file
 * that ran? A version at the end, python3 and python3.11, is no difference. */
static bool command_name_fits(struct slice argv0, struct slice exe)
{
	struct slice called, ran = slice_base_name(exe);

	if (argv0.len > 0 && argv0.ptr[0] == '-') /* a login shell */
		argv0 = (struct slice){argv0.ptr + 1, argv0.len - 1};
	called = slice_base_name(argv0);
	if (called.len == 0 || called.len > ran.len || memcmp(called.ptr, ran.ptr, called.len) != 0)
		return false;
	for (size_t i = called.len; i < ran.len; i++)
		if (!memchr("0123456789.", ran.ptr[i], 11))
			return false;
	return true;
}

void page_command(struct buf *out, const struct entry *e, bool full)
{
	size_t start = out->len, i;

	for (i = 0; i < e->argc && (full || out->len - start < PAGE_COMMAND_MAX); i++) {
		if (i > 0)
			buf_putc(out, ' ');
		page_quote(out, e->argv[i], full);
	}
	if (e->argc == 0)
		page_quote(out, e->object.ptr ? e->object : e->exe, full);
	if (i < e->argc)
		buf_printf(out, " [... %zu more arguments]", e->argc - i);
	if (e->argc_total > e->argc)
		buf_printf(out, " [%" PRIu64 " more arguments were not recorded]",
			   e->argc_total - e->argc);
	/* After a failure exe is still the program that tried. */
	if (e->argc > 0 && e->exe.ptr && e->outcome != ENTRY_FAILURE &&
	    !command_name_fits(e->argv[0], e->exe)) {
		buf_puts(out, "  [program: ");
		page_safe(out, e->exe, full ? 0 : PAGE_ARG_MAX);
		buf_putc(out, ']');
	}
}

struct word {
	const char *name, *text;
};

static const char *word_find(const struct word *words, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, words[i].name))
			return words[i].text;
	return NULL;
}

void page_error(struct buf *out, struct slice name)
{
	static const struct word known[] = {
		{"ENOENT", "no such file"},
		{"EACCES", "permission denied"},
		{"EPERM", "not permitted"},
		{"ENOEXEC", "not a program"},
		{"ENOTDIR", "part of the path is not a directory"},
		{"EISDIR", "it is a directory"},
		{"E2BIG", "too many or too long arguments"},
		{"ETXTBSY", "file is being written"},
		{"ELOOP", "too many symbolic links"},
		{"ENAMETOOLONG", "name too long"},
		{"ENOMEM", "out of memory"},
		{"EAGAIN", "too many processes"},
		{"EIO", "input/output error"},
	};
	const char *text = word_find(known, ARRAY_LEN(known), name);

	if (text)
		buf_puts(out, text);
	else
		page_safe(out, name.len > 0 ? name : SLICE_LIT("reason not recorded"),
			  PAGE_ARG_MAX);
}

void page_cause(struct buf *out, struct slice cause)
{
	static const struct word known[] = {
		{"ended_unseen", "not seen, the session was gone when the recorder looked"},
		{"reboot", "restart of the host"},
		{"end_of_recording", "the recording stopped before the session did"},
	};
	const char *text = word_find(known, ARRAY_LEN(known), cause);
	size_t start = out->len;

	if (text) {
		buf_puts(out, text);
		return;
	}
	page_safe(out, cause.len > 0 ? cause : SLICE_LIT("not known"), PAGE_ARG_MAX);
	for (size_t i = start; i < out->len; i++)
		if (out->data[i] == '_')
			out->data[i] = ' ';
}

void page_color(struct buf *out, const struct page_style *st, enum page_color c)
{
	static const char *const codes[] = {
		[PAGE_PLAIN] = "0", [PAGE_ALARM] = "1;31", [PAGE_WARN] = "33",
		[PAGE_GOOD] = "32", [PAGE_DIM] = "2",      [PAGE_STRONG] = "1",
	};

	if (st->color)
		buf_printf(out, "\033[%sm", codes[c]);
}

void page_colored(struct buf *out, const struct page_style *st, enum page_color c, const char *text)
{
	page_color(out, st, c);
	buf_puts(out, text);
	page_color(out, st, PAGE_PLAIN);
}

/* The byte after the character (or colour sequence, which takes no column) at i. */
static size_t next_char(struct slice s, size_t i, size_t *columns)
{
	if (s.ptr[i] == '\033') {
		while (i < s.len && s.ptr[i] != 'm')
			i++;
		return i < s.len ? i + 1 : i;
	}
	for (i++; i < s.len && ((unsigned char)s.ptr[i] & 0xc0) == 0x80; i++)
		;
	*columns += 1;
	return i;
}

size_t page_columns(struct slice text)
{
	size_t columns = 0;

	for (size_t i = 0; i < text.len;)
		i = next_char(text, i, &columns);
	return columns;
}

void page_pad(struct buf *out, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		buf_putc(out, ' ');
}

/* How many bytes of s fit into room columns: up to a blank where there is one. */
static size_t wrap_fit(struct slice s, size_t room)
{
	size_t columns = 0, blank = 0, i = 0;

	while (i < s.len) {
		size_t next = next_char(s, i, &columns);

		if (columns > room)
			return blank > 0 ? blank : i;
		if (s.ptr[i] == ' ' && i > 0)
			blank = i;
		i = next;
	}
	return s.len;
}

void page_wrap(struct buf *out, const struct page_style *st, struct slice text, size_t indent)
{
	size_t width = st->width > 0 ? (size_t)st->width : 0;
	size_t room = width > indent + 20 ? width - indent : 20;

	for (;;) {
		size_t n = width > 0 ? wrap_fit(text, room) : text.len;

		buf_append(out, text.ptr, n);
		buf_putc(out, '\n');
		while (n < text.len && text.ptr[n] == ' ')
			n++;
		if (n >= text.len)
			return;
		text = (struct slice){text.ptr + n, text.len - n};
		page_pad(out, indent);
	}
}
