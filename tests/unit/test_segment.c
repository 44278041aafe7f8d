/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <zlib.h>

#include "common/cleanup.h"
#include "common/transcript/entry.h"
#include "common/transcript/segment.h"
#include "tests/unit/tap.h"

#define SID "0123456789abcdef0123456789abcdef"
#define T0 INT64_C(1795222800123) /* 2026-11-21T01:00:00.123Z */

static struct access approved = {
	.status = ACCESS_APPROVED,
	.source = ACCESS_SOURCE_USER,
	.request_id = (char[]){"REQ-1042"},
};

static const struct segment_session session = {
	.sid = SID,
	.host = SLICE_LIT("db1"),
	.machine_id = SLICE_LIT("m1"),
	.boot_id = SLICE_LIT("b1"),
	.ses = 7,
	.auid = 1001,
	.user = SLICE_LIT("dba"),
	.origin = SLICE_LIT("10.0.0.9"),
	.service = SLICE_LIT("sshd"),
	.terminal = SLICE_LIT("ssh"),
	.start_ms = T0,
	.access = &approved,
	.capture = SLICE_LIT("replay"),
};

static struct digest *digest;

/* Ends the line that w wrote into the end of out, from at. */
static void end_line(struct buf *out, size_t at, struct chain *c)
{
	chain_add(c, digest, (struct slice){out->data + at, out->len - at});
	buf_putc(out, '\n');
}

/* Appends segment number with n entries to out, going on with the chain. */
static void make_segment(struct buf *out, uint32_t number, uint64_t first, uint64_t n,
			 struct chain *c)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);
	struct segment_mark m = {number, first, (char[DIGEST_HEX_SIZE]){""}};
	size_t at = out->len;
	char prev[DIGEST_HEX_SIZE];

	memcpy(prev, c->head, sizeof(prev));
	m.prev_head = prev;
	segment_write_header(w, &session, &m);
	end_line(out, at, c);
	for (uint64_t seq = first; seq < first + n; seq++) {
		struct entry e = {.seq = seq, .time_ms = T0, .type = ENTRY_EXEC, .pid = 5};

		at = out->len;
		json_writer_reset(w);
		entry_write(w, &e);
		end_line(out, at, c);
	}
	at = out->len;
	json_writer_reset(w);
	segment_write_footer(w, &m, n, first + n - 1, c->head);
	end_line(out, at, c);
}

static void test_lines(void)
{
	static const char header[] =
		"{\"schema\":\"sessaudit.segment/1\",\"type\":\"segment_header\","
		"\"session\":\"" SID "\",\"segment\":3,\"first_seq\":9,\"prev_head\":\"abc\","
		"\"host\":{\"name\":\"db1\",\"id\":\"m1\",\"boot\":{\"id\":\"b1\"}},\"ses\":7,"
		"\"user\":{\"name\":\"dba\",\"audit\":{\"id\":\"1001\"}},\"origin\":\"10.0.0.9\","
		"\"source\":{\"ip\":\"10.0.0.9\"},\"service\":{\"name\":\"sshd\"},"
		"\"terminal\":\"ssh\",\"start\":\"2026-11-21T01:00:00.123Z\","
		"\"capture\":\"replay\",\"access\":{\"status\":\"approved\",\"source\":\"user\","
		"\"request\":{\"id\":\"REQ-1042\"}}}";
	static const char footer[] = "{\"type\":\"segment_footer\",\"segment\":3,\"first_seq\":9,"
				     "\"last_seq\":12,\"entries\":4,\"head\":\"def\"}";
	_cleanup_buf_ struct buf b = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;
	struct segment_mark m = {3, 9, "abc"};

	buf_init(&b, 1 << 16);
	w = json_writer_new(&b);
	segment_write_header(w, &session, &m);
	tap_int(json_writer_end(w), 0, "header is whole");
	tap_bytes(buf_slice(&b), slice_of(header), "header");
	buf_clear(&b);
	json_writer_reset(w);
	segment_write_footer(w, &m, 4, 12, "def");
	tap_int(json_writer_end(w), 0, "footer is whole");
	tap_bytes(buf_slice(&b), slice_of(footer), "footer");
}

