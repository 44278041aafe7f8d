/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <string.h>

#include "common/access/match.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

#define NOW 1795230000000 /* 2026-11-21T03:00:00Z */

static const struct match_login dba = {.user = "dba",
				       .service = "sshd",
				       .host = "prod-db-1.example.com",
				       .source = "10.1.2.3",
				       .now_ms = NOW};

/* A grant of request id for user dba until five, with more members in front of match's end. */
static struct grant *make(const char *id, const char *root_more, const char *match_more)
{
	_cleanup_buf_ struct buf b = {0};
	struct grant *g = NULL;
	struct sa_err err = {0};

	buf_init(&b, 4096);
	buf_printf(&b,
		   "{\"schema\":\"sessaudit.grant/1\",\"request\":{\"id\":\"%s\"},"
		   "\"expires_at\":\"2026-11-21T05:00:00Z\"%s,"
		   "\"match\":{\"users\":[\"ops\",\"dba\"]%s}}",
		   id, root_more, match_more);
	if (grant_parse("g", buf_slice(&b), &g, &err) < 0)
		tap_ok(false, "grant of the case: %s", err.msg);
	return g;
}

struct one {
	const char *name, *root_more, *match_more;
	const char *user, *service, *host;
	int64_t now_ms;
	enum match_reason want;
};

static const struct one ones[] = {
	{"user fits", "", "", NULL, NULL, NULL, 0, MATCH_OK},
	{"other user", "", "", "eve", NULL, NULL, 0, MATCH_USER},
	{"case of the user counts", "", "", "DBA", NULL, NULL, 0, MATCH_USER},
	{"user is a prefix", "", "", "db", NULL, NULL, 0, MATCH_USER},
	{"no user", "", "", "", NULL, NULL, 0, MATCH_USER},
	{"full host", ",\"hosts\":[\"prod-db-1.example.com\"]", "", NULL, NULL, NULL, 0, MATCH_OK},
	{"short host", ",\"hosts\":[\"other\",\"prod-db-1\"]", "", NULL, NULL, NULL, 0, MATCH_OK},
	{"case of the host does not count", ",\"hosts\":[\"PROD-DB-1\"]", "", NULL, NULL, NULL, 0,
	 MATCH_OK},
	{"every host", ",\"hosts\":[\"*\"]", "", NULL, NULL, NULL, 0, MATCH_OK},
	{"other host", ",\"hosts\":[\"prod-db-2\"]", "", NULL, NULL, NULL, 0, MATCH_HOST},
	{"host is a prefix", ",\"hosts\":[\"prod-db\"]", "", NULL, NULL, NULL, 0, MATCH_HOST},
	{"host is longer", ",\"hosts\":[\"prod-db-10\"]", "", NULL, NULL, NULL, 0, MATCH_HOST},
	{"same name in another domain", ",\"hosts\":[\"prod-db-1.example.org\"]", "", NULL, NULL,
	 NULL, 0, MATCH_HOST},
	{"full name wanted, short name known", ",\"hosts\":[\"prod-db-1.example.com\"]", "", NULL,
	 NULL, "prod-db-1", 0, MATCH_HOST},
	{"no pattern but *", ",\"hosts\":[\"prod-*\"]", "", NULL, NULL, NULL, 0, MATCH_HOST},
	{"service fits", "", ",\"services\":[\"login\",\"sshd\"]", NULL, NULL, NULL, 0, MATCH_OK},
	{"other service", "", ",\"services\":[\"login\"]", NULL, NULL, NULL, 0, MATCH_SERVICE},
	{"revoked", ",\"revoked\":true", "", NULL, NULL, NULL, 0, MATCH_REVOKED},
	{"last millisecond", "", "", NULL, NULL, NULL, 1795237199999, MATCH_OK},
	{"at expires_at", "", "", NULL, NULL, NULL, 1795237200000, MATCH_EXPIRED},
	{"at not_before", ",\"not_before\":\"2026-11-21T03:00:00Z\"", "", NULL, NULL, NULL, NOW,
	 MATCH_OK},
	{"before not_before", ",\"not_before\":\"2026-11-21T03:00:00Z\"", "", NULL, NULL, NULL,
	 NOW - 1, MATCH_NOT_YET},
	{"a source", "", ",\"source\":[\"10.0.0.0/8\"]", NULL, NULL, NULL, 0, MATCH_CRITERION},
	{"a key", "", ",\"key_fp\":[\"SHA256:x\"]", NULL, NULL, NULL, 0, MATCH_CRITERION},
	{"a CA", "", ",\"ca_fp\":[\"SHA256:x\"]", NULL, NULL, NULL, 0, MATCH_CRITERION},
	{"a key id", "", ",\"cert_key_id\":[\"*\"]", NULL, NULL, NULL, 0, MATCH_CRITERION},
	{"a serial", "", ",\"cert_serial\":[\"1\"]", NULL, NULL, NULL, 0, MATCH_CRITERION},
	{"a key, but expired", "", ",\"key_fp\":[\"SHA256:x\"]", NULL, NULL, NULL, 1795237200000,
	 MATCH_EXPIRED},
};

