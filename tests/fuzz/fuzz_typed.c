/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "agent/collector/typed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct keys {
	struct slice rest; /* not yet given back as raw */
	bool ended;
};

static void check_text(struct slice text, unsigned char least)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < least && c != '\t' && c != '\n')
			abort();
	}
}

/* Every key comes back, in order; only the last line may be incomplete. */
static void see(void *ctx, const struct typed_line *line)
{
	struct keys *k = ctx;

	if (k->ended || line->raw.ptr != k->rest.ptr || line->raw.len > k->rest.len ||
	    line->raw.len == 0)
		abort();
	k->rest = (struct slice){k->rest.ptr + line->raw.len, k->rest.len - line->raw.len};
	k->ended = !line->complete;
	check_text(line->text, 0x20);
	check_text(line->shape, 1);
	if (line->shape.len > line->text.len ||
	    line->marked != (memchr(line->shape.ptr, 1, line->shape.len) != NULL))
		abort();
	if (!line->marked && !slice_eq(line->shape, line->text))
		abort();
}

/* The first byte chooses the editor. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct typed *t;
	struct keys k;

	if (size == 0 || (!t && !(t = typed_new())))
		return 0;
	k = (struct keys){{(const char *)data + 1, size - 1}, false};
	typed_looks_vi(k.rest);
	typed_editor_of(k.rest, k.rest);
	typed_lines(t, (enum typed_editor)(data[0] % (TYPED_KEYS + 1)), k.rest, see, &k);
	if (k.rest.len)
		abort();
	return 0;
}
