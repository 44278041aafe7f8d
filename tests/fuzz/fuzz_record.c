/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static bool inside(struct slice part, struct slice whole)
{
	return !part.ptr || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void walk(struct slice body)
{
	struct record_fields f = record_fields(body);
	struct slice name, value, msg = record_msg(body);
	struct buf scratch;

	buf_init(&scratch, 2 * RECORD_MAX_BYTES);
	buf_reserve(&scratch, body.len + 1);
	check(inside(msg, body));
	while (record_next(&f, &name, &value)) {
		size_t before = scratch.len;
		struct slice text = record_text(value, &scratch);
		uint64_t u64;
		int64_t i64;

		check(inside(name, body) && inside(value, body) && name.len > 0);
		check(text.len <= value.len && scratch.len - before <= value.len / 2);
		if (record_u64(value, &u64) && record_i64(value, &i64))
			check((uint64_t)i64 == u64);
		record_id(value);
	}
	record_get(msg, "exe");
	buf_free(&scratch);
}

/* The first byte chooses the framing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data + 1, size - 1};
	struct record r;

	if (size == 0)
		return 0;
	if (data[0] == 'p' ? record_parse_payload(1300, text, &r) : record_parse_line(text, &r))
		return 0;
	check(inside(r.body, text) && inside(r.enriched, text) && inside(r.node, text));
	check(r.time_ms >= 0);
	walk(r.body);
	return 0;
}
