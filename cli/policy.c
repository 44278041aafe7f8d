/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "cli/policy.h"
#include "common/cleanup.h"
#include "common/store/s3_location.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM LOWER UPPER DIGITS

static bool only(struct slice s, const char *allowed, size_t min, size_t max)
{
	if (s.len < min || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!s.ptr[i] || !strchr(allowed, s.ptr[i]))
			return false;
	return true;
}

static bool only_text(const char *s, const char *allowed, size_t min, size_t max)
{
	return only(slice_of(s), allowed, min, max);
}

#define ARN_PARTS 6

/* "arn:partition:service:region:account:resource" */
static bool split_arn(const char *text, struct slice part[ARN_PARTS])
{
	for (size_t i = 0; i < ARN_PARTS; i++) {
		const char *end = i + 1 < ARN_PARTS ? strchr(text, ':') : text + strlen(text);

		if (!end)
			return false;
		part[i] = (struct slice){text, (size_t)(end - text)};
		text = end + 1;
	}
	return slice_is(part[0], "arn");
}

/* All words must be of one partition: no ARN of another one would ever match. */
static int take_partition(struct policy *p, struct slice name, const char *what, struct sa_err *err)
{
	static const char *const known[] = {"aws", "aws-cn", "aws-us-gov", "aws-eusc"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!slice_is(name, known[i]))
			continue;
		if (p->partition && strcmp(p->partition, known[i]) != 0)
			return sa_fail(err, SA_ERR_INVALID,
				       "%s: is of partition %s, but others are of %s", what,
				       known[i], p->partition);
		p->partition = known[i];
		return 0;
	}
	return sa_fail(err, SA_ERR_INVALID,
		       "%s: its partition is none of aws, aws-cn, aws-us-gov, "
		       "aws-eusc",
		       what);
}

/* Stores that are not AWS name no account, or a tenant. */
static bool is_account(struct slice s)
{
	return only(s, DIGITS, 12, 12) || (only(s, ALNUM "_-", 0, 64) && !only(s, DIGITS, 1, 64));
}

static int check_principal(struct policy *p, const char *arn, const char *what, struct sa_err *err)
{
	struct slice part[ARN_PARTS], name;

	if (!arn)
		return 0;
	if (!split_arn(arn, part) || !slice_is(part[2], "iam") || part[3].len > 0 ||
	    !is_account(part[4]))
		return sa_fail(err, SA_ERR_INVALID,
			       "%s %s: not the ARN of a role; it should look like "
			       "arn:aws:iam::123456789012:role/NAME",
			       what, arn);
	name = part[5];
	if (!slice_starts(name, "role/") && !slice_starts(name, "user/"))
		return sa_fail(err, SA_ERR_INVALID, "%s %s: neither a role nor a user", what, arn);
	if (!only(name, ALNUM "+=,.@_/-", 6, 600))
		return sa_fail(err, SA_ERR_INVALID,
			       "%s %s: a role name is of letters, digits and +=,.@_-", what, arn);
	return take_partition(p, part[1], what, err);
}

static int check_key(struct policy *p, struct sa_err *err)
{
	struct slice part[ARN_PARTS];

	if (!p->w->kms_key)
		return 0;
	if (!split_arn(p->w->kms_key, part) || !slice_is(part[2], "kms") ||
	    !only(part[3], LOWER DIGITS "-", 1, sizeof(p->region) - 1) ||
	    !only(part[4], DIGITS, 12, 12) || !slice_starts(part[5], "key/") ||
	    !only(part[5], ALNUM "-/", 5, 200))
		return sa_fail(err, SA_ERR_INVALID,
			       "--kms-key %s: not the ARN of a key (an alias will not do: policies "
			       "match keys); it should look like "
			       "arn:aws:kms:eu-central-1:123456789012:key/...",
			       p->w->kms_key);
	if (p->region[0] && !slice_is(part[3], p->region))
		return sa_fail(err, SA_ERR_INVALID, "--kms-key: a bucket in %s needs a key in %s",
			       p->region, p->region);
	snprintf(p->region, sizeof(p->region), "%.*s", (int)part[3].len, part[3].ptr);
	return take_partition(p, part[1], "--kms-key", err);
}

static int check_region(struct policy *p, struct sa_err *err)
{
	const char *region = p->w->region;

	if (!region)
		return 0;
	if (!only_text(region, LOWER DIGITS "-", 1, sizeof(p->region) - 1) || region[0] == '-')
		return sa_fail(err, SA_ERR_INVALID,
			       "--region %s: not a region; it should look like eu-central-1",
			       region);
	snprintf(p->region, sizeof(p->region), "%s", region);
	return take_partition(p,
			      strncmp(region, "cn-", 3) == 0       ? SLICE_LIT("aws-cn")
			      : strncmp(region, "us-gov-", 7) == 0 ? SLICE_LIT("aws-us-gov")
			      : strncmp(region, "eusc-", 5) == 0   ? SLICE_LIT("aws-eusc")
								   : SLICE_LIT("aws"),
			      "--region", err);
}

