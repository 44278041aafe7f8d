/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/grantd/keeper.h"
#include "agent/grantd/report.h"
#include "agent/grantd/shelf.h"
#include "agent/grantd/token.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/broker_key.h"
#include "tests/unit/tap.h"

#define NOW 1795230000000 /* 2026-11-21T03:00:00Z */
#define DAY (24 * 3600 * 1000LL)
#define HOST "prod-db-1.example.com"

static char dir[] = "/tmp/test_grantd-XXXXXX";
static int dir_fd = -1;

enum { KEY = 1, OTHER_KEY = 2 }; /* numbers of broker_key.h */

/* ---- judge ---- */

static void test_judge(void)
{
	static char short_name[] = "PROD-DB-1", full_name[] = HOST, star[] = "*";
	static char part[] = "prod-db", other[] = "prod-db-2", id[] = "g";
	static const struct seen_grant older = {.issued_ms = NOW - 2000},
				       same = {.issued_ms = NOW - 1000},
				       newer = {.issued_ms = NOW - 500},
				       dead = {.issued_ms = NOW - 1000, .revoked = true};
	static const struct {
		const char *name, *host;
		int64_t issued, expires;
		bool revoked;
		const struct seen_grant *known;
		const char *want;
	} cases[] = {
		{"the short name", short_name, -1000, 1000, false, NULL, "kept"},
		{"the whole name", full_name, -1000, 1000, false, NULL, "kept"},
		{"another host", other, -1000, 1000, false, NULL, "other_host"},
		{"part of the name", part, -1000, 1000, false, NULL, "other_host"},
		{"every host", star, -1000, 1000, false, NULL, "other_host"},
		{"expires just now", full_name, -1000, 0, false, NULL, "expired"},
		{"400 days", full_name, -1000, 400 * DAY, false, NULL, "kept"},
		{"longer", full_name, -1000, 400 * DAY + 1, false, NULL, "too_long"},
		{"a clock 5 min ahead", full_name, 300000, 600000, false, NULL, "kept"},
		{"further ahead", full_name, 300001, 600000, false, NULL, "future"},
		{"never issued", full_name, -NOW, 1000, false, NULL, "broken"},
		{"a newer version", full_name, -1000, 1000, false, &older, "kept"},
		{"the same version", full_name, -1000, 1000, false, &same, "kept"},
		{"an older version", full_name, -1000, 1000, false, &newer, "older"},
		{"revoked", full_name, -1000, 1000, true, &same, "revoked"},
		{"revoked and expired", full_name, -1000, -500, true, NULL, "revoked"},
		{"revoked, for another host", other, -1000, 1000, true, NULL, "other_host"},
		{"revoked long ago", full_name, -1000, 1000, true, &newer, "older"},
		{"as old as its revocation", full_name, -1000, 1000, false, &dead, "older"},
		{"revoked once more", full_name, -1000, 1000, true, &dead, "revoked"},
		{"issued anew", full_name, -999, 1000, false, &dead, "kept"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *hosts[] = {other, (char *)cases[i].host};
		const struct grant g = {
			.access.grant_id = id,
			.hosts = {.items = hosts, .len = 2},
			.issued_ms = NOW + cases[i].issued,
			.expires_ms = NOW + cases[i].expires,
			.revoked = cases[i].revoked,
		};

		tap_str(verdict_name(judge(&g, cases[i].known, HOST, NOW)), cases[i].want, "%s",
			cases[i].name);
	}
}

/* ---- seen ---- */

static void note(struct seen *s, const char *id, int64_t issued, int64_t expires, bool revoked)
{
	const struct seen_grant version = {.id = (char *)id,
					   .issued_ms = NOW + issued,
					   .expires_ms = NOW + expires,
					   .revoked = revoked};
	struct seen_grant *g;

	tap_int(seen_note(s, &version, NOW, &g), 0, "note %s", id);
}

static void test_seen(void)
{
	struct seen s = {0}, back = {0};
	struct sa_err err = {0};

	note(&s, "b", -10, 1000, false);
	note(&s, "a", -10, 2000, false);
	note(&s, "c", -10, 3000, false);
	tap_ok(!seen_find(&s, "bb") && seen_find(&s, "b") && s.len == 3, "found by its id");
	note(&s, "a", -5, 500, false);
	tap_int(seen_find(&s, "a")->expires_ms, NOW + 500, "the newest version");
	tap_int(seen_find(&s, "a")->keep_ms, NOW + 2000, "while an older one could come back");
	note(&s, "b", -5, -5, true);
	tap_int(seen_find(&s, "b")->keep_ms, NOW + 30 * DAY, "a revocation for 30 days at least");
	seen_find(&s, "c")->on_shelf = true;
	tap_int(seen_save(&s, dir_fd, &err), 0, "save %s", err.msg);
	tap_int(seen_load(&back, dir_fd, NOW, &err), 0, "load %s", err.msg);
	tap_ok(back.len == 3 && !back.changed, "all of it");
	tap_ok(seen_find(&back, "b")->revoked && !seen_find(&back, "a")->revoked, "revoked or not");
	tap_int(seen_find(&back, "a")->keep_ms, NOW + 2000, "times");
	tap_int(seen_find(&back, "b")->issued_ms, NOW - 5, "times");
	tap_ok(!seen_find(&back, "c")->on_shelf, "what lies there is looked for anew");
	seen_forget(&s, NOW + 3001);
	tap_ok(!seen_find(&s, "a") && seen_find(&s, "b") && seen_find(&s, "c"),
	       "forgotten is what is over and not there");
	seen_free(&s);
	seen_free(&back);
}

static void test_seen_broken(void)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"schema\":\"sessaudit.grants-seen/2\",\"grants\":[]}",
		"{\"schema\":\"sessaudit.grants-seen/1\",\"grants\":{}}",
		"{\"schema\":\"sessaudit.grants-seen/1\",\"grants\":[1]}",
		"{\"schema\":\"sessaudit.grants-seen/1\",\"grants\":[{\"grant_id\":\"\","
		"\"issued_ms\":1,\"expires_ms\":1,\"keep_ms\":1}]}",
		"{\"schema\":\"sessaudit.grants-seen/1\",\"grants\":[{\"grant_id\":\"a\","
		"\"issued_ms\":1,\"expires_ms\":\"1\",\"keep_ms\":1}]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct seen s = {0};
		struct sa_err err = {0};

		tap_int(seen_parse(&s, slice_of(texts[i]), NOW, &err), SA_ERR_INVALID, "\"%s\": %s",
			texts[i], err.msg);
		seen_free(&s);
	}
}

