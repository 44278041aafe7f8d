/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * Stands for a role in supervisor.sh: beats, and does what the file
 * $SA_STUB_DIR/<its name>.mode says: "exit N", "mute" (never beats), "deaf"
 * (ignores SIGTERM), "halt" (asks for the host to be halted), "read" (reads its
 * standard input to the end, tells how much, and ends). Appends what
 * happens to it to $SA_STUB_DIR/events, and leaves its environment in
 * $SA_STUB_DIR/<its name>.env.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ended;
static const char *dir, *name;

static void on_term(int sig)
{
	ended = sig;
}

static void event(const char *what)
{
	char path[512], line[128];
	int fd, n;

	snprintf(path, sizeof(path), "%s/events", dir);
	n = snprintf(line, sizeof(line), "%s %s %d\n", name, what, (int)getpid());
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

static void leave_environment(void)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.env", dir, name);
	f = fopen(path, "we");
	if (!f)
		abort();
	for (char **e = environ; *e; e++)
		fprintf(f, "%s\n", *e);
	fclose(f);
}

static void read_mode(char *mode, int size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.mode", dir, name);
	f = fopen(path, "re");
	if (!f || !fgets(mode, size, f))
		mode[0] = '\0';
	if (f)
		fclose(f);
}

/* "read-12-stdin": bytes of standard input, and the value of --source. */
static void read_input(int argc, char **argv)
{
	const char *source = "none";
	char data[512], text[64];
	size_t total = 0;
	ssize_t n;

	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--source") == 0)
			source = argv[i + 1];
	while ((n = read(STDIN_FILENO, data, sizeof(data))) > 0)
		total += (size_t)n;
	snprintf(text, sizeof(text), "read-%zu-%s", total, source);
	event(text);
}

int main(int argc, char **argv)
{
	struct timespec pause = {0, 100 * 1000 * 1000};
	const char *beat;
	char mode[64] = "";
	int beat_fd = -1;

	dir = getenv("SA_STUB_DIR");
	name = strrchr(argv[0], '-');
	if (!dir || !name)
		return 99;
	name++;
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--beat-fd") == 0)
			beat_fd = atoi(argv[i + 1]);
	leave_environment();
	read_mode(mode, sizeof(mode));
	beat = strncmp(mode, "halt", 4) == 0 ? "H" : ".";
	if (strncmp(mode, "exit ", 5) == 0)
		return atoi(mode + 5);
	if (strncmp(mode, "read", 4) == 0) {
		read_input(argc, argv);
		return 0;
	}
	signal(SIGTERM, strncmp(mode, "deaf", 4) == 0 ? SIG_IGN : on_term);
	event(getenv("NOTIFY_SOCKET") || getenv("WATCHDOG_USEC") ? "start-with-notify" : "start");
	while (!ended) {
		if (strncmp(mode, "mute", 4) != 0 && write(beat_fd, beat, 1) < 0)
			return 98;
		nanosleep(&pause, NULL);
	}
	event("term");
	nanosleep(&pause, NULL);
	event("end");
	return 0;
}
