/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/dirs.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define USER "nobody"
#define SHIP "daemon"
#define GRANT "games"

static char top[] = "/tmp/sessaudit-dirs.XXXXXX";
static int base = -1;
static uid_t user_uid, ship_uid, grant_uid; /* root sees owners; others have all to themselves */
static gid_t user_gid, ship_gid, grant_gid;

static void load(struct settings *s, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "[spool]\ndir = %s/var/spool\n[store]\ndir = %s/var/store\n"
		 "[redact]\nkey_file = %s/var/redact.key\n"
		 "[agent]\nrun_dir = %s/run\nuser = " USER "\nship_user = " SHIP "\n%s",
		 top, top, top, top, more);
	if (settings_parse("test", slice_of(text), s, NULL) != 0)
		abort();
}

static bool is(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	mode_t bits = geteuid() == 0 ? 07777 : S_IFMT | 0700;
	struct stat st;

	if (fstatat(base, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return (st.st_mode & (bits | S_IFMT)) == (mode & (bits | S_IFMT)) &&
	       (geteuid() != 0 || (st.st_uid == uid && st.st_gid == gid));
}

static void test_make(const struct settings *s)
{
	const struct {
		const char *path;
		mode_t mode;
		uid_t uid;
		gid_t gid;
	} all[] = {
		{"run", S_IFDIR | 0755, 0, 0},
		{"run/ses", S_IFDIR | 02770, 0, user_gid},
		{"run/ship", S_IFDIR | 0755, ship_uid, ship_gid},
		{"run/collect", S_IFDIR | 0755, user_uid, user_gid},
		{"run/grants.d", S_IFDIR | 0755, 0, 0},
		{"var/spool", S_IFDIR | 0750, user_uid, ship_gid},
		{"var/spool/open", S_IFDIR | 02700, user_uid, ship_gid},
		{"var/spool/state", S_IFDIR | 0700, user_uid, user_gid},
		{"var/spool/tmp", S_IFDIR | 02700, user_uid, ship_gid},
		{"var/spool/ready", S_IFDIR | 02770, user_uid, ship_gid},
		{"var/spool/quarantine", S_IFDIR | 02770, user_uid, ship_gid},
		{"var/spool/sent", S_IFDIR | 02770, user_uid, ship_gid},
		{"var/spool/ship", S_IFDIR | 0700, ship_uid, ship_gid},
		{"var/spool/news", S_IFIFO | 0640, user_uid, ship_gid},
		{"var/store", S_IFDIR | 0750, ship_uid, ship_gid},
		{"var/redact.key", S_IFREG | 0600, user_uid, user_gid},
	};
	struct sa_err err = {0};

	for (int round = 1; round <= 2; round++) {
		tap_int(dirs_make(s, &err), 0, "make, round %d %s", round, err.msg);
		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			tap_ok(is(all[i].path, all[i].mode, all[i].uid, all[i].gid), "%s",
			       all[i].path);
		for (size_t i = 0; i < ARRAY_LEN(all) && geteuid() == 0; i++)
			if (fchownat(base, all[i].path, 1, 1, 0) != 0 ||
			    fchmodat(base, all[i].path, 0700, 0) != 0)
				abort();
		if (geteuid() == 0) /* a store that is there is the admin's */
			(void)!(fchownat(base, "var/store", ship_uid, ship_gid, 0) != 0 ||
				fchmodat(base, "var/store", 0750, 0) != 0);
	}
}

static void test_news(const struct settings *s)
{
	static const char *const names[] = {"a file", "a link", "a directory", "a second name"};
	const char *news = "var/spool/news";
	struct sa_err err = {0};
	struct stat st;

	if (mkfifoat(base, "other", 0600) != 0)
		abort();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unlinkat(base, news, 0);
		if (i == 0)
			close(openat(base, news, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		else if (i == 1   ? symlinkat("../../other", base, news)
			 : i == 2 ? mkdirat(base, news, 0700)
				  : linkat(base, "other", base, news, 0))
			abort();
		tap_int(dirs_make(s, &err), 0, "%s at the place of the FIFO", names[i]);
		tap_ok(is(news, S_IFIFO | 0640, user_uid, ship_gid), "is replaced");
		tap_ok(fstatat(base, "other", &st, 0) == 0 && st.st_uid == geteuid() &&
			       (st.st_mode & 07777) == 0600,
		       "and leads nowhere");
	}
	unlinkat(base, news, 0);
	if (mkdirat(base, news, 0700) != 0 || mkdirat(base, "var/spool/news/x", 0700) != 0)
		abort();
	tap_int(dirs_make(s, &err), 0, "what cannot be removed is logged only");
	unlinkat(base, "var/spool/news/x", AT_REMOVEDIR);
}

static void test_links(const struct settings *s)
{
	static const char *const names[] = {"quarantine", "sent", "ship", "ready"};
	char path[64];
	struct sa_err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "var/spool/%s", names[i]);
		if (unlinkat(base, path, AT_REMOVEDIR) != 0 || symlinkat(top, base, path) != 0)
			abort();
		tap_ok(dirs_make(s, &err) != 0, "a link at the place of %s is refused", names[i]);
		tap_ok(strstr(err.msg, names[i]) != NULL, "said: %s", err.msg);
		unlinkat(base, path, 0);
		tap_int(dirs_make(s, &err), 0, "without it all is well");
	}
}

#define BROKER "[broker]\nurl = https://b/g\nkeys = /etc/k.pem\n"

static void test_broker(const struct settings *without)
{
	struct settings s = {0};
	struct sa_err err = {0};

	tap_ok(faccessat(base, "run/grantd", F_OK, 0) != 0, "no broker, no directory for it");
	load(&s, "grant_user = " GRANT "\n" BROKER);
	for (int round = 1; round <= 2; round++) {
		tap_int(dirs_make(&s, &err), 0, "a broker, round %d %s", round, err.msg);
		tap_ok(is("run/grants.d", S_IFDIR | 01775, 0, grant_gid), "its process may add");
		tap_ok(is("run/grantd", S_IFDIR | 0755, grant_uid, grant_gid), "and has its own");
	}
	tap_int(dirs_make(without, &err), 0, "without it");
	tap_ok(is("run/grants.d", S_IFDIR | 0755, 0, 0), "grants are root's alone again");
	settings_free(&s);
	load(&s, "grant_user = no-such-user\n");
	tap_int(dirs_make(&s, &err), 0, "its user is not looked for without a broker");
	settings_free(&s);
	if (geteuid() != 0)
		return;
	load(&s, "grant_user = no-such-user\n" BROKER);
	tap_int(dirs_make(&s, &err), SA_ERR_NOTFOUND, "and must be there with one");
	tap_ok(strstr(err.msg, "no-such-user does not exist: run systemd-sysusers"), "said: %s",
	       err.msg);
	settings_free(&s);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void find_users(void)
{
	const struct passwd *user = getpwnam(USER);

	if (user) {
		user_uid = user->pw_uid;
		user_gid = user->pw_gid;
	}
	user = getpwnam(SHIP);
	if (user) {
		ship_uid = user->pw_uid;
		ship_gid = user->pw_gid;
	}
	user = getpwnam(GRANT);
	if (user) {
		grant_uid = user->pw_uid;
		grant_gid = user->pw_gid;
	}
}

int main(void)
{
	struct settings s = {0};

	umask(022);
	if (!mkdtemp(top) || (base = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 99;
	find_users();
	load(&s, "");
	test_make(&s);
	test_broker(&s);
	test_news(&s);
	test_links(&s);
	settings_free(&s);
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
