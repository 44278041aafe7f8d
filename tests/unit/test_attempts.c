/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/shipper/attempts.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/tap.h"

#define BOOT "6a3b7c1e-0000-4000-8000-000000000001"
#define NOW 1000000 /* when the first table is made */
#define NEW (NOW + 1)

static int dir = -1;

static struct attempts *opened(const char *boot_id)
{
	struct attempts *a = NULL;
	struct sa_err err = {0};

	if (attempts_open(dir, boot_id, &a, &err) != 0) {
		printf("Bail out! %s\n", err.msg);
		exit(99);
	}
	return a;
}

/* The file as left behind is what the next process finds. */
static struct attempts *reopened(struct attempts *a, const char *boot_id)
{
	attempts_close(a);
	return opened(boot_id);
}

static const char *key_of(unsigned n)
{
	static char key[64];

	snprintf(key, sizeof(key), "sessions/request=R/session=s/%06u.jsonl.gz", n);
	return key;
}

static off_t file_size(void)
{
	struct stat st;

	return fstatat(dir, "attempts", &st, AT_SYMLINK_NOFOLLOW) != 0 ? -1 : st.st_size;
}

static void test_one(void)
{
	struct attempts *a = opened(BOOT);

	tap_ok(attempts_before(a, "a", NOW), "no table before: what is older may have been tried");
	tap_ok(!attempts_before(a, "a", NEW), "what is newer not");
	tap_ok(attempts_begin(a, "a"), "begin");
	tap_ok(attempts_before(a, "a", NEW), "no answer yet");
	tap_ok(!attempts_before(a, "b", NEW), "of this key only");
	attempts_end(a, "b");
	attempts_end(a, "a");
	tap_ok(!attempts_before(a, "a", NEW), "the answer is known");
	tap_ok(attempts_begin(a, "a") && attempts_begin(a, "a"), "begin, and again without answer");
	a = reopened(a, BOOT);
	tap_ok(attempts_before(a, "a", NEW), "the next process knows it");
	attempts_end(a, "a");
	a = reopened(a, BOOT);
	tap_ok(!attempts_before(a, "a", NEW), "and forgets it with the answer, begun twice or not");
	attempts_close(a);
}

static void test_all_new(void)
{
	struct attempts *a = opened(BOOT);

	attempts_all_new(a);
	tap_ok(!attempts_before(a, "a", NOW - 1) && !attempts_before(a, "a", 2000),
	       "in a new spool nothing was tried");
	attempts_begin(a, "a");
	a = reopened(a, BOOT);
	tap_ok(!attempts_before(a, "b", NOW - 1), "nor for the next process");
	tap_ok(attempts_before(a, "a", NOW - 1), "but for what was begun");
	tap_ok(attempts_before(a, "c", 1000), "and what the collector made again");
	a = reopened(a, "another-boot");
	tap_ok(attempts_before(a, "b", NOW), "until the next boot");
	attempts_close(a);
	unlinkat(dir, "attempts", 0);
}

static void test_reboot(void)
{
	struct attempts *a;

	clock_fake(NOW + 5000, 1);
	a = opened(BOOT);
	attempts_begin(a, "a");
	tap_ok(!attempts_before(a, "b", NEW), "the same boot: no new doubt");
	a = reopened(a, "another-boot");
	tap_ok(attempts_before(a, "b", NEW) && attempts_before(a, "b", NOW + 5000),
	       "after a reboot all that is older is doubtful");
	tap_ok(!attempts_before(a, "a", NOW + 5001), "and the old table says nothing");
	clock_fake(NOW + 9000, 1);
	a = reopened(a, "another-boot");
	tap_ok(attempts_before(a, "b", NOW + 5000), "the doubt outlives the process");
	tap_ok(!attempts_before(a, "b", NOW + 5001), "and does not grow with it");
	a = reopened(a, "");
	tap_ok(attempts_before(a, "b", NOW + 9000), "an unknown boot is another one");
	clock_fake(NOW + 9500, 1);
	a = reopened(a, "");
	tap_ok(attempts_before(a, "b", NOW + 9500), "and another one each time");
	attempts_close(a);
	clock_fake(NOW, 1);
}

