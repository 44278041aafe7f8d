/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/replay.h"

#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/role.h"

#define MAX_ARGS 24

/* Signals are waited for, never handled: whatever ends the replay, the scratch spool is removed. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
	sigprocmask(SIG_BLOCK, set, NULL);
}

/* Waits for the end of pid; a signal that comes meanwhile ends it. */
static int await(pid_t pid, int *status, struct sa_err *err)
{
	bool interrupted = false;
	sigset_t set;

	block_signals(&set); /* they are already; this names them */
	while (waitpid(pid, status, WNOHANG) == 0) {
		int sig = sigwaitinfo(&set, NULL);

		if (sig > 0 && sig != SIGCHLD) {
			interrupted = true;
			kill(pid, SIGTERM);
		}
	}
	return interrupted ? sa_fail(err, SA_ERR_AGAIN, "stopped by a signal") : 0;
}

struct args {
	const char *v[MAX_ARGS + 1];
	size_t n;
};

/* An option with its value, unless the value is not there. */
static void add(struct args *a, const char *option, const char *value)
{
	if (!value)
		return;
	a->v[a->n++] = option;
	a->v[a->n++] = value;
}

/* Runs the role to its end. SA_ERR_INVALID: it did what could be done with a damaged log. */
static int run(const char *libexec, const char *role, struct args *a, struct sa_err *err)
{
	char path[PATH_MAX], cause[64];
	pid_t pid;
	int n = snprintf(path, sizeof(path), "%s/sessaudit-%s", libexec, role), status, rc;

	if (n < 0 || (size_t)n >= sizeof(path))
		return sa_fail(err, SA_ERR_TOOBIG, "%s: path too long", libexec);
	a->v[0] = path;
	if ((rc = child_spawn(role, path, a->v, -1, &pid, err)) != 0 ||
	    (rc = await(pid, &status, err)) != 0)
		return rc;
	if (status == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_PARTIAL)
		return sa_fail(err, SA_ERR_INVALID,
			       "the log is damaged; the transcripts end where the damage begins");
	child_cause(status, cause, sizeof(cause));
	return sa_fail(err, SA_ERR_IO, "sessaudit-%s failed: %s", role, cause);
}

static int collect(const struct replay *r, const char *spool, struct sa_err *err)
{
	struct args a = {.n = 1};

	add(&a, "--replay", r->file);
	add(&a, "--spool", spool);
	add(&a, "--host", r->host);
	add(&a, "--machine-id", r->machine_id);
	add(&a, "--boot-id", r->boot_id);
	add(&a, "--config", r->config);
	return run(r->libexec, "collector", &a, err);
}

static int ship(const struct replay *r, const char *spool, struct sa_err *err)
{
	/* The store is the caller's, a directory or what the caller's credentials reach, so the
	 * shipper stays the caller. */
	struct args a = {.v = {NULL, "--once", "--keep-user"}, .n = 3};

	add(&a, "--spool", spool);
	add(&a, "--store", r->store);
	add(&a, "--config", r->config);
	return run(r->libexec, "shipper", &a, err);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int replay_run(const struct replay *r, struct sa_err *err)
{
	const char *tmp = getenv("TMPDIR");
	char spool[PATH_MAX];
	sigset_t set;
	int n, rc;

	n = snprintf(spool, sizeof(spool), "%s/sessaudit-replay-XXXXXX",
		     tmp && *tmp ? tmp : "/tmp");
	if (n < 0 || (size_t)n >= sizeof(spool))
		return sa_fail(err, SA_ERR_TOOBIG, "TMPDIR: path too long");
	block_signals(&set);
	if (!mkdtemp(spool))
		return sa_fail_errno(err, "make directory %s", spool);
	rc = collect(r, spool, err);
	if (rc == 0)
		rc = ship(r, spool, err);
	else if (rc == SA_ERR_INVALID && (n = ship(r, spool, err)) != 0)
		rc = n;
	if (nftw(spool, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && rc == 0)
		rc = sa_fail_errno(err, "remove %s", spool);
	return rc;
}
