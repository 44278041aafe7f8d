/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/reader.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

#define X(s, p)                                                                                    \
	{                                                                                          \
		.seq = s, .pid = p, .type = ENTRY_EXEC                                             \
	}
#define IN(s, p, first)                                                                            \
	{                                                                                          \
		.seq = s, .pid = p, .type = ENTRY_INPUT, .ran_first = first                        \
	}
#define END(s, p, exec, code)                                                                      \
	{                                                                                          \
		.seq = s, .pid = p, .type = ENTRY_EXIT, .exec_seq = exec, .more = {                \
			.has_exit_code = true,                                                     \
			.exit_code = code                                                          \
		}                                                                                  \
	}
#define MAX 12

static void test_sort(void)
{
	static const struct {
		const char *name;
		struct reader_line lines[MAX];
		struct reader_ran ran[4];
		const char *want; /* seqs; with "<n" for what typed line n led to,
				     "=n" exit code, "!" not typed; not the folded ones */
	} cases[] = {
		{"nothing typed", {X(1, 5), X(2, 6)}, {{0, 0, false}}, "1 2"},
		{"before what it ran",
		 {X(1, 5), X(2, 6), X(3, 7), IN(4, 5, 2)},
		 {{2, 4, false}, {3, 4, false}},
		 "1 4 2<4 3<4"},
		{"a built-in between two commands keeps its place",
		 {X(1, 5), X(2, 6), X(3, 7), IN(4, 5, 2), IN(5, 5, 0), IN(6, 5, 3)},
		 {{2, 4, false}, {3, 6, false}},
		 "1 4 2<4 5 6 3<6"},
		{"built-ins first go before the first command",
		 {X(1, 5), X(2, 6), IN(3, 5, 0), IN(4, 5, 0), IN(5, 5, 2)},
		 {{2, 5, false}},
		 "1 3 4 5 2<5"},
		{"built-ins last go behind all that ran",
		 {X(1, 5), X(2, 6), X(3, 9), IN(4, 5, 2), IN(5, 5, 0)},
		 {{2, 4, false}},
		 "1 4 2<4 3 5"},
		{"a built-in goes behind what the command before it did",
		 {X(1, 5), X(2, 6), IN(3, 6, 0), X(4, 7), IN(5, 5, 2), IN(6, 5, 0), IN(7, 5, 4)},
		 {{2, 5, false}, {4, 7, false}},
		 "1 5 2<5 3 6 7 4<7"},
		{"lines of a program stay where they were read",
		 {X(1, 5), X(2, 6), X(3, 7), IN(4, 6, 0)},
		 {{0, 0, false}},
		 "1 2 3 4"},
		{"not before the program was started",
		 {X(1, 5), X(2, 6), IN(3, 6, 0)},
		 {{0, 0, false}},
		 "1 2 3"},
		{"two shells",
		 {X(1, 5), X(2, 6), X(3, 7), X(4, 8), IN(5, 6, 4), IN(6, 5, 3)},
		 {{3, 6, false}, {4, 5, false}},
		 "1 2 6 3<6 5 4<5"},
		{"never later than it was recorded",
		 {X(1, 5), IN(2, 5, 0), X(3, 6)},
		 {{0, 0, false}},
		 "1 2 3"},
		{"seqs that do not rise: as recorded",
		 {X(1, 5), X(3, 6), X(2, 7), IN(4, 5, 2)},
		 {{2, 4, false}, {3, 4, false}},
		 "1 3 2 4"},
		{"what it ran is not there",
		 {X(1, 5), X(4, 6), IN(5, 5, 2)},
		 {{2, 5, false}, {3, 5, false}},
		 "1 5 4"},
		{"how a program ended stands with its start",
		 {X(1, 5), X(2, 6), END(3, 6, 2, 4), END(4, 5, 1, 0)},
		 {{0, 0, false}},
		 "1=0 2=4"},
		{"an end whose start is not there stays",
		 {X(2, 5), END(3, 6, 1, 4), END(4, 7, 0, 4)},
		 {{0, 0, false}},
		 "2 3 4"},
		{"a subshell that ended well has no line",
		 {X(2, 5), END(3, 6, 0, 0)},
		 {{0, 0, false}},
		 "2"},
		{"run by a shell without a typed line",
		 {X(1, 5), X(2, 6), X(3, 7), IN(4, 5, 2)},
		 {{2, 4, false}, {3, 5, true}},
		 "1 4 2<4 3!"},
		{"the largest number",
		 {X(1, 5), IN(2, 5, UINT64_MAX)},
		 {{UINT64_MAX, 2, false}},
		 "1 2"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reader_line lines[MAX];
		struct reader_ran ran[4];
		struct reader_transcript t = {.lines = lines, .ran = ran};
		char got[128] = "";
		size_t n = 0;

		memcpy(lines, cases[i].lines, sizeof(lines));
		memcpy(ran, cases[i].ran, sizeof(ran));
		while (t.len < MAX && lines[t.len].seq > 0)
			t.len++;
		while (t.n_ran < 4 && ran[t.n_ran].exec > 0)
			t.n_ran++;
		tap_int(reader_sort(&t, NULL), 0, "sort: %s", cases[i].name);
		for (size_t k = 0; k < t.len; k++) {
			if (lines[k].folded)
				continue;
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%" PRIu64, k ? " " : "",
					      lines[k].seq);
			if (lines[k].more.typed > 0)
				n += (size_t)snprintf(got + n, sizeof(got) - n, "<%" PRIu64,
						      lines[k].more.typed);
			if (lines[k].more.ended)
				n += (size_t)snprintf(got + n, sizeof(got) - n, "=%" PRIu32,
						      lines[k].more.exit_code);
			if (lines[k].more.untyped)
				n += (size_t)snprintf(got + n, sizeof(got) - n, "!");
		}
		tap_str(got, cases[i].want, "order: %s", cases[i].name);
	}
}

