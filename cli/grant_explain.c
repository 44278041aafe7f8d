/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "cli/grant_explain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/transcript/page_text.h"

#define VALUE_MAX (256 * 1024)
#define TEXT_SHOWN 256
#define FOR_EVER UINT64_C(253402300799) /* the last second of the year 9999 */

void explain_free(struct explain *e)
{
	for (size_t i = 0; i < e->n_grants; i++) {
		free(e->grants[i].request_id);
		free(e->grants[i].grant_id);
		free(e->grants[i].file);
		free(e->grants[i].expires_at);
	}
	for (size_t i = 0; i < e->n_skipped; i++)
		free(e->skipped[i]);
	free(e->grants);
	free(e->skipped);
	free(e->refusal);
	resolved_free(&e->found);
	profile_free(&e->says);
	*e = (struct explain){0};
}

const char *explain_validity(const struct ssh_key *cert, int64_t at_ms)
{
	uint64_t now = at_ms > 0 ? (uint64_t)at_ms / 1000 : 0;

	if (!cert->user_cert)
		return "a certificate for hosts";
	if (now < cert->valid_after)
		return "not valid yet";
	return now >= cert->valid_before ? "expired" : "";
}

static void put_login(struct buf *out, const struct page_style *st, const struct explain *e)
{
	_cleanup_buf_ struct buf left = {0}, right = {0};

	buf_init(&left, VALUE_MAX);
	buf_init(&right, VALUE_MAX);
	page_safe(&left, slice_of(e->user), TEXT_SHOWN);
	buf_puts(&left, " by ");
	page_safe(&left, slice_of(e->service), TEXT_SHOWN);
	page_safe(&right, slice_of(e->host), TEXT_SHOWN);
	page_pair(out, st, "Login", &left, "Host", &right);
	page_when(&left, st, e->at_ms);
	page_safe(&right, e->source ? slice_of(e->source) : SLICE_LIT("no address"), TEXT_SHOWN);
	page_pair(out, st, "Time", &left, "From", &right);
	buf_putc(out, '\n');
}

static void put_decision(struct buf *out, const struct page_style *st, const struct explain *e)
{
	enum access_status status = e->found.access.status;
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, VALUE_MAX);
	if (e->accepted) {
		buf_printf(&value, "let in: policy.accept has %s", access_status_name(status));
	} else if (e->policy == ACCESS_POLICY_DENIED) {
		buf_puts(&value, "refused: ");
		page_safe(&value, slice_of(e->refusal), 0);
	} else if (e->policy == ACCESS_POLICY_EXEMPT) {
		buf_puts(&value, "let in: exempt, would have been refused");
	} else {
		buf_printf(&value, "let in, and recorded as %s", page_status(status));
	}
	page_field(out, st, "Decision", &value);
	if (!e->accepted && e->breakglass)
		page_text_field(out, st, "Break-glass",
				"a reason may be typed where the service "
				"can prompt");
}

static void put_result(struct buf *out, const struct page_style *st, const struct explain *e)
{
	page_access(out, st, &e->found.access);
	page_text_field(out, st, "Grant file", e->found.grant_file);
	put_decision(out, st, e);
	if (e->key && !e->key_counts)
		page_text_field(out, st, "Key not used",
				"pam.ssh_services does not have this service");
}

static void put_names(struct buf *out, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		page_quote(out, names[i], false);
	}
}

/* A certificate that sshd does not take never gets as far as the module. */
static void put_refusal(struct buf *out, const struct page_style *st, const char *why)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, VALUE_MAX);
	page_color(&value, st, PAGE_ALARM);
	buf_printf(&value, "REFUSED by sshd: %s", why);
	page_color(&value, st, PAGE_PLAIN);
	page_field(out, st, "", &value);
}

static void put_principals(struct buf *out, const struct page_style *st, const struct explain *e)
{
	const struct ssh_key *k = e->key;
	_cleanup_buf_ struct buf value = {0};
	bool named = false;

	buf_init(&value, VALUE_MAX);
	for (size_t i = 0; i < k->n_principals; i++)
		named = named || slice_is(k->principals[i], e->user);
	put_names(&value, k->principals, k->n_principals);
	if (k->n_principals == 0)
		buf_puts(&value, "none");
	page_field(out, st, "Principals", &value);
	if (!named)
		put_refusal(out, st,
			    "the user is no principal (unless AuthorizedPrincipals has "
			    "one)");
}

