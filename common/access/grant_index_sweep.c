/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/access/grant_file.h"
#include "common/access/grant_index_internal.h"
#include "common/access/trusted_file.h"
#include "common/cleanup.h"
#include "common/clock.h"

/* Files that one sweep names in the log; the rest is counted. */
#define REPORT_MAX 20

struct sweep {
	const struct index_run *run;
	const struct index_head *old; /* n_dirs 0: none */
	struct slice old_records;     /* what is left of them */
	struct index_head head;       /* the new index */
	struct buf records;
	bool changed;
	unsigned reported;
	bool partial; /* a directory or file could not be looked at, for want of descriptors, say */
};

/* The directory that is being compared. */
struct place {
	uint16_t number;
	int fd;
	const char *path;
	bool same;  /* its stamp is the old one */
	bool known; /* ... and proves that its names are */
};

/* The next old record of the directory, NULL when there is none. */
static const struct index_record *old_peek(const struct sweep *s, const struct place *p)
{
	const struct index_record *r =
		(const struct index_record *)(const void *)s->old_records.ptr;

	return s->old_records.len > 0 && r->dir == p->number ? r : NULL;
}

static void old_drop(struct sweep *s, const struct index_record *r)
{
	size_t size = index_record_size(r);

	s->old_records.ptr += size;
	s->old_records.len -= size;
}

/* The old record of that name; what comes before it is gone. */
static const struct index_record *old_take(struct sweep *s, const struct place *p, const char *name)
{
	const struct index_record *r;

	while ((r = old_peek(s, p))) {
		int order = strcmp(index_record_name(r), name);

		if (order > 0)
			return NULL;
		old_drop(s, r);
		if (order == 0)
			return r;
	}
	return NULL;
}

/* What stands behind a record's head. */
struct tail {
	const uint64_t *keys;
	const char *name, *groups;
};

static struct tail tail_of(const struct index_record *r)
{
	return (struct tail){index_record_keys(r), index_record_name(r), index_record_groups(r)};
}

static int add_record(struct sweep *s, const struct index_record *head, const struct tail *t)
{
	size_t size = index_record_size(head);
	char *to = buf_reserve(&s->records, size);
	struct index_record *r = (struct index_record *)(void *)to;

	if (!to)
		return s->records.len + size > INDEX_MAX_BYTES ? SA_ERR_TOOBIG : SA_ERR_NOMEM;
	memset(to, 0, size);
	*r = *head;
	to += sizeof(*r);
	if (r->n_keys)
		memcpy(to, t->keys, r->n_keys * sizeof(*t->keys));
	to += r->n_keys * sizeof(*t->keys);
	memcpy(to, t->name, r->name_len);
	if (r->groups_len)
		memcpy(to + r->name_len + 1, t->groups, r->groups_len);
	r->sum = index_hash(0, &r->stamp, size - sizeof(r->sum));
	s->records.len += size;
	s->head.settled &= r->settled;
	return 0;
}

/* A grant with users and groups needs both to fit: its users are enough to find it. */
static int add_grant(struct sweep *s, struct index_record *r, const char *name,
		     const struct grant *g)
{
	const struct grant_list *who = g->users.len > 0 ? &g->users : &g->groups;
	uint64_t keys[GRANT_MAX_LIST + 1];
	_cleanup_buf_ struct buf groups = {0};

	buf_init(&groups, GRANT_MAX_BYTES);
	for (size_t i = 0; i < who->len; i++) {
		keys[i] = index_key_hash(who == &g->users ? 'u' : 'g', who->items[i]);
		if (who == &g->groups)
			buf_append(&groups, who->items[i], strlen(who->items[i]) + 1);
	}
	keys[who->len] = index_key_hash('r', g->access.request_id);
	r->n_keys = (uint16_t)(who->len + 1);
	r->groups_len = (uint32_t)groups.len;
	return groups.failed ? SA_ERR_NOMEM
			     : add_record(s, r, &(struct tail){keys, name, groups.data});
}

