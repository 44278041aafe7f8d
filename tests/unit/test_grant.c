/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/access/grant.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

#define FP "SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define CA_FP "SHA256:+/09azAZ+/09azAZ+/09azAZ+/09azAZ+/09azAZabc"

/* A grant with everything, the example of the documentation. */
static const char full[] =
	"{ \"schema\":\"sessaudit.grant/1\", \"grant_id\":\"g-7f3a\", \"broker\":\"apono\",\n"
	"  \"request\":{ \"id\":\"REQ-1042\", \"flow\":{\"id\":\"f1\",\"name\":\"prod-ssh\"},\n"
	"    \"requester\":{\"id\":\"u1\",\"email\":\"alice@example.com\"},\n"
	"    \"approvals\":[{\"by\":\"bob@example.com\",\"type\":\"user\",\"status\":\"approved\","
	"\"at\":\"2026-11-21T01:00:00Z\"}],\n"
	"    \"justification\":\"INC-77: disk full\", \"resource\":\"ssh/prod-db-1\","
	"\"ticket\":\"INC-77\" },\n"
	"  \"hosts\":[\"prod-db-1\"], \"not_before\":\"2026-11-21T03:00:00+02:00\",\n"
	"  \"issued_at\":\"2026-11-20T23:00:00.25Z\",\n"
	"  \"expires_at\":\"2026-11-21T05:00:00.5Z\", \"revoked\":false,\n"
	"  \"match\":{ \"users\":[\"dba\",\"root\"], \"services\":[\"sshd\"],"
	"\"source\":[\"10.0.0.0/8\"],\n"
	"    \"groups\":[\"ops\"], \"key_fp\":[\"" FP "\"], \"ca_fp\":[\"" CA_FP "\"], "
	"\"cert_key_id\":[\"REQ-1042/*\"], \"cert_serial\":[\"1042\"] } }\n";

#define S "\"schema\":\"sessaudit.grant/1\","
#define R "\"request\":{\"id\":\"R1\"},"
#define E "\"expires_at\":\"2026-11-21T05:00:00Z\","
#define M "\"match\":{\"users\":[\"dba\"]}"

#define NETWORK "an address or a network with no host bits set, as 10.0.0.0/8"
#define FINGERPRINT "a fingerprint as ssh-keygen -l prints it, SHA256: and 43 characters"
#define SERIAL "a decimal number below 2^64 without leading zeros"

struct bad {
	const char *name, *text, *message;
};

