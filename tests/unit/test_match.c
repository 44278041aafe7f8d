/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <string.h>

#include "common/access/match.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define NOW 1795230000000 /* 2026-11-21T03:00:00Z */

static bool in_group(void *ctx, const char *user, const char *group)
{
	++*(int *)ctx;
	return strcmp(user, "dba") == 0 && strcmp(group, "dbas") == 0;
}

/* A grant until five, with more members in front of match's end. */
static struct grant *make(const char *root_more, const char *match)
{
	_cleanup_buf_ struct buf b = {0};
	struct grant *g = NULL;
	struct sa_err err = {0};

	buf_init(&b, 4096);
	buf_printf(&b,
		   "{\"schema\":\"sessaudit.grant/1\",\"request\":{\"id\":\"R1\"},"
		   "\"expires_at\":\"2026-11-21T05:00:00Z\"%s,\"match\":{%s}}",
		   root_more, match);
	if (grant_parse("g", buf_slice(&b), &g, &err) < 0)
		tap_ok(false, "grant of the case: %s", err.msg);
	return g;
}

#define USERS "\"users\":[\"ops\",\"dba\"]"
#define KEY_A "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define CA_1 "SHA256:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
#define CA_2 "SHA256:DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"

static const struct match_key two_keys[] = {
	{KEY_A, NULL, NULL, NULL},
	{KEY_B, CA_1, "REQ-1042/alice", "1042"},
};

struct one {
	const char *name, *root_more, *match;
	const char *user, *service, *host;
	int64_t now_ms;
	enum match_reason want;
};

