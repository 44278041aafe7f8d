/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/access/resolve.h"
#include "common/cleanup.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/resolve_keys.h"
#include "tests/unit/tap.h"

#define NOW 1795230000000 /* 2026-11-21T03:00:00Z */

static char dir[] = "/tmp/test_resolve-XXXXXX";
static char ca_dir[64], grant_dir[64], index_path[64];

static bool in_group(void *ctx, const char *user, const char *group)
{
	(void)ctx;
	return strcmp(user, "dba") == 0 && strcmp(group, "dbas") == 0;
}

static void put(const char *in, const char *name, const char *text)
{
	char path[256];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%s", in, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0)
		tap_ok(false, "put %s", path);
}

static void empty(const char *path)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	const struct dirent *e;
	char file[512];

	while (d && (e = readdir(d))) {
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			remove(file);
	}
}

struct one_grant {
	const char *request, *root, *match; /* match NULL: users dba */
};

#define DBA "\"users\":[\"dba\"]"
#define UNTIL(t) ",\"expires_at\":\"2026-11-21T" t ":00Z\""
#define FIVE UNTIL("05:00")

/* File N.json, id gN. */
static void put_grants(const struct one_grant *grants, size_t max)
{
	empty(grant_dir);
	for (size_t i = 0; i < max && grants[i].request; i++) {
		_cleanup_buf_ struct buf b = {0};
		char name[16];

		buf_init(&b, 4096);
		snprintf(name, sizeof(name), "%zu.json", i);
		buf_printf(&b,
			   "{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"g%zu\",\"request\":{"
			   "\"id\":\"%s\",\"approvals\":[{\"by\":\"boss\"}]}%s,\"match\":{%s}}",
			   i, grants[i].request, grants[i].root ? grants[i].root : FIVE,
			   grants[i].match ? grants[i].match : DBA);
		put(grant_dir, name, buf_cstr(&b));
	}
}

struct heard {
	char text[4096];
	unsigned seen;
};

static void hear(void *ctx, const char *message)
{
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	snprintf(h->text + n, sizeof(h->text) - n, "%s\n", message);
}

static void see(void *ctx, const struct grant *g, enum match_reason r)
{
	struct heard *h = ctx;

	(void)g;
	(void)r;
	h->seen++;
}

static const char *const grant_dirs[] = {grant_dir, NULL};

static struct resolve resolve_of(const char *auth, struct heard *h)
{
	return (struct resolve){.login = {.user = "dba",
					  .service = "sshd",
					  .host = "prod-db-1",
					  .source = "10.1.2.3",
					  .now_ms = NOW,
					  .in_group = in_group},
				.auth_info = slice_of(auth),
				.ca_dir = ca_dir,
				.grant_dirs = grant_dirs,
				.owner_uid = getuid(),
				.report = hear,
				.seen = see,
				.ctx = h};
}

struct outcome {
	enum access_status status;
	enum access_source source;
	const char *request, *grant, *reason, *key_fp, *ca_fp, *key_id, *serial, *candidates;
};

static void check_outcome(const char *name, const struct resolved *got, const struct outcome *want)
{
	const struct access *a = &got->access;
	_cleanup_buf_ struct buf ids = {0};

	buf_init(&ids, 4096);
	for (size_t i = 0; i < a->n_candidates; i++)
		buf_printf(&ids, "%s%s", i ? "," : "", a->candidates[i]);
	tap_str(access_status_name(a->status), access_status_name(want->status), "%s: status",
		name);
	tap_str(access_source_name(a->source), access_source_name(want->source), "%s: source",
		name);
	tap_str(a->request_id, want->request, "%s: request", name);
	tap_str(a->grant_id, want->grant, "%s: grant", name);
	tap_str(a->reason, want->reason, "%s: reason", name);
	tap_str(a->key_fp, want->key_fp, "%s: key", name);
	tap_str(a->ca_fp, want->ca_fp, "%s: CA", name);
	tap_str(a->cert_key_id, want->key_id, "%s: key id", name);
	tap_str(a->cert_serial, want->serial, "%s: serial", name);
	tap_str(buf_cstr(&ids), want->candidates ? want->candidates : "", "%s: candidates", name);
	tap_int(got->grant_file != NULL, want->status == ACCESS_APPROVED, "%s: grant file", name);
}

