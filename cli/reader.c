/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/keys.h"
#include "cli/reader.h"
#include "cli/reader_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/settings.h"

#define OBJECTS_PER_SESSION 4

int reader_open(const char *store_dir, const char *config, struct reader *out, struct sa_err *err)
{
	struct settings settings = {0};
	int rc;

	memset(out, 0, sizeof(*out));
	if (store_dir)
		return store_dir_open(store_dir, false, &out->store, err);
	rc = settings_load(config, &settings, err);
	if (rc == 0)
		rc = store_dir_open(settings.store_dir, false, &out->store, err);
	settings_free(&settings);
	return rc;
}

void reader_close(struct reader *r)
{
	store_close(r->store);
	memset(r, 0, sizeof(*r));
}

void reader_problem(struct reader *r, const char *key, const char *fmt, ...)
{
	_cleanup_buf_ struct buf line = {0};
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	buf_init(&line, 64 * 1024);
	escape_terminal(&line, slice_of(key));
	buf_puts(&line, ": ");
	escape_terminal(&line, slice_of(what));
	fprintf(stderr, "sessaudit: warning: %s\n", buf_cstr(&line));
	r->problems++;
}

void reader_object_free(struct reader_object *o)
{
	index_read_free(&o->index);
	buf_free(&o->text);
}

bool reader_object_get(struct reader *r, const char *key, const char *sid, size_t max,
		       struct reader_object *out)
{
	struct sa_err err = {0};

	memset(out, 0, sizeof(*out));
	buf_init(&out->text, max);
	if (store_get(r->store, key, &out->text, &err) == 0 &&
	    index_parse(buf_slice(&out->text), &out->index, &err) == 0) {
		if (slice_is(out->index.sid, sid))
			return true;
		snprintf(err.msg, sizeof(err.msg), "is about another session");
	}
	reader_problem(r, key, "%s", err.msg);
	reader_object_free(out);
	return false;
}

/* "<dir>/<sid>.<what>.json"; what is "start" (part 0), "end" (1), "end-2" (2) ... */
static bool parse_index_key(const char *key, char sid[LAYOUT_SID_SIZE], unsigned *part)
{
	const char *name = strrchr(key, '/');
	int end = -1;

	if (!name || !layout_is_session_id((struct slice){name + 1, strnlen(name + 1, 32)}))
		return false;
	memcpy(sid, name + 1, LAYOUT_SID_SIZE - 1);
	sid[LAYOUT_SID_SIZE - 1] = '\0';
	name += LAYOUT_SID_SIZE;
	*part = strcmp(name, ".end.json") == 0;
	if (*part == 1 || strcmp(name, ".start.json") == 0)
		return true;
	return sscanf(name, ".end-%5u.json%n", part, &end) == 1 && end > 0 && name[end] == '\0' &&
	       *part > 1;
}

