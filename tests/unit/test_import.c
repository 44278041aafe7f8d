/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>

#include "cli/grant_write.h"
#include "cli/import.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

#define NOW INT64_C(1795222861000) /* 2026-11-21T01:01:01Z */
#define HOUR INT64_C(3600000)

static char *dba[] = {(char[]){"dba"}}, *two_hosts[] = {(char[]){"prod-db-1"}, (char[]){"db-2"}},
	    *sshd[] = {(char[]){"sshd"}};

static struct import_options for_dba(void)
{
	return (struct import_options){.users = {dba, 1}, .now_ms = NOW};
}

/* Reads and makes the grant; err->msg is the answer when it is refused. */
static int make(const char *broker, struct slice payload, const struct import_options *o,
		struct buf *out, struct sa_err *err)
{
	_cleanup_import_ struct import i = {0};
	int rc;

	*err = (struct sa_err){0};
	buf_init(out, GRANT_MAX_BYTES);
	rc = import_read(broker, payload, &i, err);
	return rc < 0 ? rc : import_grant(&i, o, out, err);
}

static void sample(const char *name, struct buf *out)
{
	_cleanup_buf_ struct buf path = {0};

	buf_init(&path, 4096);
	buf_init(out, IMPORT_MAX_BYTES);
	buf_printf(&path, "%s/tests/integration/import/%s", getenv("SA_SRC") ?: ".", name);
	tap_int(fdio_read_file(AT_FDCWD, buf_cstr(&path), IMPORT_MAX_BYTES, out, NULL), 0, "%s",
		name);
}

static void test_apono(void)
{
	struct import_options o = {
		.users = {dba, 1}, .hosts = {two_hosts, 2}, .services = {sshd, 1}, .now_ms = NOW};
	_cleanup_buf_ struct buf payload = {0}, out = {0};
	struct sa_err err;

	sample("apono-granted.json", &payload);
	o.expires_ms = NOW + 4 * HOUR;
	tap_int(make("apono", buf_slice(&payload), &o, &out, &err), 0, "apono: taken");
	tap_str(buf_cstr(&out),
		"{\n"
		"  \"schema\": \"sessaudit.grant/1\",\n"
		"  \"grant_id\": \"apono-7c1d3a52\",\n"
		"  \"broker\": \"apono\",\n"
		"  \"request\": {\n"
		"    \"id\": \"AR-1042\",\n"
		"    \"flow\": {\n"
		"      \"id\": \"flow-1\",\n"
		"      \"name\": \"prod-ssh\"\n"
		"    },\n"
		"    \"requester\": {\n"
		"      \"id\": \"user-1\",\n"
		"      \"email\": \"alice@example.com\"\n"
		"    },\n"
		"    \"approvals\": [\n"
		"      {\n"
		"        \"by\": \"bob@example.com\",\n"
		"        \"type\": \"group\",\n"
		"        \"status\": \"approved\"\n"
		"      }\n"
		"    ],\n"
		"    \"justification\": \"INC-77: disk full\",\n"
		"    \"resource\": \"prod/prod-db-1 (login), prod/prod-db-2 (login)\"\n"
		"  },\n"
		"  \"hosts\": [\"prod-db-1\", \"db-2\"],\n"
		"  \"issued_at\": \"2026-11-21T01:01:00.852Z\",\n"
		"  \"not_before\": \"2026-11-21T01:01:00.852Z\",\n"
		"  \"expires_at\": \"2026-11-21T05:01:01.000Z\",\n"
		"  \"revoked\": false,\n"
		"  \"match\": {\n"
		"    \"users\": [\"dba\"],\n"
		"    \"services\": [\"sshd\"]\n"
		"  }\n"
		"}\n",
		"apono: the grant");
}

