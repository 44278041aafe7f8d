/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/fault.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/sessaudit-spool.XXXXXX";

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
	tap_int(spool_put(s, "a/b/c.json", SLICE_LIT("1"), NULL), 0, "put makes the directories");
	tap_str(content("ready/a/b/c.json"), "1", "the object");
	tap_int(spool_put(s, "a/b/c.json", SLICE_LIT("2"), NULL), 0, "put again");
	tap_str(content("ready/a/b/c.json"), "2", "replaces");
	tap_int(spool_put(s, "top", SLICE_LIT("3"), NULL), 0, "put at the top");
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
	tap_int(spool_open(dir, true, s, NULL), 0, "opened again");
	tap_str(content("tmp/left"), "(none)", "what was left in tmp is gone");
	tap_int(spool_state_time_ms(*s, SPOOL_ALIVE), 0, "never alive");
	spool_alive(*s);
	tap_ok(spool_state_time_ms(*s, SPOOL_ALIVE) > 0, "alive");
}

int main(void)
{
	struct spool *s = NULL;
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	tap_int(spool_open("/nonexistent/x", true, &s, NULL), SA_ERR_NOTFOUND, "no directory");
	tap_int(spool_open(dir, true, &s, NULL), 0, "open");
	test_append(s);
	test_read(s);
	test_ready(s);
	test_state(s);
	test_again(&s);
	spool_close(s);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? tap_done() : 1;
}
