/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index_read r;

	if (index_parse((struct slice){(const char *)data, size}, &r, NULL) == 0)
		index_read_free(&r);
	return 0;
}
