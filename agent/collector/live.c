/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/live.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/collector/live_internal.h"
#include "agent/collector/numbers.h"
#include "agent/collector/resume.h"
#include "agent/collector/status.h"
#include "common/cleanup.h"
#include "common/clock.h"

#define TURN_RECORDS 4096 /* then files and clock are looked after */
#define REST_MS 10        /* between turns while records come: one turn for many */
#define TICK_MS 250
#define TICK_IDLE_MS 1000 /* without a session */
#define TICK_MIN_MS 20    /* however many segments and sessions are due one after the other */
#define SECOND_MS 1000
/* How often it is looked whether open sessions still have processes. One that has none twice in a
 * row is over, and the record that would have said so is lost. */
#define LOOK_MS 10000
#define LOOKS_MISSED 2
#define PRUNE_MS 3600000

void live_record(void *ctx, const struct record *r)
{
	struct live *l = ctx;

	l->seen_ms = r->time_ms;
	if (l->losses)
		losses_record(l->losses, r);
	pipeline_record(&l->pipe, r);
}

struct losses_source live_losses(const struct live *l)
{
	struct intake_stats in;

	intake_stats(l->intake, &in);
	return (struct losses_source){
		.overruns = in.overruns,
		.dropped = in.dropped,
		.malformed = l->stats.malformed,
		.oversized = in.oversized + l->stats.oversized,
	};
}

/* What was lost, and who changed the kernel's settings, stands in each open transcript. */
static void check_losses(struct live *l)
{
	struct losses_source src = live_losses(l);
	int64_t now = clock_real_ms();
	uint32_t pid;

	if (l->guard)
		guard_tick(l->guard, now);
	losses_tick(l->losses, &src, now);
	pid = losses_daemon(l->losses);
	if (l->registered && pid != UINT32_MAX && pid != (uint32_t)getpid()) {
		log_err("event=slot_lost pid=%u action=\"another process became the audit daemon; starting anew\"",
			pid);
		l->role->stop = l->slot_lost = true;
	}
}

struct look {
	struct live *l;
	struct numbers numbers;
	int64_t now_ms;
};

static void look_at(void *ctx, struct session *s)
{
	const struct look *k = ctx;

	if (s->phase != SESSION_OPEN && s->phase != SESSION_PENDING)
		return;
	s->missed = numbers_may_have(&k->numbers, s->ses) ? 0 : s->missed + 1;
	if (s->missed >= LOOKS_MISSED)
		transcript_end(k->l->pipe.transcript, s, "ended_unseen", k->now_ms,
			       k->l->pipe.now_ms);
}

/* A session whose logout nobody told (its record lost, sshd killed) does not stay open for ever. */
static void look_for_lost(struct live *l)
{
	struct look k = {.l = l, .now_ms = clock_real_ms()};

	if (session_count(l->pipe.sessions) == 0)
		return;
	numbers_read(&k.numbers);
	session_each(l->pipe.sessions, look_at, &k);
	numbers_free(&k.numbers);
}

/* The admin hears when it changes; whoever asked for it, the host halts. */
static void check_spool(struct live *l, int64_t now)
{
	static const char *const names[] = {"ok", "warn", "critical", "full"};
	static const enum log_level levels[] = {LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERR,
						LOG_LEVEL_ERR};
	static struct log_limit limit = {.burst = 20};
	struct spool_usage u;

	spool_usage(l->pipe.spool, now, &u);
	if (u.level != l->level)
		log_limited(&limit, levels[u.level],
			    "event=spool level=%s bytes=%" PRIu64 " objects=%" PRIu64
			    " free=%" PRIu64,
			    names[u.level], u.bytes, u.objects, u.free);
	l->level = u.level;
	if (u.level == SPOOL_FULL && u.sure && strcmp(l->role->settings.spool_on_full, "halt") == 0)
		role_halt(l->role); /* says so once a second */
}

