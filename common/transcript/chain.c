/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/chain.h"

void chain_add(struct chain *c, struct digest *d, struct slice line)
{
	digest_add(d, slice_of(c->head));
	digest_add(d, line);
	digest_add(d, SLICE_LIT("\n"));
	digest_final_hex(d, c->head);
}
