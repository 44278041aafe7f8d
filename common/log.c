/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/log.h"

#define LOG_TEXT_MAX 1024
#define LOG_WINDOW_MS 60000

static const char *log_ident = "sessaudit";
static enum log_level log_max = LOG_LEVEL_INFO;
static bool log_journal;

/* sd_journal(3): JOURNAL_STREAM holds device:inode of the stream; anything else (stderr was
 * redirected) is not the journal and must not get the prefix. */
static bool log_stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return env && sscanf(env, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_init(const char *ident, enum log_level max_level)
{
	log_ident = ident;
	log_max = max_level;
	log_journal = log_stderr_is_journal();
}

static const char *log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERR:
		return "error: ";
	case LOG_LEVEL_WARN:
		return "warning: ";
	case LOG_LEVEL_DEBUG:
		return "debug: ";
	default:
		return "";
	}
}

/* The journal knows who speaks and how loud; a terminal or file is told. */
static void log_line(enum log_level level, const char *text)
{
	_cleanup_buf_ struct buf line = {0};

	buf_init(&line, (size_t)16 * LOG_TEXT_MAX);
	if (log_journal)
		buf_printf(&line, "<%d>", (int)level);
	else
		buf_printf(&line, "%s: %s", log_ident, log_level_name(level));
	escape_terminal(&line, slice_of(text));
	buf_putc(&line, '\n');
	/* One write, so that lines of several processes do not mix. Nobody is left to be told
	 * when it fails. */
	if (!line.failed && write(STDERR_FILENO, line.data, line.len) < 0)
		return;
}

__attribute__((format(printf, 2, 0))) static void log_vmsg(enum log_level level, const char *fmt,
							   va_list ap)
{
	char text[LOG_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	log_line(level, text);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, fmt);
	log_vmsg(level, fmt, ap);
	va_end(ap);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
{
	int64_t now = clock_mono_ms();
	va_list ap;

	if (level > log_max)
		return;
	if (limit->seen > 0 && now - limit->window_ms >= LOG_WINDOW_MS) {
		if (limit->suppressed > 0)
			log_msg(level, "suppressed=%u messages like the next one",
				limit->suppressed);
		limit->seen = limit->suppressed = 0;
	}
	if (limit->seen == 0)
		limit->window_ms = now;
	if (limit->seen >= limit->burst) {
		limit->suppressed++;
		return;
	}
	limit->seen++;
	va_start(ap, fmt);
	log_vmsg(level, fmt, ap);
	va_end(ap);
}
