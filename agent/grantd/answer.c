/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/answer.h"

#include "common/cleanup.h"
#include "common/escape.h"

#define ANSWER_SCHEMA "sessaudit.grants/1"
#define SIGNATURE_BYTES 64 /* RFC 8032, 5.1.6 */

/* An object with just these two keys. */
static bool answer_has_only(const struct json *object, const char *one, const char *two)
{
	return json_is(object, JSON_OBJECT) && json_len(object) == 2 && json_get(object, one) &&
	       json_get(object, two);
}

static int answer_check(struct answer *a, struct sa_err *err)
{
	if (!answer_has_only(a->root, "schema", "grants"))
		return sa_fail(err, SA_ERR_INVALID, "must have schema and grants, nothing else");
	if (!slice_is(json_get_str(a->root, "schema"), ANSWER_SCHEMA))
		return sa_fail(err, SA_ERR_INVALID, "schema: must be \"" ANSWER_SCHEMA "\"");
	a->grants = json_get(a->root, "grants");
	if (!json_is(a->grants, JSON_ARRAY))
		return sa_fail(err, SA_ERR_INVALID, "grants: must be a list");
	a->len = json_len(a->grants);
	if (a->len > ANSWER_MAX_GRANTS)
		return sa_fail(err, SA_ERR_TOOBIG, "grants: %zu of them, more than %d", a->len,
			       ANSWER_MAX_GRANTS);
	return 0;
}

int answer_parse(struct slice body, struct answer *out, struct sa_err *err)
{
	_cleanup_broker_answer_ struct answer a = {0};
	int rc;

	if (body.len > ANSWER_MAX_BYTES)
		return sa_fail(err, SA_ERR_TOOBIG, "longer than %d bytes", ANSWER_MAX_BYTES);
	if ((rc = json_parse(body.ptr, body.len, &a.root, err)) != 0 ||
	    (rc = answer_check(&a, err)) != 0)
		return rc;
	*out = a;
	a = (struct answer){0};
	return 0;
}

void answer_free(struct answer *a)
{
	json_free(a->root);
	*a = (struct answer){0};
}

/* Decoded before anything else is done with it: what is too long is not copied about. */
static int answer_decode(const struct json *item, const char *key, size_t max, struct buf *out,
			 struct sa_err *err)
{
	struct slice text = json_get_str(item, key);

	buf_init(out, max + 2);
	if (!text.ptr || text.len > (max + 2) / 3 * 4)
		return sa_fail(err, SA_ERR_INVALID, "%s: no text, or longer than %zu bytes", key,
			       max);
	if (escape_unbase64(out, text) != 0)
		return sa_fail(err, SA_ERR_INVALID, "%s: not base64", key);
	if (out->failed)
		return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", key);
	return out->len <= max
		       ? 0
		       : sa_fail(err, SA_ERR_INVALID, "%s: longer than %zu bytes", key, max);
}

int answer_envelope(const struct answer *a, size_t i, struct buf *out, struct sa_err *err)
{
	_cleanup_buf_ struct buf grant = {0}, signature = {0};
	const struct json *item = json_at(a->grants, i);
	int rc;

	if (!answer_has_only(item, "grant", "signature"))
		return sa_fail(err, SA_ERR_INVALID, "must have grant and signature, nothing else");
	if ((rc = answer_decode(item, "grant", GRANT_MAX_BYTES, &grant, err)) != 0 ||
	    (rc = answer_decode(item, "signature", SIGNATURE_BYTES, &signature, err)) != 0)
		return rc;
	if (signature.len != SIGNATURE_BYTES)
		return sa_fail(err, SA_ERR_INVALID, "signature: must have %d bytes",
			       SIGNATURE_BYTES);
	/* There is room, and base64 is always fit for JSON. */
	if (signed_write(buf_slice(&grant), buf_slice(&signature), out) != 0)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return 0;
}
