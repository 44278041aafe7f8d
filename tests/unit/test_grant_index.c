/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/access/grant_index.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/grant_dirs.h"

static void check_found(void)
{
	struct said said = {0};

	start();
	put(dir_b, "a.json", "B-A", DBA);
	put(dir_a, "z.json", "A-Z", "\"users\":[\"eve\",\"dba\",\"dba\"]");
	put(dir_a, "c.json", "A-C", DBA ",\"groups\":[\"ops\"]");
	put(dir_a, "g.json", "A-G", "\"groups\":[\"ops\"]");
	put(dir_a, "e.json", "A-E", EVE);
	put(dir_a, "x.json", "A-X", "\"users\":[\"d\"]");
	settle();
	for (int round = 0; round < 3; round++) {
		tap_str(load("dba"), "A-C A-G A-Z B-A", "by user, and groups (%d)", round);
		tap_str(load("nobody"), "A-G", "by groups alone (%d)", round);
		tap_str(load_at(index_path, "nobody", "A-E", &said), "A-E A-G",
			"by request id (%d)", round);
		tap_str(load_at(index_path, "dba", "A-C", &said), "A-C A-G A-Z B-A",
			"by both, once (%d)", round);
		tap_str(load_at(NULL, "dba", "A-E", &said), "A-C A-E A-G A-Z B-A",
			"without an index (%d)", round);
		settle();
	}
	tap_str(said.text, "", "nothing to report");
}

static void check_cost(void)
{
	char name[32];

	start();
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%d.json", i);
		put(dir_a, name, "R", i == 7 ? DBA : EVE);
	}
	settle();
	check_looks(102, "built: every file");
	check_looks(2, "used: the two directories");
	boot_ms += GRANT_INDEX_SWEEP_MS - 1;
	check_looks(2, "just before the interval is over");
	boot_ms += 1;
	check_looks(102, "after it: compared");
	check_looks(2, "used again");
	boot_ms -= 2 * GRANT_INDEX_SWEEP_MS;
	check_looks(102, "a time in the future is not believed");
	trust.signers = NULL;
	check_looks(102, "other keys of the broker: not believed");
	trust.signers = &signers;
	load("dba");
	check_looks(2, "used again");
}

/* Says who is in which group, and how often that was asked. */
static bool in_group(void *ctx, const char *user, const char *group)
{
	unsigned *asked = ctx;

	(*asked)++;
	return user[0] == group[0];
}

static void check_group(const char *index, const char *user, const char *want, unsigned asks)
{
	_cleanup_(grants_free) struct grants g = {0};
	_cleanup_buf_ struct buf ids = {0};
	unsigned asked = 0;
	struct grant_query q = {.user = user, .in_group = in_group, .group_ctx = &asked};

	buf_init(&ids, 4096);
	grant_index_load(index, dirs, &trust, &q, boot_ms, &g, NULL, NULL);
	ids_of(&g, &ids);
	tap_str(buf_cstr(&ids), want, "of the groups of %s", user);
	tap_int(asked, asks, "groups of %s: each is asked for once", user);
}

static void check_groups(void)
{
	start();
	put(dir_a, "1.json", "R1", "\"groups\":[\"aa\"]");
	put(dir_a, "2.json", "R2", "\"groups\":[\"b\",\"aa\",\"bb\"]");
	put(dir_a, "3.json", "R3", "\"groups\":[\"c\"]");
	put(dir_b, "4.json", "R4", "\"users\":[\"a\"],\"groups\":[\"z\"]");
	settle();
	for (int i = 0; i < 2; i++) {
		check_group(index_path, "a", "R1 R2 R4", 4);
		check_group(index_path, "b", "R2", 4);
		check_group(index_path, "c", "R3", 4);
		check_group(index_path, "z", "", 4);
		boot_ms += GRANT_INDEX_SWEEP_MS;
	}
	check_group(NULL, "a", "R1 R2 R4", 3);
	put_over(dir_a, "3.json", "R3", "\"groups\":[\"a\"]");
	check_group(index_path, "a", "R1 R2 R3 R4", 4);
	drop(dir_a, "1.json");
	drop(dir_a, "2.json");
	drop(dir_a, "3.json");
	check_group(index_path, "a", "R4", 0);
}

