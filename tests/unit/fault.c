/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "tests/unit/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long calls, first = ULONG_MAX, last;
static bool kills;
static int errnum_now;

void fault_kill_at(unsigned long n)
{
	fault_fail_at(n, 1, EIO);
	kills = true;
}

void fault_fail_at(unsigned long n, unsigned long count, int errnum)
{
	calls = 0;
	first = n;
	last = n + count - 1;
	errnum_now = errnum;
	kills = false;
}

unsigned long fault_off(void)
{
	unsigned long n = calls;

	fault_fail_at(ULONG_MAX, 1, 0);
	return n;
}

static bool hit(void)
{
	calls++;
	if (calls < first || calls > last)
		return false;
	if (kills)
		_exit(FAULT_STATUS);
	errno = errnum_now;
	return true;
}

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return (flags & O_CREAT) && hit() ? -1 : __real_openat(fd, path, flags, mode);
}

ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	return hit() ? -1 : __real_pwrite(fd, p, n, at);
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	bool torn = fd > STDERR_FILENO && calls + 1 >= first && calls + 1 <= last;

	if (torn && n > 1 && __real_write(fd, p, n / 2) < 0)
		return -1;
	return fd > STDERR_FILENO && hit() ? -1 : __real_write(fd, p, n);
}

#define WRAP(name, params, args)                                                                   \
	int __real_##name params;                                                                  \
	int __wrap_##name params;                                                                  \
	int __wrap_##name params                                                                   \
	{                                                                                          \
		return hit() ? -1 : __real_##name args;                                            \
	}

WRAP(mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP(ftruncate, (int fd, off_t size), (fd, size))
WRAP(fsync, (int fd), (fd))
WRAP(fdatasync, (int fd), (fd))
WRAP(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
