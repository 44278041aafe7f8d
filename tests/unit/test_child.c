/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Sends bytes as the role, from a state in which it has never beaten. */
static void sent(struct child *c, const char *role, const char *bytes)
{
	int fds[2];

	child_init(c, role);
	started(c, 1000);
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0 ||
	    write(fds[1], bytes, strlen(bytes)) != (ssize_t)strlen(bytes))
		abort();
	c->beat_fd = fds[0];
	child_beats(c, 2000);
	close(fds[0]);
	close(fds[1]);
}

static void test_messages(void)
{
	static const struct {
		const char *role, *bytes;
		bool beat, halt;
	} cases[] = {
		{"collector", ".", true, false},  {"shipper", ".", true, false},
		{"collector", "H", true, true},   {"shipper", "H", false, false},
		{"collector", "h", false, false}, {"collector", "\xff\n", false, false},
		{"shipper", "H.", true, false},   {"collector", "..H..", true, true},
		{"grantd", ".", true, false},     {"warden", ".", true, false},
		{"grantd", "H", false, false},    {"warden", "H", false, false},
	};
	struct child c;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		sent(&c, cases[i].role, cases[i].bytes);
		tap_int(c.ready, cases[i].beat, "%s, case %zu: a beat or none", cases[i].role, i);
		tap_int(c.beat_ms, cases[i].beat ? 2000 : 1000, "and its time");
		tap_int(c.halt, cases[i].halt, "a wish to halt or none");
	}
}

/* The names that are left of env, each with a blank. */
static const char *visible(const char *role, const char *const *env, size_t n)
{
	static char text[1024];
	char *copy[64] = {NULL};

	memcpy(copy, env, n * sizeof(*env));
	child_environment(role, copy);
	text[0] = '\0';
	for (char **e = copy; *e; e++) {
		strncat(text, *e, strcspn(*e, "="));
		strcat(text, " ");
	}
	return text;
}

static void test_environment(void)
{
	static const char *const env[] = {
		"AWS_SECRET_ACCESS_KEY=s",
		"PATH=/bin",
		"PATHS=x",
		"HOME=/root",
		"LD_PRELOAD=x",
		"AWS_SESSION_TOKEN=",
		"CREDENTIALS_DIRECTORY=/run/credentials/u",
		"http_proxy=p",
		"https_proxy=p",
		"HTTPS_PROXY=p",
		"all_proxy=p",
		"ALL_PROXY=p",
		"no_proxy=p",
		"NO_PROXY=p",
		"HTTP_PROXY=p",
		"ftp_proxy=p",
		"NOTIFY_SOCKET=/n",
		"SSLKEYLOGFILE=/k",
		"LANG=C",
		"LC_ALL=C",
		"TZ=UTC",
		"JOURNAL_STREAM=1:2",
		"ASAN_OPTIONS=a",
		"SA_SRC=/s",
		"UBSAN_OPTIONS=u",
		"LSAN_OPTIONS=l",
		"GCOV_PREFIX=g",
		"MALLOC_CHECK_=3",
		"USER=u",
		"SSL_CERT_FILE=f",
		"SSL_CERT_DIR=d",
		"MY_AWS_KEY=x",
		"=x",
		"",
		"PATH",
	};
	static const char *const every = "LANG LC_ALL TZ JOURNAL_STREAM ASAN_OPTIONS SA_SRC "
					 "UBSAN_OPTIONS LSAN_OPTIONS GCOV_PREFIX ";
	char want[512];

	snprintf(want, sizeof(want), "PATH %s", every);
	tap_str(visible("collector", env, ARRAY_LEN(env)), want, "the collector: no credentials");
	tap_str(visible("replica", env, ARRAY_LEN(env)), want, "nor another role");
	snprintf(want, sizeof(want),
		 "AWS_SECRET_ACCESS_KEY PATH HOME AWS_SESSION_TOKEN CREDENTIALS_DIRECTORY "
		 "http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY "
		 "%sSSL_CERT_FILE SSL_CERT_DIR ",
		 every);
	tap_str(visible("shipper", env, ARRAY_LEN(env)), want, "the shipper");
	snprintf(want, sizeof(want),
		 "PATH CREDENTIALS_DIRECTORY "
		 "http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY "
		 "%sSSL_CERT_FILE SSL_CERT_DIR ",
		 every);
	tap_str(visible("grantd", env, ARRAY_LEN(env)), want, "grantd: nothing of a store");
	snprintf(want, sizeof(want), "PATH %s", every);
	tap_str(visible("warden", env, ARRAY_LEN(env)), want, "the warden: no credentials");
	tap_str(visible("shipper", env, 0), "", "an empty environment");
}

static void test_wanted(void)
{
	struct child c;

	child_init(&c, "test");
	tap_ok(child_due(&c, 1000) && !child_healthy(&c, 1000), "wanted, and not there yet");
	c.wanted = false;
	tap_ok(!child_due(&c, 1000), "not wanted: not due");
	tap_ok(child_healthy(&c, 1000), "and nothing is wrong with that");
	tap_ok(!child_silent(&c, 1000 + CHILD_SILENT_MS), "nor silent");
}

static void test_start(void)
{
	struct child c;
	struct sa_err err = {0};
	int status = 0;

	child_init(&c, "test");
	c.halt = true;
	tap_int(child_start(&c, "/nonexistent/role", "/x", 1000, &err), 0, "fork");
	tap_ok(!c.halt, "what the last one asked for is forgotten");
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
	test_messages();
	test_environment();
	test_wanted();
	test_start();
	return tap_done();
}