static const struct bad bads[] = {
	{"schema missing", "{" R E M "}", "x.json: schema: must be \"sessaudit.grant/1\""},
	{"schema of another version", "{\"schema\":\"sessaudit.grant/2\"," R E M "}",
	 "x.json: schema: must be \"sessaudit.grant/1\""},
	{"a list", "[]", "x.json: must be a JSON object"},
	{"request missing", "{" S E M "}",
	 "x.json: request.id: missing: name the request that was approved"},
	{"request.id missing", "{" S "\"request\":{}," E M "}",
	 "x.json: request.id: missing: name the request that was approved"},
	{"request.id empty", "{" S "\"request\":{\"id\":\"\"}," E M "}",
	 "x.json: request.id: missing: name the request that was approved"},
	{"request.id a number", "{" S "\"request\":{\"id\":1042}," E M "}",
	 "x.json: request.id: must be a string"},
	{"LF in request.id", "{" S "\"request\":{\"id\":\"R\\n1\"}," E M "}",
	 "x.json: request.id: holds control characters, or is not UTF-8"},
	{"right-to-left override in request.id",
	 "{" S "\"request\":{\"id\":\"R\\u202e1\"}," E M "}",
	 "x.json: request.id: holds control characters, or is not UTF-8"},
	{"ESC in grant_id", "{" S "\"grant_id\":\"\\u001b\"," R E M "}",
	 "x.json: grant_id: holds control characters, or is not UTF-8"},
	{"request is text", "{" S "\"request\":\"R1\"," E M "}",
	 "x.json: request: must be an object"},
	{"expires_at missing", "{" S R M "}",
	 "x.json: expires_at: missing: say when the access ends, as 2026-11-21T05:00:00Z"},
	{"expires_at without zone", "{" S R "\"expires_at\":\"2026-11-21T05:00:00\"," M "}",
	 "x.json: expires_at: not an RFC 3339 time: write it as 2026-11-21T05:00:00Z"},
	{"expires_at no such day", "{" S R "\"expires_at\":\"2026-02-30T05:00:00Z\"," M "}",
	 "x.json: expires_at: not an RFC 3339 time: write it as 2026-11-21T05:00:00Z"},
	{"expires_at a number", "{" S R "\"expires_at\":1763701200," M "}",
	 "x.json: expires_at: must be a string"},
	{"not_before is expires_at", "{" S R E "\"not_before\":\"2026-11-21T05:00:00Z\"," M "}",
	 "x.json: expires_at: not after not_before"},
	{"bad time of an approval",
	 "{" S "\"request\":{\"id\":\"R1\",\"approvals\":[{\"at\":\"today\"}]}," E M "}",
	 "x.json: request.approvals.at: not an RFC 3339 time: write it as 2026-11-21T05:00:00Z"},
	{"match missing", "{" S R "\"expires_at\":\"2026-11-21T05:00:00Z\"}",
	 "x.json: match.users: missing: name the users, or the groups in match.groups, "
	 "that the grant "
	 "is for"},
	{"match empty", "{" S R E "\"match\":{}}",
	 "x.json: match.users: missing: name the users, or the groups in match.groups, "
	 "that the grant "
	 "is for"},
	{"match without users", "{" S R E "\"match\":{\"services\":[\"sshd\"]}}",
	 "x.json: match.users: missing: name the users, or the groups in match.groups, "
	 "that the grant "
	 "is for"},
	{"users empty", "{" S R E "\"match\":{\"users\":[]}}",
	 "x.json: match.users: must have 1 to 256 items"},
	{"users is text", "{" S R E "\"match\":{\"users\":\"dba\"}}",
	 "x.json: match.users: must be an array"},
	{"users hold numbers", "{" S R E "\"match\":{\"users\":[0]}}",
	 "x.json: match.users: must hold strings of 1 to 1024 bytes"},
	{"users hold the empty name", "{" S R E "\"match\":{\"users\":[\"\"]}}",
	 "x.json: match.users: must hold strings of 1 to 1024 bytes"},
	{"users hold a NUL", "{" S R E "\"match\":{\"users\":[\"dba\\u0000x\"]}}",
	 "x.json: match.users: must hold strings of 1 to 1024 bytes"},
	{"hosts empty", "{" S R E "\"hosts\":[]," M "}", "x.json: hosts: must have 1 to 256 items"},
	{"serial a number", "{" S R E "\"match\":{\"users\":[\"dba\"],\"cert_serial\":[1042]}}",
	 "x.json: match.cert_serial: must hold strings of 1 to 1024 bytes"},
	{"source with host bits",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],\"source\":[\"10.0.0.1/8\"]}}",
	 "x.json: match.source: \"10.0.0.1/8\": must be " NETWORK},
	{"source is a name", "{" S R E "\"match\":{\"users\":[\"dba\"],\"source\":[\"bastion\"]}}",
	 "x.json: match.source: \"bastion\": must be " NETWORK},
	{"source with a prefix too long",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],\"source\":[\"2001:db8::/129\"]}}",
	 "x.json: match.source: \"2001:db8::/129\": must be " NETWORK},
	{"key_fp in MD5",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],\"key_fp\":[\"MD5:16:27:ac\"]}}",
	 "x.json: match.key_fp: \"MD5:16:27:ac\": must be " FINGERPRINT},
	{"key_fp too short",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],"
	 "\"key_fp\":[\"SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\"]}}",
	 "x.json: match.key_fp: "
	 "\"SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\": must be " FINGERPRINT},
	{"key_fp too long",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],"
	 "\"key_fp\":[\"SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\"]}}",
	 "x.json: match.key_fp: "
	 "\"SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\": must be " FINGERPRINT},
	{"key_fp with padding",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],"
	 "\"key_fp\":[\"SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk=\"]}}",
	 "x.json: match.key_fp: "
	 "\"SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk=\": must be " FINGERPRINT},
	{"key_fp in base64url",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],"
	 "\"key_fp\":[\"SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk-\"]}}",
	 "x.json: match.key_fp: "
	 "\"SHA256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk-\": must be " FINGERPRINT},
	{"ca_fp in lower case",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],"
	 "\"ca_fp\":[\"sha256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\"]}}",
	 "x.json: match.ca_fp: "
	 "\"sha256:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\": must be " FINGERPRINT},
	{"serial with a zero in front",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],\"cert_serial\":[\"01042\"]}}",
	 "x.json: match.cert_serial: \"01042\": must be " SERIAL},
	{"serial in hex", "{" S R E "\"match\":{\"users\":[\"dba\"],\"cert_serial\":[\"0x1\"]}}",
	 "x.json: match.cert_serial: \"0x1\": must be " SERIAL},
	{"serial below zero", "{" S R E "\"match\":{\"users\":[\"dba\"],\"cert_serial\":[\"-1\"]}}",
	 "x.json: match.cert_serial: \"-1\": must be " SERIAL},
	{"serial 2^64",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],\"cert_serial\":[\"18446744073709551616\"]}}",
	 "x.json: match.cert_serial: \"18446744073709551616\": must be " SERIAL},
	{"serial of 21 digits",
	 "{" S R E "\"match\":{\"users\":[\"dba\"],\"cert_serial\":[\"100000000000000000000\"]}}",
	 "x.json: match.cert_serial: \"100000000000000000000\": must be " SERIAL},
	{"groups empty", "{" S R E "\"match\":{\"groups\":[]}}",
	 "x.json: match.groups: must have 1 to 256 items"},
	{"issued_at is no time", "{" S R E "\"issued_at\":\"now\"," M "}",
	 "x.json: issued_at: not an RFC 3339 time: write it as 2026-11-21T05:00:00Z"},
	{"issued_at a number", "{" S R E "\"issued_at\":1795215600," M "}",
	 "x.json: issued_at: must be a string"},
	{"revoked is text", "{" S R E "\"revoked\":\"no\"," M "}",
	 "x.json: revoked: must be true or false"},
	{"unknown key", "{" S R E "\"user\":\"dba\"," M "}",
	 "x.json: user: unknown key: remove it, or correct its name"},
	{"unknown key in match", "{" S R E "\"match\":{\"users\":[\"dba\"],\"host\":[\"h\"]}}",
	 "x.json: match.host: unknown key: remove it, or correct its name"},
	{"unknown key in request", "{" S "\"request\":{\"id\":\"R1\",\"a\":1}," E M "}",
	 "x.json: request.a: unknown key: remove it, or correct its name"},
	{"unknown key in an approval",
	 "{" S "\"request\":{\"id\":\"R1\",\"approvals\":[{\"who\":\"b\"}]}," E M "}",
	 "x.json: request.approvals.who: unknown key: remove it, or correct its name"},
};