static void check_one(const struct one *c)
{
	struct grant *g = make("R1", c->root_more, c->match_more);
	struct match_login l = dba;

	l.user = c->user ? c->user : l.user;
	l.service = c->service ? c->service : l.service;
	l.host = c->host ? c->host : l.host;
	l.now_ms = c->now_ms ? c->now_ms : l.now_ms;
	tap_str(match_reason_text(match_one(g, &l)), match_reason_text(c->want), "%s", c->name);
	grant_free(g);
}

struct all {
	const char *name;
	const char *ids[4]; /* requests whose grants fit; "!X" is one that does not */
	enum access_status status;
	const char *request_id;
	size_t candidates;
};

static const struct all alls[] = {
	{"no grants", {NULL}, ACCESS_UNAPPROVED, NULL, 0},
	{"none fits", {"!A", "!B"}, ACCESS_UNAPPROVED, NULL, 0},
	{"one fits", {"A"}, ACCESS_APPROVED, "A", 0},
	{"one of several fits", {"!A", "B", "!C"}, ACCESS_APPROVED, "B", 0},
	{"two grants of one request", {"A", "A"}, ACCESS_APPROVED, "A", 0},
	{"two requests", {"A", "B"}, ACCESS_AMBIGUOUS, NULL, 2},
	{"two requests, three grants", {"A", "B", "A"}, ACCESS_AMBIGUOUS, NULL, 2},
};

static void check_all(const struct all *c)
{
	_cleanup_access_ struct access out = {.status = ACCESS_APPROVED};
	struct grant *items[4];
	struct grants grants = {.items = items};

	for (; grants.len < 4 && c->ids[grants.len]; grants.len++) {
		const char *id = c->ids[grants.len];

		items[grants.len] =
			*id == '!' ? make(id, ",\"revoked\":true", "") : make(id, "", "");
	}
	tap_int(match_login(&grants, &dba, &out), 0, "%s: no error", c->name);
	tap_str(access_status_name(out.status), access_status_name(c->status), "%s: status",
		c->name);
	tap_str(access_source_name(out.source), c->status == ACCESS_UNAPPROVED ? "none" : "user",
		"%s: source", c->name);
	tap_str(out.request_id, c->request_id, "%s: request", c->name);
	tap_int((long long)out.n_candidates, (long long)c->candidates, "%s: candidates", c->name);
	if (c->candidates == 2)
		tap_ok(strcmp(out.candidates[0], "A") == 0 && strcmp(out.candidates[1], "B") == 0,
		       "%s: in order", c->name);
	for (size_t i = 0; i < grants.len; i++)
		grant_free(items[i]);
}

/* More requests than the list holds are still a tie. */
static void check_crowd(void)
{
	_cleanup_access_ struct access out = {0};
	struct grant *items[ACCESS_MAX_CANDIDATES + 3];
	struct grants grants = {.items = items};
	char id[8] = "A";

	for (; grants.len < ACCESS_MAX_CANDIDATES + 3; grants.len++, id[0]++)
		items[grants.len] = make(id, "", "");
	tap_int(match_login(&grants, &dba, &out), 0, "a crowd: no error");
	tap_int(out.status, ACCESS_AMBIGUOUS, "a crowd: ambiguous");
	tap_int((long long)out.n_candidates, ACCESS_MAX_CANDIDATES, "a crowd: as many as fit");
	for (size_t i = 0; i < grants.len; i++)
		grant_free(items[i]);
}

/* Whichever allocation fails: unapproved. */
static void check_no_memory(void)
{
	struct grant *items[] = {make("A", ",\"broker\":\"b\"", ""), make("A", "", "")};
	struct grants grants = {items, 2};
	struct access out;
	unsigned long n = 0;
	int rc;

	do {
		alloc_fail_at(++n);
		rc = match_login(&grants, &dba, &out);
		if (alloc_failed() && (rc != SA_ERR_NOMEM || out.status != ACCESS_UNAPPROVED))
			tap_ok(false, "allocation %lu fails: code %d", n, rc);
		access_free(&out);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_ok(n > 4, "%lu allocations failed in turn", n - 1);
	grant_free(items[0]);
	grant_free(items[1]);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(ones) / sizeof(ones[0]); i++)
		check_one(&ones[i]);
	for (size_t i = 0; i < sizeof(alls) / sizeof(alls[0]); i++)
		check_all(&alls[i]);
	check_crowd();
	check_no_memory();
	return tap_done();
}
