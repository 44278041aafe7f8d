/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/grant_explain.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/transcript/entry.h"

#define FOR_EVER UINT64_C(253402300799)

static void write_item(struct json_writer *w, struct slice s)
{
	_cleanup_buf_ struct buf valid = {0};

	buf_init(&valid, SIZE_MAX);
	escape_to_utf8(&valid, s);
	json_write_str(w, valid.failed ? SLICE_LIT("\xff") : buf_slice(&valid));
}

static void write_time(struct json_writer *w, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format_utc(ms, text);
	json_write_kstr(w, key, slice_of(text));
}

static void write_login(struct json_writer *w, const struct explain *e)
{
	json_write_kopen(w, "login");
	entry_write_text(w, "user", slice_of(e->user));
	entry_write_text(w, "service", slice_of(e->service));
	entry_write_text(w, "source", slice_of(e->source));
	entry_write_text(w, "host", slice_of(e->host));
	write_time(w, "at", e->at_ms);
	json_write_close(w);
}

/* "until" is left out of a certificate that is valid for ever. */
static void write_certificate(struct json_writer *w, const struct explain *e)
{
	const struct ssh_key *k = e->key;
	const char *refused = explain_validity(k, e->at_ms);
	char serial[24];

	snprintf(serial, sizeof(serial), "%" PRIu64, k->serial);
	json_write_kopen(w, "certificate");
	entry_write_text(w, "key_id", k->key_id);
	json_write_kstr(w, "serial", slice_of(serial));
	json_write_karray(w, "principals");
	for (size_t i = 0; i < k->n_principals; i++)
		write_item(w, k->principals[i]);
	json_write_array_close(w);
	if (k->valid_after <= FOR_EVER)
		write_time(w, "from", (int64_t)k->valid_after * 1000);
	if (k->valid_before <= FOR_EVER)
		write_time(w, "until", (int64_t)k->valid_before * 1000);
	json_write_kstr_opt(w, "refused", refused[0] ? slice_of(refused) : SLICE_NONE);
	json_write_kstr(w, "ca", slice_of(k->ca_fp));
	json_write_kbool(w, "ca_listed", e->ca != NULL);
	if (e->ca)
		json_write_kstr(w, "profile", slice_of(ca_profile_name(e->ca->profile)));
	json_write_karray(w, "requests");
	for (size_t i = 0; i < e->says.n_ids; i++)
		write_item(w, slice_of(e->says.ids[i]));
	json_write_array_close(w);
	if (e->says_not[0])
		entry_write_text(w, "not_believed", slice_of(e->says_not));
	json_write_close(w);
}

static void write_key(struct json_writer *w, const struct explain *e)
{
	if (!e->key)
		return;
	json_write_kopen(w, "key");
	json_write_kstr(w, "type", e->key->type);
	json_write_kstr(w, "fingerprint", slice_of(e->key->fp));
	json_write_kbool(w, "used", e->key_counts);
	json_write_close(w);
	if (e->key->cert)
		write_certificate(w, e);
}

static void write_grants(struct json_writer *w, const struct explain *e)
{
	json_write_karray(w, "grants");
	for (size_t i = 0; i < e->n_grants; i++) {
		const struct explain_grant *g = &e->grants[i];

		json_write_open(w);
		entry_write_text(w, "request", slice_of(g->request_id));
		entry_write_text(w, "grant", slice_of(g->grant_id));
		entry_write_text(w, "file", slice_of(g->file));
		entry_write_text(w, "expires_at", slice_of(g->expires_at));
		json_write_kbool(w, "fits", g->why == MATCH_OK);
		json_write_kstr(w, "why", slice_of(match_reason_text(g->why)));
		json_write_close(w);
	}
	json_write_array_close(w);
}

static void write_answer(struct json_writer *w, const struct explain *e)
{
	json_write_open(w);
	write_login(w, e);
	json_write_key(w, "access");
	access_write(w, &e->found.access);
	entry_write_text(w, "grant_file", slice_of(e->found.grant_file));
	json_write_kbool(w, "accepted", e->accepted);
	json_write_kstr(w, "policy", slice_of(access_policy_name(e->policy)));
	entry_write_text(w, "refusal", slice_of(e->refusal));
	json_write_kbool(w, "breakglass", e->breakglass);
	write_key(w, e);
	write_grants(w, e);
	json_write_karray(w, "skipped");
	for (size_t i = 0; i < e->n_skipped; i++)
		write_item(w, slice_of(e->skipped[i]));
	json_write_array_close(w);
	json_write_close(w);
}

void explain_json(struct buf *out, const struct explain *e)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);

	if (w)
		write_answer(w, e);
	if (!w || json_writer_end(w) != 0)
		out->failed = true;
}
