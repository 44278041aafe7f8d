/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/cleanup.h"
#include "common/store/store.h"
#include "common/transcript/layout.h"
#include "tests/unit/tap.h"

_Static_assert(LAYOUT_KEY_MAX == STORE_MAX_KEY && LAYOUT_KEY_DEPTH == STORE_MAX_DEPTH,
	       "layout.h promises keys that stores take");

#define SID "2ab9a4634728340a26a28f66673fe485"

static void session_dir(struct buf *b, struct slice request)
{
	struct layout_facts f = {.request_id = request, .sid = SID};

	layout_session_dir(b, LAYOUT_DEFAULT_PREFIX, &f);
}

static void test_session_id(void)
{
	struct slice machine = SLICE_LIT("0123456789abcdef0123456789abcdef");
	struct slice boot = SLICE_LIT("11111111-2222-3333-4444-555555555555");
	char sid[LAYOUT_SID_SIZE], other[LAYOUT_SID_SIZE], longer[300];

	/* printf 'sessaudit-session/1\0%s\0%s\0%s' machine boot 7 | sha256sum | cut -c1-32 */
	layout_session_id(machine, boot, 7, sid);
	tap_str(sid, SID, "session id");
	layout_session_id(machine, boot, 8, other);
	tap_ok(strcmp(sid, other) != 0, "another ses, another id");
	layout_session_id(SLICE_LIT(""), SLICE_NONE, 4294967294u, sid);
	tap_str(sid, "9d7b6d24ad3bb3792c3bbccc0cc56bbb", "empty ids, largest ses");
	memset(longer, 'x', sizeof(longer));
	layout_session_id((struct slice){longer, sizeof(longer)}, SLICE_LIT("b"), 1, sid);
	tap_str(sid, "c54556d76949833bafd12a961dc4ee3f", "an overlong id is cut at 256 bytes");
}

