/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/warden/wards.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"

#define SES_UNSET UINT32_MAX

/* ---- the table ---- */

static size_t wards_place(const struct wards *w, uint32_t ses)
{
	size_t from = 0, to = w->len;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (w->items[middle].ses < ses)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct ward *wards_find(const struct wards *w, uint32_t ses)
{
	size_t at = wards_place(w, ses);

	return at < w->len && w->items[at].ses == ses ? &w->items[at] : NULL;
}

static void ward_clear(struct ward *x)
{
	free(x->request_id);
	free(x->grant_id);
	free(x->grant_file);
	x->request_id = x->grant_id = x->grant_file = NULL;
	x->approval = (struct approval){0};
	x->grant_stamp = (struct file_stamp){0};
}

static void wards_drop(struct wards *w, size_t at)
{
	ward_clear(&w->items[at]);
	memmove(&w->items[at], &w->items[at + 1], (--w->len - at) * sizeof(*w->items));
}

/* Session numbers grow: the first without a file is the oldest. */
static int wards_evict(struct wards *w)
{
	for (size_t i = 0; i < w->len; i++)
		if (!w->items[i].tagged && !w->items[i].listed) {
			wards_drop(w, i);
			return 0;
		}
	return SA_ERR_TOOBIG;
}

static int wards_room(struct wards *w)
{
	size_t cap = w->cap ? 2 * w->cap : 64;
	struct ward *grown;

	if (w->len < w->cap)
		return 0;
	if (w->len >= WARDS_MAX)
		return wards_evict(w);
	grown = realloc(w->items, cap * sizeof(*grown));
	if (!grown)
		return SA_ERR_NOMEM;
	w->items = grown;
	w->cap = cap;
	return 0;
}

static struct ward *wards_add(struct wards *w, uint32_t ses)
{
	struct ward *x = wards_find(w, ses);
	size_t at;

	if (x)
		return x;
	if (wards_room(w) != 0)
		return NULL;
	at = wards_place(w, ses);
	memmove(&w->items[at + 1], &w->items[at], (w->len++ - at) * sizeof(*w->items));
	w->items[at] = (struct ward){.ses = ses};
	return &w->items[at];
}

bool wards_untagged(const struct wards *w)
{
	for (size_t i = 0; i < w->len; i++)
		if (!w->items[i].tagged)
			return true;
	return false;
}

void wards_forget(struct wards *w)
{
	for (size_t i = w->len; i > 0; i--)
		if (!w->items[i - 1].tagged && w->items[i - 1].processes == 0)
			wards_drop(w, i - 1);
}

void wards_free(struct wards *w)
{
	while (w->len > 0)
		wards_drop(w, w->len - 1);
	free(w->items);
	w->items = NULL;
	w->cap = 0;
}

/* ---- tag files ---- */

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int ward_fill(struct ward *x, const struct tagfile *t)
{
	const struct access *a = &t->tag.access;

	ward_clear(x);
	x->approval.approved = a->status == ACCESS_APPROVED;
	if (a->expires_at && clock_parse_utc(slice_of(a->expires_at), &x->approval.expires_ms) != 0)
		return SA_ERR_INVALID;
	x->request_id = copy(a->request_id);
	x->grant_id = copy(a->grant_id);
	x->grant_file = copy(t->grant_file);
	return !x->request_id != !a->request_id || !x->grant_id != !a->grant_id ||
			       !x->grant_file != !t->grant_file
		       ? SA_ERR_NOMEM
		       : 0;
}

/* A file of another boot names a session that is long over, and whose number may be in use. */
static int wards_take(struct wards *w, const struct tagfile *t, const struct file_stamp *stamp,
		      struct sa_err *err)
{
	struct ward *x = wards_add(w, t->ses);
	int rc = 0;

	if (!x)
		return sa_fail(err, SA_ERR_TOOBIG, "too many sessions, or no memory");
	ward_clear(x);
	x->listed = true;
	if (strcmp(t->boot_id, w->boot_id) == 0 && (rc = ward_fill(x, t)) != 0)
		return sa_fail(err, rc, "expires_at is no time, or no memory");
	x->tag_stamp = *stamp;
	return 0;
}

/* The directory is the collector's to write, too: only a file that is root's makes a ward, or
 * changes one. Many others cost time, but push nobody out of the table. */
static int wards_tag(struct wards *w, uint32_t ses, const struct stat *st, struct sa_err *err)
{
	struct file_stamp stamp = file_stamp_of(st);
	struct ward *x = wards_find(w, ses);
	struct tagfile t = {0};
	int rc;

	if (st->st_uid != w->owner_uid)
		return sa_fail(err, SA_ERR_PERM, "owner %u: must belong to %u",
			       (unsigned)st->st_uid, w->owner_uid);
	if (x && file_stamp_same(&x->tag_stamp, &stamp)) {
		x->listed = true;
		return 0;
	}
	rc = tagfile_read(w->dir, ses, w->owner_uid, &t, err);
	if (rc == 0)
		rc = wards_take(w, &t, &stamp, err);
	tagfile_free(&t);
	return rc == SA_ERR_NOTFOUND ? 0 : rc;
}

/* "7.json", as tagfile_write names them. */
static bool ses_of_name(const char *name, uint32_t *ses)
{
	char *end;
	unsigned long long v;

	if (*name < '0' || *name > '9')
		return false;
	errno = 0;
	v = strtoull(name, &end, 10);
	if (errno != 0 || v >= SES_UNSET || strcmp(end, ".json") != 0)
		return false;
	*ses = (uint32_t)v;
	return true;
}

static void wards_list(struct wards *w)
{
	static struct log_limit limit = {.burst = 1}, skipped = {.burst = 5};
	_cleanup_closedir_ DIR *dir = opendir(w->dir);
	const struct dirent *e;
	struct sa_err err = {0};
	struct stat st;
	uint32_t ses;

	if (!dir) {
		log_limited(&limit, LOG_LEVEL_ERR, "event=no-tag-files dir=%s reason=\"%s\"",
			    w->dir, strerror(errno));
		return;
	}
	while ((e = readdir(dir)))
		if (ses_of_name(e->d_name, &ses) &&
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    wards_tag(w, ses, &st, &err) != 0)
			log_limited(&skipped, LOG_LEVEL_WARN,
				    "event=tag-file-skipped file=%s/%u.json reason=\"%s\"", w->dir,
				    (unsigned)ses, err.msg);
}

/* ---- grants ---- */

static enum grant_state grant_read(const struct wards *w, struct ward *x)
{
	static struct log_limit limit = {.burst = 5};
	const struct access of = {.request_id = x->request_id, .grant_id = x->grant_id};
	enum grant_state state = GRANT_GONE;
	struct sa_err err = {0};
	struct grant *g = NULL;
	int rc = grants_load_file(x->grant_file, &w->trust, &g, &err);

	if (rc == SA_ERR_NOTFOUND)
		return GRANT_GONE;
	if (rc != 0) {
		log_limited(&limit, LOG_LEVEL_WARN, "event=grant-unreadable ses=%u reason=\"%s\"",
			    (unsigned)x->ses, err.msg);
		return GRANT_UNKNOWN;
	}
	if (grant_is_of(g, &of)) {
		state = g->revoked ? GRANT_REVOKED : GRANT_VALID;
		x->approval.grant_expires_ms = g->expires_ms;
	}
	grant_free(g);
	return state;
}

static void wards_grant(const struct wards *w, struct ward *x)
{
	struct approval *a = &x->approval;
	struct file_stamp stamp = {0};
	struct stat st;

	if (!a->approved || !x->grant_file)
		return;
	if (lstat(x->grant_file, &st) == 0)
		stamp = file_stamp_of(&st);
	/* What could not be read or was not there is looked for again. */
	if (!file_stamp_same(&stamp, &x->grant_stamp) || stamp.ino == 0 ||
	    a->grant == GRANT_UNKNOWN || a->grant == GRANT_NONE)
		a->grant = grant_read(w, x);
	x->grant_stamp = stamp;
	a->gone = a->grant == GRANT_GONE ? a->gone + 1 : 0;
}

void wards_refresh(struct wards *w)
{
	for (size_t i = 0; i < w->len; i++)
		w->items[i].listed = false;
	wards_list(w);
	for (size_t i = 0; i < w->len; i++) {
		w->items[i].tagged = w->items[i].listed;
		wards_grant(w, &w->items[i]);
	}
}
