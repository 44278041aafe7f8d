/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/collector/live_internal.h"
#include "agent/collector/status.h"
#include "common/cleanup.h"
#include "common/clock.h"

static uint64_t cpu_ms(void)
{
	struct rusage u = {0};

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* proc(5): the second number of statm, in pages. */
static uint64_t resident(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void fill_stages(const struct live *l, struct status *s)
{
	const struct event_stats *ev = event_stats(l->pipe.events);
	const struct transcript_stats *tr = transcript_stats(l->pipe.transcript);
	const struct writer_stats *wr = writer_stats(l->pipe.writer);

	s->events = ev->events;
	s->incomplete = ev->timeouts + ev->truncated + ev->evicted;
	s->sessions_open = session_count(l->pipe.sessions);
	s->sessions = tr->sessions;
	s->refused = tr->refused;
	s->unverified_tags = tr->unverified_tags;
	s->entries = wr->entries;
	s->entries_dropped = wr->dropped;
	s->segments = wr->segments;
	s->spool_errors = wr->spool_errors;
	s->redactions = wr->redactions;
}

static void fill(const struct live *l, struct status *s)
{
	const struct losses_counters *losses = losses_counters(l->losses);
	struct intake_stats in;

	intake_stats(l->intake, &in);
	*s = (struct status){
		.records = l->stats.records,
		.bytes = in.bytes,
		.malformed = l->stats.malformed,
		.oversized = in.oversized + l->stats.oversized,
		.foreign = in.foreign,
		.overruns = in.overruns,
		.queue = in.queued,
		.queue_max = in.queued_max,
		.queue_full = in.full,
		.dropped = in.dropped,
		.backlog = losses->backlog,
		.backlog_limit = losses->backlog_limit,
		.deaths = l->deaths_told,
		.deaths_dropped = l->deaths.dropped + l->deaths_lost,
		.resident = resident(),
		.cpu_ms = cpu_ms(),
		.source = live_source_name(l->source),
		.losses = losses,
	};
	if (l->guard) {
		s->rules_hide = control_blind(l->control) != NULL;
		s->rules_restored = guard_counters(l->guard)->rules_removed;
		s->audit_restored = guard_counters(l->guard)->audit_disabled;
	}
	fill_stages(l, s);
}

void live_status(struct live *l)
{
	_cleanup_close_ int dir = -1;
	char path[4096];
	struct status s;
	int n = snprintf(path, sizeof(path), "%s/collect", l->role->settings.agent_run_dir);

	if (n < 0 || (size_t)n >= sizeof(path) || !l->started)
		return;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return; /* run by hand: only the supervisor makes it */
	fill(l, &s);
	status_write(dir, &s, clock_real_ms());
}
