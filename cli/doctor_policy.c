/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fnmatch.h>
#include <stdio.h>
#include <strings.h>

#include "cli/doctor.h"
#include "common/cleanup.h"
#include "common/store/store_s3.h"
#include "common/xml.h"

#define POLICY_TEXT_MAX 2600

/* What a policy must forbid to everybody. */
struct denial {
	const char *action; /* "s3:DeleteObject" */
	const char *op, *key,
		*value; /* of the one condition; op NULL: none but who it is not for */
};

/* A string, or a list that holds it. */
static const struct json *item(const struct json *j, size_t i)
{
	if (json_is(j, JSON_ARRAY))
		return json_at(j, i);
	return i == 0 ? j : NULL;
}

/* The wildcards of a policy, * and ?, are those of a shell; it has no others. */
static bool matches(struct slice pattern, const char *what)
{
	char text[POLICY_TEXT_MAX];

	if (!pattern.ptr || pattern.len >= sizeof(text) || memchr(pattern.ptr, '[', pattern.len))
		return false;
	memcpy(text, pattern.ptr, pattern.len);
	text[pattern.len] = '\0';
	return fnmatch(text, what, FNM_NOESCAPE | FNM_CASEFOLD) == 0;
}

static bool names(const struct json *list, const char *what)
{
	const struct json *j;

	for (size_t i = 0; (j = item(list, i)) != NULL; i++)
		if (matches(json_str(j), what))
			return true;
	return false;
}

/* Some object of the store, which the policy must be about. */
static void some_object(const struct doctor *d, struct buf *out)
{
	const struct s3_location *l = store_s3_location(d->store);

	buf_init(out, POLICY_TEXT_MAX);
	if (l->access_point)
		buf_printf(out, "%s/object/%ssessions/x", l->bucket, l->prefix);
	else
		buf_printf(out, "arn:%s:s3:::%s/%ssessions/x", l->partition, l->bucket, l->prefix);
}

static bool is_for_everyone(const struct json *statement)
{
	const struct json *who = json_get(statement, "Principal"), *j;

	if (slice_is(json_str(who), "*"))
		return true;
	who = json_get(who, "AWS");
	for (size_t i = 0; (j = item(who, i)) != NULL; i++)
		if (slice_is(json_str(j), "*"))
			return true;
	return false;
}

/* Conditions hold together: one more would let something through. "Everyone but the admin" is
 * everyone here. */
static bool has_condition(const struct json *statement, const struct denial *d)
{
	const struct json *all = json_get(statement, "Condition"), *one = json_get(all, d->op);
	const struct json *who = json_get(all, "ArnNotEquals"), *value;
	size_t others = who && json_len(who) == 1 && json_get(who, "aws:PrincipalArn") ? 1 : 0;

	if (!d->op)
		return json_len(all) == others;
	value = item(json_get(one, d->key), 0);
	return json_len(all) == others + 1 && json_len(one) == 1 &&
	       (slice_is(json_str(value), d->value) ||
		(json_is(value, JSON_BOOL) && json_bool(value) == (strcmp(d->value, "true") == 0)));
}

static bool denies(const struct doctor *doctor, const struct json *policy, const struct denial *d)
{
	const struct json *statements = json_get(policy, "Statement"), *s;
	_cleanup_buf_ struct buf object = {0};

	some_object(doctor, &object);
	for (size_t i = 0; (s = item(statements, i)) != NULL; i++)
		if (slice_is(json_get_str(s, "Effect"), "Deny") && is_for_everyone(s) &&
		    names(json_get(s, "Action"), d->action) &&
		    names(json_get(s, "Resource"), buf_cstr(&object)) && has_condition(s, d))
			return true;
	return false;
}

/* The policy; NULL when the finding is out. */
static struct json *get_policy(struct doctor *d, enum doctor_status without)
{
	_cleanup_s3_reply_ struct s3_reply r = {0};
	enum doctor_asked asked = doctor_ask(d, "policy=", NULL, "s3:GetBucketPolicy", &r);
	struct json *policy = NULL;