static void test_session_dir(void)
{
	static char first[] = "R/1", second[] = "R2", *several[] = {first, second};
	static const struct access tied = {
		.status = ACCESS_AMBIGUOUS, .candidates = several, .n_candidates = 2};
	static const struct {
		const char *name;
		const struct access *access;
		struct slice request;
		const char *folder;
	} cases[] = {
		{"a request", &approved, SLICE_NONE, "REQ-1042"},
		{"the first of several", &tied, SLICE_NONE, "R%2F1"},
		{"no context", NULL, SLICE_NONE, "unapproved"},
		{"a tag that came late", &approved, SLICE_LIT(""), "unapproved"},
		{"a folder of its own", &approved, SLICE_LIT("R9"), "R9"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf got = {0}, want = {0};
		struct segment_session s = session;

		s.access = cases[i].access;
		s.request = cases[i].request;
		buf_init(&got, 4096);
		buf_init(&want, 4096);
		segment_session_dir(&got, &s);
		buf_printf(&want, "sessions/request=%s/session=" SID "/", cases[i].folder);
		tap_bytes(buf_slice(&got), buf_slice(&want), "dir: %s", cases[i].name);
	}
}

static int count_entry(void *ctx, struct slice line)
{
	struct entry_read r;

	if (entry_parse(line, &r, NULL) != 0)
		return SA_ERR_INVALID;
	*(uint64_t *)ctx += r.e.seq;
	entry_read_free(&r);
	return 0;
}

static int stop(void *ctx, struct slice line)
{
	(void)ctx;
	(void)line;
	return 42;
}

static void test_read(void)
{
	_cleanup_buf_ struct buf one = {0}, two = {0};
	_cleanup_json_ struct json *header = NULL;
	_cleanup_access_ struct access a = {.status = ACCESS_UNAPPROVED};
	struct chain made = {.head = ""}, c = {.head = ""};
	struct segment_info info;
	struct segment_session s;
	uint64_t sum = 0;

	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	make_segment(&one, 0, 1, 3, &made);
	make_segment(&two, 1, 4, 2, &made);
	tap_int(segment_read(buf_slice(&one), &c, count_entry, &sum, &header, &info, NULL), 0,
		"read");
	tap_str(info.problem, "", "first segment fits");
	tap_ok(info.chain_ok && info.number == 0 && info.first_seq == 1 && info.last_seq == 3 &&
		       info.entries == 3,
	       "numbers of the first");
	tap_str(info.sid, SID, "session id");
	tap_int((long long)sum, 6, "all entries were handed on");
	tap_int(segment_session_read(header, &s, &a, NULL), 0, "header read back");
	tap_ok(s.ses == 7 && s.auid == 1001 && s.start_ms == T0 && slice_is(s.host, "db1") &&
		       slice_is(s.machine_id, "m1") && slice_is(s.boot_id, "b1") &&
		       slice_is(s.user, "dba") && slice_is(s.origin, "10.0.0.9") &&
		       slice_is(s.service, "sshd") && slice_is(s.terminal, "ssh") &&
		       slice_is(s.capture, "replay") && strcmp(s.sid, SID) == 0 && s.access == &a &&
		       strcmp(a.request_id, "REQ-1042") == 0,
	       "every field of the header");
	tap_int(segment_read(buf_slice(&two), &c, NULL, NULL, NULL, &info, NULL), 0, "read on");
	tap_ok(info.chain_ok && info.number == 1 && info.last_seq == 5, "second segment fits");
	tap_str(c.head, made.head, "the chain ends where the writer's did");
	c.head[0] = '\0';
	tap_int(segment_read(buf_slice(&two), &c, NULL, NULL, NULL, &info, NULL), 0,
		"second alone");
	tap_str(info.problem, "prev_head is not the head of the segment before",
		"alone: does not fit");
	tap_str(c.head, made.head, "alone: the chain goes on from prev_head");
	c.head[0] = '\0';
	tap_int(segment_read(buf_slice(&one), &c, stop, NULL, NULL, &info, NULL), 42,
		"fn stops it");
}

/* One change to a good segment, and what the reader says of it. */
static void test_changes(void)
{
	static const struct {
		const char *name, *from, *to, *problem;
	} cases[] = {
		{"byte of an entry", "\"pid\":5", "\"pid\":6",
		 "head in the footer is not the hash of the lines"},
		{"byte of the header", "\"ses\":7", "\"ses\":8",
		 "head in the footer is not the hash of the lines"},
		{"head in the footer", "\"head\":\"", "\"head\":\"0",
		 "head in the footer is not the hash of the lines"},
		{"seq jumps", "\"seq\":2", "\"seq\":3", "line 3: entry 3 where 2 is due"},
		{"seq is no number", "\"seq\":2", "\"seq\":[]", "line 3: not an entry"},
		{"not JSON", "{\"@timestamp\"", "\"@timestamp\"", "line 2: not an entry"},
		{"count in the footer", "\"entries\":3", "\"entries\":2",
		 "numbers in the footer do not fit the entries"},
		{"last_seq in the footer", "\"last_seq\":3", "\"last_seq\":4",
		 "numbers in the footer do not fit the entries"},
		{"no footer", "segment_footer", "segment_other", "line 5: not an entry"},
		{"two lines in one", "\n{\"type\":\"segment_footer\"",
		 " {\"type\":\"segment_footer\"", "line 4: not an entry"},
		{"segment number", "\"segment\":0", "\"segment\":4",
		 "prev_head does not go with segment number 4"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf good = {0}, bad = {0};
		struct chain made = {.head = ""}, c = {.head = ""};
		struct segment_info info;
		const char *text, *at;

		buf_init(&good, 1 << 20);
		buf_init(&bad, 1 << 20);
		make_segment(&good, 0, 1, 3, &made);
		text = buf_cstr(&good);
		at = strstr(text, cases[i].from);
		if (!tap_ok(at != NULL, "%s: found", cases[i].name))
			continue;
		buf_append(&bad, text, (size_t)(at - text));
		buf_puts(&bad, cases[i].to);
		buf_puts(&bad, at + strlen(cases[i].from));
		segment_read(buf_slice(&bad), &c, NULL, NULL, NULL, &info, NULL);
		tap_str(info.problem, cases[i].problem, "change: %s", cases[i].name);
		tap_ok(!info.chain_ok, "change seen: %s", cases[i].name);
	}
}

static void check_lines(const struct buf *b, size_t from, size_t to, const char *want,
			const char *name)
{
	struct chain c = {.head = ""};
	struct segment_info info;
	int rc = segment_read((struct slice){b->data + from, to - from}, &c, NULL, NULL, NULL,
			      &info, NULL);

	tap_str(rc == 0 ? info.problem : "refused", want, "%s", name);
}

static size_t line_at(const struct buf *b, unsigned n)
{
	size_t at = 0;

	for (; n > 0; n--)
		at = (size_t)((char *)memchr(b->data + at, '\n', b->len - at) - b->data) + 1;
	return at;
}

static void test_cut(void)
{
	_cleanup_buf_ struct buf b = {0}, doubled = {0};
	struct chain made = {.head = ""};

	buf_init(&b, 1 << 20);
	buf_init(&doubled, 1 << 20);
	make_segment(&b, 0, 1, 3, &made);
	check_lines(&b, 0, 0, "refused", "empty");
	check_lines(&b, 0, line_at(&b, 1) - 1, "refused", "cut in the header line");
	check_lines(&b, line_at(&b, 1), b.len, "refused", "no header");
	check_lines(&b, 0, line_at(&b, 1), "no footer", "header only");
	check_lines(&b, 0, line_at(&b, 4), "no footer", "cut before the footer");
	check_lines(&b, 0, line_at(&b, 3) + 5, "line 4: cut off", "cut in an entry");
	check_lines(&b, 0, b.len - 1, "line 5: cut off", "cut at the last LF");
	check_lines(&b, 0, b.len, "", "whole");
	buf_put(&doubled, buf_slice(&b));
	buf_append(&doubled, b.data + line_at(&b, 1), b.len - line_at(&b, 1));
	check_lines(&doubled, 0, doubled.len, "line 6: after the footer",
		    "entries after the footer");
}

static void test_refused(void)
{
#define HEADER(schema, sid, number, first, prev)                                                   \
	"{\"schema\":" schema ",\"type\":\"segment_header\",\"session\":" sid                      \
	",\"segment\":" number ",\"first_seq\":" first ",\"prev_head\":" prev "}\n"
#define GOOD "\"sessaudit.segment/1\""
#define HEAD "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *name, *text;
		int want;
	} cases[] = {
		{"good", HEADER(GOOD, "\"" SID "\"", "0", "1", "\"\""), 0},
		{"good, later", HEADER(GOOD, "\"" SID "\"", "4294967295", "9", "\"" HEAD "\""), 0},
		{"newer schema", HEADER("\"sessaudit.segment/2\"", "\"" SID "\"", "0", "1", "\"\""),
		 SA_ERR_UNSUPPORTED},
		{"other schema", HEADER("\"x\"", "\"" SID "\"", "0", "1", "\"\""), SA_ERR_INVALID},
		{"no schema", HEADER("1", "\"" SID "\"", "0", "1", "\"\""), SA_ERR_INVALID},
		{"bad sid", HEADER(GOOD, "\"x\"", "0", "1", "\"\""), SA_ERR_INVALID},
		{"number below 0", HEADER(GOOD, "\"" SID "\"", "-1", "1", "\"\""), SA_ERR_INVALID},
		{"number too large", HEADER(GOOD, "\"" SID "\"", "4294967296", "1", "\"\""),
		 SA_ERR_INVALID},
		{"first_seq 0", HEADER(GOOD, "\"" SID "\"", "0", "0", "\"\""), SA_ERR_INVALID},
		{"prev_head short", HEADER(GOOD, "\"" SID "\"", "1", "1", "\"abc\""),
		 SA_ERR_INVALID},
		{"prev_head long", HEADER(GOOD, "\"" SID "\"", "1", "1", "\"" HEAD HEAD "\""),
		 SA_ERR_INVALID},
		{"prev_head null", HEADER(GOOD, "\"" SID "\"", "0", "1", "null"), SA_ERR_INVALID},
		{"not JSON", "x\n", SA_ERR_INVALID},
		{"empty line", "\n", SA_ERR_INVALID},
		{"array", "[]\n", SA_ERR_INVALID},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct chain c = {.head = ""};
		struct segment_info info;
		int rc = segment_read(slice_of(cases[i].text), &c, NULL, NULL, NULL, &info, NULL);

		tap_int(rc, cases[i].want, "header: %s", cases[i].name);
	}
}

/* One press for many texts, of any size and after one that did not fit. */
static void test_press(void)
{
	static char text[200000];
	_cleanup_buf_ struct buf once = {0}, gz = {0}, tiny = {0};
	struct press *p = press_new();

	buf_init(&once, 1 << 20);
	buf_init(&gz, 1 << 20);
	buf_init(&tiny, 16);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 23);
	for (size_t n = 0; n <= sizeof(text); n = n ? n * 20 : 1) {
		buf_clear(&once);
		buf_clear(&gz);
		tap_int(segment_compress((struct slice){text, n}, &once, NULL), 0, "%zu bytes", n);
		tap_int(segment_press(p, (struct slice){text, n}, &gz, NULL), 0, "%zu, kept", n);
		tap_bytes(buf_slice(&gz), buf_slice(&once), "%zu bytes: the same", n);
		tap_int(segment_press(p, (struct slice){text, 1000}, &tiny, NULL), SA_ERR_NOMEM,
			"no room");
		buf_clear(&tiny);
	}
	press_free(p);
	press_free(NULL);
}

