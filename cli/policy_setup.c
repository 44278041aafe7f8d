/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "cli/policy.h"

static void put_head(struct buf *out, const struct policy *p)
{
	buf_printf(out,
		   "#!/bin/sh\n"
		   "# Makes the bucket %s a store for sessaudit that can only be added to.\n"
		   "# For an administrator of the account, with the AWS CLI; made by\n"
		   "# `sessaudit bucket-policy`. For a new bucket, or one without a policy.\n"
		   "set -eu\n",
		   p->bucket);
	if (p->region[0])
		buf_printf(out, "AWS_REGION=%s\n", p->region);
	else
		buf_puts(out, ": \"${AWS_REGION:?name the region of the bucket}\"\n");
	buf_puts(out, "AWS_DEFAULT_REGION=$AWS_REGION\nexport AWS_REGION AWS_DEFAULT_REGION\n\n");
	buf_printf(out,
		   "s3() { # COMMAND OPTION...\n"
		   "\tcommand=$1\n"
		   "\tshift\n"
		   "\taws s3api \"$command\" --bucket %s%s%s \"$@\"\n"
		   "}\n\n",
		   p->bucket, p->w->account ? " --expected-bucket-owner " : "",
		   p->w->account ? p->w->account : "");
}

static void put_bucket(struct buf *out, const struct policy *p)
{
	buf_printf(
		out,
		"# The bucket, with Object Lock from the start. In us-east-1 it takes no location.\n"
		"if s3 head-bucket >/dev/null 2>&1; then\n"
		"\tif s3 get-bucket-policy >/dev/null 2>&1; then\n"
		"\t\techo '%s has a policy: add the statements of bucket-policy.json to it by "
		"hand,' >&2\n"
		"\t\techo 'and run the other commands of this script one by one' >&2\n"
		"\t\texit 1\n"
		"\tfi\n"
		"elif [ \"$AWS_REGION\" = us-east-1 ]; then\n"
		"\taws s3api create-bucket --bucket %s --object-lock-enabled-for-bucket\n"
		"else\n"
		"\taws s3api create-bucket --bucket %s --object-lock-enabled-for-bucket \\\n"
		"\t\t--create-bucket-configuration LocationConstraint=\"$AWS_REGION\"\n"
		"fi\n\n",
		p->bucket, p->bucket, p->bucket);
}

static void put_lock(struct buf *out, const struct policy *p)
{
	buf_puts(out, "# A write over a key, or a delete of it, leaves what was there.\n"
		      "s3 put-bucket-versioning --versioning-configuration Status=Enabled\n\n");
	if (p->governance)
		buf_puts(out, "# Nobody deletes a version before its time, but those who have\n"
			      "# s3:BypassGovernanceRetention. For evidence, use COMPLIANCE.\n");
	else
		buf_puts(out,
			 "# Nobody, not even the account's root user, deletes a version before "
			 "its time or\n"
			 "# shortens that time. This cannot be taken back for what is stored: "
			 "try it with\n"
			 "# a few days first.\n");
	buf_printf(out,
		   "s3 put-object-lock-configuration --object-lock-configuration \\\n"
		   "\t'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=%s,Days=%ld}}'\n\n",
		   p->governance ? "GOVERNANCE" : "COMPLIANCE", p->days);
}

static void put_encryption(struct buf *out, const struct policy *p)
{
	buf_puts(out, "s3 put-bucket-encryption --server-side-encryption-configuration \\\n");
	if (p->w->kms_key)
		buf_printf(out,
			   "\t'{\"Rules\":[{\"ApplyServerSideEncryptionByDefault\":{"
			   "\"SSEAlgorithm\":\"aws:kms\",\"KMSMasterKeyID\":\"%s\"},"
			   "\"BucketKeyEnabled\":true}]}'\n\n",
			   p->w->kms_key);
	else
		buf_puts(out, "\t'{\"Rules\":[{\"ApplyServerSideEncryptionByDefault\":{"
			      "\"SSEAlgorithm\":\"AES256\"}}]}'\n\n");
}

static void put_access(struct buf *out)
{
	buf_puts(out, "s3 put-public-access-block --public-access-block-configuration \\\n"
		      "\tBlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,"
		      "RestrictPublicBuckets=true\n\n"
		      "# All objects are the bucket owner's, and ACLs count for nothing.\n"
		      "s3 put-bucket-ownership-controls --ownership-controls \\\n"
		      "\t'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'\n\n");
}

static void put_lifecycle(struct buf *out)
{
	buf_puts(out,
		 "# Parts of uploads that nobody finished go after a week; sessaudit makes none. "
		 "Nothing\n"
		 "# here expires noncurrent versions or delete markers: where transcripts are "
		 "written\n"
		 "# once, each of them is a trace of somebody who tried to replace or hide one.\n"
		 "if s3 get-bucket-lifecycle-configuration >/dev/null 2>&1; then\n"
		 "\techo 'the bucket has lifecycle rules: make sure that none expires transcripts' "
		 ">&2\n"
		 "else\n"
		 "\ts3 put-bucket-lifecycle-configuration --lifecycle-configuration \\\n"
		 "\t\t'{\"Rules\":[{\"ID\":\"sessaudit-unfinished-uploads\",\"Status\":\"Enabled\","
		 "\"Filter\":{\"Prefix\":\"\"},\"AbortIncompleteMultipartUpload\":{"
		 "\"DaysAfterInitiation\":7}}]}'\n"
		 "fi\n\n");
}

void policy_write_setup(struct buf *out, const struct policy *p, struct slice bucket_policy)
{
	put_head(out, p);
	put_bucket(out, p);
	put_lock(out, p);
	put_encryption(out, p);
	put_access(out);
	put_lifecycle(out);
	buf_puts(out,
		 "# The policy comes last: it forbids all of the above. Its roles must exist.\n"
		 "policy=$(cat <<'END'\n");
	buf_put(out, bucket_policy);
	buf_printf(out,
		   "\nEND\n)\n"
		   "s3 put-bucket-policy --policy \"$policy\"\n"
		   "echo 'done; check it with: sessaudit --store s3://%s/%s doctor'\n",
		   p->bucket, p->prefix);
}
