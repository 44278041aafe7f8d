/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/status.h"

#include "agent/status_file.h"
#include "common/cleanup.h"

#define PROM_PREFIX "sessaudit_shipper_"

void status_json(struct buf *out, const struct status *s, int64_t now_ms)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);

	if (!w) {
		out->failed = true;
		return;
	}
	status_begin(w, STATUS_SCHEMA, now_ms);
	status_text(w, "store", s->store);
	status_text(w, "credentials", s->credentials);
	json_write_kstr(w, "append_only", slice_of(store_append_only_name(s->append_only)));
	status_text(w, "reason", s->reason);
#define STATUS_ROW(field, type, name, help) status_number(w, #field, s->field);
	STATUS_NUMBERS(STATUS_ROW)
#undef STATUS_ROW
	json_write_close(w);
	out->failed = out->failed || json_writer_end(w) != 0;
}

void status_prom(struct buf *out, const struct status *s)
{
	static const enum store_append_only states[] = {STORE_UNKNOWN, STORE_PROVEN,
							STORE_UNPROVEN};

#define STATUS_ROW(field, type, name, help)                                                        \
	status_prom_number(out, PROM_PREFIX, type, name, help, s->field);
	STATUS_NUMBERS(STATUS_ROW)
#undef STATUS_ROW
	status_prom_head(out, PROM_PREFIX, "gauge", "append_only",
			 "Whether the store refused to be written over");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		buf_printf(out, PROM_PREFIX "append_only{state=\"%s\"} %d\n",
			   store_append_only_name(states[i]), states[i] == s->append_only);
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
	status_replace(dir_fd, "sessaudit_shipper.prom", &text);
}
