/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "agent/collector/join.h"
#include "agent/collector/typed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct keys {
	struct slice rest; /* not yet given back as raw */
	bool ended;
};

/* Every key comes back, in order; only the last line may be incomplete. */
static void see(void *ctx, const struct typed_line *line)
{
	struct keys *k = ctx;
	uint32_t hashes[JOIN_MAX_NAMES];
	bool loops;

	if (k->ended || line->raw.ptr != k->rest.ptr || line->raw.len > k->rest.len ||
	    line->raw.len == 0)
		abort();
	k->rest = (struct slice){k->rest.ptr + line->raw.len, k->rest.len - line->raw.len};
	k->ended = !line->complete;
	if (join_commands(line->text, hashes, JOIN_MAX_NAMES, &loops) > JOIN_MAX_NAMES)
		abort();
	for (size_t i = 0; i < line->text.len; i++)
		if ((unsigned char)line->text.ptr[i] < 0x20)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct typed *t;
	struct keys k = {{(const char *)data, size}, false};

	if (!t && !(t = typed_new()))
		return 0;
	typed_lines(t, k.rest, see, &k);
	if (k.rest.len)
		abort();
	return 0;
}
