/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/warden/processes.h"
#include "agent/warden/wards.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

#define BOOT "0a1b2c3d-0000-4000-8000-00000000002a"
#define NOW 1795230000000 /* 2026-11-21T03:00:00Z */

static char dir[] = "/tmp/test_warden-XXXXXX";
static char grant_path[128];

static void test_approval(void)
{
	static const struct {
		const char *name;
		struct approval a;
		enum verdict want;
	} cases[] = {
		{"not approved", {.expires_ms = NOW - 1}, VERDICT_HOLDS},
		{"not approved, grant revoked", {.grant = GRANT_REVOKED}, VERDICT_HOLDS},
		{"no end", {.approved = true}, VERDICT_HOLDS},
		{"a millisecond left", {.approved = true, .expires_ms = NOW + 1}, VERDICT_HOLDS},
		{"over", {.approved = true, .expires_ms = NOW}, VERDICT_EXPIRED},
		{"prolonged",
		 {.approved = true,
		  .expires_ms = NOW - 5,
		  .grant = GRANT_VALID,
		  .grant_expires_ms = NOW + 1},
		 VERDICT_HOLDS},
		{"shortened",
		 {.approved = true,
		  .expires_ms = NOW + 5,
		  .grant = GRANT_VALID,
		  .grant_expires_ms = NOW},
		 VERDICT_EXPIRED},
		{"revoked",
		 {.approved = true, .expires_ms = NOW + 5, .grant = GRANT_REVOKED},
		 VERDICT_REVOKED},
		{"expired and revoked",
		 {.approved = true, .expires_ms = NOW - 5, .grant = GRANT_REVOKED},
		 VERDICT_EXPIRED},
		{"gone just now",
		 {.approved = true, .expires_ms = NOW + 5, .grant = GRANT_GONE, .gone = 1},
		 VERDICT_HOLDS},
		{"gone",
		 {.approved = true, .expires_ms = NOW + 5, .grant = GRANT_GONE, .gone = 2},
		 VERDICT_REVOKED},
		{"unreadable",
		 {.approved = true, .expires_ms = NOW + 5, .grant = GRANT_UNKNOWN},
		 VERDICT_HOLDS},
		{"unreadable after it was prolonged",
		 {.approved = true,
		  .expires_ms = NOW - 5,
		  .grant = GRANT_UNKNOWN,
		  .grant_expires_ms = NOW + 1},
		 VERDICT_HOLDS},
		{"unreadable, and over",
		 {.approved = true, .expires_ms = NOW, .grant = GRANT_UNKNOWN},
		 VERDICT_EXPIRED},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_str(verdict_name(approval_judge(&cases[i].a, NOW)), verdict_name(cases[i].want),
			"%s", cases[i].name);
}

static void test_may_be_ended(void)
{
	const struct process self = {.pid = 77, .ses = 5};
	static const struct {
		const char *name;
		struct process p;
		bool want;
	} cases[] = {
		{"a program of a login", {100, 7, 0x400040}, true},
		{"PID 1", {1, 7, 0}, false},
		{"PID 0", {0, 7, 0}, false},
		{"ourselves", {77, 7, 0}, false},
		{"our own session", {100, 5, 0}, false},
		{"no login", {100, PROCESSES_NO_SES, 0}, false},
		{"a kernel thread", {100, 7, PROCESSES_KERNEL | 0x40}, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_int(process_may_be_ended(&cases[i].p, &self), cases[i].want, "%s",
			cases[i].name);
}

static void test_stat(void)
{
	static const struct {
		const char *text;
		int rc;
		char state;
		unsigned flags;
	} cases[] = {
		{"7 (bash) S 1 7 7 34816 7 4194560 1 2", 0, 'S', 4194560},
		{"7 (a) Z 1 (b) R 1 7 7 0 -1 2129984 0", 0, 'R', 2129984},
		{"7 () Z 1 7 7 0 -1 4228108 0", 0, 'Z', 4228108},
		{"7 (bash) S 1 7 7 0 -1", SA_ERR_INVALID, 0, 0},
		{"7 bash S 1 7 7 0 -1 1", SA_ERR_INVALID, 0, 0},
		{"", SA_ERR_INVALID, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned flags = 0;
		char state = 0;

		tap_int(process_parse_stat(cases[i].text, &state, &flags), cases[i].rc, "\"%s\"",
			cases[i].text);
		tap_int(state, cases[i].state, "state");
		tap_int(flags, cases[i].flags, "flags");
	}
}

static void count(void *ctx, const struct process *p)
{
	const pid_t *look_for = ctx;

	if (p->pid == look_for[0])
		((pid_t *)ctx)[1]++;
}

static void test_processes(void)
{
	_cleanup_close_ int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct process self = {0}, other = {.pid = 1, .ses = PROCESSES_NO_SES};
	pid_t found[2] = {getpid(), 0};

	tap_int(process_read(fd, getpid(), &self), 0, "ourselves");
	tap_int(self.pid, getpid(), "as asked for");
	tap_int(self.flags & PROCESSES_KERNEL, 0, "no kernel thread");
	tap_int(process_read(fd, 0x3fffffff, &other), SA_ERR_NOTFOUND, "a number in nobody's use");
	tap_int(processes_each(fd, &self, count, found, NULL), 0, "all processes");
	tap_int(found[1], 0, "we are not among those to end");
	self.ses = self.ses == PROCESSES_NO_SES ? 1 : self.ses + 1;
	tap_int(process_signal(fd, &self, 0), SA_ERR_NOTFOUND,
		"one that is in another session than it was");
}

static void put_tag(uint32_t ses, enum access_status status, const char *boot, const char *expires,
		    const char *file)
{
	struct tagfile t = {
		.ses = ses,
		.auid = 1000,
		.pid = 4242,
		.time_ms = NOW - 1000,
		.grant_file = (char *)file,
		.tag.access = {.status = status,
			       .source = ACCESS_SOURCE_USER,
			       .request_id = "REQ-1",
			       .grant_id = "g-1",
			       .expires_at = (char *)expires},
	};

	snprintf(t.boot_id, sizeof(t.boot_id), "%s", boot);
	if (tagfile_write(dir, &t, NULL) != 0)
		abort();
}

static void put_grant_of(const char *request, const char *id, const char *expires,
			 const char *revoked)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"%s\",\"request\":{"
			 "\"id\":\"%s\"},\"expires_at\":\"%s\",\"revoked\":%s,"
			 "\"match\":{\"users\":[\"dba\"]}}",
			 id, request, expires, revoked);

	if (fdio_replace_file(AT_FDCWD, grant_path, text, (size_t)n, 0644, NULL) != 0)
		abort();
}

static void put_grant(const char *id, const char *expires, const char *revoked)
{
	put_grant_of("REQ-1", id, expires, revoked);
}

static enum verdict verdict_of(struct wards *w, uint32_t ses)
{
	const struct ward *x;

	wards_refresh(w);
	x = wards_find(w, ses);
	return x ? approval_judge(&x->approval, NOW) : VERDICT_HOLDS;
}

#define IS(ses, want, name) tap_str(verdict_name(verdict_of(w, ses)), want, name)

static void test_grant_file(struct wards *w)
{
	put_grant("g-1", "2026-11-21T04:00:00Z", "false");
	put_tag(7, ACCESS_APPROVED, BOOT, "2026-11-21T04:00:00Z", grant_path);
	IS(7, "holds", "a session with its grant");
	put_grant("g-1", "2026-11-21T02:00:00Z", "false");
	IS(7, "expired", "the grant ends sooner now");
	put_grant("g-1", "2026-11-21T05:00:00Z", "false");
	put_tag(7, ACCESS_APPROVED, BOOT, "2026-11-21T02:00:00Z", grant_path);
	IS(7, "holds", "or later");
	put_grant("g-1", "2026-11-21T05:00:00Z", "true");
	IS(7, "revoked", "it is revoked");
	put_tag(7, ACCESS_APPROVED, BOOT, "2026-11-21T04:00:00Z", grant_path);
	if (fdio_replace_file(AT_FDCWD, grant_path, "{", 1, 0644, NULL) != 0)
		abort();
	IS(7, "holds", "half a file decides nothing");
	IS(7, "holds", "nor does it later");
	if (unlink(grant_path) != 0)
		abort();
	IS(7, "holds", "a file that is gone may come back");
	put_grant("g-1", "2026-11-21T05:00:00Z", "false");
	IS(7, "holds", "it did");
	unlink(grant_path);
	IS(7, "holds", "gone again");
	IS(7, "revoked", "for good");
	put_grant("g-2", "2026-11-21T05:00:00Z", "false");
	IS(7, "revoked", "another grant in its place is not it");
	put_grant_of("REQ-2", "g-1", "2026-11-21T05:00:00Z", "false");
	IS(7, "revoked", "nor one of another request");
	put_grant("g-1", "2026-11-21T05:00:00Z", "false");
	if (chmod(grant_path, 0666) != 0)
		abort();
	IS(7, "holds", "one that anyone could have written decides nothing");
}

static void test_wards(struct wards *w)
{
	put_tag(1, ACCESS_APPROVED, BOOT, "2026-11-21T02:59:59Z", NULL);
	put_tag(2, ACCESS_ID_ONLY, BOOT, "2026-11-21T02:59:59Z", NULL);
	put_tag(3, ACCESS_APPROVED, "0a1b2c3d-0000-4000-8000-00000000002b", "2026-11-21T02:59:59Z",
		NULL);
	put_tag(4, ACCESS_APPROVED, BOOT, "2026-11-21T03:00:01Z", NULL);
	IS(1, "expired", "over");
	IS(2, "holds", "was not approved");
	IS(3, "holds", "of another boot");
	IS(4, "holds", "has a second left");
	put_tag(4, ACCESS_APPROVED, BOOT, "2026-11-21T02:00:00Z", NULL);
	IS(4, "expired", "a tag file that changed is read again");
	w->owner_uid++;
	put_tag(5, ACCESS_APPROVED, BOOT, "2026-11-21T02:00:00Z", NULL);
	IS(5, "holds", "a tag file of somebody else is none");
	w->owner_uid--;
	IS(5, "expired", "ours is");
}

static void test_forget(struct wards *w)
{
	char path[128];

	tap_ok(!wards_untagged(w), "all have their tag files");
	snprintf(path, sizeof(path), "%s/1.json", dir);
	if (unlink(path) != 0)
		abort();
	IS(1, "expired", "a session whose tag file is removed is not saved by that");
	tap_ok(wards_untagged(w), "but noticed");
	wards_find(w, 1)->processes = 1;
	wards_forget(w);
	tap_ok(wards_find(w, 1), "watched while it has a process");
	wards_find(w, 1)->processes = 0;
	wards_forget(w);
	tap_ok(!wards_find(w, 1), "and no longer");
	tap_ok(wards_find(w, 4), "those with a tag file stay");
}

/* The directory is the collector's to write, too: what it puts there must push nobody out. */
static void test_flood(struct wards *w)
{
	char name[32];
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (geteuid() != 0) {
		close(fd);
		tap_skip("needs root", "files of another user");
		return;
	}
	IS(4, "expired", "a session that is watched");
	for (int i = 0; i < WARDS_MAX + 15; i++) {
		snprintf(name, sizeof(name), "%d.json", 1000 + i);
		if (mknodat(fd, name, S_IFREG | 0644, 0) != 0 || fchownat(fd, name, 1, 1, 0) != 0)
			abort();
	}
	for (int round = 0; round < 3; round++)
		IS(4, "expired", "still is among many files");
	put_tag(9, ACCESS_APPROVED, BOOT, "2026-11-21T02:00:00Z", NULL);
	IS(9, "expired", "and a new one, too");
	tap_ok(!wards_find(w, 1000), "none of those is");
	if (fchownat(fd, "9.json", 1, 1, 0) != 0)
		abort();
	IS(9, "expired", "a file put in the place of one changes nothing");
	close(fd);
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
	struct wards w = {.dir = dir,
			  .owner_uid = geteuid(),
			  .boot_id = BOOT,
			  .trust = {.owner_uid = geteuid()}};

	umask(022);
	if (!mkdtemp(dir))
		return 99;
	snprintf(grant_path, sizeof(grant_path), "%s/grant.json", dir);
	test_approval();
	test_may_be_ended();
	test_stat();
	test_processes();
	test_grant_file(&w);
	test_wards(&w);
	test_forget(&w);
	test_flood(&w);
	wards_free(&w);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
