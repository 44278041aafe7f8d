/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/collector/live_internal.h"
#include "agent/collector/resume.h"
#include "agent/privdrop.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

/* The thread that drains the socket goes before the host's other work, as all of auditd does
 * (priority_boost): when it comes too late the kernel's queue runs over. What parses does not. */
#define INTAKE_NICE (-10)

#define SLOT_WAIT_MS 300

static const struct {
	const char *name, *capture;
} sources[] = {
	[LIVE_UNICAST] = {"unicast", "netlink"},
	[LIVE_MULTICAST] = {"multicast", "multicast"},
	[LIVE_STDIN] = {"stdin", "stdin"},
};

const char *live_source_name(enum live_source source)
{
	return sources[source].name;
}

static void set_source(struct live *l, enum live_source source)
{
	l->source = source;
	snprintf(l->capture, sizeof(l->capture), "%s", sources[source].capture);
}

static bool wants(const struct live *l, const char *source)
{
	return strcmp(l->role->settings.capture_source, source) == 0;
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

/* What needs root to be opened. */
static int open_sources(struct live *l, struct sa_err *err)
{
	struct sa_err why = {0};
	int rc = 0;

	l->nice = getpriority(PRIO_PROCESS, 0);
	if (l->nice > INTAKE_NICE)
		(void)setpriority(PRIO_PROCESS, 0, INTAKE_NICE); /* inherited by the thread */
	set_source(l, wants(l, "stdin")       ? LIVE_STDIN
		      : wants(l, "multicast") ? LIVE_MULTICAST
					      : LIVE_UNICAST);
	if (l->source != LIVE_STDIN)
		rc = source_netlink_open(l->role->settings.capture_receive_buffer, &l->netlink,
					 err);
	if (rc == 0)
		rc = control_open(&l->control, err);
	if (rc)
		return rc;
	if (source_deaths_open(&l->deaths_source, &why))
		log_info("event=no_process_events reason=\"%s\" action=\"the signal that ended a "
			 "program is not recorded\"",
			 why.msg);
	return 0;
}

static int drop_privileges(const struct live *l, struct sa_err *err)
{
	/* AUDIT_CONTROL: to be the audit daemon, set rules and ask for the lost counter.
	 * AUDIT_READ: to read the stream (multicast). Neither lets the collector write records. */
	static const int keep[] = {CAP_AUDIT_CONTROL, CAP_AUDIT_READ};
	int rc = privdrop(l->role->settings.agent_user, keep, ARRAY_LEN(keep), err);

	return rc ? rc : role_no_core(err); /* it would hold what the host's users did */
}

/* With source = auto whoever is the audit daemon already stays it: nothing is taken from anybody,
 * and auditd may be started again without finding its place taken. */
static int connect_source(struct live *l, struct sa_err *err)
{
	int rc = 0;

	if (l->source == LIVE_UNICAST) {
		rc = source_netlink_register(l->netlink, live_record, l, &l->stats, err);
		if (rc == SA_ERR_EXISTS) { /* one of ours that has just been killed? */
			poll(NULL, 0, SLOT_WAIT_MS);
			rc = source_netlink_register(l->netlink, live_record, l, &l->stats, err);
		}
		l->registered = rc == 0;
		if (rc == SA_ERR_EXISTS && wants(l, "auto")) {
			set_source(l, LIVE_MULTICAST);
			rc = 0;
		}
	}
	return rc == 0 && l->source == LIVE_MULTICAST ? source_netlink_join(l->netlink, err) : rc;
}

static int start_intake(struct live *l, struct sa_err *err)
{
	const struct settings *set = &l->role->settings;
	struct intake_facts facts = {
		.fd = l->netlink ? source_netlink_fd(l->netlink) : STDIN_FILENO,
		.kind = l->netlink ? INTAKE_DATAGRAMS : INTAKE_LINES,
		.overload = strcmp(set->capture_overload, "drop") == 0 ? INTAKE_DROP : INTAKE_WAIT,
		.max_bytes = (size_t)set->capture_queue,
	};
	int rc;

	rc = intake_start(&facts, &l->intake, err);
	(void)setpriority(PRIO_PROCESS, 0, l->nice);
	return rc;
}

/* Audit on, rules in. A plugin of auditd may be without the right to, and still reads. */
static int take_control(struct live *l, struct sa_err *err)
{
	const struct settings *set = &l->role->settings;
	int rc;

	control_for(l->control, &l->self, l->source == LIVE_UNICAST);
	rc = control_begin(l->control, l->pipe.spool, l->boot_id, set, err);
	l->controlled = rc == 0;
	if (rc && l->source == LIVE_STDIN) {
		log_warn("event=no_control reason=\"%s\" action=\"only what auditd's own rules "
			 "record is seen\"",
			 err->msg);
		control_close(l->control);
		l->control = NULL;
		return 0;
	}
	if (rc == 0) {
		l->guard = guard_new(&l->pipe, l->control, set, &l->self);
		rc = l->guard ? 0 : sa_fail(err, SA_ERR_NOMEM, "out of memory");
	}
	return rc;
}

static int watch_losses(struct live *l, struct sa_err *err)
{
	struct losses_source src = live_losses(l);

	l->losses = losses_new(&l->pipe, l->control);
	if (!l->losses)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return losses_begin(l->losses, &src, clock_real_ms(), err);
}

int live_start(struct live *l, struct sa_err *err)
{
	const struct settings *set = &l->role->settings;
	struct pipeline_facts facts = {
		.spool_dir = set->spool_dir,
		.host = l->host,
		.machine_id = l->machine_id,
		.boot_id = l->boot_id,
		.capture = l->capture,
		.ses_dir = l->ses_dir,
		.durable = true,
		.signers = &l->signers,
		.self = &l->self,
		.settings = set,
	};
	int64_t down_since_ms;
	int rc;

	load_signers(l);
	self_facts_make(set, &l->self);
	guard_pids(&l->self);
	if ((rc = read_identity(l, err)) || (rc = open_sources(l, err)) ||
	    (rc = drop_privileges(l, err)) || (rc = pipeline_open(&l->pipe, &facts, err)))
		return rc;
	l->pipe.now_ms = clock_mono_ms();
	down_since_ms = spool_state_time_ms(l->pipe.spool, SPOOL_ALIVE);
	if ((rc = resume_take_up(&l->pipe, err)) || (rc = connect_source(l, err)) ||
	    (rc = start_intake(l, err)) || (rc = take_control(l, err)))
		return rc;
	transcript_own_changes(l->pipe.transcript, clock_real_ms());
	resume_all(&l->pipe, down_since_ms, set->spool_sync);
	if ((rc = watch_losses(l, err)))
		return rc;
	l->started = true;
	spool_alive(l->pipe.spool);
	log_info("event=started source=%s host=%s boot_id=%s", live_source_name(l->source), l->host,
		 l->boot_id);
	return 0;
}
