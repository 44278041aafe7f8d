/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/fault.h"
#include "tests/unit/tap.h"

#define FILES 50
#define FILE_MAX (4 * 1024 * 1024)
#define ROUNDS 4000

static char dir[64];

/* How many bytes the disk gives for the one file without a name; -1: there is none. */
static long long disk_bytes(void)
{
	DIR *d = opendir("/proc/self/fd");
	char path[300], target[300];
	long long bytes = -1;
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (strstr(target, "/scratch (deleted)") && stat(path, &st) == 0)
			bytes = (long long)st.st_blocks * 512;
	}
	closedir(d);
	return bytes;
}

static bool is_empty(const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return rmdir(path) == 0 && mkdir(path, 0700) == 0;
}

static void test_names(struct spool *s)
{
	_cleanup_buf_ struct buf out = {0}, small = {0};

	buf_init(&out, 1024);
	buf_init(&small, 2);
	tap_int(spool_append(s, "f", 0, SLICE_LIT("one"), NULL), 0, "append to a new file");
	tap_int(spool_append(s, "f", 3, SLICE_LIT("two"), NULL), 0, "append at its end");
	tap_int(spool_append(s, "f", 3, SLICE_LIT("X"), NULL), 0, "append where it ended before");
	tap_int(spool_append(s, "f", 9, SLICE_LIT("y"), NULL), SA_ERR_INVALID,
		"append past its end");
	tap_int(spool_append(s, "g", 3, SLICE_LIT("y"), NULL), SA_ERR_NOTFOUND,
		"append to no file");
	tap_int(spool_size(s, "g"), -1, "makes none");
	tap_int(spool_size(s, "f"), 4, "size");
	tap_int(spool_read(s, "f", &out, NULL), 0, "read");
	tap_str(buf_cstr(&out), "oneX", "all of it");
	tap_int(spool_read(s, "f", &small, NULL), SA_ERR_TOOBIG, "more than the buffer takes");
	tap_int(spool_read(s, "g", &out, NULL), SA_ERR_NOTFOUND, "read no file");
	tap_int(spool_sync(s, "f", NULL), 0, "there is nothing to sync");
	tap_ok(is_empty("open") && is_empty("tmp"), "no file has a name on the disk");
	spool_remove(s, "f");
	spool_remove(s, "f");
	tap_int(spool_size(s, "f"), -1, "removed");
	tap_int(spool_append(s, "f", 0, SLICE_LIT(""), NULL), 0, "a file without a byte");
	tap_int(spool_size(s, "f"), 0, "is one");
	buf_clear(&out);
	tap_int(spool_read(s, "f", &out, NULL), 0, "that can be read");
	spool_remove(s, "f");
}

struct model {
	struct buf files[FILES];
	char made[1024 * 1024];
	unsigned seed;
};

static unsigned next(struct model *m, unsigned n)
{
	return (unsigned)rand_r(&m->seed) % n;
}

static bool is_as(struct spool *s, const struct buf *want, const char *name)
{
	_cleanup_buf_ struct buf got = {0};

	if (want->len == 0)
		return spool_size(s, name) <= 0;
	buf_init(&got, FILE_MAX);
	return spool_size(s, name) == (off_t)want->len && spool_read(s, name, &got, NULL) == 0 &&
	       slice_eq(buf_slice(&got), buf_slice(want));
}

static bool append(struct model *m, struct spool *s, unsigned i, const char *name)
{
	struct buf *f = &m->files[i];
	size_t n = next(m, 20) ? 1 + next(m, 9000) : next(m, sizeof(m->made));
	size_t cut = next(m, 10) || !f->len ? 0 : next(m, (unsigned)f->len);
	struct slice p = {m->made + next(m, (unsigned)(sizeof(m->made) - n)), n};

	if (f->len - cut + n > FILE_MAX)
		return true;
	f->len -= cut;
	buf_put(f, p);
	return spool_append(s, name, (off_t)(f->len - n), p, NULL) == 0;
}