static void test_teleport(void)
{
	struct import_options o = {.now_ms = NOW};
	_cleanup_buf_ struct buf payload = {0}, out = {0};
	struct sa_err err;

	sample("teleport-approved.json", &payload);
	tap_int(make("teleport", buf_slice(&payload), &o, &out, &err), 0, "teleport: taken");
	tap_str(buf_cstr(&out),
		"{\n"
		"  \"schema\": \"sessaudit.grant/1\",\n"
		"  \"grant_id\": \"teleport-0193a1e0-2f6f-7b8e-9d51-3f2c6a1b7e44\",\n"
		"  \"broker\": \"teleport\",\n"
		"  \"request\": {\n"
		"    \"id\": \"0193a1e0-2f6f-7b8e-9d51-3f2c6a1b7e44\",\n"
		"    \"requester\": {\n"
		"      \"name\": \"alice\"\n"
		"    },\n"
		"    \"approvals\": [\n"
		"      {\n"
		"        \"by\": \"bob\",\n"
		"        \"type\": \"user\",\n"
		"        \"status\": \"approved\",\n"
		"        \"at\": \"2026-11-21T01:05:00.000Z\"\n"
		"      }\n"
		"    ],\n"
		"    \"justification\": \"INC-77: disk full\",\n"
		"    \"resource\": \"role dba, node/5c6f4f1e-0d8c-4b1b-8d0e-1f1a3f2b9b77\"\n"
		"  },\n"
		"  \"issued_at\": \"2026-11-21T01:05:00.000Z\",\n"
		"  \"not_before\": \"2026-11-21T01:00:00.123Z\",\n"
		"  \"expires_at\": \"2095-12-31T05:00:00.000Z\",\n"
		"  \"revoked\": false,\n"
		"  \"match\": {\n"
		"    \"users\": [\"dba\"]\n"
		"  }\n"
		"}\n",
		"teleport: the grant, for the login that was asked for");
}

#define APONO(event, rest) "{\"event_type\":\"" event "\",\"data\":{\"id\":\"1\"" rest "}}"
#define GRANTED(rest) APONO("RequestGranted", rest)
#define END ",\"revocation_date\":3976232460"
#define TELEPORT(spec)                                                                             \
	"{\"kind\":\"access_request\",\"metadata\":{\"name\":\"r1\"},\"spec\":{\"state\":2," spec  \
	"}}"
#define LATE "\"expires\":\"2095-12-31T05:00:00Z\""

