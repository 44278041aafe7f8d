/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/grant_index_internal.h"

/* Of an index that is being made. */
struct parts {
	struct index_head head;
	const struct buf *records;
	struct buf keys, groups;
};

static int by_hash(const void *a, const void *b)
{
	const struct index_key *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int make_keys(struct parts *p)
{
	for (size_t at = 0; at < p->records->len;) {
		const struct index_record *r =
			(const struct index_record *)(void *)(p->records->data + at);
		struct index_key key = {.at = (uint32_t)at, .len = (uint32_t)index_record_size(r)};

		for (size_t i = 0; i < r->n_keys; i++) {
			key.hash = index_record_keys(r)[i];
			buf_append(&p->keys, &key, sizeof(key));
		}
		at += key.len;
	}
	return p->keys.failed ? SA_ERR_TOOBIG : 0;
}

static void make_buckets(struct parts *p)
{
	struct index_key *keys = (struct index_key *)(void *)p->keys.data;
	size_t n = p->keys.len / sizeof(*keys), end = 0;

	if (n > 0)
		qsort(keys, n, sizeof(*keys), by_hash);
	for (size_t b = 0; b < INDEX_BUCKETS; b++) {
		size_t first = end;

		while (end < n && keys[end].hash >> 56 == b)
			end++;
		p->head.bucket_end[b] = (uint32_t)end;
		p->head.bucket_sum[b] =
			index_hash(0, n ? keys + first : NULL, (end - first) * sizeof(*keys));
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each name once, so that a login asks for it once. */
static void unique_groups(struct parts *p, const char **names, size_t n)
{
	if (n > 0)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			buf_append(&p->groups, names[i], strlen(names[i]) + 1);
	p->head.groups_len = p->groups.len;
	p->head.groups_sum = index_hash(0, p->groups.data, p->groups.len);
}

static int make_groups(struct parts *p)
{
	_cleanup_buf_ struct buf names = {0};

	buf_init(&names, INDEX_MAX_BYTES);
	for (size_t at = 0; at < p->records->len;) {
		const struct index_record *r =
			(const struct index_record *)(void *)(p->records->data + at);
		const char *groups = index_record_groups(r);

		for (size_t i = 0; i < r->groups_len; i += strlen(groups + i) + 1) {
			const char *name = groups + i;

			buf_append(&names, &name, sizeof(name));
		}
		at += index_record_size(r);
	}
	if (!names.failed)
		unique_groups(p, (const char **)(void *)names.data,
			      names.len / sizeof(const char *));
	return names.failed || p->groups.failed ? SA_ERR_TOOBIG : 0;
}

static int put_together(struct parts *p, struct buf *image)
{
	int rc;

	if ((rc = make_keys(p)) < 0 || (rc = make_groups(p)) < 0)
		return rc;
	make_buckets(p);
	p->head.records_len = p->records->len;
	index_head_finish(&p->head);
	buf_init(image, INDEX_MAX_BYTES);
	buf_append(image, &p->head, sizeof(p->head));
	buf_put(image, buf_slice(&p->keys));
	buf_put(image, buf_slice(p->records));
	buf_put(image, buf_slice(&p->groups));
	return image->failed ? SA_ERR_TOOBIG : 0;
}

int index_make_image(const struct index_head *head, const struct buf *records, struct buf *image)
{
	struct parts p = {.head = *head, .records = records};
	int rc;

	buf_init(&p.keys, INDEX_MAX_BYTES);
	buf_init(&p.groups, INDEX_MAX_BYTES);
	rc = put_together(&p, image);
	buf_free(&p.keys);
	buf_free(&p.groups);
	return rc;
}
