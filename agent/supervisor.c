/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/dirs.h"
#include "agent/notify.h"
#include "agent/pam_check.h"
#include "agent/role.h"
#include "agent/validate.h"
#include "common/cleanup.h"
#include "common/clock.h"

#define TURN_MS 1000  /* longest wait of the loop */
#define STOP_MS 10000 /* a role has this long to end */
#define KILL_MS 5000  /* and this long after SIGKILL */
#define HALT_MS 60000 /* PID 1 is not asked more often */

/* In the order in which they are stopped. That is the order of the data: no grant comes and no
 * session is ended any more, and what the collector seals at its end the shipper still ships. */
enum { WARDEN, GRANTD, COLLECTOR, SHIPPER, ROLES };
static const char *const supervisor_roles[ROLES] = {"warden", "grantd", "collector", "shipper"};

struct supervisor {
	const struct supervisor_options *options;
	char path[ROLES][PATH_MAX];
	struct child roles[ROLES];
	struct settings settings;
	struct notify notify;
	int signal_fd;
	bool stop, reload;
	bool announced;               /* READY=1 was sent since the start or the last reload */
	int64_t watchdog_ms, halt_ms; /* when they are due */
	char status[512];
};

static int supervisor_signals(struct supervisor *s, struct sa_err *err)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return sa_fail_errno(err, "block signals");
	s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signal_fd < 0 ? sa_fail_errno(err, "signalfd") : 0;
}

static void supervisor_decide(const struct settings *set, bool wanted[ROLES])
{
	wanted[WARDEN] = strcmp(set->policy_on_expiry, "terminate") == 0;
	wanted[GRANTD] = set->broker_url && *set->broker_url;
	wanted[COLLECTOR] = wanted[SHIPPER] = true;
}

static int supervisor_check(const struct supervisor *s, const bool wanted[ROLES],
			    struct sa_err *err)
{
	for (int i = 0; i < ROLES; i++)
		if (wanted[i] && access(s->path[i], X_OK) != 0)
			return sa_fail_errno(err, "cannot run %s", s->path[i]);
	return 0;
}

static int supervisor_init(struct supervisor *s, const struct supervisor_options *o,
			   struct sa_err *err)
{
	s->options = o;
	for (int i = 0; i < ROLES; i++) {
		int n = snprintf(s->path[i], sizeof(s->path[i]), "%s/sessaudit-%s", o->libexec,
				 supervisor_roles[i]);

		if (n < 0 || (size_t)n >= sizeof(s->path[i]))
			return sa_fail(err, SA_ERR_TOOBIG, "%s: path too long", o->libexec);
		child_init(&s->roles[i], supervisor_roles[i]);
	}
	if (o->source) {
		s->roles[COLLECTOR].option = "--source";
		s->roles[COLLECTOR].value = o->source;
	}
	return 0;
}

/* Started by hand out of a login, it would be taken for a part of that session, and what the roles
 * do be recorded there. The kernel may be set not to allow it. */
static void supervisor_leave_login(void)
{
	static const char unset[] = "4294967295";
	_cleanup_close_ int fd = open("/proc/self/loginuid", O_RDWR | O_CLOEXEC);
	char now[16];
	ssize_t n = fd < 0 ? -1 : pread(fd, now, sizeof(now), 0);

	if (n <= 0 || ((size_t)n == strlen(unset) && memcmp(now, unset, (size_t)n) == 0))
		return;
	if (pwrite(fd, unset, strlen(unset), 0) < 0)
		log_warn("event=login-kept reason=\"%s\" action=\"the agent runs in a login's "
			 "session, whose transcript shows it; start it as a service\"",
			 strerror(errno));
}

static bool supervisor_reads_stdin(const struct supervisor *s)
{
	const char *source = s->options->source ? s->options->source : s->settings.capture_source;

	return strcmp(source, "stdin") == 0;
}

/* The collector that reads our stdin ends by itself when auditd has closed it: then all is done. */
static void supervisor_ended(struct supervisor *s, int i, int status)
{
	struct child *c = &s->roles[i];

	if (i == COLLECTOR && status == 0 && !c->stopping && supervisor_reads_stdin(s))
		s->stop = c->stopping = true;
	child_ended(c, status, clock_mono_ms());
}

static void supervisor_read_signals(struct supervisor *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		s->stop = s->stop || si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT;
		s->reload = s->reload || si.ssi_signo == SIGHUP;
	}
}

static void supervisor_reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < ROLES; i++)
			if (s->roles[i].pid == pid)
				supervisor_ended(s, i, status);
}