static const struct one ones[] = {
	{"user fits", "", USERS, NULL, NULL, NULL, 0, MATCH_OK},
	{"other user", "", USERS, "eve", NULL, NULL, 0, MATCH_USER},
	{"case of the user counts", "", USERS, "DBA", NULL, NULL, 0, MATCH_USER},
	{"user is a prefix", "", USERS, "db", NULL, NULL, 0, MATCH_USER},
	{"no user", "", USERS, "", NULL, NULL, 0, MATCH_USER},
	{"a user is no pattern", "", "\"users\":[\"*\"]", NULL, NULL, NULL, 0, MATCH_USER},
	{"group fits", "", "\"groups\":[\"x\",\"dbas\"]", NULL, NULL, NULL, 0, MATCH_OK},
	{"other group", "", "\"groups\":[\"x\"]", NULL, NULL, NULL, 0, MATCH_USER},
	{"group fits, user does not", "", "\"users\":[\"ops\"],\"groups\":[\"dbas\"]", NULL, NULL,
	 NULL, 0, MATCH_USER},
	{"user fits, group does not", "", USERS ",\"groups\":[\"x\"]", NULL, NULL, NULL, 0,
	 MATCH_USER},
	{"user and group fit", "", USERS ",\"groups\":[\"dbas\"]", NULL, NULL, NULL, 0, MATCH_OK},
	{"full host", ",\"hosts\":[\"prod-db-1.example.com\"]", USERS, NULL, NULL, NULL, 0,
	 MATCH_OK},
	{"short host", ",\"hosts\":[\"other\",\"prod-db-1\"]", USERS, NULL, NULL, NULL, 0,
	 MATCH_OK},
	{"case of the host does not count", ",\"hosts\":[\"PROD-DB-1\"]", USERS, NULL, NULL, NULL,
	 0, MATCH_OK},
	{"every host", ",\"hosts\":[\"*\"]", USERS, NULL, NULL, NULL, 0, MATCH_OK},
	{"other host", ",\"hosts\":[\"prod-db-2\"]", USERS, NULL, NULL, NULL, 0, MATCH_HOST},
	{"host is a prefix", ",\"hosts\":[\"prod-db\"]", USERS, NULL, NULL, NULL, 0, MATCH_HOST},
	{"host is longer", ",\"hosts\":[\"prod-db-10\"]", USERS, NULL, NULL, NULL, 0, MATCH_HOST},
	{"same name in another domain", ",\"hosts\":[\"prod-db-1.example.org\"]", USERS, NULL, NULL,
	 NULL, 0, MATCH_HOST},
	{"full name wanted, short name known", ",\"hosts\":[\"prod-db-1.example.com\"]", USERS,
	 NULL, NULL, "prod-db-1", 0, MATCH_HOST},
	{"no pattern but *", ",\"hosts\":[\"prod-*\"]", USERS, NULL, NULL, NULL, 0, MATCH_HOST},
	{"service fits", "", USERS ",\"services\":[\"login\",\"sshd\"]", NULL, NULL, NULL, 0,
	 MATCH_OK},
	{"other service", "", USERS ",\"services\":[\"login\"]", NULL, NULL, NULL, 0,
	 MATCH_SERVICE},
	{"revoked", ",\"revoked\":true", USERS, NULL, NULL, NULL, 0, MATCH_REVOKED},
	{"last millisecond", "", USERS, NULL, NULL, NULL, 1795237199999, MATCH_OK},
	{"at expires_at", "", USERS, NULL, NULL, NULL, 1795237200000, MATCH_EXPIRED},
	{"at not_before", ",\"not_before\":\"2026-11-21T03:00:00Z\"", USERS, NULL, NULL, NULL, NOW,
	 MATCH_OK},
	{"before not_before", ",\"not_before\":\"2026-11-21T03:00:00Z\"", USERS, NULL, NULL, NULL,
	 NOW - 1, MATCH_NOT_YET},
	{"source fits", "", USERS ",\"source\":[\"192.0.2.0/24\",\"10.0.0.0/8\"]", NULL, NULL, NULL,
	 0, MATCH_OK},
	{"other source", "", USERS ",\"source\":[\"192.0.2.0/24\"]", NULL, NULL, NULL, 0,
	 MATCH_SOURCE},
	{"the first key", "", USERS ",\"key_fp\":[\"" KEY_A "\"]", NULL, NULL, NULL, 0, MATCH_OK},
	{"the second key", "", USERS ",\"key_fp\":[\"" CA_2 "\",\"" KEY_B "\"]", NULL, NULL, NULL,
	 0, MATCH_OK},
	{"another key", "", USERS ",\"key_fp\":[\"" CA_1 "\"]", NULL, NULL, NULL, 0, MATCH_KEY},
	{"the CA", "", USERS ",\"ca_fp\":[\"" CA_1 "\"]", NULL, NULL, NULL, 0, MATCH_OK},
	{"another CA", "", USERS ",\"ca_fp\":[\"" CA_2 "\"]", NULL, NULL, NULL, 0, MATCH_KEY},
	{"the key id", "", USERS ",\"cert_key_id\":[\"REQ-1042/*\"]", NULL, NULL, NULL, 0,
	 MATCH_OK},
	{"another key id", "", USERS ",\"cert_key_id\":[\"REQ-104/*\"]", NULL, NULL, NULL, 0,
	 MATCH_KEY},
	{"the serial", "", USERS ",\"cert_serial\":[\"1042\"]", NULL, NULL, NULL, 0, MATCH_OK},
	{"another serial", "", USERS ",\"cert_serial\":[\"104\"]", NULL, NULL, NULL, 0, MATCH_KEY},
	{"all of one certificate", "",
	 USERS ",\"key_fp\":[\"" KEY_B "\"],\"ca_fp\":[\"" CA_1
	       "\"],\"cert_key_id\":[\"*alice\"],\"cert_serial\":[\"1042\"]",
	 NULL, NULL, NULL, 0, MATCH_OK},
	{"each of another key", "", USERS ",\"key_fp\":[\"" KEY_A "\"],\"ca_fp\":[\"" CA_1 "\"]",
	 NULL, NULL, NULL, 0, MATCH_KEY},
};

