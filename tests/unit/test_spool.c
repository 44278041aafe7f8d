/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "tests/unit/fault.h"
#include "tests/unit/tap.h"

static char dir[64];

/* The content of <dir>/<path>; "(none)" when there is no such file. */
static const char *content(const char *path)
{
	static struct buf out;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	buf_free(&out);
	buf_init(&out, 1024);
	if (fdio_read_file(fd, path, 1024, &out, NULL))
		buf_puts(&out, "(none)");
	close(fd);
	return buf_cstr(&out);
}

static char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void test_append(struct spool *s)
{
	tap_int(spool_append(s, "f", 0, SLICE_LIT("one"), NULL), 0, "append to a new file");
	tap_int(spool_append(s, "f", 3, SLICE_LIT("two"), NULL), 0, "append at its end");
	tap_int(spool_append(s, "f", 3, SLICE_LIT("X"), NULL), 0, "append where it ended before");
	tap_str(content("open/f"), "oneX", "what was torn is cut off");
	tap_int(spool_append(s, "f", 9, SLICE_LIT("y"), NULL), SA_ERR_INVALID,
		"append past its end");
	tap_str(content("open/f"), "oneX", "changes nothing");
	tap_int(spool_append(s, "g", 3, SLICE_LIT("y"), NULL), SA_ERR_NOTFOUND,
		"append to no file");
	tap_int(spool_size(s, "g"), -1, "makes none");
	tap_int(spool_size(s, "f"), 4, "size");
	fault_fail_at(1, 1, ENOSPC);
	tap_int(spool_append(s, "f", 4, SLICE_LIT("long text"), NULL), SA_ERR_AGAIN,
		"append to a full disk");
	fault_off();
	tap_str(content("open/f"), "oneX", "leaves the file as it was");
	fault_fail_at(1, 2, ENOSPC); /* the write, and cutting back what it wrote */
	tap_int(spool_append(s, "f", 4, SLICE_LIT("long text"), NULL), SA_ERR_AGAIN,
		"and cannot be cut back");
	fault_off();
	tap_int(spool_append(s, "f", 4, SLICE_LIT("Y"), NULL), 0, "then there is room");
	tap_str(content("open/f"), "oneXY", "and the torn bytes are gone");
	tap_int(spool_truncate(s, "f", 3, NULL), 0, "truncate");
	tap_str(content("open/f"), "one", "truncated");
	spool_remove(s, "f");
	spool_remove(s, "f");
	tap_str(content("open/f"), "(none)", "removed");
}

static void test_read(struct spool *s)
{
	_cleanup_buf_ struct buf out = {0}, small = {0};

	buf_init(&out, 100);
	buf_init(&small, 2);
	spool_append(s, "f", 0, SLICE_LIT("one"), NULL);
	tap_int(spool_read(s, "f", &out, NULL), 0, "read");
	tap_bytes(buf_slice(&out), SLICE_LIT("one"), "what was read");
	tap_int(spool_read(s, "f", &small, NULL), SA_ERR_TOOBIG, "more than the buffer takes");
	tap_int(spool_read(s, "none", &out, NULL), SA_ERR_NOTFOUND, "no file");
	spool_remove(s, "f");
}

