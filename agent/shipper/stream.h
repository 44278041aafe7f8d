/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One directory that is being shipped: which of its objects is next. An ordered
 * one (a session's) gives one object at a time, in byte order, so that what is in
 * the store is always a prefix; any other gives its objects each by itself, while
 * they fail one at a time. The directory is swept, chunk by chunk, until a sweep leaves nothing.
 */
#ifndef SA_STREAM_H
#define SA_STREAM_H

#include <stdint.h>
#include <sys/queue.h>

#include "agent/shipper/pick.h"
#include "agent/retry.h"

#define STREAM_POOL (4 * 1024 * 1024) /* bytes of names beyond a PICK_CHUNK for each */

enum stream_root { STREAM_READY, STREAM_QUARANTINE, STREAM_ROOTS };

enum stream_queue { STREAM_HELD, STREAM_NEWS, STREAM_WALK, STREAM_PAUSED, STREAM_QUEUES };

struct stream {
	enum stream_root root;
	bool ordered;
	char *dir; /* owned; its key, "" or with a '/' at the end */
	int fd;    /* open while it has its turn, else -1 */
	struct pick_names names;
	size_t *pool;       /* borrowed; bytes of names that all streams hold */
	bool look;          /* there may be objects that the sweep has not seen */
	bool news;          /* some of them were just told of: its next turn is before the walk's */
	bool given_up;      /* for this pass */
	unsigned flying;    /* objects under way */
	unsigned given;     /* in this turn */
	int64_t again_ms;   /* when the first of those that the sweep passed over may be tried;
			       INT64_MAX: there are none */
	struct retry retry; /* failures of any of its objects, no success between */
	unsigned failed_row; /* which row of the store's failures it counts in; see upload.c */

	/* schedule.c's */
	TAILQ_ENTRY(stream) link;
	struct stream *chain;
	enum stream_queue queue, home; /* home: where it is back to when held */
	int64_t wake_ms;
};

/* NULL when memory is out. */
struct stream *stream_new(enum stream_root root, const char *dir, size_t *pool);
void stream_free(struct stream *s);

enum stream_step {
	STREAM_NAME,  /* *name is next; it stays so until stream_step_over */
	STREAM_WAIT,  /* for what is under way */
	STREAM_SWEPT, /* nothing is left but what was passed over (again_ms) */
	STREAM_ERROR, /* the directory cannot be read */
};
/* root_fd: ready/ or quarantine/. s->fd is the directory when a name came. */
enum stream_step stream_next(struct stream *s, int root_fd, const char **name, struct sa_err *err);
void stream_step_over(struct stream *s);
/* The sweep passes over the next name, which may be tried at due_ms. */
void stream_pass_over(struct stream *s, int64_t due_ms);
/* Its turn is over: gives the directory's descriptor back if nothing is under way. */
void stream_rest(struct stream *s);

#endif
