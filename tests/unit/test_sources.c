/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "agent/collector/source_file.h"
#include "agent/collector/status.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "tests/unit/tap.h"

#define PATH "test_sources.tmp"
#define L1 "type=LOGIN msg=audit(1700000000.001:1): a=1\n"
#define L2 "node=web-1 type=SYSCALL msg=audit(1700000000.002:2): a=2\x1dUID=\"root\"\n"
#define L3 "----\ntype=EOE msg=audit(1700000000.003:3): \n"

static struct buf given; /* "type:serial:body[;enriched][@node]|" */

static void on_record(void *ctx, const struct record *r)
{
	(void)ctx;
	buf_printf(&given, "%u:%llu:%.*s", r->type, (unsigned long long)r->serial, (int)r->body.len,
		   r->body.ptr);
	if (r->enriched.ptr)
		buf_printf(&given, ";%.*s", (int)r->enriched.len, r->enriched.ptr);
	if (r->node.ptr)
		buf_printf(&given, "@%.*s", (int)r->node.len, r->node.ptr);
	buf_puts(&given, "|");
}

/* One gzip member. */
static void pack(struct buf *out, struct slice text)
{
	z_stream z = {0};
	char *room;

	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	room = buf_reserve(out, text.len + 1000);
	z.next_in = (unsigned char *)text.ptr;
	z.avail_in = (unsigned)text.len;
	z.next_out = (unsigned char *)room;
	z.avail_out = (unsigned)text.len + 1000;
	if (!room || deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->len += z.total_out;
	deflateEnd(&z);
}

static void write_file(struct slice data)
{
	int fd = open(PATH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data.ptr, data.len) != (ssize_t)data.len)
		abort();
	close(fd);
}

static int read_back(struct slice data, struct source_stats *stats, struct sa_err *err)
{
	buf_clear(&given);
	*stats = (struct source_stats){0};
	*err = (struct sa_err){0};
	write_file(data);
	return source_file_read(PATH, on_record, NULL, stats, err);
}

static void test_whole(void)
{
	static const struct {
		const char *name;
		struct slice parts[3]; /* packed: a member each */
		bool packed;
		size_t zeros; /* after them */
		const char *want;
	} cases[] = {
		{"raw", {SLICE_LIT(L1)}, false, 0, "1006:1:a=1|"},
		{"node and enriched", {SLICE_LIT(L2)}, false, 0, "1300:2:a=2;UID=\"root\"@web-1|"},
		{"separators of ausearch", {SLICE_LIT(L3)}, false, 0, "1320:3:|"},
		{"the last line without LF",
		 {SLICE_LIT("type=EOE msg=audit(1.000:4): x")},
		 false,
		 0,
		 "1320:4:x|"},
		{"nothing", {SLICE_LIT("")}, false, 0, ""},
		{"one byte", {SLICE_LIT("\x1f")}, false, 0, ""},
		{"gzip", {SLICE_LIT(L1 L2)}, true, 0, "1006:1:a=1|1300:2:a=2;UID=\"root\"@web-1|"},
		{"gzip of nothing", {SLICE_LIT("")}, true, 0, ""},
		{"gzip of three members, lines cut between them",
		 {SLICE_LIT(L1 "type=EO"), SLICE_LIT("E msg=audit(1.000:4"), SLICE_LIT("): x\n")},
		 true,
		 0,
		 "1006:1:a=1|1320:4:x|"},
		{"gzip with zeros after it", {SLICE_LIT(L1)}, true, 512, "1006:1:a=1|"},
		{"more zeros than one block", {SLICE_LIT(L1)}, true, 200000, "1006:1:a=1|"},
	};
	static const char zeros[200000];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf file = {0};
		struct source_stats stats;
		struct sa_err err;

		buf_init(&file, 1 << 20);
		for (size_t k = 0; k < 3 && cases[i].parts[k].ptr; k++)
			if (cases[i].packed)
				pack(&file, cases[i].parts[k]);
			else
				buf_put(&file, cases[i].parts[k]);
		buf_append(&file, zeros, cases[i].zeros);
		tap_int(read_back(buf_slice(&file), &stats, &err), 0, "%s: read", cases[i].name);
		tap_str(buf_cstr(&given), cases[i].want, "%s", cases[i].name);
	}
}

