/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/escape.h"
#include "common/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever parses is printed as a file that parses and prints the same; whatever does not leaves
 * usable settings and a message fit for a terminal. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	_cleanup_buf_ struct buf one = {0}, two = {0};
	struct settings s;
	struct sa_err err;
	int rc;

	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	rc = settings_parse("f", text, &s, &err);
	settings_print(&s, &one);
	settings_free(&s);
	if (rc < 0) {
		escape_terminal(&two, slice_of(err.msg));
		if (!slice_eq(buf_slice(&two), slice_of(err.msg)))
			abort();
		return 0;
	}
	/* the whole printed file may be bigger than a file may be: help lines and long values */
	if (one.len > 65536)
		return 0;
	if (settings_parse("printed", buf_slice(&one), &s, NULL) < 0)
		abort();
	settings_print(&s, &two);
	settings_free(&s);
	if (one.failed || two.failed || !slice_eq(buf_slice(&one), buf_slice(&two)))
		abort();
	return 0;
}
