/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>
#include <strings.h>

#include "common/access/access.h"
#include "tests/unit/tap.h"

#define FULL                                                                                       \
	"{\"status\":\"approved\",\"source\":\"user\",\"request\":{\"id\":\"REQ-1042\","           \
	"\"flow\":{\"id\":\"f1\",\"name\":\"prod-ssh\"},"                                          \
	"\"requester\":{\"id\":\"u1\",\"email\":\"alice@example.com\"},"                           \
	"\"approvals\":[{\"by\":\"bob@example.com\",\"type\":\"user\",\"status\":\"approved\","    \
	"\"at\":\"2026-11-21T01:00:00.000Z\"},{\"by\":\"auto\"}],"                                 \
	"\"justification\":\"INC-77: disk full\",\"resource\":\"ssh/prod-db-1\","                  \
	"\"ticket\":\"INC-77\"},\"grant\":{\"id\":\"g-7f3a\",\"broker\":\"apono\","                \
	"\"not_before\":\"2026-11-21T01:00:00.000Z\",\"expires_at\":\"2026-11-21T05:00:00.000Z\"," \
	"\"sha256\":\"abc123\"}}"

struct round {
	const char *name, *json;
};

static const struct round rounds[] = {
	{"every field", FULL},
	{"nothing known", "{\"status\":\"unapproved\",\"source\":\"none\"}"},
	{"ambiguous", "{\"status\":\"ambiguous\",\"source\":\"user\",\"candidates\":[\"REQ-1\","
		      "\"REQ-2\"]}"},
	{"only an approval", "{\"status\":\"conflict\",\"source\":\"cert\",\"request\":"
			     "{\"approvals\":[{\"status\":\"approved\"}]}}"},
	{"a key", "{\"status\":\"unapproved\",\"source\":\"none\",\"key\":"
		  "{\"fingerprint\":\"SHA256:k\"}}"},
	{"a certificate", "{\"status\":\"id_only\",\"source\":\"cert\",\"request\":{\"id\":\"R\"},"
			  "\"key\":{\"fingerprint\":\"SHA256:k\"},\"certificate\":"
			  "{\"ca\":\"SHA256:c\",\"key_id\":\"id\\n\",\"serial\":\"7\",\"profile\":"
			  "\"vault\"},\"reason\":\"request R: no grant on this host\"}"},
	{"denied", "{\"status\":\"unapproved\",\"source\":\"none\",\"reason\":\"request R: "
		   "expired\",\"policy\":\"denied\"}"},
	{"exempt", "{\"status\":\"unapproved\",\"source\":\"session\",\"policy\":\"exempt\"}"},
	{"a conflict with candidates", "{\"status\":\"conflict\",\"source\":\"session\","
				       "\"reason\":\"x\",\"policy\":\"denied\","
				       "\"candidates\":[\"R\"]}"},
	{"not ASCII", "{\"status\":\"breakglass\",\"source\":\"prompt\",\"request\":"
		      "{\"justification\":\"h\xc3\xa9 \\\"q\\\" \\n\"}}"},
};

struct bad {
	const char *name, *json, *message;
};

static const struct bad bads[] = {
	{"not an object", "[]", "access: must be an object"},
	{"no status", "{\"source\":\"user\"}", "status: missing or not a known status"},
	{"unknown status", "{\"status\":\"ok\"}", "status: missing or not a known status"},
	{"unknown source", "{\"status\":\"approved\",\"source\":\"dns\"}",
	 "source: not a known source"},
	{"request is text", "{\"status\":\"approved\",\"request\":\"REQ-1\"}",
	 "request: must be an object"},
	{"id is a number", "{\"status\":\"approved\",\"request\":{\"id\":7}}",
	 "request.id: must be a string"},
	{"NUL in a string", "{\"status\":\"approved\",\"request\":{\"id\":\"a\\u0000b\"}}",
	 "request.id: holds a NUL byte"},
	{"flow is a list", "{\"status\":\"approved\",\"request\":{\"flow\":[]}}",
	 "request.flow: must be an object"},
	{"approvals hold text", "{\"status\":\"approved\",\"request\":{\"approvals\":[\"bob\"]}}",
	 "request.approvals: must hold objects"},
	{"candidates hold numbers", "{\"status\":\"ambiguous\",\"candidates\":[1]}",
	 "candidates: must be at most 16 request ids"},
	{"unknown policy", "{\"status\":\"approved\",\"policy\":\"maybe\"}",
	 "policy: not a known policy"},
	{"key is text", "{\"status\":\"approved\",\"key\":\"SHA256:k\"}", "key: must be an object"},
	{"fingerprint is a number", "{\"status\":\"approved\",\"key\":{\"fingerprint\":1}}",
	 "key.fingerprint: must be a string"},
	{"certificate is a list", "{\"status\":\"approved\",\"certificate\":[]}",
	 "certificate: must be an object"},
	{"serial is a number", "{\"status\":\"approved\",\"certificate\":{\"serial\":7}}",
	 "certificate.serial: must be a string"},
	{"reason is a list", "{\"status\":\"approved\",\"reason\":[]}", "reason: must be a string"},
	{"grant is a list", "{\"status\":\"approved\",\"grant\":[]}", "grant: must be an object"},
};

