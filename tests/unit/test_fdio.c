/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

static int dir;
static struct sa_err err;

static int entries(void)
{
	_cleanup_closedir_ DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));
	int n = 0;

	while (d && readdir(d))
		n++;
	return n - 2; /* . and .. */
}

static void make_link(const char *target, const char *path)
{
	if (symlinkat(target, dir, path) < 0)
		tap_ok(false, "symlink %s", path);
}

static void test_read(void)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 100000);
	tap_int(fdio_replace_file(dir, "f", "0123456789", 10, 0600, &err), 0, "write");
	buf_puts(&b, "x");
	tap_int(fdio_read_file(dir, "f", 10, &b, &err), 0, "read, exactly max");
	tap_bytes(buf_slice(&b), SLICE_LIT("x0123456789"), "read appends");
	tap_int(fdio_read_file(dir, "f", 9, &b, &err), SA_ERR_TOOBIG, "one byte too many");
	tap_str(err.msg, "f: more than 9 bytes", "says the bound");
	tap_bytes(buf_slice(&b), SLICE_LIT("x0123456789"), "nothing added on failure");
	tap_int(fdio_read_file(dir, "none", 9, &b, &err), SA_ERR_NOTFOUND, "no such file");
	tap_str(err.msg, "open none: No such file or directory", "says which");
	tap_int(fdio_read_file(dir, ".", 9, &b, &err), SA_ERR_INVALID, "a directory");
	make_link("f", "link");
	tap_int(fdio_read_file(dir, "link", 99, &b, &err), SA_ERR_PERM, "a symbolic link");
	mkfifoat(dir, "fifo", 0600);
	tap_int(fdio_read_file(dir, "fifo", 99, &b, &err), SA_ERR_INVALID, "a FIFO does not block");
	unlinkat(dir, "fifo", 0);
	unlinkat(dir, "link", 0);
	tap_int(fdio_read_file(AT_FDCWD, "/dev/null", 9, &b, &err), SA_ERR_INVALID, "a device");
}

static void test_read_bounds(void)
{
	_cleanup_buf_ struct buf b = {0};
	static char big[50000];

	memset(big, 'z', sizeof(big));
	fdio_replace_file(dir, "f", big, sizeof(big), 0600, &err);
	buf_init(&b, sizeof(big));
	tap_int(fdio_read_file(dir, "f", sizeof(big), &b, &err), 0,
		"several chunks into a full buffer");
	tap_bytes(buf_slice(&b), (struct slice){big, sizeof(big)}, "all of it");
	buf_free(&b);
	buf_init(&b, sizeof(big) - 1);
	tap_int(fdio_read_file(dir, "f", sizeof(big), &b, &err), SA_ERR_TOOBIG, "buffer too small");
	tap_ok(b.len == 0 && !b.failed, "and left as it was");
	fdio_replace_file(dir, "f", "", 0, 0600, &err);
	tap_int(fdio_read_file(dir, "f", 0, &b, &err), 0, "an empty file with max 0");
	tap_int(fdio_read_all(-1, 9, &b, &err), SA_ERR_IO, "a bad descriptor");
}

static void test_write_errors(void)
{
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	tap_int(fdio_write_all(full, "x", 1, &err), SA_ERR_AGAIN, "disk full");
	tap_str(err.msg, "write 1 bytes: No space left on device", "says so");
	tap_int(fdio_write_all(full, "", 0, &err), 0, "nothing to write");
	tap_int(fdio_write_all(-1, "x", 1, &err), SA_ERR_IO, "a bad descriptor");
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

struct slow_reader {
	int fd;
	size_t got;
};

static void *read_slowly(void *arg)
{
	struct slow_reader *r = arg;
	char part[8192];
	ssize_t n;

	while ((n = read(r->fd, part, sizeof(part))) > 0) {
		r->got += (size_t)n;
		usleep(2000);
	}
	return NULL;
}

/* A full pipe makes write block; timer signals then break it off, with and without progress. */
static void test_short_writes(void)
{
	static char big[1 << 20];
	struct itimerval timer = {{0, 10000}, {0, 10000}}, off = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = tick};
	struct slow_reader reader = {0};
	sigset_t alarm_only;
	pthread_t thread;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return;
	reader.fd = p[0];
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm_only, NULL); /* for the thread */
	pthread_create(&thread, NULL, read_slowly, &reader);
	pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
	sigaction(SIGALRM, &sa, NULL); /* without SA_RESTART */
	setitimer(ITIMER_REAL, &timer, NULL);
	tap_int(fdio_write_all(p[1], big, sizeof(big), &err), 0, "interrupted writes");
	setitimer(ITIMER_REAL, &off, NULL);
	close(p[1]);
	pthread_join(thread, NULL);
	close(p[0]);
	tap_int((long long)reader.got, sizeof(big), "lose nothing");
	tap_ok(ticks > 0, "there were interruptions");
}