#define SID_A "2ab9a4634728340a26a28f66673fe485"
#define SID_B "7b5896e92383edd922845d6b2ed24816"
#define SID_C "36b5d3d7ca59b6b63c94d3e33fbac2ff"
#define SID_D "d6b5d3d7ca59b6b63c94d3e33fbac2ff"

static char dir[] = "/tmp/test_reader.XXXXXX";

static void put_file(const char *key, const char *text)
{
	char path[512], parent[512];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	if (fdio_mkdirs(-1, parent, 0700, NULL) != 0 ||
	    fdio_replace_file(-1, path, text, strlen(text), 0600, NULL) != 0)
		tap_ok(false, "cannot write %s", path);
}

static int unlink_file(const char *key)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return unlink(path);
}

static void put_index(const char *date, const char *host, const char *sid, const char *what,
		      const char *access)
{
	char key[256], text[1024];
	bool end = strncmp(what, "end", 3) == 0;

	snprintf(key, sizeof(key), "index/date=%s/host=%s/%s.%s.json", date, host, sid, what);
	snprintf(
		text, sizeof(text),
		"{\"schema\":\"sessaudit.index/1\",\"type\":\"%s\",\"session\":\"%s\",\"ses\":7,"
		"\"host\":\"%s\",\"user\":\"dba\",\"service\":\"sshd\",\"source\":\"10.0.0.9\","
		"\"start\":\"%sT01:02:03.000Z\",\"capture\":\"replay\",\"access\":{%s},"
		"\"key\":\"sessions/request=x/session=%s/\"%s%s}",
		end ? "end" : "start", sid, host, date, access, sid,
		end ? ",\"end\":\"2026-11-25T01:00:00.000Z\",\"end_cause\":\"logout\","
		      "\"duration_ms\":1,\"entries\":9,\"execs\":1,\"inputs\":0,\"gaps\":0,\"lost\":0,"
		      "\"head\":\"\",\"segments\":1,\"part\":"
		    : "",
		end ? (strcmp(what, "end") == 0 ? "1" : what + 4) : "");
	put_file(key, text);
}