static void overwrite(const void *p, size_t n, off_t at)
{
	_cleanup_close_ int fd = openat(dir, "attempts", O_WRONLY | O_CLOEXEC);

	if (pwrite(fd, p, n, at) != (ssize_t)n)
		abort();
}

static void shorten(off_t size)
{
	_cleanup_close_ int fd = openat(dir, "attempts", O_WRONLY | O_CLOEXEC);

	if (ftruncate(fd, size) != 0)
		abort();
}

/* What is at the place of the table, and what it takes to be a table of doubt. */
static void damage(unsigned kind)
{
	static const unsigned char ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
	static const uint32_t older = 0, fewer = 1024;

	switch (kind) {
	case 0:
		shorten(0);
		break;
	case 1:
		shorten(file_size() - 1);
		break;
	case 2:
		shorten(file_size() + 1);
		break;
	case 3:
		overwrite("other!!!", 8, 0);
		break;
	case 4:
		overwrite(&older, sizeof(older), 8);
		break;
	case 5:
		overwrite(&fewer, sizeof(fewer), 12);
		break;
	case 6:
		overwrite(ones, sizeof(ones), 64 + 32); /* the number of the first slot */
		break;
	default:
		unlinkat(dir, "attempts", 0);
		if (kind == 7 ? mkfifoat(dir, "attempts", 0600)
			      : symlinkat("target", dir, "attempts"))
			abort();
	}
}

static void test_damage(void)
{
	static const char *const names[] = {
		"empty",
		"short",
		"long",
		"foreign",
		"of another version",
		"of other size",
		"corrupt slot",
		"a FIFO",
		"a link to nowhere",
	};
	struct attempts *a = opened(BOOT);
	off_t size = file_size();

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		clock_fake(NOW + i, 1);
		attempts_begin(a, "a");
		attempts_close(a);
		damage(i);
		clock_fake(NOW + 1000 + i, 1);
		a = opened(BOOT);
		tap_ok(attempts_before(a, "b", NOW + 1000 + i), "%s: all may have been tried",
		       names[i]);
		tap_ok(!attempts_before(a, "a", NOW + 1001 + i), "but for what is newer");
		tap_int(file_size(), size, "the file is whole again");
		a = reopened(a, BOOT);
		tap_ok(!attempts_before(a, "a", NOW + 1001 + i) && attempts_begin(a, "a"),
		       "and good");
	}
	tap_ok(faccessat(dir, "target", F_OK, AT_SYMLINK_NOFOLLOW) != 0, "no link was followed");
	attempts_close(a);
	unlinkat(dir, "attempts", 0);
	clock_fake(NOW, 1);
}

static void test_full(void)
{
	struct attempts *a = opened(BOOT);
	unsigned begun = 0, known = 0;

	for (unsigned i = 0; i < ATTEMPTS_MAX; i++)
		begun += attempts_begin(a, key_of(i));
	tap_int(begun, ATTEMPTS_MAX, "so many at a time");
	tap_ok(!attempts_begin(a, "one more"), "and not one more");
	tap_ok(attempts_begin(a, key_of(7)), "but one of them again");
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++)
		known += attempts_before(a, key_of(i), NEW);
	tap_int(known, ATTEMPTS_MAX, "all are known");
	attempts_end(a, key_of(1000));
	tap_ok(attempts_begin(a, "one more"), "an answer makes room");
	attempts_end(a, "one more");
	tap_ok(attempts_begin(a, key_of(1000)), "again");
	a = reopened(a, BOOT);
	known = 0;
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++)
		known += attempts_before(a, key_of(i), NEW);
	tap_int(known, ATTEMPTS_MAX, "the next process knows all");
	tap_ok(attempts_begin(a, key_of(0)), "it tries the oldest again");
	tap_ok(attempts_begin(a, "x") && attempts_begin(a, "y"), "and finds room for its own");
	tap_ok(attempts_before(a, key_of(0), NEW), "its own stays, though the oldest");
	tap_ok(!attempts_before(a, key_of(1), NEW) && !attempts_before(a, key_of(2), NEW),
	       "the oldest two went");
	tap_ok(attempts_before(a, key_of(3), NEW) && attempts_before(a, key_of(1000), NEW),
	       "the others stay");
	begun = 0;
	for (unsigned i = 0; i < ATTEMPTS_MAX - 3; i++)
		begun += attempts_begin(a, key_of(10000 + i));
	tap_int(begun, ATTEMPTS_MAX - 3, "it has room for all of its own");
	tap_ok(!attempts_begin(a, "z"), "and then no more");
	tap_ok(attempts_before(a, "x", NEW) && attempts_before(a, key_of(10000), NEW),
	       "and keeps them");
	attempts_close(a);
	unlinkat(dir, "attempts", 0);
}

