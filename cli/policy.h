/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What a bucket needs to be a store that agents can only add to: the agent's IAM
 * policy, the bucket policy, a reader's IAM policy, and a script of AWS commands.
 * Pure: words of the command line in, texts out. Everything that ends up in a text
 * has passed policy_make, so nothing in it can end a JSON string or a shell word.
 */
#ifndef SA_POLICY_H
#define SA_POLICY_H

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"

#define POLICY_MAX_TAGS 8
#define POLICY_MAX_BYTES 20480 /* of a bucket policy, by AWS */

struct policy_words { /* as the admin wrote them; NULL: not given */
	const char *bucket, *role, *reader, *admin, *kms_key, *account, *org, *region;
	const char *retention, *mode;
	const char *tags[POLICY_MAX_TAGS]; /* KEY=VALUE */
	size_t n_tags;
};

struct policy_tag {
	char key[129], value[257];
};

struct policy {
	const struct policy_words *w; /* borrowed; what is in it is valid */
	char *bucket, *prefix;        /* owned; prefix "" or ends in '/' */
	const char *partition;        /* aws, aws-cn, aws-us-gov, aws-eusc */
	char region[64];              /* "": not known */
	long days;
	bool governance;
	struct policy_tag tags[POLICY_MAX_TAGS];
};

/* SA_ERR_INVALID says which word is wrong and how it should look. */
int policy_make(const struct policy_words *w, struct policy *out, struct sa_err *err);
void policy_free(struct policy *p);
#define _cleanup_policy_ __attribute__((cleanup(policy_free))) /* always with = {0} */

/* The documents, as JSON. */
void policy_write_agent(struct json_writer *w, const struct policy *p);
void policy_write_bucket(struct json_writer *w, const struct policy *p);
void policy_write_reader(struct json_writer *w, const struct policy *p);
/* Calls fn for each statement of the bucket policy with what it is for. */
void policy_explain(const struct policy *p, void (*fn)(void *ctx, const char *sid, const char *why),
		    void *ctx);
/* The script; bucket_policy is the text of that document. */
void policy_write_setup(struct buf *out, const struct policy *p, struct slice bucket_policy);

#endif
