/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>

#include "common/access/grant_file.h"
#include "common/access/grant_index_internal.h"
#include "common/access/trusted_file.h"
#include "common/cleanup.h"

/* Without an index. */
static int load_all(const struct index_run *run, struct index_query *q, struct grants *out)
{
	struct grants all = {0};
	size_t kept = 0;
	int rc = grants_load(run->dirs, run->trust, &all, run->skip, run->ctx);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < all.len; i++) {
		if (index_query_wants(q, all.items[i]))
			all.items[kept++] = all.items[i];
		else
			grant_free(all.items[i]);
	}
	all.len = kept;
	*out = all;
	return 0;
}

/* Loads what an index points at. */
struct loading {
	const struct index_run *run;
	struct index_query *q;
	const struct index *ix;
	int fd; /* of directory number `dir`; -1: none yet */
	uint16_t dir;
	struct grants out;
	grants_skip_fn skip;
	bool stale; /* a file is not what the index says */
};

/* One at a time: so all files need the same number of descriptors, and where those are too few (a
 * user can bring that about), no grant is found rather than one of two that tie. */
static int open_dir(struct loading *l, uint16_t number, struct sa_err *err)
{
	const char *path = l->run->dirs[number];
	int rc;

	if (l->fd >= 0 && l->dir == number)
		return 0;
	cleanup_close(&l->fd);
	l->fd = -1;
	l->dir = number;
	rc = trusted_dir_open(path, l->run->trust->owner_uid, &l->fd, err);
	return rc < 0 ? sa_wrap(err, rc, "%s", path) : 0;
}

static int load_grant(struct loading *l, const struct index_record *r, struct grant **out,
		      struct sa_err *err)
{
	struct file_stamp now;
	struct stat st;
	int rc = open_dir(l, r->dir, err);

	if (rc < 0)
		return rc;
	rc = grant_file_load(l->fd, l->run->dirs[r->dir], index_record_name(r), l->run->trust, out,
			     &st, err);
	if (rc == 0) {
		now = file_stamp_of(&st);
		l->stale |= !file_stamp_same(&now, &r->stamp);
	}
	return rc;
}

static int load_record(struct loading *l, const struct index_record *r)
{
	struct sa_err err = {0};
	struct grant *g;
	int rc = load_grant(l, r, &g, &err);

	if (rc == SA_ERR_NOMEM)
		return rc;
	if (rc < 0) {
		l->stale = true;
		if (rc != SA_ERR_NOTFOUND)
			trusted_report(l->skip, l->run->ctx, err.msg);
		return 0;
	}
	if (index_query_wants(l->q, g))
		return grants_keep(&l->out, g);
	grant_free(g);
	return 0;
}

static int load_found(struct loading *l, const struct buf *found)
{
	const struct index_key *keys = (const struct index_key *)(const void *)found->data;
	_cleanup_buf_ struct buf bytes = {0};
	int rc = 0;

	buf_init(&bytes, INDEX_MAX_BYTES);
	for (size_t i = 0; rc == 0 && i < found->len / sizeof(*keys); i++) {
		const struct index_record *r;

		if (i > 0 && keys[i].at == keys[i - 1].at)
			continue; /* found by two of its keys */
		buf_clear(&bytes);
		if ((rc = index_read_records(l->ix, keys[i].at, keys[i].len, &bytes)) < 0)
			return rc;
		r = index_record_check(&l->ix->head, bytes.data, bytes.len);
		rc = r ? load_record(l, r) : SA_ERR_INVALID;
	}
	return rc;
}

/* SA_ERR_INVALID: a broken index. *stale: a file is not what the index says; what there is of it
 * now is given. */
static int load_indexed(const struct index_run *run, struct index_query *q, const struct index *ix,
			grants_skip_fn skip, struct grants *out, bool *stale)
{
	struct loading l = {.run = run, .q = q, .ix = ix, .fd = -1, .skip = skip};
	_cleanup_buf_ struct buf found = {0};
	int rc;

	buf_init(&found, INDEX_MAX_BYTES);
	if ((rc = index_query_find(q, ix, &found)) == 0)
		rc = load_found(&l, &found);
	cleanup_close(&l.fd);
	if (rc < 0) {
		grants_free(&l.out);
		return rc;
	}
	*out = l.out;
	*stale = l.stale;
	return 0;
}

