/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What live.sh measures readers with:
 *
 *   load exec N PROCESSES PROGRAM    N times fork (-v: vfork), execve, wait
 *   load open N PROCESSES DIRECTORY  N times openat (O_RDWR) and close of f0 ... f63 in DIRECTORY
 *   load hold N PROGRAM              N sessions of their own, each runs PROGRAM once; `ready`;
 *                                    they stay until standard input ends
 *
 * -u UID: takes this login uid first, and so a new session (for hold: each one). Prints
 * `SECONDS OPERATIONS-PER-SECOND`.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_MAX 1000000
#define FILES 64

static struct {
	const char *uid, *target;
	long n, processes;
	bool vfork;
} load;

static void die(const char *what)
{
	perror(what);
	_exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void take_uid(void)
{
	int fd;

	if (!load.uid)
		return;
	fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, load.uid, strlen(load.uid)) < 0)
		die("/proc/self/loginuid");
	close(fd);
}

static void run_program(long i)
{
	char number[32], path[48];
	char *argv[] = {"program", number, "-la", path, "an argument with spaces", NULL};
	char *env[] = {"PATH=/bin", NULL};
	int status;
	pid_t pid;

	snprintf(number, sizeof(number), "--op=%ld", i);
	snprintf(path, sizeof(path), "/var/lib/data/%ld.dat", i % 977);
	pid = load.vfork ? vfork() : fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		execve(load.target, argv, env);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die(load.target);
}

static void open_file(long i)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/f%ld", load.target, i % FILES);
	fd = openat(AT_FDCWD, path, O_RDWR);
	if (fd < 0)
		die(path);
	close(fd);
}

static void storm(void (*operation)(long i))
{
	double began, seconds;
	int status, bad = 0;

	take_uid();
	began = now();
	for (long p = 0; p < load.processes; p++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid > 0)
			continue;
		for (long i = p; i < load.n; i += load.processes)
			operation(i);
		_exit(0);
	}
	while (wait(&status) > 0)
		bad |= status;
	seconds = now() - began;
	if (bad)
		_exit(1);
	printf("%.3f %.0f\n", seconds, (double)load.n / seconds);
}

/* The children end when our end of stay closes, however that comes. */
static void hold(void)
{
	int done[2], stay[2];
	char c;

	if (pipe(done) || pipe(stay))
		die("pipe");
	for (long i = 0; i < load.n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			close(stay[1]);
			take_uid();
			run_program(i);
			if (write(done[1], "", 1) == 1 && read(stay[0], &c, 1) == 0)
				_exit(0);
			_exit(1);
		}
	}
	for (long i = 0; i < load.n; i++)
		if (read(done[0], &c, 1) != 1)
			die("read");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	const char *mode;
	int c;

	while ((c = getopt(argc, argv, "+vu:")) != -1) {
		if (c == 'v')
			load.vfork = true;
		else if (c == 'u')
			load.uid = optarg;
		else
			return 2;
	}
	argc -= optind;
	argv += optind;
	mode = argc > 1 ? argv[0] : "";
	load.n = argc > 1 ? atol(argv[1]) : 0;
	load.processes = argc == 4 ? atol(argv[2]) : 1;
	load.target = argv[argc - 1];
	if (load.n < 1 || load.n > N_MAX || load.processes < 1 || load.processes > 64)
		return 2;
	if (strcmp(mode, "exec") == 0 && argc == 4)
		storm(run_program);
	else if (strcmp(mode, "open") == 0 && argc == 4)
		storm(open_file);
	else if (strcmp(mode, "hold") == 0 && argc == 3)
		hold();
	else
		return 2;
	return 0;
}