static const struct {
	const char *name, *broker, *text, *want; /* want: the message; NULL: taken */
} cases[] = {
	{"granted", "apono", GRANTED(END), NULL},
	{"with Access before the event's name", "apono", APONO("AccessRequestGranted", END), NULL},
	{"approved", "apono", APONO("RequestApproved", END), NULL},
	{"an end with a fraction and an exponent", "apono",
	 GRANTED(",\"revocation_date\":3.97623246085E9"), NULL},
	{"an end as a string", "apono", GRANTED(",\"revocation_date\":\"3976232460.85\""), NULL},
	{"an empty end", "apono", GRANTED(",\"revocation_date\":\"\""),
	 "the request says no end; give one with --expires-at or --for"},
	{"null for all that may be missing", "apono",
	 GRANTED(END ",\"requester\":null,\"grantee\":null,\"justification\":null,"
		     "\"access_flow\":null,\"access_groups\":null,\"approvals\":null"),
	 NULL},
	{"created only", "apono", APONO("AccessRequestCreated", END),
	 "event_type: AccessRequestCreated: not an approval"},
	{"rejected", "apono", APONO("RequestRejected", END),
	 "event_type: RequestRejected: not an approval"},
	{"failed", "apono", APONO("RequestFailed", END),
	 "event_type: RequestFailed: not an approval"},
	{"a test event", "apono", APONO("Manual", END), "event_type: Manual: not an approval"},
	{"an event with control bytes", "apono", APONO("\\u001b[2J", END),
	 "event_type: \\e[2J: not an approval"},
	{"a longer name", "apono", APONO("RequestGrantedNot", END),
	 "event_type: RequestGrantedNot: not an approval"},
	{"expired", "apono", APONO("RequestExpired", END), "RequestExpired: approved no longer"},
	{"revoked", "apono", APONO("AccessRequestRevoked", END),
	 "AccessRequestRevoked: approved no longer"},
	{"past its end", "apono", GRANTED(",\"revocation_date\":1795222860.5"),
	 "the approval expired at 2026-11-21T01:01:00.500Z"},
	{"no event", "apono", "{\"data\":{\"id\":\"1\"}}", "event_type: missing"},
	{"no id", "apono", "{\"event_type\":\"RequestGranted\",\"data\":{}}",
	 "data.id, data.friendly_id: missing"},
	{"no data", "apono", "{\"event_type\":\"RequestGranted\"}",
	 "data.id, data.friendly_id: missing"},
	{"data of a wrong type", "apono", "{\"event_type\":\"RequestGranted\",\"data\":[]}",
	 "data: must be an object"},
	{"event of a wrong type", "apono", "{\"event_type\":1}", "event_type: must be a string"},
	{"a list", "apono", "[]", "must be a JSON object"},
	{"an end of a wrong type", "apono", GRANTED(",\"revocation_date\":[]"),
	 "data.revocation_date: must be a number"},
	{"an end before time", "apono", GRANTED(",\"revocation_date\":-1"),
	 "data.revocation_date: not a number of seconds"},
	{"an end after time", "apono", GRANTED(",\"revocation_date\":1e300"),
	 "data.revocation_date: not a number of seconds"},
	{"an end of hex", "apono", GRANTED(",\"revocation_date\":\"0x7fffffff\""),
	 "data.revocation_date: not a number of seconds"},
	{"an end of words", "apono", GRANTED(",\"revocation_date\":\"9 o'clock\""),
	 "data.revocation_date: not a number of seconds"},
	{"an end of many digits", "apono",
	 GRANTED(",\"revocation_date\":10000000000000000000000000000000000000000000"),
	 "data.revocation_date: not a number of seconds"},
	{"a requester of a wrong type", "apono", GRANTED(END ",\"requester\":\"alice\""),
	 "data.requester: must be an object"},
	{"a name of a wrong type", "apono", GRANTED(END ",\"requester\":{\"name\":7}"),
	 "data.requester.name: must be a string"},
	{"approvals of a wrong type", "apono", GRANTED(END ",\"approvals\":[1]"),
	 "data.approvals: must hold objects"},
	{"groups of a wrong type", "apono", GRANTED(END ",\"access_groups\":[[]]"),
	 "data.access_groups: must hold objects"},
	{"units of a wrong type", "apono",
	 GRANTED(END ",\"access_groups\":[{\"access_units\":[\"x\"]}]"),
	 "data.access_groups.access_units: must hold objects"},
	{"a NUL byte", "apono", GRANTED(END ",\"justification\":\"a\\u0000b\""),
	 "data.justification: holds a NUL byte"},
	{"an id with control bytes", "apono", GRANTED(END ",\"friendly_id\":\"A\\u001b\""),
	 "grant: request.id: holds control characters, or is not UTF-8"},
	{"17 approvals", "apono",
	 GRANTED(END ",\"approvals\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]"),
	 "more than 16 approvals"},
	{"a key twice", "apono", "{\"event_type\":\"a\",\"event_type\":\"b\"}",
	 "line 1: key \"event_type\" stands twice"},

	{"approved", "teleport", TELEPORT(LATE), NULL},
	{"a state by its name", "teleport",
	 "{\"kind\":\"access_request\",\"metadata\":{\"name\":\"r1\"},\"spec\":{\"state\":"
	 "\"APPROVED\"," LATE "}}",
	 NULL},
	{"no state: none", "teleport",
	 "{\"kind\":\"access_request\",\"metadata\":{\"name\":\"r1\"},\"spec\":{}}",
	 "spec.state: NONE: not an approval"},
	{"promoted", "teleport",
	 "{\"kind\":\"access_request\",\"metadata\":{\"name\":\"r1\"},\"spec\":{\"state\":4}}",
	 "spec.state: PROMOTED: not an approval"},
	{"denied", "teleport",
	 "{\"kind\":\"access_request\",\"metadata\":{\"name\":\"r1\"},\"spec\":{\"state\":3}}",
	 "DENIED: approved no longer"},
	{"a state of no name", "teleport",
	 "{\"kind\":\"access_request\",\"metadata\":{\"name\":\"r1\"},\"spec\":{\"state\":9}}",
	 "spec.state: not a known state"},
	{"another kind", "teleport", "{\"kind\":\"role\"}", "kind: must be \"access_request\""},
	{"no name", "teleport", "{\"kind\":\"access_request\",\"spec\":{\"state\":2}}",
	 "metadata.name: missing"},
	{"two requests", "teleport", "[{},{}]", "holds 2 requests: give one at a time"},
	{"no request", "teleport", "[]", "holds 0 requests: give one at a time"},
	{"Go's zero time is no time", "teleport",
	 TELEPORT(LATE ",\"max_duration\":\"0001-01-01T00:00:00Z\""), NULL},
	{"the earliest end counts", "teleport",
	 TELEPORT(LATE ",\"max_duration\":\"2026-11-21T01:00:00Z\""),
	 "the approval expired at 2026-11-21T01:00:00.000Z"},
	{"no end", "teleport", TELEPORT("\"user\":\"alice\""),
	 "the request says no end; give one with --expires-at or --for"},
	{"a bad time", "teleport", TELEPORT("\"expires\":\"tomorrow\""),
	 "spec.expires: not an RFC 3339 time after 1970"},
	{"a time before our time", "teleport",
	 TELEPORT(LATE ",\"created\":\"1268-11-21T01:00:00Z\""),
	 "spec.created: not an RFC 3339 time after 1970"},
	{"roles of a wrong type", "teleport", TELEPORT(LATE ",\"roles\":[1]"),
	 "spec.roles: must hold strings"},
	{"reviews of a wrong type", "teleport", TELEPORT(LATE ",\"reviews\":{}"),
	 "spec.reviews: must be an array"},
	{"resources of a wrong type", "teleport", TELEPORT(LATE ",\"resource_ids\":[1]"),
	 "spec.resource_ids: must hold objects"},
	{"no JSON", "teleport", "kind: access_request", "line 1: "},
	{"no such broker", "acme", "{}", "acme: no such broker"},
};

