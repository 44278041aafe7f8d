/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/access/grant_index_internal.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/grant_dirs.h"

/* With too few descriptors, which su inherits from its user, no grant is found, not even one of two
 * that tie; but the index stays, and the log is not filled. */
static void check_descriptors(void)
{
	struct said said = {0};
	struct rlimit was, few;
	const char *got;
	char name[32];
	int last;

	start();
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "%02d.json", i);
		put(dir_a, name, "R", DBA);
	}
	put(dir_a, "x.json", "R1", EVE);
	put(dir_b, "z.json", "R3", EVE);
	settle();
	load("eve");
	last = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(last);
	getrlimit(RLIMIT_NOFILE, &was);
	for (rlim_t n = 0; n < 6; n++) {
		few = was;
		few.rlim_cur = (rlim_t)last + n;
		boot_ms += GRANT_INDEX_SWEEP_MS;
		put_over(dir_a, "y.json", "R2", EVE);
		settle();
		said = (struct said){0};
		setrlimit(RLIMIT_NOFILE, &few);
		got = load_at(index_path, "eve", NULL, &said);
		setrlimit(RLIMIT_NOFILE, &was);
		tap_str(got, n < 3 ? "" : "R1 R2 R3", "%d descriptors: none or all", (int)n);
		tap_ok(said.lines <= 3, "%d descriptors: %zu lines: %s", (int)n, said.lines,
		       said.text);
		tap_str(load("eve"), "R1 R2 R3", "%d descriptors: the next login is not harmed",
			(int)n);
	}
}

static void check_flood(void)
{
	struct said said = {0};
	char name[32], path[512];

	start();
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%02d.json", i);
		in_dir(path, dir_a, name);
		write_file(path, SLICE_LIT("{}"));
	}
	load_at(index_path, "dba", NULL, &said);
	tap_int((long long)said.lines, 21, "100 broken files");
	tap_ok(strstr(said.text,
		      "\n80 more grant files are not believed: sessaudit grant check names them\n"),
	       "the rest is counted");
}

static void read_index(struct buf *out)
{
	buf_init(out, INDEX_MAX_BYTES);
	if (fdio_read_file(AT_FDCWD, index_path, INDEX_MAX_BYTES, out, NULL) < 0)
		tap_ok(false, "read the index");
}

/* Bytes of the index changed (of what lies behind its head, each), lengths it could be cut to: the
 * same grants come out. */
static void check_broken(void)
{
	_cleanup_buf_ struct buf image = {0};
	unsigned wrong = 0, said_lines = 0;

	start();
	put(dir_a, "1.json", "R1", DBA);
	put(dir_a, "2.json", "R2", EVE);
	put(dir_b, "3.json", "R3", "\"groups\":[\"ops\"]");
	settle();
	load("dba");
	read_index(&image);
	for (size_t i = 0; i < image.len; i += i < sizeof(struct index_head) ? 7 : 1) {
		struct said said = {0};

		image.data[i] ^= 0x41;
		write_file(index_path, buf_slice(&image));
		chmod(index_path, 0600);
		wrong += strcmp(load_at(index_path, "dba", NULL, &said), "R1 R3") != 0;
		wrong += strcmp(load_at(index_path, "eve", NULL, &said), "R2 R3") != 0;
		said_lines += (unsigned)said.lines;
		image.data[i] ^= 0x41;
	}
	tap_int(wrong, 0, "bytes changed: wrong");
	tap_int(said_lines, 0, "and nothing is said");
	for (size_t i = 0; i < image.len; i += 61) {
		write_file(index_path, (struct slice){image.data, i});
		wrong += strcmp(load("dba"), "R1 R3") != 0;
	}
	tap_int(wrong, 0, "cut off");
	buf_append(&image, "x", 1);
	write_file(index_path, buf_slice(&image));
	tap_str(load("dba"), "R1 R3", "a byte too many");
}

/* Numbers beyond the file, with checksums that fit: only a root that errs could write them. */
static void check_foreign(void)
{
	_cleanup_buf_ struct buf image = {0};
	struct index_head *head;

	start();
	put(dir_a, "1.json", "R1", DBA);
	settle();
	load("dba");
	read_index(&image);
	head = (struct index_head *)(void *)image.data;
	head->bucket_end[INDEX_BUCKETS - 1] = UINT32_MAX;
	index_head_finish(head);
	write_file(index_path, buf_slice(&image));
	tap_str(load("dba"), "R1", "keys beyond the file");
	head->bucket_end[INDEX_BUCKETS - 1] = 2;
	head->records_len = UINT64_MAX - 15;
	index_head_finish(head);
	write_file(index_path, buf_slice(&image));
	tap_str(load("dba"), "R1", "records beyond the file");
	unlink(index_path);
	tap_int(mkfifo(index_path, 0600), 0, "a FIFO");
	tap_str(load("dba"), "R1", "in the index's place");
}

