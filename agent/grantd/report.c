/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/report.h"

#include <inttypes.h>

#include "agent/status_file.h"
#include "common/cleanup.h"

#define PROM_PREFIX "sessaudit_grantd_"

static void report_object(struct json_writer *w, const struct report *r, int64_t now_ms)
{
	status_begin(w, REPORT_SCHEMA, now_ms);
	status_text(w, "reason", r->reason);
#define REPORT_ROW(field, type, name, help) status_number(w, #field, r->field);
	REPORT_NUMBERS(REPORT_ROW)
#undef REPORT_ROW
	json_write_kopen(w, "verdicts");
	for (int v = 0; v < VERDICTS; v++)
		status_number(w, verdict_name((enum verdict)v), r->verdicts[v]);
	json_write_close(w);
	json_write_close(w);
}

void report_json(struct buf *out, const struct report *r, int64_t now_ms)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);

	if (w)
		report_object(w, r, now_ms);
	out->failed = out->failed || !w || json_writer_end(w) != 0;
}

void report_prom(struct buf *out, const struct report *r)
{
#define REPORT_ROW(field, type, name, help)                                                        \
	status_prom_number(out, PROM_PREFIX, type, name, help, r->field);
	REPORT_NUMBERS(REPORT_ROW)
#undef REPORT_ROW
	status_prom_head(out, PROM_PREFIX, "gauge", "grants",
			 "What became of those in the last answer");
	for (int v = 0; v < VERDICTS; v++)
		buf_printf(out, PROM_PREFIX "grants{verdict=\"%s\"} %" PRIu64 "\n",
			   verdict_name((enum verdict)v), r->verdicts[v]);
}

void report_write(int dir_fd, const struct report *r, int64_t now_ms)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, STATUS_FILE_MAX);
	report_json(&text, r, now_ms);
	buf_putc(&text, '\n');
	status_replace(dir_fd, "status.json", &text);
	buf_clear(&text);
	report_prom(&text, r);
	status_replace(dir_fd, "sessaudit_grantd.prom", &text);
}
