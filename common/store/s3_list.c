/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/store/s3_list.h"

#include <string.h>

#include "common/escape.h"
#include "common/xml.h"

#define KEY_MAX 2048 /* bytes of a key with the prefix of the store */

struct s3_lister {
	const char *under;
	size_t drop;
	store_list_fn fn;
	void *ctx;
	struct s3_page *page;

	bool encoded;   /* keys are, as the answer says */
	bool list;      /* it is a list at all */
	bool truncated; /* more pages follow */
	struct buf key; /* of the entry that is being read */
	uint64_t size;
	bool sized, bad;
};

void s3_page_free(struct s3_page *p)
{
	buf_free(&p->next);
}

/* As a form field: '+' is a blank. */
static void s3_decode(struct slice s, struct buf *out, bool *bad)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '%') {
			buf_putc(out, s.ptr[i] == '+' ? ' ' : s.ptr[i]);
		} else if (s.len - i > 2 &&
			   escape_unhex(out, (struct slice){s.ptr + i + 1, 2}) == 0) {
			i += 2;
		} else {
			*bad = true;
		}
	}
}

static bool s3_number(struct slice s, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(s.ptr[i] - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return s.len > 0;
}

static int s3_list_leaf(void *ctx, const char *path, struct slice text)
{
	struct s3_lister *l = ctx;

	if (strncmp(path, "ListBucketResult/", 17) != 0)
		return 0;
	path += 17;
	if (strcmp(path, "Contents/Key") == 0) {
		buf_clear(&l->key);
		if (l->encoded)
			s3_decode(text, &l->key, &l->bad);
		else
			buf_put(&l->key, text);
	} else if (strcmp(path, "Contents/Size") == 0) {
		l->sized = s3_number(text, &l->size);
	} else if (strcmp(path, "IsTruncated") == 0) {
		l->list = true;
		l->truncated = slice_is(text, "true");
	} else if (strcmp(path, "NextContinuationToken") == 0) {
		buf_put(&l->page->next, text);
	}
	return 0;
}

/* The key as the caller knows it, NULL when it is none of ours. */
static const char *s3_list_key(struct s3_lister *l)
{
	struct slice key = buf_slice(&l->key);
	const char *text = buf_cstr(&l->key);

	if (l->bad || l->key.failed || !l->sized || memchr(key.ptr, '\0', key.len) ||
	    !slice_starts(key, l->under) || key.len < l->drop)
		return NULL;
	text += l->drop;
	return store_key_valid(text) ? text : NULL;
}

static int s3_list_end(void *ctx, const char *path)
{
	struct s3_lister *l = ctx;
	const char *key;

	if (strcmp(path, "ListBucketResult/Contents") != 0)
		return 0;
	key = s3_list_key(l);
	if (key)
		l->page->stopped = l->fn(l->ctx, key, l->size);
	else
		l->page->odd++;
	buf_clear(&l->key);
	l->sized = l->bad = false;
	return l->page->stopped;
}

static bool s3_list_encoded(struct slice xml)
{
	_cleanup_buf_ struct buf how = {0};

	buf_init(&how, 64);
	return xml_find(xml, "ListBucketResult/EncodingType", &how, NULL) == 0 &&
	       slice_is(buf_slice(&how), "url");
}

int s3_page_read(struct slice xml, const char *under, size_t drop, store_list_fn fn, void *ctx,
		 struct s3_page *out, struct sa_err *err)
{
	static const struct xml_handler handler = {.leaf = s3_list_leaf, .end = s3_list_end};
	struct s3_lister l = {.under = under, .drop = drop, .fn = fn, .ctx = ctx, .page = out};
	int rc;

	*out = (struct s3_page){0};
	buf_init(&out->next, S3_TOKEN_MAX);
	buf_init(&l.key, KEY_MAX);
	l.encoded = s3_list_encoded(xml);
	rc = xml_read(xml, &handler, &l, err);
	buf_free(&l.key);
	if (out->stopped != 0)
		return 0;
	if (rc != 0)
		return sa_wrap(err, rc, "list of objects");
	if (!l.list)
		return sa_fail(err, SA_ERR_INVALID, "list of objects: not what S3 answers");
	if (out->next.failed || (l.truncated && out->next.len == 0))
		return sa_fail(err, SA_ERR_INVALID,
			       "list of objects: it does not say what follows");
	if (!l.truncated)
		buf_clear(&out->next);
	return 0;
}
