/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the shipper tells about itself: <run_dir>/ship/status.json for `sessaudit
 * doctor`, and <run_dir>/ship/sessaudit_shipper.prom for node_exporter's textfile
 * collector. Both are replaced whole.
 */
#ifndef SA_STATUS_H
#define SA_STATUS_H

#include <stdint.h>

#include "common/store/store.h"

#define STATUS_SCHEMA "sessaudit.shipper/1"

/* field, Prometheus type, name, help */
#define STATUS_NUMBERS(X)                                                                          \
	X(stored, "counter", "objects_stored_total", "Objects stored and confirmed")               \
	X(bytes, "counter", "bytes_stored_total", "Bytes of those objects")                        \
	X(failures, "counter", "put_failures_total", "Puts that failed and are tried again")       \
	X(conflicts, "counter", "conflicts_total",                                                 \
	  "Keys that held other content; stored beside it")                                        \
	X(assumed, "counter", "assumed_total",                                                     \
	  "Objects taken for stored since the key was there after a lost answer")                  \
	X(quarantined, "gauge", "quarantined_objects", "Objects that the store does not take")     \
	X(waiting, "gauge", "waiting_objects", "Objects not stored yet, by the last walk")         \
	X(oldest, "gauge", "oldest_waiting_seconds", "Age of the oldest of them")                  \
	X(away, "gauge", "store_away", "1 while the store cannot be reached or refuses")           \
	X(away_since, "gauge", "store_away_since_seconds", "Unix time it began; 0: it is not")     \
	X(last_stored, "gauge", "last_stored_seconds", "Unix time of the last stored object")      \
	X(probed, "gauge", "append_only_checked_seconds", "Unix time of the append-only check")

struct status {
#define STATUS_FIELD(field, type, name, help) uint64_t field;
	STATUS_NUMBERS(STATUS_FIELD)
#undef STATUS_FIELD
	enum store_append_only append_only;
	const char *store, *credentials; /* names; may be NULL */
	const char *reason;              /* why away; NULL or "": it is not */
};

/* {"schema","time","store","credentials","append_only":"proven","reason", numbers...} */
void status_json(struct buf *out, const struct status *s, int64_t now_ms);
/* Text exposition format 0.0.4; sessaudit_shipper_<name>; append_only as
 * sessaudit_shipper_append_only{state="proven"} 1, one line for each state. */
void status_prom(struct buf *out, const struct status *s);
/* Writes both into dir_fd; a failure is logged (limited) and otherwise without consequence. */
void status_write(int dir_fd, const struct status *s, int64_t now_ms);

#endif