static void check_changes(void)
{
	char path[512], other[512];

	start();
	put(dir_a, "1.json", "R1", DBA);
	put(dir_a, "2.json", "R2", EVE);
	settle();
	tap_str(load("dba"), "R1", "before");
	put_over(dir_a, "3.json", "R3", DBA);
	tap_str(load("dba"), "R1 R3", "added");
	settle();
	tap_str(load("dba"), "R1 R3", "later");
	put_over(dir_a, "1.json", "R1", EVE);
	tap_str(load("dba"), "R3", "renamed over");
	drop(dir_a, "3.json");
	tap_str(load("dba"), "", "removed");
	in_dir(path, dir_a, "2.json");
	in_dir(other, dir_b, "0.json");
	tap_int(rename(path, other), 0, "moved to the other directory");
	tap_str(load("eve"), "R1 R2", "moved");
	settle();
	load("eve");
	settle();
	put(dir_b, "0.json", "R2", DBA);
	tap_str(load("eve"), "R1", "edited in place: gone at once where it was expected");
	tap_str(load("dba"), "R2", "... and found by whom it is for now");
	settle();
	load("eve");
	put(dir_a, "1.json", "R1", DBA);
	boot_ms += GRANT_INDEX_SWEEP_MS;
	tap_str(load("dba"), "R1 R2", "edited in place: found after the interval");
}

static void check_dirs(void)
{
	struct said said = {0};

	start();
	put(dir_a, "1.json", "R1", DBA);
	put(dir_b, "2.json", "R2", DBA);
	rmdir(dir_b);
	settle();
	load("dba");
	chmod(dir_a, 0777);
	tap_str(load_at(index_path, "dba", NULL, &said), "R2", "a directory that all may write");
	load_at(index_path, "dba", NULL, &said);
	tap_str(said.text, "a: mode 0777: must not be writable by group or others\n",
		"reported once");
	chmod(dir_a, 0755);
	tap_str(load("dba"), "R1 R2", "put right");
	start();
	tap_int(rmdir(dir_b), 0, "a directory is removed");
	put(dir_a, "1.json", "R1", DBA);
	settle();
	tap_str(load("dba"), "R1", "without it");
	check_looks(2, "a missing directory does not hinder");
	mkdir(dir_b, 0755);
	put(dir_b, "2.json", "R2", DBA);
	tap_str(load("dba"), "R1 R2", "it comes back");
}

/* Unfit files: reported when they are found and when they change, not at each login. */
static void check_unfit(void)
{
	struct said said = {0};
	char path[512];

	start();
	put(dir_a, "1.json", "R1", DBA);
	in_dir(path, dir_a, "bad.json");
	write_file(path, SLICE_LIT("{}"));
	in_dir(path, dir_a, "fifo.json");
	tap_int(mknod(path, S_IFIFO | 0600, 0), 0, "a FIFO");
	in_dir(path, dir_a, "sock.json");
	tap_int(mknod(path, S_IFSOCK | 0600, 0), 0, "a socket");
	in_dir(path, dir_a, "link.json");
	tap_int(symlink("1.json", path), 0, "a link");
	for (int i = 0; i < 4; i++) {
		tap_str(load_at(index_path, "dba", NULL, &said), "R1", "round %d", i);
		settle();
		boot_ms += GRANT_INDEX_SWEEP_MS;
	}
	tap_str(said.text,
		"a/bad.json: schema: must be \"sessaudit.grant/1\"\n"
		"a/fifo.json: not a regular file\n"
		"a/link.json: is a symbolic link\n"
		"a/sock.json: open: No such device or address\n",
		"reported once");
	load("dba");
	check_looks(2, "the index is used beside them");
	said = (struct said){0};
	put_over(dir_a, "2.json", "R2", DBA);
	load_at(index_path, "dba", NULL, &said);
	tap_str(said.text, "", "another file changed: not again");
	in_dir(path, dir_a, "bad.json");
	write_file(path, SLICE_LIT("{} "));
	boot_ms += GRANT_INDEX_SWEEP_MS;
	load_at(index_path, "dba", NULL, &said);
	tap_str(said.text, "a/bad.json: schema: must be \"sessaudit.grant/1\"\n",
		"it was changed and is still bad");
	put(dir_a, "bad.json", "R0", DBA);
	boot_ms += GRANT_INDEX_SWEEP_MS;
	tap_str(load("dba"), "R1 R2 R0", "put right");
}

static void check_signed(void)
{
	_cleanup_buf_ struct buf text = {0};
	char path[512], grant[1024];

	start();
	buf_init(&text, 65536);
	grant_text(grant, "S", DBA);
	broker_key_sign(1, slice_of(grant), &text);
	in_dir(path, dir_b, "s.json");
	write_file(path, buf_slice(&text));
	settle();
	tap_str(load("dba"), "S", "signed");
	tap_str(load("dba"), "S", "signed, by the index");
	trust.signers = NULL;
	tap_str(load("dba"), "", "the key was taken away");
	tap_str(load("dba"), "", "the key was taken away, by the index");
	trust.signers = &signers;
	tap_str(load("dba"), "S", "the key is back");
}

/* A file or directory that changes twice within one tick shows the same stamp twice. Both times
 * within it: each round would be missed if the first stamp were believed. */