static void test_seen_full(void)
{
	struct seen s = {0};
	struct seen_grant *g;
	char id[16];
	int rc = 0;

	for (int i = 0; i < SEEN_MAX && rc == 0; i++) {
		struct seen_grant version = {
			.id = id, .issued_ms = NOW, .expires_ms = NOW + 5000 - i % 100};

		snprintf(id, sizeof(id), "%d", i);
		rc = seen_note(&s, &version, NOW, &g);
		g->on_shelf = i == 99;
	}
	tap_ok(rc == 0 && s.len == SEEN_MAX, "full");
	note(&s, "one more", 0, 1000, false);
	tap_int((long long)s.len, SEEN_MAX, "a place was made");
	tap_ok(seen_find(&s, "99"), "not that of one that lies there");
	tap_ok(!seen_find(&s, "10099"), "but of what would be forgotten first");
	seen_free(&s);
}

/* ---- answers ---- */

#define ANSWER(grants) "{\"schema\":\"sessaudit.grants/1\",\"grants\":" grants "}"

static void test_answer(void)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {
		{ANSWER("[]"), 0},
		{" {\"grants\":[],\"schema\":\"sessaudit.grants/1\"} ", 0},
		{"", SA_ERR_INVALID},
		{"<html>", SA_ERR_INVALID},
		{"[]", SA_ERR_INVALID},
		{"{}", SA_ERR_INVALID},
		{ANSWER("[]") "x", SA_ERR_INVALID},
		{ANSWER("{}"), SA_ERR_INVALID},
		{ANSWER("null"), SA_ERR_INVALID},
		{ANSWER("[],\"next\":\"/page/2\""), SA_ERR_INVALID},
		{"{\"schema\":\"sessaudit.grants/2\",\"grants\":[]}", SA_ERR_INVALID},
		{"{\"schema\":\"sessaudit.grants/1\",\"grants\":[],\"grants\":[]}", SA_ERR_INVALID},
	};
	_cleanup_buf_ struct buf many = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct answer a = {0};
		struct sa_err err = {0};

		tap_int(answer_parse(slice_of(cases[i].text), &a, &err), cases[i].rc, "%s: %s",
			cases[i].text, err.msg);
		answer_free(&a);
	}
	buf_init(&many, ANSWER_MAX_BYTES + 1);
	buf_puts(&many, "{\"schema\":\"sessaudit.grants/1\",\"grants\":[1");
	for (int i = 0; i < ANSWER_MAX_GRANTS; i++)
		buf_puts(&many, ",1");
	buf_puts(&many, "]}");
	tap_int(answer_parse(buf_slice(&many), &(struct answer){0}, NULL), SA_ERR_TOOBIG,
		"4,097 grants");
	while (!many.failed && many.len <= ANSWER_MAX_BYTES)
		buf_putc(&many, ' ');
	tap_int(answer_parse(buf_slice(&many), &(struct answer){0}, NULL), SA_ERR_TOOBIG,
		"longer than 4 MiB");
}