/* Against plain memory: files that grow, are cut back and go, over many zones. */
static void test_model(struct spool *s)
{
	struct model *m = calloc(1, sizeof(*m));
	long long most = 0;
	unsigned wrong = 0;

	if (!m)
		abort();
	m->seed = 7;
	for (size_t i = 0; i < sizeof(m->made); i++)
		m->made[i] = (char)next(m, 256);
	for (size_t i = 0; i < FILES; i++)
		buf_init(&m->files[i], FILE_MAX);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned i = next(m, FILES);
		char name[16];

		snprintf(name, sizeof(name), "%u.jsonl", i);
		if (next(m, 12) == 0) {
			wrong += !is_as(s, &m->files[i], name);
			buf_clear(&m->files[i]);
			spool_remove(s, name);
		} else {
			wrong += !append(m, s, i, name);
		}
		if (round % 100 == 0 && disk_bytes() > most)
			most = disk_bytes();
	}
	tap_int(wrong, 0, "%d appends and reads", ROUNDS);
	tap_ok(most > 4 << 20 && most < 64 << 20, "%lld bytes on the disk at most", most);
	for (unsigned i = 0; i < FILES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u.jsonl", i);
		wrong += !is_as(s, &m->files[i], name);
		spool_remove(s, name);
		buf_free(&m->files[i]);
	}
	tap_int(wrong, 0, "what is left at the end");
	free(m);
}

static void test_objects(struct spool *s)
{
	enum { N = 300000 };
	_cleanup_free_ char *big = malloc(N);
	_cleanup_buf_ struct buf out = {0};
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!big)
		abort();
	memset(big, 'p', N);
	buf_init(&out, 3 * N);
	spool_append(s, "page", 0, (struct slice){big, N}, NULL);
	spool_append(s, "page", N, SLICE_LIT("end\n"), NULL);
	tap_int(spool_promote(s, "page", "a/b/page", NULL), 0, "promote");
	tap_int(fdio_read_file(fd, "ready/a/b/page", 2 * N, &out, NULL), 0, "is an object");
	tap_ok(out.len == N + 4 && memcmp(out.data, big, N) == 0 &&
		       memcmp(out.data + N, "end\n", 4) == 0,
	       "with every byte");
	tap_int(spool_promote(s, "page", "a/b/page", NULL), SA_ERR_NOTFOUND,
		"and no file any more");
	tap_int(spool_put(s, "a/b/x", SLICE_LIT("x"), NULL), 0, "put");
	tap_int(spool_put_again(s, "a/b/x", SLICE_LIT("xy"), NULL), 0, "put again");
	buf_clear(&out);
	fdio_read_file(fd, "ready/a/b/x", 10, &out, NULL);
	tap_str(buf_cstr(&out), "xy", "is the last");
	fault_fail_at(1, 1, ENOSPC);
	tap_int(spool_put(s, "a/b/full", SLICE_LIT("x"), NULL), SA_ERR_AGAIN, "a full disk");
	fault_off();
	tap_ok(faccessat(fd, "ready/a/b/full", F_OK, 0) != 0, "leaves no part of an object");
}

/* The zone in memory finds no room on the disk. */
static void test_full(struct spool *s)
{
	enum { N = 400000 };
	_cleanup_free_ char *big = malloc(N);
	_cleanup_buf_ struct buf out = {0};

	if (!big)
		abort();
	memset(big, 'l', N);
	buf_init(&out, N);
	spool_append(s, "f", 0, SLICE_LIT("before"), NULL);
	fault_fail_at(1, 1, ENOSPC);
	tap_int(spool_append(s, "f", 6, (struct slice){big, N}, NULL), SA_ERR_AGAIN, "a full disk");
	fault_off();
	tap_int(spool_size(s, "f"), 6, "the file is as it was");
	tap_int(spool_append(s, "f", 6, (struct slice){big, N - 6}, NULL), 0, "then there is room");
	tap_int(spool_read(s, "f", &out, NULL), 0, "read");
	tap_ok(out.len == N && memcmp(out.data, "before", 6) == 0 &&
		       memcmp(out.data + 6, big, N - 6) == 0,
	       "all of it");
	spool_remove(s, "f");
}

int main(void)
{
	struct spool *s = NULL;
	char command[100];

	snprintf(dir, sizeof(dir), "%s/sessaudit-scratch.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	tap_int(spool_open_scratch("/nonexistent/x", &s, NULL), SA_ERR_NOTFOUND, "no directory");
	tap_int(spool_open_scratch(dir, &s, NULL), 0, "open");
	tap_ok(disk_bytes() == 0, "the file without a name");
	test_names(s);
	test_model(s);
	test_objects(s);
	test_full(s);
	spool_close(s);
	tap_int(disk_bytes(), -1, "goes with the spool");
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? tap_done() : 1;
}
