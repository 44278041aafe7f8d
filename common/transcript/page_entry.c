/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/shell.h"
#include "common/transcript/page_text.h"

#define LINE_MAX_BYTES (64 * 1024 * 1024) /* a segment's bound: no line is longer */

static void put_interval(struct buf *out, const struct page_style *st, const char *before,
			 int64_t start_ms, const char *between, int64_t end_ms)
{
	struct page_stamp a, b;

	page_stamp(&a, st, start_ms);
	page_stamp(&b, st, end_ms);
	buf_puts(out, before);
	if (strcmp(a.day, b.day) == 0)
		buf_printf(out, "%s%s%s", a.time, between, b.time);
	else
		buf_printf(out, "%s %s%s%s %s", a.day, a.time, between, b.day, b.time);
}

static void put_place(struct buf *out, const struct entry *e)
{
	if (e->cwd.ptr) {
		buf_puts(out, "in ");
		page_safe(out, e->cwd, PAGE_TEXT_MAX);
		buf_puts(out, ", ");
	}
	if (e->tty.len > 0 && !slice_is(e->tty, "(none)"))
		page_safe(out, e->tty, 64);
	else
		buf_puts(out, "no terminal");
}

/* Is it another place than that of the line before? */
static bool moved(struct page_place *place, const struct entry *e)
{
	_cleanup_buf_ struct buf where = {0};
	char hex[DIGEST_HEX_SIZE];

	buf_init(&where, 64 * 1024);
	put_place(&where, e);
	digest_hex(buf_slice(&where), hex);
	if (strcmp(hex, place->where) == 0)
		return false;
	memcpy(place->where, hex, sizeof(hex));
	return true;
}

/* " [in /home/dba, pts/0]", for a reader who sees the lines in order only where it changes. */
static void put_where(struct buf *out, const struct page_style *st, const struct entry *e)
{
	if ((!e->cwd.ptr && !e->tty.ptr) || (st->place && !moved(st->place, e)))
		return;
	page_color(out, st, PAGE_DIM);
	buf_puts(out, "  [");
	put_place(out, e);
	buf_putc(out, ']');
	page_color(out, st, PAGE_PLAIN);
}

static void put_exec(struct buf *out, const struct page_style *st, const struct entry *e,
		     const struct page_more *more)
{
	if (more->typed > 0)
		buf_puts(out, "> ");
	page_command(out, e, st->full);
	if (e->outcome == ENTRY_FAILURE) {
		page_color(out, st, PAGE_WARN);
		buf_puts(out, "  (");
		page_error(out, e->error);
		buf_putc(out, ')');
		page_color(out, st, PAGE_PLAIN);
	}
	if (e->euid != ENTRY_ID_UNSET && e->euid != 0 && e->auid != ENTRY_ID_UNSET &&
	    e->euid != e->auid)
		buf_printf(out, "  [as uid %" PRIu32 "]", e->euid);
	if (more->typed > 0 && (!st->place || st->place->typed != more->typed))
		buf_printf(out, "  (typed in #%" PRIu64 ")", more->typed);
	if (more->untyped)
		buf_puts(out, "  (not typed)");
	put_where(out, st, e);
}

static void put_ran(struct buf *out, const struct entry *e)
{
	buf_puts(out, "ran ");
	for (size_t i = 0; i < e->n_ran && i < ENTRY_MAX_RAN; i++)
		buf_printf(out, "%s#%" PRIu64, i > 0 ? ", " : "", e->ran[i]);
	if (e->n_ran >= ENTRY_MAX_RAN)
		buf_puts(out, " and maybe more");
}

static bool took_long(const struct entry *e)
{
	return e->start_ms > 0 && e->end_ms - e->start_ms >= 1000;
}

/* When a line was typed is known only as an interval: a shell's keystrokes reach the kernel's
 * record when the shell exits. A reader who sees the line before what it ran needs no times. */
static void put_input_notes(struct buf *out, const struct page_style *st, const struct entry *e,
			    bool shell)
{
	const char *join = "";

	if (took_long(e) && !(st->place && e->n_ran > 0)) {
		put_interval(out, st, "typed between ", e->start_ms, " and ", e->end_ms);
		join = ", ";
	}
	if (e->n_ran > 0) {
		buf_puts(out, join);
		put_ran(out, e);
		join = ", ";
	} else if (shell) {
		buf_printf(out, "%s%s", join[0] ? join : "typed, ",
			   slice_is(e->cause, "builtin") ? "the shell's own command"
							 : "no program started");
		join = ", ";
	}
	if (e->resolved.len > 0) {
		buf_printf(out, "%sit was: ", join);
		page_safe(out, e->resolved, st->full ? 0 : PAGE_TEXT_MAX);
		join = ", ";
	}
	if (e->incomplete)
		buf_printf(out, "%swithout Enter", join);
}

