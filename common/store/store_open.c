/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <string.h>

#include "common/store/store_s3.h"

int store_open(const struct settings *s, bool create, bool (*turn)(void *ctx), void *turn_ctx,
	       struct store **out, struct sa_err *err)
{
	if (strcmp(s->store_type, "s3") == 0)
		return store_s3_open(s, turn, turn_ctx, NULL, NULL, out, err);
	return store_dir_open(s->store_dir, create, out, err);
}