static void make_store(void)
{
	static const char approved[] =
		"\"status\":\"approved\",\"source\":\"user\",\"request\":{\"id\":\"REQ-1\"}";
	static const char ambiguous[] =
		"\"status\":\"ambiguous\",\"source\":\"user\",\"candidates\":[\"REQ-1\",\"REQ-2\"]";
	static const char none[] = "\"status\":\"unapproved\",\"source\":\"none\"";

	put_index("2026-11-22", "h1", SID_A, "start", approved);
	put_index("2026-11-22", "h1", SID_A, "end", approved);
	put_index("2026-11-22", "h1", SID_A, "end-2", approved);
	put_index("2026-11-21", "h2", SID_B, "start", ambiguous);
	put_index("2026-11-23", "h1", SID_C, "start", none);
}

static void test_find(void)
{
	static const struct {
		const char *name;
		struct reader_filter f;
		const char *want; /* first digit of each session, with its part */
	} cases[] = {
		{"all, by start", {0}, "7.0 2.2 3.0"},
		{"request", {.request = "REQ-1"}, "7.0 2.2"},
		{"request that is one of several", {.request = "REQ-2"}, "7.0"},
		{"no such request", {.request = "REQ"}, ""},
		{"user", {.user = "dba"}, "7.0 2.2 3.0"},
		{"no such user", {.user = "db"}, ""},
		{"host", {.host = "h1"}, "2.2 3.0"},
		{"since", {.since_ms = INT64_C(1795309323000)}, "2.2 3.0"},
		{"since, a millisecond later", {.since_ms = INT64_C(1795309323001)}, "3.0"},
		{"until", {.until_ms = INT64_C(1795309323000)}, "7.0"},
		{"until, a millisecond later", {.until_ms = INT64_C(1795309323001)}, "7.0 2.2"},
		{"status", {.by_status = true, .status = ACCESS_UNAPPROVED}, "3.0"},
		{"since, within the day", {.since_ms = INT64_C(1795330000000)}, "3.0"},
		{"since years ago", {.since_ms = 1}, "7.0 2.2 3.0"},
		{"since, later", {.since_ms = INT64_C(1798761600000)}, ""},
		{"until, the day before", {.until_ms = INT64_C(1795219200000)}, ""},
		{"until, in years", {.until_ms = INT64_C(4102444800000)}, "7.0 2.2 3.0"},
		{"since and until",
		 {.since_ms = INT64_C(1795305600000), .until_ms = INT64_C(1795392000000)},
		 "2.2"},
		{"beginning of an id", {.sid_prefix = "2ab9"}, "2.2"},
		{"all at once",
		 {.request = "REQ-1", .host = "h1", .by_status = true, .status = ACCESS_APPROVED},
		 "2.2"},
	};
	struct reader r;

	tap_int(reader_open(dir, NULL, &r, NULL), 0, "open");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_sessions_ struct reader_sessions s;
		char got[64] = "";

		tap_int(reader_find(&r, &cases[i].f, &s, NULL), 0, "find: %s", cases[i].name);
		for (size_t k = 0; k < s.len; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%c.%u",
				 k ? " " : "", s.items[k].sid[0], s.items[k].facts->index.part);
		tap_str(got, cases[i].want, "found: %s", cases[i].name);
	}
	tap_int(r.problems, 0, "no problems");
	reader_close(&r);
}

static int64_t start_of(const char *date)
{
	char text[32];
	int64_t ms = 0;

	snprintf(text, sizeof(text), "%sT01:02:03Z", date);
	tap_int(clock_parse_utc(slice_of(text), &ms), 0, "%s is a date", date);
	return ms;
}