static void supervisor_kill_silent(struct supervisor *s)
{
	int64_t now = clock_mono_ms();

	for (int i = 0; i < ROLES; i++) {
		struct child *c = &s->roles[i];

		if (!child_silent(c, now))
			continue;
		log_err("role=%s pid=%d event=silent seconds=%d action=kill", c->name, (int)c->pid,
			CHILD_SILENT_MS / 1000);
		kill(c->pid, SIGKILL);
		c->beat_ms = now; /* should even that not help, the next line is 30 s away */
	}
}

static void supervisor_describe(const struct child *c, struct buf *out)
{
	if (c->stopping)
		buf_printf(out, "%s %s", c->name, c->pid ? "stops" : "has stopped");
	else if (c->ready)
		buf_printf(out, "%s runs", c->name);
	else if (c->pid)
		buf_printf(out, "%s starts", c->name);
	else
		buf_printf(out, "%s waits to be restarted (%s)", c->name, c->cause);
}

static void supervisor_tell_status(struct supervisor *s)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, sizeof(s->status) - 1);
	for (int i = 0; i < ROLES; i++) {
		if (!s->roles[i].wanted && !s->roles[i].pid)
			continue;
		if (text.len > 0)
			buf_puts(&text, ", ");
		supervisor_describe(&s->roles[i], &text);
	}
	if (text.failed || strcmp(buf_cstr(&text), s->status) == 0)
		return;
	strcpy(s->status, buf_cstr(&text)); /* text.max is its size */
	notify_send(&s->notify, "STATUS=%s", s->status);
}

static void supervisor_tell(struct supervisor *s)
{
	int64_t now = clock_mono_ms();
	bool healthy = true;

	for (int i = 0; i < ROLES; i++)
		healthy = healthy && child_healthy(&s->roles[i], now);
	supervisor_tell_status(s);
	if (healthy && !s->announced) {
		log_info("event=ready");
		notify_send(&s->notify, "READY=1");
		s->announced = true;
	}
	if (healthy && s->notify.watchdog_ms > 0 && now >= s->watchdog_ms) {
		notify_send(&s->notify, "WATCHDOG=1");
		s->watchdog_ms = now + s->notify.watchdog_ms;
	}
}

/* The collector cannot record and asks for the host to be halted: done only where the admin wants
 * that. systemd(1): SIGRTMIN+3 starts halt.target, so that all services end in order, ours too. */
static void supervisor_halt(struct supervisor *s, struct child *c)
{
	static struct log_limit limit = {.burst = 1};
	int64_t now = clock_mono_ms();

	c->halt = false;
	if (strcmp(s->settings.spool_on_full, "halt") != 0) {
		log_limited(&limit, LOG_LEVEL_ERR,
			    "role=%s pid=%d event=protocol-error reason=\"asks to halt the host, "
			    "but spool.on_full is %s\"",
			    c->name, (int)c->pid, s->settings.spool_on_full);
		return;
	}
	if (now < s->halt_ms)
		return;
	s->halt_ms = now + HALT_MS;
	log_err("event=halt reason=\"the spool is full and spool.on_full is halt\"");
	if (kill(1, SIGRTMIN + 3) != 0)
		log_err("event=halt-failed reason=\"%s\"", strerror(errno));
}

/* How long the loop may sleep. */
static int supervisor_wait_ms(const struct supervisor *s)
{
	int64_t now = clock_mono_ms(), wait = TURN_MS;

	if (s->notify.watchdog_ms > 0 && s->notify.watchdog_ms < wait)
		wait = s->notify.watchdog_ms;
	for (int i = 0; i < ROLES; i++)
		if (s->roles[i].wanted && s->roles[i].pid == 0 && !s->roles[i].stopping &&
		    s->roles[i].restart_ms - now < wait)
			wait = s->roles[i].restart_ms - now;
	return wait < 0 ? 0 : (int)wait;
}

/* One turn of the loop: waits for something to happen and takes note of it. Starts nothing. */
static void supervisor_turn(struct supervisor *s)
{
	struct pollfd p[1 + ROLES] = {{.fd = s->signal_fd, .events = POLLIN}};

	for (int i = 0; i < ROLES; i++)
		p[1 + i] = (struct pollfd){.fd = s->roles[i].beat_fd, .events = POLLIN};
	if (poll(p, ARRAY_LEN(p), supervisor_wait_ms(s)) > 0)
		for (int i = 0; i < ROLES; i++)
			if (p[1 + i].revents)
				child_beats(&s->roles[i], clock_mono_ms());
	for (int i = 0; i < ROLES; i++)
		if (s->roles[i].halt)
			supervisor_halt(s, &s->roles[i]);
	supervisor_read_signals(s);
	supervisor_reap(s);
	supervisor_kill_silent(s);
	supervisor_tell(s);
}

