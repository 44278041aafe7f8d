/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/shipper/status.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

#define TIME 1795219200123

static const struct status full = {
	.stored = 1,
	.bytes = 2,
	.failures = 3,
	.conflicts = 4,
	.assumed = 5,
	.quarantined = 6,
	.waiting = 7,
	.oldest = 8,
	.away = 1,
	.away_since = 10,
	.last_stored = 11,
	.probed = 12,
	.append_only = STORE_PROVEN,
	.store = "s3://bucket/p",
	.credentials = "imds",
	.reason = "no \"route\"\xff\n",
};

#define FULL_JSON                                                                                  \
	"{\"schema\":\"sessaudit.shipper/1\",\"time\":\"2026-11-21T00:00:00.123Z\","               \
	"\"store\":\"s3://bucket/p\",\"credentials\":\"imds\",\"append_only\":\"proven\","         \
	"\"reason\":\"no \\\"route\\\"\\\\xff\\n\",\"stored\":1,\"bytes\":2,\"failures\":3,"       \
	"\"conflicts\":4,\"assumed\":5,\"quarantined\":6,\"waiting\":7,\"oldest\":8,\"away\":1,"   \
	"\"away_since\":10,\"last_stored\":11,\"probed\":12}"

#define EMPTY_JSON                                                                                 \
	"{\"schema\":\"sessaudit.shipper/1\",\"time\":\"1970-01-01T00:00:00.000Z\","               \
	"\"store\":null,\"credentials\":null,\"append_only\":\"unknown\",\"reason\":null,"         \
	"\"stored\":9223372036854775807,\"bytes\":0,\"failures\":0,\"conflicts\":0,\"assumed\":0," \
	"\"quarantined\":0,\"waiting\":0,\"oldest\":0,\"away\":0,\"away_since\":0,"                \
	"\"last_stored\":0,\"probed\":0}"

static void test_json(void)
{
	struct status empty = {.stored = UINT64_MAX, .reason = ""};
	_cleanup_buf_ struct buf out = {0};

	buf_init(&out, 4096);
	status_json(&out, &full, TIME);
	tap_str(buf_cstr(&out), FULL_JSON, "JSON");
	buf_clear(&out);
	status_json(&out, &empty, 0);
	tap_str(buf_cstr(&out), EMPTY_JSON, "JSON of nothing, and of a number too big for it");
	buf_free(&out);
	buf_init(&out, 100);
	status_json(&out, &full, TIME);
	tap_ok(out.failed, "no room");
}

static void test_prom(void)
{
	static const char *const blocks[] = {
		"# HELP sessaudit_shipper_objects_stored_total Objects stored and confirmed.\n"
		"# TYPE sessaudit_shipper_objects_stored_total counter\n"
		"sessaudit_shipper_objects_stored_total 1\n",
		"# HELP sessaudit_shipper_store_away_since_seconds Unix time it began; 0: it is "
		"not.\n"
		"# TYPE sessaudit_shipper_store_away_since_seconds gauge\n"
		"sessaudit_shipper_store_away_since_seconds 10\n",
		"# HELP sessaudit_shipper_append_only Whether the store refused to be written "
		"over.\n"
		"# TYPE sessaudit_shipper_append_only gauge\n"
		"sessaudit_shipper_append_only{state=\"unknown\"} 0\n"
		"sessaudit_shipper_append_only{state=\"proven\"} 1\n"
		"sessaudit_shipper_append_only{state=\"unproven\"} 0\n",
	};
	_cleanup_buf_ struct buf out = {0};
	unsigned lines = 0, help = 0, type = 0;

	buf_init(&out, 16384);
	status_prom(&out, &full);
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		tap_ok(strstr(buf_cstr(&out), blocks[i]) != NULL, "metric %zu", i + 1);
	for (const char *p = buf_cstr(&out); *p; p = strchr(p, '\n') + 1) {
		lines++;
		help += strncmp(p, "# HELP sessaudit_shipper_", 25) == 0;
		type += strncmp(p, "# TYPE sessaudit_shipper_", 25) == 0;
	}
	tap_int(lines, 13 * 2 + 12 + 3, "lines");
	tap_ok(help == 13 && type == 13, "each with help and type");
	buf_clear(&out);
	status_prom(&out, &(struct status){.stored = UINT64_MAX});
	tap_ok(strstr(buf_cstr(&out), "_stored_total 18446744073709551615\n") != NULL, "big");
}

static void test_write(void)
{
	char path[] = "/tmp/sessaudit-status.XXXXXX";
	_cleanup_buf_ struct buf text = {0}, prom = {0};
	_cleanup_close_ int dir = -1;
	struct stat st;

	buf_init(&text, 16384);
	buf_init(&prom, 16384);
	if (!mkdtemp(path) || (dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		exit(99);
	umask(077);
	status_write(dir, &(struct status){0}, 0);
	status_write(dir, &full, TIME);
	tap_int(fdio_read_file(dir, "status.json", 16384, &text, NULL), 0, "status.json");
	tap_str(buf_cstr(&text), FULL_JSON "\n", "is replaced whole");
	buf_clear(&text);
	tap_int(fdio_read_file(dir, "sessaudit_shipper.prom", 16384, &text, NULL), 0, "metrics");
	status_prom(&prom, &full);
	tap_str(buf_cstr(&text), buf_cstr(&prom), "the same");
	tap_ok(fstatat(dir, "status.json", &st, 0) == 0 && (st.st_mode & 07777) == 0644,
	       "all may read it");
	tap_ok(fstatat(dir, "sessaudit_shipper.prom", &st, 0) == 0 && (st.st_mode & 07777) == 0644,
	       "and the metrics");
	unlinkat(dir, "status.json", 0);
	unlinkat(dir, "sessaudit_shipper.prom", 0);
	tap_int(rmdir(path), 0, "nothing else was left");
	status_write(dir, &full, TIME);
	tap_ok(true, "a directory that is gone is no harm");
}

int main(void)
{
	test_json();
	test_prom();
	test_write();
	return tap_done();
}
