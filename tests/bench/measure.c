/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * measure NAME RECORDS COMMAND...: for replay.sh. Small, so that its own memory is not what
 * the kernel reports as the command's peak (getrusage(2): a peak is inherited over exec).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage use;
	int status = 0;
	double cpu;
	pid_t pid;

	if (argc < 4)
		return 2;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	wait4(pid, &status, 0, &use);
	cpu = seconds(use.ru_utime) + seconds(use.ru_stime);
	printf("%-24s %12.0f records/CPU s %8.2f CPU s %8.1f MiB%s\n", argv[1],
	       atof(argv[2]) / (cpu > 0.001 ? cpu : 0.001), cpu, (double)use.ru_maxrss / 1024,
	       status ? "   FAILED" : "");
	return status != 0;
}
