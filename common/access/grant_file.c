/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "common/access/grant_file.h"
#include "common/access/trusted_file.h"
#include "common/cleanup.h"
#include "common/fdio.h"

/* Who wrote it decides what it must be: root's word is enough, anybody else's must be signed. */
static int parse(const char *path, struct slice text, const struct stat *st,
		 const struct grants_trust *trust, struct grant **out, struct sa_err *err)
{
	int rc;

	if (signed_is(text))
		return signed_grant(path, text, trust->signers, out, err);
	if ((rc = trusted_owner(st, trust->owner_uid, err)) < 0)
		return sa_wrap(err, rc, "%s: not a signed grant", path);
	return grant_parse(path, text, out, err);
}

int grant_file_load(int dirfd, const char *dir, const char *name, const struct grants_trust *trust,
		    struct grant **out, struct stat *st, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_buf_ struct buf text = {0}, path_buf = {0};
	const char *path;
	int rc;

	buf_init(&text, SIGNED_MAX_BYTES);
	buf_init(&path_buf, 2 * PATH_MAX);
	buf_printf(&path_buf, "%s/%s", dir, name);
	path = buf_cstr(&path_buf);
	if (path_buf.failed || !*path) /* it is how the grant is found again, to see it revoked */
		return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", name);
	if ((rc = trusted_open(dirfd, name, SIGNED_MAX_BYTES, &fd, st, err)) < 0 ||
	    (rc = fdio_read_all(fd, SIGNED_MAX_BYTES, &text, err)) < 0)
		return sa_wrap(err, rc, "%s", path);
	return parse(path, buf_slice(&text), st, trust, out, err);
}

int grants_keep(struct grants *out, struct grant *g)
{
	struct grant **grown = out->items;

	/* Grown at 0, 16, 32, 64 ... */
	if (out->len == 0 || (out->len >= 16 && (out->len & (out->len - 1)) == 0)) {
		size_t cap = out->len ? 2 * out->len : 16;

		grown = realloc(out->items, cap * sizeof(struct grant *));
		if (!grown) {
			grant_free(g);
			return SA_ERR_NOMEM;
		}
		out->items = grown;
	}
	grown[out->len++] = g;
	return 0;
}
