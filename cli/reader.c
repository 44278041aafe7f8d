/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/reader_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"

#define PROGRESS_MS 10000

int reader_settings(const char *where, const char *config, struct settings *out, struct sa_err *err)
{
	int rc = settings_load(config, out, err), set;

	if (!where)
		return rc;
	set = settings_set_store(out, where, err);
	/* A directory needs no settings: that the usual file is not ours to read is no obstacle. */
	if (set != 0 || config || strcmp(out->store_type, "s3") == 0)
		return rc ? rc : set;
	return 0;
}

int reader_open(const char *where, const char *config, struct reader *out, struct sa_err *err)
{
	struct settings settings = {0};
	int rc;

	memset(out, 0, sizeof(*out));
	out->told_ms = clock_mono_ms();
	rc = reader_settings(where, config, &settings, err);
	if (rc == 0)
		rc = store_open(&settings, false, NULL, NULL, &out->store, err);
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

void reader_progress(struct reader *r, const char *what, size_t done, size_t all)
{
	int64_t now = clock_mono_ms();

	if (now - r->told_ms < PROGRESS_MS)
		return;
	r->told_ms = now;
	fprintf(stderr, "sessaudit: %s: %s %zu", store_name(r->store), what, done);
	if (all > 0)
		fprintf(stderr, " of %zu", all);
	fputc('\n', stderr);
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
	reader_problem(r, key, "%s", err.msg[0] ? err.msg : "out of memory");
	reader_object_free(out);
	return false;
}

size_t reader_parse_dir(const char *key, char sid[LAYOUT_SID_SIZE])
{
	for (const char *at = key; (at = strstr(at, "/session=")) != NULL;) {
		at += strlen("/session=");
		if (!layout_is_session_id((struct slice){at, strnlen(at, 32)}) || at[32] != '/')
			continue;
		memcpy(sid, at, LAYOUT_SID_SIZE - 1);
		sid[LAYOUT_SID_SIZE - 1] = '\0';
		return (size_t)(at - key) + LAYOUT_SID_SIZE;
	}
	return 0;
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

int reader_sessions_add(struct reader_sessions *to, const char *sid, struct slice dir,
			struct reader_object *facts, struct sa_err *err)
{
	struct reader_session s = {.dir = slice_dup(dir), .facts = facts};
	int rc = s.dir ? 0 : sa_fail(err, SA_ERR_NOMEM, "out of memory");

	snprintf(s.sid, sizeof(s.sid), "%s", sid);
	if (rc == 0)
		rc = reader_sessions_move(to, &s, err);
	session_free(&s);
	return rc;
}

static int by_start(const void *va, const void *vb)
{
	const struct reader_session *a = va, *b = vb;
	int64_t ta = a->facts ? a->facts->index.start_ms : 0;
	int64_t tb = b->facts ? b->facts->index.start_ms : 0;

	return ta != tb ? (ta < tb ? -1 : 1) : strcmp(a->sid, b->sid);
}

void reader_sessions_sort(struct reader_sessions *s)
{
	if (s->len > 1)
		qsort(s->items, s->len, sizeof(*s->items), by_start);
}

bool reader_names_request(const struct access *a, const char *id)
{
	if (a->request_id && strcmp(a->request_id, id) == 0)
		return true;
	for (size_t i = 0; i < a->n_candidates; i++)
		if (strcmp(a->candidates[i], id) == 0)
			return true;
	return false;
}

bool reader_facts_pass(const struct reader_filter *f, const struct index_read *i)
{
	return (!f->user || slice_is(i->user, f->user)) &&
	       (!f->host || slice_is(i->host, f->host)) && i->start_ms >= f->since_ms &&
	       (f->until_ms == 0 || i->start_ms < f->until_ms) &&
	       (!f->by_status || i->access.status == f->status);
}
