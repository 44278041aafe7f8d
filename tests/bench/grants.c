/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What finding a login's grants takes, with 10, 1,000 and 4,096 of them, in microseconds: median of
 * many. In a build directory:
 *   ./libtool --tag=CC --mode=link gcc -O2 -D_GNU_SOURCE -I. -I$src -o grants \
 *       $src/tests/bench/grants.c common/access/libaccess.la common/libcommon.la
 *   ./grants /dev/shm      (or another directory to work below)
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/access/grant_index.h"

#define USER "user7"
#define MAX_REPEAT 5000

static const char text[] =
	"{ \"schema\":\"sessaudit.grant/1\", \"grant_id\":\"g-%d\", \"broker\":\"apono\",\n"
	"  \"request\":{ \"id\":\"REQ-%d\", \"flow\":{\"id\":\"f1\",\"name\":\"prod-ssh\"},\n"
	"    \"requester\":{\"id\":\"u1\",\"email\":\"alice@example.com\"},\n"
	"    \"approvals\":[{\"by\":\"bob@example.com\",\"type\":\"user\",\"status\":\"approved\","
	"\"at\":\"2026-11-21T01:00:00Z\"}],\n"
	"    \"justification\":\"INC-77: disk full\", \"resource\":\"ssh/prod-db-1\","
	"\"ticket\":\"INC-77\" },\n"
	"  \"hosts\":[\"prod-db-1\"], \"not_before\":\"2026-11-21T01:00:00Z\",\n"
	"  \"expires_at\":\"2026-11-21T05:00:00Z\", \"revoked\":false,\n"
	"  \"match\":{ \"users\":[\"user%d\"], \"services\":[\"sshd\"],"
	"\"source\":[\"10.0.0.0/8\"] } }\n";

static char base[256], dir_a[300], dir_b[300], index_path[300];
static const char *const dirs[] = {dir_a, dir_b, NULL};
static struct grants_trust trust;
static int64_t boot_ms = 1000000;

static void put(int number, const char *suffix)
{
	char path[400], grant[2048];
	int n = snprintf(grant, sizeof(grant), text, number, number, number), fd;

	snprintf(path, sizeof(path), "%s/g-%04d.json%s", dir_b, number, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, grant, (size_t)n) != n)
		abort();
	close(fd);
}

static void nothing(void)
{
}

static void no_index(void)
{
	unlink(index_path);
}

static void interval_over(void)
{
	boot_ms += GRANT_INDEX_SWEEP_MS;
}

/* As a broker does; then until its stamp can be trusted. */
static void replace_one(void)
{
	char from[400], to[400];

	put(3, ".new");
	snprintf(from, sizeof(from), "%s/g-0003.json.new", dir_b);
	snprintf(to, sizeof(to), "%s/g-0003.json", dir_b);
	if (rename(from, to) < 0)
		abort();
	usleep(40000);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void measure(const char *name, const char *user, size_t repeat, size_t want,
		    void (*before)(void))
{
	static double took[MAX_REPEAT];
	struct grant_query q = {.user = user};

	for (size_t i = 0; i < repeat; i++) {
		struct grants g = {0};
		double start;

		before();
		start = now_us();
		grant_index_load(index_path, dirs, &trust, &q, boot_ms, &g, NULL, NULL);
		took[i] = now_us() - start;
		if (g.len != want)
			abort();
		grants_free(&g);
	}
	qsort(took, repeat, sizeof(*took), by_size);
	printf("  %-24s %9.1f\n", name, took[repeat / 2]);
}

static void measure_all(void)
{
	measure("index made", USER, 20, 1, no_index);
	usleep(50000);
	measure("warm", USER, MAX_REPEAT, 1, nothing);
	measure("warm, no grant", "nobody", MAX_REPEAT, 0, nothing);
	measure("compared, nothing new", USER, 100, 1, interval_over);
	measure("one grant replaced", USER, 20, 1, replace_one);
}

int main(int argc, char **argv)
{
	static const int sizes[] = {10, 1000, 4096};
	char command[400];

	snprintf(base, sizeof(base), "%s/grants-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (!mkdtemp(base))
		return 1;
	snprintf(dir_a, sizeof(dir_a), "%s/a", base);
	snprintf(dir_b, sizeof(dir_b), "%s/b", base);
	snprintf(index_path, sizeof(index_path), "%s/index", base);
	mkdir(dir_a, 0755);
	mkdir(dir_b, 0755);
	trust.owner_uid = getuid();
	for (size_t i = 0, made = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		while (made < (size_t)sizes[i])
			put((int)made++, "");
		usleep(50000);
		printf("%d grants, microseconds\n", sizes[i]);
		measure_all();
	}
	snprintf(command, sizeof(command), "rm -r '%s'", base);
	return system(command) != 0;
}
