/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/store/s3_answer.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/escape.h"
#include "common/store/s3_location.h"
#include "common/store/s3_words.h"
#include "common/xml.h"

#define CLASS(n) (-(n)) /* every status of it */

/* The first row that fits. status 0: any; code NULL: any, "": none. */
static const struct s3_rule {
	int status;
	const char *code;
	int rc;
	enum s3_repair repair;
	enum s3_hint hint;
	bool lost;
} s3_rules[] = {
	{CLASS(2), NULL, 0, S3_REPAIR_NONE, S3_HINT_NONE, false},

	{0, "RequestTimeTooSkewed", SA_ERR_PERM, S3_REPAIR_CLOCK, S3_HINT_CLOCK, false},
	{301, NULL, SA_ERR_PERM, S3_REPAIR_REGION, S3_HINT_REGION, false},
	{307, NULL, SA_ERR_AGAIN, S3_REPAIR_REGION, S3_HINT_LATER, false},
	{0, "AuthorizationHeaderMalformed", SA_ERR_PERM, S3_REPAIR_REGION, S3_HINT_REGION, false},
	{0, "IllegalLocationConstraintException", SA_ERR_PERM, S3_REPAIR_REGION, S3_HINT_REGION,
	 false},
	{CLASS(3), NULL, SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_ENDPOINT, false},

	/* Keys may have been replaced, or not be known everywhere yet. */
	{0, "ExpiredToken", SA_ERR_PERM, S3_REPAIR_CREDENTIALS, S3_HINT_CREDENTIALS, false},
	{0, "InvalidToken", SA_ERR_PERM, S3_REPAIR_CREDENTIALS, S3_HINT_CREDENTIALS, false},
	{0, "TokenRefreshRequired", SA_ERR_PERM, S3_REPAIR_CREDENTIALS, S3_HINT_CREDENTIALS, false},
	{0, "InvalidAccessKeyId", SA_ERR_PERM, S3_REPAIR_CREDENTIALS, S3_HINT_CREDENTIALS, false},
	{0, "SignatureDoesNotMatch", SA_ERR_PERM, S3_REPAIR_CREDENTIALS, S3_HINT_CREDENTIALS,
	 false},

	{0, "BadDigest", SA_ERR_AGAIN, S3_REPAIR_BODY, S3_HINT_CHANGED, false},
	{0, "XAmzContentSHA256Mismatch", SA_ERR_AGAIN, S3_REPAIR_BODY, S3_HINT_CHANGED, false},
	{0, "XAmzContentChecksumMismatch", SA_ERR_AGAIN, S3_REPAIR_BODY, S3_HINT_CHANGED, false},
	{0, "IncompleteBody", SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_LATER, false},
	{0, "RequestTimeout", SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_LATER, false},
	{0, "KMS.ThrottlingException", SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_LATER, false},
	{408, NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_LATER, false},
	{429, NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_LATER, false},
	/* Another write of the key is under way: it may be an earlier one of ours. */
	{409, NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_LATER, true},
	{412, NULL, SA_ERR_EXISTS, S3_REPAIR_NONE, S3_HINT_TAKEN, false},
	{0, "QuotaExceeded", SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_FULL, false},
	{0, "XMinioAdminBucketQuotaExceeded", SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_FULL, false},

	{0, "EntityTooLarge", SA_ERR_INVALID, S3_REPAIR_NONE, S3_HINT_OBJECT, false},
	{413, NULL, SA_ERR_INVALID, S3_REPAIR_NONE, S3_HINT_OBJECT, false},
	{0, "InvalidRequest", SA_ERR_INVALID, S3_REPAIR_NONE, S3_HINT_OBJECT, false},
	{0, "KeyTooLongError", SA_ERR_INVALID, S3_REPAIR_NONE, S3_HINT_KEY, false},
	{0, "InvalidObjectName", SA_ERR_INVALID, S3_REPAIR_NONE, S3_HINT_KEY, false},
	{0, "XMinioInvalidObjectName", SA_ERR_INVALID, S3_REPAIR_NONE, S3_HINT_KEY, false},
	{0, "InvalidURI", SA_ERR_INVALID, S3_REPAIR_NONE, S3_HINT_KEY, false},
	{414, NULL, SA_ERR_INVALID, S3_REPAIR_NONE, S3_HINT_KEY, false},

	{0, "NoSuchBucket", SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_BUCKET, false},
	{0, "InvalidBucketName", SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_BUCKET, false},
	{0, "AllAccessDisabled", SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_DISABLED, false},
	{0, "AccountProblem", SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_DISABLED, false},
	{0, "NotSignedUp", SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_DISABLED, false},
	{0, "UserSuspended", SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_DISABLED, false},
	{0, "InvalidObjectState", SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_ARCHIVED, false},
	{401, NULL, SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_CREDENTIALS, false},
	{403, NULL, SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_ALLOW, false},
	{0, "NoSuchKey", SA_ERR_NOTFOUND, S3_REPAIR_NONE, S3_HINT_NONE, false},
	{404, NULL, SA_ERR_NOTFOUND, S3_REPAIR_NONE, S3_HINT_ENDPOINT, false},
	{407, NULL, SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_PROXY, false},
	/* An answer to HEAD has no body: expired credentials look like this. */
	{400, "", SA_ERR_PERM, S3_REPAIR_CREDENTIALS, S3_HINT_NONE, false},
	{CLASS(4), NULL, SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_SETTINGS, false},
	{501, NULL, SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_NOT_DONE, false},
	{CLASS(5), NULL, SA_ERR_AGAIN, S3_REPAIR_NONE, S3_HINT_LATER, true},
	{0, NULL, SA_ERR_PERM, S3_REPAIR_NONE, S3_HINT_ENDPOINT, false},
};

