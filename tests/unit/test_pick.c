/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/shipper/pick.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

static char base[] = "/tmp/test_pick-XXXXXX";
static int base_fd;

static void make(const char *name)
{
	int fd = openat(base_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

/* The names of a chunk, each with a blank. */
static const char *listed(struct pick_names *names)
{
	static struct buf out;
	const char *name;

	buf_free(&out);
	buf_init(&out, 1 << 20);
	for (; (name = pick_next(names)) != NULL; pick_step(names))
		buf_printf(&out, "%s ", name);
	return buf_cstr(&out);
}

static void test_names(void)
{
	struct pick_query q = {.dir = "s/", .max = PICK_CHUNK};
	struct pick_names names = {0};
	struct sa_err err = {0};

	tap_int(pick_any(base_fd, &q, &names, &err), 0, "nothing is there");
	tap_str(listed(&names), "", "no names");
	tap_ok(!names.more && !pick_last(&names), "and no last one");
	make("transcript.txt");
	make("000010.gz");
	make("000009.gz");
	make("000009.gz.reason");
	make("manifest.json");
	make(".hidden");
	make("bad\nname");
	mkdirat(base_fd, "000001", 0700);
	mkfifoat(base_fd, "pipe", 0600);
	if (symlinkat("000010.gz", base_fd, "000002.gz") != 0)
		tap_ok(false, "a link cannot be made");
	tap_int(pick_any(base_fd, &q, &names, &err), 0, "names");
	tap_str(listed(&names),
		"000009.gz 000009.gz.reason 000010.gz manifest.json transcript.txt ",
		"regular files with a valid key, in byte order");
	tap_str(pick_last(&names), "transcript.txt", "the last one");
	tap_ok(!names.more, "there are no more");
	q.without = ".reason";
	q.after = "000009.gz";
	tap_int(pick_ordered(base_fd, &q, &names, &err), 0, "read twice");
	tap_str(listed(&names), "000010.gz manifest.json transcript.txt ", "behind one name");
	q.after = "transcript.txt";
	tap_int(pick_ordered(base_fd, &q, &names, &err), 0, "behind the last");
	tap_str(listed(&names), "", "there is nothing");
	pick_free(&names);
}

static void test_chunks(void)
{
	struct pick_query q = {.dir = "", .max = PICK_CHUNK};
	struct pick_names names = {0};
	struct sa_err err = {0};
	char name[256], want[16];
	unsigned n = 0, chunks = 0, ordered = 0;
	const char *at;

	memset(name, 'n', sizeof(name));
	for (int i = 0; i < 1000; i++) {
		/* 7 to 255 bytes */
		snprintf(name, 8, "%06d", (i * 7919) % 1000);
		name[6] = i % 50 ? '\0' : 'n';
		name[255] = '\0';
		make(name);
	}
	do {
		tap_int(pick_ordered(base_fd, &q, &names, &err), 0, "a chunk");
		tap_ok(names.len <= PICK_CHUNK, "of at most its size: %zu", names.len);
		chunks++;
		for (; (at = pick_next(&names)) != NULL; pick_step(&names), n++) {
			snprintf(want, sizeof(want), "%06u", n);
			ordered += strncmp(at, want, 6) == 0;
			unlinkat(base_fd, at, 0);
		}
	} while (names.more);
	tap_int(n, 1000, "all names come");
	tap_int(ordered, 1000, "in order");
	tap_int(chunks, 3, "in chunks that are full");
	pick_free(&names);
}

/* A key has at most 1024 bytes. */
static void test_long(void)
{
	_cleanup_free_ char *dir = calloc(1, 1021);
	struct pick_query q = {.dir = dir, .max = PICK_CHUNK};
	struct pick_names names = {0};
	struct sa_err err = {0};

	memset(dir, 'd', 1019);
	dir[1019] = '/';
	make("1234");
	make("12345");
	tap_int(pick_any(base_fd, &q, &names, &err), 0, "in a deep directory");
	tap_str(listed(&names), "1234 ", "only names that make a key");
	pick_free(&names);
}

static void test_open(void)
{
	struct sa_err err = {0};
	int fd = -1;

	fdio_mkdirs(base_fd, "a/b/c", 0700, &err);
	if (symlinkat("b", base_fd, "a/link") != 0)
		tap_ok(false, "a link cannot be made");
	tap_int(pick_open(base_fd, "a/b/c/", &fd, &err), 0, "a directory by its key");
	close(fd);
	tap_int(pick_open(base_fd, "", &fd, &err), 0, "the root");
	close(fd);
	tap_int(pick_open(base_fd, "a/x/", &fd, &err), SA_ERR_NOTFOUND, "none");
	tap_ok(pick_open(base_fd, "a/link/c/", &fd, &err) != 0, "not through a link");
	tap_ok(pick_open(base_fd, "a/link/", &fd, &err) != 0, "not to one");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void anew(void)
{
	close(base_fd);
	nftw(base, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	mkdir(base, 0700);
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void test_removed(void)
{
	struct pick_query q = {.dir = "", .max = PICK_CHUNK};
	struct pick_names names = {0};
	struct sa_err err = {0};

	rmdir(base);
	tap_int(pick_ordered(base_fd, &q, &names, &err), 0, "a directory that was removed");
	tap_str(listed(&names), "", "is empty");
	pick_free(&names);
}

int main(void)
{
	if (!mkdtemp(base))
		return 99;
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_names();
	anew();
	test_chunks();
	test_long();
	anew();
	test_open();
	anew();
	test_removed();
	close(base_fd);
	return tap_done();
}
