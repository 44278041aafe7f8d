/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/grant_file.h"
#include "common/access/trusted_file.h"
#include "common/cleanup.h"

/* One run over the directories. */
struct loader {
	struct grants *out;
	const struct grants_trust *trust;
	grants_skip_fn skip;
	void *ctx;
};

/* SA_ERR_NOMEM, or 0: what is unfit is reported. */
static int load_file(const struct loader *l, int dirfd, const char *dir, const char *name)
{
	struct sa_err err = {0};
	struct grant *g;
	struct stat st;
	int rc = grant_file_load(dirfd, dir, name, l->trust, &g, &st, &err);

	if (rc == 0)
		return grants_keep(l->out, g);
	/* Gone since the directory was listed: withdrawn, nothing to report. */
	if (rc != SA_ERR_NOTFOUND && rc != SA_ERR_NOMEM)
		trusted_report(l->skip, l->ctx, err.msg);
	return rc == SA_ERR_NOMEM ? rc : 0;
}

static int load_dir(const struct loader *l, const char *dir, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_(trusted_names_free) struct trusted_names names = {0};
	int rc;

	if ((rc = trusted_dir_open(dir, l->trust->owner_uid, &fd, err)) < 0)
		return rc == SA_ERR_NOTFOUND ? 0 : rc;
	if ((rc = trusted_dir_names(fd, GRANT_FILE_SUFFIX, GRANTS_MAX_FILES, &names, err)) < 0)
		return rc;
	for (size_t i = 0; i < names.len; i++)
		if ((rc = load_file(l, fd, dir, names.items[i])) < 0)
			return rc;
	return names.more ? sa_fail(err, SA_ERR_TOOBIG, GRANTS_TOO_MANY, GRANTS_MAX_FILES) : 0;
}

int grants_load(const char *const *dirs, const struct grants_trust *trust, struct grants *out,
		grants_skip_fn skip, void *ctx)
{
	struct grants all = {0};
	struct loader l = {.out = &all, .trust = trust, .skip = skip, .ctx = ctx};

	for (; *dirs; dirs++) {
		struct sa_err err = {0};
		int rc = load_dir(&l, *dirs, &err);

		if (rc == SA_ERR_NOMEM) {
			grants_free(&all);
			return rc;
		}
		if (rc < 0) {
			sa_wrap(&err, rc, "%s", *dirs);
			trusted_report(skip, ctx, err.msg);
		}
	}
	*out = all;
	return 0;
}

static int load_one(const char *dir, const char *name, const struct grants_trust *trust,
		    struct grant **out, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc = trusted_dir_open(dir, trust->owner_uid, &fd, err);

	if (rc < 0)
		return sa_wrap(err, rc, "%s", dir);
	rc = grant_file_load(fd, dir, name, trust, out, &st, err);
	if (rc == SA_ERR_TOOBIG)
		return sa_fail(err, SA_ERR_INVALID, "%s/%s: too big for a grant", dir, name);
	return rc;
}

int grants_load_file(const char *path, const struct grants_trust *trust, struct grant **out,
		     struct sa_err *err)
{
	struct slice name = slice_base_name(slice_of(path));
	size_t n = (size_t)(name.ptr - path);
	_cleanup_free_ char *dir = n == 0 ? strdup(".") : strndup(path, n > 1 ? n - 1 : 1);

	if (!dir)
		return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", path);
	return load_one(dir, name.ptr, trust, out, err);
}

void grants_free(struct grants *g)
{
	for (size_t i = 0; i < g->len; i++)
		grant_free(g->items[i]);
	free(g->items);
	*g = (struct grants){0};
}
