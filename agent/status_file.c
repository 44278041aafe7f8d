/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/status_file.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "common/log.h"

#define STATUS_FILE_MODE 0644

void status_begin(struct json_writer *w, const char *schema, int64_t now_ms)
{
	char time[CLOCK_TEXT_SIZE];

	clock_format_utc(now_ms, time);
	json_write_open(w);
	json_write_kstr(w, "schema", slice_of(schema));
	json_write_kstr(w, "time", slice_of(time));
}

void status_number(struct json_writer *w, const char *key, uint64_t value)
{
	json_write_kint(w, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void status_text(struct json_writer *w, const char *key, const char *value)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, STATUS_FILE_MAX);
	if (value)
		escape_to_utf8(&text, slice_of(value));
	json_write_kstr(w, key, text.len > 0 ? buf_slice(&text) : SLICE_NONE);
}

void status_prom_head(struct buf *out, const char *prefix, const char *type, const char *name,
		      const char *help)
{
	buf_printf(out, "# HELP %s%s %s.\n# TYPE %s%s %s\n", prefix, name, help, prefix, name,
		   type);
}

void status_prom_number(struct buf *out, const char *prefix, const char *type, const char *name,
			const char *help, uint64_t value)
{
	status_prom_head(out, prefix, type, name, help);
	buf_printf(out, "%s%s %" PRIu64 "\n", prefix, name, value);
}

void status_replace(int dir_fd, const char *name, const struct buf *text)
{
	static struct log_limit limit = {.burst = 2};
	struct sa_err err = {.msg = "out of memory"};

	if (text->failed ||
	    fdio_replace_file(dir_fd, name, text->data, text->len, STATUS_FILE_MODE, &err) != 0)
		log_limited(&limit, LOG_LEVEL_WARN, "event=status-not-written reason=\"%s\"",
			    err.msg);
}