/* Each reason, with everything after it misfitting too: the order of the reasons. */
static const struct one order[] = {
	{"user first", ",\"revoked\":true,\"hosts\":[\"x\"]",
	 "\"users\":[\"x\"],\"services\":[\"x\"],\"source\":[\"192.0.2.1\"],\"key_fp\":[\"" CA_2
	 "\"]",
	 NULL, NULL, NULL, 1795237200000, MATCH_USER},
	{"then host", ",\"revoked\":true,\"hosts\":[\"x\"]",
	 USERS ",\"services\":[\"x\"],\"source\":[\"192.0.2.1\"],\"key_fp\":[\"" CA_2 "\"]", NULL,
	 NULL, NULL, 1795237200000, MATCH_HOST},
	{"then service", ",\"revoked\":true",
	 USERS ",\"services\":[\"x\"],\"source\":[\"192.0.2.1\"],\"key_fp\":[\"" CA_2 "\"]", NULL,
	 NULL, NULL, 1795237200000, MATCH_SERVICE},
	{"then source", ",\"revoked\":true",
	 USERS ",\"source\":[\"192.0.2.1\"],\"key_fp\":[\"" CA_2 "\"]", NULL, NULL, NULL,
	 1795237200000, MATCH_SOURCE},
	{"then key", ",\"revoked\":true", USERS ",\"key_fp\":[\"" CA_2 "\"]", NULL, NULL, NULL,
	 1795237200000, MATCH_KEY},
	{"then revoked", ",\"revoked\":true", USERS, NULL, NULL, NULL, 1795237200000,
	 MATCH_REVOKED},
	{"revoked before not yet", ",\"revoked\":true,\"not_before\":\"2026-11-21T04:00:00Z\"",
	 USERS, NULL, NULL, NULL, 0, MATCH_REVOKED},
};

static struct match_login login_of(const struct one *c, int *asked)
{
	return (struct match_login){.user = c->user ? c->user : "dba",
				    .service = c->service ? c->service : "sshd",
				    .host = c->host ? c->host : "prod-db-1.example.com",
				    .source = "10.1.2.3",
				    .now_ms = c->now_ms ? c->now_ms : NOW,
				    .keys = two_keys,
				    .n_keys = 2,
				    .in_group = in_group,
				    .group_ctx = asked};
}

static void check_one(const struct one *c)
{
	struct grant *g = make(c->root_more, c->match);
	int asked = 0;
	struct match_login l = login_of(c, &asked);

	if (!g)
		return;
	tap_str(match_reason_text(match_one(g, &l)), match_reason_text(c->want), "%s", c->name);
	grant_free(g);
}

/* A look-up of groups may be slow: only where it decides. */
static void check_groups_last(void)
{
	static const struct one c = {"", "", "", NULL, NULL, NULL, 0, MATCH_OK};
	struct grant *expired = make(",\"revoked\":true", "\"groups\":[\"dbas\"]");
	struct grant *users = make("", USERS), *groups = make("", "\"groups\":[\"dbas\"]");
	int asked = 0;
	struct match_login l = login_of(&c, &asked);

	tap_int(match_one(expired, &l), MATCH_REVOKED, "revoked, with groups");
	tap_int(match_one(users, &l), MATCH_OK, "no groups");
	tap_int(asked, 0, "nobody was asked about groups");
	tap_int(match_one(groups, &l), MATCH_OK, "groups");
	tap_int(asked, 1, "asked once");
	tap_ok(match_user(expired, &l), "match_user asks for one that does not fit otherwise");
	l.in_group = NULL;
	tap_int(match_one(groups, &l), MATCH_USER, "nobody to ask: in none");
	grant_free(expired);
	grant_free(users);
	grant_free(groups);
}

struct source {
	const char *network, *peer;
	bool fits;
};

