/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/status.h"

#include <inttypes.h>

#include "agent/status_file.h"
#include "common/cleanup.h"

#define PROM_PREFIX "sessaudit_collector_"

static void json_losses(struct json_writer *w, const struct losses_counters *c)
{
	json_write_kopen(w, "losses");
	for (size_t i = 0; c && i < LOSSES_CAUSES; i++) {
		json_write_kopen(w, c->items[i].cause);
		status_number(w, "times", c->items[i].times);
		status_number(w, "count", c->items[i].count);
		json_write_close(w);
	}
	json_write_close(w);
}

void status_json(struct buf *out, const struct status *s, int64_t now_ms)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);

	if (!w) {
		out->failed = true;
		return;
	}
	status_begin(w, STATUS_SCHEMA, now_ms);
	status_text(w, "source", s->source);
#define STATUS_ROW(field, type, name, help) status_number(w, #field, s->field);
	STATUS_NUMBERS(STATUS_ROW)
#undef STATUS_ROW
	json_losses(w, s->losses);
	json_write_close(w);
	out->failed = out->failed || json_writer_end(w) != 0;
}

void status_prom(struct buf *out, const struct status *s)
{
	const struct losses_counters *c = s->losses;

#define STATUS_ROW(field, type, name, help)                                                        \
	status_prom_number(out, PROM_PREFIX, type, name, help, s->field);
	STATUS_NUMBERS(STATUS_ROW)
#undef STATUS_ROW
	status_prom_head(out, PROM_PREFIX, "gauge", "source", "Where records come from");
	buf_printf(out, PROM_PREFIX "source{source=\"%s\"} 1\n", s->source);
	status_prom_head(out, PROM_PREFIX, "counter", "losses_total", "Times something was lost");
	for (size_t i = 0; c && i < LOSSES_CAUSES; i++)
		buf_printf(out, PROM_PREFIX "losses_total{cause=\"%s\"} %" PRIu64 "\n",
			   c->items[i].cause, c->items[i].times);
	status_prom_head(out, PROM_PREFIX, "counter", "lost_total", "Records or events lost");
	for (size_t i = 0; c && i < LOSSES_CAUSES; i++)
		buf_printf(out, PROM_PREFIX "lost_total{cause=\"%s\"} %" PRIu64 "\n",
			   c->items[i].cause, c->items[i].count);
}

void status_write(int dir_fd, const struct status *s, int64_t now_ms)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, STATUS_FILE_MAX);
	status_json(&text, s, now_ms);
	buf_putc(&text, '\n');
	status_replace(dir_fd, "status.json", &text);
	buf_clear(&text);
	status_prom(&text, s);
	status_replace(dir_fd, "sessaudit_collector.prom", &text);
}
