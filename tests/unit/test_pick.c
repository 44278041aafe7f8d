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
#include "common/store/store.h"
#include "tests/unit/tap.h"

static char base[] = "/tmp/test_pick-XXXXXX";
static int base_fd;
static struct sa_err err;

/* What the walk told, and what the test answers. */
struct told {
	struct buf objects, odd;
	const char *leave_dir, *leave_at, *stop_at;
	bool take; /* unlink each object, as the shipper does */
	bool ordered;
	char last[STORE_MAX_KEY + 1];
	size_t n;
};

static enum pick_next enter(void *ctx, const char *dir)
{
	struct told *t = ctx;

	t->last[0] = '\0';
	return t->leave_dir && strcmp(dir, t->leave_dir) == 0 ? PICK_LEAVE : PICK_GO;
}

static enum pick_next object(void *ctx, int dir_fd, const char *key, const char *name)
{
	struct told *t = ctx;

	if (t->stop_at && strcmp(key, t->stop_at) == 0)
		return PICK_STOP;
	if (t->leave_at && strcmp(key, t->leave_at) == 0)
		return PICK_LEAVE;
	if (t->take && unlinkat(dir_fd, name, 0) != 0)
		return PICK_STOP;
	t->ordered = t->ordered && strcmp(t->last, key) < 0;
	snprintf(t->last, sizeof(t->last), "%s", key);
	t->n++;
	buf_printf(&t->objects, "%s ", key);
	return PICK_GO;
}

static void odd(void *ctx, const char *key, const char *why)
{
	struct told *t = ctx;

	buf_printf(&t->odd, "%s: %s; ", key, why);
}

static const struct pick_ops ops = {enter, object, odd};

static void told_free(struct told *t)
{
	buf_free(&t->objects);
	buf_free(&t->odd);
}

static void walk(struct told *t)
{
	buf_init(&t->objects, 1 << 20);
	buf_init(&t->odd, 1 << 16);
	t->ordered = true;
	tap_int(pick_walk(base_fd, &ops, t, &err), 0, "walk");
}

static void make(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	int fd;

	if (slash) {
		*slash = '\0';
		fdio_mkdirs(base_fd, dir, 0700, NULL);
	}
	fd = openat(base_fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

static bool there(const char *path)
{
	return faccessat(base_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void check(struct told *t, const char *objects, const char *odds, const char *name)
{
	tap_str(buf_cstr(&t->objects), objects, "%s: objects", name);
	tap_str(buf_cstr(&t->odd), odds, "%s: odd ones", name);
	told_free(t);
}

static void test_order(void)
{
	struct told t = {0};

	walk(&t);
	check(&t, "", "", "nothing is ready");
	make("s/r=1/transcript.txt");
	make("s/r=1/000010.gz");
	make("s/r=1/000009.gz");
	make("s/r=1/manifest.json");
	make("s/r=0/000000.gz");
	make("index/a.json");
	make("top");
	make("s/r=1/.hidden");
	walk(&t);
	check(&t,
	      "top index/a.json s/r=0/000000.gz s/r=1/000009.gz s/r=1/000010.gz "
	      "s/r=1/manifest.json s/r=1/transcript.txt ",
	      "", "order");
	t = (struct told){.leave_dir = "s/r=0/"};
	walk(&t);
	check(&t,
	      "top index/a.json s/r=1/000009.gz s/r=1/000010.gz s/r=1/manifest.json "
	      "s/r=1/transcript.txt ",
	      "", "a directory is left");
	t = (struct told){.leave_at = "s/r=1/000010.gz"};
	walk(&t);
	check(&t, "top index/a.json s/r=0/000000.gz s/r=1/000009.gz ", "", "left in the middle");
	t = (struct told){.stop_at = "s/r=0/000000.gz"};
	walk(&t);
	check(&t, "top index/a.json ", "", "stopped");
	unlinkat(base_fd, "s/r=1/.hidden", 0);
	t = (struct told){.take = true};
	walk(&t);
	tap_ok(!there("s") && !there("index"), "empty directories are removed");
	told_free(&t);
}

static void test_odd(void)
{
	struct told t = {0};
	char deep[] = "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/x";

	mkdirat(base_fd, "d", 0700);
	make("d/a");
	if (symlinkat("a", base_fd, "d/link"))
		tap_ok(false, "a link cannot be made");
	if (symlinkat("/etc", base_fd, "d/links"))
		tap_ok(false, "a link cannot be made");
	mkfifoat(base_fd, "d/pipe", 0600);
	walk(&t);
	tap_str(buf_cstr(&t.objects), "d/a ", "no link is followed");
	tap_ok(strstr(buf_cstr(&t.odd), "d/link: not a regular file") != NULL, "a link to a file");
	tap_ok(strstr(buf_cstr(&t.odd), "d/links: not a regular file") != NULL,
	       "one to a directory");
	tap_ok(strstr(buf_cstr(&t.odd), "d/pipe: not a regular file") != NULL, "a FIFO");
	told_free(&t);
	unlinkat(base_fd, "d/link", 0);
	unlinkat(base_fd, "d/links", 0);
	unlinkat(base_fd, "d/pipe", 0);
	unlinkat(base_fd, "d/a", 0);
	make("bad\nname");
	walk(&t);
	check(&t, "", "bad\nname: not a valid object key; ", "a control byte");
	unlinkat(base_fd, "bad\nname", 0);
	make(deep);
	walk(&t);
	tap_str(buf_cstr(&t.objects), "", "too deep: no object");
	tap_ok(strstr(buf_cstr(&t.odd), "16/17: not a valid object key") != NULL, "too deep: told");
	told_free(&t);
}

/* 4 parts of 250 bytes are a key, 5 are too long. */
static void test_long(void)
{
	struct told t = {0};
	char part[251], path[5 * 251 + 1] = "";

	memset(part, 'p', 250);
	part[250] = '\0';
	for (int i = 0; i < 5; i++) {
		strcat(path, part);
		strcat(path, i < 4 ? "/" : "");
	}
	make(path);
	walk(&t);
	tap_str(buf_cstr(&t.objects), "", "too long: no object");
	tap_ok(strstr(buf_cstr(&t.odd), "not a valid object key") != NULL, "too long: told");
	told_free(&t);
}

static void test_many(void)
{
	struct told t = {.take = true};
	char name[32];
	int n = 2 * PICK_CHUNK + PICK_CHUNK / 2;

	mkdirat(base_fd, "many", 0700);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "many/%06d", (i * 7919) % n);
		make(name);
	}
	walk(&t);
	tap_int((long long)t.n, n, "more than two chunks: all told");
	tap_ok(t.ordered, "in order");
	tap_ok(!there("many"), "and the directory is gone");
	told_free(&t);
	for (int i = 0; i < PICK_CHUNK + 10; i++) {
		snprintf(name, sizeof(name), "dirs/%06d/x", i);
		make(name);
	}
	t = (struct told){0};
	walk(&t);
	tap_int((long long)t.n, PICK_CHUNK + 10,
		"more directories than a chunk, none of them emptied");
	told_free(&t);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void cleanup(void)
{
	nftw(base, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	mkdir(base, 0700);
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int main(void)
{
	if (!mkdtemp(base))
		return 99;
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_order();
	test_odd();
	close(base_fd);
	cleanup();
	test_long();
	close(base_fd);
	cleanup();
	test_many();
	close(base_fd);
	cleanup();
	close(base_fd);
	rmdir(base);
	return tap_done();
}