static void test_items(void)
{
	static const char *const broken[] = {
		"1",
		"{}",
		"{\"grant\":\"e30=\"}",
		"{\"signature\":\"e30=\",\"grant\":1}",
		"{\"signature\":\"e30=\",\"grant\":\"e30=\"}",
		"{\"signature\":\"" /* 63 bytes */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAA\",\"grant\":\"e30=\"}",
		"{\"signature\":\"e30=\",\"grant\":\"e30=\",\"key\":\"1\"}",
		"{\"signature\":\"e3\",\"grant\":\"e30=\"}",
		"{\"signature\":\"e30=\",\"grant\":\"%%%%\"}",
	};
	char text[512];

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		_cleanup_buf_ struct buf out = {0};
		struct answer a = {0};
		struct sa_err err = {0};

		buf_init(&out, SIGNED_MAX_BYTES);
		snprintf(text, sizeof(text), ANSWER("[%s]"), broken[i]);
		tap_int(answer_parse(slice_of(text), &a, &err), 0, "%s", broken[i]);
		tap_int(answer_envelope(&a, 0, &out, &err), SA_ERR_INVALID, "is none: %s", err.msg);
		answer_free(&a);
	}
}

/* ---- the directory ---- */

static struct buf body; /* of the answer that is being made */
static bool body_begun;

static void begin(void)
{
	buf_clear(&body);
	buf_puts(&body, "{\"schema\":\"sessaudit.grants/1\",\"grants\":[");
	body_begun = false;
}

static void grant_text(char out[512], const char *id, const char *issued, const char *more)
{
	snprintf(out, 512,
		 "{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"%s\",\"request\":{\"id\":"
		 "\"REQ-1\"},\"hosts\":[\"prod-db-1\"],\"issued_at\":\"%s\",%s"
		 "\"match\":{\"users\":[\"dba\"]}}",
		 id, issued, more);
}

#define HOUR "\"expires_at\":\"2026-11-21T04:00:00Z\","
#define REVOKED HOUR "\"revoked\":true,"

static void add(unsigned char signer, const char *id, const char *issued, const char *more)
{
	unsigned char signature[64];
	char text[512];

	grant_text(text, id, issued, more);
	broker_key_signature(signer, slice_of(text), signature);
	buf_puts(&body, body_begun ? ",{\"grant\":\"" : "{\"grant\":\"");
	escape_base64(&body, slice_of(text));
	buf_puts(&body, "\",\"signature\":\"");
	escape_base64(&body, (struct slice){(const char *)signature, sizeof(signature)});
	buf_puts(&body, "\"}");
	body_begun = true;
}

/* The names in the directory, each with a blank. */
static const char *names(void)
{
	static char text[1024];
	struct trusted_names list = {0};

	text[0] = '\0';
	if (trusted_dir_names(dir_fd, "", 64, &list, NULL) != 0)
		abort();
	for (size_t i = 0; i < list.len; i++) {
		strcat(text, list.items[i]);
		strcat(text, " ");
	}
	trusted_names_free(&list);
	return text;
}

static struct keeper_counts apply(struct keeper *k)
{
	struct keeper_counts counts = {0};
	struct answer a = {0};
	struct sa_err err = {0};

