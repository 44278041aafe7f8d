/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The collector's stages put together: record > event > session > transcript >
 * segment > spool. The same whether records come from the kernel or from a file.
 */
#ifndef SA_PIPELINE_H
#define SA_PIPELINE_H

#include "agent/collector/record.h"
#include "agent/collector/transcript.h"

struct pipeline_facts { /* borrowed for the pipeline's life */
	const char *spool_dir, *host, *machine_id, *boot_id, *capture, *ses_dir;
	bool durable;
	unsigned owner_uid;            /* see transcript_facts */
	const struct signers *signers; /* may be NULL */
	const struct self_facts *self; /* may be NULL */
	const struct settings *settings;
};

struct pipeline {
	struct spool *spool;
	struct redact *redact; /* NULL: nothing is redacted */
	struct session_table *sessions;
	struct writer *writer;
	struct transcript *transcript;
	struct event_table *events;
	int64_t now_ms; /* age clock, set by whoever feeds */
};

int pipeline_open(struct pipeline *p, const struct pipeline_facts *facts, struct sa_err *err);
void pipeline_close(struct pipeline *p);
/* One record in. Set p->now_ms before. */
void pipeline_record(struct pipeline *p, const struct record *r);
/* Logs what came through, one line. */
void pipeline_log_stats(const struct pipeline *p, uint64_t records, uint64_t malformed,
			uint64_t oversized);

#endif
