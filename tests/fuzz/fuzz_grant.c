/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/access/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct grant *g)
{
	struct match_login login = {
		.user = "dba", .service = "sshd", .host = "prod-db-1", .now_ms = 1795230000000};
	enum match_reason r = match_one(g, &login);

	if (!g->access.request_id || g->users.len + g->groups.len == 0 ||
	    g->expires_ms <= g->not_before_ms)
		abort();
	/* A login without a key or an address fits no grant that asks for one. */
	if (r == MATCH_OK && (g->revoked || g->source.len || g->key_fp.len || g->ca_fp.len ||
			      g->cert_key_id.len || g->cert_serial.len || g->groups.len))
		abort();
	if (!match_reason_text(r))
		abort();
}

/* What is accepted can be matched, and its access context written and read back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct access back = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;
	_cleanup_json_ struct json *j = NULL;
	_cleanup_buf_ struct buf text = {0};
	struct grant *g = NULL;

	buf_init(&text, 1 << 20);
	if (grant_parse("fuzz", (struct slice){(const char *)data, size}, &g, NULL) < 0)
		return 0;
	check(g);
	w = json_writer_new(&text);
	access_write(w, &g->access);
	if (json_writer_end(w) < 0 || json_parse(text.data, text.len, &j, NULL) < 0 ||
	    access_read(j, &back, NULL) < 0)
		abort();
	access_free(&back);
	grant_free(g);
	return 0;
}