static void test_cases(void)
{
	struct import_options o = for_dba();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf out = {0};
		struct sa_err err;
		int rc = make(cases[i].broker, slice_of(cases[i].text), &o, &out, &err);
		size_t n = cases[i].want ? strlen(cases[i].want) : 0;

		err.msg[cases[i].want && strcmp(cases[i].want, "line 1: ") == 0
				? n
				: sizeof(err.msg) - 1] = '\0';
		tap_str(rc < 0 ? err.msg : "taken", cases[i].want ? cases[i].want : "taken",
			"%s: %s", cases[i].broker, cases[i].name);
	}
}

static void test_options(void)
{
	static const struct {
		const char *name, *text;
		int64_t expires_ms;
		bool user;
		const char *want;
	} table[] = {
		{"no user", GRANTED(END), 0, false,
		 "the request names no unix user; say whose login it is for with --user NAME"},
		{"a shorter grant", GRANTED(END), NOW + HOUR, true, "2026-11-21T02:01:01.000Z"},
		{"a longer grant", GRANTED(",\"revocation_date\":1795230000"), NOW + 10 * HOUR,
		 true,
		 "the request is approved until 2026-11-21T03:00:00.000Z; the grant must not be "
		 "longer"},
		{"an end where the request has none", GRANTED(""), NOW + HOUR, true,
		 "2026-11-21T02:01:01.000Z"},
		{"an end in the past", GRANTED(""), NOW, true,
		 "the approval expired at 2026-11-21T01:01:01.000Z"},
		{"an end by duration",
		 "{\"event_type\":\"RequestGranted\",\"event_time\":1795222860,\"data\":{\"id\":"
		 "\"1\",\"access_duration_in_seconds\":3600}}",
		 0, true, "2026-11-21T02:01:00.000Z"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct import_options o = for_dba();
		_cleanup_buf_ struct buf out = {0};
		struct grant *g = NULL;
		struct sa_err err;

		o.users.len = table[i].user;
		o.expires_ms = table[i].expires_ms;
		if (make("apono", slice_of(table[i].text), &o, &out, &err) == 0 &&
		    grant_parse("g", buf_slice(&out), &g, &err) == 0)
			tap_str(g->access.expires_at, table[i].want, "%s", table[i].name);
		else
			tap_str(err.msg, table[i].want, "%s", table[i].name);
		grant_free(g);
	}
}

/* Long texts are cut between characters, long lists counted as more. */
static void test_bounds(void)
{
	struct import_options o = for_dba();
	_cleanup_buf_ struct buf text = {0}, out = {0};
	struct grant *g = NULL;
	struct sa_err err;

	buf_init(&text, IMPORT_MAX_BYTES + 2);
	buf_puts(&text, "{\"event_type\":\"RequestGranted\",\"data\":{\"id\":\"1\"" END
			",\"justification\":\"x");
	for (int i = 0; i < 600; i++)
		buf_puts(&text, "\xc3\xa4");
	buf_puts(&text, "\",\"access_groups\":[{\"integration\":{\"name\":\"i\"},"
			"\"access_units\":[{}");
	for (int i = 0; i < 300; i++)
		buf_printf(&text, ",{\"resource\":{\"name\":\"host-%03d\"}}", i);
	buf_puts(&text, "]}]}}");
	tap_int(make("apono", buf_slice(&text), &o, &out, &err), 0, "long texts are taken");
	tap_int(grant_parse("g", buf_slice(&out), &g, &err), 0, "and parsed");
	tap_int(g ? (long long)strlen(g->access.justification) : 0, ACCESS_MAX_FIELD - 1,
		"cut between characters");
	tap_ok(g && strlen(g->access.resource) <= ACCESS_MAX_FIELD &&
		       slice_ends(slice_of(g->access.resource), ", ...") &&
		       slice_starts(slice_of(g->access.resource), "i, i/host-000, i/host-001, "),
	       "a long list says that there is more");
	grant_free(g);
	buf_clear(&text);
	while (text.len <= IMPORT_MAX_BYTES)
		buf_putc(&text, ' ');
	buf_free(&out);
	tap_int(make("apono", buf_slice(&text), &o, &out, &err), SA_ERR_TOOBIG,
		"too long a payload");
}

/* Who gets the access may be another one than who asked. */
static void test_grantee(void)
{
	struct import_options o = for_dba();
	_cleanup_buf_ struct buf out = {0};
	struct sa_err err;

	make("apono",
	     SLICE_LIT(GRANTED(END ",\"requester\":{\"id\":\"u1\",\"name\":\"Alice\"},"
				   "\"grantee\":{\"id\":\"u2\",\"name\":\"Carol\"},"
				   "\"access_groups\":[{\"integration\":{\"name\":\"prod\"}}]")),
	     &o, &out, &err);
	tap_ok(strstr(buf_cstr(&out), "\"resource\": \"for Carol, prod\"") != NULL,
	       "another grantee is named");
}

/* Each field of a grant is written and read back; nothing in a text can leave it. */
static void test_write(void)
{
	static const char text[] =
		"{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"g{[,:\",\"broker\":\"b\","
		"\"request\":{\"id\":\"R\",\"flow\":{\"name\":\"f\"},\"requester\":{\"name\":\"n\"},"
		"\"approvals\":[{\"by\":\"a\",\"type\":\"t\",\"status\":\"s\","
		"\"at\":\"2026-11-21T01:00:00Z\"},{\"by\":\"b\"}],\"justification\":\"]}\\n\","
		"\"resource\":\"r\",\"ticket\":\"t\"},\"hosts\":[\"h\",\"*\"],"
		"\"issued_at\":\"2026-11-21T01:00:00Z\",\"not_before\":\"2026-11-21T01:00:00Z\","
		"\"expires_at\":\"2026-11-21T02:00:00Z\",\"revoked\":true,"
		"\"match\":{\"users\":[\"u\",\"],{\"],\"groups\":[\"g\"],\"services\":[\"s\"],"
		"\"source\":[\"10.0.0.0/8\"],\"key_fp\":[\"SHA256:"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"],\"ca_fp\":[\"SHA256:"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"],\"cert_key_id\":[\"k/*\"],"
		"\"cert_serial\":[\"7\"]}}";
	_cleanup_buf_ struct buf once = {0}, twice = {0};
	struct grant *g = NULL, *back = NULL;
	struct sa_err err = {0};

	buf_init(&once, GRANT_MAX_BYTES);
	buf_init(&twice, GRANT_MAX_BYTES);
	if (!tap_int(grant_parse("g", slice_of(text), &g, &err), 0, "a whole grant: %s", err.msg))
		return;
	grant_write(&once, g);
	if (tap_int(grant_parse("g", buf_slice(&once), &back, &err), 0, "written: %s", err.msg)) {
		grant_write(&twice, back);
		tap_bytes(buf_slice(&twice), buf_slice(&once), "and written again: the same");
		tap_str(back->access.grant_id, "g{[,:", "brackets in a text");
		tap_str(back->users.items[1], "],{", "brackets in a list");
		tap_ok(back->revoked && back->issued_ms == g->issued_ms && back->groups.len == 1 &&
			       back->key_fp.len == 1 && back->cert_serial.len == 1 &&
			       back->hosts.len == 2,
		       "all its parts");
	}
	grant_free(back);
	grant_free(g);
}

static struct grant *there(bool revoked, const char *issued, const char *id)
{
	_cleanup_buf_ struct buf text = {0};
	struct grant *g = NULL;

	buf_init(&text, 4096);
	buf_printf(
		&text,
		"{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"%s\",\"request\":{\"id\":\"1\"},"
		"\"issued_at\":\"%s\",\"expires_at\":\"2095-01-01T00:00:00Z\",\"revoked\":%s,"
		"\"match\":{\"users\":[\"ops\"],\"key_fp\":[\"SHA256:"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]}}",
		id, issued, revoked ? "true" : "false");
	grant_parse("there", buf_slice(&text), &g, NULL);
	return g;
}

