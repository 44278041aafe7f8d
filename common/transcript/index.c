/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/index.h"

#include "common/clock.h"
#include "common/transcript/entry.h"

#define KEY_MAX_BYTES 4096

static void write_time(struct json_writer *w, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format_utc(ms, text);
	json_write_kstr(w, key, slice_of(text));
}

/* The session's directory, with the name of segment number in it unless that is NULL. */
static void write_key(struct json_writer *w, const struct segment_session *s,
		      const uint32_t *number)
{
	_cleanup_buf_ struct buf key = {0};

	buf_init(&key, KEY_MAX_BYTES);
	segment_session_dir(&key, s);
	if (number)
		layout_segment_name(&key, *number);
	json_write_kstr(w, "key", key.failed ? SLICE_LIT("\xff") : buf_slice(&key));
}

static void write_session(struct json_writer *w, const struct segment_session *s)
{
	json_write_kstr(w, "session", slice_of(s->sid));
	json_write_kint(w, "ses", s->ses);
	entry_write_text(w, "host", s->host);
	entry_write_text(w, "user", s->user);
	entry_write_text(w, "service", s->service);
	entry_write_text(w, "source", s->origin);
	write_time(w, "start", s->start_ms);
	entry_write_text(w, "capture", s->capture);
	if (s->access) {
		json_write_key(w, "access");
		access_write(w, s->access);
	}
	write_key(w, s, NULL);
}

static void write_totals(struct json_writer *w, const struct segment_session *s,
			 const struct session_totals *t)
{
	write_time(w, "end", t->end_ms);
	entry_write_text(w, "end_cause", t->end_cause);
	json_write_kint(w, "duration_ms", t->end_ms > s->start_ms ? t->end_ms - s->start_ms : 0);
	json_write_kint(w, "part", t->part);
	json_write_kint(w, "entries", (int64_t)t->entries);
	json_write_kint(w, "execs", (int64_t)t->execs);
	json_write_kint(w, "inputs", (int64_t)t->inputs);
	json_write_kint(w, "gaps", (int64_t)t->gaps);
	json_write_kint(w, "lost", (int64_t)t->lost);
	json_write_kint(w, "redactions", (int64_t)t->redactions);
	json_write_kstr(w, "head", slice_of(t->head));
}

void index_write_start(struct json_writer *w, const struct segment_session *s)
{
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(INDEX_SCHEMA));
	json_write_kstr(w, "type", SLICE_LIT("start"));
	write_session(w, s);
	json_write_close(w);
}

void index_write_end(struct json_writer *w, const struct segment_session *s,
		     const struct session_totals *t)
{
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(INDEX_SCHEMA));
	json_write_kstr(w, "type", SLICE_LIT("end"));
	write_session(w, s);
	write_totals(w, s, t);
	json_write_kint(w, "segments", (int64_t)t->n_segments);
	json_write_close(w);
}

static void write_segment(struct json_writer *w, const struct segment_session *s,
			  const struct manifest_segment *m)
{
	json_write_open(w);
	json_write_kint(w, "number", m->number);
	write_key(w, s, &m->number);
	json_write_kint(w, "first_seq", (int64_t)m->first_seq);
	json_write_kint(w, "entries", (int64_t)m->entries);
	json_write_kint(w, "bytes", (int64_t)m->bytes);
	json_write_kstr(w, "sha256", slice_of(m->sha256));
	json_write_close(w);
}

void manifest_write(struct json_writer *w, const struct segment_session *s,
		    const struct session_totals *t)
{
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(MANIFEST_SCHEMA));
	json_write_kstr(w, "type", SLICE_LIT("manifest"));
	write_session(w, s);
	write_totals(w, s, t);
	json_write_kbool(w, "no_known_loss", t->gaps == 0 && t->lost == 0);
	json_write_karray(w, "segments");
	for (size_t i = 0; i < t->n_segments; i++)
		write_segment(w, s, &t->segments[i]);
	json_write_array_close(w);
	json_write_close(w);
}

/* A number not below 0 that must be there. */
static int read_number(const struct json *j, const char *key, int64_t *out)
{
	int64_t n;

	if (json_int(json_get(j, key), &n) != 0 || n < 0)
		return SA_ERR_INVALID;
	*out = n;
	return 0;
}

static int read_count(const struct json *j, const char *key, uint64_t *out)
{
	int64_t n;

	if (read_number(j, key, &n) != 0)
		return SA_ERR_INVALID;
	*out = (uint64_t)n;
	return 0;
}

