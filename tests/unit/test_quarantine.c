/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/shipper/quarantine.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/sessaudit-quarantine.XXXXXX";
static int base = -1, ready = -1, root = -1; /* top, top/ready, top/quarantine */

static void put(const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(base, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

/* "(none)" when there is no such file. */
static const char *content(const char *path)
{
	static struct buf out;

	buf_free(&out);
	buf_init(&out, 8192);
	if (fdio_read_file(base, path, 8192, &out, NULL))
		buf_puts(&out, "(none)");
	return buf_cstr(&out);
}

static bool is_there(const char *path)
{
	return faccessat(base, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_move(void)
{
	static const char *const bad[] = {"", "/a", "../a", "a/../b", "a/", ".a", "a\nb"};
	struct sa_err err = {0};
	struct stat st;
	char name[NAME_MAX + 2];

	put("ready/x", "one");
	tap_int(quarantine_move(ready, "x", root, "sessions/s=1/x", &err), 0, "move");
	tap_str(content("quarantine/sessions/s=1/x"), "one", "it is there");
	tap_ok(!is_there("ready/x"), "and no longer here");
	fstatat(base, "quarantine/sessions/s=1", &st, 0);
	tap_int(st.st_mode & 07777, 0775, "mode of a directory that is made");
	put("ready/x", "two");
	tap_int(quarantine_move(ready, "x", root, "sessions/s=1/x", &err), 0, "move over");
	tap_str(content("quarantine/sessions/s=1/x"), "two", "replaces");
	put("ready/x", "top");
	tap_int(quarantine_move(ready, "x", root, "x", &err), 0, "a key without a slash");
	tap_str(content("quarantine/x"), "top", "lies at the top");
	tap_int(quarantine_move(ready, "gone", root, "y", &err), SA_ERR_NOTFOUND,
		"nothing to move");
	tap_ok(strstr(err.msg, "move y out of the way: ") == err.msg, "said: %s", err.msg);
	put("ready/x", "three");
	tap_int(quarantine_move(ready, "x", root, "x/below", &err), SA_ERR_INVALID, "below a file");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		tap_int(quarantine_move(ready, "x", root, bad[i], &err), SA_ERR_INVALID,
			"not a key: '%s'", i == 6 ? "newline" : bad[i]);
	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	tap_int(quarantine_move(ready, "x", root, name, &err), SA_ERR_INVALID, "name too long");
	tap_str(content("ready/x"), "three", "stays where it is then");
}

static void test_links(void)
{
	struct sa_err err = {0};

	if (mkdirat(base, "out", 0755) || symlinkat("../out", root, "linked") ||
	    symlinkat("../../out", root, "sessions/linked"))
		abort();
	put("out/x", "mine");
	put("ready/x", "evil");
	tap_ok(quarantine_move(ready, "x", root, "linked/x", &err) != 0, "a link is not followed");
	tap_ok(quarantine_move(ready, "x", root, "sessions/linked/x", &err) != 0, "nor a deep one");
	quarantine_remove(root, "linked/x");
	quarantine_remove(root, "sessions/linked/x");
	tap_str(content("out/x"), "mine", "what is behind it stays");
	tap_ok(is_there("quarantine/linked"), "the link too");
	if (symlinkat("../out/x", root, "file"))
		abort();
	tap_int(quarantine_put(ready, "x", root, "file", "why", 0, &err), 0, "a link to a file");
	tap_str(content("quarantine/file"), "evil", "is replaced");
	tap_str(content("out/x"), "mine", "not followed");
	if (symlinkat("../out/x", root, "victim.reason"))
		abort();
	put("ready/x", "evil");
	tap_int(quarantine_put(ready, "x", root, "victim", "why", 0, &err), 0, "the reason a link");
	tap_str(content("out/x"), "mine", "is not followed");
	tap_str(content("quarantine/victim.reason"), "1970-01-01T00:00:00.000Z why\n", "either");
	tap_int((long long)quarantine_prune(root, INT64_MAX), 0, "prune all");
	tap_str(content("out/x"), "mine", "follows no link");
	tap_ok(!is_there("quarantine/linked") && !is_there("quarantine/sessions"),
	       "but removes it");
}

static void test_put(void)
{
	struct sa_err err = {0};

	put("ready/x", "bad");
	tap_int(quarantine_put(ready, "x", root, "a/b/c", "no\n\x1b[2Jluck", 1795219200123, &err),
		0, "put");
	tap_str(content("quarantine/a/b/c"), "bad", "moved");
	tap_str(content("quarantine/a/b/c.reason"), "2026-11-21T00:00:00.123Z no\\n\\e[2Jluck\n",
		"one line says when and why");
	put("ready/x", "d");
	tap_int(quarantine_put(ready, "x", root, "a/d", "other", 0, &err), 0, "another");
	quarantine_remove(root, "a/b/c");
	tap_ok(!is_there("quarantine/a/b"), "remove: object, reason, the empty directory");
	tap_str(content("quarantine/a/d"), "d", "not its neighbour");
	quarantine_remove(root, "a/b/c");
	quarantine_remove(root, "a/nothing");
	quarantine_remove(root, "../ready/x");
	tap_str(content("quarantine/a/d"), "d", "remove what is not there");
	put("quarantine/a/e.reason", "left");
	quarantine_remove(root, "a/e");
	tap_ok(!is_there("quarantine/a/e.reason"), "a reason alone is removed");
	quarantine_remove(root, "a/d");
	tap_ok(!is_there("quarantine/a"), "the last one takes the directories along");
	tap_ok(is_there("quarantine"), "but for the root");
}

/* A reason that cannot be written: its name would be too long. */
static void test_no_reason(void)
{
	struct sa_err err = {0};
	char name[NAME_MAX + 1], path[NAME_MAX + 32];

	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	snprintf(path, sizeof(path), "quarantine/%s", name);
	put("ready/x", "long");
	tap_int(quarantine_put(ready, "x", root, name, "why", 0, &err), 0, "no reason can be kept");
	tap_str(content(path), "long", "the move stands");
	quarantine_remove(root, name);
	tap_ok(!is_there(path), "and it can be removed");
}

static int64_t changed_ms(const char *path)
{
	struct stat st;

	if (fstatat(base, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		abort();
	return (int64_t)st.st_ctim.tv_sec * 1000 + st.st_ctim.tv_nsec / 1000000;
}

static void test_prune(void)
{
	static const struct timespec old[2] = {{1, 0}, {1, 0}};
	char deep[128] = "quarantine/a";
	int64_t until;

	put("ready/x", "1");
	quarantine_move(ready, "x", root, "a/b/old", NULL);
	put("ready/x", "2");
	quarantine_move(ready, "x", root, "c/old", NULL);
	usleep(30000); /* the kernel's stamps are coarse */
	put("ready/x", "3");
	utimensat(ready, "x", old, 0);
	quarantine_move(ready, "x", root, "c/new", NULL);
	until = changed_ms("quarantine/c/new");
	tap_int((long long)quarantine_prune(root, changed_ms("quarantine/a/b/old")), 3,
		"none was moved before the first");
	tap_int((long long)quarantine_prune(root, until), 1,
		"by when it was moved, not by how old it is");
	tap_ok(!is_there("quarantine/a") && !is_there("quarantine/c/old"), "old ones go");
	tap_str(content("quarantine/c/new"), "3", "not the new one");
	tap_int((long long)quarantine_prune(root, until + 1), 0, "then that too");
	tap_ok(!is_there("quarantine/c"), "with its directory");
	for (int i = 0; i < 20; i++) { /* deeper than any key */
		if (mkdirat(base, deep, 0755) != 0)
			abort();
		strcat(deep, "/a");
	}
	put(deep, "deep");
	tap_int((long long)quarantine_prune(root, INT64_MAX), 0, "does not go down for ever");
	tap_str(content(deep), "deep", "what is too deep stays");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int main(void)
{
	umask(07);
	if (!mkdtemp(top) || (base = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    mkdirat(base, "ready", 0770) || mkdirat(base, "quarantine", 0770))
		return 99;
	ready = openat(base, "ready", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	root = openat(base, "quarantine", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_move();
	test_links();
	test_put();
	test_no_reason();
	test_prune();
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