static int read_text(const char *text, struct access *out, struct sa_err *err)
{
	_cleanup_json_ struct json *j = NULL;

	if (!tap_int(json_parse(text, strlen(text), &j, err), 0, "the case is JSON"))
		return SA_ERR_INVALID;
	return access_read(j, out, err);
}

static void write_text(const struct access *a, struct buf *out)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);

	access_write(w, a);
	tap_int(json_writer_end(w), 0, "one whole value is written");
}

static void check_round(const struct round *r)
{
	_cleanup_access_ struct access a = {0}, copy = {0};
	_cleanup_buf_ struct buf first = {0}, second = {0};
	struct sa_err err = {0};

	buf_init(&first, 65536);
	buf_init(&second, 65536);
	tap_int(read_text(r->json, &a, &err), 0, "%s: read %s", r->name, err.msg);
	write_text(&a, &first);
	tap_str(buf_cstr(&first), r->json, "%s: written as read", r->name);
	tap_int(access_copy(&copy, &a), 0, "%s: copied", r->name);
	access_free(&a);
	write_text(&copy, &second);
	tap_str(buf_cstr(&second), r->json, "%s: the copy stands alone", r->name);
}

static void check_bad(const struct bad *b)
{
	_cleanup_access_ struct access a = {.status = ACCESS_APPROVED};
	struct sa_err err = {0};

	tap_int(read_text(b->json, &a, &err), SA_ERR_INVALID, "%s: refused", b->name);
	tap_str(err.msg, b->message, "%s: message", b->name);
	tap_ok(a.status == ACCESS_APPROVED && !a.request_id, "%s: out untouched", b->name);
}

static void check_lenient(void)
{
	_cleanup_access_ struct access a = {0};

	tap_int(read_text("{\"status\":\"approved\",\"later\":1,\"request\":{\"id\":\"R\","
			  "\"ticket\":null,\"resource\":\"\",\"later\":[]}}",
			  &a, NULL),
		0, "unknown keys are passed over");
	tap_str(a.request_id, "R", "id beside unknown keys");
	tap_str(a.ticket, NULL, "null is not known");
	tap_str(a.resource, NULL, "empty is not known");
}

static void check_bounds(void)
{
	_cleanup_access_ struct access a = {0};
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 65536);
	buf_puts(&text, "{\"status\":\"approved\",\"request\":{\"id\":\"");
	for (int i = 0; i < ACCESS_MAX_FIELD; i++)
		buf_putc(&text, 'x');
	buf_puts(&text, "\"}}");
	tap_int(read_text(buf_cstr(&text), &a, NULL), 0, "longest string");
	buf_clear(&text);
	buf_puts(&text, "{\"status\":\"approved\",\"request\":{\"id\":\"");
	for (int i = 0; i <= ACCESS_MAX_FIELD; i++)
		buf_putc(&text, 'x');
	buf_puts(&text, "\"}}");
	access_free(&a);
	tap_int(read_text(buf_cstr(&text), &a, NULL), SA_ERR_INVALID, "a byte longer");
	for (int i = 0; i < ACCESS_MAX_CANDIDATES; i++)
		if (access_add_candidate(&a, SLICE_LIT("R")) < 0)
			tap_ok(false, "candidate %d", i);
	tap_int(access_add_candidate(&a, SLICE_LIT("R")), SA_ERR_TOOBIG, "one candidate too many");
	tap_int((long long)a.n_candidates, ACCESS_MAX_CANDIDATES, "the others stay");
}

static void check_names(void)
{
	enum access_status st = ACCESS_CONFLICT;
	enum access_source src = ACCESS_SOURCE_KEY;

	tap_int(access_status_parse(SLICE_LIT("id_only"), &st), 0, "id_only");
	tap_int(st, ACCESS_ID_ONLY, "id_only is ACCESS_ID_ONLY");
	tap_int(access_status_parse(SLICE_LIT("Approved"), &st), SA_ERR_INVALID, "case counts");
	tap_int(st, ACCESS_ID_ONLY, "unknown status leaves out alone");
	tap_int(access_source_parse(SLICE_LIT("cert"), &src), 0, "cert");
	tap_int(src, ACCESS_SOURCE_CERT, "cert is ACCESS_SOURCE_CERT");
	tap_int(access_source_parse(SLICE_NONE, &src), SA_ERR_INVALID, "absent source");
}

