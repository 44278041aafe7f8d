/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "tests/unit/spool_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "common/transcript/entry.h"
#include "common/transcript/index.h"
#include "tests/unit/tap.h"

static struct check *now; /* nftw has no argument to hand on */

void check_open(struct check *c)
{
	*c = (struct check){0};
	snprintf(c->dir, sizeof(c->dir), "%s/sessaudit-test.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(c->dir))
		abort();
	snprintf(c->spool, sizeof(c->spool), "%s/spool", c->dir);
	snprintf(c->store, sizeof(c->store), "%s/store", c->dir);
	mkdir(c->spool, 0700);
	mkdir(c->store, 0700);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

void check_close(struct check *c)
{
	nftw(c->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool check_fail(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!c->why[0])
		vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool read_whole(const char *path, struct buf *out)
{
	buf_init(out, 64 << 20);
	return fdio_read_file(AT_FDCWD, path, out->max, out, NULL) == 0;
}

static int ship_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	_cleanup_buf_ struct buf fresh = {0}, old = {0};
	char to[512];

	(void)f;
	if (type != FTW_F)
		return 0;
	snprintf(to, sizeof(to), "%s%s", now->store, path + strlen(now->spool) + strlen("/ready"));
	for (char *p = to + strlen(now->store) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(to, 0700);
		*p = '/';
	}
	if (read_whole(to, &old) && read_whole(path, &fresh)) {
		now->again++;
		if (!slice_eq(buf_slice(&old), buf_slice(&fresh)))
			check_fail(now, "%s was there with other bytes", path);
		/* A shipper that may not look takes it for somebody else's. */
		if (st->st_mtime != SPOOL_MADE_AGAIN_S)
			check_fail(now, "%s is made again and does not say so", path);
	}
	return rename(path, to);
}

void check_ship(struct check *c)
{
	char ready[100];

	now = c;
	snprintf(ready, sizeof(ready), "%s/ready", c->spool);
	nftw(ready, ship_one, 16, FTW_PHYS);
}

static int see_entry(void *ctx, struct slice line)
{
	struct check *c = ctx;
	struct entry_read r;

	if (entry_parse(line, &r, NULL)) {
		check_fail(c, "a line is no entry");
		return 0;
	}
	if (r.e.audit_serial < CHECK_IDS)
		c->seen[r.e.audit_serial]++;
	c->gaps += r.e.type == ENTRY_GAP;
	c->lost += r.e.type == ENTRY_GAP ? (unsigned)r.e.count : 0;
	entry_read_free(&r);
	return 0;
}

static void see_page(struct check *c, const struct buf *page)
{
	const char *p = page->data, *end = p + page->len;

	while ((p = memmem(p, (size_t)(end - p), "id-", 3))) {
		unsigned long id = strtoul(p += 3, NULL, 10);

		if (id < CHECK_IDS)
			c->shown[id]++;
	}
}

bool check_read(const struct check *c, const char *folder, const char *sid, unsigned number,
		segment_entry_fn fn, void *ctx)
{
	_cleanup_buf_ struct buf gz = {0}, plain = {0};
	struct segment_info info;
	struct chain chain = {0};
	char path[400];

	snprintf(path, sizeof(path), "%s/%s/session=%s/%06u.jsonl.gz", c->store, folder, sid,
		 number);
	if (!read_whole(path, &gz))
		return false;
	buf_init(&plain, SEGMENT_MAX_BYTES);
	if (segment_uncompress(buf_slice(&gz), &plain, NULL) ||
	    segment_read(buf_slice(&plain), &chain, fn, ctx, NULL, &info, NULL))
		tap_ok(false, "%s cannot be read", path);
	return true;
}

const char *check_output(const char *command)
{
	static char out[2000];
	FILE *f = popen(command, "r");
	size_t n = f ? fread(out, 1, sizeof(out) - 1, f) : 0;

	out[n] = '\0';
	if (f)
		pclose(f);
	return out;
}

struct segments {
	struct chain chain;
	uint32_t n;
	uint64_t entries;
	char sha256[1000][DIGEST_HEX_SIZE];
};

static bool check_segments(struct check *c, const char *dir, struct segments *s)
{
	*s = (struct segments){0};
	for (;; s->n++) {
		_cleanup_buf_ struct buf gz = {0}, plain = {0};
		struct segment_info info;
		char path[400];

		snprintf(path, sizeof(path), "%s/%06u.jsonl.gz", dir, s->n);
		if (!read_whole(path, &gz))
			return s->n > 0 || check_fail(c, "%s: no segments", dir);
		digest_hex(buf_slice(&gz), s->sha256[s->n]);
		buf_init(&plain, SEGMENT_MAX_BYTES);
		if (segment_uncompress(buf_slice(&gz), &plain, NULL) ||
		    segment_read(buf_slice(&plain), &s->chain, see_entry, c, NULL, &info, NULL))
			return check_fail(c, "%s: no segment", path);
		if (!info.chain_ok)
			return check_fail(c, "segment %u: %s", s->n, info.problem);
		if (info.number != s->n || info.first_seq != s->entries + 1)
			return check_fail(c, "segment %u begins at %llu after %llu entries", s->n,
					  (unsigned long long)info.first_seq,
					  (unsigned long long)s->entries);
		s->entries += info.entries;
	}
}

/* One manifest: goes on with the segments where the one before ended. */
static bool check_manifest(struct check *c, const struct buf *text, const struct segments *s,
			   uint32_t *listed, struct index_read *out)
{
	const struct json *list;

	if (index_parse(buf_slice(text), out, NULL))
		return check_fail(c, "a manifest cannot be read");
	list = json_get(out->json, "segments");
	for (size_t i = 0; i < json_len(list); i++, (*listed)++) {
		int64_t number = -1;

		json_int(json_get(json_at(list, i), "number"), &number);
		if (number != *listed || *listed >= s->n ||
		    !slice_is(json_get_str(json_at(list, i), "sha256"), s->sha256[*listed]))
			return check_fail(c, "manifest %u: segment %lld does not fit", out->part,
					  (long long)number);
	}
	return true;
}

/* Is the session found by who looks for this request? */
static bool check_request(struct check *c, const char *request, const char *sid)
{
	_cleanup_buf_ struct buf text = {0}, key = {0};
	char path[700];

	buf_init(&key, LAYOUT_KEY_MAX);
	layout_request_dir(&key, slice_of(request));
	buf_printf(&key, "session=%s/", sid);
	snprintf(path, sizeof(path), "%s/%smanifest.json", c->store, buf_cstr(&key));
	if (access(path, F_OK) == 0)
		return true;
	snprintf(path, sizeof(path), "%s/%spointer.json", c->store, buf_cstr(&key));
	buf_clear(&key);
	if (!read_whole(path, &text))
		return check_fail(c, "request %s has no pointer to %s", request, sid);
	if (index_parse_pointer(buf_slice(&text), sid, &key, NULL))
		return check_fail(c, "%s is no pointer", path);
	snprintf(path, sizeof(path), "%s/%smanifest.json", c->store, buf_cstr(&key));
	return access(path, F_OK) == 0 || check_fail(c, "a pointer leads to no %s", path);
}

static bool check_requests(struct check *c, const struct access *a, const char *sid)
{
	bool ok = !a->request_id || check_request(c, a->request_id, sid);

	for (size_t i = 0; ok && i < a->n_candidates; i++)
		ok = check_request(c, a->candidates[i], sid);
	return ok;
}

/* Does the index object of the end say what the manifest says? */
static bool index_end_fits(struct check *c, const char *sid, const struct index_read *m)
{
	_cleanup_buf_ struct buf key = {0}, text = {0};
	struct index_read end;
	char path[400];
	bool same;

	buf_init(&key, LAYOUT_KEY_MAX);
	layout_index_end(&key, T0, SLICE_LIT("h1"), sid, m->part);
	snprintf(path, sizeof(path), "%s/%s", c->store, buf_cstr(&key));
	if (!read_whole(path, &text) || index_parse(buf_slice(&text), &end, NULL))
		return false;
	same = slice_eq(end.head, m->head) && slice_eq(end.key, m->key) &&
	       end.entries == m->entries && end.segments == m->segments &&
	       end.access.n_candidates == m->access.n_candidates &&
	       slice_eq(slice_of(end.access.request_id), slice_of(m->access.request_id));
	index_read_free(&end);
	return same;
}

static bool check_parts(struct check *c, const char *dir, const char *sid, const struct segments *s)
{
	struct index_read m = {0};
	uint32_t listed = 0;
	uint64_t entries = 0;
	bool ok = true, head = false, ended = false;

	for (unsigned part = 1; ok; part++) {
		_cleanup_buf_ struct buf manifest = {0}, page = {0}, name = {0};
		char path[400];

		buf_init(&name, 100);
		layout_manifest_name(&name, part);
		snprintf(path, sizeof(path), "%s/%s", dir, buf_cstr(&name));
		if (!read_whole(path, &manifest))
			break;
		c->parts++;
		ok = check_manifest(c, &manifest, s, &listed, &m);
		if (ok) {
			entries = m.entries;
			head = slice_is(m.head, s->chain.head);
			ok = check_requests(c, &m.access, sid);
			ended = index_end_fits(c, sid, &m);
		}
		index_read_free(&m);
		buf_clear(&name);
		layout_transcript_name(&name, part);
		snprintf(path, sizeof(path), "%s/%s", dir, buf_cstr(&name));
		/* One that could not be made before the session went on is part of the next. */
		if (!read_whole(path, &page))
			continue;
		if (!memmem(page.data, page.len < 600 ? page.len : 600, "  Session ", 10))
			return check_fail(c, "page %u does not begin with its head", part);
		see_page(c, &page);
	}
	if (ok && listed != s->n)
		return check_fail(c, "manifests name %u of %u segments", listed, s->n);
	if (ok && !ended) /* one that could not be made before the session went on is not missed */
		return check_fail(c, "the index object of the last end is not as its manifest");
	if (ok && (entries != s->entries || !head))
		return check_fail(c, "the last manifest says %llu entries of %llu, head %d",
				  (unsigned long long)entries, (unsigned long long)s->entries,
				  head);
	return ok;
}

static int check_session(const char *path, const struct stat *st, int type, struct FTW *f)
{
	static struct segments s;
	_cleanup_buf_ struct buf start = {0};
	char index[400];
	const char *sid = strstr(path, "/session=");

	(void)st, (void)f;
	if (type != FTW_D || !sid)
		return 0;
	snprintf(index, sizeof(index), "%s/pointer.json", path);
	if (access(index, F_OK) == 0) {
		now->pointers++;
		return 0;
	}
	sid += strlen("/session=");
	now->sessions++;
	snprintf(index, sizeof(index), "%s/index/date=2026-11-21/host=h1/%s.start.json", now->store,
		 sid);
	if (!read_whole(index, &start))
		check_fail(now, "no index object of the start");
	if (check_segments(now, path, &s))
		check_parts(now, path, sid, &s);
	now->segments += s.n;
	return 0;
}

static int left_over(const char *path, const struct stat *st, int type, struct FTW *f)
{
	const char *name = path + strlen(now->spool);

	(void)st, (void)f;
	if (type == FTW_F && !strstr(name, "/state/") && strcmp(name, "/lock") != 0 &&
	    strcmp(name, "/news") != 0)
		check_fail(now, "%s is left over", name);
	return 0;
}

bool check_store(struct check *c)
{
	now = c;
	nftw(c->store, check_session, 16, FTW_PHYS);
	nftw(c->spool, left_over, 16, FTW_PHYS);
	if (c->sessions == 0)
		check_fail(c, "no session at all");
	return !c->why[0];
}
