/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/transcript/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SID "0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	_cleanup_buf_ struct buf key = {0};
	struct index_read r;

	if (index_parse(text, &r, NULL) == 0)
		index_read_free(&r);
	buf_init(&key, LAYOUT_KEY_MAX);
	if (index_parse_pointer(text, SID, &key, NULL) == 0 &&
	    !layout_is_session_dir(buf_slice(&key), SLICE_LIT(SID)))
		abort();
	/* Any text is a template or none; what it makes is a folder. */
	buf_clear(&key);
	buf_put(&key, text);
	if (!key.failed && layout_prefix_check(buf_cstr(&key), NULL) == 0) {
		_cleanup_buf_ struct buf dir = {0};
		struct layout_facts f = {
			.user = text, .host = text, .request_id = text, .sid = SID};

		buf_init(&dir, LAYOUT_KEY_MAX);
		layout_session_dir(&dir, buf_cstr(&key), &f);
		if (!layout_is_session_dir(buf_slice(&dir), SLICE_LIT(SID)))
			abort();
	}
	return 0;
}
