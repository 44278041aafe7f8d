/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* For replay.sh: what libauparse takes to group a log into events and walk every field. */
#include <auparse.h>
#include <stdio.h>

static void on_event(auparse_state_t *au, auparse_cb_event_t type, void *fields)
{
	if (type != AUPARSE_CB_EVENT_READY)
		return;
	auparse_first_record(au);
	do {
		auparse_first_field(au);
		do {
			*(unsigned long *)fields += auparse_get_field_str(au) != NULL;
		} while (auparse_next_field(au) > 0);
	} while (auparse_next_record(au) > 0);
}

int main(void)
{
	static char buf[65536];
	auparse_state_t *au = auparse_init(AUSOURCE_FEED, NULL);
	unsigned long fields = 0;
	size_t n;

	auparse_add_callback(au, on_event, &fields, NULL);
	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		auparse_feed(au, buf, n);
	auparse_flush_feed(au);
	auparse_destroy(au);
	printf("%lu\n", fields);
	return fields == 0;
}
