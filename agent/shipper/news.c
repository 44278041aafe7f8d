/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/news.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/store/store.h"

#define NEWS_FILE "news"
#define NEWS_TURN (64 * 1024) /* bytes read at a time */

/* A descriptor of the FIFO, -1 when there is none. */
static int news_fifo(int spool_fd)
{
	_cleanup_close_ int fd =
		openat(spool_fd, NEWS_FILE, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode))
		return -1;
	return TAKE_FD(fd);
}

void news_open(struct news *n, int spool_fd)
{
	n->fd = news_fifo(spool_fd);
	n->len = 0;
	n->overrun = 0;
}

void news_close(struct news *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

/* The last writer has gone: poll(2) would report a hang-up until the FIFO is opened anew. The old
 * descriptor goes last, so that there is a reader all the time and no line is lost. */
static void news_reopen(struct news *n, int spool_fd)
{
	int old = n->fd;

	news_open(n, spool_fd);
	if (old >= 0)
		close(old);
}

static unsigned news_line(char *line, size_t len, void (*tell)(void *ctx, const char *key),
			  void *ctx)
{
	line[len] = '\0'; /* over the newline */
	if (strlen(line) != len || !store_key_valid(line))
		return 0;
	tell(ctx, line);
	return 1;
}

/* Takes the whole lines of n->line. */
static unsigned news_lines(struct news *n, void (*tell)(void *ctx, const char *key), void *ctx)
{
	char *at = n->line, *end = n->line + n->len, *newline;
	unsigned told = 0;

	while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (!n->overrun)
			told += news_line(at, (size_t)(newline - at), tell, ctx);
		n->overrun = 0;
		at = newline + 1;
	}
	n->len = (unsigned)(end - at);
	if (n->overrun || n->len == sizeof(n->line)) { /* longer than any key */
		n->overrun = 1;
		n->len = 0;
	}
	memmove(n->line, at, n->len);
	return told;
}

unsigned news_read(struct news *n, int spool_fd, void (*tell)(void *ctx, const char *key),
		   void *ctx)
{
	unsigned told = 0;
	size_t taken = 0;

	if (n->fd < 0)
		news_open(n, spool_fd);
	while (n->fd >= 0 && taken < NEWS_TURN) {
		size_t room = sizeof(n->line) - n->len, left = NEWS_TURN - taken;
		ssize_t got = read(n->fd, n->line + n->len, room < left ? room : left);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			break;
		if (got <= 0) {
			news_reopen(n, spool_fd);
			break;
		}
		n->len += (unsigned)got;
		taken += (size_t)got;
		told += news_lines(n, tell, ctx);
	}
	return told;
}