struct login {
	const char *name, *auth;
	struct one_grant grants[4];
	struct outcome want;
};

#define AUTH(key) "publickey " key "\n"
#define PASSWORD "password\n"
#define KEYS(fp) DBA ",\"key_fp\":[\"" fp "\"]"
#define SOURCES DBA ",\"source\":[\"10.0.0.0/8\"]"
#define OURS CA_OURS_FP, "REQ-1/alice", "1042"
#define UNKNOWN ACCESS_UNAPPROVED, ACCESS_SOURCE_NONE, NULL, NULL

static const struct login logins[] = {
	{"nothing", NULL, {{0}}, {UNKNOWN, NULL, NULL, NULL, NULL, NULL, NULL}},
	{"a password, a grant",
	 PASSWORD,
	 {{"R", NULL, NULL}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_USER, "R", "g0", NULL, NULL, NULL, NULL, NULL, NULL}},
	{"a grant of a group",
	 PASSWORD,
	 {{"R", NULL, "\"groups\":[\"dbas\"]"}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_USER, "R", "g0", NULL, NULL, NULL, NULL, NULL, NULL}},
	{"a plain key, nothing else",
	 AUTH(KEY_1),
	 {{0}},
	 {UNKNOWN, NULL, KEY_1_FP, NULL, NULL, NULL, NULL}},
	{"a plain key, a grant for it",
	 AUTH(KEY_1),
	 {{"R", NULL, KEYS(KEY_1_FP)}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_KEY, "R", "g0", NULL, KEY_1_FP, NULL, NULL, NULL, NULL}},
	{"two keys, the second decides",
	 AUTH(KEY_1) AUTH(KEY_2),
	 {{"R", NULL, KEYS(KEY_2_FP)}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_KEY, "R", "g0", NULL, KEY_2_FP, NULL, NULL, NULL, NULL}},
	{"another key",
	 AUTH(KEY_1),
	 {{"R", NULL, KEYS(KEY_2_FP)}},
	 {UNKNOWN, "request R: is for other keys or certificates", KEY_1_FP, NULL, NULL, NULL,
	  NULL}},
	{"a certificate and its grant",
	 AUTH(CERT_1),
	 {{"REQ-1", NULL, NULL}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_CERT, "REQ-1", "g0", NULL, KEY_1_FP, OURS, NULL}},
	{"a certificate, no grant",
	 AUTH(CERT_1),
	 {{"OTHER", NULL, NULL}},
	 {ACCESS_ID_ONLY, ACCESS_SOURCE_CERT, "REQ-1", NULL, "request REQ-1: no grant on this host",
	  KEY_1_FP, OURS, NULL}},
	{"a certificate whose grant is over",
	 AUTH(CERT_1),
	 {{"REQ-1", UNTIL("03:00"), NULL}},
	 {ACCESS_CONFLICT, ACCESS_SOURCE_CERT, "REQ-1", NULL, "grant g0: expired", KEY_1_FP, OURS,
	  NULL}},
	{"a certificate whose grant is another's",
	 AUTH(CERT_1),
	 {{"REQ-1", NULL, "\"users\":[\"ops\"]"}, {"R", NULL, NULL}},
	 {ACCESS_CONFLICT, ACCESS_SOURCE_CERT, "REQ-1", NULL, "grant g0: is for other users",
	  KEY_1_FP, OURS, NULL}},
	{"a certificate, two grants, one fits",
	 AUTH(CERT_1),
	 {{"REQ-1", UNTIL("02:00"), NULL}, {"REQ-1", NULL, NULL}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_CERT, "REQ-1", "g1", NULL, KEY_1_FP, OURS, NULL}},
	{"a certificate, no grant fits: the nearest is named",
	 AUTH(CERT_1),
	 {{"REQ-1", NULL, "\"users\":[\"ops\"]"}, {"REQ-1", FIVE ",\"revoked\":true", NULL}},
	 {ACCESS_CONFLICT, ACCESS_SOURCE_CERT, "REQ-1", NULL, "grant g1: revoked", KEY_1_FP, OURS,
	  NULL}},
	{"a certificate of another CA is its key",
	 AUTH(CERT_OTHER_CA),
	 {{"REQ-1", NULL, KEYS(KEY_1_FP)}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_KEY, "REQ-1", "g0", NULL, KEY_1_FP, NULL, NULL, NULL,
	  NULL}},
	{"a certificate of another CA has no request",
	 AUTH(CERT_OTHER_CA),
	 {{"REQ-1", NULL, DBA ",\"cert_key_id\":[\"*\"]"}},
	 {UNKNOWN, "request REQ-1: is for other keys or certificates", KEY_1_FP, NULL, NULL, NULL,
	  NULL}},
	{"nor its CA",
	 AUTH(CERT_OTHER_CA),
	 {{"R", NULL, DBA ",\"ca_fp\":[\"" CA_OTHER_FP "\"]"}},
	 {UNKNOWN, "request R: is for other keys or certificates", KEY_1_FP, NULL, NULL, NULL,
	  NULL}},
	{"a certificate without request, by key id",
	 AUTH(CERT_NO_ID),
	 {{"R", NULL, DBA ",\"cert_key_id\":[\"plain-*\"],\"cert_serial\":[\"7\"]"}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_KEY, "R", "g0", NULL, KEY_1_FP, CA_OURS_FP, "plain-alice",
	  "7", NULL}},
	{"a certificate without request, by CA",
	 AUTH(CERT_NO_ID),
	 {{"R", NULL, DBA ",\"ca_fp\":[\"" CA_OURS_FP "\"]"}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_KEY, "R", "g0", NULL, KEY_1_FP, CA_OURS_FP, "plain-alice",
	  "7", NULL}},
	{"a host certificate is its key",
	 AUTH(CERT_HOST),
	 {{"R", NULL, DBA ",\"cert_serial\":[\"4\"]"}},
	 {UNKNOWN, "request R: is for other keys or certificates", KEY_1_FP, NULL, NULL, NULL,
	  NULL}},
	{"a certificate that names two requests",
	 AUTH(CERT_TELEPORT),
	 {{"REQ-1", NULL, NULL}},
	 {ACCESS_AMBIGUOUS, ACCESS_SOURCE_CERT, NULL, NULL, "several requests", KEY_1_FP,
	  CA_TELEPORT_FP, "alice", "3", "REQ-1,REQ-9"}},
	{"two certificates",
	 AUTH(CERT_1) PASSWORD AUTH(CERT_2),
	 {{"REQ-2", NULL, NULL}},
	 {ACCESS_AMBIGUOUS, ACCESS_SOURCE_CERT, NULL, NULL, "several requests", KEY_1_FP, OURS,
	  "REQ-2,REQ-1"}},
	{"a key and a certificate",
	 AUTH(KEY_1) AUTH(CERT_2),
	 {{"REQ-2", NULL, NULL}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_CERT, "REQ-2", "g0", NULL, KEY_2_FP, CA_OURS_FP, "second",
	  "18446744073709551615", NULL}},
	{"a request that is none",
	 AUTH(CERT_BAD_ID),
	 {{"R", NULL, NULL}},
	 {UNKNOWN,
	  "certificate of the login: request-id@sessaudit: holds control characters, or is not "
	  "UTF-8",
	  KEY_1_FP, CA_OURS_FP, "bad", "9", NULL}},
	{"two requests tie",
	 PASSWORD,
	 {{"A", NULL, NULL}, {"B", NULL, NULL}, {"A", NULL, NULL}},
	 {ACCESS_AMBIGUOUS, ACCESS_SOURCE_USER, NULL, NULL, "several requests", NULL, NULL, NULL,
	  NULL, "A,B"}},
	{"two grants of one request: the later end",
	 PASSWORD,
	 {{"A", UNTIL("04:00"), NULL}, {"A", UNTIL("06:00"), NULL}, {"A", FIVE, NULL}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_USER, "A", "g1", NULL, NULL, NULL, NULL, NULL, NULL}},
	{"two grants of one request: the higher rank",
	 AUTH(CERT_1),
	 {{"REQ-1", UNTIL("06:00"), NULL}, {"REQ-1", NULL, SOURCES}},
	 {ACCESS_APPROVED, ACCESS_SOURCE_CERT, "REQ-1", "g1", NULL, KEY_1_FP, OURS, NULL}},
	{"the nearest misfit",
	 PASSWORD,
	 {{"A", FIVE ",\"hosts\":[\"x\"]", NULL},
	  {"B", UNTIL("03:00"), NULL},
	  {"C", FIVE ",\"revoked\":true", NULL}},
	 {UNKNOWN, "request B: expired", NULL, NULL, NULL, NULL, NULL}},
	{"the one that held longest of two",
	 PASSWORD,
	 {{"A", UNTIL("01:00"), NULL}, {"B", UNTIL("02:00"), NULL}, {"C", UNTIL("00:30"), NULL}},
	 {UNKNOWN, "request B: expired", NULL, NULL, NULL, NULL, NULL}},
	{"another user's grant is not told of",
	 PASSWORD,
	 {{"A", NULL, "\"users\":[\"ops\"]"}, {"B", UNTIL("02:00"), "\"groups\":[\"x\"]"}},
	 {UNKNOWN, NULL, NULL, NULL, NULL, NULL, NULL}},
};

