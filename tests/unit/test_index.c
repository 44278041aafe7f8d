/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/cleanup.h"
#include "common/transcript/index.h"
#include "tests/unit/tap.h"

#define SID "0123456789abcdef0123456789abcdef"
#define T0 INT64_C(1795222800123) /* 2026-11-21T01:00:00.123Z */
#define HASH0 "00000000000000000000000000000000000000000000000000000000000000a0"
#define HASH1 "00000000000000000000000000000000000000000000000000000000000000a1"

static struct access approved = {
	.status = ACCESS_APPROVED,
	.source = ACCESS_SOURCE_USER,
	.request_id = (char[]){"REQ-1042"},
};

static const struct segment_session session = {
	.sid = SID,
	.host = SLICE_LIT("db1"),
	.ses = 7,
	.auid = 1001,
	.user = SLICE_LIT("dba"),
	.origin = SLICE_LIT("10.0.0.9"),
	.service = SLICE_LIT("sshd"),
	.start_ms = T0,
	.access = &approved,
	.capture = SLICE_LIT("netlink"),
};

static const struct manifest_segment segments[] = {
	{0, 1, 10, 900, HASH0},
	{1, 11, 5, 450, HASH1},
};

static const struct session_totals totals = {
	.end_ms = T0 + 61000,
	.end_cause = SLICE_LIT("logout"),
	.part = 1,
	.entries = 15,
	.execs = 9,
	.inputs = 4,
	.redactions = 3,
	.head = "abc",
	.segments = segments,
	.n_segments = 2,
};

#define SESSION                                                                                    \
	"\"session\":\"" SID "\",\"ses\":7,\"host\":\"db1\",\"user\":\"dba\","                     \
	"\"service\":\"sshd\",\"source\":\"10.0.0.9\",\"start\":\"2026-11-21T01:00:00.123Z\","     \
	"\"capture\":\"netlink\",\"access\":{\"status\":\"approved\",\"source\":\"user\","         \
	"\"request\":{\"id\":\"REQ-1042\"}},"                                                      \
	"\"key\":\"sessions/request=REQ-1042/session=" SID "/\""
#define TOTALS                                                                                     \
	"\"end\":\"2026-11-21T01:01:01.123Z\",\"end_cause\":\"logout\",\"duration_ms\":61000,"     \
	"\"part\":1,\"entries\":15,\"execs\":9,\"inputs\":4,\"gaps\":0,\"lost\":0,"                \
	"\"redactions\":3,\"head\":\"abc\""
#define SEGMENT_KEY "\"key\":\"sessions/request=REQ-1042/session=" SID "/"
#define START "{\"schema\":\"sessaudit.index/1\",\"type\":\"start\"," SESSION "}"
#define END                                                                                        \
	"{\"schema\":\"sessaudit.index/1\",\"type\":\"end\"," SESSION "," TOTALS ",\"segments\":2}"
#define MANIFEST                                                                                   \
	"{\"schema\":\"sessaudit.manifest/1\",\"type\":\"manifest\"," SESSION "," TOTALS           \
	",\"no_known_loss\":true,\"segments\":[{\"number\":0," SEGMENT_KEY "000000.jsonl.gz\","    \
	"\"first_seq\":1,\"entries\":10,\"bytes\":900,\"sha256\":\"" HASH0                         \
	"\"},{\"number\":1," SEGMENT_KEY                                                           \
	"000001.jsonl.gz\",\"first_seq\":11,\"entries\":5,\"bytes\":450,"                          \
	"\"sha256\":\"" HASH1 "\"}]}"

static void write_start(struct json_writer *w, const struct segment_session *s,
			const struct session_totals *t)
{
	(void)t;
	index_write_start(w, s);
}

