/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the collector tells about itself: <run_dir>/collect/status.json for `sessaudit
 * doctor`, and <run_dir>/collect/sessaudit_collector.prom for node_exporter's textfile
 * collector. Both are replaced whole, every STATUS_EVERY_MS and at the end.
 */
#ifndef SA_COLLECTOR_STATUS_H
#define SA_COLLECTOR_STATUS_H

#include <stdint.h>

#include "agent/collector/losses.h"

#define STATUS_SCHEMA "sessaudit.collector/1"
#define STATUS_EVERY_MS 10000

/* field, Prometheus type, name, help */
#define STATUS_NUMBERS(X)                                                                          \
	X(records, "counter", "records_total", "Records read")                                     \
	X(bytes, "counter", "bytes_total", "Bytes of them")                                        \
	X(malformed, "counter", "malformed_total", "Records that could not be understood")         \
	X(oversized, "counter", "oversized_total", "Records that were too long")                   \
	X(foreign, "counter", "foreign_total", "Messages that did not come from the kernel")       \
	X(overruns, "counter", "socket_overruns_total", "Times the socket buffer overflowed")      \
	X(queue, "gauge", "queue_bytes", "Bytes read and not processed yet")                       \
	X(queue_max, "gauge", "queue_bytes_max", "Most of them since the start")                   \
	X(queue_full, "counter", "queue_full_total", "Times the queue was full")                   \
	X(dropped, "counter", "dropped_total", "Records dropped since the queue was full")         \
	X(backlog, "gauge", "kernel_backlog", "Records that wait in the kernel")                   \
	X(backlog_limit, "gauge", "kernel_backlog_limit", "Most that may wait there")              \
	X(events, "counter", "events_total", "Events put together")                                \
	X(incomplete, "counter", "incomplete_events_total", "Events with a part missing")          \
	X(deaths, "counter", "deaths_total", "Processes that a signal ended")                      \
	X(deaths_dropped, "counter", "deaths_dropped_total", "Such that were lost")                \
	X(rules_restored, "counter", "rules_restored_total", "Audit rules that were put back")     \
	X(rules_hide, "gauge", "rules_hide", "1 while audit rules hide what sessions do")          \
	X(audit_restored, "counter", "audit_restored_total", "Times audit was switched on again")  \
	X(sessions_open, "gauge", "sessions_open", "Sessions being recorded")                      \
	X(sessions, "counter", "sessions_total", "Sessions that began")                            \
	X(refused, "counter", "sessions_refused_total", "Sessions there was no room for")          \
	X(unverified_tags, "counter", "unverified_tags_total", "Tags that were not believed")      \
	X(entries, "counter", "entries_total", "Entries written")                                  \
	X(entries_dropped, "counter", "entries_dropped_total", "Entries the spool did not take")   \
	X(segments, "counter", "segments_total", "Segments sealed")                                \
	X(spool_errors, "counter", "spool_errors_total", "Failures of the spool")                  \
	X(redactions, "counter", "redactions_total", "Secrets replaced")                           \
	X(resident, "gauge", "resident_bytes", "Memory in use")                                    \
	X(cpu_ms, "counter", "cpu_milliseconds_total", "CPU time used")

struct status {
#define STATUS_FIELD(field, type, name, help) uint64_t field;
	STATUS_NUMBERS(STATUS_FIELD)
#undef STATUS_FIELD
	const char *source;                   /* "unicast", ... */
	const struct losses_counters *losses; /* may be NULL */
};

/* {"schema","time","source", numbers..., "losses":{"kernel_lost":{"times":1,"count":3},...}} */
void status_json(struct buf *out, const struct status *s, int64_t now_ms);
/* Text exposition format 0.0.4; sessaudit_collector_<name>; losses as
 * sessaudit_collector_losses_total{cause="kernel_lost"} (times) and
 * sessaudit_collector_lost_total{cause="kernel_lost"} (records or events). */
void status_prom(struct buf *out, const struct status *s);
/* Writes both into dir_fd; a failure is logged (limited) and otherwise without consequence. */
void status_write(int dir_fd, const struct status *s, int64_t now_ms);

#endif
