/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/log.h"
#include "tests/unit/tap.h"

static struct buf captured;

/* Everything that went to standard error since the last call. */
static struct slice taken(FILE *err)
{
	buf_clear(&captured);
	rewind(err);
	fdio_read_all(fileno(err), 1 << 20, &captured, NULL);
	if (ftruncate(fileno(err), 0) != 0)
		return SLICE_NONE;
	rewind(err);
	return buf_slice(&captured);
}

static void test_lines(FILE *err)
{
	log_init("agent", LOG_LEVEL_INFO);
	log_info("ready pid=%d", 7);
	tap_bytes(taken(err), SLICE_LIT("agent: ready pid=7\n"), "info");
	log_warn("w");
	tap_bytes(taken(err), SLICE_LIT("agent: warning: w\n"), "warning");
	log_err("e");
	tap_bytes(taken(err), SLICE_LIT("agent: error: e\n"), "error");
	log_debug("d");
	tap_bytes(taken(err), SLICE_LIT(""), "debug is off");
	log_init("agent", LOG_LEVEL_DEBUG);
	log_debug("d");
	tap_bytes(taken(err), SLICE_LIT("agent: debug: d\n"), "debug is on");
	log_err("user=%s", "a\nagent: error: forged \x1b[2J\xff");
	tap_bytes(taken(err),
		  SLICE_LIT("agent: error: user=a\\nagent: error: forged \\e[2J\\xff\n"),
		  "one line, nothing for the terminal");
}

static void test_long(FILE *err)
{
	char big[4096];

	memset(big, 1, sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_err("%s", big);
	tap_ok(slice_starts(taken(err), "agent: error: \\x01\\x01"), "long message is not lost");
	tap_ok(captured.len < 8192 && captured.data[captured.len - 1] == '\n', "but bounded");
}

static void test_journal(FILE *err)
{
	char env[64];
	struct stat st;

	fstat(STDERR_FILENO, &st);
	snprintf(env, sizeof(env), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", env, 1);
	log_init("agent", LOG_LEVEL_INFO);
	log_warn("w");
	tap_bytes(taken(err), SLICE_LIT("<4>w\n"), "journal: priority");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_init("agent", LOG_LEVEL_INFO);
	log_warn("w");
	tap_bytes(taken(err), SLICE_LIT("agent: warning: w\n"),
		  "standard error is not the journal");
}

static void test_limit(FILE *err)
{
	struct log_limit limit = {.burst = 2};

	clock_fake(0, 5000);
	for (int i = 0; i < 5; i++)
		log_limited(&limit, LOG_LEVEL_INFO, "n=%d", i);
	tap_bytes(taken(err), SLICE_LIT("agent: n=0\nagent: n=1\n"), "burst, then silence");
	clock_fake_advance(59999);
	log_limited(&limit, LOG_LEVEL_INFO, "early");
	tap_bytes(taken(err), SLICE_LIT(""), "the minute is not over");
	clock_fake_advance(1);
	log_limited(&limit, LOG_LEVEL_INFO, "late");
	tap_bytes(taken(err),
		  SLICE_LIT("agent: suppressed=4 messages like the next one\nagent: late\n"),
		  "what was suppressed is counted");
	log_limited(&limit, LOG_LEVEL_DEBUG, "off");
	clock_fake_advance(60000);
	log_limited(&limit, LOG_LEVEL_INFO, "next");
	tap_bytes(taken(err), SLICE_LIT("agent: next\n"), "no count when nothing was suppressed");
}

int main(void)
{
	FILE *err = tmpfile();

	buf_init(&captured, 1 << 20);
	unsetenv("JOURNAL_STREAM");
	if (!err || dup2(fileno(err), STDERR_FILENO) < 0)
		return EXIT_FAILURE;
	test_lines(err);
	test_long(err);
	test_journal(err);
	test_limit(err);
	fclose(err);
	buf_free(&captured);
	return tap_done();
}