	buf_puts(&body, "]}");
	tap_int(answer_parse(buf_slice(&body), &a, &err), 0, "an answer %s", err.msg);
	tap_int(keeper_apply(k, &a, NOW, &counts, &err), 0, "taken over %s", err.msg);
	answer_free(&a);
	return counts;
}

static void test_apply(struct keeper *k)
{
	struct keeper_counts n;
	struct stat first, second;

	begin();
	add(KEY, "g-1", "2026-11-21T02:00:00Z", HOUR);
	add(KEY, "../g+2", "2026-11-21T02:00:00Z", HOUR);
	add(OTHER_KEY, "g-3", "2026-11-21T02:00:00Z", HOUR);
	add(KEY, "g-4", "2026-11-21T02:00:00Z", "\"expires_at\":\"2026-11-21T03:00:00Z\",");
	n = apply(k);
	tap_str(names(), "%2E.%2Fg%2B2.signed.json g-1.signed.json ", "what is right lies there");
	tap_int((long long)n.verdicts[VERDICT_KEEP], 2, "kept");
	tap_int((long long)n.verdicts[VERDICT_UNSIGNED], 1, "unsigned");
	tap_int((long long)n.verdicts[VERDICT_EXPIRED], 1, "expired");
	tap_ok(fstatat(dir_fd, "g-1.signed.json", &first, 0) == 0 &&
		       (first.st_mode & 07777) == 0644,
	       "for all to read");
	begin();
	add(KEY, "g-1", "2026-11-21T02:00:00Z", HOUR);
	apply(k);
	tap_str(names(), "g-1.signed.json ", "what is not in the answer goes");
	tap_ok(fstatat(dir_fd, "g-1.signed.json", &second, 0) == 0 && first.st_ino == second.st_ino,
	       "what stays is not written again");
	begin();
	add(KEY, "g-1", "2026-11-21T01:00:00Z", HOUR);
	n = apply(k);
	tap_int((long long)n.verdicts[VERDICT_OLDER], 1, "an older version");
	tap_str(names(), "g-1.signed.json ", "does not take the newer one away");
	tap_ok(fstatat(dir_fd, "g-1.signed.json", &second, 0) == 0 && first.st_ino == second.st_ino,
	       "nor its place");
	begin();
	add(KEY, "g-1", "2026-11-21T02:30:00Z", HOUR);
	apply(k);
	tap_ok(fstatat(dir_fd, "g-1.signed.json", &second, 0) == 0 && first.st_ino != second.st_ino,
	       "a newer one does");
}

static void test_revoked(struct keeper *k)
{
	struct keeper_counts n;

	begin();
	add(KEY, "g-1", "2026-11-21T02:40:00Z", REVOKED);
	n = apply(k);
	tap_int((long long)n.verdicts[VERDICT_REVOKED], 1, "revoked");
	tap_str(names(), "", "goes");
	begin();
	add(KEY, "g-1", "2026-11-21T02:30:00Z", HOUR);
	n = apply(k);
	tap_int((long long)n.verdicts[VERDICT_OLDER], 1, "what was signed before");
	tap_str(names(), "", "does not come back");
	begin();
	add(KEY, "g-1", "2026-11-21T02:50:00Z", REVOKED);
	add(KEY, "g-1", "2026-11-21T02:50:00Z", HOUR);
	apply(k);
	tap_str(names(), "", "of one time the revoked one counts");
	begin();
	add(KEY, "g-1", "2026-11-21T02:50:00Z", HOUR);
	add(KEY, "g-1", "2026-11-21T02:51:00Z", HOUR);
	add(KEY, "g-1", "2026-11-21T02:50:30Z", HOUR);
	n = apply(k);
	tap_str(names(), "g-1.signed.json ", "granted anew it counts again");
	tap_int((long long)n.verdicts[VERDICT_OLDER], 2, "its newest version");
}

static void put(const char *name, struct slice text, mode_t mode)
{
	if (fdio_replace_file(dir_fd, name, text.ptr, text.len, mode, NULL) != 0)
		abort();
}