static int parse(const char *text, struct grant **out, struct sa_err *err)
{
	return grant_parse("x.json", slice_of(text), out, err);
}

static void check_full(void)
{
	struct grant *g = NULL;
	struct sa_err err = {0};

	if (!tap_int(parse(full, &g, &err), 0, "the full example %s", err.msg))
		return;
	tap_str(g->file, "x.json", "file");
	tap_int(g->access.status, ACCESS_APPROVED, "status");
	tap_str(g->access.request_id, "REQ-1042", "request.id");
	tap_str(g->access.grant_id, "g-7f3a", "grant_id");
	tap_str(g->access.broker, "apono", "broker");
	tap_str(g->access.requester_id, "u1", "requester.id");
	tap_str(g->access.requester, "alice@example.com", "requester.email");
	tap_str(g->access.flow_id, "f1", "flow.id");
	tap_str(g->access.flow, "prod-ssh", "flow.name");
	tap_str(g->access.justification, "INC-77: disk full", "justification");
	tap_str(g->access.resource, "ssh/prod-db-1", "resource");
	tap_str(g->access.ticket, "INC-77", "ticket");
	tap_str(g->access.not_before, "2026-11-21T01:00:00.000Z", "not_before in UTC");
	tap_str(g->access.expires_at, "2026-11-21T05:00:00.500Z", "expires_at");
	tap_int(g->not_before_ms, 1795222800000, "not_before in ms");
	tap_int(g->expires_ms, 1795237200500, "expires_at in ms");
	tap_str(g->access.grant_sha256,
		"67ca3ba20d895de67972d0e9e2ff906e3b93e4edea5068f33a2b356d43674dbf", "sha256");
	tap_int((long long)g->access.n_approvals, 1, "approvals");
	tap_str(g->access.approvals[0].by, "bob@example.com", "approval by");
	tap_str(g->access.approvals[0].at, "2026-11-21T01:00:00.000Z", "approval at");
	tap_int((long long)g->users.len, 2, "users");
	tap_str(g->users.items[1], "root", "second user");
	tap_str(g->groups.items[0], "ops", "groups");
	tap_int(g->issued_ms, 1795215600250, "issued_at in ms");
	tap_str(g->hosts.items[0], "prod-db-1", "hosts");
	tap_str(g->services.items[0], "sshd", "services");
	tap_str(g->source.items[0], "10.0.0.0/8", "source");
	tap_str(g->key_fp.items[0], FP, "key_fp");
	tap_str(g->ca_fp.items[0], CA_FP, "ca_fp");
	tap_str(g->cert_key_id.items[0], "REQ-1042/*", "cert_key_id");
	tap_str(g->cert_serial.items[0], "1042", "cert_serial");
	tap_ok(!g->revoked, "revoked");
	grant_free(g);
}

