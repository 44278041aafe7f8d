/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "agent/grantd/keeper.h"
#include "tests/unit/broker_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1795230000000 /* 2026-11-21T03:00:00Z */

static void insist(int ok)
{
	if (!ok)
		abort();
}

/* Seeds are signed by key 1; what the fuzzer makes of them is not. No directory is open, so that
 * what would be kept fails there. */
static void apply(struct slice body)
{
	struct keeper k = {.host = "prod-db-1", .shelf_fd = -1};
	struct keeper_counts counts = {0};
	struct signers signers = {0};
	struct answer a = {0};
	struct sa_err err = {0};
	uint64_t sum = 0;

	if (answer_parse(body, &a, &err) != 0) {
		insist(err.code == SA_ERR_INVALID || err.code == SA_ERR_TOOBIG);
		return;
	}
	broker_key_signers(1, &signers);
	k.signers = &signers;
	insist(a.len <= ANSWER_MAX_GRANTS);
	(void)keeper_apply(&k, &a, NOW, &counts, &err);
	for (int v = 0; v < VERDICTS; v++)
		sum += counts.verdicts[v];
	insist(sum == a.len);
	insist(k.seen.len <= counts.verdicts[VERDICT_KEEP] + counts.verdicts[VERDICT_REVOKED]);
	insist(keeper_on_shelf(&k) == 0);
	keeper_free(&k);
	signers_free(&signers);
	answer_free(&a);
}

/* The bytes as a grant whose signature was right: it may say what it likes. */
static void judge_grant(struct slice text)
{
	static const struct seen_grant known = {.issued_ms = NOW - 1000, .revoked = true};
	struct grant *g = NULL;

	if (grant_parse("g", text, &g, NULL) != 0)
		return;
	for (int i = 0; i < 2; i++) {
		enum verdict v = judge(g, i ? &known : NULL, "prod-db-1", NOW);

		insist(v < VERDICTS && v != VERDICT_UNSIGNED);
		insist(v != VERDICT_KEEP || (g->expires_ms > NOW && g->hosts.len > 0 &&
					     g->expires_ms <= NOW + JUDGE_MAX_MS && !g->revoked));
		insist(i == 0 || v != VERDICT_KEEP || g->issued_ms > known.issued_ms);
	}
	grant_free(g);
}

static void remember(struct slice text)
{
	struct seen s = {0};

	(void)seen_parse(&s, text, NOW, NULL);
	for (size_t i = 1; i < s.len; i++)
		insist(strcmp(s.items[i - 1].id, s.items[i].id) < 0);
	seen_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};

	apply(text);
	judge_grant(text);
	remember(text);
	return 0;
}
