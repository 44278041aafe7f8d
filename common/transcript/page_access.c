/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The fields of the page's head, and the block that says which request a login belongs to. */
#include "common/cleanup.h"
#include "common/transcript/page_text.h"

#define LABEL_COLUMNS 18 /* where the values of the head begin */
#define RIGHT_COLUMN 53  /* where the second pair of a line begins */
#define RIGHT_VALUE 62
#define BY_COLUMNS 40 /* who approved, when it is to line up */

static void put_label(struct buf *out, const char *label, size_t to_column, size_t from_column)
{
	size_t n = from_column + strlen(label);

	buf_puts(out, label);
	page_pad(out, n < to_column ? to_column - n : 1);
}

void page_field(struct buf *out, const struct page_style *st, const char *label, struct buf *value)
{
	buf_puts(out, "  ");
	put_label(out, label, LABEL_COLUMNS, 2);
	page_wrap(out, st, buf_slice(value), LABEL_COLUMNS);
	if (value->failed)
		out->failed = true;
	buf_clear(value);
}

void page_pair(struct buf *out, const struct page_style *st, const char *label, struct buf *value,
	       const char *label2, struct buf *value2)
{
	size_t end = LABEL_COLUMNS + page_columns(buf_slice(value));

	if (end + 2 > RIGHT_COLUMN) {
		page_field(out, st, label, value);
		page_field(out, st, label2, value2);
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

void page_text_field(struct buf *out, const struct page_style *st, const char *label,
		     const char *text)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, 8 * ACCESS_MAX_FIELD);
	if (!text || !*text)
		return;
	page_safe(&value, slice_of(text), ACCESS_MAX_FIELD);
	page_field(out, st, label, &value);
}

void page_or_unknown(struct buf *out, struct slice s)
{
	page_safe(out, s.len > 0 ? s : SLICE_LIT("not known"), 256);
}

/* What nobody but the user vouches for must not look like part of an approval. */
static void put_self_asserted(struct buf *out, const struct page_style *st, const char *label,
			      const char *text)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, 8 * ACCESS_MAX_FIELD);
	if (!text)
		return;
	page_safe(&value, slice_of(text), ACCESS_MAX_FIELD);
	buf_puts(&value, "  ");
	page_colored(&value, st, PAGE_ALARM, "(SELF-ASSERTED: typed by the user)");
	page_field(out, st, label, &value);
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

		page_or_unknown(&line, slice_of(by->by));
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
		page_field(out, st, i == 0 ? "Approved by" : "", &line);
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
	page_field(out, st, "Valid", &value);
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
	case ACCESS_SOURCE_SESSION:
		return "the session that this one left";
	case ACCESS_SOURCE_NONE:
		break;
	}
	return NULL;
}

static void put_certificate(struct buf *out, const struct page_style *st, const struct access *a)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, 8 * ACCESS_MAX_FIELD);
	page_text_field(out, st, "Key", a->key_fp);
	if (!a->ca_fp && !a->cert_key_id && !a->cert_serial)
		return;
	buf_puts(&value, "key id ");
	if (a->cert_key_id)
		page_quote(&value, slice_of(a->cert_key_id), true);
	else
		buf_puts(&value, "empty");
	if (a->cert_serial) {
		buf_puts(&value, ", serial ");
		page_safe(&value, slice_of(a->cert_serial), 64);
	}
	if (a->cert_profile) {
		buf_puts(&value, ", profile ");
		page_safe(&value, slice_of(a->cert_profile), 64);
	}
	page_field(out, st, "Certificate", &value);
	page_text_field(out, st, "Signed by CA", a->ca_fp);
}

static void put_policy(struct buf *out, const struct page_style *st, enum access_policy policy)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, 256);
	if (policy == ACCESS_POLICY_DENIED)
		page_colored(&value, st, PAGE_ALARM, "DENIED: the login was refused");
	else if (policy == ACCESS_POLICY_EXEMPT)
		page_colored(&value, st, PAGE_ALARM,
			     "EXEMPT: let in although it would have been refused");
	else
		return;
	page_field(out, st, "Host's policy", &value);
}

void page_access(struct buf *out, const struct page_style *st, const struct access *a)
{
	void (*put_words)(struct buf *, const struct page_style *, const char *, const char *) =
		a->status == ACCESS_BREAKGLASS ? put_self_asserted : page_text_field;
	_cleanup_buf_ struct buf value = {0}, status = {0};

	buf_init(&value, 16 * ACCESS_MAX_FIELD);
	buf_init(&status, 256);
	page_safe(&value,
		  slice_of(a->request_id         ? a->request_id
			   : a->n_candidates > 0 ? "not known"
						 : "none"),
		  256);
	put_status(&status, st, a->status);
	page_pair(out, st, "Access request", &value, "Status", &status);
	put_policy(out, st, a->policy);
	page_text_field(out, st, "Reason", a->reason);
	if (a->n_candidates > 0) {
		put_candidates(&value, a);
		page_field(out, st, "Could be", &value);
	}
	page_text_field(out, st, "Requested by", a->requester ? a->requester : a->requester_id);
	put_approvals(out, st, a);
	if (a->n_approvals == 0 && a->status == ACCESS_APPROVED)
		page_text_field(out, st, "Approved by", "the request names nobody");
	page_text_field(out, st, "Flow", a->flow ? a->flow : a->flow_id);
	put_words(out, st, "Justification", a->justification);
	put_words(out, st, "Ticket", a->ticket);
	page_text_field(out, st, "Resource", a->resource);
	put_validity(out, st, a);
	page_text_field(out, st, "Recognised by", source_words(a->source));
	put_certificate(out, st, a);
}