static void put_input(struct buf *out, const struct page_style *st, const struct entry *e)
{
	bool shell = shell_is(e->comm);
	struct slice by = e->comm.len > 0 ? e->comm : e->exe;
	_cleanup_buf_ struct buf notes = {0};

	buf_init(&notes, LINE_MAX_BYTES);
	buf_puts(out, shell ? "typed in " : "typed into ");
	page_safe(out, by.len > 0 ? by : SLICE_LIT("a program"), 64);
	buf_puts(out, ":  ");
	page_color(out, st, PAGE_STRONG);
	if (e->text.len > 0)
		page_safe(out, e->text, st->full ? 0 : PAGE_TEXT_MAX);
	else if (slice_is(e->cause, "relay"))
		buf_printf(out, "(%" PRIu64 " bytes, handed on to what runs below it)", e->count);
	else
		buf_puts(out, "(empty line)");
	page_color(out, st, PAGE_PLAIN);
	put_input_notes(&notes, st, e, shell);
	if (notes.len > 0) {
		page_color(out, st, PAGE_DIM);
		buf_puts(out, "  (");
		buf_put(out, buf_slice(&notes));
		buf_putc(out, ')');
		page_color(out, st, PAGE_PLAIN);
	}
}

static void put_gap(struct buf *out, const struct page_style *st, const struct entry *e)
{
	page_color(out, st, PAGE_ALARM);
	buf_puts(out, "!! RECORDING GAP !! ");
	if (e->start_ms > 0 && e->end_ms >= e->start_ms) {
		page_duration(out, e->end_ms - e->start_ms);
		put_interval(out, st, " (", e->start_ms, " to ", e->end_ms);
		buf_puts(out, "), ");
	}
	if (e->count > 0)
		buf_printf(out, "%" PRIu64 " record%s lost, ", e->count, e->count == 1 ? "" : "s");
	buf_puts(out, "cause: ");
	page_cause(out, e->cause);
	page_color(out, st, PAGE_PLAIN);
}

static void put_body(struct buf *out, const struct page_style *st, const struct entry *e,
		     const struct page_more *more)
{
	if (e->after_logout) {
		page_color(out, st, PAGE_WARN);
		buf_puts(out, "[AFTER THE END] ");
		page_color(out, st, PAGE_PLAIN);
	}
	switch (e->type) {
	case ENTRY_EXEC:
		put_exec(out, st, e, more);
		return;
	case ENTRY_EXIT:
		page_program_end(out, e);
		return;
	case ENTRY_INPUT:
	case ENTRY_STATEMENT:
		put_input(out, st, e);
		return;
	case ENTRY_UNTYPED:
		page_untyped(out, e);
		return;
	case ENTRY_NETWORK:
		page_network(out, st, e);
		return;
	case ENTRY_FILE:
		page_file(out, st, e);
		return;
	case ENTRY_AUTH:
		page_auth(out, st, e);
		return;
	case ENTRY_CONFIG:
		page_config(out, st, e);
		return;
	case ENTRY_SELF:
		page_self(out, st, e);
		return;
	case ENTRY_GAP:
		put_gap(out, st, e);
		return;
	case ENTRY_ACCESS:
	case ENTRY_CONFLICT:
		page_binding(out, st, e);
		return;
	case ENTRY_SESSION_START:
		page_start(out, e);
		return;
	case ENTRY_SESSION_END:
		buf_puts(out, "session ended: ");
		page_cause(out, e->cause);
		return;
	case ENTRY_PRIVILEGE:
		if (e->action.ptr)
			page_right(out, st, e);
		else
			page_privilege(out, st, e);
		return;
	case ENTRY_EXPIRED:
	case ENTRY_REVOKED:
		page_ended(out, st, e);
		return;
	case ENTRY_TYPES:
		break;
	}
}

static bool is_typed(const struct entry *e)
{
	return e->type == ENTRY_INPUT || e->type == ENTRY_STATEMENT;
}

/* For a reader who sees the lines in order: a typed line stands directly before what it ran, which
 * has a time, or its notes say between which times it was typed. */
static bool time_elsewhere(const struct page_style *st, const struct entry *e)
{
	return st->place && is_typed(e) && (e->n_ran > 0 || took_long(e));
}

/* Where an entry belongs for a reader: a line was typed long before it got into the record. */
static int64_t moment(const struct entry *e)
{
	return is_typed(e) && e->start_ms > 0 ? e->start_ms : e->time_ms;
}