static void check_login(const struct login *l)
{
	struct heard h = {"", 0};
	struct resolve r = resolve_of(l->auth, &h);
	struct resolved got, indexed;

	put_grants(l->grants, ARRAY_LEN(l->grants));
	tap_int(resolve_login(&r, &got), 0, "%s: no error", l->name);
	check_outcome(l->name, &got, &l->want);
	r.index_path = index_path;
	tap_int(resolve_login(&r, &indexed), 0, "%s: with an index: no error", l->name);
	tap_int(indexed.access.status, got.access.status, "%s: with an index: status", l->name);
	tap_str(indexed.access.reason, got.access.reason, "%s: with an index: reason", l->name);
	tap_str(indexed.access.grant_id, got.access.grant_id, "%s: with an index: grant", l->name);
	resolved_free(&indexed);
	resolved_free(&got);
}

/* Every pair of what a grant may be found by: the higher rank wins, of one rank none does. */
static const struct {
	const char *name, *request[2], *match;
	enum access_source source;
} tiers[] = {
	{"certificate", {"REQ-1", "REQ-2"}, DBA, ACCESS_SOURCE_CERT},
	{"key", {"K", "K2"}, KEYS(KEY_1_FP), ACCESS_SOURCE_KEY},
	{"source", {"S", "S2"}, SOURCES, ACCESS_SOURCE_USER},
	{"user", {"U", "U2"}, DBA, ACCESS_SOURCE_USER},
};