static void check_least(void)
{
	struct grant *g = NULL;

	tap_int(parse("{" S R E M "}", &g, NULL), 0, "the least that is needed");
	tap_int(g->not_before_ms, 0, "no not_before is long ago");
	tap_str(g->access.not_before, NULL, "no not_before");
	tap_int((long long)g->hosts.len, 0, "no hosts");
	grant_free(g);
	tap_int(parse("{" S "\"request\":{\"id\":\"R1\",\"requester\":{\"name\":\"Al\"}}," E
		      "\"revoked\":true," M "}",
		      &g, NULL),
		0, "requester by name, revoked");
	tap_str(g->access.requester, "Al", "requester.name");
	tap_ok(g->revoked, "revoked");
	grant_free(g);
	g = NULL;
	tap_int(parse("{" S R E "\"match\":{\"groups\":[\"dba\"]}}", &g, NULL), 0,
		"groups, no users");
	tap_int((long long)g->users.len, 0, "no users");
	tap_int(g->issued_ms, 0, "no issued_at");
	grant_free(g);
}

static void check_good_items(void)
{
	static const char *const goods[] = {
		"\"cert_serial\":[\"0\",\"18446744073709551615\",\"9\"]",
		"\"source\":[\"10.1.2.3\",\"0.0.0.0/0\",\"2001:db8::/32\",\"::1\"]",
		"\"key_fp\":[\"" FP "\",\"" CA_FP "\"]",
	};

	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		struct sa_err err = {0};
		struct grant *g = NULL;
		char text[512];

		snprintf(text, sizeof(text), "{%s\"match\":{\"users\":[\"dba\"],%s}}", S R E,
			 goods[i]);
		tap_int(parse(text, &g, &err), 0, "%s %s", goods[i], err.msg);
		grant_free(g);
	}
}

static void check_bad(const struct bad *b)
{
	struct grant *g = NULL;
	struct sa_err err = {0};

	tap_int(parse(b->text, &g, &err), SA_ERR_INVALID, "%s: refused", b->name);
	tap_str(err.msg, b->message, "%s: message", b->name);
	tap_ok(!g, "%s: out untouched", b->name);
}

