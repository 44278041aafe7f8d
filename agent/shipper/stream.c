/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/shipper/quarantine.h"

/* A session's directory: its last part begins with "session=". */
static bool stream_is_ordered(enum stream_root root, const char *dir)
{
	size_t at = strlen(dir);

	if (at > 0)
		at--;
	while (at > 0 && dir[at - 1] != '/')
		at--;
	return root == STREAM_READY && strncmp(dir + at, "session=", strlen("session=")) == 0;
}

struct stream *stream_new(enum stream_root root, const char *dir, size_t *pool)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->dir = strdup(dir);
	if (!s->dir) {
		free(s);
		return NULL;
	}
	s->root = root;
	s->ordered = stream_is_ordered(root, dir);
	s->fd = -1;
	s->pool = pool;
	s->look = true;
	s->again_ms = INT64_MAX;
	return s;
}

static void stream_drop_names(struct stream *s)
{
	*s->pool -= s->names.len;
	pick_free(&s->names);
}

static void stream_close(struct stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	stream_drop_names(s);
	stream_close(s);
	free(s->dir);
	free(s);
}

void stream_rest(struct stream *s)
{
	s->given = 0;
	if (s->flying == 0)
		stream_close(s);
}

/* What a directory may hold beyond its chunk is an eighth of what is left, so that one with very
 * many objects is not read anew for every few of them. */
static size_t stream_share(const struct stream *s)
{
	return PICK_CHUNK + (*s->pool < STREAM_POOL ? (STREAM_POOL - *s->pool) / 8 : 0);
}

/* Reads the next chunk; after: where the sweep is, NULL at its begin. */
static int stream_read(struct stream *s, const char *after, struct sa_err *err)
{
	struct pick_query q = {.dir = s->dir, .after = after, .max = stream_share(s)};
	struct pick_names names = {0};
	int rc;

	if (s->root == STREAM_QUARANTINE)
		q.without = QUARANTINE_REASON;
	rc = s->ordered ? pick_ordered(s->fd, &q, &names, err) : pick_any(s->fd, &q, &names, err);
	if (rc != 0)
		return rc;
	stream_drop_names(s);
	s->names = names;
	*s->pool += names.len;
	return 0;
}

/* The directory may have been removed and made anew since: it is opened by its name. */
static int stream_sweep(struct stream *s, int root_fd, struct sa_err *err)
{
	int rc;

	stream_close(s);
	stream_drop_names(s);
	s->look = false;
	s->again_ms = INT64_MAX;
	rc = pick_open(root_fd, s->dir, &s->fd, err);
	if (rc == 0)
		rc = stream_read(s, NULL, err);
	if (rc != 0 && rc != SA_ERR_NOTFOUND) {
		s->look = true;
		return rc;
	}
	return 0;
}

static int stream_reopen(struct stream *s, int root_fd, struct sa_err *err)
{
	int rc = s->fd < 0 ? pick_open(root_fd, s->dir, &s->fd, err) : 0;

	if (rc == SA_ERR_NOTFOUND) {
		stream_drop_names(s);
		return 0;
	}
	return rc;
}

/* At the end of a chunk. In an ordered directory what was given is gone, so that the next chunk is
 * the first one again. */
static enum stream_step stream_more(struct stream *s, int root_fd, struct sa_err *err)
{
	bool more = s->names.more;
	int rc;

	if (!more && !s->look)
		return s->flying > 0 ? STREAM_WAIT : STREAM_SWEPT;
	if (more && !s->ordered)
		rc = stream_read(s, pick_last(&s->names), err);
	else if (s->flying > 0)
		return STREAM_WAIT;
	else
		rc = stream_sweep(s, root_fd, err);
	return rc == 0 ? STREAM_NAME : STREAM_ERROR;
}

enum stream_step stream_next(struct stream *s, int root_fd, const char **name, struct sa_err *err)
{
	enum stream_step step = STREAM_NAME;

	if (s->flying > 0 && (s->ordered || s->retry.failures > 0))
		return STREAM_WAIT;
	if ((s->names.len > 0 || s->names.more) && stream_reopen(s, root_fd, err) != 0)
		return STREAM_ERROR;
	while (step == STREAM_NAME && !(*name = pick_next(&s->names)))
		step = stream_more(s, root_fd, err);
	return step;
}

void stream_step_over(struct stream *s)
{
	pick_step(&s->names);
}

void stream_pass_over(struct stream *s, int64_t due_ms)
{
	if (due_ms < s->again_ms)
		s->again_ms = due_ms;
	pick_step(&s->names);
}