/* Whether the directories are what they were, and a grant edited in place need not be looked for.
 */
static bool is_fresh(const struct index *ix, const struct index_run *run)
{
	int64_t age = run->now_boot_ms - ix->head.sweep_ms;

	if (ix->head.n_dirs == 0 || !ix->head.settled || age < 0 || age >= GRANT_INDEX_SWEEP_MS)
		return false;
	for (size_t i = 0; i < run->n_dirs; i++) {
		struct file_stamp now = {0};
		struct stat st;

		if (fstatat(AT_FDCWD, run->dirs[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			now = file_stamp_of(&st);
		if (!file_stamp_same(&now, &ix->head.dirs[i]))
			return false;
	}
	return true;
}

/* By the index alone. SA_ERR_AGAIN: files have to be looked at; SA_ERR_INVALID: it is broken. */
static int load_fresh(const struct index_run *run, struct index_query *q, const struct index *ix,
		      struct grants *out)
{
	struct grants got = {0};
	bool stale = false;
	int rc;

	if (!is_fresh(ix, run))
		return SA_ERR_AGAIN;
	rc = load_indexed(run, q, ix, NULL, &got, &stale);
	if (rc < 0)
		return rc;
	if (stale) {
		grants_free(&got);
		return SA_ERR_AGAIN;
	}
	*out = got;
	return 0;
}

/* Without its file the index would be made at each login: correct, but slow, so it is said. */
static void keep_index(const struct index_run *run, const char *path, const struct buf *image)
{
	struct sa_err err = {0};
	int rc = index_write(path, image, &err);

	if (rc < 0) {
		sa_wrap(&err, rc, "%s: the index of the grants cannot be kept", path);
		trusted_report(run->skip, run->ctx, err.msg);
	}
}

static int load_swept(const struct index_run *run, struct index_query *q, const struct index *old,
		      const char *path, struct grants *out)
{
	struct index_swept swept = {0};
	struct index now = *old;
	bool stale;
	int rc = index_sweep(run, old, &swept);

	if (rc == 0 && !swept.changed)
		index_touch(old, run->now_boot_ms);
	if (rc == 0 && swept.changed) {
		now = index_in_memory(&swept.image);
		if (!swept.partial)
			keep_index(run, path, &swept.image);
	}
	if (rc == 0)
		rc = load_indexed(run, q, &now, run->skip, out, &stale);
	buf_free(&swept.image);
	return rc == 0 || rc == SA_ERR_NOMEM ? rc : load_all(run, q, out);
}

static void query_free(struct index_query *q)
{
	buf_free(&q->asked);
}

int grant_index_load(const char *index_path, const char *const *dirs,
		     const struct grants_trust *trust, const struct grant_query *q,
		     int64_t now_boot_ms, struct grants *out, grants_skip_fn skip, void *ctx)
{
	struct index_run run = {
		.dirs = dirs, .trust = trust, .now_boot_ms = now_boot_ms, .skip = skip, .ctx = ctx};
	_cleanup_(query_free) struct index_query query = {.q = q};
	struct index ix = {.fd = -1};
	int rc;

	buf_init(&query.asked, INDEX_MAX_BYTES);
	while (dirs[run.n_dirs])
		run.n_dirs++;
	if (!index_path || run.n_dirs == 0 || run.n_dirs > INDEX_MAX_DIRS)
		return load_all(&run, &query, out);
	index_open(&ix, index_path, &run);
	rc = load_fresh(&run, &query, &ix, out);
	if (rc == SA_ERR_INVALID)
		ix.head.n_dirs = 0; /* nothing of it counts */
	if (rc < 0 && rc != SA_ERR_NOMEM)
		rc = load_swept(&run, &query, &ix, index_path, out);
	index_close(&ix);
	return rc;
}
