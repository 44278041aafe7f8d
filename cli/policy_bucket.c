/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>

#include "cli/policy_internal.h"
#include "common/cleanup.h"

/*
 * The bucket policy. Sources: "Actions, resources, and condition keys for Amazon
 * S3", Service Authorization Reference; "Enforce conditional writes on Amazon S3
 * buckets", Amazon S3 User Guide; what Ceph RGW makes of it, tried.
 */

static void tag_key(char out[192], const struct policy_tag *t)
{
	snprintf(out, 192, "aws:PrincipalTag/%s", t->key);
}

/* All the tags (and org, unless it is NULL): conditions on several keys hold together. */
static void tags_condition(struct json_writer *w, const struct policy *p, const char *org)
{
	char key[192];

	json_write_kopen(w, "Condition");
	json_write_kopen(w, "StringEquals");
	for (size_t i = 0; i < p->w->n_tags; i++) {
		tag_key(key, &p->tags[i]);
		json_write_kstr(w, key, slice_of(p->tags[i].value));
	}
	json_write_kstr_opt(w, "aws:PrincipalOrgID", slice_of(org));
	json_write_close(w);
	json_write_close(w);
}

/* Everyone but the admin, if there is one. */
static void not_admin(struct json_writer *w, const struct policy *p)
{
	if (p->w->admin)
		policy_condition(w, "ArnNotEquals", "aws:PrincipalArn", p->w->admin);
}

/* Everything to everyone, under one condition. */
static void deny_all(struct json_writer *w, const struct policy *p, const char *sid, const char *op,
		     const char *key, const char *value)
{
	policy_begin(w, sid, "Deny");
	policy_everyone(w);
	json_write_kstr(w, "Action", SLICE_LIT("s3:*"));
	policy_on_all(w, p);
	policy_condition(w, op, key, value);
	json_write_close(w);
}

static void deny_plain_http(struct json_writer *w, const struct policy *p, const char *sid)
{
	deny_all(w, p, sid, "Bool", "aws:SecureTransport", "false");
}

/* Nothing where the store does not say either: some name the key with TLS only. */
static void deny_unknown(struct json_writer *w, const struct policy *p, const char *sid)
{
	deny_all(w, p, sid, "Null", "aws:SecureTransport", "true");
}

static void deny_old_tls(struct json_writer *w, const struct policy *p, const char *sid)
{
	deny_all(w, p, sid, "NumericLessThan", "s3:TlsVersion", "1.2");
}

/* Without a principal of their own, requests of AWS services have no organisation. */
static void deny_other_org(struct json_writer *w, const struct policy *p, const char *sid)
{
	policy_begin(w, sid, "Deny");
	policy_everyone(w);
	json_write_kstr(w, "Action", SLICE_LIT("s3:*"));
	policy_on_all(w, p);
	json_write_kopen(w, "Condition");
	policy_one_condition(w, "StringNotEquals", "aws:PrincipalOrgID", p->w->org);
	policy_one_condition(w, "BoolIfExists", "aws:PrincipalIsAWSService", "false");
	json_write_close(w);
	json_write_close(w);
}

static void deny_overwrite(struct json_writer *w, const struct policy *p, const char *sid)
{
	policy_begin(w, sid, "Deny");
	policy_everyone(w);
	json_write_kstr(w, "Action", SLICE_LIT("s3:PutObject"));
	policy_on_objects(w, p);
	policy_condition(w, "Null", "s3:if-none-match", "true");
	json_write_close(w);
}

/* Names with a star match what is to come as well, and those of stores that call it otherwise.
 * No NotAction: some stores take it and do nothing. */
static void deny_delete(struct json_writer *w, const struct policy *p, const char *sid)
{
	static const char *const actions[] = {
		"s3:DeleteObject*", "s3:PutObject?*", /* Acl, Retention, LegalHold ... */
		"s3:BypassGovernanceRetention", "s3:Replicate*", NULL};

	policy_begin(w, sid, "Deny");
	policy_everyone(w);
	policy_list(w, "Action", actions);
	policy_on_objects(w, p);
	not_admin(w, p);
	json_write_close(w);
}

/* Without an admin the policy itself stays open to those who may change policies: else nobody but
 * the account's root user could ever repair it. */
static void deny_reconfigure(struct json_writer *w, const struct policy *p, const char *sid)
{
	static const char *const actions[] = {"s3:DeleteBucket",
					      "s3:PutBucketVersioning",
					      "s3:PutBucketO*", /* ObjectLock..., Ownership... */
					      "s3:PutLifecycleConfiguration",
					      "s3:PutReplicationConfiguration",
					      "s3:Put*Encryption*",
					      "s3:PutBucketPublicAccessBlock",
					      "s3:PutBucketAcl",
					      NULL};

	policy_begin(w, sid, "Deny");
	policy_everyone(w);
	json_write_karray(w, "Action");
	for (const char *const *a = actions; *a; a++)
		json_write_str(w, slice_of(*a));
	if (p->w->admin) {
		json_write_str(w, SLICE_LIT("s3:PutBucketPolicy"));
		json_write_str(w, SLICE_LIT("s3:DeleteBucketPolicy"));
	}
	json_write_array_close(w);
	policy_on_bucket(w, p);
	not_admin(w, p);
	json_write_close(w);
}

