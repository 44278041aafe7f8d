/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/transcript/page_text.h"

#define RULE_COLUMNS 98
#define VALUE_MAX 4096

static const struct access unapproved; /* what no context at all comes down to */

static const struct {
	const char *name, *headline, *meaning;
} statuses[] = {
	[ACCESS_UNAPPROVED] = {"UNAPPROVED", "UNAPPROVED ACCESS",
			       "No approved access request was found for this login."},
	[ACCESS_APPROVED] = {"APPROVED", NULL, NULL},
	[ACCESS_ID_ONLY] = {"ID ONLY", "APPROVAL NOT CONFIRMED",
			    "The login names a request, but this host held no approval of it."},
	[ACCESS_AMBIGUOUS] =
		{"AMBIGUOUS", "AMBIGUOUS ACCESS",
		 "More than one approved request fits this login. Which of them it was "
		 "made under is not known."},
	[ACCESS_CONFLICT] = {"CONFLICT", "CONFLICTING ACCESS",
			     "Statements about the request behind this session contradict each "
			     "other. Treat it as unapproved."},
	[ACCESS_BREAKGLASS] = {"BREAK-GLASS", "EMERGENCY ACCESS (BREAK-GLASS)",
			       "The user gave the reason at login; nobody approved it beforehand."},
};

static size_t status_index(enum access_status s)
{
	return (size_t)s < ARRAY_LEN(statuses) ? (size_t)s : ACCESS_UNAPPROVED;
}

const char *page_status(enum access_status status)
{
	return statuses[status_index(status)].name;
}

static void put_rule(struct buf *out, char c)
{
	for (int i = 0; i < RULE_COLUMNS; i++)
		buf_putc(out, c);
	buf_putc(out, '\n');
}

void page_alarm(struct buf *out, const struct page_style *st, const char *headline,
		const char *meaning)
{
	struct page_style wrapped = {.width = RULE_COLUMNS};
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, VALUE_MAX);
	page_color(out, st, PAGE_ALARM);
	put_rule(out, '!');
	buf_puts(out, "!!  ");
	page_safe(&text, slice_of(headline), 0);
	page_wrap(out, &wrapped, buf_slice(&text), 4);
	buf_clear(&text);
	buf_puts(out, "    ");
	page_safe(&text, slice_of(meaning), 0);
	page_wrap(out, &wrapped, buf_slice(&text), 4);
	put_rule(out, '!');
	page_color(out, st, PAGE_PLAIN);
	buf_putc(out, '\n');
}

/* t: NULL when the end cannot be known yet. */
static void put_session(struct buf *out, const struct page_style *st,
			const struct segment_session *s, const struct session_totals *t)
{
	_cleanup_buf_ struct buf left = {0}, right = {0};

	buf_init(&left, VALUE_MAX);
	buf_init(&right, VALUE_MAX);
	buf_puts(&left, s->sid);
	page_or_unknown(&right, s->host);
	page_pair(out, st, "Session", &left, "Host", &right);

	page_or_unknown(&left, s->user);
	if (s->auid != ENTRY_ID_UNSET)
		buf_printf(&left, " (uid %" PRIu32 ")", s->auid);
	page_or_unknown(&right, s->origin);
	if (s->service.len > 0) {
		buf_puts(&right, " by ");
		page_safe(&right, s->service, 64);
	}
	page_pair(out, st, "User", &left, "From", &right);

	page_when(&left, st, s->start_ms);
	if (!t) {
		page_field(out, st, "Started", &left);
		return;
	}
	if (t->end_ms > 0)
		page_when(&right, st, t->end_ms);
	else
		buf_puts(&right, "still open");
	page_pair(out, st, "Started", &left, "Ended", &right);
}

static void put_count(struct buf *out, uint64_t n, const char *one, const char *many)
{
	buf_printf(out, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

static void put_totals(struct buf *out, const struct page_style *st,
		       const struct segment_session *s, const struct session_totals *t)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, VALUE_MAX);
	if (t->end_ms > 0) {
		page_duration(&value, t->end_ms - s->start_ms);
		buf_puts(&value, ", ended by: ");
		page_cause(&value, t->end_cause);
		page_field(out, st, "Lasted", &value);
	}
	put_count(&value, t->execs, "program started", "programs started");
	buf_puts(&value, ", ");
	put_count(&value, t->inputs, "line typed", "lines typed");
	buf_puts(&value, ", ");
	put_count(&value, t->entries, "entry in all", "entries in all");
	if (t->redactions > 0) {
		buf_puts(&value, ", ");
		put_count(&value, t->redactions, "secret replaced", "secrets replaced");
	}
	page_field(out, st, "Recorded", &value);
	if (t->gaps == 0 && t->lost == 0) {
		buf_puts(&value, "no known loss");
	} else {
		page_color(&value, st, PAGE_ALARM);
		put_count(&value, t->gaps, "RECORDING GAP", "RECORDING GAPS");
		if (t->lost > 0)
			buf_printf(&value, ", at least %" PRIu64 " RECORDS LOST", t->lost);
		page_color(&value, st, PAGE_PLAIN);
	}
	page_field(out, st, "Completeness", &value);
}

static void put_head(struct buf *out, const struct page_style *st, const struct segment_session *s,
		     const struct session_totals *t)
{
	const struct access *a = s->access ? s->access : &unapproved;
	size_t status = status_index(a->status);

	if (a->policy == ACCESS_POLICY_DENIED)
		page_alarm(out, st, "LOGIN REFUSED",
			   "No request that this host accepts was found for this login, so it was "
			   "refused.");
	else if (status == ACCESS_ID_ONLY && a->source == ACCESS_SOURCE_SESSION)
		page_alarm(out, st, statuses[status].headline,
			   "The request is that of the session that this one left. Nothing says "
			   "that this login is still the same person's.");
	else if (statuses[status].headline)
		page_alarm(out, st, statuses[status].headline, statuses[status].meaning);
	put_session(out, st, s, t);
	if (t)
		put_totals(out, st, s, t);
	buf_putc(out, '\n');
	page_access(out, st, a);
	buf_putc(out, '\n');
	put_rule(out, '-');
	page_color(out, st, PAGE_DIM);
	buf_printf(out, "%*s  %-*s  %-*s %-4s  %-*s  What happened (times are %s)\n",
		   PAGE_SEQ_COLUMNS, "#", page_time_columns(st), "Time", PAGE_USER_COLUMNS, "User",
		   "As", PAGE_OUTCOME_COLUMNS, "Outcome", st->local ? "local" : "UTC");
	page_color(out, st, PAGE_PLAIN);
}

void page_head(struct buf *out, const struct page_style *st, const struct segment_session *s)
{
	put_head(out, st, s, NULL);
}

void page_head_whole(struct buf *out, const struct page_style *st, const struct segment_session *s,
		     const struct session_totals *t)
{
	put_head(out, st, s, t);
}

void page_tail(struct buf *out, const struct page_style *st, const struct segment_session *s,
	       const struct session_totals *t)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, VALUE_MAX);
	put_rule(out, '-');
	if (t->end_ms > 0) {
		page_when(&value, st, t->end_ms);
		page_field(out, st, "Ended", &value);
	}
	put_totals(out, st, s, t);
	if (t->part > 1) {
		buf_printf(&value, "%u (left-behind programs went on after the end)", t->part);
		page_field(out, st, "Part", &value);
	}
	page_text_field(out, st, "Hash chain ends", t->head);
}