static const struct source sources[] = {
	{"10.0.0.0/8", "10.255.255.255", true},
	{"10.0.0.0/8", "11.0.0.0", false},
	{"10.1.2.3", "10.1.2.3", true},
	{"10.1.2.3", "10.1.2.4", false},
	{"10.1.2.2/31", "10.1.2.3", true},
	{"10.1.2.2/31", "10.1.2.4", false},
	{"10.1.2.128/25", "10.1.2.127", false},
	{"10.1.2.128/25", "10.1.2.200", true},
	{"0.0.0.0/0", "203.0.113.9", true},
	{"0.0.0.0/0", "2001:db8::1", false},
	{"0.0.0.0/0", "::ffff:203.0.113.9", true},
	{"::/0", "2001:db8::1", true},
	{"::/0", "203.0.113.9", false},
	{"2001:db8::/32", "2001:db8:ffff::1", true},
	{"2001:db8::/32", "2001:db9::1", false},
	{"2001:db8::1", "2001:DB8:0:0::1", true},
	{"2001:db8::1/128", "2001:db8::2", false},
	{"10.0.0.0/8", "::ffff:10.0.0.1", true},
	{"10.0.0.0/8", "::ffff:0a00:0001", true},
	{"10.0.0.0/8", "::10.0.0.1", false},
	{"::ffff:10.0.0.0/104", "10.9.9.9", true},
	{"::ffff:10.0.0.0/104", "11.9.9.9", false},
	{"::ffff:10.0.0.1", "10.0.0.1", true},
	{"fe80::/10", "fe80::1%eth0", true},
	{"fe80::1", "fe80::1%7", true},
	{"fe80::/10", "fec0::1%eth0", false},
	{"10.0.0.0/8", NULL, false},
	{"0.0.0.0/0", "", false},
	{"0.0.0.0/0", "bastion.example.com", false},
	{"0.0.0.0/0", "10.0.0.1 ", false},
	{"0.0.0.0/0", "10.1", false},
	{"0.0.0.0/0", "010.0.0.1", false},
	{"::/0", "1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9", false},
};

static void check_sources(void)
{
	static const struct one c = {"", "", "", NULL, NULL, NULL, 0, MATCH_OK};

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		char *item = (char[64]){0};
		struct grant g = {.users = {(char *[]){(char[]){"dba"}}, 1},
				  .source = {&item, 1},
				  .expires_ms = NOW + 1};
		int asked = 0;
		struct match_login l = login_of(&c, &asked);

		strncpy(item, sources[i].network, 63);
		l.source = sources[i].peer;
		tap_int(match_one(&g, &l), sources[i].fits ? MATCH_OK : MATCH_SOURCE, "%s in %s",
			sources[i].peer ? sources[i].peer : "no peer", sources[i].network);
	}
}