static void check_pair(size_t a, size_t b)
{
	struct one_grant grants[2] = {{tiers[a].request[0], NULL, tiers[a].match},
				      {tiers[b].request[a == b], NULL, tiers[b].match}};
	const char *auth = a == 0 && b == 0   ? AUTH(CERT_1) AUTH(CERT_2)
			   : a == 0 || b == 0 ? AUTH(CERT_1)
					      : AUTH(KEY_1);
	size_t winner = a < b ? a : b;
	struct heard h = {"", 0};
	struct resolve r = resolve_of(auth, &h);
	struct resolved got;

	put_grants(grants, 2);
	tap_int(resolve_login(&r, &got), 0, "%s and %s: no error", tiers[a].name, tiers[b].name);
	tap_str(access_status_name(got.access.status), a == b ? "ambiguous" : "approved",
		"%s and %s: status", tiers[a].name, tiers[b].name);
	tap_int(got.access.source, tiers[winner].source, "%s and %s: source", tiers[a].name,
		tiers[b].name);
	tap_str(got.access.request_id, a == b ? NULL : tiers[winner].request[0],
		"%s and %s: request", tiers[a].name, tiers[b].name);
	tap_int((long long)got.access.n_candidates, a == b ? 2 : 0, "%s and %s: candidates",
		tiers[a].name, tiers[b].name);
	tap_int(h.seen, 2, "%s and %s: both are seen", tiers[a].name, tiers[b].name);
	resolved_free(&got);
}

