/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/collector/pipeline.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/settings.h"

/*
 * A recorded log through all stages, into a scratch spool in memory. A NUL byte in front of
 * a line lets time pass.
 */

#define MAX_LINES 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type;
	return f->level > 0 ? remove(path) : 0;
}

static void remove_all(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	rmdir(dir);
}

static void feed(struct pipeline *p, const char *at, const char *end)
{
	struct record r;
	const char *eol;

	for (int n = 0; at < end && n < MAX_LINES; n++, at = eol + 1) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol)
			eol = end;
		for (; at < eol && *at == '\0'; at++)
			p->now_ms += 1000;
		event_expire(p->events, p->now_ms);
		if (record_parse_line((struct slice){at, (size_t)(eol - at)}, &r) == 0)
			pipeline_record(p, &r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings;
	struct pipeline_facts facts = {
		.spool_dir = dir,
		.host = "h",
		.machine_id = "m",
		.boot_id = "b",
		.capture = "replay",
		.settings = &settings,
	};
	struct pipeline p;

	if (!dir[0]) {
		settings_parse("fuzz", SLICE_LIT(""), &settings, NULL);
		log_init("fuzz_event", LOG_LEVEL_ERR - 1);
		snprintf(dir, sizeof(dir), "%s/sessaudit-fuzz.XXXXXX",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		if (!mkdtemp(dir))
			abort();
		atexit(remove_all);
	}
	if (pipeline_open(&p, &facts, NULL))
		abort();
	feed(&p, (const char *)data, (const char *)data + size);
	event_flush(p.events);
	transcript_end_all(p.transcript, "end_of_recording", p.now_ms);
	writer_seal_all(p.writer);
	if (writer_stats(p.writer)->spool_errors || session_count(p.sessions))
		abort();
	pipeline_close(&p);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
