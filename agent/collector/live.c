/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/collector/control.h"
#include "agent/collector/numbers.h"
#include "agent/collector/pipeline.h"
#include "agent/collector/resume.h"
#include "agent/collector/source_netlink.h"
#include "agent/privdrop.h"
#include "common/access/tagfile.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/log.h"

#define TICK_MS 250
#define TICK_MIN_MS 20 /* however many segments and sessions are due one after the other */
#define STATUS_MS 1000
/* How often it is looked whether open sessions still have processes. One that has none twice in a
 * row is over, and the record that would have said so is lost. */
#define LOOK_MS 10000
#define LOOKS_MISSED 2
#define PRUNE_MS 3600000

struct live {
	struct role *role;
	struct control *control;
	struct source_netlink *source;
	struct pipeline pipe;
	struct signers signers;
	char host[256], machine_id[64], boot_id[BOOT_ID_SIZE], ses_dir[4096];
	uint32_t lost;      /* the kernel's counter when last asked */
	int64_t lost_at_ms; /* real time */
	int64_t tick_ms, status_ms, look_ms, prune_ms;
	bool overrun, registered, started, slot_lost;
	bool behind; /* more waits in the socket than one turn takes */
	enum spool_level level;
};

static void on_record(void *ctx, const struct record *r)
{
	struct live *l = ctx;

	pipeline_record(&l->pipe, r);
}

static int read_identity(struct live *l, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, sizeof(l->machine_id) - 1);
	if (gethostname(l->host, sizeof(l->host) - 1))
		return sa_fail_errno(err, "gethostname");
	snprintf(l->ses_dir, sizeof(l->ses_dir), "%s/ses", l->role->settings.agent_run_dir);
	/* machine-id(5); without one the host name has to do. */
	if (fdio_read_file(AT_FDCWD, "/etc/machine-id", text.max, &text, NULL) == 0 &&
	    text.len >= 32)
		snprintf(l->machine_id, sizeof(l->machine_id), "%.32s", buf_cstr(&text));
	else
		snprintf(l->machine_id, sizeof(l->machine_id), "host-%.50s", l->host);
	return boot_id_read(l->boot_id, err);
}

/* Public keys, read while root may still read them: like the rest of the configuration they are
 * those of the start, and whose grants count does not change under a running session. */
static void load_signers(struct live *l)
{
	const struct conf_list *keys = &l->role->settings.broker_keys;
	struct sa_err err = {0};

	if (keys->len &&
	    signers_load((const char *const *)keys->items, keys->len, 0, &l->signers, &err))
		log_err("event=broker_keys reason=\"%s\" action=\"a grant of the broker that is "
			"changed counts as unreadable\"",
			err.msg);
}

static int start(struct live *l, struct sa_err *err)
{
	/* AUDIT_CONTROL: to be the audit daemon, set rules and ask for the lost counter.
	 * AUDIT_READ: to read the stream (multicast). Neither lets the collector write records. */
	static const int keep[] = {CAP_AUDIT_CONTROL, CAP_AUDIT_READ};
	const struct settings *set = &l->role->settings;
	struct pipeline_facts facts = {
		.spool_dir = set->spool_dir,
		.host = l->host,
		.machine_id = l->machine_id,
		.boot_id = l->boot_id,
		.capture = "netlink",
		.ses_dir = l->ses_dir,
		.durable = true,
		.signers = &l->signers,
		.settings = set,
	};
	int64_t down_since_ms;
	uint32_t pid;
	int rc;

	load_signers(l);
	if ((rc = read_identity(l, err)) ||
	    (rc = source_netlink_open(set->capture_receive_buffer, &l->source, err)) ||
	    (rc = control_open(&l->control, err)) ||
	    (rc = privdrop(set->agent_user, keep, ARRAY_LEN(keep), err)) ||
	    (rc = pipeline_open(&l->pipe, &facts, err)))
		return rc;
	l->pipe.now_ms = clock_mono_ms();
	down_since_ms = spool_state_time_ms(l->pipe.spool, SPOOL_ALIVE);
	if ((rc = resume_take_up(&l->pipe, err)) ||
	    (rc = source_netlink_register(l->source, on_record, l, err)))
		return rc;
	l->registered = true;
	if ((rc = control_begin(l->control, l->pipe.spool, l->boot_id, set, err)) ||
	    (rc = control_status(l->control, &l->lost, &pid, err)))
		return rc;
	resume_all(&l->pipe, down_since_ms, set->spool_sync);
	l->lost_at_ms = clock_real_ms();
	l->started = true;
	spool_alive(l->pipe.spool);
	log_info("event=started source=netlink host=%s boot_id=%s", l->host, l->boot_id);
	return 0;
}

