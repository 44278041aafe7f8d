/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "tests/unit/ship_check.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/shipper/census.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

static void bail(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(99);
}

static int sub(const struct ship *s, const char *name)
{
	int fd;

	if (mkdirat(s->spool_fd, name, 0700) != 0)
		bail("cannot make a directory");
	fd = openat(s->spool_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		bail("cannot open a directory");
	return fd;
}

static uint32_t chance(void *ctx)
{
	return ((const struct ship *)ctx)->random;
}

void ship_open(struct ship *s)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->dir, sizeof(s->dir), "/tmp/test_ship-XXXXXX");
	if (!mkdtemp(s->dir))
		bail("cannot make a scratch directory");
	s->spool_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->ready_fd = sub(s, "ready");
	s->quarantine_fd = sub(s, "quarantine");
	s->sent_fd = sub(s, "sent");
	s->ship_fd = sub(s, "ship");
	s->random = UINT32_MAX;
	/* The files' own times are real ones: the shipper starts before the first is made. */
	clock_fake(((int64_t)time(NULL) - 60) * 1000, 1000000);
	fake_store_init(&s->store);
	s->options = (struct upload_options){
		.store = &s->store.base,
		.dirs = {{s->ready_fd, s->quarantine_fd}, -1},
		.status = &s->status,
		.policy = {500, 8000},
		.parallel = 8,
		.quarantine_retry_ms = 600000,
		.random = chance,
		.random_ctx = s,
	};
}

void ship_start(struct ship *s, const char *boot_id)
{
	struct sa_err err = {0};

	if (attempts_open(s->ship_fd, boot_id, &s->attempts, &err) != 0)
		bail(err.msg);
	s->options.attempts = s->attempts;
	if (upload_new(&s->options, &s->upload, &err) != 0)
		bail(err.msg);
}

void ship_kill(struct ship *s, bool (*reached)(void *ctx), void *ctx)
{
	fake_store_forget(&s->store, reached, ctx);
	upload_free(s->upload);
	attempts_close(s->attempts);
	s->upload = NULL;
	s->attempts = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void ship_close(struct ship *s)
{
	upload_free(s->upload);
	attempts_close(s->attempts);
	fake_store_free(&s->store);
	close(s->spool_fd);
	close(s->ready_fd);
	close(s->quarantine_fd);
	close(s->sent_fd);
	close(s->ship_fd);
	nftw(s->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

void ship_make(struct ship *s, const char *key, const char *text)
{
	_cleanup_free_ char *dir = strdup(key);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	_cleanup_close_ int fd = openat(s->spool_fd, "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (slash) {
		*slash = '\0';
		fdio_mkdirs(s->ready_fd, dir, 0700, NULL);
	}
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    renameat(s->spool_fd, "new", s->ready_fd, key) != 0)
		bail("cannot make an object");
}

void ship_make_many(struct ship *s, const char *dir, unsigned n)
{
	char key[STORE_MAX_KEY + 1];

	for (unsigned i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%s%06u", dir, i);
		ship_make(s, key, key);
	}
}

bool ship_there(const struct ship *s, const char *path)
{
	return faccessat(s->spool_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void ship_turn(struct ship *s)
{
	upload_turn(s->upload);
	store_run(&s->store.base, 0, NULL, 0);
}

void ship_for(struct ship *s, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms, left, wait;
	unsigned idle = 0;

	while ((left = until - clock_mono_ms()) > 0) {
		size_t started = s->store.started;

		ship_turn(s);
		wait = upload_wait_ms(s->upload, 1000);
		if (s->store.n_flying > 0)
			wait = 1; /* until the store's next turn */
		idle = s->store.started == started && wait == 0 ? idle + 1 : 0;
		if (idle == 100000)
			bail("the uploader spins");
		clock_fake_advance(wait < left ? wait : left);
	}
}

void ship_pass(struct ship *s)
{
	upload_pass(s->upload);
	while (!upload_pass_is_over(s->upload)) {
		ship_turn(s);
		clock_fake_advance(upload_wait_ms(s->upload, 1000));
	}
}

bool ship_is_empty(struct ship *s)
{
	struct census c = {.root_fd = {s->ready_fd, s->quarantine_fd}};

	census_whole(&c, 0);
	return c.last.objects[STREAM_READY] + c.last.odd == 0;
}