static void test_ready(struct spool *s)
{
	struct stat st;

	tap_int(spool_put(s, "a/b/c.json", SLICE_LIT("1"), NULL), 0, "put makes the directories");
	tap_str(content("ready/a/b/c.json"), "1", "the object");
	tap_int(spool_put(s, "a/b/c.json", SLICE_LIT("2"), NULL), 0, "put again");
	tap_str(content("ready/a/b/c.json"), "2", "replaces");
	tap_int(spool_put(s, "top", SLICE_LIT("3"), NULL), 0, "put at the top");
	tap_ok(stat(path_of("ready/top"), &st) == 0 && st.st_mtime > SPOOL_MADE_AGAIN_S, "is new");
	tap_int(spool_put_again(s, "top", SLICE_LIT("3"), NULL), 0, "perhaps made before");
	tap_ok(stat(path_of("ready/top"), &st) == 0 && st.st_mtime == SPOOL_MADE_AGAIN_S,
	       "says so");
	spool_append(s, "f", 0, SLICE_LIT("page"), NULL);
	tap_int(spool_promote(s, "f", "x/f.txt", NULL), 0, "promote");
	tap_str(content("ready/x/f.txt"), "page", "the promoted file");
	tap_str(content("open/f"), "(none)", "is no longer open");
	tap_int(spool_promote(s, "f", "x/f.txt", NULL), SA_ERR_NOTFOUND,
		"promote what is not there");
	for (unsigned long n = 1; n <= 4; n++) { /* openat, write, fsync, renameat */
		fault_fail_at(n, 1, EIO);
		tap_int(spool_put(s, "bad", SLICE_LIT("xx"), NULL), SA_ERR_IO,
			"put when call %lu fails", n);
		fault_off();
		tap_str(content("ready/bad"), "(none)", "put when call %lu fails: no object", n);
	}
}

static int stop_at(void *ctx, const char *name)
{
	unsigned *n = ctx;

	(void)name;
	return ++*n == 2 ? 5 : 0;
}

struct rewrite {
	struct spool *s;
	unsigned n;
};

static int rewrite(void *ctx, const char *name)
{
	struct rewrite *r = ctx;

	r->n++;
	return spool_state_write(r->s, name, SLICE_LIT("new"), NULL);
}

static void test_state(struct spool *s)
{
	_cleanup_buf_ struct buf out = {0};
	struct rewrite r = {s, 0};
	unsigned n = 0;

	buf_init(&out, SPOOL_STATE_MAX_BYTES);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%d", i);
		spool_state_write(s, name, SLICE_LIT("old"), NULL);
	}
	tap_int(spool_state_read(s, "s7", &out, NULL), 0, "read a checkpoint");
	tap_bytes(buf_slice(&out), SLICE_LIT("old"), "what it holds");
	tap_int(spool_state_read(s, "none", &out, NULL), SA_ERR_NOTFOUND, "no checkpoint");
	tap_int(spool_state_each(s, rewrite, &r, NULL), 0, "each");
	tap_int(r.n, 100, "each once, also when it is replaced meanwhile");
	tap_int(spool_state_each(s, stop_at, &n, NULL), 5, "each: a status stops it");
	fault_fail_at(2, 1, ENOSPC);
	tap_int(spool_state_write(s, "s7", SLICE_LIT("newer"), NULL), SA_ERR_AGAIN, "no room");
	fault_off();
	tap_str(content("state/s7"), "new", "the old one stays");
	spool_state_remove(s, "s7");
	tap_str(content("state/s7"), "(none)", "removed");
}

static void test_again(struct spool **s)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), tmp;

	tmp = openat(fd, "tmp/left", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(tmp);
	close(fd);
	spool_close(*s);
	tap_int(spool_open(dir, NULL, s, NULL), 0, "opened again");
	tap_str(content("tmp/left"), "(none)", "what was left in tmp is gone");
	tap_int(spool_state_time_ms(*s, SPOOL_ALIVE), 0, "never alive");
	spool_alive(*s);
	tap_ok(spool_state_time_ms(*s, SPOOL_ALIVE) > 0, "alive");
}

