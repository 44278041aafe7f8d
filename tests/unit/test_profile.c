/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/access/profile.h"
#include "common/cleanup.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/cert_make.h"
#include "tests/unit/tap.h"

/* A certificate and what is read from it. */
struct read_cert {
	struct cert_spec spec;
	struct buf blob;
	struct ssh_key key;
	struct profile_says says;
	struct sa_err err;
};

static void read_init(struct read_cert *r)
{
	*r = (struct read_cert){0};
	cert_spec_init(&r->spec);
}

static void read_free(struct read_cert *r)
{
	cert_spec_free(&r->spec);
	buf_free(&r->blob);
	profile_free(&r->says);
}

static int read_it(struct read_cert *r, const struct ca *ca)
{
	cert_build(&r->spec, &r->blob);
	if (ssh_key_parse(buf_slice(&r->blob), &r->key, &r->err) < 0)
		abort();
	return profile_read(ca, &r->key, &r->says, &r->err);
}

static void show_field(struct buf *out, const char *name, const char *value)
{
	if (value)
		buf_printf(out, "%s%s=%s", out->len ? " " : "", name, value);
}

/* All that was read, in one line. */
static void show(const struct profile_says *s, struct buf *out)
{
	buf_init(out, 1 << 20);
	for (size_t i = 0; i < s->n_ids; i++)
		show_field(out, "id", s->ids[i]);
	show_field(out, "requester", s->about.requester);
	show_field(out, "flow", s->about.flow);
	show_field(out, "justification", s->about.justification);
	show_field(out, "ticket", s->about.ticket);
	for (size_t i = 0; i < s->about.n_approvals; i++) {
		show_field(out, "by", s->about.approvals[i].by);
		show_field(out, "type", s->about.approvals[i].type);
	}
	show_field(out, "profile", s->about.cert_profile);
}

/* want is what show prints, or the error's message. */
static void check(struct read_cert *r, const struct ca *ca, int rc, const char *want,
		  const char *name)
{
	_cleanup_buf_ struct buf got = {0};

	tap_int(read_it(r, ca), rc, "%s", name);
	show(&r->says, &got);
	tap_str(buf_cstr(&got), rc == 0 ? want : "", "%s: says", name);
	if (rc < 0)
		tap_str(r->err.msg, want, "%s: why", name);
}

struct extension {
	const char *name, *value;
};

static void check_extensions(enum ca_profile p, struct slice key_id, const struct extension *list,
			     int rc, const char *want, const char *name)
{
	_cleanup_(read_free) struct read_cert r;
	struct ca ca = {.profile = p};

	read_init(&r);
	r.spec.key_id = key_id;
	for (; list->name; list++)
		cert_put_option(&r.spec.extensions, list->name, list->value);
	check(&r, &ca, rc, want, name);
}

#define EXTENSIONS(...) ((const struct extension[]){__VA_ARGS__, {NULL, NULL}})
#define REQUEST(value) EXTENSIONS({"request-id@sessaudit", value})
static const struct extension none[] = {{NULL, NULL}};

