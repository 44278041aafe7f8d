/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>

#include "cli/doctor.h"
#include "common/clock.h"

static void look(struct doctor *d, const struct doctor_status_file *s)
{
	struct slice reason = json_get_str(s->json, "reason");
	int64_t now = clock_real_ms();
	bool last = doctor_status_number(s, "last_success") > 0;

	if (now - s->time_ms > DOCTOR_STATUS_OLD_MS)
		doctor_say(d, DOCTOR_FAIL,
			   "grantd has not written its status for %" PRId64
			   " minutes: is sessauditd running?",
			   (now - s->time_ms) / 60000);
	else if (doctor_status_number(s, "away"))
		doctor_say(d, DOCTOR_FAIL, "the broker cannot be asked: %.*s; %s", (int)reason.len,
			   reason.ptr ? reason.ptr : "",
			   last ? "the grants that came before count until they expire"
				: "no grant has come yet");
	else
		doctor_say(d, DOCTOR_OK,
			   "grants come from %s; %" PRId64 " in the last answer, %" PRId64 " kept",
			   d->settings->broker_url, doctor_status_number(s, "received"),
			   doctor_status_number(s, "on_shelf"));
}

void doctor_broker(struct doctor *d)
{
	struct doctor_status_file status;

	if (!d->settings->broker_url || !*d->settings->broker_url)
		return;
	doctor_status_read(d->settings, "grantd", "sessaudit.grantd/1", &status);
	if (status.json)
		look(d, &status);
	else
		doctor_say(d, DOCTOR_FAIL, "grantd: %s", status.why);
	json_free(status.json);
}
