/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/pipeline.h"

#include <inttypes.h>

#include "agent/collector/call.h"
#include "common/log.h"
#include "common/settings.h"

static void on_event(void *ctx, const struct event *ev)
{
	struct pipeline *p = ctx;

	transcript_event(p->transcript, ev, p->now_ms);
}

static unsigned classes(const struct settings *set)
{
	return (unsigned)set->capture_commands << CALL_EXEC |
	       (unsigned)set->capture_exits << CALL_EXIT |
	       (unsigned)set->capture_network << CALL_NETWORK |
	       (unsigned)set->capture_files << CALL_FILE |
	       (unsigned)set->capture_privilege << CALL_PRIVILEGE |
	       (unsigned)set->capture_self << CALL_KILL;
}

int pipeline_open(struct pipeline *p, const struct pipeline_facts *f, struct sa_err *err)
{
	struct writer_facts wf = {
		.host = f->host,
		.machine_id = f->machine_id,
		.boot_id = f->boot_id ? f->boot_id : "",
		.capture = f->capture,
		/* nobody waits for a recording's segments */
		.segment_max_age_ms = f->durable ? f->settings->segment_max_age : INT64_MAX / 2,
		.segment_max_bytes = f->settings->segment_max_bytes,
		.sync_ms = f->settings->spool_sync,
		.scratch = !f->durable,
		.session_prefix = f->settings->store_session_prefix,
	};
	struct spool_limits limits = {
		.max_bytes = f->settings->spool_max_bytes,
		.min_free = f->settings->spool_min_free,
	};
	struct transcript_facts tf = {
		.machine_id = f->machine_id,
		.boot_id = f->boot_id,
		.ses_dir = f->ses_dir,
		.owner_uid = f->owner_uid,
		.signers = f->signers,
		.end_grace_ms = f->settings->capture_end_grace,
		.classes = classes(f->settings),
		.auth = f->settings->capture_auth,
		.config = f->settings->capture_config,
		.self = f->self,
	};
	int rc;

	*p = (struct pipeline){0};
	rc = layout_prefix_check(wf.session_prefix, err);
	if (rc)
		return sa_wrap(err, rc, "store.session_prefix");
	p->sessions = session_table_new();
	p->events = event_table_new(on_event, p);
	if (!p->sessions || !p->events)
		rc = sa_fail(err, SA_ERR_NOMEM, "out of memory");
	else if ((rc = redact_open(f->settings, &p->redact, err)) != 0)
		;
	else if ((rc = f->durable ? spool_open(f->spool_dir, &limits, &p->spool, err)
				  : spool_open_scratch(f->spool_dir, &p->spool, err)) == 0 &&
		 (rc = writer_new(p->spool, &wf, p->sessions, &p->writer, err)) == 0) {
		tf.redact = p->redact;
		rc = transcript_new(p->writer, p->sessions, &tf, &p->transcript, err);
	}
	if (rc)
		pipeline_close(p);
	return rc;
}

void pipeline_close(struct pipeline *p)
{
	transcript_free(p->transcript);
	event_table_free(p->events);
	writer_free(p->writer);
	if (p->spool)
		spool_close(p->spool);
	session_table_free(p->sessions);
	redact_free(p->redact);
	*p = (struct pipeline){0};
}

void pipeline_record(struct pipeline *p, const struct record *r)
{
	event_add(p->events, r, p->now_ms);
}

void pipeline_log_stats(const struct pipeline *p, uint64_t records, uint64_t malformed,
			uint64_t oversized)
{
	const struct event_stats *ev = event_stats(p->events);
	const struct transcript_stats *tr = transcript_stats(p->transcript);
	const struct writer_stats *wr = writer_stats(p->writer);

	log_info("event=collected records=%" PRIu64 " malformed=%" PRIu64 " oversized=%" PRIu64
		 " events=%" PRIu64 " incomplete_events=%" PRIu64 " sessions=%" PRIu64
		 " sessions_refused=%" PRIu64 " unverified_tags=%" PRIu64 " entries=%" PRIu64
		 " entries_dropped=%" PRIu64 " segments=%" PRIu64 " spool_errors=%" PRIu64,
		 records, malformed, oversized, ev->events,
		 ev->timeouts + ev->truncated + ev->evicted, tr->sessions, tr->refused,
		 tr->unverified_tags, wr->entries, wr->dropped, wr->segments, wr->spool_errors);
}
