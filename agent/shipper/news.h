/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Hints from the collector: the keys of objects that it just made ready, through
 * the FIFO spool/news. Whatever is lost here is found by walking ready/.
 */
#ifndef SA_NEWS_H
#define SA_NEWS_H

#include "common/err.h"

struct news {
	int fd; /* -1: there is no FIFO */
	char line[4096];
	unsigned len;
	int overrun; /* the rest of an overlong line is being passed over */
};

/* spool_fd: the spool. No FIFO is no error: fd is -1 then, and news_read may try again. */
void news_open(struct news *n, int spool_fd);
void news_close(struct news *n);
/* Reads what is there, without blocking, at most 64 KiB at a time; tell is called with each valid
 * key. Opens the FIFO again when its last writer has gone. Returns how many were told. */
unsigned news_read(struct news *n, int spool_fd, void (*tell)(void *ctx, const char *key),
		   void *ctx);

#endif