/* What the key alone tells: date, host and session. */
static bool key_passes(const struct reader_filter *f, const char *key, const char *sid)
{
	char since[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	const char *date = key + strlen("index/date=");

	if (f->sid_prefix && strncmp(sid, f->sid_prefix, strlen(f->sid_prefix)) != 0)
		return false;
	if (strncmp(key, "index/date=", strlen("index/date=")) != 0)
		return true;
	clock_format_utc(f->since_ms, since);
	clock_format_utc(f->until_ms, until);
	return strncmp(date, since, 10) >= 0 && (f->until_ms == 0 || strncmp(date, until, 10) <= 0);
}

static bool names_request(const struct access *a, const char *id)
{
	if (a->request_id && strcmp(a->request_id, id) == 0)
		return true;
	for (size_t i = 0; i < a->n_candidates; i++)
		if (strcmp(a->candidates[i], id) == 0)
			return true;
	return false;
}

static bool facts_pass(const struct reader_filter *f, const struct index_read *i)
{
	return (!f->request || names_request(&i->access, f->request)) &&
	       (!f->user || slice_is(i->user, f->user)) &&
	       (!f->host || slice_is(i->host, f->host)) && i->start_ms >= f->since_ms &&
	       (f->until_ms == 0 || i->start_ms < f->until_ms) &&
	       (!f->by_status || i->access.status == f->status);
}

static void session_free(struct reader_session *s)
{
	if (s->facts)
		reader_object_free(s->facts);
	free(s->facts);
	free(s->dir);
}

void reader_sessions_free(struct reader_sessions *s)
{
	for (size_t i = 0; i < s->len; i++)
		session_free(&s->items[i]);
	free(s->items);
	memset(s, 0, sizeof(*s));
}

int reader_sessions_move(struct reader_sessions *to, struct reader_session *from,
			 struct sa_err *err)
{
	struct reader_session *grown = keys_grow(to->items, to->len, &to->cap, sizeof(*grown));

	if (!grown)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	to->items = grown;
	to->items[to->len++] = *from;
	memset(from, 0, sizeof(*from));
	return 0;
}

/* Takes facts (which may be NULL) over. */
static int add_session(struct reader_sessions *all, const char *sid, struct slice dir,
		       struct reader_object *facts, struct sa_err *err)
{
	struct reader_session s = {.dir = slice_dup(dir), .facts = facts};
	int rc = s.dir ? 0 : sa_fail(err, SA_ERR_NOMEM, "out of memory");

	snprintf(s.sid, sizeof(s.sid), "%s", sid);
	if (rc == 0)
		rc = reader_sessions_move(all, &s, err);
	session_free(&s);
	return rc;
}

/* The newest object of one session that can be read, of the keys from..to. */
static struct reader_object *newest_facts(struct reader *r, const struct keys *k, size_t from,
					  size_t to)
{
	struct reader_object *o = calloc(1, sizeof(*o));
	unsigned below = UINT32_MAX;

	for (size_t tried = from; o && tried < to; tried++) {
		const char *key = NULL;
		char sid[LAYOUT_SID_SIZE];
		unsigned best = 0, part;

		for (size_t i = from; i < to; i++) {
			if (!parse_index_key(k->items[i], sid, &part) || part >= below ||
			    (key && part < best))
				continue;
			key = k->items[i];
			best = part;
		}
		if (key && reader_object_get(r, key, sid, READER_MAX_OBJECT, o))
			return o;
		below = best;
	}
	free(o);
	return NULL;
}

static int by_start(const void *va, const void *vb)
{
	const struct reader_session *a = va, *b = vb;
	int64_t ta = a->facts ? a->facts->index.start_ms : 0;
	int64_t tb = b->facts ? b->facts->index.start_ms : 0;

	return ta != tb ? (ta < tb ? -1 : 1) : strcmp(a->sid, b->sid);
}

/* The keys of one session stand together: they differ only after its id. */
static size_t same_session(struct reader *r, const struct keys *k, size_t from)
{
	const char *first = k->items[from];
	size_t n = (size_t)(strrchr(first, '/') - first) + LAYOUT_SID_SIZE, i = from;
	char sid[LAYOUT_SID_SIZE];
	unsigned part;

	for (; i < k->len && strncmp(k->items[i], first, n) == 0; i++)
		if (!parse_index_key(k->items[i], sid, &part))
			reader_problem(r, k->items[i], "not an object of the index: %s",
				       strstr(k->items[i], ".conflict-")
					       ? "two were shipped for one key"
					       : "passed over");
	return i > from ? i : from + 1;
}

static int find_one(struct reader *r, const struct reader_filter *f, const struct keys *k,
		    size_t from, size_t to, struct reader_sessions *out, struct sa_err *err)
{
	struct reader_object *facts;
	char sid[LAYOUT_SID_SIZE];
	unsigned part;

	while (from < to && !parse_index_key(k->items[from], sid, &part))
		from++;
	if (from == to || !key_passes(f, k->items[from], sid))
		return 0;
	facts = newest_facts(r, k, from, to);
	if (!facts)
		return 0;
	if (facts_pass(f, &facts->index))
		return add_session(out, sid, facts->index.key, facts, err);
	reader_object_free(facts);
	free(facts);
	return 0;
}

int reader_find(struct reader *r, const struct reader_filter *f, struct reader_sessions *out,
		struct sa_err *err)
{
	_cleanup_keys_ struct keys k = {0};
	int rc;

	memset(out, 0, sizeof(*out));
	rc = keys_list(r->store, "index/", READER_MAX_SESSIONS * OBJECTS_PER_SESSION, &k, err);
	for (size_t i = 0, next; rc == 0 && i < k.len; i = next) {
		next = same_session(r, &k, i);
		rc = find_one(r, f, &k, i, next, out, err);
	}
	if (rc != 0)
		reader_sessions_free(out);
	if (out->len > 1)
		qsort(out->items, out->len, sizeof(*out->items), by_start);
	return rc;
}

/* "sessions/request=<id>/session=<sid>/": the length of that, 0 when key has no such beginning. */
static size_t parse_dir(const char *key, char sid[LAYOUT_SID_SIZE])
{
	const char *at = strstr(key, "/session=");
	size_t n = at ? (size_t)(at - key) + strlen("/session=") : 0;

	if (!at || !layout_is_session_id((struct slice){key + n, strnlen(key + n, 32)}) ||
	    key[n + LAYOUT_SID_SIZE - 1] != '/')
		return 0;
	memcpy(sid, key + n, LAYOUT_SID_SIZE - 1);
	sid[LAYOUT_SID_SIZE - 1] = '\0';
	return n + LAYOUT_SID_SIZE;
}

int reader_find_dirs(struct reader *r, const struct reader_filter *f, struct reader_sessions *out,
		     struct sa_err *err)
{
	_cleanup_keys_ struct keys k = {0};
	_cleanup_buf_ struct buf prefix = {0};
	int rc;

	memset(out, 0, sizeof(*out));
	buf_init(&prefix, STORE_MAX_KEY);
	buf_puts(&prefix, "sessions/");
	if (f->request) {
		buf_puts(&prefix, "request=");
		escape_key_part(&prefix, slice_of(f->request));
		buf_putc(&prefix, '/');
	}
	rc = keys_list(r->store, buf_cstr(&prefix), READER_MAX_SESSIONS * 100, &k, err);
	for (size_t i = 0; rc == 0 && i < k.len; i++) {
		char sid[LAYOUT_SID_SIZE];
		struct slice dir = {k.items[i], parse_dir(k.items[i], sid)};

		if (dir.len == 0 || !key_passes(f, k.items[i], sid) ||
		    (out->len > 0 && slice_is(dir, out->items[out->len - 1].dir)))
			continue;
		rc = add_session(out, sid, dir, NULL, err);
	}
	if (rc != 0)
		reader_sessions_free(out);
	return rc;
}
