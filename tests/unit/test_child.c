/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/role.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define EXITED(n) ((n) << 8) /* as in <sys/wait.h> of Linux; checked in main */

/* As if it had been started at now. */
static void started(struct child *c, int64_t now)
{
	c->pid = 4711;
	c->started_ms = c->beat_ms = now;
}

static void test_backoff(void)
{
	static const int64_t pauses[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
	struct child c;
	int64_t now = 1000;

	child_init(&c, "test");
	tap_ok(child_due(&c, now), "due at first");
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
		started(&c, now);
		child_ended(&c, EXITED(3), now);
		tap_int(c.restart_ms - now, pauses[i], "pause %zu", i + 1);
		tap_ok(!child_due(&c, c.restart_ms - 1), "not due before");
		tap_ok(child_due(&c, c.restart_ms), "due then");
		now = c.restart_ms;
	}
	tap_str(c.cause, "exit status 3", "the cause is kept");
	started(&c, now);
	c.ready = true;
	child_ended(&c, EXITED(1), now + CHILD_HEALTHY_MS - 1);
	tap_int(c.restart_ms - now - CHILD_HEALTHY_MS + 1, 5000,
		"9.999 s of health are not enough");
	started(&c, now);
	child_ended(&c, EXITED(1), now + 60000);
	tap_int(c.backoff_ms, 5000, "nor is a minute without a beat");
	started(&c, now);
	c.ready = true;
	child_ended(&c, SIGKILL, now + CHILD_HEALTHY_MS);
	tap_int(c.backoff_ms, 100, "10 s of health are");
	tap_str(c.cause, "signal 9 (Killed)", "killed");
	started(&c, now);
	child_ended(&c, EXITED(ROLE_EXIT_CONFIG), now);
	tap_int(c.restart_ms - now, 5000, "a bad configuration waits long at once");
}

static void test_beats(void)
{
	struct child c;
	int fds[2];

	child_init(&c, "test");
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0)
		return;
	started(&c, 1000);
	c.beat_fd = fds[0];
	tap_ok(!child_healthy(&c, 1000), "not ready before the first beat");
	child_beats(&c, 2000);
	tap_ok(!c.ready, "nothing read, not ready");
	tap_ok(!child_silent(&c, 1000 + CHILD_SILENT_MS - 1), "has 30 s to begin");
	tap_ok(child_silent(&c, 1000 + CHILD_SILENT_MS), "and no longer");
	tap_int(write(fds[1], "...", 3), 3, "beats");
	child_beats(&c, 2000);
	tap_ok(child_healthy(&c, 2000), "ready");
	tap_ok(child_healthy(&c, 2000 + CHILD_SILENT_MS - 1), "healthy for 30 s");
	tap_ok(!child_healthy(&c, 2000 + CHILD_SILENT_MS), "and no longer");
	tap_ok(child_silent(&c, 2000 + CHILD_SILENT_MS), "silent then");
	close(fds[1]);
	child_beats(&c, 3000);
	tap_int(c.beat_fd, -1, "a closed pipe is not polled on");
	tap_int(c.beat_ms, 2000, "and is no beat");
	child_ended(&c, EXITED(0), 3000);
	tap_ok(!child_healthy(&c, 3000) && !child_silent(&c, 3000 + 2 * CHILD_SILENT_MS),
	       "a dead one is neither healthy nor silent");
}

static void test_start(void)
{
	struct child c;
	struct sa_err err = {0};
	int status = 0;

	child_init(&c, "test");
	tap_int(child_start(&c, "/nonexistent/role", "/x", 1000, &err), 0, "fork");
	waitpid(c.pid, &status, 0);
	tap_int(WEXITSTATUS(status), 127, "a program that is not there ends with 127");
	child_ended(&c, status, 1000);
	tap_str(c.cause, "exit status 127", "which is the cause");
}

int main(void)
{
	tap_ok(WIFEXITED(EXITED(3)) && WEXITSTATUS(EXITED(3)) == 3, "wait status");
	test_backoff();
	test_beats();
	test_start();
	return tap_done();
}