/* Says nothing about the file: too few descriptors, say, which a user can bring about with ulimit.
 */
static bool is_passing(int rc)
{
	return rc == SA_ERR_IO || rc == SA_ERR_AGAIN;
}

/* Whether the failure lies in the file as it is, so that it need not be tried at each login. One
 * that could not even be opened may be readable to the next process. */
static bool is_lasting(int rc, const struct stat *opened, const struct stat *st)
{
	if (st->st_mode && !S_ISREG(st->st_mode))
		return true;
	return rc == 0 || (!is_passing(rc) && opened->st_ino != 0);
}

/* What is new; of passing failures only the first, since they may hit all files. */
static void report_file(struct sweep *s, const struct index_record *r,
			const struct index_record *old, bool passing, const struct sa_err *err)
{
	bool known = old && old->unfit && file_stamp_same(&old->stamp, &r->stamp);

	if (!known && !(passing && s->partial) && s->reported++ < REPORT_MAX)
		trusted_report(s->run->skip, s->run->ctx, err->msg);
	s->partial |= passing;
}

static int read_file(struct sweep *s, const struct place *p, const char *name,
		     const struct stat *st, const struct index_record *old)
{
	struct index_record r = {.dir = p->number, .name_len = (uint16_t)strlen(name)};
	int64_t now_ms = clock_real_ms();
	struct stat opened = {0};
	struct sa_err err = {0};
	struct grant *g = NULL;
	int rc = grant_file_load(p->fd, p->path, name, s->run->trust, &g, &opened, &err);
	bool lasting = is_lasting(rc, &opened, st);

	s->changed = true;
	if (rc == SA_ERR_NOTFOUND || rc == SA_ERR_NOMEM)
		return rc == SA_ERR_NOMEM ? rc : 0;
	r.stamp = file_stamp_of(opened.st_ino ? &opened : st);
	r.unfit = rc < 0;
	r.settled = lasting && file_stamp_settled(&r.stamp, now_ms);
	if (rc < 0) {
		report_file(s, &r, old, !lasting && is_passing(rc), &err);
		return add_record(s, &r, &(struct tail){.name = name});
	}
	rc = add_grant(s, &r, name, g);
	grant_free(g);
	return rc;
}

