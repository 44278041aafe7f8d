/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/segment.h"

#include <zlib.h>

#include "common/clock.h"
#include "common/transcript/entry.h"

#define GZIP_WINDOW (15 + 16) /* zlib.h: 16 asks for gzip framing */
#define CHUNK 32768

static struct slice session_request(const struct segment_session *s)
{
	const struct access *a = s->access;

	if (s->request.ptr || !a)
		return s->request;
	if (a->request_id && a->request_id[0])
		return slice_of(a->request_id);
	return a->n_candidates > 0 ? slice_of(a->candidates[0]) : SLICE_NONE;
}

void segment_session_dir(struct buf *out, const struct segment_session *s)
{
	struct layout_facts facts = {
		.request_id = session_request(s),
		.host = s->host,
		.user = s->user,
		.start_ms = s->start_ms,
		.sid = s->sid,
	};

	layout_session_dir(out, s->prefix ? s->prefix : LAYOUT_DEFAULT_PREFIX, &facts);
}

static void write_host(struct json_writer *w, const struct segment_session *s)
{
	json_write_kopen(w, "host");
	entry_write_text(w, "name", s->host);
	entry_write_text(w, "id", s->machine_id);
	if (s->boot_id.ptr) {
		json_write_kopen(w, "boot");
		entry_write_text(w, "id", s->boot_id);
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_session(struct json_writer *w, const struct segment_session *s)
{
	char start[CLOCK_TEXT_SIZE];

	clock_format_utc(s->start_ms, start);
	write_host(w, s);
	json_write_kint(w, "ses", s->ses);
	json_write_kopen(w, "user");
	entry_write_text(w, "name", s->user);
	entry_write_id(w, "audit", s->auid);
	json_write_close(w);
	entry_write_origin(w, s->origin);
	if (s->service.ptr) {
		json_write_kopen(w, "service");
		entry_write_text(w, "name", s->service);
		json_write_close(w);
	}
	entry_write_text(w, "terminal", s->terminal);
	json_write_kstr(w, "start", slice_of(start));
	entry_write_text(w, "capture", s->capture);
	if (s->access) {
		json_write_key(w, "access");
		access_write(w, s->access);
	}
}

void segment_write_header(struct json_writer *w, const struct segment_session *s,
			  const struct segment_mark *m)
{
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(SEGMENT_SCHEMA));
	json_write_kstr(w, "type", SLICE_LIT("segment_header"));
	json_write_kstr(w, "session", slice_of(s->sid));
	json_write_kint(w, "segment", m->number);
	json_write_kint(w, "first_seq", (int64_t)m->first_seq);
	json_write_kstr(w, "prev_head", slice_of(m->prev_head));
	write_session(w, s);
	json_write_close(w);
}

void segment_write_footer(struct json_writer *w, const struct segment_mark *m, uint64_t entries,
			  uint64_t last_seq, const char *head)
{
	json_write_open(w);
	json_write_kstr(w, "type", SLICE_LIT("segment_footer"));
	json_write_kint(w, "segment", m->number);
	json_write_kint(w, "first_seq", (int64_t)m->first_seq);
	json_write_kint(w, "last_seq", (int64_t)last_seq);
	json_write_kint(w, "entries", (int64_t)entries);
	json_write_kstr(w, "head", slice_of(head));
	json_write_close(w);
}

static int read_u32(const struct json *v, uint32_t *out)
{
	int64_t n;

	if (json_int(v, &n) != 0 || n < 0 || n > UINT32_MAX)
		return SA_ERR_INVALID;
	*out = (uint32_t)n;
	return 0;
}

int segment_session_read(const struct json *header, struct segment_session *out,
			 struct access *access, struct sa_err *err)
{
	const struct json *host = json_get(header, "host"), *a = json_get(header, "access");
	struct slice sid = json_get_str(header, "session");
	struct segment_session s = {
		.host = json_get_str(host, "name"),
		.machine_id = json_get_str(host, "id"),
		.auid = ENTRY_ID_UNSET,
		.boot_id = json_get_str(json_get(host, "boot"), "id"),
		.user = json_get_str(json_get(header, "user"), "name"),
		.origin = json_get_str(header, "origin"),
		.service = json_get_str(json_get(header, "service"), "name"),
		.terminal = json_get_str(header, "terminal"),
		.capture = json_get_str(header, "capture"),
	};
	int rc;

	if (!layout_is_session_id(sid) || read_u32(json_get(header, "ses"), &s.ses) ||
	    entry_read_id(json_get(json_get(header, "user"), "audit"), &s.auid) ||
	    clock_parse_utc(json_get_str(header, "start"), &s.start_ms))
		return sa_fail(err, SA_ERR_INVALID, "broken segment header");
	memcpy(s.sid, sid.ptr, LAYOUT_SID_SIZE - 1);
	memset(access, 0, sizeof(*access));
	if (a) {
		if ((rc = access_read(a, access, err)) != 0)
			return rc;
		s.access = access;
	}
	*out = s;
	return 0;
}

int segment_press(struct press *p, struct slice plain, struct buf *out, struct sa_err *err)
{
	if (plain.len > SEGMENT_MAX_BYTES)
		return sa_fail(err, SA_ERR_TOOBIG, "segment over %d bytes", SEGMENT_MAX_BYTES);
	return press_gzip(p, plain, out, err);
}

int segment_compress(struct slice plain, struct buf *out, struct sa_err *err)
{
	struct press *p = press_new();
	int rc = p ? segment_press(p, plain, out, err)
		   : sa_fail(err, SA_ERR_NOMEM, "deflate: out of memory");

	press_free(p);
	return rc;
}

static int inflate_all(z_stream *z, struct buf *out, struct sa_err *err)
{
	char chunk[CHUNK];
	int rc;

	do {
		size_t n;

		z->next_out = (unsigned char *)chunk;
		z->avail_out = sizeof(chunk);
		rc = inflate(z, Z_NO_FLUSH);
		if (rc == Z_MEM_ERROR)
			return sa_fail(err, SA_ERR_NOMEM, "inflate: out of memory");
		if (rc != Z_OK && rc != Z_STREAM_END)
			return sa_fail(err, SA_ERR_INVALID, "not a whole gzip file");
		n = sizeof(chunk) - z->avail_out;
		if (z->total_out > SEGMENT_MAX_BYTES || n > out->max - out->len)
			return sa_fail(err, SA_ERR_TOOBIG, "segment unpacks to more than %d bytes",
				       SEGMENT_MAX_BYTES);
		buf_append(out, chunk, n);
		if (out->failed)
			return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	} while (rc != Z_STREAM_END);
	return z->avail_in == 0 ? 0 : sa_fail(err, SA_ERR_INVALID, "bytes after the gzip data");
}

int segment_uncompress(struct slice gz, struct buf *out, struct sa_err *err)
{
	size_t before = out->len;
	z_stream z = {0};
	int rc;

	if (gz.len > SEGMENT_MAX_BYTES)
		return sa_fail(err, SA_ERR_TOOBIG, "segment over %d bytes", SEGMENT_MAX_BYTES);
	z.next_in = (unsigned char *)(uintptr_t)gz.ptr;
	z.avail_in = (uInt)gz.len;
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return sa_fail(err, SA_ERR_NOMEM, "inflate: out of memory");
	rc = inflate_all(&z, out, err);
	inflateEnd(&z);
	if (rc != 0)
		out->len = before;
	return rc;
}
