/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/transcript/page_text.h"

#define RULE_COLUMNS 98
#define LABEL_COLUMNS 18 /* where the values of the head begin */
#define RIGHT_COLUMN 53  /* where the second pair of a line begins */
#define RIGHT_VALUE 62
#define VALUE_MAX 4096
#define BY_COLUMNS 40 /* who approved, when it is to line up */

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

static void put_label(struct buf *out, const char *label, size_t to_column, size_t from_column)
{
	size_t n = from_column + strlen(label);

	buf_puts(out, label);
	page_pad(out, n < to_column ? to_column - n : 1);
}

/* value is safe text; it is emptied for the next one. */
static void put_field(struct buf *out, const struct page_style *st, const char *label,
		      struct buf *value)
{
	buf_puts(out, "  ");
	put_label(out, label, LABEL_COLUMNS, 2);
	page_wrap(out, st, buf_slice(value), LABEL_COLUMNS);
	if (value->failed)
		out->failed = true;
	buf_clear(value);
}

/* Two fields on one line, or one below the other where the first is too long. */
static void put_pair(struct buf *out, const struct page_style *st, const char *label,
		     struct buf *value, const char *label2, struct buf *value2)
{
	size_t end = LABEL_COLUMNS + page_columns(buf_slice(value));

	if (end + 2 > RIGHT_COLUMN) {
		put_field(out, st, label, value);
		put_field(out, st, label2, value2);
		return;
	}
	buf_puts(out, "  ");
	put_label(out, label, LABEL_COLUMNS, 2);
	buf_put(out, buf_slice(value));
	page_pad(out, RIGHT_COLUMN - end);
	put_label(out, label2, RIGHT_VALUE, RIGHT_COLUMN);
	page_wrap(out, st, buf_slice(value2), RIGHT_VALUE);
	if (value->failed || value2->failed)
		out->failed = true;
	buf_clear(value);
	buf_clear(value2);
}

static void put_text_field(struct buf *out, const struct page_style *st, const char *label,
			   const char *text)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, 8 * ACCESS_MAX_FIELD);
	if (!text || !*text)
		return;
	page_safe(&value, slice_of(text), ACCESS_MAX_FIELD);
	put_field(out, st, label, &value);
}

static void put_or_unknown(struct buf *out, struct slice s)
{
	page_safe(out, s.len > 0 ? s : SLICE_LIT("not known"), 256);
}

static void put_status(struct buf *out, const struct page_style *st, enum access_status status)
{
	page_colored(out, st, status == ACCESS_APPROVED ? PAGE_GOOD : PAGE_ALARM,
		     page_status(status));
}

static void put_approvals(struct buf *out, const struct page_style *st, const struct access *a)
{
	_cleanup_buf_ struct buf line = {0};
	size_t widest = 0;

	buf_init(&line, 16 * ACCESS_MAX_FIELD);
	for (size_t i = 0; i < a->n_approvals; i++) {
		size_t n = page_columns(slice_of(a->approvals[i].by));

		widest = n > widest && n <= BY_COLUMNS ? n : widest;
	}
	for (size_t i = 0; i < a->n_approvals; i++) {
		const struct access_approval *by = &a->approvals[i];
		size_t n;

		put_or_unknown(&line, slice_of(by->by));
		n = page_columns(buf_slice(&line));
		page_pad(&line, (n < widest ? widest - n : 0) + 2);
		page_when_text(&line, st, by->at ? by->at : "(time not known)");
		if (by->type && strcmp(by->type, "user") != 0) {
			buf_puts(&line, "  (");
			page_safe(&line, slice_of(by->type), 64);
			buf_putc(&line, ')');
		}
		if (by->status && strcmp(by->status, "approved") != 0) {
			buf_puts(&line, "  NOT AN APPROVAL: ");
			page_safe(&line, slice_of(by->status), 64);
		}
		put_field(out, st, i == 0 ? "Approved by" : "", &line);
	}
}

static void put_candidates(struct buf *out, const struct access *a)
{
	for (size_t i = 0; i < a->n_candidates; i++) {
		if (i > 0)
			buf_puts(out, ", ");
		page_safe(out, slice_of(a->candidates[i]), 128);
	}
}

static void put_validity(struct buf *out, const struct page_style *st, const struct access *a)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, 16 * ACCESS_MAX_FIELD);
	if (!a->not_before && !a->expires_at)
		return;
	if (a->not_before)
		page_when_text(&value, st, a->not_before);
	buf_puts(&value, a->not_before ? " until " : "until ");
	page_when_text(&value, st, a->expires_at ? a->expires_at : "(no end)");
	put_field(out, st, "Valid", &value);
}

