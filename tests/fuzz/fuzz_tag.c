/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/access/tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted comes out the same when it is sent on: encode(decode(encode(decode(x)))) ==
 * encode(decode(x)). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf first = {0}, second = {0};
	struct tag t = {0}, again = {0};

	buf_init(&first, 1 << 16);
	buf_init(&second, 1 << 16);
	if (tag_decode((struct slice){(const char *)data, size}, &t) < 0)
		return 0;
	if (tag_encode(&t, &first) < 0 || first.len > TAG_MAX_BYTES)
		abort();
	if (tag_decode(buf_slice(&first), &again) < 0 || tag_encode(&again, &second) < 0)
		abort();
	if (!slice_eq(buf_slice(&first), buf_slice(&second)))
		abort();
	tag_free(&t);
	tag_free(&again);
	return 0;
}
