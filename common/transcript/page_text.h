/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The words of the page: times, durations, commands, quoting, wrapping. Bytes
 * from a transcript go in through page_safe, page_quote or page_command only, so
 * that the only escape sequences on a page are its own colours.
 */
#ifndef SA_PAGE_TEXT_H
#define SA_PAGE_TEXT_H

#include "common/transcript/page.h"

#define PAGE_ARG_MAX 400      /* bytes shown of one argument, unless full */
#define PAGE_COMMAND_MAX 2000 /* after this many bytes the other arguments are counted */
#define PAGE_TEXT_MAX 4000    /* of any other text */

/* Columns of the timeline: #seq, time, user, ROOT, outcome, what happened. */
#define PAGE_SEQ_COLUMNS 5
#define PAGE_USER_COLUMNS 12
#define PAGE_OUTCOME_COLUMNS 8
static inline int page_time_columns(const struct page_style *st)
{
	return st->place ? 8 : 19; /* 01:02:03, 2026-11-21 01:02:03 */
}
static inline size_t page_body_column(const struct page_style *st)
{
	return PAGE_SEQ_COLUMNS + 2 + (size_t)page_time_columns(st) + 2 + PAGE_USER_COLUMNS + 1 +
	       4 + 2 + PAGE_OUTCOME_COLUMNS + 2;
}

enum page_color { PAGE_PLAIN, PAGE_ALARM, PAGE_WARN, PAGE_GOOD, PAGE_DIM, PAGE_STRONG };

/* A time of day, taken apart. */
struct page_stamp {
	char day[11], time[9], zone[8]; /* "2026-11-21", "01:02:03", "UTC" or "+0100" */
};
void page_stamp(struct page_stamp *out, const struct page_style *st, int64_t ms);

/* "2026-11-21 01:02:03 UTC". The _text form takes RFC 3339, and shows what it cannot read as is. */
void page_when(struct buf *out, const struct page_style *st, int64_t ms);
void page_when_text(struct buf *out, const struct page_style *st, const char *text);

/* escape_terminal, cut at max bytes (0: whole) with a count of the rest. */
void page_safe(struct buf *out, struct slice s, size_t max);
/* One argument as a shell would take it: word, 'quoted', or $'quoted' with control bytes. */
void page_quote(struct buf *out, struct slice s, bool full);
/* The command line of an exec entry. */
void page_command(struct buf *out, const struct entry *e, bool full);
/* "no such file" for ENOENT; a name that is not known is shown as it is. */
void page_error(struct buf *out, struct slice name);
/* A cause as the collector names it, "agent_restart", in words: "agent restart". */
void page_cause(struct buf *out, struct slice cause);

/* "  Label   value" of the head. value is safe text; it is emptied for the next one. */
void page_field(struct buf *out, const struct page_style *st, const char *label, struct buf *value);
/* Two fields on one line, or one below the other where the first is too long. */
void page_pair(struct buf *out, const struct page_style *st, const char *label, struct buf *value,
	       const char *label2, struct buf *value2);
/* A field of any text; nothing when it is NULL or empty. */
void page_text_field(struct buf *out, const struct page_style *st, const char *label,
		     const char *text);
void page_or_unknown(struct buf *out, struct slice s); /* "not known" for an empty one */

/* What happened, of a session_start; an access or conflict; a privilege; an expired or revoked
 * entry. */
void page_start(struct buf *out, const struct entry *e);
void page_binding(struct buf *out, const struct page_style *st, const struct entry *e);
void page_privilege(struct buf *out, const struct page_style *st, const struct entry *e);
void page_ended(struct buf *out, const struct page_style *st, const struct entry *e);

/* page_class.c: the outcome of a program that ended, "exit 2" or "SIGTERM". */
void page_exit_code(struct buf *out, bool has_code, uint32_t code, uint32_t number);
/* page_class.c: what happened, of the entry's type; page_right: of a privilege with an action. */
void page_program_end(struct buf *out, const struct entry *e);
void page_untyped(struct buf *out, const struct entry *e);
void page_network(struct buf *out, const struct page_style *st, const struct entry *e);
void page_file(struct buf *out, const struct page_style *st, const struct entry *e);
void page_auth(struct buf *out, const struct page_style *st, const struct entry *e);
void page_config(struct buf *out, const struct page_style *st, const struct entry *e);
void page_self(struct buf *out, const struct page_style *st, const struct entry *e);
void page_right(struct buf *out, const struct page_style *st, const struct entry *e);

void page_color(struct buf *out, const struct page_style *st, enum page_color c);
/* text with color around it */
void page_colored(struct buf *out, const struct page_style *st, enum page_color c,
		  const char *text);
/* Columns that text takes up: characters, our own colour sequences not counted. */
size_t page_columns(struct slice text);
void page_pad(struct buf *out, size_t columns);
/* text, which starts at column indent, broken so that no line is longer than st->width. Ends with
 * a newline. */
void page_wrap(struct buf *out, const struct page_style *st, struct slice text, size_t indent);

#endif