struct set {
	const char *name;
	struct slice text;
	const char *want;
};

static const struct set sets[] = {
	{"plain", SLICE_LIT("abc"), "abc"},
	{"empty", SLICE_LIT(""), NULL},
	{"absent", SLICE_NONE, NULL},
	{"UTF-8", SLICE_LIT("h\xc3\xa9"), "h\xc3\xa9"},
	{"not UTF-8", SLICE_LIT("h\xc3!\xff"), "h\\xC3!\\xFF"},
	{"control bytes stay", SLICE_LIT("a\n\x1b"), "a\n\x1b"},
	{"NUL", SLICE_LIT("a\0b\0"), "a\\x00b\\x00"},
	{"NUL alone", SLICE_LIT("\0"), "\\x00"},
};

static void check_sets(void)
{
	static char text[ACCESS_MAX_FIELD + 3];
	char *field = NULL;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		tap_int(access_set(&field, sets[i].text), 0, "set %s", sets[i].name);
		tap_ok((field == NULL) == (sets[i].want == NULL) &&
			       (!field || strcasecmp(field, sets[i].want) == 0),
		       "set %s: %s", sets[i].name, field ? field : "NULL");
	}
	memset(text, 'x', sizeof(text));
	memcpy(text + ACCESS_MAX_FIELD - 1, "\xc3\xa9", 2);
	tap_int(access_set(&field, (struct slice){text, ACCESS_MAX_FIELD + 1}), 0, "set, too long");
	tap_int((long long)strlen(field), ACCESS_MAX_FIELD - 1, "set, too long: no half character");
	memset(text, 0xff, sizeof(text));
	tap_int(access_set(&field, (struct slice){text, sizeof(text)}), 0, "set, long and bad");
	tap_ok(strlen(field) <= ACCESS_MAX_FIELD && strlen(field) > ACCESS_MAX_FIELD - 4,
	       "set, long and bad: %zu bytes", strlen(field));
	free(field);
}

static void check_approvals(void)
{
	_cleanup_access_ struct access a = {0};

	for (int i = 0; i < ACCESS_MAX_APPROVALS; i++)
		if (access_add_approval(&a, SLICE_LIT("bob\xff"), "certificate") < 0)
			tap_ok(false, "approval %d", i);
	tap_int(access_add_approval(&a, SLICE_LIT("x"), "user"), SA_ERR_TOOBIG,
		"one approval too many");
	tap_int((long long)a.n_approvals, ACCESS_MAX_APPROVALS, "the others stay");
	tap_ok(strcasecmp(a.approvals[0].by, "bob\\xff") == 0, "by: %s", a.approvals[0].by);
	tap_str(a.approvals[0].type, "certificate", "its type");
	tap_str(a.approvals[0].status, NULL, "its status is not known");
}

static void check_all_names(void)
{
	for (int i = ACCESS_UNAPPROVED; i <= ACCESS_BREAKGLASS; i++) {
		enum access_status got = ACCESS_UNAPPROVED;
		const char *name = access_status_name((enum access_status)i);

		tap_int(access_status_parse(slice_of(name), &got), 0, "status %s", name);
		tap_int(got, i, "status %s: both ways", name);
	}
	for (int i = ACCESS_SOURCE_NONE; i <= ACCESS_SOURCE_SESSION; i++) {
		enum access_source got = ACCESS_SOURCE_NONE;
		const char *name = access_source_name((enum access_source)i);

		tap_int(access_source_parse(slice_of(name), &got), 0, "source %s", name);
		tap_int(got, i, "source %s: both ways", name);
	}
	for (int i = ACCESS_POLICY_NONE; i <= ACCESS_POLICY_EXEMPT; i++) {
		enum access_policy got = ACCESS_POLICY_NONE;
		const char *name = access_policy_name((enum access_policy)i);

		tap_int(access_policy_parse(slice_of(name), &got), 0, "policy %s", name);
		tap_int(got, i, "policy %s: both ways", name);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++)
		check_round(&rounds[i]);
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++)
		check_bad(&bads[i]);
	check_lenient();
	check_bounds();
	check_names();
	check_all_names();
	check_sets();
	check_approvals();
	return tap_done();
}