/* The keys of any range of dates are listed, and none twice: edges of days, months, years. */
static void test_dates(void)
{
	static const char *const dates[] = {
		"1970-01-02", "1999-12-31", "2000-01-01", "2026-01-31", "2026-02-01",
		"2026-09-30", "2026-10-01", "2026-11-09", "2026-11-10", "2026-11-30",
		"2026-12-01", "2026-12-31", "2027-01-01", "2030-06-15", "9999-12-31",
	};
	_cleanup_buf_ struct buf wrong = {0};
	int64_t at[ARRAY_LEN(dates)];
	struct reader r;

	buf_init(&wrong, 4096);
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		char sid[LAYOUT_SID_SIZE];

		snprintf(sid, sizeof(sid), "e%031zx", i);
		at[i] = start_of(dates[i]);
		put_index(dates[i], "dates", sid, "start",
			  "\"status\":\"unapproved\",\"source\":\"none\"");
	}
	tap_int(reader_open(dir, NULL, &r, NULL), 0, "open");
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		for (size_t k = i; k <= ARRAY_LEN(dates); k++) { /* the last: without an end */
			struct reader_filter f = {.host = "dates", .since_ms = at[i]};
			_cleanup_sessions_ struct reader_sessions s = {0};

			f.until_ms = k < ARRAY_LEN(dates) ? at[k] : 0;
			if (reader_find(&r, &f, &s, NULL) != 0 || s.len != k - i)
				buf_printf(&wrong, " %zu..%zu: %zu", i, k, s.len);
		}
	}
	tap_str(buf_cstr(&wrong), "", "each range finds what began in it");
	reader_close(&r);
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		char key[128];

		snprintf(key, sizeof(key), "index/date=%s/host=dates/e%031zx.start.json", dates[i],
			 i);
		unlink_file(key);
	}
}

/* Sessions of a request by folder and pointer; the index is asked for their facts only. */
static void test_find_request(void)
{
	struct reader_filter f = {.request = "R/1"}, none = {.request = "R/9"};
	_cleanup_sessions_ struct reader_sessions s = {0}, nothing = {0};
	struct reader r;

	put_file("sessions/request=R%2F1/session=" SID_A "/000000.jsonl.gz", "x");
	put_file("sessions/request=R%2F1/session=" SID_B "/pointer.json",
		 "{\"schema\":\"sessaudit.pointer/1\",\"type\":\"pointer\",\"session\":\"" SID_B
		 "\",\"request\":{\"id\":\"R/1\"},\"key\":\"hosts/h2/session=" SID_B "/\"}");
	put_file("sessions/request=R%2F1/session=" SID_C "/pointer.json",
		 "{\"schema\":\"sessaudit.pointer/1\",\"type\":\"pointer\",\"session\":\"" SID_C
		 "\",\"request\":{\"id\":\"R/1\"},\"key\":\"../etc/session=" SID_C "/\"}");
	put_file("sessions/request=R%2F1/session=short/manifest.json", "x");
	put_file("sessions/request=R%2F10/session=" SID_C "/manifest.json", "x");
	tap_int(reader_open(dir, NULL, &r, NULL), 0, "open");
	tap_int(reader_find_request(&r, &f, &s, NULL), 0, "find by request");
	tap_int((long long)s.len, 3, "a folder and two pointers");
	if (s.len == 3) {
		tap_str(s.items[0].dir, "hosts/h2/session=" SID_B "/", "where the pointer says");
		tap_str(s.items[1].dir, "sessions/request=R%2F1/session=" SID_A "/", "the folder");
		tap_int(s.items[1].facts ? s.items[1].facts->index.part : 0, 2, "newest facts");
		tap_str(s.items[2].dir, "sessions/request=x/session=" SID_C "/",
			"a pointer out of the store: the index knows better");
	}
	tap_int(r.problems, 1, "the bad pointer was told");
	tap_int(reader_find_request(&r, &none, &nothing, NULL), 0, "a request without a folder");
	tap_int((long long)nothing.len, 0, "has no sessions here");
	f.user = "nobody";
	reader_sessions_free(&s);
	tap_int(reader_find_request(&r, &f, &s, NULL), 0, "find by request and user");
	tap_int((long long)s.len, 0, "the filter counts");
	reader_close(&r);
}