/* The kernel's own losses, and those of the socket, stand in each open transcript. */
static void check_losses(struct live *l)
{
	int64_t now = clock_real_ms();
	uint32_t lost, pid;
	struct sa_err err = {0};

	if (l->overrun)
		transcript_gap_all(l->pipe.transcript, "socket_overrun", l->lost_at_ms, now, 0,
				   l->pipe.now_ms);
	l->overrun = false;
	if (control_status(l->control, &lost, &pid, &err)) {
		static struct log_limit limit = {.burst = 3};

		log_limited(&limit, LOG_LEVEL_WARN, "event=audit_status reason=\"%s\"", err.msg);
		return;
	}
	if (lost != l->lost)
		transcript_gap_all(l->pipe.transcript, "kernel_lost", l->lost_at_ms, now,
				   lost - l->lost, l->pipe.now_ms);
	if (pid != (uint32_t)getpid() && !l->role->stop) {
		log_err("event=slot_lost pid=%u action=\"another process became the audit daemon; starting anew\"",
			pid);
		l->role->stop = l->slot_lost = true;
	}
	l->lost = lost;
	l->lost_at_ms = now;
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
	if (now - l->status_ms < STATUS_MS)
		return;
	l->status_ms = now;
	check_losses(l);
	transcript_look(l->pipe.transcript, now); /* also while a flood of records comes */
	if (l->behind || l->slot_lost)
		return;
	spool_alive(l->pipe.spool); /* all that came until now is read */
	transcript_expire(l->pipe.transcript, RESUME_IN_FLIGHT_MS + STATUS_MS, now);
}

/* When tick is due: some times a second, and when a segment is old enough or a session over. */
static int64_t next_tick_ms(const struct live *l, int64_t now)
{
	int64_t due = writer_due_ms(l->pipe.writer), end = transcript_due_ms(l->pipe.transcript);
	int64_t regular = l->tick_ms + TICK_MS, soonest = l->tick_ms + TICK_MIN_MS;

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
}

static int wait_ms(const struct live *l)
{
	int64_t now = clock_mono_ms(), wait = next_tick_ms(l, now) - now;

	return wait > 0 ? (int)wait : 0;
}

static void loop(struct live *l)
{
	while (!l->role->stop) {
		struct pollfd fds[2] = {
			{.fd = source_netlink_fd(l->source), .events = POLLIN},
			{.fd = l->role->signal_fd, .events = POLLIN},
		};

		if (poll(fds, 2, wait_ms(l)) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			role_signals(l->role);
		l->pipe.now_ms = clock_mono_ms();
		l->behind = source_netlink_read(l->source, on_record, l, &l->overrun) >=
			    SOURCE_NETLINK_TURN;
		writer_flush(l->pipe.writer);
		tick(l);
		role_beat(l->role);
	}
}

/* Leaves the machine as it was: no rule makes records any more, then what waits is read, then the
 * slot is given back. */
static void leave_kernel(struct live *l)
{
	control_remove_rules(l->control);
	while (source_netlink_read(l->source, on_record, l, &l->overrun) > 0)
		;
	check_losses(l);
	control_restore(l->control, l->pipe.spool);
	source_netlink_unregister(l->source);
}

/* Open sessions stay in the spool, sealed so far, for the next run. Where another daemon took the
 * slot, the kernel's settings are its own now. */
static void stop(struct live *l)
{
	if (l->registered) {
		const struct source_stats *stats = source_netlink_stats(l->source);

		if (l->started && !l->slot_lost)
			spool_alive(l->pipe.spool); /* before the first rule goes */
		if (!l->slot_lost)
			leave_kernel(l);
		event_flush(l->pipe.events);
		writer_seal_all(l->pipe.writer);
		pipeline_log_stats(&l->pipe, stats->records, stats->malformed, stats->oversized);
	}
	if (l->pipe.spool)
		pipeline_close(&l->pipe);
	signers_free(&l->signers);
	control_close(l->control);
	source_netlink_close(l->source);
}

int live_run(struct role *role)
{
	_cleanup_free_ struct live *l = calloc(1, sizeof(*l));
	struct sa_err err = {0};
	int rc;

	if (!l)
		return EXIT_FAILURE;
	l->role = role;
	rc = start(l, &err);
	if (rc)
		log_err("event=start_failed reason=\"%s\"", err.msg);
	else
		loop(l);
	stop(l);
	/* What starting again soon cannot mend, the supervisor tries again slowly. */
	if (rc == SA_ERR_PERM || rc == SA_ERR_EXISTS || rc == SA_ERR_UNSUPPORTED ||
	    rc == SA_ERR_INVALID)
		return ROLE_EXIT_CONFIG;
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