static void check_racy(void)
{
	unsigned missed_file = 0, missed_dir = 0;

	tick_ns = 16000000;
	for (int i = 0; i < 60; i++) {
		start();
		put(dir_a, "1.json", "R1", EVE);
		put(dir_a, "2.json", "R2", EVE);
		load("dba");
		put(dir_a, "1.json", "R1", DBA);
		boot_ms += GRANT_INDEX_SWEEP_MS;
		missed_file += strcmp(load("dba"), "R1") != 0;
		put_over(dir_a, "2.json", "R2", DBA);
		missed_dir += strcmp(load("dba"), "R1 R2") != 0;
	}
	tick_ns = 0;
	tap_int(missed_file, 0, "edited in the tick of the index: missed");
	tap_int(missed_dir, 0, "replaced in the tick of the index: missed");
}

/* xorshift, so that a failure comes again. */
static uint64_t random_state = 88172645463325252;

static unsigned pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % n);
}

static void random_who(char out[128])
{
	unsigned n = pick(4);

	switch (pick(5)) {
	case 0:
		snprintf(out, 128, "\"users\":[\"u%u\",\"u1\"]", n);
		break;
	case 1:
		snprintf(out, 128, "\"groups\":[\"g%u\"]", n);
		break;
	case 2:
		snprintf(out, 128, "\"users\":[\"u%u\"],\"groups\":[\"g\"]", n);
		break;
	default:
		snprintf(out, 128, "\"users\":[\"u%u\"]", n);
	}
}

static void random_change(void)
{
	const char *dir = dirs[pick(2)];
	char name[32], id[32], who[128], path[512], to[512];

	snprintf(name, sizeof(name), "%u.json", pick(12));
	snprintf(id, sizeof(id), "R%u", pick(6));
	random_who(who);
	in_dir(path, dir, name);
	switch (pick(8)) {
	case 0:
		unlink(path);
		break;
	case 1:
		in_dir(to, dirs[pick(2)], "5.json");
		(void)rename(path, to);
		break;
	case 2:
		write_file(path, SLICE_LIT("{\"schema\":"));
		break;
	case 3:
		(void)chmod(path, pick(2) ? 0666 : 0644);
		break;
	case 4:
		put(dir, name, id, who); /* in place */
		break;
	default:
		put_over(dir, name, id, who);
	}
}

static bool grant_wanted(const struct grant *g, const char *user, const char *id)
{
	bool wanted = g->users.len == 0 || strcmp(g->access.request_id, id) == 0;

	for (size_t i = 0; i < g->users.len; i++)
		wanted |= strcmp(g->users.items[i], user) == 0;
	return wanted;
}

/* What the index must give: all grants read, and those taken that are wanted. */
static void expect(const char *user, const char *id, struct buf *out)
{
	_cleanup_(grants_free) struct grants g = {0};

	grants_load(dirs, &trust, &g, NULL, NULL);
	for (size_t i = 0; i < g.len; i++)
		if (grant_wanted(g.items[i], user, id))
			buf_printf(out, "%s%s", out->len ? " " : "",
				   g.items[i]->access.grant_sha256);
}

static bool same_as_all(const char *user, const char *id)
{
	_cleanup_(grants_free) struct grants g = {0};
	_cleanup_buf_ struct buf want = {0}, got = {0};
	char *ids[] = {(char *)(uintptr_t)id};
	struct grant_query q = {.user = user, .request_ids = ids, .n_request_ids = 1};

	buf_init(&want, 1 << 20);
	buf_init(&got, 1 << 20);
	expect(user, id, &want);
	if (grant_index_load(index_path, dirs, &trust, &q, boot_ms, &g, NULL, NULL) < 0)
		return false;
	for (size_t i = 0; i < g.len; i++)
		buf_printf(&got, "%s%s", i ? " " : "", g.items[i]->access.grant_sha256);
	return slice_eq(buf_slice(&want), buf_slice(&got));
}

/* Whatever happens to the directories: after a change the interval passes, then the index gives
 * what reading everything gives. Blurred stamps make each change a race. */
static void check_random(void)
{
	unsigned wrong = 0, n = 0;
	char user[8], id[8];

	start();
	tick_ns = 16000000;
	for (int i = 0; i < 600; i++) {
		for (unsigned k = pick(4); k > 0; k--)
			random_change();
		if (pick(20) == 0)
			settle();
		boot_ms += GRANT_INDEX_SWEEP_MS;
		for (unsigned k = 1 + pick(3); k > 0; k--, n++) {
			snprintf(user, sizeof(user), "u%u", pick(5));
			snprintf(id, sizeof(id), "R%u", pick(7));
			wrong += !same_as_all(user, id);
			boot_ms += pick(100);
		}
	}
	tick_ns = 0;
	tap_int(wrong, 0, "%u look-ups between random changes: not what reading all gives", n);
}

int main(void)
{
	begin();
	check_found();
	check_cost();
	check_groups();
	check_changes();
	check_dirs();
	check_unfit();
	check_signed();
	check_racy();
	check_random();
	end();
	return tap_done();
}