static void test_there(void)
{
	static const struct {
		const char *name, *issued, *id;
		bool revoked;
		int want;
	} table[] = {
		{"older", "2026-11-21T01:00:00Z", "apono-1", false, 0},
		{"as old", "2026-11-21T01:01:00Z", "apono-1", false, 0},
		{"newer", "2026-11-21T01:02:00Z", "apono-1", false, SA_ERR_INVALID},
		{"older, revoked", "2026-11-21T01:00:00Z", "apono-1", true, 0},
		{"as old, revoked", "2026-11-21T01:01:00Z", "apono-1", true, SA_ERR_INVALID},
		{"another", "2026-11-21T01:00:00Z", "apono-2", false, SA_ERR_INVALID},
	};
	static const char text[] = "{\"event_type\":\"RequestExpired\",\"event_time\":1795222860,"
				   "\"data\":{\"id\":\"1\"}}";
	_cleanup_import_ struct import i = {0};
	_cleanup_buf_ struct buf out = {0};
	struct grant *have, *back = NULL;

	buf_init(&out, GRANT_MAX_BYTES);
	tap_int(import_read("apono", slice_of(text), &i, NULL), 0, "an event");
	for (size_t n = 0; n < ARRAY_LEN(table); n++) {
		have = there(table[n].revoked, table[n].issued, table[n].id);
		tap_int(have ? import_check_newer(&i, have, NULL) : 1, table[n].want,
			"the grant that is there is %s", table[n].name);
		grant_free(have);
	}
	i.grant.issued_ms = 0;
	have = there(true, "2026-11-21T01:00:00Z", "apono-1");
	tap_int(import_check_newer(&i, have, NULL), SA_ERR_INVALID,
		"news without a time undo no revocation");
	grant_free(have);
	have = there(false, "2026-11-21T01:00:00Z", "apono-1");
	tap_int(import_check_newer(&i, have, NULL), 0, "but replace what is not revoked");
	i.grant.issued_ms = NOW;
	tap_int(import_revoke(&i, have, &out, NULL), 0, "revoked");
	tap_int(grant_parse("g", buf_slice(&out), &back, NULL), 0, "and a grant");
	tap_ok(back && back->revoked && back->issued_ms == NOW && back->key_fp.len == 1 &&
		       strcmp(back->users.items[0], "ops") == 0,
	       "that is otherwise the same");
	grant_free(back);
	grant_free(have);
}

