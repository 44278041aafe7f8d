/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/cleanup.h"
#include "common/escape.h"
#include "common/store/s3_internal.h"

/* rc of a put of the probe: 0 or SA_ERR_EXISTS tell. */
static int s3_probe_put(struct store_s3 *s3, const char *key, const struct s3_body *body,
			struct sa_err *err)
{
	_cleanup_headers_ struct headers add = {0};
	_cleanup_answer_ struct http_answer raw = {0};
	struct s3_sum sha256, md5;
	struct s3_answer answer;
	struct s3_request r = {.method = "PUT",
			       .key = key,
			       .add = &add,
			       .sum = &sha256,
			       .action = s3->put_action,
			       .body = {body->bytes, (size_t)body->size},
			       .body_fd = -1,
			       .body_size = body->size};
	int rc = s3_body_sha256(body, &sha256, err);

	if (rc == 0 && s3->content_md5)
		rc = s3_body_md5(body, &md5, err);
	if (rc != 0)
		return rc;
	s3_put_headers(s3, key, &sha256, s3->content_md5 ? &md5 : NULL, &add);
	rc = s3_call(s3, &r, S3_MAX_ERROR, &raw, &answer, err);
	return rc || answer.rc == 0 ? rc : s3_refused(s3, &r, &answer, err);
}

/* A refusal proves it, be it of the first put: the probe of an earlier day is there. */
int s3_probe(struct store *s, const char *host, enum store_append_only *out, struct sa_err *err)
{
	struct store_s3 *s3 = (struct store_s3 *)s;
	char text[] = "{\"schema\":\"sessaudit.probe/1\"}\n";
	struct s3_body body = {.fd = -1, .size = strlen(text), .bytes = text};
	_cleanup_buf_ struct buf key = {0};
	int rc = 0;

	buf_init(&key, STORE_MAX_KEY);
	buf_puts(&key, "probe/host=");
	escape_key_part(&key, slice_of(host));
	buf_puts(&key, ".json");
	for (int i = 0; rc == 0 && i < 2; i++)
		rc = s3_probe_put(s3, buf_cstr(&key), &body, err);
	if (rc != 0 && rc != SA_ERR_EXISTS)
		return rc;
	*out = rc == 0 ? STORE_UNPROVEN : STORE_PROVEN;
	return 0;
}
