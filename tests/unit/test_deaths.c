/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/collector/deaths.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/tap.h"

#define HEAD (NLMSG_HDRLEN + sizeof(struct cn_msg))
#define EXIT 0x80000000U

static void test_parse(void)
{
	static const struct {
		const char *name;
		uint32_t from, what, code;
		int32_t pid, tgid;
		size_t len;
		bool want;
	} cases[] = {
		{"killed", 0, EXIT, 9, 100, 100, 76, true},
		{"killed, of an older kernel", 0, EXIT, 9, 100, 100, 68, true},
		{"killed, with a core", 0, EXIT, 0x80 | 11, 100, 100, 76, true},
		{"the highest signal", 0, EXIT, 64, 100, 100, 76, true},
		{"exit 3", 0, EXIT, 3 << 8, 100, 100, 76, false},
		{"exit 0", 0, EXIT, 0, 100, 100, 76, false},
		{"a thread of it", 0, EXIT, 9, 101, 100, 76, false},
		{"a start", 0, 2, 9, 100, 100, 76, false},
		{"a core is written", 0, 0x40000000, 9, 100, 100, 76, false},
		{"an answer", 0, 0, 9, 100, 100, 76, false},
		{"from another process", 4711, EXIT, 9, 100, 100, 76, false},
		{"cut", 0, EXIT, 9, 100, 100, 63, false},
		{"nothing", 0, EXIT, 9, 100, 100, 0, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char m[HEAD + sizeof(struct proc_event)] = {0};
		struct proc_event e = {0};
		struct death d = {0};

		memcpy(&e.what, &cases[i].what, sizeof(cases[i].what));
		e.timestamp_ns = 5000000000;
		e.event_data.exit.process_pid = cases[i].pid;
		e.event_data.exit.process_tgid = cases[i].tgid;
		e.event_data.exit.exit_code = cases[i].code;
		memcpy(m + HEAD, &e, sizeof(e));
		tap_int(source_deaths_parse(cases[i].from, (struct slice){m, cases[i].len},
					    7500000000, 1700000000000, &d),
			cases[i].want, "%s", cases[i].name);
		if (!cases[i].want)
			continue;
		tap_int(d.pid, 100, "%s: pid", cases[i].name);
		tap_int(d.signal, cases[i].code & 0x7f, "%s: signal", cases[i].name);
		tap_int(d.time_ms, 1700000000000 - 2500, "%s: time", cases[i].name);
	}
}

static struct buf given;

static void on_death(void *ctx, const struct death *d)
{
	(void)ctx;
	buf_printf(&given, "%d ", (int)d->pid);
}

static void add(struct deaths *d, int64_t pid, int64_t time_ms, int64_t came_ms)
{
	struct death death = {.pid = pid, .signal = 9, .time_ms = time_ms};

	deaths_add(d, &death, came_ms);
}

static void took(struct deaths *d, int64_t event_ms, int64_t came_ms, const char *want,
		 const char *name)
{
	buf_clear(&given);
	deaths_take(d, event_ms, came_ms, on_death, NULL);
	tap_str(buf_cstr(&given), want, "%s", name);
}

static void test_waiting(void)
{
	struct deaths d = {0};

	took(&d, INT64_MAX, INT64_MAX, "", "none waits");
	add(&d, 1, 1000, 10);
	add(&d, 2, 1001, 10);
	add(&d, 3, 2000, 50);
	took(&d, 1000, 10, "", "neither read up to it nor long enough");
	took(&d, 1001, 10, "1 ", "one record later");
	took(&d, 0, 11, "2 ", "nothing was recorded since, but it is quiet");
	took(&d, 3000, 0, "3 ", "the last");
	took(&d, INT64_MAX, INT64_MAX, "", "each once");
	for (int i = 0; i < DEATHS_MAX + 5; i++)
		add(&d, i, i, 0);
	tap_int((long long)d.dropped, 5, "no more than there is room for");
	took(&d, 7, 0, "5 6 ", "the oldest had to go");
	tap_int((long long)d.n, DEATHS_MAX - 2, "the others wait");
	deaths_free(&d);
}

/* --- the kernel --- */

struct kernel_seen {
	pid_t killed, exited, threaded;
	int signal, exits;
	int64_t time_ms;
};

static void on_kernel(void *ctx, const struct death *d)
{
	struct kernel_seen *s = ctx;

	if (d->pid == s->killed) {
		s->signal = (int)d->signal;
		s->time_ms = d->time_ms;
	}
	s->exits += d->pid == s->exited || d->pid == s->threaded;
}

static pid_t child(void (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		fn();
		_exit(3);
	}
	return pid;
}

static void *end_thread(void *arg)
{
	syscall(SYS_exit, 9); /* as a thread: looks as a signal would */
	return arg;
}

static void run_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, end_thread, NULL) == 0)
		pthread_join(t, NULL);
}

static void do_nothing(void)
{
}

static void wait_here(void)
{
	pause();
}

static void await(pid_t pid)
{
	while (waitpid(pid, NULL, 0) != pid)
		;
}

static void test_kernel(void)
{
	struct source_deaths *s;
	struct kernel_seen seen = {0};
	struct sa_err err = {0};
	int64_t before = clock_real_ms();
	int rc;

	if (geteuid() != 0) {
		tap_skip("not root", "a death is told by the kernel");
		return;
	}
	rc = source_deaths_open(&s, &err);
	if (!tap_int(rc, 0, "process connector: %s", err.msg))
		return;
	seen.exited = child(do_nothing);
	await(seen.exited);
	seen.threaded = child(run_thread);
	await(seen.threaded);
	seen.killed = child(wait_here);
	kill(seen.killed, SIGTERM);
	await(seen.killed);
	for (int i = 0; i < 200 && seen.signal == 0; i++) {
		struct pollfd p = {.fd = source_deaths_fd(s), .events = POLLIN};

		poll(&p, 1, 10);
		source_deaths_read(s, on_kernel, &seen);
	}
	tap_int(seen.signal, SIGTERM, "a child that a signal ended is told");
	tap_int(seen.exits, 0, "one that exits by itself is not, nor a thread");
	tap_ok(seen.time_ms >= before - 1 && seen.time_ms <= clock_real_ms() + 1, "in UTC");
	source_deaths_close(s);
}

int main(void)
{
	buf_init(&given, 65536);
	test_parse();
	test_waiting();
	test_kernel();
	buf_free(&given);
	return tap_done();
}