static void test_lock(struct spool **s)
{
	struct sa_err err = {0};
	struct spool *other = NULL;
	char pid[40], want[40];
	int status = 0;
	pid_t child;

	tap_int(spool_open(dir, NULL, &other, &err), SA_ERR_EXISTS, "opened twice");
	snprintf(pid, sizeof(pid), "process %ld works in", (long)getpid());
	tap_ok(strstr(err.msg, pid) != NULL, "says by whom: %s", err.msg);
	snprintf(want, sizeof(want), "%ld\n", (long)getpid());
	tap_str(content("lock"), want, "the file says it too");
	spool_close(*s);
	child = fork();
	if (child == 0) {
		if (spool_open(dir, NULL, &other, NULL))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	tap_ok(WIFSIGNALED(status), "a holder is killed");
	snprintf(want, sizeof(want), "%ld\n", (long)child);
	tap_str(content("lock"), want, "its file stays");
	tap_int(spool_open(dir, NULL, s, NULL), 0, "and is no obstacle");
}

/* Everything that is to be heard. */
static const char *heard(int fd)
{
	static char text[2000];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void test_news(struct spool **s)
{
	char filler[4096];
	struct stat st;
	int fd;

	tap_ok(lstat(path_of("news"), &st) == 0 && S_ISFIFO(st.st_mode), "a FIFO");
	tap_int(st.st_mode & 07777, 0640, "that the group may read");
	spool_put(*s, "n/1", SLICE_LIT("x"), NULL);
	fd = open(path_of("news"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	tap_ok(strstr(heard(fd), "n/1\n") != NULL, "what was told before it is read waits");
	spool_put(*s, "n/2", SLICE_LIT("x"), NULL);
	spool_append(*s, "f", 0, SLICE_LIT("page"), NULL);
	spool_promote(*s, "f", "n/3", NULL);
	tap_str(heard(fd), "n/2\nn/3\n", "put and promote tell their keys");
	fault_fail_at(1, 1, ENOSPC);
	spool_put(*s, "n/4", SLICE_LIT("x"), NULL);
	fault_off();
	tap_str(heard(fd), "", "of what failed nothing is told");
	memset(filler, '\n', sizeof(filler));
	close(fd);
	fd = open(path_of("news"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	while (write(fd, filler, sizeof(filler)) > 0)
		;
	tap_int(spool_put(*s, "n/5", SLICE_LIT("x"), NULL), 0, "a full pipe is no obstacle");
	close(fd);
	spool_close(*s);
	unlink(path_of("news"));
	close(open(path_of("news"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tap_int(spool_open_scratch(dir, s, NULL), 0, "a scratch spool");
	tap_ok(lstat(path_of("news"), &st) == 0 && S_ISREG(st.st_mode), "has no news");
	tap_int(spool_put(*s, "n/6", SLICE_LIT("x"), NULL), 0, "and needs none");
	spool_close(*s);
	tap_int(spool_open(dir, NULL, s, NULL), 0, "something else is called news");
	tap_ok(lstat(path_of("news"), &st) == 0 && S_ISFIFO(st.st_mode), "it is replaced");
}

static uint64_t counted_bytes, counted;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)path;
	if (f->level > 0)
		counted_bytes += (uint64_t)st->st_blocks * 512;
	counted += type != FTW_D;
	return 0;
}

/* As `du` sees it. */
static void check_usage(struct spool *s, int64_t now_ms, const char *when)
{
	static const char *const roots[] = {"ready", "quarantine", "sent"};
	struct spool_usage u;

	counted_bytes = counted = 0;
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		nftw(path_of(roots[i]), count_one, 16, FTW_PHYS);
	for (int i = 0; i < 5; i++)
		spool_usage(s, now_ms, &u);
	tap_int((long long)u.bytes, (long long)counted_bytes, "%s: bytes", when);
	tap_int((long long)u.objects, (long long)counted, "%s: objects", when);
	tap_ok(u.free > 0 && u.free < UINT64_MAX, "%s: free", when);
}

static void test_usage(struct spool **s)
{
	char key[64], command[200];
	struct spool_usage u;

	mkdir(path_of("quarantine"), 0700);
	mkdir(path_of("quarantine/a"), 0700);
	close(open(path_of("quarantine/a/b"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tap_int(symlink("/etc", path_of("quarantine/a/link")), 0, "a link, not followed");
	spool_close(*s);
	spool_open(dir, NULL, s, NULL);
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "many/%d/x", i);
		spool_put(*s, key, SLICE_LIT("0123456789"), NULL);
	}
	spool_close(*s);
	spool_open(dir, NULL, s, NULL);
	check_usage(*s, 0, "5000 directories");
	spool_put(*s, "many/1/y", SLICE_LIT("0123456789"), NULL);
	check_usage(*s, 1, "one more");
	spool_close(*s);
	spool_open(dir, NULL, s, NULL);
	spool_usage(*s, 0, &u); /* sees half of them */
	for (int i = 0; i < 5000; i += 10) {
		snprintf(key, sizeof(key), "many/%d/z", i);
		spool_put(*s, key, SLICE_LIT("0123456789"), NULL);
	}
	for (int i = 0; i < 5; i++)
		spool_usage(*s, 0, &u);
	tap_ok(u.objects >= counted + 500 && u.objects <= counted + 1000,
	       "what is made while it counts may count twice, but never not");
	spool_close(*s);
	snprintf(command, sizeof(command), "rm -rf %s/ready %s/quarantine", dir, dir);
	tap_int(system(command), 0, "shipped");
	spool_open(dir, NULL, s, NULL);
	check_usage(*s, 2, "nothing");
}

static enum spool_level level(struct spool *s, int64_t now_ms)
{
	struct spool_usage u;

	spool_usage(s, now_ms, &u);
	return u.level;
}

static int put_block(struct spool *s, int n)
{
	static char block[4096];
	char key[32];

	snprintf(key, sizeof(key), "%02d", n);
	return spool_put(s, key, (struct slice){block, sizeof(block)}, NULL);
}

static void test_quota(struct spool **s)
{
	/* Of objects in ready/ itself, so that no directories count. */
	static const struct spool_limits limits = {.max_bytes = 20 * 4096};
	static const struct {
		int blocks;
		enum spool_level level;
	} rows[] = {{15, SPOOL_OK},
		    {16, SPOOL_WARN},
		    {18, SPOOL_WARN},
		    {19, SPOOL_CRITICAL},
		    {20, SPOOL_FULL}};
	int n = 0;

	spool_close(*s);
	spool_open(dir, &limits, s, NULL);
	spool_append(*s, "page", 0, SLICE_LIT("page"), NULL);
	tap_int(level(*s, 0), SPOOL_OK, "empty");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		while (n < rows[i].blocks)
			tap_int(put_block(*s, n++), 0, "block");
		tap_int(level(*s, 0), rows[i].level, "%d of 20 blocks", n);
	}
	tap_int(put_block(*s, 99), SA_ERR_AGAIN, "full: no object");
	tap_str(content("ready/99"), "(none)", "not even a piece of one");
	tap_int(spool_append(*s, "page", 4, SLICE_LIT("x"), NULL), SA_ERR_AGAIN, "nor a line");
	tap_int(spool_append(*s, "new", 0, SLICE_LIT("x"), NULL), SA_ERR_AGAIN, "nor a file");
	tap_int(spool_size(*s, "new"), -1, "that would be empty");
	tap_int(spool_state_write(*s, "s", SLICE_LIT("x"), NULL), 0, "but a checkpoint");
	tap_int(spool_promote(*s, "page", "page", NULL), 0, "and what lies there already");
	spool_close(*s);
	spool_open(dir, &limits, s, NULL);
	tap_int(level(*s, 0), SPOOL_FULL, "full after a restart, too");
	for (n = 0; n < 10; n++) {
		char name[32];

		snprintf(name, sizeof(name), "ready/%02d", n);
		unlink(path_of(name));
	}
	tap_int(level(*s, 500), SPOOL_FULL, "shipped: not seen at once");
	tap_int(level(*s, 1100), SPOOL_OK, "but within a second or so");
	tap_int(put_block(*s, 50), 0, "and there is room again");
}

/* What it makes fills the spool only as long as nobody ships: it looks before it says so. */
static void test_sure(struct spool **s)
{
	static const struct spool_limits limits = {.max_bytes = 40 * 4096};
	struct spool_usage u;
	char name[32];

	spool_close(*s);
	spool_open(dir, &limits, s, NULL);
	spool_usage(*s, 0, &u);
	for (int n = 100; put_block(*s, n) == 0; n++) {
		snprintf(name, sizeof(name), "ready/%d", n - 5);
		unlink(path_of(name));
	}
	spool_usage(*s, 0, &u);
	tap_ok(u.level == SPOOL_OK && !u.sure, "as much was shipped: not full");
	for (int n = 200; put_block(*s, n) == 0; n++)
		;
	spool_usage(*s, 0, &u);
	tap_ok(u.level == SPOOL_FULL && u.sure, "nothing was: full, and sure of it");
}

static void test_min_free(struct spool **s)
{
	struct spool_limits limits = {.min_free = INT64_MAX};
	struct spool_usage u;

	spool_close(*s);
	spool_open(dir, &limits, s, NULL);
	tap_int(level(*s, 0), SPOOL_FULL, "less is free than must be");
	tap_int(put_block(*s, 51), SA_ERR_AGAIN, "no object");
	spool_usage(*s, 0, &u);
	spool_close(*s);
	limits.min_free = (int64_t)(u.free / 100 * 90);
	spool_open(dir, &limits, s, NULL);
	tap_int(level(*s, 0), SPOOL_WARN, "nine tenths of what is free must be");
	limits.min_free = 1;
	spool_close(*s);
	spool_open(dir, &limits, s, NULL);
	tap_int(level(*s, 0), SPOOL_OK, "enough is free");
}

/* The disk is mounted read-only for a while. */
static void test_read_only(struct spool *s)
{
	spool_append(s, "ro", 0, SLICE_LIT("one"), NULL);
	spool_state_write(s, "s", SLICE_LIT("x"), NULL);
	fault_fail_at(1, 1000, EROFS);
	tap_int(spool_append(s, "ro", 3, SLICE_LIT("two"), NULL), SA_ERR_IO, "read-only: append");
	tap_int(spool_put(s, "ro", SLICE_LIT("x"), NULL), SA_ERR_IO, "read-only: put");
	tap_int(spool_state_write(s, "s", SLICE_LIT("y"), NULL), SA_ERR_IO, "read-only: state");
	fault_off();
	tap_str(content("state/s"), "x", "the checkpoint stays");
	tap_int(spool_append(s, "ro", 3, SLICE_LIT("two"), NULL), 0, "then it can be written");
	tap_str(content("open/ro"), "onetwo", "and nothing is torn");
	spool_remove(s, "ro");
}

static void test_aside(struct spool *s)
{
	unsigned n = 0;

	spool_append(s, "a.jsonl", 0, SLICE_LIT("one"), NULL);
	spool_append(s, "b.jsonl", 0, SLICE_LIT("two"), NULL);
	spool_set_aside(s, "a.jsonl");
	tap_str(content("open/a.jsonl.damaged"), "one", "set aside");
	tap_str(content("open/a.jsonl"), "(none)", "is not there any more");
	tap_int(spool_each(s, stop_at, &n, NULL), 5, "each file in open/");
	tap_int(n, 2, "is one of two");
}

int main(void)
{
	struct spool *s = NULL;
	char command[100];

	signal(SIGPIPE, SIG_IGN);
	clock_fake(1000, 1000); /* counting takes no time */
	snprintf(dir, sizeof(dir), "%s/sessaudit-spool.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	tap_int(spool_open("/nonexistent/x", NULL, &s, NULL), SA_ERR_NOTFOUND, "no directory");
	tap_int(spool_open(dir, NULL, &s, NULL), 0, "open");
	test_append(s);
	test_read(s);
	test_ready(s);
	test_state(s);
	test_again(&s);
	test_read_only(s);
	test_aside(s);
	test_lock(&s);
	test_news(&s);
	test_usage(&s);
	test_quota(&s);
	test_sure(&s);
	test_min_free(&s);
	spool_close(s);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? tap_done() : 1;
}