static void supervisor_start(struct supervisor *s, int i)
{
	struct child *c = &s->roles[i];
	struct sa_err err = {0};

	if (child_start(c, s->path[i], s->options->config, clock_mono_ms(), &err) != 0)
		log_err("role=%s event=start-failed reason=\"%s\"", c->name, err.msg);
	else
		log_info("role=%s pid=%d event=started", c->name, (int)c->pid);
}

static void supervisor_start_due(struct supervisor *s)
{
	for (int i = 0; i < ROLES; i++)
		if (child_due(&s->roles[i], clock_mono_ms()))
			supervisor_start(s, i);
}

static void supervisor_await_end(struct supervisor *s, const struct child *c, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (c->pid && clock_mono_ms() < until)
		supervisor_turn(s);
}

static void supervisor_stop_role(struct supervisor *s, int i)
{
	struct child *c = &s->roles[i];

	c->stopping = true;
	if (!c->pid)
		return;
	kill(c->pid, SIGTERM);
	supervisor_await_end(s, c, STOP_MS);
	if (!c->pid)
		return;
	log_err("role=%s pid=%d event=does-not-stop seconds=%d action=kill", c->name, (int)c->pid,
		STOP_MS / 1000);
	kill(c->pid, SIGKILL);
	supervisor_await_end(s, c, KILL_MS);
}

/* Stops a role, starts it when it is wanted, and waits until it is ready: the others are still
 * there meanwhile. */
static void supervisor_restart_role(struct supervisor *s, int i)
{
	struct child *c = &s->roles[i];
	int64_t until;

	supervisor_stop_role(s, i);
	if (s->stop || c->pid || !c->wanted)
		return;
	c->backoff_ms = 0;
	supervisor_start(s, i);
	until = clock_mono_ms() + STOP_MS;
	while (c->pid && !c->ready && !s->stop && clock_mono_ms() < until)
		supervisor_turn(s);
}

static int supervisor_load(struct supervisor *s, struct sa_err *err)
{
	struct settings next = {0};
	bool wanted[ROLES];
	int rc = validate_load(s->options->config, &next, err);

	if (rc == 0) {
		supervisor_decide(&next, wanted);
		rc = supervisor_check(s, wanted, err);
	}
	if (rc != 0 || (rc = dirs_make(&next, err)) != 0) {
		settings_free(&next);
		return rc;
	}
	for (int i = 0; i < ROLES; i++)
		s->roles[i].wanted = wanted[i];
	settings_free(&s->settings);
	s->settings = next;
	log_init("sessauditd", role_log_level(&s->settings));
	pam_check_log(PAM_SERVICES_DIR, &s->settings);
	return 0;
}

static void supervisor_apply(struct supervisor *s)
{
	struct sa_err err = {0};

	if (supervisor_load(s, &err) != 0) {
		log_err("event=reload-failed action=keep-old reason=\"%s\"", err.msg);
		return;
	}
	log_info("event=reload");
	for (int i = 0; i < ROLES && !s->stop; i++)
		supervisor_restart_role(s, i);
}

static void supervisor_reload(struct supervisor *s)
{
	s->reload = false;
	notify_reloading(&s->notify);
	s->announced = true; /* in between all may be well, but not all is done */
	supervisor_apply(s);
	s->announced = false;
}

int supervisor_run(const struct supervisor_options *o, struct sa_err *err)
{
	static struct supervisor s;
	int rc;

	supervisor_leave_login();
	umask(022); /* the roles must come through to what is made here; see dirs.h */
	if ((rc = supervisor_init(&s, o, err)) != 0 || (rc = supervisor_load(&s, err)) != 0 ||
	    (rc = supervisor_signals(&s, err)) != 0)
		return rc;
	notify_open(&s.notify);
	while (!s.stop) {
		supervisor_start_due(&s);
		supervisor_turn(&s);
		if (s.reload && !s.stop)
			supervisor_reload(&s);
	}
	log_info("event=stop");
	notify_send(&s.notify, "STOPPING=1");
	for (int i = 0; i < ROLES; i++)
		supervisor_stop_role(&s, i);
	notify_close(&s.notify);
	close(s.signal_fd);
	settings_free(&s.settings);
	return 0;
}
