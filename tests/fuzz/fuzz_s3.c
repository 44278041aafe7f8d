/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "common/store/s3_answer.h"
#include "common/store/s3_list.h"
#include "common/store/s3_location.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UNDER "p/"

static void insist(int ok)
{
	if (!ok)
		abort();
}

/* Fit for a terminal: escaping finds nothing to do. */
static int is_plain(const char *text)
{
	_cleanup_buf_ struct buf safe = {0};

	buf_init(&safe, 8192);
	escape_terminal(&safe, slice_of(text));
	return slice_eq(buf_slice(&safe), slice_of(text));
}

/* The first line: the status, then the bucket's region as a header. */
static void answer(int status, const char *region, struct slice body)
{
	static const struct s3_asked asked = {"s3://b/p",           "PUT",         "s3:PutObject",
					      "arn:aws:s3:::b/p/*", "environment", NULL};
	struct http_answer raw = {.status = status};
	struct s3_answer a;
	struct sa_err err;

	buf_init(&raw.body, 1 << 20);
	buf_put(&raw.body, body);
	headers_add(&raw.headers, "x-amz-bucket-region", slice_of(region));
	headers_add(&raw.headers, "Date", slice_of(region));
	s3_answer_read(&raw, 1, "us-east-1", &a);
	insist(strlen(a.code) <= S3_CODE_MAX && is_plain(a.code) && !strpbrk(a.code, " <>&\"\\"));
	insist(strlen(a.message) <= S3_MESSAGE_MAX && is_plain(a.message));
	insist(!*a.region || s3_region_valid(a.region));
	insist((a.rc == 0) == (status / 100 == 2));
	insist(a.rc <= 0 && a.rc >= SA_ERR_UNSUPPORTED);
	if (a.rc != 0) {
		insist(s3_answer_fail(&a, &asked, &err) == a.rc && err.code == a.rc);
		insist(is_plain(err.msg));
	}
	http_answer_free(&raw);
}

/* A region that a server names may lead to a host, and to nothing but a host. */
static void move(const char *region)
{
	struct s3_where w = {.url = "s3://bkt", .region = region};
	struct s3_location l;

	if (s3_location_make(&w, &l, NULL) != 0)
		return;
	insist(l.host[strspn(l.host, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0');
	s3_location_free(&l);
}

static int key(void *ctx, const char *text, uint64_t bytes)
{
	(void)bytes;
	insist(store_key_valid(text));
	++*(size_t *)ctx;
	return strcmp(text, "stop") == 0 ? 7 : 0;
}

static void list(struct slice xml)
{
	struct s3_page page;
	struct sa_err err = {0};
	size_t keys = 0;
	int rc = s3_page_read(xml, UNDER, strlen(UNDER), key, &keys, &page, &err);

	insist(rc == 0 || rc == SA_ERR_INVALID || rc == SA_ERR_NOMEM);
	insist(page.stopped == 0 || (page.stopped == 7 && rc == 0 && keys > 0));
	insist(page.next.len <= S3_TOKEN_MAX);
	s3_page_free(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size < 64 ? size : 64) : NULL;
	size_t n = end ? (size_t)(end - data) : 0;
	struct slice body = {(const char *)data, size};
	char line[64] = "";

	if (end) {
		memcpy(line, data, n);
		body = (struct slice){(const char *)end + 1, size - n - 1};
	}
	answer(abs(atoi(line) % 1000), n > 4 ? line + 4 : "", body);
	list(body);
	move(n > 4 ? line + 4 : "");
	return 0;
}