static const char *source_words(enum access_source s)
{
	switch (s) {
	case ACCESS_SOURCE_CERT:
		return "the certificate the user logged in with";
	case ACCESS_SOURCE_KEY:
		return "the key the user logged in with";
	case ACCESS_SOURCE_USER:
		return "user name, host and time of the login";
	case ACCESS_SOURCE_PROMPT:
		return "what the user answered at login";
	case ACCESS_SOURCE_NONE:
		break;
	}
	return NULL;
}

static void put_access(struct buf *out, const struct page_style *st, const struct access *a)
{
	_cleanup_buf_ struct buf value = {0}, status = {0};

	buf_init(&value, 16 * ACCESS_MAX_FIELD);
	buf_init(&status, 256);
	page_safe(&value,
		  slice_of(a->request_id         ? a->request_id
			   : a->n_candidates > 0 ? "not known"
						 : "none"),
		  256);
	put_status(&status, st, a->status);
	put_pair(out, st, "Access request", &value, "Status", &status);
	if (a->n_candidates > 0) {
		put_candidates(&value, a);
		put_field(out, st, "Could be", &value);
	}
	put_text_field(out, st, "Requested by", a->requester ? a->requester : a->requester_id);
	put_approvals(out, st, a);
	if (a->n_approvals == 0 && a->status == ACCESS_APPROVED)
		put_text_field(out, st, "Approved by", "the request names nobody");
	put_text_field(out, st, "Flow", a->flow ? a->flow : a->flow_id);
	put_text_field(out, st, "Justification", a->justification);
	put_text_field(out, st, "Ticket", a->ticket);
	put_text_field(out, st, "Resource", a->resource);
	put_validity(out, st, a);
	put_text_field(out, st, "Recognised by", source_words(a->source));
}

/* t: NULL when the end cannot be known yet. */
static void put_session(struct buf *out, const struct page_style *st,
			const struct segment_session *s, const struct session_totals *t)
{
	_cleanup_buf_ struct buf left = {0}, right = {0};

	buf_init(&left, VALUE_MAX);
	buf_init(&right, VALUE_MAX);
	buf_puts(&left, s->sid);
	put_or_unknown(&right, s->host);
	put_pair(out, st, "Session", &left, "Host", &right);

	put_or_unknown(&left, s->user);
	if (s->auid != ENTRY_ID_UNSET)
		buf_printf(&left, " (uid %" PRIu32 ")", s->auid);
	put_or_unknown(&right, s->origin);
	if (s->service.len > 0) {
		buf_puts(&right, " by ");
		page_safe(&right, s->service, 64);
	}
	put_pair(out, st, "User", &left, "From", &right);

	page_when(&left, st, s->start_ms);
	if (!t) {
		put_field(out, st, "Started", &left);
		return;
	}
	if (t->end_ms > 0)
		page_when(&right, st, t->end_ms);
	else
		buf_puts(&right, "still open");
	put_pair(out, st, "Started", &left, "Ended", &right);
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
		put_field(out, st, "Lasted", &value);
	}
	put_count(&value, t->execs, "program started", "programs started");
	buf_puts(&value, ", ");
	put_count(&value, t->inputs, "line typed", "lines typed");
	buf_puts(&value, ", ");
	put_count(&value, t->entries, "entry in all", "entries in all");
	put_field(out, st, "Recorded", &value);
	if (t->gaps == 0 && t->lost == 0) {
		buf_puts(&value, "no known loss");
	} else {
		page_color(&value, st, PAGE_ALARM);
		put_count(&value, t->gaps, "RECORDING GAP", "RECORDING GAPS");
		if (t->lost > 0)
			buf_printf(&value, ", at least %" PRIu64 " RECORDS LOST", t->lost);
		page_color(&value, st, PAGE_PLAIN);
	}
	put_field(out, st, "Completeness", &value);
}

static void put_head(struct buf *out, const struct page_style *st, const struct segment_session *s,
		     const struct session_totals *t)
{
	const struct access *a = s->access ? s->access : &unapproved;
	size_t status = status_index(a->status);

	if (statuses[status].headline)
		page_alarm(out, st, statuses[status].headline, statuses[status].meaning);
	put_session(out, st, s, t);
	if (t)
		put_totals(out, st, s, t);
	buf_putc(out, '\n');
	put_access(out, st, a);
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
		put_field(out, st, "Ended", &value);
	}
	put_totals(out, st, s, t);
	if (t->part > 1) {
		buf_printf(&value, "%u (left-behind programs went on after the end)", t->part);
		put_field(out, st, "Part", &value);
	}
	put_text_field(out, st, "Hash chain ends", t->head);
}