/* What the certificate says is said of an id alone; with a grant, the grant's word counts. */
static void check_about(void)
{
	static const struct one_grant none = {0}, grant = {"REQ-1", NULL, NULL};
	struct heard h = {"", 0};
	struct resolve r = resolve_of(AUTH(CERT_1), &h);
	struct resolved got;

	put_grants(&none, 1);
	tap_int(resolve_login(&r, &got), 0, "id only");
	tap_str(got.access.requester, "alice@example.com", "id only: requester");
	tap_str(got.access.flow, "prod", "id only: flow");
	tap_str(got.access.cert_profile, "sessaudit", "id only: profile");
	tap_int((long long)got.access.n_approvals, 2, "id only: approvals");
	tap_str(got.access.n_approvals == 2 ? got.access.approvals[1].by : "", "carol",
		"id only: the second approval");
	resolved_free(&got);
	put_grants(&grant, 1);
	tap_int(resolve_login(&r, &got), 0, "approved");
	tap_str(got.access.requester, NULL, "approved: the grant names no requester");
	tap_str(got.access.cert_profile, "sessaudit", "approved: profile");
	tap_int((long long)got.access.n_approvals, 1, "approved: its approvals");
	tap_ok(got.grant_file && strlen(got.grant_file) == strlen(grant_dir) + 7 &&
		       strcmp(got.grant_file + strlen(grant_dir), "/0.json") == 0,
	       "approved: the grant's file");
	tap_int((long long)strlen(got.access.grant_sha256), 64, "approved: the grant's hash");
	resolved_free(&got);
}

/* What cannot be understood approves nothing, is reported, and is the reason. */
static void check_broken(const char *name, const char *auth, const char *reason)
{
	static const struct one_grant grant = {"R", NULL, NULL};
	struct heard h = {"", 0};
	struct resolve r = resolve_of(auth, &h);
	struct resolved got;

	put_grants(&grant, 1);
	tap_int(resolve_login(&r, &got), 0, "%s: no error", name);
	tap_str(access_status_name(got.access.status), "unapproved", "%s: status", name);
	tap_ok(got.access.reason && strncmp(got.access.reason, reason, strlen(reason)) == 0,
	       "%s: reason: %s", name, got.access.reason);
	tap_ok(strncmp(h.text, reason, strlen(reason)) == 0, "%s: reported: %s", name, h.text);
	tap_int(h.seen, 0, "%s: no grant is looked at", name);
	resolved_free(&got);
}

static void check_errors(void)
{
	static char huge[AUTH_INFO_MAX_BYTES + 2];
	static const struct one_grant grant = {"R", NULL, NULL};
	struct heard h = {"", 0};
	struct resolve r = resolve_of(PASSWORD, &h);
	const char *nowhere = "/nonexistent/key.pem";
	struct resolved got;

	memset(huge, 'x', sizeof(huge) - 1);
	check_broken("broken base64", "publickey ssh-ed25519 AAAA!\n", "key of the login: ");
	check_broken("a cut key", "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA\n",
		     "key of the login: ");
	check_broken("an unknown type", "publickey ssh-new AAAAB3NzaC1uZXc=\n",
		     "key of the login: ");
	check_broken("a good key and a broken one", AUTH(KEY_1) "publickey x\n",
		     "key of the login: ");
	check_broken("too long", huge, "key of the login: SSH_AUTH_INFO_0 cannot be read");
	put_grants(&grant, 1);
	r.signer_files = &nowhere;
	r.n_signer_files = 1;
	tap_int(resolve_login(&r, &got), 0, "no key of the broker: no error");
	tap_int(got.access.status, ACCESS_APPROVED, "no key of the broker: a plain grant counts");
	tap_ok(strstr(h.text, nowhere) != NULL, "no key of the broker: reported: %s", h.text);
	resolved_free(&got);
}

/* CAs are looked for only where there is a certificate. */
static void check_lazy(void)
{
	static const struct one_grant grant = {"R", NULL, NULL};
	struct heard h = {"", 0};
	struct resolve r = resolve_of(AUTH(KEY_1), &h);
	struct resolved got;

	put_grants(&grant, 1);
	put(ca_dir, "z.pub", "nonsense\n");
	tap_int(resolve_login(&r, &got), 0, "no certificate: no error");
	tap_str(h.text, "", "no certificate: CAs are not read");
	resolved_free(&got);
	r.auth_info = SLICE_LIT(AUTH(CERT_NO_ID));
	tap_int(resolve_login(&r, &got), 0, "a broken CA line: no error");
	tap_ok(strstr(h.text, "z.pub:1") != NULL, "a broken CA line: reported: %s", h.text);
	tap_str(got.access.ca_fp, CA_OURS_FP, "a broken CA line: the others count");
	resolved_free(&got);
	empty(ca_dir);
	r.auth_info = SLICE_LIT(AUTH(CERT_1));
	tap_int(resolve_login(&r, &got), 0, "no CA is listed: no error");
	tap_str(got.access.ca_fp, NULL, "no CA is listed: nothing of the certificate");
	tap_str(got.access.request_id, "R", "no CA is listed: the user's grant");
	resolved_free(&got);
	put(ca_dir, "a.pub", CA_OURS "\nprofile=teleport " CA_TELEPORT " a comment\n");
}