static void check_networks(void)
{
	static const char *const good[] = {
		"10.0.0.0/8", "10.1.2.3",      "10.1.2.3/32", "0.0.0.0/0", "::/0",
		"::1",        "2001:db8::/32", "::1/128",     "fe80::/10", "::ffff:0.0.0.0/96"};
	static const char *const bad[] = {"",
					  "/8",
					  "10.0.0.0/",
					  "10.0.0.0/33",
					  "10.0.0.0/-1",
					  "10.0.0.0/+8",
					  "10.0.0.0/08",
					  "10.0.0.0/ 8",
					  "10.0.0.0/8 ",
					  "10.0.0.1/8",
					  "10.0.0/8",
					  "10.0.0.0/8/8",
					  "::/129",
					  "2001:db8::1/32",
					  "fe80::1%eth0",
					  "*",
					  "host",
					  "10.0.0.0/1000",
					  "::ffff:0.0.0.0/95",
					  "256.0.0.0/8",
					  "::ffff:10.0.0.1/97"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		tap_int(match_check_source(good[i]), 0, "network: %s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		tap_int(match_check_source(bad[i]), SA_ERR_INVALID, "no network: \"%s\"", bad[i]);
}

struct glob {
	const char *pattern, *text;
	bool fits;
};

static const struct glob globs[] = {
	{"", "", true},
	{"", "a", false},
	{"*", "", true},
	{"*", "anything\n\x01\xff", true},
	{"?", "", false},
	{"?", "\xff", true},
	{"?", "ab", false},
	{"a*c", "abbbc", true},
	{"a*c", "abbbcd", false},
	{"a*b*c", "a-b-b-c", true},
	{"a*b*c", "a-c-b", false},
	{"*a", "aaaaaaaa", true},
	{"*a?", "aaaaaaab", true},
	{"*ab", "aab", true},
	{"**a**", "xax", true},
	{"REQ-1042/*", "REQ-1042/", true},
	{"REQ-1042/*", "REQ-1042", false},
	{"[ab]", "a", false},
	{"[ab]", "[ab]", true},
	{"\\*", "*", false},
	{"\\*", "\\x", true},
	{"a/*", "a/b/c", true},
	{"*", ".hidden", true},
};

static void check_globs(void)
{
	static char many[8192];
	struct slice pattern = SLICE_LIT("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b");

	for (size_t i = 0; i < ARRAY_LEN(globs); i++)
		tap_int(match_glob(slice_of(globs[i].pattern), globs[i].text), globs[i].fits,
			"glob \"%s\"", globs[i].pattern);
	memset(many, 'a', sizeof(many) - 1);
	tap_ok(!match_glob(pattern, many), "many stars take no exponential time");
	tap_ok(match_glob((struct slice){"ab", 1}, "a"), "a pattern that is a part of a text");
}

static void check_keys(void)
{
	static const struct one c = {"", "", "", NULL, NULL, NULL, 0, MATCH_OK};
	struct grant *g = make("", USERS ",\"cert_serial\":[\"1042\"]"), *none = make("", USERS);
	int asked = 0;
	struct match_login l = login_of(&c, &asked);

	tap_ok(match_which_key(g, &l) == &two_keys[1], "the key that decides");
	tap_ok(match_which_key(none, &l) == NULL, "none for a grant that asks for none");
	l.n_keys = 1;
	tap_ok(match_which_key(g, &l) == NULL, "none that has it");
	tap_int(match_one(g, &l), MATCH_KEY, "a key without certificate has no serial");
	l.n_keys = 0;
	tap_int(match_one(g, &l), MATCH_KEY, "no key");
	grant_free(g);
	grant_free(none);
}

static void check_ranks(void)
{
	static const struct {
		const char *match;
		enum match_rank want;
	} ranks[] = {
		{USERS, MATCH_RANK_USER},
		{"\"groups\":[\"x\"]", MATCH_RANK_USER},
		{USERS ",\"services\":[\"sshd\"]", MATCH_RANK_USER},
		{USERS ",\"source\":[\"::/0\"]", MATCH_RANK_SOURCE},
		{USERS ",\"key_fp\":[\"" CA_2 "\"]", MATCH_RANK_KEY},
		{USERS ",\"ca_fp\":[\"" CA_2 "\"]", MATCH_RANK_KEY},
		{USERS ",\"cert_key_id\":[\"x\"]", MATCH_RANK_KEY},
		{USERS ",\"cert_serial\":[\"1\"]", MATCH_RANK_KEY},
		{USERS ",\"source\":[\"::/0\"],\"key_fp\":[\"" CA_2 "\"]", MATCH_RANK_KEY},
	};

	for (size_t i = 0; i < ARRAY_LEN(ranks); i++) {
		struct grant *g = make("", ranks[i].match);

		if (g)
			tap_int(match_rank(g), ranks[i].want, "rank of %s", ranks[i].match);
		grant_free(g);
	}
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ones); i++)
		check_one(&ones[i]);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		check_one(&order[i]);
	check_groups_last();
	check_sources();
	check_networks();
	check_globs();
	check_keys();
	check_ranks();
	return tap_done();
}