static void put_end(struct buf *out, const struct page_style *st, uint64_t seconds)
{
	if (seconds > FOR_EVER)
		buf_puts(out, "for ever");
	else
		page_when(out, st, (int64_t)seconds * 1000);
}

static void put_cert_time(struct buf *out, const struct page_style *st, const struct explain *e)
{
	const char *refused = explain_validity(e->key, e->at_ms);
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, VALUE_MAX);
	put_end(&value, st, e->key->valid_after);
	buf_puts(&value, " until ");
	put_end(&value, st, e->key->valid_before);
	page_field(out, st, "Valid", &value);
	if (refused[0])
		put_refusal(out, st, refused);
}

static void put_cert_requests(struct buf *out, const struct page_style *st, const struct explain *e)
{
	_cleanup_buf_ struct buf value = {0};

	buf_init(&value, VALUE_MAX);
	if (!e->ca) {
		buf_puts(&value, "not looked at");
	} else if (e->says_not[0]) {
		page_safe(&value, slice_of(e->says_not), 0);
	} else if (e->says.n_ids == 0) {
		buf_puts(&value, "none");
	}
	for (size_t i = 0; i < e->says.n_ids; i++) {
		buf_puts(&value, i > 0 ? ", " : "");
		page_safe(&value, slice_of(e->says.ids[i]), TEXT_SHOWN);
	}
	page_field(out, st, "Names requests", &value);
}

static void put_certificate(struct buf *out, const struct page_style *st, const struct explain *e)
{
	const struct ssh_key *k = e->key;
	_cleanup_buf_ struct buf value = {0};

	if (!k)
		return;
	buf_init(&value, VALUE_MAX);
	buf_puts(out, k->cert ? "\nThe certificate\n" : "\nThe key\n");
	page_safe(&value, k->type, TEXT_SHOWN);
	buf_printf(&value, " %s", k->fp);
	page_field(out, st, "Key", &value);
	if (!k->cert)
		return;
	page_quote(&value, k->key_id, false);
	buf_printf(&value, ", serial %" PRIu64, k->serial);
	page_field(out, st, "Key id", &value);
	put_principals(out, st, e);
	put_cert_time(out, st, e);
	page_text_field(out, st, "Signed by CA", k->ca_fp);
	if (e->ca)
		buf_printf(&value, "listed, profile %s, in ", ca_profile_name(e->ca->profile));
	else
		buf_puts(&value, "not listed, so that only the key itself counts, in ");
	page_safe(&value, slice_of(e->ca_dir), TEXT_SHOWN);
	page_field(out, st, "CA list", &value);
	put_cert_requests(out, st, e);
	page_text_field(out, st, "Not checked", "the signature: sshd does that");
}

static void put_grants(struct buf *out, const struct page_style *st, const struct explain *e)
{
	buf_printf(out, "\nGrants looked at: %zu\n", e->n_grants);
	for (size_t i = 0; i < e->n_grants; i++) {
		const struct explain_grant *g = &e->grants[i];
		_cleanup_buf_ struct buf value = {0};

		buf_init(&value, VALUE_MAX);
		buf_puts(out, "  ");
		page_safe(&value, slice_of(g->request_id), TEXT_SHOWN);
		buf_puts(&value, ": ");
		page_colored(&value, st, g->why == MATCH_OK ? PAGE_GOOD : PAGE_WARN,
			     match_reason_text(g->why));
		buf_puts(&value, "; until ");
		page_when_text(&value, st, g->expires_at ? g->expires_at : "?");
		buf_puts(&value, "; ");
		page_safe(&value, slice_of(g->file), 0);
		page_wrap(out, st, buf_slice(&value), 6);
		if (value.failed)
			out->failed = true;
	}
}

static void put_skipped(struct buf *out, const struct page_style *st, const struct explain *e)
{
	if (e->n_skipped == 0)
		return;
	buf_printf(out, "\nNot read, or not believed: %zu\n", e->n_skipped);
	for (size_t i = 0; i < e->n_skipped; i++) {
		_cleanup_buf_ struct buf value = {0};

		buf_init(&value, VALUE_MAX);
		buf_puts(out, "  ");
		page_safe(&value, slice_of(e->skipped[i]), 0);
		page_wrap(out, st, buf_slice(&value), 6);
	}
}

void explain_text(struct buf *out, const struct page_style *st, const struct explain *e)
{
	put_login(out, st, e);
	put_result(out, st, e);
	put_certificate(out, st, e);
	put_grants(out, st, e);
	put_skipped(out, st, e);
}
