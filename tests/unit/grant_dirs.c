/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/grant_dirs.h"

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __real_fstatat(int fd, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags);

long tick_ns;

static void blur(struct stat *st)
{
	if (tick_ns == 0)
		return;
	st->st_mtim.tv_nsec -= st->st_mtim.tv_nsec % tick_ns;
	st->st_ctim.tv_nsec -= st->st_ctim.tv_nsec % tick_ns;
}

int __wrap_fstat(int fd, struct stat *st)
{
	int rc = __real_fstat(fd, st);

	blur(st);
	return rc;
}

static unsigned long looked_at; /* files, by name */

int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags)
{
	int rc = __real_fstatat(fd, path, st, flags);

	looked_at++;
	blur(st);
	return rc;
}

char base[64] = "/dev/shm/test_grants-XXXXXX"; /* as /run: no disk */
char dir_a[80], dir_b[80], index_path[80];
const char *const dirs[] = {dir_a, dir_b, NULL};
struct signers signers;
struct grants_trust trust;
int64_t boot_ms = 1000000;

static void skipped(void *ctx, const char *message)
{
	struct said *s = ctx;
	size_t n = strlen(s->text), cut = strlen(base) + 1;

	s->lines++;
	if (strncmp(message, base, cut - 1) == 0)
		message += cut;
	snprintf(s->text + n, sizeof(s->text) - n, "%s\n", message);
}

void write_file(const char *path, struct slice text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || fdio_write_all(fd, text.ptr, text.len, NULL) < 0)
		tap_ok(false, "write %s", path);
}

void grant_text(char out[1024], const char *id, const char *who)
{
	snprintf(out, 1024,
		 "{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"g\",\"request\":{\"id\":\"%s\"},"
		 "\"hosts\":[\"h\"],\"issued_at\":\"2026-11-21T00:00:00Z\","
		 "\"expires_at\":\"2026-11-21T05:00:00Z\",\"match\":{%s}}",
		 id, who);
}

void in_dir(char out[512], const char *dir, const char *name)
{
	snprintf(out, 512, "%s/%s", dir, name);
}

void put(const char *dir, const char *name, const char *id, const char *who)
{
	char path[512], text[1024];

	in_dir(path, dir, name);
	grant_text(text, id, who);
	write_file(path, slice_of(text));
}

void put_over(const char *dir, const char *name, const char *id, const char *who)
{
	char from[512], to[512];

	in_dir(from, dir, "new");
	in_dir(to, dir, name);
	put(dir, "new", id, who);
	if (rename(from, to) < 0)
		tap_ok(false, "rename %s", to);
}

void drop(const char *dir, const char *name)
{
	char path[512];

	in_dir(path, dir, name);
	remove(path);
}

static void empty_dir(const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			drop(dir, e->d_name);
}

void start(void)
{
	empty_dir(dir_a);
	empty_dir(dir_b);
	unlink(index_path);
}

void settle(void)
{
	usleep(45000);
}

void ids_of(const struct grants *g, struct buf *out)
{
	for (size_t i = 0; i < g->len; i++)
		buf_printf(out, "%s%s", i ? " " : "", g->items[i]->access.request_id);
}

const char *load_at(const char *index, const char *user, const char *id, struct said *said)
{
	static struct buf out;
	_cleanup_(grants_free) struct grants g = {0};
	char *id_list[] = {(char *)(uintptr_t)id};
	struct grant_query q = {.user = user, .request_ids = id_list, .n_request_ids = id ? 1 : 0};
	struct said nothing = {0};

	buf_free(&out);
	buf_init(&out, 1 << 20);
	if (grant_index_load(index, dirs, &trust, &q, boot_ms, &g, skipped,
			     said ? said : &nothing) < 0)
		return "failed";
	ids_of(&g, &out);
	return buf_cstr(&out);
}

const char *load(const char *user)
{
	return load_at(index_path, user, NULL, NULL);
}

void check_looks(unsigned long want, const char *name)
{
	static bool counted;

	looked_at = 0;
	load("dba");
	counted |= looked_at > 0;
	if (counted)
		tap_int((long long)looked_at, (long long)want, "%s", name);
	else
		tap_skip("fstatat is inlined", name);
}

void begin(void)
{
	if (!mkdtemp(base)) {
		snprintf(base, sizeof(base), "/tmp/test_grants-XXXXXX");
		if (!mkdtemp(base))
			abort();
	}
	umask(022);
	snprintf(dir_a, sizeof(dir_a), "%s/a", base);
	snprintf(dir_b, sizeof(dir_b), "%s/b", base);
	snprintf(index_path, sizeof(index_path), "%s/index", base);
	trust = (struct grants_trust){.owner_uid = getuid(), .signers = &signers};
	mkdir(dir_a, 0755);
	mkdir(dir_b, 0755);
	broker_key_signers(1, &signers);
}

void end(void)
{
	start();
	signers_free(&signers);
	rmdir(dir_a);
	rmdir(dir_b);
	tap_int(rmdir(base), 0, "nothing is left behind");
}