static void test_gzip(void)
{
	_cleanup_buf_ struct buf gz = {0}, again = {0}, plain = {0}, bomb = {0}, small = {0};
	struct slice text = SLICE_LIT("one\ntwo\n");

	buf_init(&gz, 1 << 20);
	buf_init(&again, 1 << 20);
	buf_init(&plain, 1 << 20);
	buf_init(&bomb, 2 * (size_t)SEGMENT_MAX_BYTES);
	buf_init(&small, 4);
	tap_int(segment_compress(text, &gz, NULL), 0, "compress");
	tap_int(segment_compress(text, &again, NULL), 0, "compress again");
	tap_bytes(buf_slice(&again), buf_slice(&gz), "the same bytes");
	tap_bytes((struct slice){gz.data, 10}, SLICE_LIT("\x1f\x8b\x08\0\0\0\0\0\0\x03"),
		  "no time, no name, OS fixed");
	tap_int(segment_uncompress(buf_slice(&gz), &plain, NULL), 0, "uncompress");
	tap_bytes(buf_slice(&plain), text, "round trip");
	tap_int(segment_uncompress(buf_slice(&gz), &small, NULL), SA_ERR_TOOBIG,
		"buffer too small");
	tap_int((long long)small.len, 0, "nothing was appended");
	for (size_t n = 0; n < gz.len; n++) {
		if (segment_uncompress((struct slice){gz.data, n}, &plain, NULL) != SA_ERR_INVALID)
			tap_ok(false, "cut at %zu was taken", n);
	}
	tap_bytes(buf_slice(&plain), text, "nothing was appended by cut ones");
	buf_putc(&gz, 'x');
	tap_int(segment_uncompress(buf_slice(&gz), &plain, NULL), SA_ERR_INVALID, "bytes after");
	buf_clear(&again);
	tap_int(segment_compress(SLICE_LIT(""), &again, NULL), 0, "compress nothing");
	buf_clear(&plain);
	tap_int(segment_uncompress(buf_slice(&again), &plain, NULL), 0, "uncompress nothing");
	tap_int((long long)plain.len, 0, "nothing comes back");
}