/* A log of n lines; the serial is the line's number. */
static void make_log(struct buf *out, unsigned n)
{
	buf_init(out, 16 << 20);
	for (unsigned i = 1; i <= n; i++)
		buf_printf(out, "type=SYSCALL msg=audit(1700000000.001:%u): a=%x%x\n", i,
			   i * 2654435761U, i * 40503U);
}

static uint64_t next_serial;
static bool in_order;

static void count(void *ctx, const struct record *r)
{
	(void)ctx;
	in_order = in_order && r->serial == next_serial;
	next_serial = r->serial + 1;
}

static int read_counted(struct slice data, struct source_stats *stats, struct sa_err *err)
{
	next_serial = 1;
	in_order = true;
	*stats = (struct source_stats){0};
	*err = (struct sa_err){0};
	write_file(data);
	return source_file_read(PATH, count, NULL, stats, err);
}

/* What came before the damage is given on, and the message says where it ends. */
static void test_damaged(void)
{
	_cleanup_buf_ struct buf text = {0}, file = {0}, copy = {0};
	struct source_stats stats;
	struct sa_err err;
	char want[200];

	make_log(&text, 50000);
	buf_init(&file, 16 << 20);
	buf_init(&copy, 16 << 20);
	pack(&file, buf_slice(&text));
	tap_int(read_counted(buf_slice(&file), &stats, &err), 0, "50,000 lines of gzip");
	tap_int((long long)stats.records, 50000, "all of them");

	tap_int(read_counted((struct slice){file.data, file.len / 2}, &stats, &err), SA_ERR_INVALID,
		"cut off in the middle");
	tap_ok(stats.records > 20000 && stats.records < 30000 && in_order,
	       "what came before is given on: %d", (int)stats.records);
	tap_int((long long)stats.malformed, 0, "half a line at the cut is none");
	snprintf(want, sizeof(want),
		 PATH ": after line %d: the packed data are cut off: the file is not whole",
		 (int)stats.records);
	tap_str(err.msg, want, "the message");

	tap_int(read_counted((struct slice){file.data, file.len - 4}, &stats, &err), SA_ERR_INVALID,
		"cut off in the check sum at the end");
	tap_int((long long)stats.records, 50000, "after the last line");
	tap_int(read_counted((struct slice){file.data, 5}, &stats, &err), SA_ERR_INVALID,
		"cut off in the head");

	buf_put(&copy, buf_slice(&file));
	memset(copy.data + copy.len / 2, 0xff, 64);
	tap_int(read_counted(buf_slice(&copy), &stats, &err), SA_ERR_INVALID, "damaged");
	tap_ok(stats.records > 20000 && stats.records < 30000 && in_order,
	       "what came before is given on: %d", (int)stats.records);
	tap_ok(strstr(err.msg, ": the packed data are damaged (") != NULL, "message: %s", err.msg);

	buf_clear(&copy);
	buf_put(&copy, buf_slice(&file));
	copy.data[copy.len - 6] ^= 1;
	tap_int(read_counted(buf_slice(&copy), &stats, &err), SA_ERR_INVALID, "a wrong check sum");

	buf_clear(&copy);
	buf_put(&copy, buf_slice(&file));
	buf_puts(&copy, "no gzip");
	tap_int(read_counted(buf_slice(&copy), &stats, &err), SA_ERR_INVALID, "something after it");
	tap_int((long long)stats.records, 50000, "what came before is given on");
	tap_str(err.msg, PATH ": after line 50000: what follows the packed data is not gzip",
		"the message");
}

static void test_lines(void)
{
	static char line[3 * RECORD_MAX_BYTES];
	_cleanup_buf_ struct buf file = {0};
	struct source_stats stats;
	struct sa_err err;

	buf_init(&file, 1 << 24);
	memset(line, 'x', sizeof(line));
	buf_puts(&file, "nonsense\n" L1);
	for (int i = 0; i < 5; i++) /* longer than any block */
		buf_append(&file, line, sizeof(line));
	buf_puts(&file, "\n" L3);
	buf_append(&file, line, RECORD_MAX_BYTES + 1);
	buf_puts(&file, "\nmore nonsense\n");
	tap_int(read_back(buf_slice(&file), &stats, &err), 0, "bad lines are no error");
	tap_str(buf_cstr(&given), "1006:1:a=1|1320:3:|", "good ones among them are given on");
	tap_int((long long)stats.malformed, 2, "malformed");
	tap_int((long long)stats.oversized, 2, "oversized");
}

