/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * measure NAME COUNT COMMAND...: for the scripts here; COUNT is what the command gets done.
 * Prints rate, rate of CPU time, CPU time, time, peak memory. Small, so that its own memory is not
 * what the kernel reports as the command's peak (getrusage(2): a peak is inherited over exec).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct rusage use;
	int status = 0;
	double cpu, wall, count;
	pid_t pid;

	if (argc < 4)
		return 2;
	count = atof(argv[2]);
	wall = now();
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	wait4(pid, &status, 0, &use);
	wall = now() - wall;
	cpu = seconds(use.ru_utime) + seconds(use.ru_stime);
	printf("%-20s %8.0f /s %9.0f /CPU s %8.3f CPU s %8.3f s %7.1f MiB%s\n", argv[1],
	       count / wall, count / (cpu > 0.001 ? cpu : 0.001), cpu, wall,
	       (double)use.ru_maxrss / 1024, status ? "   FAILED" : "");
	return status != 0;
}
