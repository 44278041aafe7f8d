/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Files in which a role tells about itself: a JSON object for `sessaudit doctor`, and
 * metrics for node_exporter's textfile collector (text exposition format 0.0.4). The
 * role says what is in them; this is how it is written.
 */
#ifndef SA_STATUS_FILE_H
#define SA_STATUS_FILE_H

#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"

#define STATUS_FILE_MAX 16384

/* The members schema and time, which come first. */
void status_begin(struct json_writer *w, const char *schema, int64_t now_ms);
/* What is over INT64_MAX is that. */
void status_number(struct json_writer *w, const char *key, uint64_t value);
/* A name or message may hold anything; none, or an empty one, is null. */
void status_text(struct json_writer *w, const char *key, const char *value);
/* The lines HELP and TYPE of a metric, prefix and name together; help without the full stop. */
void status_prom_head(struct buf *out, const char *prefix, const char *type, const char *name,
		      const char *help);
/* The same, and its value. */
void status_prom_number(struct buf *out, const char *prefix, const char *type, const char *name,
			const char *help, uint64_t value);
/* Replaces the file, readable by all. A failure, also of text, is logged (limited) and otherwise
 * without consequence. */
void status_replace(int dir_fd, const char *name, const struct buf *text);

#endif
