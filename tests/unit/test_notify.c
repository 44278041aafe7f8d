/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/notify.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

static int listen_at(const char *path, bool abstract)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len;

	memcpy(a.sun_path + abstract, path, strlen(path));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract + strlen(path) +
			  !abstract);
	return bind(fd, (struct sockaddr *)&a, len) == 0 ? fd : -1;
}

static struct slice receive(int fd)
{
	static char text[1024];
	ssize_t n = recv(fd, text, sizeof(text), 0);

	return n < 0 ? SLICE_NONE : (struct slice){text, (size_t)n};
}

static void test_send(const char *env, int fd, const char *name)
{
	struct notify n;

	setenv("NOTIFY_SOCKET", env, 1);
	notify_open(&n);
	tap_ok(!getenv("NOTIFY_SOCKET"), "%s: children do not inherit it", name);
	notify_send(&n, "STATUS=%s %d", "x", 5);
	tap_bytes(receive(fd), SLICE_LIT("STATUS=x 5"), "%s: a state", name);
	notify_reloading(&n);
	tap_ok(slice_starts(receive(fd), "RELOADING=1\nMONOTONIC_USEC="), "%s: reloading", name);
	notify_close(&n);
	notify_send(&n, "READY=1");
	tap_bytes(receive(fd), SLICE_NONE, "%s: nothing after close", name);
}

static void test_no_socket(void)
{
	static const char *const bad[] = {"", "relative", "@", "/"};
	struct notify n;
	char longest[200];

	unsetenv("NOTIFY_SOCKET");
	notify_open(&n);
	tap_int(n.fd, -1, "no socket named");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		notify_open(&n);
		tap_int(n.fd, -1, "bad socket name '%s'", bad[i]);
		notify_close(&n);
	}
	memset(longest, '/', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	notify_open(&n);
	tap_int(n.fd, -1, "socket name too long");
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	notify_open(&n);
	notify_send(&n, "READY=1");
	tap_ok(n.fd >= 0, "nobody listens: no harm");
	notify_close(&n);
}

static void test_watchdog(void)
{
	char self[16];
	const struct {
		const char *name, *usec, *pid;
		int64_t ms;
	} cases[] = {
		{"none", NULL, NULL, 0},
		{"60 s", "60000000", NULL, 30000},
		{"ours", "60000000", self, 30000},
		{"another's", "60000000", "1", 0},
		{"zero", "0", NULL, 0},
		{"not a number", "soon", NULL, 0},
		{"negative", "-1", NULL, 0},
		{"tiny", "100", NULL, 1},
	};
	struct notify n;

	snprintf(self, sizeof(self), "%d", (int)getpid());
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (cases[i].usec)
			setenv("WATCHDOG_USEC", cases[i].usec, 1);
		if (cases[i].pid)
			setenv("WATCHDOG_PID", cases[i].pid, 1);
		notify_open(&n);
		tap_int(n.watchdog_ms, cases[i].ms, "watchdog: %s", cases[i].name);
		tap_ok(!getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"), "and it is taken away");
		notify_close(&n);
	}
}

int main(void)
{
	char dir[] = "/tmp/test_notify-XXXXXX", path[64], abstract[64];
	int fd;

	if (!mkdtemp(dir))
		return 99;
	snprintf(path, sizeof(path), "%s/s", dir);
	fd = listen_at(path, false);
	test_send(path, fd, "path");
	close(fd);
	snprintf(abstract, sizeof(abstract), "@sessaudit-test-%d", (int)getpid());
	fd = listen_at(abstract + 1, true);
	test_send(abstract, fd, "abstract");
	close(fd);
	unlink(path);
	rmdir(dir);
	test_no_socket();
	test_watchdog();
	return tap_done();
}
