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

#include "agent/shipper/walk.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

static char base[] = "/tmp/test_walk-XXXXXX";
static int base_fd;

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

struct told {
	struct buf objects, odd;
	unsigned n;
};

static void told_free(struct told *t)
{
	buf_free(&t->objects);
	buf_free(&t->odd);
}

#define _cleanup_told_ _cleanup_(told_free)

/* Walks on, at most `steps`; true at the end. */
static bool go_on(struct walk *w, struct told *t, unsigned steps)
{
	char dir[STORE_MAX_KEY + 1];

	while (steps-- > 0)
		switch (walk_next(w)) {
		case WALK_OBJECT:
			walk_dir(w, dir);
			t->n++;
			buf_printf(&t->objects, "[%s]%s ", dir, w->name);
			if (faccessat(walk_dir_fd(w), w->name, F_OK, 0) != 0)
				tap_ok(false, "the object is in its directory");
			break;
		case WALK_ODD:
			buf_printf(&t->odd, "%s: %s; ", w->key, w->why);
			break;
		case WALK_NOTHING:
			break;
		case WALK_END:
			return true;
		}
	return false;
}

static void all(struct told *t)
{
	struct walk w = {0};

	buf_init(&t->objects, 1 << 20);
	buf_init(&t->odd, 1 << 20);
	tap_int(walk_start(&w, base_fd, NULL), 0, "walk");
	tap_ok(go_on(&w, t, 100000), "to its end");
	tap_int(walk_next(&w), WALK_END, "which stays the end");
}

static void test_objects(void)
{
	_cleanup_told_ struct told t = {0};
	const char *text;

	all(&t);
	tap_str(buf_cstr(&t.objects), "", "nothing is there");
	told_free(&t);
	make("top");
	make("s/r=1/000009.gz");
	make("s/r=1/000010.gz");
	make("s/r=1/.hidden");
	make("s/r=0/000000.gz");
	fdio_mkdirs(base_fd, "empty/er", 0700, NULL);
	all(&t);
	text = buf_cstr(&t.objects);
	tap_int(t.n, 4, "four objects");
	tap_ok(strstr(text, "[]top "), "one at the top");
	tap_ok(strstr(text, "[s/r=1/]000009.gz ") && strstr(text, "[s/r=1/]000010.gz "),
	       "two in a directory");
	tap_ok(strstr(text, "[s/r=0/]000000.gz "), "one beside it");
	tap_str(buf_cstr(&t.odd), "", "none is odd");
	tap_ok(!there("empty"), "empty directories are removed");
	tap_ok(there("s/r=1"), "others not");
}

static void test_odd(void)
{
	_cleanup_told_ struct told t = {0};
	char deep[] = "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/x";
	char deepest[] = "a/2/3/4/5/6/7/8/9/10/11/12/13/14/15/x";

	make("d/a");
	if (symlinkat("a", base_fd, "d/link") || symlinkat("/etc", base_fd, "d/links"))
		tap_ok(false, "a link cannot be made");
	mkfifoat(base_fd, "d/pipe", 0600);
	make("d/bad\nname");
	all(&t);
	tap_str(buf_cstr(&t.objects), "[d/]a ", "no link is followed");
	tap_ok(strstr(buf_cstr(&t.odd), "d/link: not a regular file"), "a link to a file");
	tap_ok(strstr(buf_cstr(&t.odd), "d/links: not a regular file"), "one to a directory");
	tap_ok(strstr(buf_cstr(&t.odd), "d/pipe: not a regular file"), "a FIFO");
	tap_ok(strstr(buf_cstr(&t.odd), "d/bad\nname: not a valid object key"), "a control byte");
	told_free(&t);
	t.n = 0;
	make(deep);
	make(deepest);
	all(&t);
	tap_ok(strstr(buf_cstr(&t.objects), "[a/2/3/4/5/6/7/8/9/10/11/12/13/14/15/]x"),
	       "as deep as a key may be");
	tap_ok(strstr(buf_cstr(&t.odd), "16/17: not a valid object key"), "deeper: odd");
}

/* Five directories of 250 bytes each are too long for a key. */
static void test_long(void)
{
	_cleanup_told_ struct told t = {0};
	char part[251], path[5 * 251 + 1] = "";

	memset(part, 'p', 250);
	part[250] = '\0';
	for (int i = 0; i < 5; i++) {
		strcat(path, part);
		strcat(path, i < 4 ? "/" : "");
	}
	make(path);
	all(&t);
	tap_int(t.n, 0, "too long: no object");
	tap_ok(strstr(buf_cstr(&t.odd), "not a valid object key"), "but odd");
}

/* The tree changes while the walk is somewhere in it. */
static void test_resumed(void)
{
	_cleanup_told_ struct told t = {0};
	struct walk w = {0};
	char path[64];

	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "s/%03d/a", i);
		make(path);
		snprintf(path, sizeof(path), "s/%03d/b", i);
		make(path);
	}
	buf_init(&t.objects, 1 << 20);
	buf_init(&t.odd, 1 << 20);
	walk_start(&w, base_fd, NULL);
	tap_ok(!go_on(&w, &t, 400), "left in the middle");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "s/%03d/a", i);
		unlinkat(base_fd, path, 0);
		if (i % 3)
			continue;
		snprintf(path, sizeof(path), "s/%03d/b", i);
		unlinkat(base_fd, path, 0);
		snprintf(path, sizeof(path), "s/%03d", i);
		unlinkat(base_fd, path, AT_REMOVEDIR);
	}
	tap_ok(go_on(&w, &t, 100000), "it goes on to the end");
	tap_str(buf_cstr(&t.odd), "", "whatever went away meanwhile");
	told_free(&t);
	t.n = 0;
	all(&t);
	tap_int(t.n, 200, "the next one finds what is there");
	walk_start(&w, base_fd, NULL);
	walk_next(&w);
	walk_stop(&w);
	tap_int(walk_next(&w), WALK_END, "stopped");
}

static void test_passed(void)
{
	struct walk w = {0};
	char path[64];
	unsigned dirs = 0;
	enum walk_found found;

	for (int i = 0; i < 50; i++) {
		snprintf(path, sizeof(path), "s/%d/%d", i % 5, i);
		make(path);
	}
	walk_start(&w, base_fd, NULL);
	while ((found = walk_next(&w)) != WALK_END)
		if (found == WALK_OBJECT) {
			dirs++;
			walk_pass_objects(&w);
		}
	tap_int(dirs, 5, "one object of each directory, the others passed over");
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

int main(void)
{
	void (*const tests[])(void) = {test_objects, test_odd, test_long, test_resumed,
				       test_passed};

	if (!mkdtemp(base))
		return 99;
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		tests[i]();
		anew();
	}
	close(base_fd);
	rmdir(base);
	return tap_done();
}
