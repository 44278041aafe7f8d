/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/warden/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fdio.h"

/* The same on all architectures that we build for; headers of 4.18 lack the names. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

#define STAT_MAX 4096

bool process_may_be_ended(const struct process *p, const struct process *self)
{
	return p->pid > 1 && p->pid != self->pid && p->ses != PROCESSES_NO_SES &&
	       p->ses != self->ses && !(p->flags & PROCESSES_KERNEL);
}

int process_parse_stat(const char *stat, char *state, unsigned *flags)
{
	/* "7 (name) S 1 7 7 0 -1 4194560 ...": the name may hold anything, also ')'. */
	const char *end = strrchr(stat, ')');
	unsigned f;
	char s;

	if (!end || sscanf(end + 1, " %c %*d %*d %*d %*d %*d %u", &s, &f) != 2)
		return SA_ERR_INVALID;
	*state = s;
	*flags = f;
	return 0;
}

static int read_text(int proc_fd, pid_t pid, const char *file, struct buf *out)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	buf_init(out, STAT_MAX + 1);
	/* ESRCH from read: it ended in between. */
	return fdio_read_file(proc_fd, path, STAT_MAX, out, NULL) == 0 ? 0 : SA_ERR_NOTFOUND;
}

int process_read(int proc_fd, pid_t pid, struct process *out)
{
	_cleanup_buf_ struct buf ses = {0}, stat = {0};
	struct process p = {.pid = pid};
	unsigned long long number;
	char *end, state;

	if (read_text(proc_fd, pid, "sessionid", &ses) != 0 ||
	    read_text(proc_fd, pid, "stat", &stat) != 0)
		return SA_ERR_NOTFOUND;
	errno = 0;
	number = strtoull(buf_cstr(&ses), &end, 10);
	if (ses.len == 0 || end == buf_cstr(&ses) || errno != 0 || number > UINT32_MAX ||
	    process_parse_stat(buf_cstr(&stat), &state, &p.flags) != 0 || state == 'Z' ||
	    state == 'X')
		return SA_ERR_NOTFOUND;
	p.ses = (uint32_t)number;
	*out = p;
	return 0;
}

static pid_t pid_of_name(const char *name)
{
	char *end;
	long v;

	if (*name < '1' || *name > '9')
		return 0;
	v = strtol(name, &end, 10);
	return *end || v > INT_MAX ? 0 : (pid_t)v;
}

int processes_each(int proc_fd, const struct process *self, processes_fn fn, void *ctx,
		   struct sa_err *err)
{
	int copy = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	struct process p;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return sa_fail_errno(err, "list the processes");
	}
	while ((e = readdir(dir))) {
		pid_t pid = pid_of_name(e->d_name);

		if (pid > 0 && process_read(proc_fd, pid, &p) == 0 &&
		    process_may_be_ended(&p, self))
			fn(ctx, &p);
	}
	return 0;
}

static int signal_result(long rc)
{
	if (rc == 0)
		return 0;
	return errno == ESRCH ? SA_ERR_NOTFOUND : SA_ERR_PERM;
}

int process_signal(int proc_fd, const struct process *p, int sig)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	struct process now;

	/* EPERM: not of the kernel but of a filter for system calls that is older than this one. */
	if (fd < 0 && errno != ENOSYS && errno != EPERM)
		return SA_ERR_NOTFOUND;
	/* The descriptor holds on to the process; only now it is certain which one that is. */
	if (process_read(proc_fd, p->pid, &now) != 0 || now.ses != p->ses ||
	    (now.flags & PROCESSES_KERNEL))
		return SA_ERR_NOTFOUND;
	if (fd < 0)
		return signal_result(kill(p->pid, sig));
	return signal_result(syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0));
}