	if (asked == DOCTOR_NOTHING)
		doctor_say(d, without, "no bucket policy: `sessaudit bucket-policy` prints one");
	if (asked == DOCTOR_ANSWER && json_parse(r.body.data, r.body.len, &policy, NULL) != 0)
		doctor_say(d, DOCTOR_UNKNOWN, "the bucket policy cannot be understood");
	return policy;
}

void doctor_policy_tls(struct doctor *d)
{
	static const char *const actions[] = {"s3:PutObject", "s3:GetObject"};
	_cleanup_json_ struct json *policy = get_policy(d, DOCTOR_FAIL);
	size_t denied = 0;

	for (size_t i = 0; policy && i < ARRAY_LEN(actions); i++) {
		struct denial plain = {actions[i], "Bool", "aws:SecureTransport", "false"};
		struct denial unless = {actions[i], "BoolIfExists", "aws:SecureTransport", "false"};

		denied += denies(d, policy, &plain) || denies(d, policy, &unless);
	}
	if (policy && denied == ARRAY_LEN(actions))
		doctor_say(d, DOCTOR_OK, "the policy denies requests without TLS");
	else if (policy)
		doctor_say(d, DOCTOR_FAIL,
			   "the policy does not deny requests without TLS (aws:SecureTransport)");
}

void doctor_policy_delete(struct doctor *d)
{
	static const char *const actions[] = {"s3:DeleteObject", "s3:DeleteObjectVersion",
					      "s3:PutObjectRetention",
					      "s3:BypassGovernanceRetention"};
	_cleanup_json_ struct json *policy = get_policy(d, DOCTOR_WARN);

	for (size_t i = 0; policy && i < ARRAY_LEN(actions); i++) {
		const struct denial one = {.action = actions[i]};

		if (denies(d, policy, &one))
			continue;
		doctor_say(d, DOCTOR_WARN, "the policy does not deny %s to everyone", actions[i]);
		return;
	}
	if (policy)
		doctor_say(d, DOCTOR_OK, "the policy denies deleting and changing the retention");
}

/* Stores that are not AWS do not know the condition key: there the agent's own header must do. */
void doctor_policy_overwrite(struct doctor *d)
{
	static const struct denial overwrite = {"s3:PutObject", "Null", "s3:if-none-match", "true"};
	_cleanup_json_ struct json *policy = get_policy(d, DOCTOR_WARN);
	bool aws = store_s3_location(d->store)->aws;

	if (policy && denies(d, policy, &overwrite))
		doctor_say(d, DOCTOR_OK, "the policy denies writes without If-None-Match");
	else if (policy)
		doctor_say(d, aws ? DOCTOR_WARN : DOCTOR_UNKNOWN,
			   "the policy does not deny writes without If-None-Match%s",
			   aws ? " (s3:if-none-match)"
			       : "; few stores but AWS know that condition (s3:if-none-match)");
}

void doctor_policy_public(struct doctor *d)
{
	_cleanup_s3_reply_ struct s3_reply r = {0};
	_cleanup_buf_ struct buf is_public = {0};
	enum doctor_asked asked =
		doctor_ask(d, "policyStatus=", "PolicyStatus", "s3:GetBucketPolicyStatus", &r);

	if (asked == DOCTOR_SAID)
		return;
	buf_init(&is_public, 64);
	if (asked == DOCTOR_ANSWER)
		(void)xml_find(buf_slice(&r.body), "PolicyStatus/IsPublic", &is_public, NULL);
	if (strcasecmp(buf_cstr(&is_public), "true") == 0)
		doctor_say(d, DOCTOR_FAIL, "the policy opens the bucket to everyone");
	else
		doctor_say(d, DOCTOR_OK, "the policy does not open the bucket to everyone");
}
