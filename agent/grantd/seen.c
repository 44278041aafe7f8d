/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/seen.h"

#include <stdlib.h>

#include "common/access/grant.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/json.h"

#define SEEN_FILE "seen.json"
#define SEEN_SCHEMA "sessaudit.grants-seen/1"

/* Where id is, or where it belongs. */
static size_t seen_place(const struct seen *s, const char *id)
{
	size_t from = 0, to = s->len;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(s->items[middle].id, id) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct seen_grant *seen_find(const struct seen *s, const char *id)
{
	size_t at = seen_place(s, id);

	return at < s->len && strcmp(s->items[at].id, id) == 0 ? &s->items[at] : NULL;
}

static void seen_drop(struct seen *s, size_t at)
{
	free(s->items[at].id);
	memmove(&s->items[at], &s->items[at + 1], (--s->len - at) * sizeof(*s->items));
	s->changed = true;
}

/* A directory holds less than SEEN_MAX, so there is always one that does not lie in it. */
static void seen_evict(struct seen *s)
{
	size_t first = s->len;

	for (size_t i = 0; i < s->len; i++)
		if (!s->items[i].on_shelf &&
		    (first == s->len || s->items[i].keep_ms < s->items[first].keep_ms))
			first = i;
	if (first < s->len)
		seen_drop(s, first);
}

/* Room is taken for all at once: 16,384 rows are one mebibyte. */
static int seen_room(struct seen *s)
{
	if (!s->items)
		s->items = calloc(SEEN_MAX, sizeof(*s->items));
	if (!s->items)
		return SA_ERR_NOMEM;
	if (s->len == SEEN_MAX)
		seen_evict(s);
	return s->len < SEEN_MAX ? 0 : SA_ERR_TOOBIG;
}

static int seen_insert(struct seen *s, const char *id, struct seen_grant **out)
{
	_cleanup_free_ char *copy = strdup(id);
	int rc = copy ? seen_room(s) : SA_ERR_NOMEM;
	size_t at;

	if (rc != 0)
		return rc;
	at = seen_place(s, id);
	memmove(&s->items[at + 1], &s->items[at], (s->len++ - at) * sizeof(*s->items));
	s->items[at] = (struct seen_grant){.id = TAKE_PTR(copy)};
	*out = &s->items[at];
	return 0;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int seen_note(struct seen *s, const struct seen_grant *version, int64_t now_ms,
	      struct seen_grant **out)
{
	struct seen_grant *g = seen_find(s, version->id);
	struct seen_grant next = *version;
	int rc;

	if (!g && (rc = seen_insert(s, version->id, &g)) != 0)
		return rc;
	/* The newest version may expire before an older one does. */
	next.keep_ms = later(later(g->keep_ms, version->keep_ms), version->expires_ms);
	if (version->revoked && !g->revoked)
		next.keep_ms = later(next.keep_ms, now_ms + SEEN_REVOKED_MS);
	s->changed = s->changed || g->issued_ms != next.issued_ms ||
		     g->expires_ms != next.expires_ms || g->revoked != next.revoked;
	next.id = g->id;
	next.on_shelf = g->on_shelf;
	next.marked = g->marked;
	*g = next;
	*out = g;
	return 0;
}

void seen_forget(struct seen *s, int64_t now_ms)
{
	for (size_t i = s->len; i > 0; i--)
		if (s->items[i - 1].keep_ms <= now_ms && !s->items[i - 1].on_shelf)
			seen_drop(s, i - 1);
}

void seen_free(struct seen *s)
{
	for (size_t i = 0; i < s->len; i++)
		free(s->items[i].id);
	free(s->items);
	*s = (struct seen){0};
}

/* ---- the file ---- */

static int seen_read_row(struct seen *s, const struct json *row, int64_t now_ms)
{
	_cleanup_free_ char *id = slice_dup(json_get_str(row, "grant_id"));
	struct seen_grant g = {.id = id, .revoked = json_bool(json_get(row, "revoked"))}, *added;

	if (!id || !*id || strlen(id) > GRANT_MAX_ID ||
	    json_int(json_get(row, "issued_ms"), &g.issued_ms) != 0 ||
	    json_int(json_get(row, "expires_ms"), &g.expires_ms) != 0 ||
	    json_int(json_get(row, "keep_ms"), &g.keep_ms) != 0 || g.issued_ms <= 0)
		return SA_ERR_INVALID;
	return seen_note(s, &g, now_ms, &added);
}

int seen_parse(struct seen *s, struct slice text, int64_t now_ms, struct sa_err *err)
{
	_cleanup_json_ struct json *root = NULL;
	const struct json *rows;
	int rc = json_parse(text.ptr, text.len, &root, err);

	if (rc != 0)
		return rc;
	rows = json_get(root, "grants");
	if (!slice_is(json_get_str(root, "schema"), SEEN_SCHEMA) || !json_is(rows, JSON_ARRAY))
		return sa_fail(err, SA_ERR_INVALID, "not of schema " SEEN_SCHEMA);
	for (size_t i = 0; i < json_len(rows); i++)
		if ((rc = seen_read_row(s, json_at(rows, i), now_ms)) != 0)
			return sa_fail(err, rc, "grants[%zu]: broken, or no memory for it", i);
	return 0;
}

int seen_load(struct seen *s, int dir_fd, int64_t now_ms, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, SEEN_MAX_BYTES + 1);
	rc = fdio_read_file(dir_fd, SEEN_FILE, SEEN_MAX_BYTES, &text, err);
	if (rc == SA_ERR_NOTFOUND)
		return 0;
	if (rc == 0)
		rc = seen_parse(s, buf_slice(&text), now_ms, err);
	s->changed = rc != 0; /* a broken file is written anew */
	return rc;
}

static void seen_write(struct json_writer *w, const struct seen *s)
{
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(SEEN_SCHEMA));
	json_write_karray(w, "grants");
	for (size_t i = 0; i < s->len; i++) {
		json_write_open(w);
		json_write_kstr(w, "grant_id", slice_of(s->items[i].id));
		json_write_kint(w, "issued_ms", s->items[i].issued_ms);
		json_write_kint(w, "expires_ms", s->items[i].expires_ms);
		json_write_kint(w, "keep_ms", s->items[i].keep_ms);
		json_write_kbool(w, "revoked", s->items[i].revoked);
		json_write_close(w);
	}
	json_write_array_close(w);
	json_write_close(w);
}

int seen_save(struct seen *s, int dir_fd, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;
	int rc;

	buf_init(&text, SEEN_MAX_BYTES);
	w = json_writer_new(&text);
	if (!w)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	seen_write(w, s);
	rc = json_writer_end(w);
	buf_putc(&text, '\n');
	if (rc != 0 || text.failed)
		return sa_fail(err, SA_ERR_NOMEM, SEEN_FILE ": no memory to write it");
	if ((rc = fdio_replace_file(dir_fd, SEEN_FILE, text.data, text.len, 0644, err)) != 0)
		return rc;
	s->changed = false;
	return 0;
}