/* Appends the gzip of n zeros, whatever segment_compress thinks of n. */
static void gzip_zeros(struct buf *out, size_t n)
{
	static unsigned char zeros[65536];
	z_stream z = {0};
	int flush;

	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	do {
		size_t part = n < sizeof(zeros) ? n : sizeof(zeros);

		n -= part;
		flush = n == 0 ? Z_FINISH : Z_NO_FLUSH;
		z.next_in = zeros;
		z.avail_in = (uInt)part;
		z.next_out = (unsigned char *)buf_reserve(out, sizeof(zeros));
		z.avail_out = sizeof(zeros);
		deflate(&z, flush);
		out->len += sizeof(zeros) - z.avail_out;
	} while (flush != Z_FINISH);
	deflateEnd(&z);
}

static void test_bomb(void)
{
	_cleanup_buf_ struct buf zeros = {0}, gz = {0}, out = {0};
	char *p;

	buf_init(&zeros, (size_t)SEGMENT_MAX_BYTES + 1);
	buf_init(&gz, 1 << 20);
	buf_init(&out, 2 * (size_t)SEGMENT_MAX_BYTES);
	p = buf_reserve(&zeros, (size_t)SEGMENT_MAX_BYTES + 1);
	memset(p, 0, (size_t)SEGMENT_MAX_BYTES + 1);
	zeros.len = (size_t)SEGMENT_MAX_BYTES + 1;
	tap_int(segment_compress(buf_slice(&zeros), &gz, NULL), SA_ERR_TOOBIG, "compress too much");
	gzip_zeros(&gz, SEGMENT_MAX_BYTES);
	tap_int(segment_uncompress(buf_slice(&gz), &out, NULL), 0, "as large as may be");
	buf_clear(&gz);
	buf_clear(&out);
	gzip_zeros(&gz, (size_t)SEGMENT_MAX_BYTES + 1);
	tap_int(segment_uncompress(buf_slice(&gz), &out, NULL), SA_ERR_TOOBIG, "one byte more");
	tap_int((long long)out.len, 0, "nothing of it was appended");
}

int main(void)
{
	digest = digest_new();
	test_lines();
	test_session_dir();
	test_read();
	test_changes();
	test_cut();
	test_refused();
	test_press();
	test_gzip();
	test_bomb();
	digest_free(digest);
	return tap_done();
}
