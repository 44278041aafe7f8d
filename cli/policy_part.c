/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>

#include "cli/policy_internal.h"

#define TEXT_MAX 2048

void policy_text(struct json_writer *w, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_write_str(w, n > 0 && (size_t)n < sizeof(text) ? slice_of(text) : SLICE_LIT("\xff"));
}

void policy_list(struct json_writer *w, const char *key, const char *const *items)
{
	json_write_karray(w, key);
	for (; *items; items++)
		json_write_str(w, slice_of(*items));
	json_write_array_close(w);
}

void policy_begin(struct json_writer *w, const char *sid, const char *effect)
{
	json_write_open(w);
	json_write_kstr(w, "Sid", slice_of(sid));
	json_write_kstr(w, "Effect", slice_of(effect));
}

void policy_everyone(struct json_writer *w)
{
	json_write_kstr(w, "Principal", SLICE_LIT("*"));
}

void policy_principal(struct json_writer *w, const char *arn)
{
	json_write_kopen(w, "Principal");
	json_write_kstr(w, "AWS", slice_of(arn));
	json_write_close(w);
}

void policy_on_bucket(struct json_writer *w, const struct policy *p)
{
	json_write_key(w, "Resource");
	policy_text(w, "arn:%s:s3:::%s", p->partition, p->bucket);
}

void policy_on_objects(struct json_writer *w, const struct policy *p)
{
	json_write_key(w, "Resource");
	policy_text(w, "arn:%s:s3:::%s/%s*", p->partition, p->bucket, p->prefix);
}

void policy_on_all(struct json_writer *w, const struct policy *p)
{
	json_write_karray(w, "Resource");
	policy_text(w, "arn:%s:s3:::%s", p->partition, p->bucket);
	policy_text(w, "arn:%s:s3:::%s/*", p->partition, p->bucket);
	json_write_array_close(w);
}

void policy_one_condition(struct json_writer *w, const char *op, const char *key, const char *value)
{
	json_write_kopen(w, op);
	json_write_kstr(w, key, slice_of(value));
	json_write_close(w);
}

void policy_condition(struct json_writer *w, const char *op, const char *key, const char *value)
{
	json_write_kopen(w, "Condition");
	policy_one_condition(w, op, key, value);
	json_write_close(w);
}

void policy_begin_document(struct json_writer *w)
{
	json_write_open(w);
	json_write_kstr(w, "Version", SLICE_LIT("2012-10-17"));
	json_write_karray(w, "Statement");
}

void policy_end_document(struct json_writer *w)
{
	json_write_array_close(w);
	json_write_close(w);
}
