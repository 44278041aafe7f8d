/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/reader_internal.h"
#include "common/cleanup.h"

/*
 * Sessions found by where they lie: those of a request below its own folder, each
 * as a folder there or as a pointer to one elsewhere.
 */

#define POINTER "pointer.json"
#define POINTER_MAX 4096

struct place { /* of a session, as a listing shows it */
	char sid[LAYOUT_SID_SIZE];
	bool pointer;
	char *key; /* owned: the folder, or the pointer object */
};

struct places {
	struct place *items;
	size_t len, cap;
	const char *sid_prefix; /* NULL: any */
	struct reader *r;
	size_t seen;
};

static void places_free(struct places *p)
{
	for (size_t i = 0; i < p->len; i++)
		free(p->items[i].key);
	free(p->items);
}

/* Of each folder one place; keys come in order. */
static int add_place(void *ctx, const char *key, uint64_t size)
{
	struct places *p = ctx;
	const struct place *last = p->len > 0 ? &p->items[p->len - 1] : NULL;
	struct place at = {0}, *grown;
	size_t n = reader_parse_dir(key, at.sid);

	(void)size;
	reader_progress(p->r, "keys seen:", ++p->seen, 0);
	if (n == 0 || (p->sid_prefix && strncmp(at.sid, p->sid_prefix, strlen(p->sid_prefix)) != 0))
		return 0;
	at.pointer = strcmp(key + n, POINTER) == 0;
	if (!at.pointer && last && !last->pointer && strncmp(last->key, key, n) == 0)
		return 0;
	if (p->len >= READER_MAX_SESSIONS)
		return SA_ERR_TOOBIG;
	grown = keys_grow(p->items, p->len, &p->cap, sizeof(*grown));
	at.key = grown ? strndup(key, at.pointer ? strlen(key) : n) : NULL;
	if (grown)
		p->items = grown;
	if (!at.key)
		return SA_ERR_NOMEM;
	p->items[p->len++] = at;
	return 0;
}

/* Folders before pointers: what lies here need not be looked for. */
static int by_sid(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;
	int order = strcmp(a->sid, b->sid);

	if (order != 0)
		return order;
	return a->pointer != b->pointer ? (a->pointer ? 1 : -1) : strcmp(a->key, b->key);
}

static int find_places(struct reader *r, const char *prefix, struct places *p, struct sa_err *err)
{
	struct sa_err why = {0};
	int rc;

	p->r = r;
	rc = store_list(r->store, prefix, add_place, p, &why);

	if (rc == SA_ERR_TOOBIG && !why.msg[0])
		return sa_fail(err, rc, "%s: more than %d sessions below %s", store_name(r->store),
			       READER_MAX_SESSIONS, prefix);
	if (rc != 0)
		return sa_fail(err, rc, "%s", why.msg[0] ? why.msg : "out of memory");
	if (p->len > 1)
		qsort(p->items, p->len, sizeof(*p->items), by_sid);
	return 0;
}

/* Appends where a session's index objects lie, "index/date=.../host=.../<sid>.", as the header of
 * its first segment tells it. */
static int index_place(struct reader *r, const char *sid, const char *dir, struct buf *out)
{
	_cleanup_buf_ struct buf key = {0}, packed = {0}, text = {0};
	_cleanup_json_ struct json *header = NULL;
	struct segment_session s;
	struct access access = {0};
	const char *lf;
	int rc;

	buf_init(&key, STORE_MAX_KEY);
	buf_init(&packed, SEGMENT_MAX_BYTES);
	buf_init(&text, SEGMENT_MAX_BYTES);
	buf_puts(&key, dir);
	layout_segment_name(&key, 0);
	if (key.failed || (rc = store_get(r->store, buf_cstr(&key), &packed, NULL)) != 0 ||
	    (rc = segment_uncompress(buf_slice(&packed), &text, NULL)) != 0)
		return SA_ERR_NOTFOUND;
	lf = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;
	if (!lf || json_parse(text.data, (size_t)(lf - text.data), &header, NULL) != 0 ||
	    segment_session_read(header, &s, &access, NULL) != 0)
		return SA_ERR_INVALID;
	layout_index_start(out, s.start_ms, s.host, sid);
	access_free(&access);
	if (out->failed)
		return SA_ERR_TOOBIG;
	out->len -= strlen("start.json");
	return 0;
}

/* What the index has on a session; NULL: nothing. When the session cannot say where that is, all
 * keys of the index are gone through. */
