/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/warden/live.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"

#define KILL_LOOKS 10 /* in one round, at processes that go on having children */

int live_init(struct live *l, struct role *role, struct sa_err *err)
{
	int rc;

	*l = (struct live){.role = role, .proc_fd = -1};
	buf_init(&l->ses_dir, PATH_MAX);
	buf_printf(&l->ses_dir, "%s/ses", role->settings.agent_run_dir);
	if (l->ses_dir.failed)
		return sa_fail(err, SA_ERR_TOOBIG, "agent.run_dir: path too long");
	l->wards = (struct wards){.dir = buf_cstr(&l->ses_dir),
				  .owner_uid = geteuid(),
				  .trust = {.owner_uid = geteuid(), .signers = &l->signers}};
	if ((rc = boot_id_read(l->wards.boot_id, err)) != 0)
		return rc;
	l->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->proc_fd < 0)
		return sa_fail_errno(err, "open /proc");
	return process_read(l->proc_fd, getpid(), &l->self) == 0
		       ? 0
		       : sa_fail(err, SA_ERR_UNSUPPORTED,
				 "/proc/self/sessionid: cannot be read: the kernel lacks audit "
				 "support (CONFIG_AUDITSYSCALL)");
}

/* Mounted with hidepid, /proc shows a process to its owner only, capabilities or not. */
static void live_check_proc(const struct live *l)
{
	struct process p;

	if (process_read(l->proc_fd, 1, &p) != 0)
		log_err("event=processes-hidden reason=\"/proc shows no processes of others: "
			"nothing can be ended; mount it without hidepid, or with the group of "
			"agent.user in gid=\"");
}

/* Until they are there, signed grants decide nothing; the times in the tag files still do. */
static void live_load_keys(struct live *l)
{
	static struct log_limit limit = {.burst = 1};
	const struct conf_list *keys = &l->role->settings.broker_keys;
	struct sa_err err = {0};

	if (l->signers.len > 0 || keys->len == 0)
		return;
	if (signers_load((const char *const *)keys->items, keys->len, l->wards.trust.owner_uid,
			 &l->signers, &err) != 0)
		log_limited(&limit, LOG_LEVEL_ERR, "event=no-keys reason=\"broker.keys: %s\"",
			    err.msg);
}

/* ---- ending ---- */

static int live_signal_for(const struct ward *x, int64_t now_ms)
{
	if (x->verdict == VERDICT_HOLDS)
		return 0;
	if (x->term_ms == 0)
		return SIGTERM;
	return now_ms - x->term_ms >= LIVE_KILL_MS ? SIGKILL : 0;
}

static void live_end_one(void *ctx, const struct process *p)
{
	static struct log_limit limit = {.burst = 5};
	struct live *l = ctx;
	struct ward *x = wards_find(&l->wards, p->ses);
	int sig;

	if (!x)
		return;
	x->processes++;
	sig = live_signal_for(x, l->now_ms);
	if (sig == 0)
		return;
	if (process_signal(l->proc_fd, p, sig) == SA_ERR_PERM)
		log_limited(&limit, LOG_LEVEL_ERR,
			    "event=not-ended ses=%u pid=%d reason=\"the kernel or a security "
			    "module refuses the signal: the warden needs CAP_KILL\"",
			    (unsigned)p->ses, (int)p->pid);
	else if (sig == SIGKILL)
		l->killed = true;
}

static void live_look(struct live *l)
{
	static struct log_limit limit = {.burst = 1};
	struct sa_err err = {0};

	l->killed = false;
	for (size_t i = 0; i < l->wards.len; i++)
		l->wards.items[i].processes = 0;
	if (processes_each(l->proc_fd, &l->self, live_end_one, l, &err) != 0)
		log_limited(&limit, LOG_LEVEL_ERR, "event=no-processes reason=\"%s\"", err.msg);
}

/* One line for each session, when its processes were asked to end. */
static void live_tell(struct live *l)
{
	for (size_t i = 0; i < l->wards.len; i++) {
		struct ward *x = &l->wards.items[i];

		if (x->verdict == VERDICT_HOLDS || x->processes == 0 || x->term_ms != 0)
			continue;
		x->term_ms = l->now_ms;
		log_info("event=session-terminated ses=%u request=\"%s\" why=%s processes=%u",
			 (unsigned)x->ses, x->request_id ? x->request_id : "",
			 verdict_name(x->verdict), x->processes);
	}
}

/* True when there is something to end. */
static bool live_judge(struct live *l)
{
	int64_t now = clock_real_ms();
	bool any = false;

	for (size_t i = 0; i < l->wards.len; i++) {
		struct ward *x = &l->wards.items[i];

		x->verdict = approval_judge(&x->approval, now);
		if (x->verdict == VERDICT_HOLDS)
			x->term_ms = 0; /* it was prolonged in time */
		else
			any = true;
	}
	return any;
}

/* Now and then sessions whose file is gone and which have no process left are forgotten. */
static bool live_census_due(struct live *l)
{
	if (l->now_ms < l->census_ms)
		return false;
	l->census_ms = l->now_ms + LIVE_CENSUS_MS;
	return wards_untagged(&l->wards);
}

static void live_round(struct live *l)
{
	bool look;

	l->now_ms = clock_mono_ms();
	live_load_keys(l);
	wards_refresh(&l->wards);
	look = live_judge(l);
	if (!live_census_due(l) && !look)
		return;
	live_look(l);
	live_tell(l);
	for (int i = 0; i < KILL_LOOKS && l->killed; i++)
		live_look(l);
	wards_forget(&l->wards);
}

int live_run(struct live *l)
{
	struct pollfd p = {.fd = l->role->signal_fd, .events = POLLIN};

	live_check_proc(l);
	for (;;) {
		role_signals(l->role);
		role_beat(l->role);
		if (l->role->stop)
			return EXIT_SUCCESS;
		live_round(l);
		(void)poll(&p, 1, LIVE_TURN_MS);
	}
}

void live_end(struct live *l)
{
	wards_free(&l->wards);
	signers_free(&l->signers);
	buf_free(&l->ses_dir);
	if (l->proc_fd >= 0)
		close(l->proc_fd);
}