/* What a grantd that was broken into could have left, and what is the admin's. */
static void test_recover(struct keeper *k)
{
	struct keeper fresh = *k;
	struct sa_err err = {0};
	_cleanup_buf_ struct buf good = {0};

	buf_init(&good, SIGNED_MAX_BYTES);
	if (shelf_read(dir_fd, "g-1.signed.json", &good, NULL) != 0)
		abort();
	put("g-9.signed.json", buf_slice(&good), 0644);
	put("forged.signed.json", SLICE_LIT("{}"), 0644);
	put("plain.json", SLICE_LIT("{}"), 0644);
	put(".tmp-1-2-3", SLICE_LIT("{"), 0600);
	if (symlinkat("plain.json", dir_fd, "link.signed.json") != 0)
		abort();
	fresh.seen = (struct seen){0};
	tap_int(keeper_recover(&fresh, NOW, &err), 0, "after a restart %s", err.msg);
	tap_str(names(), "g-1.signed.json plain.json ", "only what is right is left");
	tap_ok(faccessat(dir_fd, ".tmp-1-2-3", F_OK, 0) != 0, "and nothing half-written");
	tap_int((long long)keeper_on_shelf(&fresh), 1, "known again");
	tap_int(keeper_expire(&fresh, NOW + 3600 * 1000 - 1, &err), 0, "by the clock");
	tap_str(names(), "g-1.signed.json plain.json ", "a millisecond left");
	tap_int(keeper_expire(&fresh, NOW + 3600 * 1000, &err), 0, "by the clock");
	tap_str(names(), "plain.json ", "it expires without a broker");
	keeper_free(&fresh);
	fresh.seen = (struct seen){0};
	put("g-1.signed.json", buf_slice(&good), 0644);
	note(&fresh.seen, "g-1", 0, 1000, true);
	tap_int(keeper_recover(&fresh, NOW, &err), 0, "one that is known to be revoked");
	tap_str(names(), "plain.json ", "goes at the start");
	keeper_free(&fresh);
	unlinkat(dir_fd, "plain.json", 0);
}

/* Whatever memory lacks for, a grant that is in the answer is not taken for absent or wrong. */
static void test_no_memory(struct keeper *k)
{
	struct keeper_counts counts;
	struct answer a = {0};
	unsigned long n = 0, failed = 0, gone = 0;

	begin();
	add(KEY, "g-1", "2026-11-21T02:51:00Z", HOUR);
	buf_puts(&body, "]}");
	if (answer_parse(buf_slice(&body), &a, NULL) != 0)
		abort();
	do {
		alloc_fail_at(++n);
		failed += keeper_apply(k, &a, NOW, &counts, NULL) != 0;
		gone += faccessat(dir_fd, "g-1.signed.json", F_OK, 0) != 0;
	} while (alloc_failed());
	tap_ok(n > 20 && failed > 10, "an answer: %lu allocations, %lu failures", n, failed);
	tap_int((long long)gone, 0, "the grant was there all the time");
	answer_free(&a);
	n = 0;
	do {
		struct keeper fresh = *k;

		fresh.seen = (struct seen){0};
		alloc_fail_at(++n);
		(void)keeper_recover(&fresh, NOW, NULL);
		gone += faccessat(dir_fd, "g-1.signed.json", F_OK, 0) != 0;
		keeper_free(&fresh);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_ok(n > 20, "a start: %lu allocations", n);
	tap_int((long long)gone, 0, "it still is");
}

/* Root's file under the name of a grant: as another user one could not, as root one must not. */
static void test_not_ours(struct keeper *k)
{
	struct keeper_counts counts;
	struct answer a = {0};
	struct sa_err err = {0};

	if (geteuid() != 0) {
		tap_skip("needs root", "a file of another user");
		return;
	}
	begin();
	add(KEY, "g-7", "2026-11-21T02:00:00Z", HOUR);
	apply(k);
	if (fchownat(dir_fd, "g-7.signed.json", 1, 1, 0) != 0)
		abort();
	begin();
	buf_puts(&body, "]}");
	if (answer_parse(buf_slice(&body), &a, NULL) != 0)
		abort();
	tap_int(keeper_apply(k, &a, NOW, &counts, &err), SA_ERR_PERM, "another's file: %s",
		err.msg);
	tap_str(names(), "g-7.signed.json ", "is not removed");
	answer_free(&a);
	unlinkat(dir_fd, "g-7.signed.json", 0);
}

/* ---- token, report ---- */

static void test_token(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"abc", "abc"},
		{" abc.def~+/=\r\n", "abc.def~+/="},
		{"", NULL},
		{"\n", NULL},
		{"two words", NULL},
		{"a\nX-Evil: 1", NULL},
		{"caf\xc3\xa9", NULL},
	};
	struct sa_err err = {0};
	struct token t = {0};
	char path[64];

	snprintf(path, sizeof(path), "%s/token", dir);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put("token", slice_of(cases[i].text), 0600);
		tap_int(token_init(&t, path, NULL, &err), 0, "init");
		tap_int(token_read(&t, &err), cases[i].want ? 0 : SA_ERR_INVALID, "token %zu", i);
		tap_bytes(buf_slice(&t.text), slice_of(cases[i].want ? cases[i].want : ""),
			  "as it goes out");
		token_free(&t);
	}
	put("token", SLICE_LIT("first\n"), 0600);
	tap_int(token_init(&t, "token", dir, &err), 0, "a credential of the service");
	tap_int(token_read(&t, &err), 0, "read");
	put("token", SLICE_LIT("second\n"), 0600);
	tap_int(token_read(&t, &err), 0, "read anew");
	tap_bytes(buf_slice(&t.text), SLICE_LIT("second"), "each time");
	unlinkat(dir_fd, "token", 0);
	tap_int(token_read(&t, &err), 0, "gone");
	tap_bytes(buf_slice(&t.text), SLICE_LIT("second"), "the last one stays in use");
	tap_ok(t.stale, "and is known to be old");
	token_free(&t);
	tap_int(token_init(&t, "token", NULL, &err), SA_ERR_INVALID, "no credentials: %s", err.msg);
	tap_int(token_init(&t, "", NULL, &err), 0, "none is asked for");
	tap_int(token_read(&t, &err), 0, "nothing to read");
	token_free(&t);
	tap_int(token_init(&t, path, NULL, &err), 0, "a file that is not there");
	tap_int(token_read(&t, &err), SA_ERR_NOTFOUND, "is said: %s", err.msg);
	token_free(&t);
}

