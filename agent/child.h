/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One role as the supervisor sees it: a process that beats on a pipe, is
 * restarted when it dies and killed when it falls silent. Times are monotonic
 * milliseconds and come in as arguments.
 */
#ifndef SA_CHILD_H
#define SA_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

#define CHILD_BACKOFF_MIN_MS 100
#define CHILD_BACKOFF_MAX_MS 5000 /* also after ROLE_EXIT_CONFIG */
#define CHILD_HEALTHY_MS 10000    /* alive and ready this long: the backoff begins anew */
#define CHILD_SILENT_MS 30000

struct child {
	const char *name;           /* "collector" */
	bool wanted;                /* the settings ask for it: true after child_init */
	const char *option, *value; /* further arguments of its program; NULL: none */
	pid_t pid;                  /* 0: does not run */
	int beat_fd;                /* -1: none */
	bool ready;                 /* has beaten since its start */
	bool stopping;              /* its end is wanted */
	bool halt; /* it asks for the host to be halted; whoever has seen that clears it */
	int64_t started_ms, beat_ms;
	int64_t restart_ms, backoff_ms;
	char cause[64]; /* of its last death, "" when it never died */
};

/* Runs path with argv in a new process that dies with this one; only keep_fd (-1: none) is passed
 * on besides stdout and stderr, and stdin to the collector, which may read records there; of the
 * environment what is for the role ("collector", "shipper", "grantd", "warden"). */
int child_spawn(const char *role, const char *path, const char *const *argv, int keep_fd,
		pid_t *out, struct sa_err *err);
/* Drops from env (ended by NULL, changed in place) what the role is not to see: proxies and
 * credentials are for shipper and grantd alone, those of AWS for the shipper. */
void child_environment(const char *role, char **env);
/* "exit status 3", "signal 9 (Killed)". */
void child_cause(int status, char *out, size_t size);

void child_init(struct child *c, const char *name);
/* Starts path [--config config] [option value] --beat-fd N. On failure it is due again after the
 * backoff. */
int child_start(struct child *c, const char *path, const char *config, int64_t now_ms,
		struct sa_err *err);
/* beat_fd is readable: beats, and requests to halt. A byte that is neither, or not for this role to
 * send, is logged and does not count as a beat. */
void child_beats(struct child *c, int64_t now_ms);
/* It has ended with this wait status: notes cause and time of the restart, logs one line. */
void child_ended(struct child *c, int status, int64_t now_ms);
bool child_due(const struct child *c, int64_t now_ms); /* is to be started now */
/* Ready, and heard of lately; or not wanted. */
bool child_healthy(const struct child *c, int64_t now_ms);
bool child_silent(const struct child *c, int64_t now_ms); /* runs, but is to be killed */

#endif
