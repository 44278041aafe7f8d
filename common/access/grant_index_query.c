/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/grant_index_internal.h"

/* The name service may be slow, so each group is asked for once. */
static bool in_group(struct index_query *iq, const char *group)
{
	const struct grant_query *q = iq->q;
	size_t n = strlen(group) + 1;
	char *to;
	bool in;

	if (!q->in_group)
		return true;
	for (size_t at = 0; at < iq->asked.len;) {
		const char *known = iq->asked.data + at;

		if (strcmp(known + 1, group) == 0)
			return *known == '+';
		at += strlen(known) + 1;
	}
	in = q->in_group(q->group_ctx, q->user, group);
	to = buf_reserve(&iq->asked, n + 1);
	if (to) {
		*to = in ? '+' : '-';
		memcpy(to + 1, group, n);
		iq->asked.len += n + 1;
	}
	return in;
}

static bool has_id(const struct grant_query *q, const char *id)
{
	for (size_t i = 0; i < q->n_request_ids; i++)
		if (strcmp(q->request_ids[i], id) == 0)
			return true;
	return false;
}

bool index_query_wants(struct index_query *iq, const struct grant *g)
{
	if (has_id(iq->q, g->access.request_id))
		return true;
	for (size_t i = 0; i < g->users.len; i++)
		if (strcmp(g->users.items[i], iq->q->user) == 0)
			return true;
	for (size_t i = 0; g->users.len == 0 && i < g->groups.len; i++)
		if (in_group(iq, g->groups.items[i]))
			return true;
	return false;
}

static int find_groups(struct index_query *iq, const struct index *ix, struct buf *found)
{
	_cleanup_buf_ struct buf names = {0};
	int rc;

	if (ix->head.groups_len == 0)
		return 0;
	buf_init(&names, INDEX_MAX_BYTES);
	rc = index_read_groups(ix, &names);
	for (size_t at = 0; rc == 0 && at < names.len; at += strlen(names.data + at) + 1)
		if (in_group(iq, names.data + at))
			rc = index_find(ix, index_key_hash('g', names.data + at), found);
	return rc;
}

static int by_place(const void *a, const void *b)
{
	const struct index_key *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

int index_query_find(struct index_query *iq, const struct index *ix, struct buf *found)
{
	const struct grant_query *q = iq->q;
	int rc;

	if ((rc = index_find(ix, index_key_hash('u', q->user), found)) < 0 ||
	    (rc = find_groups(iq, ix, found)) < 0)
		return rc;
	for (size_t i = 0; i < q->n_request_ids; i++)
		if ((rc = index_find(ix, index_key_hash('r', q->request_ids[i]), found)) < 0)
			return rc;
	if (found->len > 0)
		qsort(found->data, found->len / sizeof(struct index_key), sizeof(struct index_key),
		      by_place);
	return 0;
}
