/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/reader_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"

/*
 * Sessions found by the index, index/date=<start>/host=<host>/<sid>.<what>.json. In
 * a bucket a request lists 1000 keys but reads one object: so keys decide first.
 */

#define OBJECTS_PER_SESSION 4
#define DATES "index/date="
#define DATE_SIZE 10 /* 2026-11-21 */

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

struct wanted { /* of the keys of a listing */
	struct reader *r;
	const char *sid_prefix; /* NULL: all */
	size_t seen;
};

static bool is_wanted(void *ctx, const char *key)
{
	struct wanted *w = ctx;
	const char *name = strrchr(key, '/');

	reader_progress(w->r, "keys of the index seen:", ++w->seen, 0);
	return !w->sid_prefix ||
	       strncmp(name ? name + 1 : key, w->sid_prefix, strlen(w->sid_prefix)) == 0;
}

int reader_index_keys(struct reader *r, const char *prefix, const char *sid_prefix,
		      struct keys *out, struct sa_err *err)
{
	struct wanted w = {.r = r, .sid_prefix = sid_prefix};

	out->max = READER_MAX_SESSIONS * OBJECTS_PER_SESSION;
	return keys_list_some(r->store, prefix, is_wanted, &w, out, err);
}

struct dates { /* whose keys are listed */
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	char prefix[sizeof(DATES) + DATE_SIZE];
	char *date; /* within prefix */
};

/* No month after 12, no day after 31: each beginning of a date that is tried is a request. */
static bool is_possible(const char *date, size_t n)
{
	return (n != 6 || date[5] <= '1') && (n != 7 || date[5] == '0' || date[6] <= '2') &&
	       (n != 9 || date[8] <= '3') && (n != 10 || date[8] != '3' || date[9] <= '1');
}

/* The first and the last date that begin with the first n characters of date. */
static void bounds(const char *date, size_t n, char first[DATE_SIZE + 1], char last[DATE_SIZE + 1])
{
	memcpy(first, "0000-01-01", DATE_SIZE + 1);
	memcpy(last, "9999-12-31", DATE_SIZE + 1);
	memcpy(first, date, n);
	memcpy(last, date, n);
	if (n == 6) {
		first[6] = date[5] == '0' ? '1' : '0';
		last[6] = date[5] == '0' ? '9' : '2';
	}
	if (n == 9) {
		first[9] = date[8] == '0' ? '1' : '0';
		last[9] = date[8] == '3' ? '1' : '9';
	}
}

/* Lists the dates from..to that begin with the first n characters of d->date, by as few beginnings
 * as name them all: 2026-11-2, 2026-11-3, 2026-12, 2027 ... */
static int list_dates(struct reader *r, struct dates *d, size_t n, const char *sid_prefix,
		      struct keys *out, struct sa_err *err)
{
	char first[DATE_SIZE + 1], last[DATE_SIZE + 1];
	int rc = 0;

	bounds(d->date, n, first, last);
	if (!is_possible(d->date, n) || strncmp(last, d->from, DATE_SIZE) < 0 ||
	    strncmp(first, d->to, DATE_SIZE) > 0)
		return 0;
	if (strncmp(first, d->from, DATE_SIZE) >= 0 && strncmp(last, d->to, DATE_SIZE) <= 0) {
		d->date[n] = '\0';
		return reader_index_keys(r, d->prefix, sid_prefix, out, err);
	}
	if (n == 4 || n == 7) {
		d->date[n] = '-';
		return list_dates(r, d, n + 1, sid_prefix, out, err);
	}
	for (char c = '0'; c <= '9' && rc == 0; c++) {
		d->date[n] = c;
		rc = list_dates(r, d, n + 1, sid_prefix, out, err);
	}
	return rc;
}

static int list_wanted(struct reader *r, const struct reader_filter *f, struct keys *out,
		       struct sa_err *err)
{
	struct dates d = {.prefix = DATES, .to = "9999-12-31"};

	if (f->since_ms == 0 && f->until_ms == 0)
		return reader_index_keys(r, "index/", f->sid_prefix, out, err);
	d.date = d.prefix + strlen(DATES);
	clock_format_utc(f->since_ms, d.from);
	if (f->until_ms > 0)
		clock_format_utc(f->until_ms - 1, d.to);
	return list_dates(r, &d, 0, f->sid_prefix, out, err);
}

struct reader_object *reader_newest(struct reader *r, const struct keys *k, size_t from, size_t to)
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

/* from..to: the keys of one session. */
static int find_one(struct reader *r, const struct reader_filter *f, const struct keys *k,
		    size_t from, size_t to, struct reader_sessions *out, struct sa_err *err)
{
	struct reader_object *facts = reader_newest(r, k, from, to);

	if (!facts)
		return 0;
	if (reader_facts_pass(f, &facts->index) &&
	    (!f->request || reader_names_request(&facts->index.access, f->request))) {
		char sid[LAYOUT_SID_SIZE];

		snprintf(sid, sizeof(sid), "%.*s", (int)facts->index.sid.len, facts->index.sid.ptr);
		return reader_sessions_add(out, sid, facts->index.key, facts, err);
	}
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
	rc = list_wanted(r, f, &k, err);
	for (size_t i = 0, next; rc == 0 && i < k.len; i = next) {
		reader_progress(r, "objects of the index read:", i, k.len);
		next = same_session(r, &k, i);
		rc = find_one(r, f, &k, i, next, out, err);
	}
	if (rc != 0)
		reader_sessions_free(out);
	reader_sessions_sort(out);
	return rc;
}
