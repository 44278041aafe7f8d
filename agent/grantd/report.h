/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What grantd tells about itself: <run_dir>/grantd/status.json for `sessaudit
 * doctor`, and <run_dir>/grantd/sessaudit_grantd.prom for node_exporter's textfile
 * collector. Both are replaced whole.
 */
#ifndef SA_REPORT_H
#define SA_REPORT_H

#include "agent/grantd/judge.h"
#include "common/buf.h"

#define REPORT_SCHEMA "sessaudit.grantd/1"

/* field, Prometheus type, name, help */
#define REPORT_NUMBERS(X)                                                                          \
	X(last_success, "gauge", "last_success_seconds",                                           \
	  "Unix time of the last answer of the broker that was taken over; 0: none was")           \
	X(fetches, "counter", "fetches_total", "Answers of the broker that were taken over")       \
	X(failures, "counter", "fetch_failures_total", "Times that none came or it was no good")   \
	X(away, "gauge", "broker_away", "1 while the last try failed")                             \
	X(away_since, "gauge", "broker_away_since_seconds", "Unix time it began; 0: it is not")    \
	X(received, "gauge", "grants_received", "Grants in the last answer")                       \
	X(on_shelf, "gauge", "grants_kept", "Grants of the broker that lie on this host")

struct report {
#define REPORT_FIELD(field, type, name, help) uint64_t field;
	REPORT_NUMBERS(REPORT_FIELD)
#undef REPORT_FIELD
	uint64_t verdicts[VERDICTS]; /* of the grants in the last answer */
	char reason[512];            /* why away; "": it is not */
};

/* {"schema","time","reason", numbers..., "verdicts":{"kept":1,...}} */
void report_json(struct buf *out, const struct report *r, int64_t now_ms);
/* Text exposition format 0.0.4; sessaudit_grantd_<name>, and the verdicts as
 * sessaudit_grantd_grants{verdict="kept"} 1, one line for each. */
void report_prom(struct buf *out, const struct report *r);
/* Writes both into dir_fd; a failure is logged (limited) and otherwise without consequence. */
void report_write(int dir_fd, const struct report *r, int64_t now_ms);

#endif