/* What is looked after once a second. */
static void check_all(struct live *l, int64_t now)
{
	if (now - l->second_ms < SECOND_MS)
		return;
	l->second_ms = now;
	check_losses(l);
	transcript_look(l->pipe.transcript, now); /* also while a flood of records comes */
	if (l->behind || l->slot_lost)
		return;
	writer_flush(l->pipe.writer);
	spool_alive(l->pipe.spool); /* all that came until now is read, and in the files */
	transcript_expire(l->pipe.transcript, RESUME_IN_FLIGHT_MS + SECOND_MS, now);
}

/* When tick is due: some times a second, and when a segment is old enough or a session over. */
static int64_t next_tick_ms(const struct live *l, int64_t now)
{
	int64_t due = writer_due_ms(l->pipe.writer), end = transcript_due_ms(l->pipe.transcript);
	int64_t every = session_count(l->pipe.sessions) > 0 ? TICK_MS : TICK_IDLE_MS;
	int64_t regular = l->tick_ms + every, soonest = l->tick_ms + TICK_MIN_MS;

	if (end != INT64_MAX && now + (end - clock_real_ms()) + RESUME_IN_FLIGHT_MS < due)
		due = now + (end - clock_real_ms()) + RESUME_IN_FLIGHT_MS + 1;
	if (due > regular)
		return regular;
	return due > soonest ? due : soonest;
}

static void tick(struct live *l)
{
	int64_t now = clock_mono_ms();

	if (now < next_tick_ms(l, now))
		return;
	l->tick_ms = now;
	l->pipe.now_ms = now;
	event_expire(l->pipe.events, now);
	if (!l->behind)
		transcript_advance(l->pipe.transcript, clock_real_ms() - RESUME_IN_FLIGHT_MS, now);
	check_all(l, now);
	if (now - l->look_ms >= LOOK_MS && !l->behind) {
		l->look_ms = now;
		look_for_lost(l);
	}
	if (now - l->prune_ms >= PRUNE_MS) {
		l->prune_ms = now;
		writer_prune(l->pipe.writer);
	}
	writer_tick(l->pipe.writer, now);
	check_spool(l, now);
	if (now - l->status_ms >= STATUS_EVERY_MS) {
		l->status_ms = now;
		live_status(l);
	}
}

static void on_death(void *ctx, const struct death *d)
{
	struct live *l = ctx;

	deaths_add(&l->deaths, d, l->pipe.now_ms);
}

static void tell_death(void *ctx, const struct death *d)
{
	struct live *l = ctx;

	l->deaths_told++;
	transcript_death(l->pipe.transcript, d->pid, d->signal, d->time_ms, l->pipe.now_ms);
}

/* A death is told when what the kernel recorded before it has been read for sure. */
static void tell_deaths(struct live *l)
{
	int64_t came = l->behind ? INT64_MIN : l->pipe.now_ms - RESUME_IN_FLIGHT_MS;

	deaths_take(&l->deaths, l->seen_ms - RESUME_IN_FLIGHT_MS, came, tell_death, l);
}

static int wait_ms(const struct live *l)
{
	int64_t now = clock_mono_ms(), wait = next_tick_ms(l, now) - now;

	return wait > 0 && !l->behind ? (int)wait : 0;
}

/* Nobody sends any more: auditd is gone, or the socket is broken. */
static void check_end(struct live *l)
{
	if (!intake_ended(l->intake))
		return;
	l->broken = l->source != LIVE_STDIN;
	l->role->stop = true;
	if (l->broken)
		log_err("event=source_broken source=%s", live_source_name(l->source));
	else
		log_info("event=source_ended source=%s", live_source_name(l->source));
}

/* Returns whether records came. */
static bool turn(struct live *l, bool deaths)
{
	size_t n;

	l->pipe.now_ms = clock_mono_ms();
	if (deaths && !source_deaths_read(l->deaths_source, on_death, l))
		l->deaths_lost++;
	n = intake_take(l->intake, TURN_RECORDS, live_record, l, &l->stats);
	l->behind = n >= TURN_RECORDS;
	tell_deaths(l);
	writer_batch(l->pipe.writer);
	tick(l);
	check_end(l);
	role_beat(l->role);
	return n > 0;
}

