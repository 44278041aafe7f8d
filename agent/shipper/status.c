/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/status.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "common/json.h"
#include "common/log.h"

#define STATUS_MAX 16384
#define STATUS_MODE 0644
#define PROM_PREFIX "sessaudit_shipper_"

/* A name or message may hold anything; none, or an empty one, is null. */
static void write_text(struct json_writer *w, const char *key, const char *value)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, STATUS_MAX);
	if (value)
		escape_to_utf8(&text, slice_of(value));
	json_write_kstr(w, key, text.len > 0 ? buf_slice(&text) : SLICE_NONE);
}

static int64_t clamp(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

void status_json(struct buf *out, const struct status *s, int64_t now_ms)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);
	char time[CLOCK_TEXT_SIZE];

	clock_format_utc(now_ms, time);
	if (!w) {
		out->failed = true;
		return;
	}
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(STATUS_SCHEMA));
	json_write_kstr(w, "time", slice_of(time));
	write_text(w, "store", s->store);
	write_text(w, "credentials", s->credentials);
	json_write_kstr(w, "append_only", slice_of(store_append_only_name(s->append_only)));
	write_text(w, "reason", s->reason);
#define STATUS_ROW(field, type, name, help) json_write_kint(w, #field, clamp(s->field));
	STATUS_NUMBERS(STATUS_ROW)
#undef STATUS_ROW
	json_write_close(w);
	out->failed = out->failed || json_writer_end(w) != 0;
}

static void prom_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP " PROM_PREFIX "%s %s.\n# TYPE " PROM_PREFIX "%s %s\n", name, help,
		   name, type);
}

static void prom_number(struct buf *out, const char *type, const char *name, const char *help,
			uint64_t value)
{
	prom_head(out, name, type, help);
	buf_printf(out, PROM_PREFIX "%s %" PRIu64 "\n", name, value);
}

void status_prom(struct buf *out, const struct status *s)
{
	static const enum store_append_only states[] = {STORE_UNKNOWN, STORE_PROVEN,
							STORE_UNPROVEN};

#define STATUS_ROW(field, type, name, help) prom_number(out, type, name, help, s->field);
	STATUS_NUMBERS(STATUS_ROW)
#undef STATUS_ROW
	prom_head(out, "append_only", "gauge", "Whether the store refused to be written over");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		buf_printf(out, PROM_PREFIX "append_only{state=\"%s\"} %d\n",
			   store_append_only_name(states[i]), states[i] == s->append_only);
}

static void replace(int dir_fd, const char *name, const struct buf *text)
{
	static struct log_limit limit = {.burst = 2};
	struct sa_err err = {.msg = "out of memory"};

	if (text->failed ||
	    fdio_replace_file(dir_fd, name, text->data, text->len, STATUS_MODE, &err) != 0)
		log_limited(&limit, LOG_LEVEL_WARN, "event=status-not-written reason=\"%s\"",
			    err.msg);
}

void status_write(int dir_fd, const struct status *s, int64_t now_ms)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, STATUS_MAX);
	status_json(&text, s, now_ms);
	buf_putc(&text, '\n');
	replace(dir_fd, "status.json", &text);
	buf_clear(&text);
	status_prom(&text, s);
	replace(dir_fd, "sessaudit_shipper.prom", &text);
}