static struct reader_object *find_facts(struct reader *r, const char *sid, const char *dir)
{
	_cleanup_keys_ struct keys k = {0};
	_cleanup_buf_ struct buf prefix = {0};
	struct reader_object *facts = NULL;
	struct sa_err err = {0};
	bool placed;

	buf_init(&prefix, STORE_MAX_KEY);
	placed = index_place(r, sid, dir, &prefix) == 0;
	if (reader_index_keys(r, placed ? buf_cstr(&prefix) : "index/", sid, &k, &err) != 0)
		reader_problem(r, dir, "%s", err.msg);
	else if (k.len == 0)
		reader_problem(r, dir, "the index has nothing on this session");
	else
		facts = reader_newest(r, &k, 0, k.len);
	return facts;
}

/* Where a pointer points to. A bad one is told; then the index may know. */
static char *follow(struct reader *r, const struct place *p)
{
	_cleanup_buf_ struct buf text = {0}, dir = {0};
	_cleanup_keys_ struct keys k = {0};
	struct reader_object *facts = NULL;
	struct sa_err err = {0};
	char *found = NULL;

	buf_init(&text, POINTER_MAX);
	buf_init(&dir, STORE_MAX_KEY);
	if (store_get(r->store, p->key, &text, &err) == 0 &&
	    index_parse_pointer(buf_slice(&text), p->sid, &dir, &err) == 0)
		return slice_dup(buf_slice(&dir));
	reader_problem(r, p->key, "%s", err.msg[0] ? err.msg : "out of memory");
	if (reader_index_keys(r, "index/", p->sid, &k, &err) == 0)
		facts = reader_newest(r, &k, 0, k.len);
	if (facts) {
		found = slice_dup(facts->index.key);
		reader_object_free(facts);
	}
	free(facts);
	return found;
}

/* What lies in a request's folder, or is pointed to from there, belongs to it: the word of the
 * index may be older. But "unapproved" is also the folder of those that have no request. */
static bool is_of_request(const char *request, const struct index_read *i)
{
	return strcmp(request, "unapproved") != 0 || reader_names_request(&i->access, request);
}

static int add_one(struct reader *r, const struct reader_filter *f, const struct place *p,
		   struct reader_sessions *out, struct sa_err *err)
{
	_cleanup_free_ char *dir = p->pointer ? follow(r, p) : strdup(p->key);
	struct reader_object *facts;

	if (!dir)
		return p->pointer ? 0 : sa_fail(err, SA_ERR_NOMEM, "out of memory");
	facts = find_facts(r, p->sid, dir);
	if (!facts || (reader_facts_pass(f, &facts->index) &&
		       (p->pointer || is_of_request(f->request, &facts->index))))
		return reader_sessions_add(out, p->sid, slice_of(dir), facts, err);
	reader_object_free(facts);
	free(facts);
	return 0;
}

int reader_find_request(struct reader *r, const struct reader_filter *f,
			struct reader_sessions *out, struct sa_err *err)
{
	_cleanup_(places_free) struct places p = {0};
	_cleanup_buf_ struct buf prefix = {0};
	int rc;

	memset(out, 0, sizeof(*out));
	buf_init(&prefix, STORE_MAX_KEY);
	layout_request_dir(&prefix, slice_of(f->request));
	rc = find_places(r, buf_cstr(&prefix), &p, err);
	for (size_t i = 0; rc == 0 && i < p.len; i++) {
		reader_progress(r, "sessions of the request looked at:", i, p.len);
		if (i == 0 || strcmp(p.items[i - 1].sid, p.items[i].sid) != 0)
			rc = add_one(r, f, &p.items[i], out, err);
	}
	if (rc != 0)
		reader_sessions_free(out);
	reader_sessions_sort(out);
	return rc;
}

int reader_find_dirs(struct reader *r, const char *sid_prefix, struct reader_sessions *out,
		     struct sa_err *err)
{
	_cleanup_(places_free) struct places p = {.sid_prefix = sid_prefix};
	int rc;

	memset(out, 0, sizeof(*out));
	rc = find_places(r, "", &p, err);
	for (size_t i = 0; rc == 0 && i < p.len; i++)
		if (!p.items[i].pointer &&
		    (i == 0 || strcmp(p.items[i - 1].key, p.items[i].key) != 0))
			rc = reader_sessions_add(out, p.items[i].sid, slice_of(p.items[i].key),
						 NULL, err);
	if (rc != 0)
		reader_sessions_free(out);
	return rc;
}
