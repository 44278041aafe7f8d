/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/transcript/entry.h"
#include "common/transcript/segment.h"

/* A segment, packed or plain, as a reader of the store meets it. What parses as an entry must be
 * writable again, and parse again. */

#define UNPACK_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rewriter {
	struct buf line;
	struct json_writer *w;
};

static int rewrite_entry(void *ctx, struct slice line)
{
	struct rewriter *r = ctx;
	struct entry_read first, again;

	if (entry_parse(line, &first, NULL) != 0)
		return 0;
	buf_clear(&r->line);
	json_writer_reset(r->w);
	entry_write(r->w, &first.e);
	if (json_writer_end(r->w) != 0 || entry_parse(buf_slice(&r->line), &again, NULL) != 0)
		abort();
	if (again.e.seq != first.e.seq || again.e.argc != first.e.argc ||
	    !slice_eq(again.e.raw, first.e.raw) || !slice_eq(again.e.object, first.e.object))
		abort();
	entry_read_free(&again);
	entry_read_free(&first);
	return 0;
}

static void read_header(const struct json *header)
{
	struct access access;
	struct segment_session s;

	if (segment_session_read(header, &s, &access, NULL) == 0)
		access_free(&access);
}

static void read_plain(struct slice plain, struct rewriter *r)
{
	struct chain c = {.head = ""};
	struct segment_info info;
	struct json *header = NULL;

	if (segment_read(plain, &c, rewrite_entry, r, &header, &info, NULL) != 0)
		return;
	if (info.chain_ok != (info.problem[0] == '\0'))
		abort();
	read_header(header);
	json_free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = {(const char *)data, size};
	struct rewriter r;
	struct buf plain;

	buf_init(&plain, UNPACK_MAX);
	buf_init(&r.line, 16 << 20);
	r.w = json_writer_new(&r.line);
	if (segment_uncompress(input, &plain, NULL) == 0)
		read_plain(buf_slice(&plain), &r);
	else
		read_plain(input, &r);
	json_writer_free(r.w);
	buf_free(&r.line);
	buf_free(&plain);
	return 0;
}
