/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/role.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/tap.h"

static int beats(int fd)
{
	char bytes[64];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	return n < 0 ? 0 : (int)n;
}

static void test_levels(void)
{
	static const struct {
		const char *text;
		enum log_level level;
	} cases[] = {
		{"err", LOG_LEVEL_ERR},     {"warn", LOG_LEVEL_WARN},     {"info", LOG_LEVEL_INFO},
		{"debug", LOG_LEVEL_DEBUG}, {"nonsense", LOG_LEVEL_INFO}, {NULL, LOG_LEVEL_INFO},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct settings s = {.agent_log_level = (char *)cases[i].text};

		tap_int(role_log_level(&s), cases[i].level, "log level %s",
			cases[i].text ? cases[i].text : "not set");
	}
}

static void test_halt(struct role *r, int fd)
{
	char bytes[8] = "";

	role_halt(r);
	role_beat(r);
	tap_int(read(fd, bytes, sizeof(bytes) - 1), 1, "a wish to halt is a beat too");
	tap_str(bytes, "H", "and says what is wished");
	clock_fake_advance(999);
	role_halt(r);
	tap_int(beats(fd), 0, "not two in a second");
	clock_fake_advance(1);
	role_beat(r);
	role_halt(r);
	tap_int(read(fd, bytes, sizeof(bytes) - 1), 2, "a beat does not keep it back");
	tap_str(bytes, ".H", "it follows");
	clock_fake_advance(1000);
}

static void test_beat(struct role *r, int fd)
{
	role_beat(r);
	tap_int(beats(fd), 1, "the first beat goes out at once");
	clock_fake_advance(999);
	role_beat(r);
	tap_int(beats(fd), 0, "not two in a second");
	clock_fake_advance(1);
	role_beat(r);
	role_beat(r);
	tap_int(beats(fd), 1, "one after a second");
	for (int i = 0; i < 100000; i++) { /* more than a pipe holds */
		clock_fake_advance(1000);
		role_beat(r);
		role_halt(r);
	}
	tap_ok(!r->stop, "a full pipe neither blocks nor stops");
	close(fd);
	clock_fake_advance(1000);
	role_beat(r);
	tap_ok(r->stop, "a supervisor that is gone stops the role");
}

static void test_signals(struct role *r)
{
	static const struct {
		int sig;
		bool stop;
	} cases[] = {{SIGHUP, false}, {SIGTERM, true}, {SIGINT, true}};
	struct pollfd p = {.fd = r->signal_fd, .events = POLLIN};

	role_signals(r);
	tap_ok(!r->stop, "no signal");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		r->stop = false;
		raise(cases[i].sig);
		tap_int(poll(&p, 1, 0), 1, "%s wakes the loop", strsignal(cases[i].sig));
		role_signals(r);
		tap_int(r->stop, cases[i].stop, "%s stops or not", strsignal(cases[i].sig));
		tap_int(poll(&p, 1, 0), 0, "and was taken");
	}
}

static char conf[] = "/tmp/sessaudit-role.XXXXXX"; /* an empty file */

static void test_open(void)
{
	const struct {
		const char *name, *argv[6];
		int rc, beat_fd;
		const char *text;
	} cases[] = {
		{"nothing but settings", {"role", "--config", conf}, 0, -1, ""},
		{"a supervisor", {"role", "-c", conf, "--beat-fd", "7"}, 0, 7, ""},
		{"a missing file",
		 {"role", "--config", "/nonexistent/c"},
		 SA_ERR_NOTFOUND,
		 -1,
		 "/c"},
		{"an unknown option", {"role", "--no-such"}, SA_ERR_INVALID, -1, "usage: test"},
		{"a descriptor that is none",
		 {"role", "--beat-fd", "7x"},
		 SA_ERR_INVALID,
		 -1,
		 "usa"},
		{"standard output", {"role", "--beat-fd", "1"}, SA_ERR_INVALID, -1, "usage: test"},
		{"a word too many", {"role", "word"}, SA_ERR_INVALID, -1, "argument word"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct role r = {.name = "test"};
		struct sa_err err = {0};
		char *argv[6];
		int argc = 0;

		memcpy(argv, cases[i].argv, sizeof(argv));
		while (argv[argc])
			argc++;
		optind = 0; /* getopt(3): begin anew */
		tap_int(role_open(&r, argc, argv, &err), cases[i].rc, "%s", cases[i].name);
		tap_ok(strstr(err.msg, cases[i].text), "said: %s", err.msg);
		tap_int(r.beat_fd, cases[i].beat_fd, "beat descriptor");
		settings_free(&r.settings);
	}
}

static void test_no_core(void)
{
	struct rlimit l = {0};
	struct sa_err err = {0};

	tap_int(role_no_core(&err), 0, "no core file");
	tap_ok(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_cur == 0 && l.rlim_max == 0, "by size");
	tap_int(prctl(PR_GET_DUMPABLE), 0, "and at all");
	prctl(PR_SET_DUMPABLE, 1); /* for the leak checker */
}

int main(void)
{
	struct role r = {.name = "test", .signal_fd = -1, .beat_fd = -1};
	struct sa_err err = {0};
	int fds[2];

	test_levels();
	clock_fake(1000000, 5);
	if (pipe2(fds, O_NONBLOCK) != 0)
		return 99;
	r.beat_fd = fds[1];
	tap_int(role_start(&r, &err), 0, "start");
	tap_ok(fcntl(r.beat_fd, F_GETFD) & FD_CLOEXEC, "the beat descriptor is not passed on");
	test_signals(&r);
	r.stop = false;
	test_halt(&r, fds[0]);
	test_beat(&r, fds[0]);
	role_end(&r);
	tap_ok(r.signal_fd == -1 && r.beat_fd == -1, "end closes both");
	role_end(&r);
	r.stop = false;
	tap_int(role_start(&r, &err), 0, "start by hand, without a supervisor");
	role_beat(&r);
	role_halt(&r);
	tap_ok(!r.stop, "a beat goes nowhere then");
	role_end(&r);
	r.beat_fd = 999;
	tap_ok(role_start(&r, &err) != 0, "a beat descriptor that is not open");
	close(mkstemp(conf));
	test_open();
	unlink(conf);
	test_no_core();
	return tap_done();
}