static void check_whose(void)
{
	char other[128];
	struct stat st;

	start();
	put(dir_a, "1.json", "R1", DBA);
	settle();
	load("dba");
	tap_int(stat(index_path, &st), 0, "the index");
	tap_int(st.st_mode & 07777, 0600, "its mode");
	chmod(index_path, 0640);
	check_looks(3, "readable by others: not used");
	check_looks(2, "replaced by ours");
	snprintf(other, sizeof(other), "%s.link", index_path);
	tap_int(link(index_path, other), 0, "with a second name");
	check_looks(3, "not used");
	unlink(other);
	unlink(index_path);
	tap_int(symlink("/dev/null", index_path), 0, "a symbolic link");
	tap_str(load("dba"), "R1", "is not followed");
	check_looks(2, "and replaced");
	if (getuid() != 0) {
		tap_skip("not root", "an index of someone else");
		return;
	}
	tap_int(chown(index_path, 1234, 0), 0, "given away");
	check_looks(3, "of someone else: not used");
}

static void check_unwritable(void)
{
	struct said said = {0};
	char path[128];

	start();
	put(dir_a, "1.json", "R1", DBA);
	snprintf(path, sizeof(path), "%s/none/index", base);
	tap_str(load_at(path, "dba", NULL, &said), "R1", "an index that cannot be written");
	tap_str(said.text,
		"none/index: the index of the grants cannot be kept: create a temporary "
		"file: No such file or directory\n",
		"is reported");
}

/* pam_limits may have set one: writing beyond it would end the login. */
static void check_file_limit(void)
{
	struct rlimit was, small;
	struct said said = {0};
	const char *got;

	start();
	put(dir_a, "1.json", "R1", DBA);
	settle();
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = 0;
	setrlimit(RLIMIT_FSIZE, &small);
	got = load_at(index_path, "dba", NULL, &said);
	setrlimit(RLIMIT_FSIZE, &was);
	tap_str(got, "R1", "no file may be written");
	tap_ok(strstr(said.text, "are over the limit of file sizes\n"), "is reported");
	load("dba");
	boot_ms += GRANT_INDEX_SWEEP_MS;
	setrlimit(RLIMIT_FSIZE, &small);
	got = load("dba");
	setrlimit(RLIMIT_FSIZE, &was);
	tap_str(got, "R1", "nor its time be noted");
	check_looks(3, "so the next login compares");
}

static bool in_group(void *ctx, const char *user, const char *group)
{
	(void)ctx;
	return user[0] == group[0];
}

/* Whichever allocation fails: no memory, or the right answer; never some of the grants. */
static void no_memory(bool fresh)
{
	unsigned long n = 0, wrong = 0;
	bool failed;

	do {
		_cleanup_(grants_free) struct grants g = {0};
		struct grant_query q = {.user = "a", .in_group = in_group};
		int rc;

		if (!fresh)
			unlink(index_path);
		alloc_fail_at(++n);
		rc = grant_index_load(index_path, dirs, &trust, &q, boot_ms, &g, NULL, NULL);
		failed = alloc_failed();
		alloc_fail_at(0);
		wrong += rc == 0 ? g.len != 2 : rc != SA_ERR_NOMEM || g.len != 0;
	} while (failed);
	tap_int((long long)wrong, 0, "%lu allocations failed in turn (%s)", n - 1,
		fresh ? "by the index" : "while it is made");
	tap_ok(n > 20, "enough of them");
}

static void check_no_memory(void)
{
	start();
	put(dir_a, "1.json", "R1", "\"users\":[\"a\"]");
	put(dir_b, "2.json", "R2", "\"groups\":[\"b\",\"a\"]");
	settle();
	no_memory(false);
	load("a");
	no_memory(true);
}

static void check_many(void)
{
	struct said said = {0};
	char name[32];

	start();
	for (int i = 0; i < GRANTS_MAX_FILES + 3; i++) {
		snprintf(name, sizeof(name), "%05d.json", i);
		put(dir_a, name, "R", EVE);
	}
	put(dir_b, "b.json", "B", DBA);
	settle();
	tap_str(load_at(index_path, "dba", NULL, &said), "B", "more files than are read");
	boot_ms += GRANT_INDEX_SWEEP_MS;
	load_at(index_path, "dba", NULL, &said);
	tap_str(said.text, "a: more than 4096 files: the rest is not read\n", "reported once");
	check_looks(2, "and the index is used");
}

/* Several logins at once, while grants come and go. */
static void check_concurrent(void)
{
	int status, bad = 0;

	start();
	put(dir_a, "0.json", "R0", DBA);
	for (int c = 0; c < 4; c++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < 200; i++) {
			boot_ms += i % 50 == 0 ? GRANT_INDEX_SWEEP_MS : 1;
			if (c == 0)
				put_over(dir_b, "1.json", "R1", i & 1 ? DBA : EVE);
			if (strncmp(load("dba"), "R0", 2) != 0)
				_exit(1);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		bad += status != 0;
	tap_int(bad, 0, "four at once always see the grant that stays");
	settle();
	boot_ms += 100 * GRANT_INDEX_SWEEP_MS;
	tap_str(load("dba"), "R0 R1", "and the last one in the end");
}

int main(void)
{
	begin();
	check_broken();
	check_foreign();
	check_whose();
	check_unwritable();
	check_file_limit();
	check_descriptors();
	check_flood();
	check_no_memory();
	check_many();
	check_concurrent();
	end();
	return tap_done();
}
