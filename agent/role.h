/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the roles of the agent (collector, shipper, grantd, warden) do alike: read
 * arguments and settings, log, catch signals, tell the supervisor that they live.
 */
#ifndef SA_ROLE_H
#define SA_ROLE_H

#include "common/log.h"
#include "common/settings.h"

struct role {
	const char *name;
	struct settings settings;
	int signal_fd; /* readable when SIGTERM, SIGINT or SIGHUP came */
	int beat_fd;   /* pipe to the supervisor, -1 when run by hand */
	bool stop;
	int64_t last_beat_ms, last_halt_ms; /* set by role_start */
};

#define ROLE_BEAT_INTERVAL_MS 1000
/* What goes over the beat pipe, one byte each; child.c has the table of who may send what. */
#define ROLE_BEAT '.'
#define ROLE_HALT 'H'
#define ROLE_EXIT_PARTIAL 65 /* EX_DATAERR: a recorded log is damaged; what came before is done */
#define ROLE_EXIT_CONFIG 78  /* EX_CONFIG of <sysexits.h>: starting again soon is of no use */

/* agent.log_level as log_init takes it. */
enum log_level role_log_level(const struct settings *s);

/* For a role with no arguments of its own: reads [--config FILE] [--beat-fd N] and the settings.
 * r->name and nothing else is set before; role_end and settings_free also after a failure. */
int role_open(struct role *r, int argc, char **argv, struct sa_err *err);
/* The number of a descriptor that was inherited (3 or more), -1 for anything else. */
int role_fd(const char *text);
/* No core file from here on: it would hold credentials. A change of user may undo it, prctl(2):
 * call it again after that. */
int role_no_core(struct sa_err *err);

/* Sets up logging under r->name, opens signal_fd (those signals are blocked from here on) and takes
 * over beat_fd; SIGPIPE is ignored. The caller has parsed argv and loaded settings. */
int role_start(struct role *r, struct sa_err *err);
/* Reads pending signals; sets r->stop on SIGTERM and SIGINT. */
void role_signals(struct role *r);
/* One byte to the supervisor: the loop turned and is healthy. At most one a second goes out; the
 * first one means "ready". Never blocks. A supervisor that is gone sets r->stop. */
void role_beat(struct role *r);
/* Asks the supervisor to halt the host, since nothing can be recorded any more (spool.on_full =
 * halt). Counts as a beat. Call it as long as that is so: like a beat, at most one a second goes
 * out, none blocks, and one that finds the pipe full is lost. Whether it is done is for the
 * supervisor to say. */
void role_halt(struct role *r);
void role_end(struct role *r);

#endif
