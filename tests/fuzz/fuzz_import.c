/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "cli/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted is a grant, of that request, that does not outlast the approval. */
static void check(const struct import *i, const struct import_options *o)
{
	_cleanup_buf_ struct buf text = {0}, revoked = {0};
	struct grant *g = NULL, *gone = NULL;

	buf_init(&text, GRANT_MAX_BYTES);
	buf_init(&revoked, GRANT_MAX_BYTES);
	if (import_grant(i, o, &text, NULL) < 0)
		return;
	if (i->ended || grant_parse("fuzz", buf_slice(&text), &g, NULL) < 0 || g->revoked ||
	    strcmp(g->access.request_id, i->grant.access.request_id) != 0 || g->users.len == 0 ||
	    g->expires_ms <= o->now_ms ||
	    (i->grant.expires_ms > 0 && g->expires_ms > i->grant.expires_ms))
		abort();
	if (import_check_newer(i, g, NULL) < 0 || import_revoke(i, g, &revoked, NULL) < 0 ||
	    grant_parse("fuzz", buf_slice(&revoked), &gone, NULL) < 0 || !gone->revoked)
		abort();
	grant_free(gone);
	grant_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const brokers[] = {"apono", "teleport"};
	char *users[] = {(char[]){"dba"}};
	struct import_options with = {
		.users = {users, 1}, .expires_ms = 1795230000000, .now_ms = 1795222861000};
	struct import_options without = {.now_ms = 1795222861000};

	for (size_t b = 0; b < sizeof(brokers) / sizeof(brokers[0]); b++) {
		_cleanup_import_ struct import i = {0};

		if (import_read(brokers[b], (struct slice){(const char *)data, size}, &i, NULL) < 0)
			continue;
		check(&i, &with);
		check(&i, &without);
	}
	return 0;
}