/* What the JSON reader finds: only the file's name before its own words is ours. */
static void check_broken_json(void)
{
	static const struct bad broken[] = {
		{"nothing", "", NULL},
		{"cut off", "{" S R E "\"match\":{\"users\":[\"dba\"]", NULL},
		{"bytes behind", "{" S R E M "} {}", NULL},
		{"not UTF-8", "{" S "\"request\":{\"id\":\"R\xff\"}," E M "}", NULL},
		{"duplicate key", "{" S R R E M "}", "request"},
		{"duplicate key in match",
		 "{" S R E "\"match\":{\"users\":[\"dba\"],\"users\":[\"eve\"]}}", "users"},
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct grant *g = NULL;
		struct sa_err err = {0};

		tap_int(parse(broken[i].text, &g, &err), SA_ERR_INVALID, "%s: refused",
			broken[i].name);
		tap_ok(strncmp(err.msg, "x.json: ", 8) == 0 && err.msg[8], "%s: %s", broken[i].name,
		       err.msg);
		if (broken[i].message)
			tap_ok(strstr(err.msg, broken[i].message) != NULL, "%s: key is named",
			       broken[i].name);
	}
}

/* A grant with n approvals, n users and an id of n bytes, each one or at its bound. */
static int parse_sized(size_t approvals, size_t users, size_t id)
{
	_cleanup_buf_ struct buf b = {0};
	struct grant *g = NULL;
	int rc;

	buf_init(&b, 65536);
	buf_puts(&b, "{" S E "\"request\":{\"id\":\"");
	for (size_t i = 0; i < id; i++)
		buf_putc(&b, 'R');
	buf_puts(&b, "\",\"approvals\":[{}");
	for (size_t i = 1; i < approvals; i++)
		buf_puts(&b, ",{}");
	buf_puts(&b, "]},\"match\":{\"users\":[\"u\"");
	for (size_t i = 1; i < users; i++)
		buf_puts(&b, ",\"u\"");
	buf_puts(&b, "]}}");
	rc = parse(buf_cstr(&b), &g, NULL);
	grant_free(g);
	return rc;
}

static void check_size(size_t pad, int want)
{
	_cleanup_buf_ struct buf b = {0};
	struct grant *g = NULL;

	buf_init(&b, 2 * GRANT_MAX_BYTES);
	buf_puts(&b, "{" S R E M "}");
	while (b.len < pad)
		buf_putc(&b, ' ');
	tap_int(grant_parse("x", buf_slice(&b), &g, NULL), want, "a file of %zu bytes", pad);
	grant_free(g);
}

/* Whichever allocation fails: an error, nothing leaked, nothing given. */
static void check_no_memory(void)
{
	unsigned long n = 0;
	struct grant *g;
	int rc;

	do {
		g = NULL;
		alloc_fail_at(++n);
		rc = parse(full, &g, NULL);
		if (alloc_failed() && (rc != SA_ERR_NOMEM || g))
			tap_ok(false, "allocation %lu fails: code %d", n, rc);
		grant_free(g);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_ok(n > 20, "%lu allocations failed in turn", n - 1);
}

int main(void)
{
	check_full();
	check_least();
	check_good_items();
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++)
		check_bad(&bads[i]);
	check_broken_json();
	tap_int(parse_sized(ACCESS_MAX_APPROVALS, GRANT_MAX_LIST, GRANT_MAX_ID), 0, "at bounds");
	tap_int(parse_sized(ACCESS_MAX_APPROVALS + 1, 1, 1), SA_ERR_INVALID, "approvals + 1");
	tap_int(parse_sized(1, GRANT_MAX_LIST + 1, 1), SA_ERR_INVALID, "users + 1");
	tap_int(parse_sized(1, 1, GRANT_MAX_ID + 1), SA_ERR_INVALID, "id + 1");
	check_size(GRANT_MAX_BYTES, 0);
	check_size(GRANT_MAX_BYTES + 1, SA_ERR_INVALID);
	check_no_memory();
	return tap_done();
}