/* The line with the date, where the lines below have only the time of day. */
static void put_day(struct buf *out, const struct page_style *st, const struct entry *e)
{
	char day[sizeof(st->place->day)];
	struct page_stamp s;

	if (!st->place || time_elsewhere(st, e))
		return;
	page_stamp(&s, st, moment(e));
	snprintf(day, sizeof(day), "%s %s", s.day, s.zone);
	if (strcmp(day, st->place->day) == 0)
		return;
	memcpy(st->place->day, day, sizeof(day));
	page_color(out, st, PAGE_STRONG);
	buf_printf(out, "       %s\n", day);
	page_color(out, st, PAGE_PLAIN);
}

static void put_time(struct buf *out, const struct page_style *st, const struct entry *e)
{
	struct page_stamp s;

	page_stamp(&s, st, st->place ? moment(e) : e->time_ms);
	if (!st->place)
		buf_printf(out, "%s %s", s.day, s.time);
	else if (time_elsewhere(st, e))
		page_pad(out, strlen(s.time));
	else
		buf_puts(out, s.time);
}

static void put_user(struct buf *out, const struct page_style *st, const struct entry *e)
{
	size_t start = out->len, columns;

	page_safe(out, e->user.len > 0 ? e->user : SLICE_LIT("?"), 32);
	columns = page_columns((struct slice){buf_slice(out).ptr + start, out->len - start});
	page_pad(out, (columns < PAGE_USER_COLUMNS ? PAGE_USER_COLUMNS - columns : 0) + 1);
	if (e->type == ENTRY_EXEC && e->euid == 0)
		page_colored(out, st, PAGE_ALARM, "ROOT");
	else
		page_pad(out, 4);
}

/* Of a program: how it ended, where that is known here, else that it started. */
static void put_outcome(struct buf *out, const struct page_style *st, const struct entry *e,
			const struct page_more *more)
{
	bool bad = e->outcome == ENTRY_FAILURE;
	size_t start, columns;

	if (e->type == ENTRY_EXEC && more->ended)
		bad |= more->exit_code || more->exit_signal;
	if (bad)
		page_color(out, st, PAGE_WARN);
	start = out->len;
	if (e->type == ENTRY_EXIT)
		page_exit_code(out, e->has_exit_code, e->exit_code, e->exit_signal);
	else if (e->type == ENTRY_EXEC && more->ended)
		page_exit_code(out, more->has_exit_code, more->exit_code, more->exit_signal);
	else if (bad && (e->type == ENTRY_EXEC || e->action.ptr))
		buf_puts(out, "failed");
	else if (e->type == ENTRY_EXEC)
		buf_puts(out, "started");
	columns = out->len - start;
	if (bad)
		page_color(out, st, PAGE_PLAIN);
	if (columns < PAGE_OUTCOME_COLUMNS)
		page_pad(out, PAGE_OUTCOME_COLUMNS - columns);
}

/* "   #1  " */
static void put_seq(struct buf *out, uint64_t seq)
{
	char text[24];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + seq % 10);
		seq /= 10;
	} while (seq > 0);
	text[--at] = '#';
	while (sizeof(text) - at < PAGE_SEQ_COLUMNS)
		text[--at] = ' ';
	buf_append(out, text + at, sizeof(text) - at);
	buf_puts(out, "  ");
}

static void put_wrapped(struct buf *out, const struct page_style *st, const struct entry *e,
			const struct page_more *more)
{
	_cleanup_buf_ struct buf body = {0};

	if (st->width <= 0 && !st->full) { /* transcript.txt: there is nothing to wrap or to cut */
		put_body(out, st, e, more);
		buf_putc(out, '\n');
		return;
	}
	buf_init(&body, LINE_MAX_BYTES);
	put_body(&body, st, e, more);
	if (body.failed) {
		buf_clear(&body);
		buf_puts(&body, "(too long to show)");
	}
	page_wrap(out, st, buf_slice(&body), page_body_column(st));
}

void page_entry(struct buf *out, const struct page_style *st, const struct entry *e)
{
	static const struct page_more none;

	if (e->type == ENTRY_EXIT && e->outcome == ENTRY_SUCCESS)
		return;
	page_entry_of(out, st, e, &none);
}

void page_entry_of(struct buf *out, const struct page_style *st, const struct entry *e,
		   const struct page_more *more)
{
	put_day(out, st, e);
	put_seq(out, e->seq);
	put_time(out, st, e);
	buf_puts(out, "  ");
	put_user(out, st, e);
	buf_puts(out, "  ");
	put_outcome(out, st, e, more);
	buf_puts(out, "  ");
	put_wrapped(out, st, e, more);
	if (st->place)
		st->place->typed = e->type == ENTRY_INPUT ? e->seq : more->typed;
}
