/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/role.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

enum log_level role_log_level(const struct settings *s)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{"err", LOG_LEVEL_ERR},
		{"warn", LOG_LEVEL_WARN},
		{"debug", LOG_LEVEL_DEBUG},
	};

	for (size_t i = 0; s->agent_log_level && i < ARRAY_LEN(levels); i++)
		if (strcmp(s->agent_log_level, levels[i].name) == 0)
			return levels[i].level;
	return LOG_LEVEL_INFO;
}

int role_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	return *end || end == text || fd < 3 || fd > INT_MAX ? -1 : (int)fd;
}

int role_open(struct role *r, int argc, char **argv, struct sa_err *err)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"beat-fd", required_argument, NULL, 'b'},
		{NULL, 0, NULL, 0},
	};
	const char *config = NULL;
	int c;

	r->signal_fd = r->beat_fd = -1;
	log_init(r->name, LOG_LEVEL_INFO);
	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c == 'c')
			config = optarg;
		else if (c != 'b' || (r->beat_fd = role_fd(optarg)) < 0)
			return sa_fail(err, SA_ERR_INVALID,
				       "bad arguments: usage: %s [--config FILE] [--beat-fd N]; "
				       "started by sessauditd(8)",
				       r->name);
	}
	if (optind < argc)
		return sa_fail(err, SA_ERR_INVALID, "unexpected argument %s", argv[optind]);
	return settings_load(config, &r->settings, err);
}

int role_no_core(struct sa_err *err)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return sa_fail_errno(err, "switch core files off");
	return 0;
}

int role_start(struct role *r, struct sa_err *err)
{
	sigset_t set;

	log_init(r->name, role_log_level(&r->settings));
	r->stop = false;
	r->last_beat_ms = r->last_halt_ms = clock_mono_ms() - ROLE_BEAT_INTERVAL_MS;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return sa_fail_errno(err, "block signals");
	if (r->beat_fd >= 0 && (fcntl(r->beat_fd, F_SETFD, FD_CLOEXEC) != 0 ||
				fcntl(r->beat_fd, F_SETFL, O_WRONLY | O_NONBLOCK) != 0))
		return sa_fail_errno(err, "beat descriptor %d", r->beat_fd);
	r->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return r->signal_fd < 0 ? sa_fail_errno(err, "signalfd") : 0;
}

void role_signals(struct role *r)
{
	struct signalfd_siginfo si;

	while (read(r->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			r->stop = true;
}

/* A full pipe means a supervisor that does not read: it has its own watchdog. */
static void role_tell(struct role *r, char byte)
{
	if (write(r->beat_fd, &byte, 1) < 0 && errno == EPIPE)
		r->stop = true;
}

void role_beat(struct role *r)
{
	int64_t now = clock_mono_ms();

	if (r->beat_fd < 0 || now - r->last_beat_ms < ROLE_BEAT_INTERVAL_MS)
		return;
	r->last_beat_ms = now;
	role_tell(r, ROLE_BEAT);
}

void role_halt(struct role *r)
{
	int64_t now = clock_mono_ms();

	if (r->beat_fd < 0 || now - r->last_halt_ms < ROLE_BEAT_INTERVAL_MS)
		return;
	r->last_halt_ms = r->last_beat_ms = now;
	role_tell(r, ROLE_HALT);
}

void role_end(struct role *r)
{
	if (r->signal_fd >= 0)
		close(r->signal_fd);
	if (r->beat_fd >= 0)
		close(r->beat_fd);
	r->signal_fd = r->beat_fd = -1;
}
