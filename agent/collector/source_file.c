/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/source_file.h"

#include <stdlib.h>
#include <string.h>

#include "agent/collector/source_bytes.h"
#include "common/cleanup.h"
#include "common/log.h"

#define BLOCK (4 * RECORD_MAX_BYTES)

struct reader {
	const char *path;
	source_fn fn;
	void *ctx;
	struct source_stats *stats;
	uint64_t line;
	bool skipping; /* inside a line that is too long */
};

static void count_bad(struct reader *r, uint64_t *counter, const char *what)
{
	if ((*counter)++ == 0)
		log_warn("event=%s_record file=%s line=%llu action=\"skipped and counted\"", what,
			 r->path, (unsigned long long)r->line);
}

static void take_line(struct reader *r, struct slice line)
{
	struct record rec;
	int rc;

	r->line++;
	if (r->skipping) {
		r->skipping = false;
		return;
	}
	rc = record_parse_line(line, &rec);
	if (rc == 0) {
		r->stats->records++;
		r->fn(r->ctx, &rec);
	} else if (rc == SA_ERR_TOOBIG) {
		count_bad(r, &r->stats->oversized, "oversized");
	} else if (rc != SA_ERR_NOTFOUND) {
		count_bad(r, &r->stats->malformed, "malformed");
	}
}

/* Gives on the whole lines of buf[0, len) and returns how many bytes they took. */
static size_t take_lines(struct reader *r, const char *buf, size_t len)
{
	const char *p = buf, *end = buf + len, *eol;

	while ((eol = memchr(p, '\n', (size_t)(end - p)))) {
		take_line(r, (struct slice){p, (size_t)(eol - p)});
		p = eol + 1;
	}
	return (size_t)(p - buf);
}

static int read_all(struct reader *r, struct source_bytes *in, char *buf, struct sa_err *err)
{
	size_t have = 0, got = 0;
	int rc;

	while ((rc = source_bytes_read(in, buf + have, BLOCK - have, &got, err)) == 0 && got > 0) {
		size_t used;

		have += got;
		used = take_lines(r, buf, have);
		memmove(buf, buf + used, have - used);
		have -= used;
		if (have == BLOCK) {
			if (!r->skipping)
				count_bad(r, &r->stats->oversized, "oversized");
			r->skipping = true;
			have = 0;
		}
	}
	/* where the data are cut, so is the line, even if it looks whole */
	if (rc == 0 && have)
		take_line(r, (struct slice){buf, have});
	return rc;
}

int source_file_read(const char *path, source_fn fn, void *ctx, struct source_stats *stats,
		     struct sa_err *err)
{
	_cleanup_free_ char *buf = malloc(BLOCK);
	struct reader r = {.path = path, .fn = fn, .ctx = ctx, .stats = stats};
	struct source_bytes *in;
	int rc;

	if (!buf)
		return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", path);
	rc = source_bytes_open(path, &in, err);
	if (rc)
		return sa_wrap(err, rc, "%s", path);
	rc = read_all(&r, in, buf, err);
	source_bytes_close(in);
	return rc ? sa_wrap(err, rc, "%s: after line %llu", path, (unsigned long long)r.line) : 0;
}
