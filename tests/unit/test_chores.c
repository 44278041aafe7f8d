/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/shipper/chores.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/log.h"
#include "tests/unit/tap.h"

#define MINUTE 60000
#define DAY (24 * 60 * MINUTE)

static char base[] = "/tmp/test_chores-XXXXXX";
static int base_fd;

/* A store that can only be probed. */
struct probed {
	struct store base;
	unsigned asked;
	int rc;
	enum store_append_only answer;
};

static int probe(struct store *s, const char *host, enum store_append_only *out, struct sa_err *err)
{
	struct probed *p = (struct probed *)s;

	p->asked++;
	if (!*host)
		return sa_fail(err, SA_ERR_INVALID, "no host");
	*out = p->answer;
	return p->rc;
}

static const struct store_ops ops = {.probe = probe};

static void test_probe(void)
{
	static const struct settings settings;
	struct probed p = {.base = {&ops, (char[]){"probed"}}, .rc = SA_ERR_AGAIN};
	struct chores c;
	int64_t t = 5 * MINUTE;

	chores_init(&c, &settings);
	chores_probe(&c, &p.base, false, t);
	tap_int(p.asked, 1, "asked at start, before anything else");
	tap_str(store_append_only_name(c.status.append_only), "unknown", "no answer");
	tap_int((long long)c.status.probed, 0, "never answered");
	p = (struct probed){.base = p.base, .answer = STORE_PROVEN};
	chores_probe(&c, &p.base, true, t + 10 * MINUTE - 1);
	tap_int(p.asked, 0, "not again at once");
	c.status.away = 1;
	chores_probe(&c, &p.base, true, t + 10 * MINUTE);
	tap_int(p.asked, 0, "nor while the store is away");
	c.status.away = 0;
	chores_probe(&c, &p.base, false, t + 10 * MINUTE);
	tap_int(p.asked, 0, "nor while something is under way");
	t += 11 * MINUTE;
	chores_probe(&c, &p.base, true, t);
	tap_int(p.asked, 1, "but then");
	tap_str(store_append_only_name(c.status.append_only), "proven", "proven");
	tap_int((long long)c.status.probed, clock_real_ms() / 1000, "now");
	chores_probe(&c, &p.base, true, t + DAY - 1);
	tap_int(p.asked, 1, "for a day");
	chores_probe(&c, &p.base, false, t + DAY + 59 * MINUTE);
	tap_int(p.asked, 1, "an hour longer while busy");
	p.answer = STORE_UNPROVEN;
	chores_probe(&c, &p.base, false, t + DAY + 60 * MINUTE);
	tap_int(p.asked, 2, "then all the same");
	tap_str(store_append_only_name(c.status.append_only), "unproven", "the news is told");
	chores_end(&c);
}

static ino_t written(void)
{
	struct stat st;

	return fstatat(base_fd, "run/ship/status.json", &st, 0) == 0 ? st.st_ino : 0;
}

/* A status that is written is another file. */
static void test_status(void)
{
	char run[64];
	struct settings settings = {.agent_run_dir = run};
	struct chores c;
	int64_t t = 5 * MINUTE;
	ino_t first, second;

	snprintf(run, sizeof(run), "%s/run", base);
	chores_init(&c, &settings);
	chores_status(&c, t);
	tap_ok(written() == 0, "there is no run directory");
	mkdirat(base_fd, "run", 0700);
	chores_status(&c, t + MINUTE);
	first = written();
	tap_ok(first != 0, "now there is, and the status in it");
	c.status.stored = 1;
	chores_status(&c, t + MINUTE + 999);
	tap_ok(written() == first, "not twice in a second");
	chores_status(&c, t + MINUTE + 1000);
	second = written();
	tap_ok(second != first, "it changed: written in a second");
	chores_status(&c, t + 2 * MINUTE + 999);
	tap_ok(written() == second, "it did not: not for a minute");
	chores_status(&c, t + 2 * MINUTE + 1000);
	tap_ok(written() != second, "but then");
	chores_end(&c);
}

static void keep(int sent, const char *key, off_t size)
{
	int fd;

	fdio_mkdirs(sent, "d", 0700, NULL);
	fd = openat(sent, key, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, size) != 0)
		tap_ok(false, "cannot make a file");
	close(fd);
}

static bool kept(int sent, const char *key)
{
	return faccessat(sent, key, F_OK, 0) == 0;
}

static void test_prune(void)
{
	struct settings settings = {.store_keep_local = 10 * MINUTE, .spool_max_bytes = 40000};
	struct chores c;
	int sent;

	mkdirat(base_fd, "sent", 0700);
	sent = openat(base_fd, "sent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	clock_fake((int64_t)time(NULL) * 1000 + 5000, 5 * MINUTE);
	chores_init(&c, &settings);
	keep(sent, "d/1", 10000);
	chores_prune(&c, sent, clock_mono_ms());
	tap_ok(kept(sent, "d/1"), "a quarter of the quota may be kept");
	clock_fake_advance(9 * MINUTE);
	chores_prune(&c, sent, clock_mono_ms());
	tap_ok(kept(sent, "d/1"), "for keep_local");
	clock_fake_advance(MINUTE);
	chores_prune(&c, sent, clock_mono_ms());
	tap_ok(!kept(sent, "d/1"), "and no longer");
	clock_fake((int64_t)time(NULL) * 1000 + 5000, 50 * MINUTE);
	keep(sent, "d/2", 10001);
	chores_prune(&c, sent, clock_mono_ms());
	tap_ok(!kept(sent, "d/2"), "more than a quarter: nothing is kept");
	settings.spool_max_bytes = 0;
	keep(sent, "d/3", 10001);
	clock_fake_advance(MINUTE - 1);
	chores_prune(&c, sent, clock_mono_ms());
	clock_fake_advance(1);
	chores_prune(&c, sent, clock_mono_ms());
	tap_ok(kept(sent, "d/3"), "no quota, no limit");
	settings.spool_min_free = INT64_MAX;
	clock_fake_advance(MINUTE);
	chores_prune(&c, sent, clock_mono_ms());
	tap_ok(!kept(sent, "d/3"), "the disk is full: nothing is kept");
	close(sent);
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
	if (!mkdtemp(base))
		return 99;
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	log_init("test_chores", LOG_LEVEL_ERR);
	clock_fake(1795222800000, 5 * MINUTE);
	test_probe();
	test_status();
	test_prune();
	close(base_fd);
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