static const char *const s3_hints[] = {
	[S3_HINT_ARCHIVED] = "the object is archived: restore it first",
	[S3_HINT_BUCKET] = "there is no such bucket: make it, or correct s3_url or s3_endpoint",
	[S3_HINT_CHANGED] = "it got other bytes than were sent",
	[S3_HINT_CLOCK] = "set this host's clock, it is off by more than 15 minutes",
	[S3_HINT_DISABLED] = "the account or bucket is disabled there: ask its owner or provider",
	[S3_HINT_ENDPOINT] = "check s3_endpoint and s3_path_style: this is not how S3 answers",
	[S3_HINT_FULL] = "it is full: raise the quota",
	[S3_HINT_KEY] = "it does not take such a key",
	[S3_HINT_LATER] = "busy or failing, it may work later",
	[S3_HINT_NOT_DONE] =
		"it does not know If-None-Match, or one of the s3_ settings of [store]",
	[S3_HINT_OBJECT] = "it does not take this request or object",
	[S3_HINT_PROXY] = "the proxy wants a login: put it into s3_proxy",
	[S3_HINT_SETTINGS] = "check the s3_ settings of [store]",
	[S3_HINT_TAKEN] = "the key is taken",
};

static bool s3_rule_fits(const struct s3_rule *r, const struct s3_answer *a)
{
	return (r->status == 0 || r->status == a->status || r->status == -(a->status / 100)) &&
	       (!r->code || strcmp(r->code, a->code) == 0);
}

static void s3_take_code(struct s3_answer *a, struct slice text)
{
	if (text.len > S3_CODE_MAX || !s3_made_of(text, S3_UPPER S3_LOWER S3_DIGITS "._-"))
		return;
	memcpy(a->code, text.ptr, text.len);
	a->code[text.len] = '\0';
}

static void s3_take_message(struct s3_answer *a, struct slice text)
{
	_cleanup_buf_ struct buf safe = {0};
	size_t n;

	buf_init(&safe, 8 * S3_MESSAGE_MAX);
	escape_terminal(&safe, (struct slice){text.ptr, escape_utf8_cut(text, S3_MESSAGE_MAX)});
	n = escape_utf8_cut(buf_slice(&safe), S3_MESSAGE_MAX);
	memcpy(a->message, buf_slice(&safe).ptr, n);
	a->message[n] = '\0';
}

