/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "common/transcript/segment.h"

struct reader {
	struct slice rest; /* not read yet */
	size_t line_number;
	struct chain *chain;
	struct digest *digest;
	struct segment_info *info;
	uint64_t next_seq;
	bool footer; /* was seen */
};

/* The first thing that does not fit is what the reader is told. */
static void problem(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void problem(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->info->chain_ok)
		return;
	r->info->chain_ok = false;
	va_start(ap, fmt);
	vsnprintf(r->info->problem, sizeof(r->info->problem), fmt, ap);
	va_end(ap);
}

/* The next line without its LF; false at the end, and for a last line that lacks the LF. */
static bool next_line(struct reader *r, struct slice *line)
{
	const char *lf = r->rest.len > 0 ? memchr(r->rest.ptr, '\n', r->rest.len) : NULL;

	if (!lf)
		return false;
	*line = (struct slice){r->rest.ptr, (size_t)(lf - r->rest.ptr)};
	r->rest.ptr += line->len + 1;
	r->rest.len -= line->len + 1;
	r->line_number++;
	return true;
}

static bool is_head(struct slice s)
{
	return s.ptr && s.len == DIGEST_HEX_SIZE - 1 &&
	       layout_is_session_id((struct slice){s.ptr, s.len / 2}) &&
	       layout_is_session_id((struct slice){s.ptr + s.len / 2, s.len / 2});
}

static bool number_is(const struct json *object, const char *key, uint64_t want)
{
	int64_t n;

	return json_int(json_get(object, key), &n) == 0 && n >= 0 && (uint64_t)n == want;
}

static int read_header(struct reader *r, const struct json *h, struct sa_err *err)
{
	struct slice schema = json_get_str(h, "schema"), sid = json_get_str(h, "session");
	struct slice prev = json_get_str(h, "prev_head");
	int64_t number, first;

	if (!slice_is(schema, SEGMENT_SCHEMA))
		return sa_fail(err,
			       slice_starts(schema, "sessaudit.segment/") ? SA_ERR_UNSUPPORTED
									  : SA_ERR_INVALID,
			       "not a segment of schema " SEGMENT_SCHEMA);
	if (!slice_is(json_get_str(h, "type"), "segment_header") || !layout_is_session_id(sid) ||
	    json_int(json_get(h, "segment"), &number) != 0 || number < 0 || number > UINT32_MAX ||
	    json_int(json_get(h, "first_seq"), &first) != 0 || first < 1 || !prev.ptr ||
	    (prev.len > 0 && !is_head(prev)))
		return sa_fail(err, SA_ERR_INVALID, "broken segment header");
	memcpy(r->info->sid, sid.ptr, sid.len);
	r->info->number = (uint32_t)number;
	r->info->first_seq = r->next_seq = (uint64_t)first;
	if (!slice_is(prev, r->chain->head)) {
		problem(r, "prev_head is not the head of the segment before");
		memcpy(r->chain->head, prev.ptr, prev.len);
		r->chain->head[prev.len] = '\0';
	}
	if ((number == 0) != (prev.len == 0))
		problem(r, "prev_head does not go with segment number %lld", (long long)number);
	return 0;
}

static void read_footer(struct reader *r, const struct json *f)
{
	const struct segment_info *i = r->info;

	r->footer = true;
	if (!slice_is(json_get_str(f, "head"), r->chain->head))
		problem(r, "head in the footer is not the hash of the lines");
	if (!number_is(f, "segment", i->number) || !number_is(f, "first_seq", i->first_seq) ||
	    !number_is(f, "last_seq", r->next_seq - 1) || !number_is(f, "entries", i->entries))
		problem(r, "numbers in the footer do not fit the entries");
}

/* Checks one line after the header; true when it is an entry to hand on. */
static bool read_line(struct reader *r, const struct json *j)
{
	int64_t seq;

	if (r->footer)
		problem(r, "line %zu: after the footer", r->line_number);
	if (slice_is(json_get_str(j, "type"), "segment_footer")) {
		read_footer(r, j);
		return false;
	}
	if (!json_get_str(j, "type").ptr || json_int(json_get(j, "seq"), &seq) != 0 || seq < 1) {
		problem(r, "line %zu: not an entry", r->line_number);
		return false;
	}
	if ((uint64_t)seq != r->next_seq)
		problem(r, "line %zu: entry %lld where %llu is due", r->line_number, (long long)seq,
			(unsigned long long)r->next_seq);
	r->next_seq = (uint64_t)seq + 1;
	r->info->entries++;
	return true;
}

static int read_lines(struct reader *r, segment_entry_fn fn, void *ctx)
{
	struct slice line;

	while (next_line(r, &line)) {
		_cleanup_json_ struct json *j = NULL;
		int rc = json_parse(line.ptr, line.len, &j, NULL);

		if (rc == SA_ERR_NOMEM)
			return rc;
		if (read_line(r, j) && fn && (rc = fn(ctx, line)) != 0)
			return rc;
		chain_add(r->chain, r->digest, line);
	}
	if (r->rest.len > 0)
		problem(r, "line %zu: cut off", r->line_number + 1);
	if (!r->footer)
		problem(r, "no footer");
	r->info->last_seq = r->next_seq - 1;
	return 0;
}

int segment_read(struct slice plain, struct chain *c, segment_entry_fn fn, void *ctx,
		 struct json **header, struct segment_info *info, struct sa_err *err)
{
	_cleanup_digest_ struct digest *digest = digest_new();
	_cleanup_json_ struct json *h = NULL;
	struct reader r = {.rest = plain, .chain = c, .digest = digest, .info = info};
	struct slice line;
	int rc;

	if (!digest)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	memset(info, 0, sizeof(*info));
	info->chain_ok = true;
	if (!next_line(&r, &line))
		return sa_fail(err, SA_ERR_INVALID, "not a segment: no header line");
	if ((rc = json_parse(line.ptr, line.len, &h, err)) != 0)
		return sa_wrap(err, rc, "segment header");
	if ((rc = read_header(&r, h, err)) != 0)
		return rc;
	chain_add(c, digest, line);
	if ((rc = read_lines(&r, fn, ctx)) != 0)
		return rc;
	if (header)
		*header = TAKE_PTR(h);
	return 0;
}