static void test_replace(void)
{
	_cleanup_buf_ struct buf b = {0};
	struct stat st;
	int before;

	buf_init(&b, 100);
	mkdirat(dir, "sub", 0700);
	umask(077);
	tap_int(fdio_replace_file(dir, "sub/f", "one", 3, 0640, &err), 0, "create");
	fstatat(dir, "sub/f", &st, 0);
	tap_int(st.st_mode & 07777, 0640, "mode is exact, whatever the umask");
	tap_int(fdio_replace_file(dir, "sub/f", "two", 3, 0600, &err), 0, "replace");
	fdio_read_file(dir, "sub/f", 99, &b, &err);
	tap_bytes(buf_slice(&b), SLICE_LIT("two"), "new content");
	make_link("sub/f", "link");
	tap_int(fdio_replace_file(dir, "link", "three", 5, 0600, &err), 0, "over a symbolic link");
	buf_clear(&b);
	fdio_read_file(dir, "sub/f", 99, &b, &err);
	tap_bytes(buf_slice(&b), SLICE_LIT("two"), "which is replaced, not followed");
	before = entries();
	mkdirat(dir, "full", 0700);
	tap_int(fdio_replace_file(dir, "full", "x", 1, 0600, &err), SA_ERR_INVALID,
		"over a directory");
	tap_int(entries(), before + 1, "no temporary is left");
	tap_int(fdio_replace_file(dir, "none/f", "x", 1, 0600, &err), SA_ERR_NOTFOUND,
		"no directory");
	tap_str(err.msg, "open directory none: No such file or directory", "says which");
}

static void test_mkdirs(void)
{
	struct stat st;

	umask(022);
	tap_int(fdio_mkdirs(dir, "a//b/c/", 0750, &err), 0, "three levels");
	fstatat(dir, "a/b/c", &st, 0);
	tap_ok(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0750, "made with the mode");
	tap_int(fdio_mkdirs(dir, "a/b/c", 0750, &err), 0, "existing is fine");
	tap_int(fdio_mkdirs(dir, ".", 0750, &err), 0, "the directory itself");
	tap_int(fdio_mkdirs(dir, "/", 0750, &err), 0, "the root");
	fdio_replace_file(dir, "file", "", 0, 0600, &err);
	tap_int(fdio_mkdirs(dir, "file", 0750, &err), SA_ERR_INVALID, "a file is in the way");
	tap_int(fdio_mkdirs(dir, "file/x", 0750, &err), SA_ERR_INVALID, "a file on the way");
	make_link("a", "dirlink");
	tap_int(fdio_mkdirs(dir, "dirlink", 0750, &err), SA_ERR_INVALID,
		"a link is not a directory");
	tap_int(fdio_fsync_dir(dir, "a/b", &err), 0, "fsync");
	tap_int(fdio_fsync_dir(dir, "", &err), 0, "fsync of the directory itself");
	tap_int(fdio_fsync_dir(dir, "file", &err), SA_ERR_INVALID, "fsync of a file");
	tap_int(fdio_fsync_dir(dir, "dirlink", &err), SA_ERR_INVALID, "fsync through a link");
}

static void remove_tree(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	if (system(command) != 0)
		printf("# %s is left behind\n", path);
}

int main(void)
{
	char path[] = "test_fdio.XXXXXX";

	if (!mkdtemp(path) || (dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return EXIT_FAILURE;
	test_read();
	test_read_bounds();
	test_write_errors();
	test_short_writes();
	test_replace();
	test_mkdirs();
	close(dir);
	remove_tree(path);
	return tap_done();
}