static int read_session(const struct json *j, struct index_read *r)
{
	r->sid = json_get_str(j, "session");
	r->host = json_get_str(j, "host");
	r->user = json_get_str(j, "user");
	r->service = json_get_str(j, "service");
	r->source = json_get_str(j, "source");
	r->key = json_get_str(j, "key");
	if (!layout_is_session_dir(r->key, r->sid) || read_number(j, "ses", &r->ses))
		return SA_ERR_INVALID;
	return clock_parse_utc(json_get_str(j, "start"), &r->start_ms);
}

/* The index says how many segments, the manifest which. */
static int read_segments(const struct json *j, uint64_t *out)
{
	const struct json *list = json_get(j, "segments");

	if (!json_is(list, JSON_ARRAY))
		return read_count(j, "segments", out);
	*out = json_len(list);
	return 0;
}

static int read_totals(const struct json *j, struct index_read *r)
{
	uint64_t part;

	r->end_cause = json_get_str(j, "end_cause");
	r->head = json_get_str(j, "head");
	if (clock_parse_utc(json_get_str(j, "end"), &r->end_ms) ||
	    read_number(j, "duration_ms", &r->duration_ms) || read_count(j, "part", &part) ||
	    read_count(j, "entries", &r->entries) || read_count(j, "execs", &r->execs) ||
	    read_count(j, "inputs", &r->inputs) || read_count(j, "gaps", &r->gaps) ||
	    read_count(j, "lost", &r->lost) || read_segments(j, &r->segments) || part < 1 ||
	    part > UINT16_MAX ||
	    (json_get(j, "redactions") && read_count(j, "redactions", &r->redactions)))
		return SA_ERR_INVALID;
	r->part = (unsigned)part;
	return 0;
}

static int read_index(struct index_read *r, struct sa_err *err)
{
	const struct json *j = r->json, *access = json_get(j, "access");
	struct slice schema = json_get_str(j, "schema"), type = json_get_str(j, "type");

	if (slice_is(schema, MANIFEST_SCHEMA) && slice_is(type, "manifest"))
		r->is_end = true;
	else if (slice_is(schema, INDEX_SCHEMA) && slice_is(type, "end"))
		r->is_end = true;
	else if (!slice_is(schema, INDEX_SCHEMA) || !slice_is(type, "start"))
		return sa_fail(err, SA_ERR_INVALID, "not an index object or manifest");
	if (read_session(j, r) != 0)
		return sa_fail(err, SA_ERR_INVALID, "broken index object");
	if (r->is_end && read_totals(j, r) != 0)
		return sa_fail(err, SA_ERR_INVALID, "broken totals in an index object");
	return access ? access_read(access, &r->access, err) : 0;
}

int index_parse(struct slice text, struct index_read *out, struct sa_err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = json_parse(text.ptr, text.len, &out->json, err);
	if (rc == 0)
		rc = read_index(out, err);
	if (rc != 0)
		index_read_free(out);
	return rc;
}

void index_read_free(struct index_read *r)
{
	json_free(r->json);
	access_free(&r->access);
	memset(r, 0, sizeof(*r));
}

void index_write_pointer(struct json_writer *w, const char *sid, struct slice request_id,
			 struct slice key)
{
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(POINTER_SCHEMA));
	json_write_kstr(w, "type", SLICE_LIT("pointer"));
	json_write_kstr(w, "session", slice_of(sid));
	json_write_kopen(w, "request");
	json_write_kstr(w, "id", request_id);
	json_write_close(w);
	json_write_kstr(w, "key", key);
	json_write_close(w);
}

int index_parse_pointer(struct slice text, const char *sid, struct buf *key, struct sa_err *err)
{
	_cleanup_json_ struct json *j = NULL;
	struct slice folder;
	int rc = json_parse(text.ptr, text.len, &j, err);

	if (rc != 0)
		return rc;
	folder = json_get_str(j, "key");
	if (!slice_is(json_get_str(j, "schema"), POINTER_SCHEMA) ||
	    !slice_is(json_get_str(j, "type"), "pointer"))
		return sa_fail(err, SA_ERR_INVALID, "not a pointer object");
	if (!slice_is(json_get_str(j, "session"), sid) ||
	    !layout_is_session_dir(folder, slice_of(sid)))
		return sa_fail(err, SA_ERR_INVALID, "a pointer that does not lead to its session");
	buf_put(key, folder);
	return key->failed ? sa_fail(err, SA_ERR_NOMEM, "out of memory") : 0;
}
