/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/collector/pipeline.h"
#include "agent/collector/source_file.h"
#include "agent/role.h"
#include "common/cleanup.h"
#include "common/log.h"

struct play {
	const struct recording *rec;
	struct pipeline pipe;
	struct sa_err err;
	int rc;
	bool open;
	char host[256], node[256];
	uint64_t other_nodes;
	struct source_stats stats;
};

/* The stages open with the first record: it may name the host (node=). */
static int open_pipeline(struct play *p, const struct record *r)
{
	const struct recording *rec = p->rec;
	struct pipeline_facts facts = {
		.spool_dir = rec->spool_dir,
		.boot_id = rec->boot_id,
		.capture = "replay",
		.settings = rec->settings,
	};

	if (r->node.ptr)
		snprintf(p->node, sizeof(p->node), "%.*s", (int)r->node.len, r->node.ptr);
	if (rec->host || p->node[0])
		snprintf(p->host, sizeof(p->host), "%s", rec->host ? rec->host : p->node);
	else if (gethostname(p->host, sizeof(p->host) - 1))
		return sa_fail_errno(&p->err, "gethostname");
	facts.host = p->host;
	facts.machine_id = rec->machine_id ? rec->machine_id : p->host;
	p->open = true;
	return pipeline_open(&p->pipe, &facts, &p->err);
}

/* Sessions of several hosts have the same numbers: one log, one host. */
static bool is_ours(struct play *p, const struct record *r)
{
	if (!r->node.ptr || slice_is(r->node, p->node))
		return true;
	if (p->other_nodes++ == 0)
		log_warn(
			"event=other_node node=%.*s action=\"records of other hosts are skipped; split the log by "
			"node= and replay each\"",
			(int)r->node.len, r->node.ptr);
	return false;
}

static void on_record(void *ctx, const struct record *r)
{
	struct play *p = ctx;

	if (!p->open)
		p->rc = open_pipeline(p, r);
	if (p->rc || !is_ours(p, r))
		return;
	if (r->time_ms > p->pipe.now_ms)
		p->pipe.now_ms = r->time_ms;
	event_expire(p->pipe.events, p->pipe.now_ms);
	pipeline_record(&p->pipe, r);
}

static int finish(struct play *p)
{
	const struct writer_stats *stats;

	event_flush(p->pipe.events);
	transcript_end_all(p->pipe.transcript, "end_of_recording", p->pipe.now_ms);
	writer_seal_all(p->pipe.writer);
	stats = writer_stats(p->pipe.writer);
	pipeline_log_stats(&p->pipe, p->stats.records, p->stats.malformed, p->stats.oversized);
	if (stats->spool_errors || stats->dropped)
		return sa_fail(&p->err, SA_ERR_IO, "%s: not all could be written", p->rec->file);
	return 0;
}

int recording_run(const struct recording *rec)
{
	struct play *p = calloc(1, sizeof(*p));
	bool partial;
	int rc;

	if (!p)
		return EXIT_FAILURE;
	p->rec = rec;
	rc = source_file_read(rec->file, on_record, p, &p->stats, &p->err);
	partial = rc && p->open && p->rc == 0;
	if (partial) {
		log_err("event=replay_partial reason=\"%s\"", p->err.msg);
		rc = 0;
	}
	if (rc == 0)
		rc = p->rc;
	if (rc == 0 && !p->open)
		rc = sa_fail(&p->err, SA_ERR_INVALID,
			     "%s: no audit record in it (auditd raw or enriched, or "
			     "ausearch --raw is expected)",
			     rec->file);
	if (rc == 0)
		rc = finish(p);
	if (rc)
		log_err("event=replay_failed reason=\"%s\"", p->err.msg);
	if (p->open && p->rc == 0)
		pipeline_close(&p->pipe);
	free(p);
	return rc ? EXIT_FAILURE : partial ? ROLE_EXIT_PARTIAL : EXIT_SUCCESS;
}
