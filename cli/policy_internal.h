/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* The parts that policies are made of; nobody but policy_*.c includes it. */
#ifndef SA_POLICY_INTERNAL_H
#define SA_POLICY_INTERNAL_H

#include "cli/policy.h"

/* A string put together; one that does not fit spoils the document, and the writer says so. */
void policy_text(struct json_writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void policy_list(struct json_writer *w, const char *key, const char *const *items);

void policy_begin_document(struct json_writer *w);
void policy_end_document(struct json_writer *w);
/* A statement; ends with json_write_close. */
void policy_begin(struct json_writer *w, const char *sid, const char *effect);
void policy_everyone(struct json_writer *w);
void policy_principal(struct json_writer *w, const char *arn);

/* Resources: the bucket, the objects of the store (what lies elsewhere in a shared bucket is
 * others'), the bucket and all objects. */
void policy_on_bucket(struct json_writer *w, const struct policy *p);
void policy_on_objects(struct json_writer *w, const struct policy *p);
void policy_on_all(struct json_writer *w, const struct policy *p);

/* "op":{"key":"value"}, and the same as the whole Condition. */
void policy_one_condition(struct json_writer *w, const char *op, const char *key,
			  const char *value);
void policy_condition(struct json_writer *w, const char *op, const char *key, const char *value);

/* The three statements of a reader; who: its ARN in a bucket policy, NULL in its own. */
void policy_reader_statements(struct json_writer *w, const struct policy *p, const char *who);

#endif