static void s3_take_region(struct s3_answer *a, const char *region)
{
	size_t n = strlen(region);

	if (n <= S3_REGION_MAX && s3_region_valid(region))
		memcpy(a->region, region, n + 1);
}

static int s3_error_leaf(void *ctx, const char *path, struct slice text)
{
	struct s3_answer *a = ctx;
	_cleanup_free_ char *region = NULL;

	if (strcmp(path, "Error/Code") == 0)
		s3_take_code(a, text);
	else if (strcmp(path, "Error/Message") == 0)
		s3_take_message(a, text);
	else if (strcmp(path, "Error/Region") == 0 && (region = slice_dup(text)) != NULL)
		s3_take_region(a, region);
	return 0;
}

static void s3_read_error(const struct http_answer *h, struct s3_answer *a)
{
	static const struct xml_handler handler = {.leaf = s3_error_leaf};
	const char *region = headers_get(&h->headers, "x-amz-bucket-region");

	/* A body that is no XML to its end is a proxy's page, or garbage: nothing of it counts. */
	if (a->status >= 300 && h->body.len > 0 &&
	    xml_read(buf_slice(&h->body), &handler, a, NULL) != 0)
		a->code[0] = a->message[0] = a->region[0] = '\0';
	if (region)
		s3_take_region(a, region);
}

/* What an answer without a body (to HEAD) says only with its headers. */
static enum s3_repair s3_silent_repair(const struct s3_answer *a, int64_t now_ms,
				       const char *region)
{
	bool elsewhere = a->region[0] && strcmp(a->region, region) != 0;

	if (elsewhere && (a->status == 301 || a->status == 307 || a->status == 400))
		return S3_REPAIR_REGION;
	if (!a->code[0] && a->status == 403 && a->date_ms > 0 &&
	    llabs(a->date_ms - now_ms) > S3_CLOCK_SKEW_MS)
		return S3_REPAIR_CLOCK;
	return a->repair;
}

void s3_answer_read(const struct http_answer *h, int64_t now_ms, const char *region,
		    struct s3_answer *out)
{
	struct s3_answer a = {.status = h->status};
	const char *date = headers_get(&h->headers, "Date");
	const struct s3_rule *r = s3_rules;

	if (!date || http_date(date, &a.date_ms) != 0)
		a.date_ms = 0;
	s3_read_error(h, &a);
	while (!s3_rule_fits(r, &a))
		r++;
	a.rc = r->rc;
	a.repair = r->repair;
	a.hint = r->hint;
	a.lost = r->lost;
	a.repair = s3_silent_repair(&a, now_ms, region);
	*out = a;
}

static void s3_hint_text(const struct s3_answer *a, const struct s3_asked *q, struct buf *out)
{
	switch (a->hint) {
	case S3_HINT_NONE:
		break;
	case S3_HINT_ALLOW:
		buf_printf(out, ": allow %s on %s", q->action, q->resource);
		if (q->owner)
			buf_printf(out, "; the bucket must belong to account %s", q->owner);
		break;
	case S3_HINT_CREDENTIALS:
		buf_printf(out, ": check the credentials (from: %s)", q->credentials);
		break;
	case S3_HINT_REGION:
		buf_puts(out, ": the bucket is in another region");
		if (a->region[0])
			buf_printf(out, ", it says %s", a->region);
		buf_puts(out, ": set s3_region");
		break;
	default:
		buf_printf(out, ": %s", s3_hints[a->hint]);
	}
}

int s3_answer_fail(const struct s3_answer *a, const struct s3_asked *q, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, sizeof(err->msg) * 2);
	s3_hint_text(a, q, &text);
	if (a->message[0])
		buf_printf(&text, " (it says: %s)", a->message);
	return sa_fail(err, a->rc, "%.150s: %d%s%s for %s%s", q->store, a->status,
		       a->code[0] ? " " : "", a->code, q->method, buf_cstr(&text));
}