static void test_missing(void)
{
	struct source_stats stats = {0};
	struct sa_err err = {0};

	unlink(PATH);
	tap_int(source_file_read(PATH, on_record, NULL, &stats, &err), SA_ERR_NOTFOUND, "missing");
	tap_str(err.msg, PATH ": open: No such file or directory", "the message names it");
	tap_int(source_file_read("/", on_record, NULL, &stats, &err), SA_ERR_INVALID,
		"a directory");
	tap_str(err.msg, "/: read: Is a directory", "the message names it");
}

/* --- what the collector tells about itself --- */

static void test_status(void)
{
	static const char *const lines[] = {
		"# HELP sessaudit_collector_records_total Records read.\n"
		"# TYPE sessaudit_collector_records_total counter\n"
		"sessaudit_collector_records_total 7\n",
		"\n# TYPE sessaudit_collector_queue_bytes gauge\nsessaudit_collector_queue_bytes 4096\n",
		"\nsessaudit_collector_source{source=\"multicast\"} 1\n",
		"\nsessaudit_collector_losses_total{cause=\"kernel_lost\"} 2\n",
		"\nsessaudit_collector_lost_total{cause=\"kernel_lost\"} 30\n",
		"\nsessaudit_collector_lost_total{cause=\"socket_overrun\"} 0\n",
	};
	struct losses_counters losses = {0};
	struct status st = {.records = 7,
			    .queue = 4096,
			    .cpu_ms = UINT64_MAX,
			    .source = "multicast",
			    .losses = &losses};
	_cleanup_json_ struct json *j = NULL;
	_cleanup_buf_ struct buf out = {0};
	int64_t n = -1;

	for (size_t i = 0; i < LOSSES_CAUSES; i++)
		losses.items[i].cause = "other";
	losses.items[LOSSES_KERNEL_LOST].cause = "kernel_lost";
	losses.items[LOSSES_SOCKET_OVERRUN].cause = "socket_overrun";
	losses.items[LOSSES_KERNEL_LOST].times = 2;
	losses.items[LOSSES_KERNEL_LOST].count = 30;
	buf_init(&out, 1 << 20);
	status_prom(&out, &st);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		tap_ok(strstr(buf_cstr(&out), lines[i]) != NULL, "metrics: line %zu", i + 1);
	tap_ok(out.len < 16384, "metrics: %zu bytes fit", out.len);
	/* causes of one name twice would be no JSON */
	for (size_t i = 0; i < LOSSES_CAUSES; i++)
		losses.items[i].cause = lines[0] + i;
	losses.items[LOSSES_KERNEL_LOST].cause = "kernel_lost";
	buf_clear(&out);
	status_json(&out, &st, 1700000000123);
	if (!tap_int(json_parse(out.data, out.len, &j, NULL), 0, "status.json is JSON"))
		return;
	tap_bytes(json_get_str(j, "schema"), SLICE_LIT("sessaudit.collector/1"), "its schema");
	tap_bytes(json_get_str(j, "time"), SLICE_LIT("2023-11-14T22:13:20.123Z"), "its time");
	tap_bytes(json_get_str(j, "source"), SLICE_LIT("multicast"), "the source");
	tap_int(json_int(json_get(j, "queue"), &n), 0, "a number");
	tap_int(n, 4096, "which is right");
	tap_int(json_int(json_get(j, "cpu_ms"), &n), 0, "one that is too large");
	tap_int(n, INT64_MAX, "is the largest there is");
	json_int(json_get(json_get(json_get(j, "losses"), "kernel_lost"), "count"), &n);
	tap_int(n, 30, "losses by cause");
}

int main(void)
{
	char dir[] = "/tmp/test_sources-XXXXXX";

	log_init("test", LOG_LEVEL_ERR);
	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	buf_init(&given, 1 << 20);
	test_whole();
	test_damaged();
	test_lines();
	test_missing();
	test_status();
	buf_free(&given);
	if (chdir("/") || rmdir(dir))
		return 1;
	return tap_done();
}