static int sweep_file(struct sweep *s, const struct place *p, const char *name,
		      const struct index_record *old)
{
	struct file_stamp now = {0};
	struct stat st = {0};

	if (fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		now = file_stamp_of(&st);
	if (old && old->settled && file_stamp_same(&now, &old->stamp)) {
		struct tail t = tail_of(old);

		return add_record(s, old, &t);
	}
	return read_file(s, p, name, &st, old);
}

static void report(const struct sweep *s, const struct place *p, int rc, struct sa_err *err)
{
	sa_wrap(err, rc, "%s", p->path);
	trusted_report(s->run->skip, s->run->ctx, err->msg);
}

static int sweep_known(struct sweep *s, const struct place *p)
{
	const struct index_record *r;
	int rc = 0;

	while (rc == 0 && (r = old_peek(s, p))) {
		old_drop(s, r);
		rc = sweep_file(s, p, index_record_name(r), r);
	}
	return rc;
}

static int sweep_listed(struct sweep *s, const struct place *p)
{
	_cleanup_(trusted_names_free) struct trusted_names names = {0};
	struct sa_err err = {0};
	int rc = trusted_dir_names(p->fd, GRANT_FILE_SUFFIX, GRANTS_MAX_FILES, &names, &err);

	if (rc < 0)
		report(s, p, rc, &err);
	for (size_t i = 0; rc == 0 && i < names.len; i++)
		rc = sweep_file(s, p, names.items[i], old_take(s, p, names.items[i]));
	if (names.more && !p->same) {
		sa_fail(&err, SA_ERR_TOOBIG, GRANTS_TOO_MANY, GRANTS_MAX_FILES);
		report(s, p, SA_ERR_TOOBIG, &err);
	}
	return rc;
}

/* A missing directory is fine, and stays missing until its stamp says otherwise. */
static bool dir_settled(int rc, const struct file_stamp *now, int64_t now_ms)
{
	return rc == SA_ERR_NOTFOUND ? now->ino == 0 : rc == 0 && file_stamp_settled(now, now_ms);
}

static int sweep_files(struct sweep *s, struct place *p)
{
	struct sa_err err = {0};
	int rc = trusted_dir_open(p->path, s->run->trust->owner_uid, &p->fd, &err);

	if (rc < 0 && rc != SA_ERR_NOTFOUND && !p->same)
		report(s, p, rc, &err);
	if (rc < 0)
		return rc;
	return p->known ? sweep_known(s, p) : sweep_listed(s, p);
}

/* The rest of the directory's old records: their files are gone, or cannot be reached. */
static void drop_rest(struct sweep *s, const struct place *p)
{
	const struct index_record *r;

	for (; (r = old_peek(s, p)); s->changed = true)
		old_drop(s, r);
}

static int sweep_dir(struct sweep *s, uint16_t number)
{
	struct place p = {.number = number, .fd = -1, .path = s->run->dirs[number]};
	struct file_stamp *now = &s->head.dirs[number];
	int64_t now_ms = clock_real_ms();
	struct stat st;
	int rc;

	if (fstatat(AT_FDCWD, p.path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*now = file_stamp_of(&st);
	p.same = s->old->n_dirs > 0 && file_stamp_same(now, &s->old->dirs[number]);
	p.known = p.same && s->old->dir_settled[number];
	rc = sweep_files(s, &p);
	if (p.fd >= 0)
		close(p.fd);
	drop_rest(s, &p);
	s->changed |= !p.known;
	s->partial |= is_passing(rc);
	s->head.dir_settled[number] = dir_settled(rc, now, now_ms);
	s->head.settled &= s->head.dir_settled[number];
	return rc == SA_ERR_NOMEM || rc == SA_ERR_TOOBIG ? rc : 0;
}

static void report_rest(const struct sweep *s)
{
	char line[128];

	if (s->reported <= REPORT_MAX)
		return;
	snprintf(line, sizeof(line),
		 "%u more grant files are not believed: sessaudit grant check names them",
		 s->reported - REPORT_MAX);
	trusted_report(s->run->skip, s->run->ctx, line);
}

static int run_sweep(struct sweep *s, struct index_swept *out)
{
	s->head.sweep_ms = s->run->now_boot_ms;
	s->head.identity = index_identity(s->run);
	s->head.n_dirs = (uint32_t)s->run->n_dirs;
	s->head.settled = 1;
	for (uint16_t i = 0; i < s->run->n_dirs; i++) {
		int rc = sweep_dir(s, i);

		if (rc < 0)
			return rc;
	}
	report_rest(s);
	out->changed = s->changed;
	out->partial = s->partial;
	return s->changed ? index_make_image(&s->head, &s->records, &out->image) : 0;
}

/* All of them or none: where one is missing, its grant would seem to be gone. */
static bool read_old(const struct index *old, struct buf *out)
{
	if (old->head.n_dirs == 0 || index_read_records(old, 0, old->head.records_len, out) < 0)
		return false;
	for (size_t at = 0; at < out->len;) {
		const struct index_record *r =
			index_record_check(&old->head, out->data + at, out->len - at);

		if (!r)
			return false;
		at += index_record_size(r);
	}
	return true;
}

int index_sweep(const struct index_run *run, const struct index *old, struct index_swept *out)
{
	static const struct index_head none;
	_cleanup_buf_ struct buf old_records = {0};
	struct sweep s = {.run = run, .old = &none};
	int rc;

	buf_init(&old_records, INDEX_MAX_BYTES);
	buf_init(&s.records, INDEX_MAX_BYTES);
	if (read_old(old, &old_records)) {
		s.old = &old->head;
		s.old_records = buf_slice(&old_records);
	}
	rc = run_sweep(&s, out);
	buf_free(&s.records);
	return rc;
}
