/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/layout.h"
#include "tests/unit/tap.h"

#define SID "2ab9a4634728340a26a28f66673fe485"

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
	layout_session_dir(&b, SLICE_LIT("REQ-1042"), SID);
	check(&b, "sessions/request=REQ-1042/session=" SID "/", "session dir");
	layout_session_dir(&b, SLICE_NONE, SID);
	check(&b, "sessions/request=unapproved/session=" SID "/", "no request");
	layout_session_dir(&b, SLICE_LIT(""), SID);
	check(&b, "sessions/request=unapproved/session=" SID "/", "empty request");
	layout_session_dir(&b, SLICE_LIT("../a b=c"), SID);
	check(&b, "sessions/request=..%2Fa%20b%3Dc/session=" SID "/", "request is encoded");
	layout_session_dir(&b, SLICE_LIT(".."), SID);
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

int main(void)
{
	test_session_id();
	test_is_session_id();
	test_keys();
	return tap_done();
}
