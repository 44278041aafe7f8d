/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "cli/policy_internal.h"

/* What the agent's and the reader's roles may. Source: "kms:ViaService", AWS KMS Developer Guide.
 */

static const char *const read_actions[] = {"s3:GetObject", "s3:GetObjectVersion",
					   "s3:GetObjectRetention", NULL};
static const char *const list_actions[] = {"s3:ListBucket", "s3:ListBucketVersions", NULL};
/* What `sessaudit doctor` asks. */
static const char *const check_actions[] = {"s3:GetBucketLocation",
					    "s3:GetBucketVersioning",
					    "s3:GetBucketO*", /* ObjectLock..., Ownership... */
					    "s3:GetBucketPublicAccessBlock",
					    "s3:Get*Encryption*",
					    "s3:GetBucketPolicy",
					    "s3:GetBucketPolicyStatus",
					    NULL};

static void within_prefix(struct json_writer *w, const struct policy *p)
{
	if (!p->prefix[0])
		return;
	json_write_kopen(w, "Condition");
	json_write_kopen(w, "StringLike");
	json_write_key(w, "s3:prefix");
	policy_text(w, "%s*", p->prefix);
	json_write_close(w);
	json_write_close(w);
}

void policy_reader_statements(struct json_writer *w, const struct policy *p, const char *who)
{
	policy_begin(w, "ReadTranscripts", "Allow");
	if (who)
		policy_principal(w, who);
	policy_list(w, "Action", read_actions);
	policy_on_objects(w, p);
	json_write_close(w);
	policy_begin(w, "ListTranscripts", "Allow");
	if (who)
		policy_principal(w, who);
	policy_list(w, "Action", list_actions);
	policy_on_bucket(w, p);
	within_prefix(w, p);
	json_write_close(w);
	policy_begin(w, "CheckTheBucket", "Allow");
	if (who)
		policy_principal(w, who);
	policy_list(w, "Action", check_actions);
	policy_on_bucket(w, p);
	json_write_close(w);
}

/* The key through S3 only, and for this bucket's objects only. */
static void key_statement(struct json_writer *w, const struct policy *p, const char *sid,
			  const char *const *actions)
{
	if (!p->w->kms_key)
		return;
	policy_begin(w, sid, "Allow");
	policy_list(w, "Action", actions);
	json_write_kstr(w, "Resource", slice_of(p->w->kms_key));
	json_write_kopen(w, "Condition");
	json_write_kopen(w, "StringLike");
	json_write_key(w, "kms:ViaService");
	policy_text(w, "s3.%s.amazonaws.*", p->region); /* .com, .com.cn, .eu */
	json_write_karray(w, "kms:EncryptionContext:aws:s3:arn");
	policy_text(w, "arn:%s:s3:::%s", p->partition, p->bucket); /* with a bucket key */
	policy_text(w, "arn:%s:s3:::%s/%s*", p->partition, p->bucket, p->prefix);
	json_write_array_close(w);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
}

void policy_write_agent(struct json_writer *w, const struct policy *p)
{
	static const char *const key_actions[] = {"kms:GenerateDataKey", "kms:Decrypt", NULL};

	policy_begin_document(w);
	policy_begin(w, "AddTranscripts", "Allow");
	json_write_kstr(w, "Action", SLICE_LIT("s3:PutObject"));
	policy_on_objects(w, p);
	if (p->w->account) /* not into a bucket that somebody else has made under the name */
		policy_condition(w, "StringEquals", "aws:ResourceAccount", p->w->account);
	json_write_close(w);
	key_statement(w, p, "EncryptTranscripts", key_actions);
	policy_end_document(w);
}

void policy_write_reader(struct json_writer *w, const struct policy *p)
{
	static const char *const key_actions[] = {"kms:Decrypt", NULL};

	policy_begin_document(w);
	policy_reader_statements(w, p, NULL);
	key_statement(w, p, "DecryptTranscripts", key_actions);
	policy_end_document(w);
}
