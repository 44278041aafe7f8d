/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/access/signed.h"
#include "tests/unit/broker_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct signers signers;

/* Nothing but what was signed comes out of an envelope. */
static void check_envelope(struct slice text)
{
	_cleanup_buf_ struct buf grant = {0}, envelope = {0}, again = {0};
	struct grant *g = NULL;

	buf_init(&grant, 1 << 20);
	buf_init(&envelope, 1 << 20);
	buf_init(&again, 1 << 20);
	if (signed_open("fuzz", text, &signers, &grant, NULL) < 0) {
		if (grant.len > 0)
			abort();
	} else {
		if (!signed_is(text))
			abort();
		broker_key_sign(1, buf_slice(&grant), &envelope);
		if (signed_open("fuzz", buf_slice(&envelope), &signers, &again, NULL) < 0 ||
		    !slice_eq(buf_slice(&grant), buf_slice(&again)))
			abort();
	}
	if (signed_grant("fuzz", text, &signers, &g, NULL) == 0 &&
	    (!g->access.grant_id || g->issued_ms == 0 || g->hosts.len == 0))
		abort();
	grant_free(g);
}

/* The input as an envelope; and, where it is a grant, inside one (signing is slow). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	_cleanup_buf_ struct buf envelope = {0};
	struct grant *g = NULL;

	if (signers.len == 0)
		broker_key_signers(1, &signers);
	check_envelope(text);
	if (grant_parse("fuzz", text, &g, NULL) == 0) {
		buf_init(&envelope, 1 << 20);
		broker_key_sign(1, text, &envelope);
		check_envelope(buf_slice(&envelope));
		grant_free(g);
	}
	return 0;
}