static void test_is_session_id(void)
{
	static const struct {
		const char *name, *text;
		bool want;
	} cases[] = {
		{"good", SID, true},
		{"absent", NULL, false},
		{"empty", "", false},
		{"too short", "0123456789abcdef0123456789abcde", false},
		{"too long", "0123456789abcdef0123456789abcdef0", false},
		{"upper case", "0123456789ABCDEF0123456789ABCDEF", false},
		{"path", "../../../../../../../../etc/pass", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_ok(layout_is_session_id(slice_of(cases[i].text)) == cases[i].want,
		       "session id: %s", cases[i].name);
}

static void check(struct buf *b, const char *want, const char *name)
{
	tap_str(buf_cstr(b), want, "%s", name);
	buf_clear(b);
}

static void test_keys(void)
{
	const int64_t start = INT64_C(1795219199999); /* 2026-11-20T23:59:59.999Z */
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 4096);
	session_dir(&b, SLICE_LIT("REQ-1042"));
	check(&b, "sessions/request=REQ-1042/session=" SID "/", "session dir");
	session_dir(&b, SLICE_NONE);
	check(&b, "sessions/request=unapproved/session=" SID "/", "no request");
	session_dir(&b, SLICE_LIT(""));
	check(&b, "sessions/request=unapproved/session=" SID "/", "empty request");
	session_dir(&b, SLICE_LIT("../a b=c"));
	check(&b, "sessions/request=..%2Fa%20b%3Dc/session=" SID "/", "request is encoded");
	session_dir(&b, SLICE_LIT(".."));
	check(&b, "sessions/request=%2E%2E/session=" SID "/", "request of dots");
	layout_segment_name(&b, 42);
	check(&b, "000042.jsonl.gz", "segment name");
	layout_segment_name(&b, UINT32_MAX);
	check(&b, "4294967295.jsonl.gz", "largest segment name");
	layout_manifest_name(&b, 1);
	check(&b, "manifest.json", "manifest");
	layout_manifest_name(&b, 2);
	check(&b, "manifest-2.json", "second manifest");
	layout_transcript_name(&b, 1);
	check(&b, "transcript.txt", "transcript");
	layout_transcript_name(&b, 12);
	check(&b, "transcript-12.txt", "twelfth transcript");
	layout_index_start(&b, start, SLICE_LIT("prod-db-1"), SID);
	check(&b, "index/date=2026-11-20/host=prod-db-1/" SID ".start.json",
	      "index start, date in UTC");
	layout_index_start(&b, start + 1, SLICE_LIT("a/b"), SID);
	check(&b, "index/date=2026-11-21/host=a%2Fb/" SID ".start.json", "index start, next day");
	layout_index_end(&b, start, SLICE_NONE, SID, 1);
	check(&b, "index/date=2026-11-20/host=unknown/" SID ".end.json", "index end, no host");
	layout_index_end(&b, start, SLICE_LIT("h"), SID, 3);
	check(&b, "index/date=2026-11-20/host=h/" SID ".end-3.json", "index end, part 3");
}

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_prefix_check(void)
{
	static const struct {
		const char *tmpl, *why; /* NULL: good */
	} cases[] = {
		{LAYOUT_DEFAULT_PREFIX, NULL},
		{"sessions", NULL},
		{"{user}", NULL},
		{"a-b_c.d=e/{year}/{month}-{day}/{host}/u={user}", NULL},
		{LAYOUT_DEFAULT_PREFIX "/h={host}", NULL},
		{"a/b/c/d/e/f/g/h/i/j/k/l/m/n", NULL},
		{"{user}" X50, NULL},
		{"{user}/{host}/{request_id}/{user}", NULL},
		{"", "an empty folder name"},
		{"/a", "an empty folder name"},
		{"a/", "an empty folder name"},
		{"a//b", "an empty folder name"},
		{".a", "begins with a dot"},
		{"a/../b", "begins with a dot"},
		{"{users}", "unknown word {users}"},
		{"{}", "unknown word {}"},
		{"a{user", "unknown word {user;"},
		{"{{user}}", "unknown word {{user}"},
		{"a}", "a } without its {"},
		{"{user}}", "a } without its {"},
		{"a b", "byte 0x20"},
		{"a%2F", "byte 0x25"},
		{"caf\xc3\xa9", "byte 0xc3"},
		{"a\nb", "byte 0x0a"},
		{"session=a/b", "called session="},
		{"index/{host}", "folder index is taken"},
		{"ledger", "folder ledger is taken"},
		{"probe/a", "folder probe is taken"},
		{"sessions/request={host}", "only {request_id} may stand"},
		{"sessions/request={request_id}b", "only {request_id} may stand"},
		{"a/b/c/d/e/f/g/h/i/j/k/l/m/n/o", "17 folders deep"},
		{"{user}{host}", "can become 404 bytes"},
		{"{user}" X50 "xxxx", "can become 256 bytes"},
		{"{user}/{host}/{user}/{host}/{user}", "keys could become 1103 bytes long"},
		{X50 "/" X50 "/" X50 "/" X50 "/" X50 "/xx", "longer than 256 bytes"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sa_err err = {0};
		int rc = layout_prefix_check(cases[i].tmpl, &err);

		tap_int(rc, cases[i].why ? SA_ERR_INVALID : 0, "template %s", cases[i].tmpl);
		if (cases[i].why)
			tap_ok(strstr(err.msg, cases[i].why) != NULL, "says: %s", err.msg);
	}
}

static void test_prefix(void)
{
	static const struct {
		const char *name, *tmpl, *request, *host, *user, *want;
	} cases[] = {
		{"all words", "{year}/{month}/{day}/{host}/{user}/{request_id}", "R", "h", "u",
		 "2026/11/20/h/u/R"},
		{"absent values", "{host}/{user}/{request_id}", NULL, NULL, NULL,
		 "unknown/unknown/unapproved"},
		{"slashes", "{user}/{host}", NULL, "../..", "a/b", "a%2Fb/%2E.%2F.."},
		{"a dot first", "{user}/x{user}/x={host}", NULL, ".h", ".u", "%2Eu/x.u/x=.h"},
		{"dots", "{user}/{host}", NULL, ".", "..", "%2E%2E/%2E"},
		{"braces", "{user}/{host}", NULL, "{user}", "{year}", "%7Byear%7D/%7Buser%7D"},
		{"what was made stays", "a%2Fb/%2E~/x", "R", "h", "u", "a%2Fb/%2E~/x"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {0};
		struct layout_facts f = {
			.request_id = slice_of(cases[i].request),
			.host = slice_of(cases[i].host),
			.user = slice_of(cases[i].user),
			.start_ms = INT64_C(1795219199999),
			.sid = SID,
		};

		buf_init(&b, 4096);
		layout_prefix(&b, cases[i].tmpl, &f);
		tap_str(buf_cstr(&b), cases[i].want, "prefix: %s", cases[i].name);
		buf_clear(&b);
		layout_session_dir(&b, cases[i].tmpl, &f);
		tap_ok(layout_is_session_dir(buf_slice(&b), SLICE_LIT(SID)), "session dir: %s",
		       cases[i].name);
	}
}

/* Whatever users and hosts are called, a template that passes makes keys that stores take. */
static void test_longest(void)
{
	static const char *const tmpls[] = {"{user}/{host}/{request_id}/{user}",
					    "a/b/c/d/e/f/g/h/i/{user}/{host}/{year}/{month}/{day}",
					    ("{user}" X50)};
	char long_name[1000] = ".";
	struct layout_facts f = {.sid = SID};

	memset(long_name + 1, '/', sizeof(long_name) - 2);
	f.host = f.user = f.request_id = slice_of(long_name);
	for (size_t i = 0; i < ARRAY_LEN(tmpls); i++) {
		_cleanup_buf_ struct buf b = {0};

		buf_init(&b, 4096);
		tap_int(layout_prefix_check(tmpls[i], NULL), 0, "template %s", tmpls[i]);
		layout_session_dir(&b, tmpls[i], &f);
		layout_transcript_name(&b, UINT32_MAX);
		buf_puts(&b, ".conflict-01234567");
		tap_ok(store_key_valid(buf_cstr(&b)), "its longest key (%zu bytes) is valid",
		       b.len);
		for (const char *p = buf_cstr(&b); *p; p += strcspn(p, "/"), p += *p == '/')
			tap_ok(strcspn(p, "/") <= 255, "a name of %zu bytes", strcspn(p, "/"));
	}
}

static void test_is_session_dir(void)
{
	static const struct {
		const char *key;
		bool want;
	} cases[] = {
		{"a/session=" SID "/", true},
		{"sessions/request=%2E~-_.x/session=" SID "/", true},
		{"a/b/c/d/e/f/g/h/i/j/k/l/m/n/session=" SID "/", true},
		{"a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/session=" SID "/", false},
		{"session=" SID "/", false},
		{"/session=" SID "/", false},
		{"a/session=" SID, false},
		{"a/session=2ab9a4634728340a26a28f66673fe486/", false},
		{"a//session=" SID "/", false},
		{"/a/session=" SID "/", false},
		{"a/../session=" SID "/", false},
		{"a/.b/session=" SID "/", false},
		{"a b/session=" SID "/", false},
		{"a\n/session=" SID "/", false},
		{"", false},
		{NULL, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_ok(layout_is_session_dir(slice_of(cases[i].key), SLICE_LIT(SID)) ==
			       cases[i].want,
		       "folder of the session: %s", cases[i].key ? cases[i].key : "(none)");
	tap_ok(!layout_is_session_dir(SLICE_LIT("a/session=x/"), SLICE_LIT("x")), "of no session");
	tap_ok(!layout_is_session_dir((struct slice){"a\0/session=" SID "/", 44}, SLICE_LIT(SID)),
	       "a NUL in it");
}

static void test_pointer(void)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 4096);
	layout_request_dir(&b, SLICE_LIT("a b"));
	check(&b, "sessions/request=a%20b/", "folder of a request");
	layout_pointer(&b, SLICE_LIT("a b"), SID);
	check(&b, "sessions/request=a%20b/session=" SID "/pointer.json", "pointer");
}

int main(void)
{
	test_session_id();
	test_is_session_id();
	test_keys();
	test_prefix_check();
	test_prefix();
	test_longest();
	test_is_session_dir();
	test_pointer();
	return tap_done();
}
