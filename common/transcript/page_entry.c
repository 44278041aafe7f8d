/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/transcript/page_text.h"

#define LINE_MAX_BYTES (64 * 1024 * 1024) /* a segment's bound: no line is longer */

static const char *const shells[] = {"bash", "sh",  "dash", "zsh", "ksh",   "mksh",   "ksh93",
				     "fish", "csh", "tcsh", "ash", "rbash", "busybox"};

bool page_is_shell(struct slice comm)
{
	if (comm.len > 0 && comm.ptr[0] == '-')
		comm = (struct slice){comm.ptr + 1, comm.len - 1};
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (slice_is(comm, shells[i]))
			return true;
	return false;
}

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

/* " [in /home/dba, pts/0]", for a reader who sees the lines in order only where it changes. */
static void put_where(struct buf *out, const struct page_style *st, const struct entry *e)
{
	_cleanup_buf_ struct buf where = {0};
	char hex[DIGEST_HEX_SIZE];

	buf_init(&where, 64 * 1024);
	if (!e->cwd.ptr && !e->tty.ptr)
		return;
	if (e->cwd.ptr) {
		buf_puts(&where, "in ");
		page_safe(&where, e->cwd, PAGE_TEXT_MAX);
		buf_puts(&where, ", ");
	}
	if (e->tty.len > 0 && !slice_is(e->tty, "(none)"))
		page_safe(&where, e->tty, 64);
	else
		buf_puts(&where, "no terminal");
	if (st->place) {
		digest_hex(buf_slice(&where), hex);
		if (strcmp(hex, st->place->where) == 0)
			return;
		memcpy(st->place->where, hex, sizeof(hex));
	}
	page_color(out, st, PAGE_DIM);
	buf_puts(out, "  [");
	buf_put(out, buf_slice(&where));
	buf_putc(out, ']');
	page_color(out, st, PAGE_PLAIN);
}

static void put_exec(struct buf *out, const struct page_style *st, const struct entry *e,
		     uint64_t typed)
{
	if (typed > 0)
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
	if (typed > 0 && (!st->place || st->place->typed != typed))
		buf_printf(out, "  (typed in #%" PRIu64 ")", typed);
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
		buf_printf(out, "%sno program started", join[0] ? join : "typed, ");
		join = ", ";
	}
	if (e->incomplete)
		buf_printf(out, "%swithout Enter", join);
}

static void put_input(struct buf *out, const struct page_style *st, const struct entry *e)
{
	bool shell = page_is_shell(e->comm);
	struct slice by = e->comm.len > 0 ? e->comm : e->exe;
	_cleanup_buf_ struct buf notes = {0};

	buf_init(&notes, 4096);
	buf_puts(out, shell ? "typed in " : "typed into ");
	page_safe(out, by.len > 0 ? by : SLICE_LIT("a program"), 64);
	buf_puts(out, ":  ");
	page_color(out, st, PAGE_STRONG);
	if (e->text.len > 0)
		page_safe(out, e->text, st->full ? 0 : PAGE_TEXT_MAX);
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
		     uint64_t typed)
{
	if (e->after_end) {
		page_color(out, st, PAGE_WARN);
		buf_puts(out, "[AFTER THE END] ");
		page_color(out, st, PAGE_PLAIN);
	}
	switch (e->type) {
	case ENTRY_EXEC:
		put_exec(out, st, e, typed);
		return;
	case ENTRY_INPUT:
		put_input(out, st, e);
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

/* For a reader who sees the lines in order: a typed line stands directly before what it ran, which
 * has a time, or its notes say between which times it was typed. */
static bool time_elsewhere(const struct page_style *st, const struct entry *e)
{
	return st->place && e->type == ENTRY_INPUT && (e->n_ran > 0 || took_long(e));
}

/* Where an entry belongs for a reader: a line was typed long before it got into the record. */
static int64_t moment(const struct entry *e)
{
	return e->type == ENTRY_INPUT && e->start_ms > 0 ? e->start_ms : e->time_ms;
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
	_cleanup_buf_ struct buf user = {0};
	size_t columns;

	buf_init(&user, 1024);
	page_safe(&user, e->user.len > 0 ? e->user : SLICE_LIT("?"), 32);
	columns = page_columns(buf_slice(&user));
	buf_put(out, buf_slice(&user));
	page_pad(out, (columns < PAGE_USER_COLUMNS ? PAGE_USER_COLUMNS - columns : 0) + 1);
	if (e->type == ENTRY_EXEC && e->euid == 0)
		page_colored(out, st, PAGE_ALARM, "ROOT");
	else
		page_pad(out, 4);
}

/* Of a program: that it started, not how it ended. */
static void put_outcome(struct buf *out, const struct page_style *st, const struct entry *e)
{
	if (e->type != ENTRY_EXEC)
		page_pad(out, PAGE_OUTCOME_COLUMNS);
	else if (e->outcome == ENTRY_FAILURE)
		page_colored(out, st, PAGE_WARN, "failed ");
	else
		buf_puts(out, "started");
}

void page_entry(struct buf *out, const struct page_style *st, const struct entry *e)
{
	page_entry_of(out, st, e, 0);
}

void page_entry_of(struct buf *out, const struct page_style *st, const struct entry *e,
		   uint64_t typed)
{
	_cleanup_buf_ struct buf body = {0};
	char seq[24];

	buf_init(&body, LINE_MAX_BYTES);
	put_day(out, st, e);
	snprintf(seq, sizeof(seq), "#%" PRIu64, e->seq);
	buf_printf(out, "%*s  ", PAGE_SEQ_COLUMNS, seq);
	put_time(out, st, e);
	buf_puts(out, "  ");
	put_user(out, st, e);
	buf_puts(out, "  ");
	put_outcome(out, st, e);
	buf_puts(out, "  ");
	put_body(&body, st, e, typed);
	if (body.failed) {
		buf_clear(&body);
		buf_puts(&body, "(too long to show)");
	}
	page_wrap(out, st, buf_slice(&body), page_body_column(st));
	if (st->place)
		st->place->typed = e->type == ENTRY_INPUT ? e->seq : typed;
}
