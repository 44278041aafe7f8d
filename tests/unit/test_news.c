/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/shipper/news.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/store/store.h"
#include "tests/unit/tap.h"

static int dir = -1;
static struct buf told; /* the keys, each with a newline */

static void tell(void *ctx, const char *key)
{
	buf_puts(ctx, key);
	buf_putc(ctx, '\n');
}

/* What is told by one reading. */
static const char *heard(struct news *n)
{
	buf_clear(&told);
	news_read(n, dir, tell, &told);
	return buf_cstr(&told);
}

static int writer(void)
{
	return openat(dir, "news", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

static short pending(const struct news *n)
{
	struct pollfd p = {.fd = n->fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

static void test_no_fifo(void)
{
	struct news n;

	news_open(&n, dir);
	tap_int(n.fd, -1, "no FIFO");
	tap_int(news_read(&n, dir, tell, &told), 0, "tells nothing");
	close(openat(dir, "news", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	tap_str(heard(&n), "", "a file is none");
	tap_int(n.fd, -1, "and is not kept open");
	unlinkat(dir, "news", 0);
	if (mkfifoat(dir, "fifo", 0600) || symlinkat("fifo", dir, "news"))
		abort();
	tap_str(heard(&n), "", "nor is a link");
	tap_int(n.fd, -1, "even to a FIFO");
	unlinkat(dir, "news", 0);
	unlinkat(dir, "fifo", 0);
	if (mkfifoat(dir, "news", 0600))
		abort();
	tap_str(heard(&n), "", "one that comes later");
	tap_ok(n.fd >= 0, "is opened");
	news_close(&n);
	tap_int(n.fd, -1, "close");
	news_close(&n);
}

static void test_lines(void)
{
	struct news n;
	int w;

	news_open(&n, dir);
	tap_str(heard(&n), "", "no writer: nothing, at once");
	w = writer();
	tap_str(heard(&n), "", "nothing was written");
	say(w, "a/b\nsessions/request=R 1/session=s/000000.jsonl.gz\n");
	tap_ok(pending(&n) & POLLIN, "what is written wakes a poll");
	tap_str(heard(&n), "a/b\nsessions/request=R 1/session=s/000000.jsonl.gz\n", "keys");
	say(w, "par");
	tap_str(heard(&n), "", "half a line waits");
	say(w, "ti");
	tap_str(heard(&n), "", "and waits");
	say(w, "al\nnext");
	tap_str(heard(&n), "partial\n", "until it is whole");
	say(w, "\n\n/abs\n../up\n.hidden\na//b\na/\ncontrol\x01\nok\n");
	tap_str(heard(&n), "next\nok\n", "what is no key is passed over");
	if (write(w, "nul\0byte\nok\n", 12) != 12)
		abort();
	tap_str(heard(&n), "ok\n", "also one with a NUL");
	close(w);
	news_close(&n);
}

static void test_long(void)
{
	char key[STORE_MAX_KEY + 2], junk[4096];
	struct news n;
	int w;

	news_open(&n, dir);
	w = writer();
	memset(key, 'k', sizeof(key));
	key[STORE_MAX_KEY] = '\n';
	key[STORE_MAX_KEY + 1] = '\0';
	say(w, key);
	tap_str(heard(&n), key, "the longest key");
	key[STORE_MAX_KEY] = 'k';
	say(w, key);
	say(w, "\nok\n");
	tap_str(heard(&n), "ok\n", "one longer is none");
	memset(junk, 'j', sizeof(junk));
	junk[sizeof(junk) - 1] = '\0';
	for (int i = 0; i < 5; i++) {
		say(w, junk);
		tap_str(heard(&n), "", "a line without end, part %d", i);
	}
	say(w, "end\nok\nha");
	tap_str(heard(&n), "ok\n", "is passed over to its end");
	say(w, "lf\n");
	tap_str(heard(&n), "half\n", "and then all is as before");
	close(w);
	news_close(&n);
}

static void test_hang_up(void)
{
	struct news n;
	int w, again, fd;

	news_open(&n, dir);
	tap_int(pending(&n), 0, "no writer yet: nothing to wake for");
	w = writer();
	say(w, "last\nhalf");
	close(w);
	tap_ok(pending(&n) & POLLHUP, "the writer has gone");
	tap_str(heard(&n), "last\n", "what it said is heard");
	tap_int(pending(&n), 0, "and nothing wakes any more");
	for (int i = 0; i < 3; i++)
		heard(&n);
	tap_int(pending(&n), 0, "however often it is read");
	w = writer();
	tap_ok(w >= 0, "another writer finds a reader");
	say(w, "whole\n");
	tap_str(heard(&n), "whole\n", "the half line of the first is not before its line");
	fd = n.fd;
	again = writer();
	close(w);
	say(again, "two\n");
	tap_str(heard(&n), "two\n", "one of two writers gone");
	tap_int(n.fd, fd, "is none gone");
	close(again);
	heard(&n);
	/* The agent may have made a new FIFO. */
	unlinkat(dir, "news", 0);
	if (mkfifoat(dir, "news", 0600))
		abort();
	heard(&n);
	w = writer();
	tap_ok(w >= 0, "a FIFO that was replaced");
	say(w, "new\n");
	tap_str(heard(&n), "new\n", "is read");
	unlinkat(dir, "news", 0);
	close(w);
	heard(&n);
	tap_int(n.fd, -1, "one that is gone is closed with its writer");
	if (mkfifoat(dir, "news", 0600))
		abort();
	news_close(&n);
}

/* A flood is taken in pieces. */
static void test_flood(void)
{
	struct news n;
	unsigned count = 0, turns = 0, got;
	size_t written = 0;
	int w;

	news_open(&n, dir);
	w = writer();
#ifdef F_SETPIPE_SZ
	(void)fcntl(w, F_SETPIPE_SZ, 256 * 1024);
#endif
	while (write(w, "sessions/0123456789abcdef/000000\n", 33) == 33)
		written++;
	tap_ok(errno == EAGAIN && written > 65536 / 33 - 125, "the pipe is full: %zu", written);
	do {
		buf_clear(&told);
		got = news_read(&n, dir, tell, &told);
		if (got > 65536 / 33 + 1)
			tap_ok(false, "%u at a time", got);
		count += got;
		turns += got > 0;
	} while (got > 0);
	tap_int(count, (long long)written, "all are told, in %u turns", turns);
	close(w);
	news_close(&n);
}

int main(void)
{
	char path[] = "/tmp/sessaudit-news.XXXXXX";

	signal(SIGPIPE, SIG_IGN);
	buf_init(&told, 1024 * 1024);
	if (!mkdtemp(path) || (dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 99;
	test_no_fifo();
	test_lines();
	test_long();
	test_hang_up();
	test_flood();
	buf_free(&told);
	unlinkat(dir, "news", 0);
	rmdir(path);
	return tap_done();
}