/* The bucket and prefix as the agent will take them apart. */
static int check_bucket(struct policy *p, struct sa_err *err)
{
	const char *url = p->w->bucket, *arn = strstr(url, "arn:");
	struct s3_where where = {
		.url = url, .region = "us-east-1", .endpoint = "https://localhost"};
	struct slice part[ARN_PARTS];
	struct s3_location l = {0};
	int rc;

	if (arn && split_arn(arn, part) && (rc = take_partition(p, part[1], "--bucket", err)) != 0)
		return rc;
	if (arn && strstr(arn, "accesspoint"))
		return sa_fail(err, SA_ERR_INVALID,
			       "--bucket %s: an access point; name the bucket behind it, and give "
			       "the access point the same policy with its own ARN",
			       url);
	if ((rc = s3_location_make(&where, &l, err)) != 0)
		return sa_wrap(err, rc, "--bucket");
	p->bucket = TAKE_PTR(l.bucket);
	p->prefix = TAKE_PTR(l.prefix);
	s3_location_free(&l);
	/* what a policy takes for a wildcard or variable, and what a shell might */
	if (!only_text(p->bucket, ALNUM "._-", 3, 255) ||
	    !only_text(p->prefix, ALNUM "._=/-", 0, 512))
		return sa_fail(err, SA_ERR_INVALID,
			       "--bucket %s: a prefix here is of letters, digits and ._=/-", url);
	return 0;
}

static int check_numbers(struct policy *p, struct sa_err *err)
{
	const struct policy_words *w = p->w;
	char *end = NULL;

	p->days = w->retention ? strtol(w->retention, &end, 10) : 365;
	if (w->retention &&
	    (!only_text(w->retention, DIGITS, 1, 5) || *end || p->days < 1 || p->days > 36500))
		return sa_fail(err, SA_ERR_INVALID,
			       "--retention %s: not a number of days from 1 to 36500",
			       w->retention);
	p->governance = w->mode && strcmp(w->mode, "GOVERNANCE") == 0;
	if (w->mode && !p->governance && strcmp(w->mode, "COMPLIANCE") != 0)
		return sa_fail(err, SA_ERR_INVALID, "--mode %s: neither COMPLIANCE nor GOVERNANCE",
			       w->mode);
	if (w->account && !only_text(w->account, DIGITS, 12, 12))
		return sa_fail(err, SA_ERR_INVALID, "--account %s: not 12 digits", w->account);
	if (w->org &&
	    (strncmp(w->org, "o-", 2) != 0 || !only_text(w->org, LOWER DIGITS "-", 12, 34)))
		return sa_fail(err, SA_ERR_INVALID,
			       "--org %s: not the id of an organisation (o-a1b2c3d4e5)", w->org);
	return 0;
}

static int check_tags(struct policy *p, struct sa_err *err)
{
	static const char allowed[] = ALNUM " +=._:/@-";

	for (size_t i = 0; i < p->w->n_tags; i++) {
		const char *text = p->w->tags[i], *eq = strchr(text, '=');
		struct policy_tag *t = &p->tags[i];

		if (!eq || !only((struct slice){text, (size_t)(eq - text)}, allowed, 1, 128) ||
		    !only_text(eq + 1, allowed, 1, 256))
			return sa_fail(err, SA_ERR_INVALID,
				       "--request-tag %s: not KEY=VALUE of letters, digits, blanks "
				       "and +=._:/@-",
				       text);
		snprintf(t->key, sizeof(t->key), "%.*s", (int)(eq - text), text);
		snprintf(t->value, sizeof(t->value), "%s", eq + 1);
		for (size_t k = 0; k < i; k++)
			if (strcasecmp(p->tags[k].key, t->key) == 0)
				return sa_fail(err, SA_ERR_INVALID,
					       "--request-tag %s: twice; a role has one value of "
					       "each tag",
					       t->key);
	}
	return 0;
}

static int check_together(const struct policy *p, struct sa_err *err)
{
	const struct policy_words *w = p->w;

	if (!w->role && w->n_tags == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "who is to write? Name the agent's role with --role ARN, or the tag "
			       "of such roles with --request-tag KEY=VALUE");
	if (w->n_tags > 0 && !w->account && !w->org)
		return sa_fail(err, SA_ERR_INVALID,
			       "--request-tag: anyone can tag a role of their own: say with "
			       "--account or --org whose tags count");
	if (w->role && ((w->reader && strcmp(w->role, w->reader) == 0) ||
			(w->admin && strcmp(w->role, w->admin) == 0)))
		return sa_fail(err, SA_ERR_INVALID,
			       "--role: the agent must be neither reader nor admin: it only adds");
	return 0;
}

int policy_make(const struct policy_words *w, struct policy *out, struct sa_err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->w = w;
	if ((rc = check_bucket(out, err)) != 0 || (rc = check_region(out, err)) != 0 ||
	    (rc = check_key(out, err)) != 0 ||
	    (rc = check_principal(out, w->role, "--role", err)) != 0 ||
	    (rc = check_principal(out, w->reader, "--reader", err)) != 0 ||
	    (rc = check_principal(out, w->admin, "--admin", err)) != 0 ||
	    (rc = check_numbers(out, err)) != 0 || (rc = check_tags(out, err)) != 0 ||
	    (rc = check_together(out, err)) != 0)
		return rc;
	if (!out->partition)
		out->partition = "aws";
	return 0;
}

void policy_free(struct policy *p)
{
	free(p->bucket);
	free(p->prefix);
	memset(p, 0, sizeof(*p));
}