/* An allocation that fails is told, or does not matter: never half a grant. Nothing is lost or
 * freed twice (sanitizers). */
static void test_no_memory(const char *broker, const char *name)
{
	struct import_options o = for_dba();
	_cleanup_buf_ struct buf payload = {0}, want = {0};
	struct sa_err err;
	unsigned long n = 0;
	bool whole = true, failed;

	sample(name, &payload);
	whole = make(broker, buf_slice(&payload), &o, &want, &err) == 0;
	do {
		_cleanup_buf_ struct buf out = {0};
		int rc;

		alloc_fail_at(++n);
		rc = make(broker, buf_slice(&payload), &o, &out, &err);
		failed = alloc_failed();
		alloc_fail_at(0);
		whole = whole && (rc == 0 ? slice_eq(buf_slice(&out), buf_slice(&want)) : failed);
	} while (failed && whole && n < 10000);
	tap_ok(whole && n > 20 && n < 10000, "%s: %lu allocations, each may fail", broker, n);
}

int main(void)
{
	test_apono();
	test_teleport();
	test_cases();
	test_options();
	test_bounds();
	test_grantee();
	test_write();
	test_there();
	test_no_memory("apono", "apono-granted.json");
	test_no_memory("teleport", "teleport-approved.json");
	return tap_done();
}