/* A disk that takes no writes, by a limit of the process. */
static void test_unwritable(void)
{
	struct attempts *a = opened(BOOT);
	struct rlimit old, none;

	attempts_begin(a, "before");
	getrlimit(RLIMIT_FSIZE, &old);
	none = (struct rlimit){0, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	tap_ok(!attempts_begin(a, "a"), "cannot be written: do not start");
	tap_ok(!attempts_before(a, "a", NEW), "so it was not started");
	attempts_end(a, "before");
	tap_ok(!attempts_before(a, "before", NEW), "an answer counts all the same");
	setrlimit(RLIMIT_FSIZE, &old);
	tap_ok(attempts_begin(a, "a"), "then it can");
	a = reopened(a, BOOT);
	tap_ok(attempts_before(a, "a", NEW), "and is on file");
	setrlimit(RLIMIT_FSIZE, &none);
	struct attempts *b = NULL;
	struct sa_err err = {0};
	tap_ok(attempts_open(dir, "another-boot", &b, &err) != 0 && !b, "no new table");
	tap_ok(strstr(err.msg, "ship/attempts") != NULL, "said: %s", err.msg);
	setrlimit(RLIMIT_FSIZE, &old);
	attempts_close(a);
	unlinkat(dir, "attempts", 0);
}

/* Begins and ends keys 0, 1, 2 ... with up to eight open, and tells before and after each step. */
static void busy(int out)
{
	struct attempts *a = opened(BOOT);

	for (int32_t i = 0;; i++) {
		int32_t end = -(i - 7);

		if (!attempts_begin(a, key_of((unsigned)i)) ||
		    write(out, &i, sizeof(i)) != (ssize_t)sizeof(i))
			_exit(1);
		if (end > 0)
			continue;
		if (write(out, &end, sizeof(end)) != (ssize_t)sizeof(end))
			_exit(1);
		attempts_end(a, key_of((unsigned)-end));
	}
}

/* Kills it at some moment: what was begun, and not about to end, is known. */
static void kill_one(unsigned us, unsigned *missing, unsigned *open_keys)
{
	int fds[2], status;
	int32_t step, begun = -1, ended = -1;
	struct attempts *a;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0)
		busy(fds[1]);
	close(fds[1]);
	usleep(us);
	kill(pid, SIGKILL);
	while (read(fds[0], &step, sizeof(step)) == (ssize_t)sizeof(step))
		*(step > 0 || (step == 0 && begun < 0) ? &begun : &ended) = abs(step);
	waitpid(pid, &status, 0);
	close(fds[0]);
	a = opened(BOOT);
	for (int32_t i = ended + 1; i <= begun; i++) {
		*missing += !attempts_before(a, key_of((unsigned)i), NEW);
		++*open_keys;
	}
	attempts_close(a);
}

static void test_kill(void)
{
	unsigned missing = 0, open_keys = 0;

	attempts_close(opened(BOOT));
	for (unsigned i = 0; i < 200; i++)
		kill_one(200 + i * 37 % 3000, &missing, &open_keys);
	tap_int(missing, 0, "killed 200 times: no attempt is forgotten");
	tap_ok(open_keys > 500, "of %u", open_keys);
}

int main(void)
{
	char path[] = "/tmp/sessaudit-attempts.XXXXXX";

	clock_fake(NOW, 1);
	if (!mkdtemp(path) || (dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 99;
	test_all_new();
	test_one();
	test_reboot();
	unlinkat(dir, "attempts", 0);
	test_damage();
	test_full();
	test_unwritable();
	test_kill();
	unlinkat(dir, "attempts", 0);
	rmdir(path);
	return tap_done();
}