/* An agent is who has the role, or all the tags: so one statement for each tag that is lacking. */
static void deny_other_writers(struct json_writer *w, const struct policy *p, const char *sid)
{
	size_t n = p->w->n_tags > 0 ? p->w->n_tags : 1;
	char name[64], key[192];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), i > 0 ? "%s%zu" : "%s", sid, i + 1);
		policy_begin(w, name, "Deny");
		policy_everyone(w);
		json_write_kstr(w, "Action", SLICE_LIT("s3:PutObject"));
		policy_on_objects(w, p);
		json_write_kopen(w, "Condition");
		if (p->w->role)
			policy_one_condition(w, "ArnNotEquals", "aws:PrincipalArn", p->w->role);
		if (p->w->n_tags > 0) {
			tag_key(key, &p->tags[i]);
			policy_one_condition(w, "StringNotEquals", key, p->tags[i].value);
		}
		json_write_close(w);
		json_write_close(w);
	}
}

static const char *const agent_denied[] = {"s3:Get*", "s3:List*", NULL};

/* Also against what the role's other policies allow. */
static void deny_agent_reading(struct json_writer *w, const struct policy *p, const char *sid)
{
	policy_begin(w, sid, "Deny");
	policy_principal(w, p->w->role);
	policy_list(w, "Action", agent_denied);
	policy_on_all(w, p);
	json_write_close(w);
}

static void deny_tagged_reading(struct json_writer *w, const struct policy *p, const char *sid)
{
	policy_begin(w, sid, "Deny");
	policy_everyone(w);
	policy_list(w, "Action", agent_denied);
	policy_on_all(w, p);
	tags_condition(w, p, NULL);
	json_write_close(w);
}

static void allow_agent(struct json_writer *w, const struct policy *p, const char *sid)
{
	policy_begin(w, sid, "Allow");
	policy_principal(w, p->w->role);
	json_write_kstr(w, "Action", SLICE_LIT("s3:PutObject"));
	policy_on_objects(w, p);
	json_write_close(w);
}

/* Tags count only within the account or organisation: elsewhere anyone may set them. */
static void allow_tagged(struct json_writer *w, const struct policy *p, const char *sid)
{
	char root[96];

	policy_begin(w, sid, "Allow");
	if (p->w->account) {
		snprintf(root, sizeof(root), "arn:%s:iam::%s:root", p->partition, p->w->account);
		policy_principal(w, root);
	} else {
		policy_everyone(w);
	}
	json_write_kstr(w, "Action", SLICE_LIT("s3:PutObject"));
	policy_on_objects(w, p);
	tags_condition(w, p, p->w->org);
	json_write_close(w);
}

static void allow_reader(struct json_writer *w, const struct policy *p, const char *sid)
{
	(void)sid;
	policy_reader_statements(w, p, p->w->reader);
}

static bool if_role(const struct policy *p)
{
	return p->w->role != NULL;
}

static bool if_tags(const struct policy *p)
{
	return p->w->n_tags > 0;
}

static bool if_reader(const struct policy *p)
{
	return p->w->reader != NULL;
}

static bool if_org(const struct policy *p)
{
	return p->w->org != NULL;
}

/* The bucket policy, statement by statement. */
static const struct {
	const char *sid, *why;
	void (*write)(struct json_writer *w, const struct policy *p, const char *sid);
	bool (*wanted)(const struct policy *p); /* NULL: always */
} statements[] = {
	{"DenyPlainHttp", "nothing without TLS", deny_plain_http, NULL},
	{"DenyUnknownTransport",
	 "the same for stores that name the condition key with TLS only, as Ceph RGW", deny_unknown,
	 NULL},
	{"DenyOldTls", "nothing with TLS before 1.2", deny_old_tls, NULL},
	{"DenyOtherOrganisations", "nothing for anyone outside", deny_other_org, if_org},
	{"DenyOverwrite",
	 "no write without If-None-Match, so none onto a key that is there. For stores that know "
	 "the condition key s3:if-none-match, as AWS: leave it out for Ceph RGW, which does not",
	 deny_overwrite, NULL},
	{"DenyDelete",
	 "no delete of objects or versions; no change of retention, legal hold, ACL or tags; no "
	 "way around governance mode",
	 deny_delete, NULL},
	{"DenyReconfigure",
	 "no change of versioning, Object Lock, lifecycle, replication, encryption or access",
	 deny_reconfigure, NULL},
	{"DenyOtherWriters", "no transcript from anyone but an agent", deny_other_writers, NULL},
	{"DenyAgentReading", "no reading for the agent, whatever else its role allows",
	 deny_agent_reading, if_role},
	{"DenyTaggedReading", "nor for roles with the tags", deny_tagged_reading, if_tags},
	{"AgentWrites", "the agent adds objects", allow_agent, if_role},
	{"TaggedAgentsWrite", "so does every role with the tags", allow_tagged, if_tags},
	{"ReadTranscripts, ListTranscripts, CheckTheBucket",
	 "the reader reads and lists, and `sessaudit doctor` can ask how the bucket is set up",
	 allow_reader, if_reader},
};

static bool is_wanted(size_t i, const struct policy *p)
{
	return !statements[i].wanted || statements[i].wanted(p);
}

void policy_write_bucket(struct json_writer *w, const struct policy *p)
{
	policy_begin_document(w);
	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		if (is_wanted(i, p))
			statements[i].write(w, p, statements[i].sid);
	policy_end_document(w);
}

void policy_explain(const struct policy *p, void (*fn)(void *ctx, const char *sid, const char *why),
		    void *ctx)
{
	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		if (is_wanted(i, p))
			fn(ctx, statements[i].sid, statements[i].why);
}