static void check_read(const struct index_read *r, bool is_end, const char *name)
{
	tap_ok(slice_is(r->sid, SID) && slice_is(r->host, "db1") && slice_is(r->user, "dba") &&
		       slice_is(r->service, "sshd") && slice_is(r->source, "10.0.0.9") &&
		       slice_is(r->key, "sessions/request=REQ-1042/session=" SID "/") &&
		       r->start_ms == T0 && r->ses == 7 && r->access.request_id &&
		       strcmp(r->access.request_id, "REQ-1042") == 0,
	       "%s: session read back", name);
	tap_ok(r->is_end == is_end, "%s: kind", name);
	if (!is_end)
		return;
	tap_ok(slice_is(r->end_cause, "logout") && slice_is(r->head, "abc") &&
		       r->end_ms == T0 + 61000 && r->duration_ms == 61000 && r->entries == 15 &&
		       r->execs == 9 && r->inputs == 4 && r->gaps == 0 && r->lost == 0 &&
		       r->redactions == 3 && r->segments == 2 && r->part == 1,
	       "%s: totals read back", name);
}

static void test_write_and_read(void)
{
	static const struct {
		const char *name;
		void (*write)(struct json_writer *, const struct segment_session *,
			      const struct session_totals *);
		const char *want;
		bool is_end;
	} cases[] = {
		{"start", write_start, START, false},
		{"end", index_write_end, END, true},
		{"manifest", manifest_write, MANIFEST, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {0};
		_cleanup_json_writer_ struct json_writer *w = NULL;
		struct index_read r;

		buf_init(&b, 1 << 16);
		w = json_writer_new(&b);
		cases[i].write(w, &session, &totals);
		tap_int(json_writer_end(w), 0, "%s: whole", cases[i].name);
		tap_bytes(buf_slice(&b), slice_of(cases[i].want), "%s", cases[i].name);
		if (tap_int(index_parse(buf_slice(&b), &r, NULL), 0, "%s: parse", cases[i].name)) {
			check_read(&r, cases[i].is_end, cases[i].name);
			index_read_free(&r);
		}
	}
}

/* no_known_loss is said only when nothing is known to be missing. */
static void test_loss(void)
{
	static const struct {
		uint64_t gaps, lost;
		const char *want;
	} cases[] = {
		{0, 0, "\"no_known_loss\":true"},
		{1, 0, "\"no_known_loss\":false"},
		{0, 1, "\"no_known_loss\":false"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {0};
		_cleanup_json_writer_ struct json_writer *w = NULL;
		struct session_totals t = totals;

		t.gaps = cases[i].gaps;
		t.lost = cases[i].lost;
		buf_init(&b, 1 << 16);
		w = json_writer_new(&b);
		manifest_write(w, &session, &t);
		tap_ok(strstr(buf_cstr(&b), cases[i].want) != NULL, "loss %zu: %s", i,
		       cases[i].want);
	}
}

/* Each changes one thing in a good object. */
static void test_refused(void)
{
	static const struct {
		const char *name, *good, *from, *to;
		int want;
	} cases[] = {
		{"start", START, "{", "{", 0},
		{"unknown key", START, "{", "{\"later\":1,", 0},
		{"no access", START, "\"access\"", "\"other\"", 0},
		{"unknown schema", START, "index/1", "index/2", SA_ERR_INVALID},
		{"unknown type", START, "\"start\"", "\"begin\"", SA_ERR_INVALID},
		{"type of a manifest", MANIFEST, "\"type\":\"manifest\"", "\"type\":\"end\"",
		 SA_ERR_INVALID},
		{"bad session id", START, "01234", "/1234", SA_ERR_INVALID},
		{"key elsewhere", START, "sessions/", "/etc/", SA_ERR_INVALID},
		{"key of another session", START, "session=0", "session=1", SA_ERR_INVALID},
		{"key of a template", START, "sessions/request=REQ-1042/", "hosts/db1/", 0},
		{"bad start", START, "2026-11-21T", "2026-13-21T", SA_ERR_INVALID},
		{"ses a string", START, "\"ses\":7", "\"ses\":\"7\"", SA_ERR_INVALID},
		{"bad access", START, "\"approved\"", "\"fine\"", SA_ERR_INVALID},
		{"no end", END, "\"end\":\"2", "\"later\":\"2", SA_ERR_INVALID},
		{"part 0", END, "\"part\":1", "\"part\":0", SA_ERR_INVALID},
		{"part too large", END, "\"part\":1", "\"part\":65536", SA_ERR_INVALID},
		{"entries below 0", END, "\"entries\":15", "\"entries\":-1", SA_ERR_INVALID},
		{"no lost", END, "\"lost\"", "\"found\"", SA_ERR_INVALID},
		{"no redactions, of an older agent", END, "\"redactions\"", "\"x\"", 0},
		{"redactions below 0", END, "\"redactions\":3", "\"redactions\":-3",
		 SA_ERR_INVALID},
		{"no segments", END, "\"segments\"", "\"pieces\"", SA_ERR_INVALID},
		{"not JSON", START, "{", "", SA_ERR_INVALID},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {0};
		const char *at = strstr(cases[i].good, cases[i].from);
		struct index_read r;
		int rc;

		if (!tap_ok(at != NULL, "%s: found", cases[i].name))
			continue;
		buf_init(&b, 1 << 16);
		buf_append(&b, cases[i].good, (size_t)(at - cases[i].good));
		buf_puts(&b, cases[i].to);
		buf_puts(&b, at + strlen(cases[i].from));
		rc = index_parse(buf_slice(&b), &r, NULL);
		tap_int(rc, cases[i].want, "parse: %s", cases[i].name);
		if (rc == 0)
			index_read_free(&r);
	}
}

#define POINTER                                                                                    \
	"{\"schema\":\"sessaudit.pointer/1\",\"type\":\"pointer\",\"session\":\"" SID              \
	"\",\"request\":{\"id\":\"REQ 2\"},\"key\":\"hosts/db1/session=" SID "/\"}"

static void test_pointer(void)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	buf_init(&b, 1 << 16);
	w = json_writer_new(&b);
	index_write_pointer(w, SID, SLICE_LIT("REQ 2"), SLICE_LIT("hosts/db1/session=" SID "/"));
	tap_int(json_writer_end(w), 0, "pointer: whole");
	tap_bytes(buf_slice(&b), SLICE_LIT(POINTER), "pointer");
}

static void test_read_pointer(void)
{
	static const struct {
		const char *name, *from, *to;
		int want;
	} cases[] = {
		{"good", "{", "{", 0},
		{"unknown key", "{", "{\"later\":1,", 0},
		{"unknown schema", "pointer/1", "pointer/2", SA_ERR_INVALID},
		{"unknown type", "\"pointer\"", "\"start\"", SA_ERR_INVALID},
		{"of another session", "01234", "11234", SA_ERR_INVALID},
		{"to another session", "db1/session=01234", "db1/session=11234", SA_ERR_INVALID},
		{"no key", "\"key\"", "\"keys\"", SA_ERR_INVALID},
		{"key a number", "\"hosts", "7,\"x\":\"hosts", SA_ERR_INVALID},
		{"key elsewhere", "hosts", "/etc", SA_ERR_INVALID},
		{"key above", "hosts", "..", SA_ERR_INVALID},
		{"not JSON", "{", "", SA_ERR_INVALID},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {0}, key = {0};
		const char *at = strstr(POINTER, cases[i].from);

		if (!tap_ok(at != NULL, "pointer, %s: found", cases[i].name))
			continue;
		buf_init(&b, 1 << 16);
		buf_init(&key, 1024);
		buf_puts(&key, "x:");
		buf_append(&b, POINTER, (size_t)(at - POINTER));
		buf_puts(&b, cases[i].to);
		buf_puts(&b, at + strlen(cases[i].from));
		tap_int(index_parse_pointer(buf_slice(&b), SID, &key, NULL), cases[i].want,
			"pointer: %s", cases[i].name);
		tap_str(buf_cstr(&key), cases[i].want ? "x:" : "x:hosts/db1/session=" SID "/",
			"pointer, %s: key", cases[i].name);
	}
}

int main(void)
{
	test_write_and_read();
	test_loss();
	test_refused();
	test_pointer();
	test_read_pointer();
	return tap_done();
}