static void check_sessaudit(void)
{
	const struct slice id = SLICE_LIT("alice");

	check_extensions(CA_SESSAUDIT, id, none, 0, "profile=sessaudit", "no extension");
	check_extensions(CA_SESSAUDIT, id, REQUEST("REQ-1042"), 0, "id=REQ-1042 profile=sessaudit",
			 "request id");
	check_extensions(CA_SESSAUDIT, id,
			 EXTENSIONS({"request-id@sessaudit", "REQ-1042"},
				    {"requester@sessaudit", "alice@example.com"},
				    {"approver@sessaudit", "bob@example.com, eve"},
				    {"flow@sessaudit", "prod-ssh"}, {"ticket@sessaudit", "INC-77"},
				    {"justification@sessaudit", "disk full"}, {"other@x", "1"}),
			 0,
			 "id=REQ-1042 requester=alice@example.com flow=prod-ssh justification=disk "
			 "full ticket=INC-77 by=bob@example.com type=certificate by=eve "
			 "type=certificate profile=sessaudit",
			 "all extensions");
	check_extensions(CA_SESSAUDIT, id,
			 EXTENSIONS({"approver@sessaudit", ",, a ,"}, {"flow@sessaudit", ""}), 0,
			 "by=a type=certificate profile=sessaudit", "empty ones are none");
	check_extensions(
		CA_SESSAUDIT, id,
		EXTENSIONS({"approver@sessaudit", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"}), 0,
		"by=1 type=certificate by=2 type=certificate by=3 type=certificate by=4 "
		"type=certificate by=5 type=certificate by=6 type=certificate by=7 "
		"type=certificate by=8 type=certificate by=9 type=certificate by=10 "
		"type=certificate by=11 type=certificate by=12 type=certificate by=13 "
		"type=certificate by=14 type=certificate by=15 type=certificate by=16,17 "
		"type=certificate profile=sessaudit",
		"17 approvers: the last two stay together");
	check_extensions(CA_SESSAUDIT, SLICE_LIT("request[x] for[y] from[z]"), none, 0,
			 "profile=sessaudit", "the key id says nothing");
}

#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define ID "request-id@sessaudit: "
#define CONTROL ID "holds control characters, or is not UTF-8"

static void check_bad_ids(void)
{
	static const struct {
		const char *name, *id, *why;
	} rows[] = {
		{"empty", "", ID "empty"},
		{"newline", "REQ-1\n", CONTROL},
		{"escape", "\033[2JREQ-1", CONTROL},
		{"DEL", "REQ-1\x7f", CONTROL},
		{"C1", "REQ\xc2\x9b-1", CONTROL},
		{"right to left", "REQ\xe2\x80\xae-1", CONTROL},
		{"zero width", "REQ\xe2\x80\x8b-1", CONTROL},
		{"not UTF-8", "REQ-\xff", CONTROL},
		{"257 bytes", X256 "x", ID "longer than 256 bytes"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_extensions(CA_SESSAUDIT, SLICE_LIT("id"), REQUEST(rows[i].id), SA_ERR_INVALID,
				 rows[i].why, rows[i].name);
	check_extensions(CA_SESSAUDIT, SLICE_LIT("id"), REQUEST(X256), 0,
			 "id=" X256 " profile=sessaudit", "256 bytes");
	check_extensions(CA_SESSAUDIT, SLICE_LIT("id"), REQUEST("R'=\xc3\xa9/.."), 0,
			 "id=R'=\xc3\xa9/.. profile=sessaudit", "marks and letters are fine");
	check_extensions(CA_SESSAUDIT, SLICE_LIT("id"), REQUEST("R-1 status=approved"),
			 SA_ERR_INVALID,
			 "request-id@sessaudit: holds blanks, quotes or backslashes", "a blank");
	check_extensions(CA_SESSAUDIT, SLICE_LIT("id"), REQUEST("unapproved"), SA_ERR_INVALID,
			 "request-id@sessaudit: is a word that means no request",
			 "the word for none");
	check_extensions(CA_SESSAUDIT, SLICE_LIT("id"), REQUEST("R\""), SA_ERR_INVALID,
			 "request-id@sessaudit: holds blanks, quotes or backslashes", "a quote");
}

static void check_raw_ids(void)
{
	_cleanup_(read_free) struct read_cert r, flag;
	struct ca ca = {.profile = CA_SESSAUDIT};

	read_init(&r);
	cert_put_raw_option(&r.spec.extensions, "request-id@sessaudit",
			    (struct slice){"\0\0\0\5RE\0-1", 9});
	check(&r, &ca, SA_ERR_INVALID, CONTROL, "a NUL");
	read_init(&flag);
	cert_put_raw_option(&flag.spec.extensions, "request-id@sessaudit", SLICE_LIT(""));
	check(&flag, &ca, SA_ERR_INVALID, ID "empty", "a flag for an id");
}

#define TELEPORT(json) EXTENSIONS({"teleport-roles", "{}"}, {"teleport-active-requests", json})
#define ID1 "0190b6a2-5d2f-7c4e-8f43-5d2e9a6b7c01"
#define ID2 "0190b6a2-5d2f-7c4e-8f43-5d2e9a6b7c02"
#define ACTIVE "teleport-active-requests: "

static void check_teleport(void)
{
	static const struct {
		const char *name, *json;
		int rc;
		const char *want;
	} rows[] = {
		{"one", "{\"access_requests\":[\"" ID1 "\"]}", 0, "id=" ID1},
		{"two", "{\"access_requests\":[\"" ID1 "\",\"" ID2 "\"]}", 0, "id=" ID1 " id=" ID2},
		{"twice the same", "{\"access_requests\":[\"" ID1 "\",\"" ID1 "\"]}", 0, "id=" ID1},
		{"empty list", "{\"access_requests\":[]}", 0, ""},
		{"no list", "{}", 0, ""},
		{"other members", "{\"v\":2,\"access_requests\":[\"" ID1 "\"]}", 0, "id=" ID1},
		{"a string", "{\"access_requests\":\"" ID1 "\"}", SA_ERR_INVALID,
		 ACTIVE "no list of requests"},
		{"a bare list", "[\"" ID1 "\"]", SA_ERR_INVALID, ACTIVE "no list of requests"},
		{"a number in it", "{\"access_requests\":[\"" ID1 "\",7]}", SA_ERR_INVALID,
		 ACTIVE "empty"},
		{"a newline in one", "{\"access_requests\":[\"a\\nb\"]}", SA_ERR_INVALID,
		 ACTIVE "holds control characters, or is not UTF-8"},
		{"a NUL in one", "{\"access_requests\":[\"a\\u0000b\"]}", SA_ERR_INVALID,
		 ACTIVE "holds control characters, or is not UTF-8"},
		{"17",
		 "{\"access_requests\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\","
		 "\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]}",
		 SA_ERR_INVALID, ACTIVE "more than 16 requests"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char want[256];

		snprintf(want, sizeof(want), "%s%srequester=alice profile=teleport", rows[i].want,
			 rows[i].want[0] ? " " : "");
		check_extensions(CA_TELEPORT, SLICE_LIT("alice"), TELEPORT(rows[i].json),
				 rows[i].rc, rows[i].rc ? rows[i].want : want, rows[i].name);
	}
	check_extensions(CA_TELEPORT, SLICE_LIT("alice"), none, 0,
			 "requester=alice profile=teleport", "no active requests");
	check_extensions(CA_TELEPORT, SLICE_LIT("al\xffice"), REQUEST("REQ-1"), 0,
			 "requester=al\\xffice profile=teleport",
			 "extensions of sessaudit say nothing");
}

static void check_teleport_syntax(void)
{
	_cleanup_(read_free) struct read_cert r;
	struct ca ca = {.profile = CA_TELEPORT};

	read_init(&r);
	cert_put_option(&r.spec.extensions, "teleport-active-requests", "{\"access_requests\":[");
	tap_int(read_it(&r, &ca), SA_ERR_INVALID, "cut JSON");
	tap_ok(slice_starts(slice_of(r.err.msg), ACTIVE), "names the extension: %s", r.err.msg);
	tap_int((long long)r.says.n_ids, 0, "and no id");
	tap_str(r.says.about.requester, NULL, "and no requester");
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void check_vault(void)
{
	static const struct {
		const char *name, *key_id, *want;
	} rows[] = {
		{"name", "vault-ldap-alice-" HASH, "id=R requester=ldap-alice profile=vault"},
		{"no name", "vault-" HASH, "id=R profile=vault"},
		{"an empty name", "vault--" HASH, "id=R profile=vault"},
		{"short hash", "vault-alice-0123456789abcdef", "id=R profile=vault"},
		{"no hex", "vault-alice-" X16 X16 X16 X16, "id=R profile=vault"},
		{"other form", "alice", "id=R profile=vault"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_extensions(CA_VAULT, slice_of(rows[i].key_id), REQUEST("R"), 0, rows[i].want,
				 rows[i].name);
	check_extensions(CA_VAULT, SLICE_LIT("vault-oidc-alice-" HASH),
			 EXTENSIONS({"requester@sessaudit", "mallory"}), 0,
			 "requester=oidc-alice profile=vault", "Vault's word counts");
	check_extensions(CA_VAULT, SLICE_LIT("custom"), EXTENSIONS({"requester@sessaudit", "bob"}),
			 0, "requester=bob profile=vault", "else the extension's");
}

static void check_bless(void)
{
	static const struct {
		const char *name, *key_id;
		int rc;
		const char *want;
	} rows[] = {
		{"as BLESS writes it",
		 "request[3f2b7c1e-aa00] for[alice] from[10.1.2.3] command[ssh db1] "
		 "ssh_key[MD5 aa:bb]  ca[arn:aws:lambda:x] valid_to[2026/11/21 05:00:00]",
		 0, "id=3f2b7c1e-aa00 requester=alice profile=bless"},
		{"a command that looks like a request",
		 "request[1] for[alice] from[10.1.2.3] command[request[2] for[bob] from[x]]", 0,
		 "id=1 requester=alice profile=bless"},
		{"a user that looks like a request",
		 "request[1] for[x] request[2] for[y] from[10.1.2.3]", 0,
		 "id=1 requester=x] request[2] for[y profile=bless"},
		{"no user", "request[1] for[] from[]", 0, "id=1 profile=bless"},
		{"another form", "alice", 0, "profile=bless"},
		{"not in front", " request[1] for[alice] from[x]", 0, "profile=bless"},
		{"empty id", "request[] for[alice] from[x]", SA_ERR_INVALID, "key id: empty"},
		{"cut", "request[1] for[alice]", SA_ERR_INVALID,
		 "key id: not \"request[<id>] for[<user>] from[<ip>] ...\""},
		{"not closed", "request[1", SA_ERR_INVALID,
		 "key id: not \"request[<id>] for[<user>] from[<ip>] ...\""},
		{"a host's", "request[1] ssh_key[x] ca[y]", SA_ERR_INVALID,
		 "key id: not \"request[<id>] for[<user>] from[<ip>] ...\""},
		{"newline", "request[1\n2] for[alice] from[x]", SA_ERR_INVALID,
		 "key id: holds control characters, or is not UTF-8"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_extensions(CA_BLESS, slice_of(rows[i].key_id), REQUEST("R"), rows[i].rc,
				 rows[i].want, rows[i].name);
}

static void check_pattern(const char *pattern, struct slice key_id, int rc, const char *want,
			  const char *name)
{
	_cleanup_(read_free) struct read_cert r;
	struct ca ca = {.profile = CA_REGEX};

	read_init(&r);
	r.spec.key_id = key_id;
	if (tap_int(profile_regex_compile(slice_of(pattern), &ca.regex, NULL), 0, "%s", pattern))
		check(&r, &ca, rc, want, name);
	profile_regex_free(ca.regex);
}

static void check_regex(void)
{
	check_pattern("^(?<request>[A-Z]+-[0-9]+)/", SLICE_LIT("REQ-1042/alice"), 0,
		      "id=REQ-1042 profile=regex", "the example");
	check_pattern("^(?<request>[A-Z]+-[0-9]+)/", SLICE_LIT("alice/REQ-1042/"), 0,
		      "profile=regex", "no match names nothing");
	check_pattern(
		"^(?<requester>[^|]*)\\|(?<approver>[^|]*)\\|(?<flow>[^|]*)\\|(?<ticket>[^|]*)"
		"\\|(?<request>[^|]+)$",
		SLICE_LIT("alice|bob,eve|f|INC-1|R"), 0,
		"id=R requester=alice flow=f ticket=INC-1 by=bob type=certificate by=eve "
		"type=certificate profile=regex",
		"all groups");
	check_pattern("^(?<request>R)?(?<requester>.*)$", SLICE_LIT("alice"), 0,
		      "requester=alice profile=regex", "a group that took no part");
	check_pattern("^(?<request>.*)$", SLICE_LIT(""), SA_ERR_INVALID, "key id: empty",
		      "an empty match");
	check_pattern("^(?<request>R[0-9])$", SLICE_LIT("R1\n"), 0, "profile=regex",
		      "the end is the end");
	check_pattern("^(?<request>R[0-9]+)$", SLICE_LIT("x\nR1"), 0, "profile=regex",
		      "a line is not the beginning");
	check_pattern("(?s)^(?<request>.*)$", SLICE_LIT("R\n1"), SA_ERR_INVALID,
		      "key id: holds control characters, or is not UTF-8", "a newline in the id");
	check_pattern("^(?<request>.)", SLICE_LIT("\xc3\xa9"), SA_ERR_INVALID,
		      "key id: holds control characters, or is not UTF-8", "half a character");
	check_pattern("^(?<request>R1)\\x00", (struct slice){"R1\0x", 4}, 0, "id=R1 profile=regex",
		      "bytes after a NUL count");
}

/* Nested repeats: time would double with each byte of the key id. */
static void check_regex_limits(void)
{
	static const char xs[] = X256 X256 X256 X256 "x";
	struct timespec before, after;
	double ms;

	clock_gettime(CLOCK_MONOTONIC, &before);
	check_pattern("^(?<request>(x+x+)+)[yz]", (struct slice){xs, 1024}, SA_ERR_INVALID,
		      "key id: the regex takes too many steps on it (PCRE2 error -47)",
		      "a pattern that explodes");
	check_pattern("(?<request>(x+x+)+)[yz]", (struct slice){xs, 1024}, SA_ERR_INVALID,
		      "key id: the regex takes too many steps on it (PCRE2 error -47)",
		      "and anywhere");
	check_pattern("(?<request>x{0,90}x{0,90})[yz]", (struct slice){xs, 1024}, 0,
		      "profile=regex", "the most steps at every place");
	clock_gettime(CLOCK_MONOTONIC, &after);
	ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
	     (double)(after.tv_nsec - before.tv_nsec) / 1e6;
	tap_ok(ms < 2000, "all in %.1f ms", ms);
	check_pattern("^(?<request>x)", (struct slice){xs, 1025}, SA_ERR_INVALID,
		      "key id: longer than 1024 bytes", "a key id of 1,025 bytes");
	check_pattern("^(?<request>x)", (struct slice){xs, 1024}, 0, "id=x profile=regex",
		      "one of 1,024");
}

static void check_bad_patterns(void)
{
	static const char *const patterns[] = {"(?<request>x",
					       "(?<requests>x)",
					       "(*UTF)(?<request>x)",
					       "(*UCP)(?<request>x)",
					       "(?<request>\\C)",
					       "(?<request>x)(?<request>y)",
					       "(?J)(?<request>x)(?<request>y)"};
	void *regex = NULL;

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
		tap_int(profile_regex_compile(slice_of(patterns[i]), &regex, NULL), SA_ERR_INVALID,
			"refused: %s", patterns[i]);
	tap_ok(!regex, "none of them gives a regex");
}

static void check_other_keys(void)
{
	_cleanup_(read_free) struct read_cert host;
	struct ca ca = {.profile = CA_SESSAUDIT};
	struct ssh_key plain = {0};

	read_init(&host);
	host.spec.kind = 2;
	cert_put_option(&host.spec.extensions, "request-id@sessaudit", "R");
	check(&host, &ca, SA_ERR_INVALID, "not a user's certificate", "a host's certificate");
	tap_int(profile_read(&ca, &plain, &host.says, NULL), SA_ERR_INVALID, "a plain key");
}

/* A key id of 6,000 bytes does no harm anywhere. */
static void check_long_key_id(void)
{
	_cleanup_buf_ struct buf id = {0}, want = {0};

	buf_init(&id, 1 << 16);
	buf_init(&want, 1 << 16);
	for (int i = 0; i < 6000; i++)
		buf_putc(&id, 'x');
	check_extensions(CA_SESSAUDIT, buf_slice(&id), REQUEST("R"), 0, "id=R profile=sessaudit",
			 "6,000 bytes: sessaudit");
	check_extensions(CA_VAULT, buf_slice(&id), REQUEST("R"), 0, "id=R profile=vault",
			 "6,000 bytes: vault");
	check_extensions(CA_BLESS, buf_slice(&id), REQUEST("R"), 0, "profile=bless",
			 "6,000 bytes: bless");
	buf_printf(&want, "requester=%.1024s profile=teleport", buf_cstr(&id));
	check_extensions(CA_TELEPORT, buf_slice(&id), none, 0, buf_cstr(&want),
			 "6,000 bytes: teleport, cut");
}

static void check_no_memory(void)
{
	_cleanup_(read_free) struct read_cert r;
	struct ca ca = {.profile = CA_SESSAUDIT};
	unsigned long n = 0;
	int rc;

	read_init(&r);
	cert_put_option(&r.spec.extensions, "request-id@sessaudit", "R");
	cert_put_option(&r.spec.extensions, "approver@sessaudit", "a,b");
	cert_put_option(&r.spec.extensions, "ticket@sessaudit", "T");
	tap_int(read_it(&r, &ca), 0, "with memory");
	do {
		profile_free(&r.says);
		alloc_fail_at(++n);
		rc = profile_read(&ca, &r.key, &r.says, NULL);
		if (alloc_failed())
			tap_int((long long)r.says.n_ids, 0, "allocation %lu fails: nothing", n);
	} while (alloc_failed() && tap_int(rc, SA_ERR_NOMEM, "allocation %lu fails", n));
	alloc_fail_at(0);
	tap_ok(n > 10 && rc == 0, "and none after them");
}

int main(void)
{
	check_sessaudit();
	check_bad_ids();
	check_raw_ids();
	check_teleport();
	check_teleport_syntax();
	check_vault();
	check_bless();
	check_regex();
	check_regex_limits();
	check_bad_patterns();
	check_other_keys();
	check_long_key_id();
	check_no_memory();
	return tap_done();
}