/* The folder in an index object is where the transcript is read from. */
static void test_folder(void)
{
	static const struct {
		const char *name, *key;
		bool good;
	} cases[] = {
		{"default", "sessions/request=x/session=" SID_D "/", true},
		{"another template", "audit/host=h/2026/session=" SID_D "/", true},
		{"of another session", "sessions/request=x/session=" SID_A "/", false},
		{"without the last slash", "sessions/request=x/session=" SID_D, false},
		{"deeper than the session", "sessions/session=" SID_D "/x/", false},
		{"up and away", "sessions/../../session=" SID_D "/", false},
		{"from the root", "/etc/session=" SID_D "/", false},
		{"no folder above", "session=" SID_D "/", false},
		{"empty", "", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reader_filter f = {.sid_prefix = SID_D};
		_cleanup_sessions_ struct reader_sessions s = {0};
		struct reader r;
		char text[1024];

		snprintf(
			text, sizeof(text),
			"{\"schema\":\"sessaudit.index/1\",\"type\":\"start\",\"session\":\"" SID_D
			"\",\"ses\":7,\"host\":\"h\",\"user\":\"dba\",\"service\":\"sshd\","
			"\"source\":\"\",\"start\":\"2026-11-24T01:02:03.000Z\",\"capture\":\"replay\","
			"\"access\":{\"status\":\"unapproved\",\"source\":\"none\"},\"key\":\"%s\"}",
			cases[i].key);
		put_file("index/date=2026-11-24/host=h/" SID_D ".start.json", text);
		tap_int(reader_open(dir, NULL, &r, NULL), 0, "open");
		tap_int(reader_find(&r, &f, &s, NULL), 0, "find: folder %s", cases[i].name);
		tap_int((long long)s.len, cases[i].good, "found: folder %s", cases[i].name);
		tap_int(r.problems, !cases[i].good, "told: folder %s", cases[i].name);
		reader_close(&r);
	}
	if (unlink_file("index/date=2026-11-24/host=h/" SID_D ".start.json") != 0)
		tap_ok(false, "cannot remove the index object");
}

/* What is broken is counted, and the rest found: the older object of the same session too. */
static void test_broken(void)
{
	_cleanup_sessions_ struct reader_sessions s, dirs;
	struct reader_filter all = {0};
	struct reader r;

	put_file("index/date=2026-11-22/host=h1/" SID_A ".end-3.json", "{\"schema\":");
	put_file("index/date=2026-11-22/host=h1/" SID_A ".start.json.conflict-01234567", "{}");
	put_file("sessions/request=R%2F1/session=" SID_A "/manifest.json", "x");
	put_file("audit/a/session=" SID_A "/000000.jsonl.gz", "x");
	tap_int(reader_open(dir, NULL, &r, NULL), 0, "open");
	tap_int(reader_find(&r, &all, &s, NULL), 0, "find beside broken objects");
	tap_int((long long)s.len, 3, "all sessions are there");
	tap_int(s.len > 1 ? s.items[1].facts->index.part : 0, 2,
		"with the newest facts that are good");
	tap_int(r.problems, 2, "two problems were told");
	tap_int(reader_find_dirs(&r, "2ab9", &dirs, NULL), 0, "find directories");
	tap_int((long long)dirs.len, 2, "two directories, under any template");
	tap_str(dirs.len ? dirs.items[0].dir : NULL, "audit/a/session=" SID_A "/", "the one");
	tap_str(dirs.len > 1 ? dirs.items[1].dir : NULL,
		"sessions/request=R%2F1/session=" SID_A "/", "the other");
	if (dirs.len > 1) {
		struct reader_transcript t;

		tap_int(reader_load(&r, &dirs.items[1], &t, NULL), SA_ERR_NOTFOUND,
			"no segment can be read");
		tap_int(r.problems, 4, "segment and manifest were told");
	}
	reader_close(&r);
}

int main(void)
{
	char command[64];

	/* the warnings that the tests cause */
	if (!freopen("/dev/null", "w", stderr) || !mkdtemp(dir))
		return 1;
	test_sort();
	make_store();
	test_find();
	test_dates();
	test_find_request();
	test_folder();
	test_broken();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? tap_done() : 1;
}