static void test_report(void)
{
	struct report r = {.last_success = 5, .failures = 2, .received = 3, .on_shelf = 1};
	_cleanup_buf_ struct buf out = {0};

	r.verdicts[VERDICT_KEEP] = 1;
	r.verdicts[VERDICT_UNSIGNED] = 2;
	snprintf(r.reason, sizeof(r.reason), "a \"reason\"\xff");
	buf_init(&out, 16384);
	report_json(&out, &r, NOW);
	tap_str(buf_cstr(&out),
		"{\"schema\":\"sessaudit.grantd/1\",\"time\":\"2026-11-21T03:00:00.000Z\","
		"\"reason\":\"a \\\"reason\\\"\\\\xff\",\"last_success\":5,\"fetches\":0,"
		"\"failures\":2,\"away\":0,\"away_since\":0,\"received\":3,\"on_shelf\":1,"
		"\"verdicts\":{\"kept\":1,\"revoked\":0,\"broken\":0,\"unsigned\":2,"
		"\"other_host\":0,\"future\":0,\"older\":0,\"expired\":0,\"too_long\":0}}",
		"status.json");
	buf_clear(&out);
	report_prom(&out, &r);
	tap_ok(strstr(buf_cstr(&out), "# TYPE sessaudit_grantd_fetch_failures_total counter\n"
				      "sessaudit_grantd_fetch_failures_total 2\n"),
	       "a number for Prometheus");
	tap_ok(strstr(buf_cstr(&out), "\nsessaudit_grantd_grants{verdict=\"unsigned\"} 2\n"),
	       "a verdict for Prometheus");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int main(void)
{
	struct signers signers = {0};
	struct keeper k = {.signers = &signers, .host = HOST};

	umask(022);
	if (!mkdtemp(dir))
		return 99;
	dir_fd = k.shelf_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_init(&body, 1 << 20);
	broker_key_signers(KEY, &signers);
	test_judge();
	test_seen();
	unlinkat(dir_fd, "seen.json", 0);
	test_seen_broken();
	test_seen_full();
	test_answer();
	test_items();
	test_apply(&k);
	test_revoked(&k);
	test_no_memory(&k);
	test_recover(&k);
	test_not_ours(&k);
	test_token();
	test_report();
	keeper_free(&k);
	signers_free(&signers);
	buf_free(&body);
	close(dir_fd);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