/* Nothing but a signal ends it. What comes meanwhile is in the queue. */
static void rest(const struct live *l)
{
	struct pollfd p = {.fd = l->role->signal_fd, .events = POLLIN};
	int wait = wait_ms(l);

	poll(&p, 1, wait < REST_MS ? wait : REST_MS);
}

static void loop(struct live *l)
{
	bool flowing = false;

	while (!l->role->stop) {
		struct pollfd fds[] = {
			{.fd = intake_fd(l->intake), .events = POLLIN},
			{.fd = l->role->signal_fd, .events = POLLIN},
			{.fd = l->deaths_source ? source_deaths_fd(l->deaths_source) : -1,
			 .events = POLLIN},
		};

		if (flowing && !l->behind)
			rest(l);
		if (poll(fds, ARRAY_LEN(fds), wait_ms(l)) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			role_signals(l->role);
		flowing = turn(l, fds[2].revents != 0);
	}
}

/* Leaves the machine as it was: no rule makes records any more, then what waits is read, then the
 * slot is given back. Where another daemon took the slot, the kernel's settings are its own now. */
static void leave_kernel(struct live *l)
{
	bool ours = l->controlled && !l->slot_lost;

	if (ours) {
		transcript_own_changes(l->pipe.transcript, INT64_MAX);
		control_remove_rules(l->control);
	}
	if (l->intake)
		intake_finish(l->intake, live_record, l, &l->stats);
	if (ours)
		control_restore(l->control, l->pipe.spool);
	if (l->registered && !l->slot_lost)
		source_netlink_unregister(l->netlink);
}

/* Nothing comes any more. */
static void settle(struct live *l)
{
	l->pipe.now_ms = clock_mono_ms();
	event_flush(l->pipe.events);
	deaths_take(&l->deaths, INT64_MAX, INT64_MAX, tell_death, l);
	if (l->started) {
		struct losses_source src = live_losses(l);

		losses_end(l->losses, &src, clock_real_ms());
	}
	transcript_release(l->pipe.transcript, l->pipe.now_ms);
}

/* Open sessions stay in the spool, sealed so far, for the next run. */
static void stop(struct live *l)
{
	if (l->registered || l->intake) {
		if (l->started && !l->slot_lost) {
			writer_flush(l->pipe.writer);
			spool_alive(l->pipe.spool); /* before the first rule goes */
		}
		leave_kernel(l);
		settle(l);
		writer_seal_all(l->pipe.writer);
		live_status(l);
		pipeline_log_stats(&l->pipe, l->stats.records, l->stats.malformed,
				   l->stats.oversized);
	}
	guard_free(l->guard);
	losses_free(l->losses);
	if (l->pipe.spool)
		pipeline_close(&l->pipe);
	intake_free(l->intake);
	deaths_free(&l->deaths);
	source_deaths_close(l->deaths_source);
	signers_free(&l->signers);
	control_close(l->control);
	source_netlink_close(l->netlink);
}

int live_run(struct role *role)
{
	_cleanup_free_ struct live *l = calloc(1, sizeof(*l));
	struct sa_err err = {0};
	int rc;

	if (!l)
		return EXIT_FAILURE;
	l->role = role;
	rc = live_start(l, &err);
	if (rc)
		log_err("event=start_failed reason=\"%s\"", err.msg);
	else
		loop(l);
	stop(l);
	/* What starting again soon cannot mend, the supervisor tries again slowly. */
	if (rc == SA_ERR_PERM || rc == SA_ERR_EXISTS || rc == SA_ERR_UNSUPPORTED ||
	    rc == SA_ERR_INVALID)
		return ROLE_EXIT_CONFIG;
	return rc || l->broken ? EXIT_FAILURE : EXIT_SUCCESS;
}