/* More requests than the list holds are still a tie. */
static void check_crowd(void)
{
	struct one_grant grants[ACCESS_MAX_CANDIDATES + 3];
	char ids[ACCESS_MAX_CANDIDATES + 3][2];
	struct heard h = {"", 0};
	struct resolve r = resolve_of(PASSWORD, &h);
	struct resolved got;

	for (size_t i = 0; i < ARRAY_LEN(grants); i++) {
		ids[i][0] = (char)('A' + i);
		ids[i][1] = 0;
		grants[i] = (struct one_grant){ids[i], NULL, NULL};
	}
	put_grants(grants, ARRAY_LEN(grants));
	tap_int(resolve_login(&r, &got), 0, "a crowd: no error");
	tap_int(got.access.status, ACCESS_AMBIGUOUS, "a crowd: ambiguous");
	tap_int((long long)got.access.n_candidates, ACCESS_MAX_CANDIDATES,
		"a crowd: as many as the list holds");
	resolved_free(&got);
}

/* Whichever allocation fails: nothing is approved, and nothing leaks. */
static void check_no_memory(const char *name, const char *auth, const struct one_grant *grants,
			    enum access_status want)
{
	struct heard h = {"", 0};
	struct resolve r = resolve_of(auth, &h);
	struct resolved got;
	unsigned long n = 0;
	unsigned wrong = 0;
	int rc;

	put_grants(grants, 2);
	do {
		alloc_fail_at(++n);
		rc = resolve_login(&r, &got);
		if (alloc_failed() && (rc == 0 || got.access.status != ACCESS_UNAPPROVED)) {
			if (wrong++ == 0)
				tap_ok(false, "%s: allocation %lu fails: code %d, %s", name, n, rc,
				       access_status_name(got.access.status));
		}
		if (!alloc_failed())
			tap_int(got.access.status, want, "%s: all went well", name);
		resolved_free(&got);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_int(wrong, 0, "%s: never approved", name);
	tap_ok(n > 20, "%s: %lu allocations failed in turn", name, n - 1);
}

int main(void)
{
	static const struct one_grant by_cert[2] = {{"REQ-1", NULL, NULL}};
	static const struct one_grant by_key[2] = {{"K", NULL, KEYS(KEY_1_FP)}};
	static const struct one_grant tie[2] = {{"A", NULL, NULL}, {"B", NULL, NULL}};
	static const struct one_grant over[2] = {{"REQ-1", UNTIL("01:00"), NULL}};

	umask(022);
	if (!mkdtemp(dir))
		return 99;
	snprintf(ca_dir, sizeof(ca_dir), "%s/ca.d", dir);
	snprintf(grant_dir, sizeof(grant_dir), "%s/grants.d", dir);
	snprintf(index_path, sizeof(index_path), "%s/index", dir);
	if (mkdir(ca_dir, 0755) < 0 || mkdir(grant_dir, 0755) < 0)
		return 99;
	put(ca_dir, "a.pub", CA_OURS "\nprofile=teleport " CA_TELEPORT " a comment\n");
	for (size_t i = 0; i < ARRAY_LEN(logins); i++)
		check_login(&logins[i]);
	for (size_t a = 0; a < ARRAY_LEN(tiers); a++)
		for (size_t b = 0; b < ARRAY_LEN(tiers); b++)
			check_pair(a, b);
	check_about();
	check_errors();
	check_lazy();
	check_crowd();
	check_no_memory("by certificate", AUTH(CERT_1), by_cert, ACCESS_APPROVED);
	check_no_memory("by key", AUTH(KEY_1), by_key, ACCESS_APPROVED);
	check_no_memory("a tie", PASSWORD, tie, ACCESS_AMBIGUOUS);
	check_no_memory("id only", AUTH(CERT_1), tie, ACCESS_ID_ONLY);
	check_no_memory("conflict", AUTH(CERT_1), over, ACCESS_CONFLICT);
	empty(grant_dir);
	empty(ca_dir);
	rmdir(grant_dir);
	rmdir(ca_dir);
	empty(dir);
	tap_int(rmdir(dir), 0, "nothing is left behind");
	return tap_done();
}
