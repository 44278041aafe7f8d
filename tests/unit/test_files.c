/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/collector/inodes.h"
#include "agent/collector/open_flags.h"
#include "agent/collector/self.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "tests/unit/entry_feed.h"
#include "tests/unit/tap.h"

/* Calls on files, of rights, and on what is the agent's own. The records are those that Linux 6.18
 * made of these calls, with shorter names. */

#define CWD "CWD cwd=\"/w\""
#define DEV " dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype="
#define ROOT " uid=0 gid=0 euid=0 suid=0 egid=0"
#define MAX_RECORDS 8

struct one {
	const char *name, *call, *records[MAX_RECORDS];
	const char *want; /* NULL: no entry */
};

static struct settings settings;

static void run(const struct one *cases, size_t n, struct self_facts *self)
{
	struct feed f;
	size_t seen = 0;

	feed_open(&f, &settings, self);
	feed_login(&f, 1);
	feed_expect(&f, 1, &seen,
		    (const char *const[]){"session_start success sshd service=sshd", NULL},
		    "login");
	for (size_t i = 0; i < n; i++) {
		const char *want[] = {cases[i].want, NULL};

		feed_call(&f, 1, cases[i].call, cases[i].records);
		feed_expect(&f, 1, &seen, want, cases[i].name);
	}
	feed_close(&f);
}

static void test_open(void)
{
	static const struct one cases[] = {
		{"made anew",
		 "syscall=257 success=yes exit=3 a0=ffffff9c a1=7f a2=80241 a3=1a0 items=2",
		 {CWD, "PATH item=0 name=\"/d/\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"/d/a\" inode=2" DEV "CREATE"},
		 "file create success /d/a flags=O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC mode=0640"},
		{"a relative one",
		 "syscall=257 success=yes exit=3 a0=ffffff9c a1=a5 a2=80001 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"a\" inode=2" DEV "NORMAL"},
		 "file write success /w/a flags=O_WRONLY|O_CLOEXEC"},
		{"below a directory",
		 "syscall=257 success=yes exit=3 a0=ffffff9c a1=7f a2=800c2 a3=180 items=2",
		 {CWD, "PATH item=0 name=\"s/../s/\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"s/../s/b\" inode=2" DEV "CREATE"},
		 "file create success /w/s/b flags=O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC mode=0600"},
		{"there already",
		 "syscall=2 success=yes exit=3 a0=7f a1=442 a2=180 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"a\" inode=2" DEV "NORMAL"},
		 "file write success /w/a flags=O_RDWR|O_CREAT|O_APPEND mode=0600"},
		{"emptied",
		 "syscall=2 success=yes exit=3 a0=7f a1=241 a2=1b6 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"a\" inode=2" DEV "NORMAL"},
		 "file truncate success /w/a flags=O_WRONLY|O_CREAT|O_TRUNC mode=0666"},
		{"read",
		 "syscall=2 success=yes exit=3 a0=7f a1=0 a2=0 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"/etc/shadow\" inode=2" DEV "NORMAL"},
		 "file open success /etc/shadow flags=O_RDONLY"},
		{"by dirfd: the PARENT's name is a lie",
		 "syscall=257 success=yes exit=4 a0=3 a1=a5 a2=80041 a3=1a4 items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"c\" inode=2" DEV "CREATE"},
		 "file create success c flags=O_WRONLY|O_CREAT|O_CLOEXEC mode=0644"},
		{"by dirfd, absolute all the same",
		 "syscall=257 success=yes exit=4 a0=3 a1=a5 a2=1 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"/etc/x\" inode=2" DEV "NORMAL"},
		 "file write success /etc/x flags=O_WRONLY"},
		{"not there",
		 "syscall=257 success=no exit=-2 a0=ffffff9c a1=7f a2=80041 a3=1a4 items=1",
		 {CWD, "PATH item=0 name=\"/n/x\" nametype=UNKNOWN"},
		 "file create failure /n/x flags=O_WRONLY|O_CREAT|O_CLOEXEC mode=0644 "
		 "error=ENOENT"},
		{"not allowed",
		 "syscall=257 success=no exit=-13 a0=ffffff9c a1=7f a2=80000 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"/etc/shadow\" inode=2" DEV "NORMAL"},
		 "file open failure /etc/shadow flags=O_RDONLY|O_CLOEXEC error=EACCES"},
		{"creat",
		 "syscall=85 success=yes exit=4 a0=7f a1=184 a2=7f a3=0 items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"d2\" inode=2" DEV "CREATE"},
		 "file create success /w/d2 mode=0604"},
		{"creat of what is there",
		 "syscall=85 success=yes exit=4 a0=7f a1=184 a2=7f a3=0 items=1",
		 {CWD, "PATH item=0 name=\"d2\" inode=2" DEV "NORMAL"},
		 "file truncate success /w/d2 mode=0604"},
		{"openat2",
		 "syscall=437 success=yes exit=6 a0=ffffffffffffff9c a1=7f a2=7f a3=18 items=2",
		 {"OPENAT2 oflag=02000101 mode=0644 resolve=0x0", CWD,
		  "PATH item=0 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"o2\" inode=2" DEV "CREATE"},
		 "file create success /w/o2 flags=O_WRONLY|O_CREAT|O_CLOEXEC mode=0644"},
		{"a file without a name",
		 "syscall=257 success=yes exit=7 a0=ffffff9c a1=a5 a2=490002 a3=180 items=1",
		 {CWD, "PATH item=0 name=\".\" inode=3" DEV "NORMAL"},
		 "file create success /w/ flags=O_RDWR|O_TMPFILE|O_CLOEXEC mode=0600"},
		{"a name with blanks",
		 "syscall=2 success=yes exit=3 a0=7f a1=1 a2=0 a3=0 items=1",
		 {"CWD cwd=2F6F6120646972", "PATH item=0 name=61206209 inode=2" DEV "NORMAL"},
		 "file write success /oa dir/a b\t flags=O_WRONLY"},
		{"no record of a file",
		 "syscall=77 success=yes exit=0 a0=5 a1=5 a2=0 a3=0 items=0",
		 {NULL},
		 NULL},
		{"32 bit",
		 "arch=40000003 syscall=5 success=yes exit=3 a0=7f a1=8041 a2=1b6 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"a\" inode=2" DEV "CREATE"},
		 "file create success /w/a flags=O_WRONLY|O_CREAT|O_LARGEFILE mode=0666"},
		{"a directory that is gone",
		 "syscall=257 success=no exit=-2 a0=ffffff9c a1=7f a2=41 a3=1ff items=1",
		 {"CWD cwd=2F67202864656C6574656429", "PATH item=0 name=\"zz\" nametype=UNKNOWN"},
		 "file create failure /g (deleted)/zz flags=O_WRONLY|O_CREAT mode=0777 "
		 "error=ENOENT"},
	};

	run(cases, ARRAY_LEN(cases), NULL);
}

static void test_names(void)
{
	static const struct one cases[] = {
		{"rename: both names are in their own records",
		 "syscall=82 success=yes exit=0 a0=a5 a1=7f a2=0 a3=7f items=4",
		 {CWD, "PATH item=0 name=\"/o/\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=2 name=\"a\" inode=2" DEV "DELETE",
		  "PATH item=3 name=\"/o/a2\" inode=2" DEV "CREATE"},
		 "file rename success /w/a to=/o/a2"},
		{"rename over another",
		 "syscall=82 success=yes exit=0 a0=7f a1=7f a2=0 a3=7f items=5",
		 {CWD, "PATH item=0 name=\"../o/\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=2 name=\"d2\" inode=3" DEV "DELETE",
		  "PATH item=3 name=\"../o/a2\" inode=2" DEV "DELETE",
		  "PATH item=4 name=\"../o/a2\" inode=3" DEV "CREATE"},
		 "file rename success /w/d2 to=/o/a2"},
		{"renameat to a dirfd",
		 "syscall=264 success=yes exit=0 a0=ffffff9c a1=7f a2=3 a3=7f items=4",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"sub/\" inode=1" DEV "PARENT",
		  "PATH item=2 name=\"sub/b\" inode=2" DEV "DELETE",
		  "PATH item=3 name=\"b2\" inode=2" DEV "CREATE"},
		 "file rename success /w/sub/b to=b2"},
		{"renameat2 that exchanges",
		 "syscall=316 success=yes exit=0 a0=ffffffffffffff9c a1=7f a2=3 a3=7f items=6",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"../o/\" inode=9" DEV "PARENT",
		  "PATH item=2 name=\"../o/a2\" inode=2" DEV "DELETE",
		  "PATH item=3 name=\"b2\" inode=3" DEV "DELETE",
		  "PATH item=4 name=\"b2\" inode=2" DEV "CREATE",
		  "PATH item=5 name=\"../o/a2\" inode=3" DEV "CREATE"},
		 "file rename success /o/a2 to=b2"},
		{"a rename that failed leaves the directories",
		 "syscall=82 success=no exit=-2 a0=7f a1=7f a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"/w\" inode=1" DEV "PARENT"},
		 "file rename failure /w/ to=/w/ error=ENOENT"},
		{"symlink",
		 "syscall=88 success=yes exit=0 a0=7f a1=7f a2=0 a3=7f items=3",
		 {CWD, "PATH item=0 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"../etc/passwd\" nametype=UNKNOWN",
		  "PATH item=2 name=\"sl\" inode=2" DEV "CREATE"},
		 "file symlink success /w/sl to=../etc/passwd"},
		{"symlinkat",
		 "syscall=266 success=yes exit=0 a0=7f a1=3 a2=7f a3=7f items=3",
		 {CWD, "PATH item=0 name=\"/w\" inode=77" DEV "PARENT",
		  "PATH item=1 name=\"t\" nametype=UNKNOWN",
		  "PATH item=2 name=\"sl\" inode=2" DEV "CREATE"},
		 "file symlink success sl to=t"},
		{"link",
		 "syscall=86 success=yes exit=0 a0=7f a1=7f a2=0 a3=7f items=3",
		 {CWD, "PATH item=0 name=\"/w\" inode=77" DEV "PARENT",
		  "PATH item=1 name=\"../o/a2\" inode=2" DEV "NORMAL",
		  "PATH item=2 name=\"hl\" inode=2" DEV "CREATE"},
		 "file link success /o/a2 to=/w/hl"},
		{"link to a name that is taken",
		 "syscall=86 success=no exit=-17 a0=7f a1=7f a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"../o/a2\" inode=2" DEV "NORMAL"},
		 "file link failure /o/a2 to=/w/ error=EEXIST"},
		{"unlink",
		 "syscall=87 success=yes exit=0 a0=7f a1=0 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"ff\" inode=2" DEV "DELETE"},
		 "file delete success /w/ff"},
		{"unlink of what is not there",
		 "syscall=87 success=no exit=-2 a0=7f a1=0 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"/etc/\" inode=1" DEV "PARENT"},
		 "file delete failure /etc/ error=ENOENT"},
		{"unlinkat by dirfd",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"c\" inode=2" DEV "DELETE"},
		 "file delete success c"},
		{"... of what is not there: nothing is known but where",
		 "syscall=263 success=no exit=-2 a0=3 a1=a5 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT"},
		 "file delete failure inode 9 of device fe:00 nopath error=ENOENT"},
		{"unlinkat that removes a directory",
		 "syscall=263 success=yes exit=0 a0=ffffff9c a1=7f a2=200 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"nd\" inode=2" DEV "DELETE"},
		 "file rmdir success /w/nd"},
		{"mkdir",
		 "syscall=83 success=yes exit=0 a0=7f a1=1e8 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"nd\" inode=2" DEV "CREATE"},
		 "file mkdir success /w/nd mode=0750"},
		{"mknodat",
		 "syscall=259 success=yes exit=0 a0=ffffff9c a1=7f a2=11b6 a3=0 items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"ff\" inode=2" DEV "CREATE"},
		 "file mknod success /w/ff mode=0666"},
		{"chmod",
		 "syscall=90 success=yes exit=0 a0=7f a1=9ed a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"hl\" inode=2" DEV "NORMAL"},
		 "file chmod success /w/hl mode=4755"},
		{"fchmodat by dirfd",
		 "syscall=268 success=yes exit=0 a0=3 a1=a5 a2=180 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"c\" inode=2" DEV "NORMAL"},
		 "file chmod success c mode=0600"},
		{"fchmod has no name",
		 "syscall=91 success=yes exit=0 a0=5 a1=180 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=(null) inode=11007070" DEV "NORMAL"},
		 "file chmod success inode 11007070 of device fe:00 nopath mode=0600"},
		{"fchownat of a descriptor",
		 "syscall=260 success=yes exit=0 a0=5 a1=a5 a2=1 a3=1 items=1",
		 {CWD, "PATH item=0 name=\"\" inode=7" DEV "NORMAL"},
		 "file chown success inode 7 of device fe:00 nopath"},
		{"chown",
		 "syscall=92 success=yes exit=0 a0=7f a1=2 a2=3 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"hl\" inode=2" DEV "NORMAL"},
		 "file chown success /w/hl"},
		{"truncate",
		 "syscall=76 success=yes exit=0 a0=7f a1=3 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"hl\" inode=2" DEV "NORMAL"},
		 "file truncate success /w/hl"},
		{"setxattr",
		 "syscall=188 success=yes exit=0 a0=7f a1=7f a2=a5 a3=1 items=1",
		 {CWD, "PATH item=0 name=\"hl\" inode=2" DEV "NORMAL"},
		 "file setxattr success /w/hl"},
		{"removexattr",
		 "syscall=197 success=yes exit=0 a0=7f a1=7f a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"hl\" inode=2" DEV "NORMAL"},
		 "file removexattr success /w/hl"},
		{"utimensat",
		 "syscall=280 success=yes exit=0 a0=ffffff9c a1=7f a2=0 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"hl\" inode=2" DEV "NORMAL"},
		 "file utime success /w/hl"},
		{"no working directory",
		 "syscall=90 success=yes exit=0 a0=7f a1=180 a2=0 a3=7f items=1",
		 {"PATH item=0 name=\"hl\" inode=2" DEV "NORMAL"},
		 "file chmod success hl mode=0600"},
	};

	run(cases, ARRAY_LEN(cases), NULL);
}

/* Records without a whole path, after others that had one. */
static void test_inodes(void)
{
	static const struct one cases[] = {
		{"a directory is made",
		 "syscall=83 success=yes exit=0 a0=7f a1=1ed a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/d/\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"/d/sub\" inode=2 dev=fe:00 mode=040755 nametype=CREATE"},
		 "file mkdir success /d/sub mode=0755"},
		{"a file in it, by dirfd",
		 "syscall=257 success=yes exit=4 a0=3 a1=a5 a2=41 a3=1a4 items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=2" DEV "PARENT",
		  "PATH item=1 name=\"c\" inode=3" DEV "CREATE"},
		 "file create success /d/sub/c flags=O_WRONLY|O_CREAT mode=0644 "
		 "cause=path_by_inode"},
		{"that file by descriptor",
		 "syscall=91 success=yes exit=0 a0=5 a1=180 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=(null) inode=3" DEV "NORMAL"},
		 "file chmod success /d/sub/c mode=0600 cause=path_by_inode"},
		{"by dirfd without a record of the directory",
		 "syscall=268 success=yes exit=0 a0=3 a1=a5 a2=180 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"c\" inode=3" DEV "NORMAL"},
		 "file chmod success /d/sub/c mode=0600 cause=path_by_inode"},
		{"... where the name is another",
		 "syscall=268 success=yes exit=0 a0=3 a1=a5 a2=180 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"x\" inode=3" DEV "NORMAL"},
		 "file chmod success x mode=0600"},
		{"another device",
		 "syscall=91 success=yes exit=0 a0=5 a1=180 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=(null) inode=3 dev=fe:01 mode=0100644 nametype=NORMAL"},
		 "file chmod success inode 3 of device fe:01 nopath mode=0600"},
		{"in that directory, of what is not there",
		 "syscall=263 success=no exit=-2 a0=3 a1=a5 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"/w\" inode=2" DEV "PARENT"},
		 "file delete failure /d/sub/ error=ENOENT cause=path_by_inode"},
		{"the directory above is known too",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=1" DEV "PARENT",
		  "PATH item=1 name=\"f\" inode=9" DEV "DELETE"},
		 "file delete success /d/f cause=path_by_inode"},
		{"a link of a file by dirfd: the PARENT is that of the new name",
		 "syscall=265 success=yes exit=0 a0=8 a1=7f a2=ffffff9c a3=7f items=3",
		 {CWD, "PATH item=0 name=\"/d/sub/\" inode=2" DEV "PARENT",
		  "PATH item=1 name=\"y\" inode=20" DEV "NORMAL",
		  "PATH item=2 name=\"/d/sub/z\" inode=20" DEV "CREATE"},
		 "file link success y to=/d/sub/z"},
		{"a link by names: the same",
		 "syscall=86 success=yes exit=0 a0=7f a1=7f a2=0 a3=7f items=3",
		 {CWD, "PATH item=0 name=\"/q/\" inode=40" DEV "PARENT",
		  "PATH item=1 name=\"/r/y\" inode=41" DEV "NORMAL",
		  "PATH item=2 name=\"/q/z\" inode=41" DEV "CREATE"},
		 "file link success /r/y to=/q/z"},
		{"in the directory of the new name",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=40" DEV "PARENT",
		  "PATH item=1 name=\"k\" inode=42" DEV "DELETE"},
		 "file delete success /q/k cause=path_by_inode"},
		{"a name with .., which links may bend",
		 "syscall=83 success=yes exit=0 a0=7f a1=1ed a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/l/../\" inode=50" DEV "PARENT",
		  "PATH item=1 name=\"/l/../m\" inode=51 dev=fe:00 mode=040755 nametype=CREATE"},
		 "file mkdir success /m mode=0755"},
		{"teaches nothing",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=51" DEV "PARENT",
		  "PATH item=1 name=\"k\" inode=42" DEV "DELETE"},
		 "file delete success k"},
		{"a new file has no earlier name",
		 "syscall=257 success=yes exit=4 a0=8 a1=a5 a2=41 a3=1a4 items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=88" DEV "PARENT",
		  "PATH item=1 name=\"z\" inode=20" DEV "CREATE"},
		 "file create success z flags=O_WRONLY|O_CREAT mode=0644"},
		{"the directory is moved",
		 "syscall=82 success=yes exit=0 a0=a5 a1=7f a2=0 a3=7f items=4",
		 {CWD, "PATH item=0 name=\"/e/\" inode=4" DEV "PARENT",
		  "PATH item=1 name=\"/d/\" inode=1" DEV "PARENT",
		  "PATH item=2 name=\"/d/sub\" inode=2 dev=fe:00 mode=040755 nametype=DELETE",
		  "PATH item=3 name=\"/e/new\" inode=2 dev=fe:00 mode=040755 nametype=CREATE"},
		 "file rename success /d/sub to=/e/new"},
		{"a file in it has another path now",
		 "syscall=91 success=yes exit=0 a0=5 a1=180 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=(null) inode=3" DEV "NORMAL"},
		 "file chmod success inode 3 of device fe:00 nopath mode=0600"},
		{"but where it is, is known",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=2" DEV "PARENT",
		  "PATH item=1 name=\"c\" inode=3" DEV "DELETE"},
		 "file delete success /e/new/c cause=path_by_inode"},
		{"removed",
		 "syscall=84 success=yes exit=0 a0=7f a1=0 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/e/\" inode=4" DEV "PARENT",
		  "PATH item=1 name=\"/e/new\" inode=2 dev=fe:00 mode=040755 nametype=DELETE"},
		 "file rmdir success /e/new"},
		{"its inode may be another's now",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=2" DEV "PARENT",
		  "PATH item=1 name=\"c\" inode=3" DEV "DELETE"},
		 "file delete success c"},
		{"a file that is deleted",
		 "syscall=87 success=yes exit=0 a0=7f a1=0 a2=0 a3=7f items=2",
		 {CWD, "PATH item=0 name=\"/w\" inode=5" DEV "PARENT",
		  "PATH item=1 name=\"ff\" inode=6" DEV "DELETE"},
		 "file delete success /w/ff"},
		{"has no name",
		 "syscall=91 success=yes exit=0 a0=5 a1=180 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=(null) inode=6" DEV "NORMAL"},
		 "file chmod success inode 6 of device fe:00 nopath mode=0600"},
		{"a link through /proc is no name",
		 "syscall=2 success=yes exit=3 a0=7f a1=1 a2=0 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"/proc/self/fd/5\" inode=7" DEV "NORMAL"},
		 "file write success /proc/self/fd/5 flags=O_WRONLY"},
		{"so this is not known",
		 "syscall=91 success=yes exit=0 a0=5 a1=180 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=(null) inode=7" DEV "NORMAL"},
		 "file chmod success inode 7 of device fe:00 nopath mode=0600"},
	};

	run(cases, ARRAY_LEN(cases), NULL);
}

static unsigned count_known(const struct inodes *t, bool *right)
{
	unsigned n = 0;

	for (int i = 0; i < 3 * INODES_MAX; i++) {
		char inode[16], path[32];
		struct slice found;

		snprintf(inode, sizeof(inode), "%d", i);
		snprintf(path, sizeof(path), "/p/%d", i);
		found = inodes_find(t, SLICE_LIT("fe:00"), slice_of(inode));
		*right &= !found.ptr || slice_is(found, path);
		n += found.ptr != NULL;
	}
	return n;
}

static void test_inode_table(void)
{
	struct inodes *t = inodes_new();
	char inode[16], path[INODES_PATH_MAX + 1];
	bool right = true;
	unsigned n;

	for (int i = 0; i < 3 * INODES_MAX; i++) {
		snprintf(inode, sizeof(inode), "%d", i);
		snprintf(path, sizeof(path), "/p/%d", i);
		inodes_put(t, SLICE_LIT("fe:00"), slice_of(inode), slice_of(path));
	}
	n = count_known(t, &right);
	tap_ok(right, "none has the path of another");
	tap_ok(n > INODES_MAX / 2 && n <= INODES_MAX, "bounded: %u", n);
	inodes_forget(t, SLICE_LIT("/q"));
	tap_int(count_known(t, &right), n, "another directory");
	inodes_forget(t, SLICE_LIT("/p"));
	tap_int(count_known(t, &right), 0, "all below are forgotten");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	inodes_put(t, SLICE_LIT("fe:00"), SLICE_LIT("5"), (struct slice){path, sizeof(path)});
	tap_ok(!inodes_find(t, SLICE_LIT("fe:00"), SLICE_LIT("5")).ptr, "too long a path");
	inodes_put(t, SLICE_LIT("fe:00"), SLICE_LIT("x"), SLICE_LIT("/a"));
	inodes_put(t, SLICE_LIT("a device of a name"), SLICE_LIT("5"), SLICE_LIT("/a"));
	inodes_put(t, SLICE_NONE, SLICE_NONE, SLICE_LIT("/a"));
	tap_int(count_known(t, &right), 0, "fields that are none");
	inodes_free(t);
}

static void test_flags(void)
{
	static const struct {
		uint32_t arch;
		uint64_t bits;
		const char *text;
	} cases[] = {
		{0xc000003e, 0, "O_RDONLY"},
		{0xc000003e, 0x30002, "O_RDWR|O_DIRECTORY|O_NOFOLLOW"},
		{0xc000003e, 0xc000, "O_RDONLY|O_DIRECT|O_LARGEFILE"},
		{0xc00000b7, 0xc000, "O_RDONLY|O_DIRECTORY|O_NOFOLLOW"},
		{0xc00000b7, 0x30000, "O_RDONLY|O_DIRECT|O_LARGEFILE"},
		{0xc0000015, 0x30000, "O_RDONLY|O_DIRECT|O_LARGEFILE"},
		{0xc0000015, 0x10000, "O_RDONLY|O_LARGEFILE"},
		{0xc00000b7, 0x404002, "O_RDWR|O_TMPFILE"},
		{0xc000003e, 0x101000, "O_RDONLY|O_SYNC"},
		{0xc000003e, 0x1000, "O_RDONLY|O_DSYNC"},
		{0xc000003e, 0x200000, "O_RDONLY|O_PATH"},
		{0xc000003e, 3, "O_ACCMODE"},
		{0xc000003e, 0x80000041, "O_WRONLY|O_CREAT|0x80000000"},
		{0x08, 0x301, "O_WRONLY|0x300"}, /* mips has values of its own */
		{0xc000003e, UINT64_MAX,
		 "O_ACCMODE|O_CREAT|O_EXCL|O_NOCTTY|O_TRUNC|O_APPEND|O_NONBLOCK|O_SYNC|O_ASYNC|"
		 "O_DIRECT|O_LARGEFILE|O_TMPFILE|O_NOFOLLOW|O_NOATIME|O_CLOEXEC|O_PATH|"
		 "0xffffffffff80003c"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct open_flags f;

		open_flags_read(cases[i].arch, cases[i].bits, &f);
		tap_str(f.text, cases[i].text, "flags %llx of %x",
			(unsigned long long)cases[i].bits, cases[i].arch);
	}
}

static void test_privilege(void)
{
	static const struct one cases[] = {
		{"an effective id that goes and comes",
		 "syscall=117 success=yes exit=0 a0=ffffffff a1=1 a2=ffffffff a3=7f items=0 uid=0 "
		 "gid=0 euid=1 suid=0 egid=0",
		 {NULL},
		 NULL},
		{"for good",
		 "syscall=117 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0" ROOT,
		 {NULL},
		 "privilege setresuid success root user=root for=root"},
		{"the login's own user again",
		 "syscall=105 success=yes exit=0 a0=3e9 a1=7f a2=1 a3=7f items=0",
		 {NULL},
		 NULL},
		{"another user",
		 "syscall=105 success=yes exit=0 a0=3ea a1=7f a2=1 a3=7f items=0 uid=1002 "
		 "gid=1002 euid=1002 suid=1002 egid=1002",
		 {NULL},
		 "privilege setuid success 1002 user=1002 for=1002"},
		{"tried",
		 "syscall=105 success=no exit=-1 a0=0 a1=7f a2=1 a3=7f items=0",
		 {NULL},
		 "privilege setuid failure root error=EPERM for=root"},
		{"tried, effective only",
		 "syscall=117 success=no exit=-1 a0=ffffffff a1=0 a2=ffffffff a3=7f items=0",
		 {NULL},
		 "privilege setresuid failure root error=EPERM for=root"},
		{"tried, saved only",
		 "syscall=117 success=no exit=-1 a0=ffffffff a1=ffffffff a2=3ea a3=7f items=0",
		 {NULL},
		 "privilege setresuid failure 1002 error=EPERM for=1002"},
		{"32 bit",
		 "arch=40000003 syscall=213 success=no exit=-1 a0=0 a1=0 a2=0 a3=0 items=0",
		 {NULL},
		 "privilege setuid failure root error=EPERM for=root"},
		{"root's programs set groups",
		 "syscall=116 success=yes exit=0 a0=2 a1=7f a2=ffffffff a3=7f items=0" ROOT,
		 {NULL},
		 NULL},
		{"a group",
		 "syscall=106 success=no exit=-1 a0=7 a1=7f a2=0 a3=7f items=0",
		 {NULL},
		 "privilege setgid failure group 7 error=EPERM"},
		{"groups",
		 "syscall=116 success=no exit=-1 a0=2 a1=7f a2=0 a3=7f items=0",
		 {NULL},
		 "privilege setgroups failure groups error=EPERM"},
		{"capabilities",
		 "syscall=126 success=yes exit=0 a0=7f a1=7f a2=7f a3=7f items=0",
		 {"CAPSET pid=70 cap_pi=0 cap_pp=000001fffeffffff cap_pe=0000000000002000 cap_pa=0"},
		 "privilege capset success capabilities new=0000000000002000 cause=effective"},
		{"a module",
		 "syscall=313 success=yes exit=0 a0=3 a1=7f a2=0 a3=7f items=1" ROOT,
		 {"KERN_MODULE name=\"vfat\""},
		 "privilege module_load success vfat user=root"},
		{"a module that cannot be taken out",
		 "syscall=176 success=no exit=-16 a0=7f a1=800 a2=5d a3=38 items=0" ROOT,
		 {"KERN_MODULE name=\"ext4\""},
		 "privilege module_unload failure ext4 error=EBUSY user=root"},
		{"a mount whose device no record says",
		 "syscall=165 success=yes exit=0 a0=7f a1=7f a2=7f a3=6 items=1" ROOT,
		 {CWD, "PATH item=0 name=\"/mnt\" inode=13" DEV "NORMAL"},
		 "privilege mount success /mnt to=/mnt user=root"},
		{"a bind mount",
		 "syscall=165 success=yes exit=0 a0=7f a1=7f a2=0 a3=1000 items=2" ROOT,
		 {CWD, "PATH item=0 name=\"/mnt\" inode=13" DEV "NORMAL",
		  "PATH item=1 name=\"etc\" inode=14" DEV "NORMAL"},
		 "privilege mount success /mnt path=/w/etc to=/mnt user=root cause=bind"},
		{"umount",
		 "syscall=166 success=yes exit=0 a0=7f a1=2 a2=7f a3=0 items=1" ROOT,
		 {CWD, "PATH item=0 name=\"/mnt\" inode=13" DEV "NORMAL"},
		 "privilege umount success /mnt user=root"},
		{"chroot",
		 "syscall=161 success=no exit=-1 a0=a5 a1=7f a2=a8 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"/\" inode=2" DEV "NORMAL"},
		 "privilege chroot failure / error=EPERM"},
		{"ptrace",
		 "syscall=101 success=yes exit=0 a0=4206 a1=12ad a2=0 a3=0 items=0",
		 {"OBJ_PID opid=4781 oauid=1001 ouid=0 oses=1 ocomm=\"sleep\""},
		 "privilege ptrace success sleep[4781] for=root cause=PTRACE_SEIZE"},
		{"a word written",
		 "syscall=101 success=yes exit=0 a0=4 a1=12ad a2=1000 a3=0 items=0",
		 {NULL},
		 "privilege ptrace success [4781] cause=PTRACE_POKETEXT"},
		{"and another",
		 "syscall=101 success=yes exit=0 a0=4 a1=12ad a2=1008 a3=0 items=0",
		 {NULL},
		 NULL},
		{"being traced",
		 "syscall=101 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0",
		 {NULL},
		 NULL},
		{"going on",
		 "syscall=101 success=yes exit=0 a0=7 a1=12ad a2=0 a3=0 items=0",
		 {NULL},
		 NULL},
		{"namespaces",
		 "syscall=272 success=yes exit=0 a0=10020000 a1=33 a2=a8 a3=0 items=0",
		 {NULL},
		 "privilege unshare success mnt,user"},
		{"a table of files of its own",
		 "syscall=272 success=yes exit=0 a0=400 a1=33 a2=a8 a3=0 items=0",
		 {NULL},
		 NULL},
		{"setns",
		 "syscall=308 success=no exit=-9 a0=ffffffff a1=0 a2=7f a3=0 items=0",
		 {NULL},
		 "privilege setns failure a namespace error=EBADF"},
		{"setns of a kind",
		 "syscall=308 success=yes exit=0 a0=3 a1=4000000 a2=7f a3=0 items=0" ROOT,
		 {NULL},
		 "privilege setns success uts user=root"},
	};

	run(cases, ARRAY_LEN(cases), NULL);
}

/* sudo: what it and its child become is told once, and who they were. */
static void test_becoming(void)
{
	static const char *const path[] = {
		"EXECVE argc=1 a0=\"sudo\"", CWD,
		"PATH item=0 name=\"/usr/bin/sudo\" inode=2" DEV "NORMAL", NULL};
	struct feed f;
	size_t seen = 0;

	feed_open(&f, &settings, NULL);
	feed_login(&f, 1);
	feed_call(&f, 1,
		  "syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=8 items=1 uid=1001 gid=1001 "
		  "euid=0 suid=0 egid=1001",
		  path);
	feed_call(&f, 1, "syscall=117 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0" ROOT, NULL);
	feed_call(&f, 1, "syscall=117 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0" ROOT, NULL);
	feed_call(&f, 1,
		  "syscall=117 success=yes exit=0 a0=3ea a1=3ea a2=3ea a3=0 items=0 uid=1002 "
		  "gid=0 euid=1002 suid=1002 egid=0",
		  NULL);
	feed_expect(&f, 1, &seen,
		    (const char *const[]){
			    "session_start success sshd service=sshd",
			    "exec success /usr/bin/sudo",
			    "privilege setresuid success root for=root",
			    "privilege setresuid success 1002 user=root for=1002",
			    NULL,
		    },
		    "becoming");
	feed_close(&f);
}

/* sshd becomes the user, and tries to go back. Its pid is 51, in the second event its parent's. */
static void test_login(void)
{
	static const char *const calls[] = {
		"syscall=126 success=yes exit=0 a0=7f a1=7f a2=7f a3=7f items=0 ppid=1 pid=51",
		"syscall=105 success=no exit=-1 a0=0 a1=7f a2=1 a3=7f items=0 ppid=51 pid=55",
		"syscall=105 success=no exit=-1 a0=0 a1=7f a2=1 a3=7f items=0 ppid=55 pid=56",
	};
	struct feed f;
	size_t seen = 0;

	feed_open(&f, &settings, NULL);
	feed_login(&f, 1);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		char text[512];

		snprintf(
			text, sizeof(text),
			"type=SYSCALL msg=@ arch=c000003e %s auid=1001 uid=1001 gid=1001 euid=1001 "
			"suid=1001 egid=1001 tty=(none) ses=1 comm=\"sshd\" "
			"exe=\"/usr/sbin/sshd\" key=\"k\"",
			calls[i]);
		feed_line(&f, text);
	}
	event_flush(f.p.events);
	feed_expect(&f, 1, &seen,
		    (const char *const[]){"session_start success sshd service=sshd",
					  "privilege setuid failure root error=EPERM for=root",
					  NULL},
		    "only of who is no child of the login");
	feed_close(&f);
}

static void test_self(void)
{
	static const struct one cases[] = {
		{"below a path of ours",
		 "syscall=87 success=no exit=-13 a0=7f a1=0 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"/own/spool/\" inode=1" DEV "PARENT"},
		 "self delete failure /own/spool/ error=EACCES"},
		{"moved away",
		 "syscall=82 success=yes exit=0 a0=a5 a1=7f a2=0 a3=7f items=4",
		 {CWD, "PATH item=0 name=\"/w\" inode=9" DEV "PARENT",
		  "PATH item=1 name=\"/own/\" inode=1" DEV "PARENT",
		  "PATH item=2 name=\"/own/spool\" inode=2" DEV "DELETE",
		  "PATH item=3 name=\"x\" inode=2" DEV "CREATE"},
		 "self rename success /own/spool to=/w/x"},
		{"something put over it",
		 "syscall=82 success=yes exit=0 a0=a5 a1=7f a2=0 a3=7f items=2",
		 {CWD, "PATH item=2 name=\"x\" inode=2" DEV "DELETE",
		  "PATH item=3 name=\"../own/spool/../spool/y\" inode=2" DEV "CREATE"},
		 "self rename success /w/x to=/own/spool/y"},
		{"read",
		 "syscall=2 success=yes exit=3 a0=7f a1=0 a2=0 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"/own/spool/ready\" inode=2" DEV "NORMAL"},
		 "file open success /own/spool/ready flags=O_RDONLY"},
		{"written",
		 "syscall=2 success=yes exit=3 a0=7f a1=401 a2=0 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"/own/spool/ready\" inode=2" DEV "NORMAL"},
		 "self write success /own/spool/ready flags=O_WRONLY|O_APPEND"},
		{"a neighbour",
		 "syscall=90 success=yes exit=0 a0=7f a1=180 a2=0 a3=7f items=1",
		 {CWD, "PATH item=0 name=\"/own/spool2\" inode=2" DEV "NORMAL"},
		 "file chmod success /own/spool2 mode=0600"},
		{"by dirfd: the rule's key tells",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=1 "
		 "key=\"sessaudit-self\"",
		 {CWD, "PATH item=1 name=\"c\" inode=2" DEV "DELETE"},
		 "self delete success c"},
		{"two keys",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=1 "
		 "key=6B017365737361756469742D73656C66",
		 {CWD, "PATH item=1 name=\"c\" inode=2" DEV "DELETE"},
		 "self delete success c"},
		{"a key that is like it",
		 "syscall=263 success=yes exit=0 a0=3 a1=a5 a2=0 a3=7f items=1 "
		 "key=\"sessaudit-selfie\"",
		 {CWD, "PATH item=1 name=\"c\" inode=2" DEV "DELETE"},
		 "file delete success c"},
		{"kill",
		 "syscall=62 success=yes exit=0 a0=12c a1=f a2=0 a3=0 items=0",
		 {"OBJ_PID opid=300 oauid=-1 ouid=996 oses=-1 ocomm=\"sessaudit-colle\""},
		 "self signal success sessaudit-colle[300] cause=SIGTERM"},
		{"kill, not allowed",
		 "syscall=62 success=no exit=-1 a0=12c a1=9 a2=0 a3=0 items=0",
		 {"OBJ_PID opid=300 oauid=-1 ouid=996 oses=-1 ocomm=\"sessaudit-colle\""},
		 "self signal failure sessaudit-colle[300] error=EPERM cause=SIGKILL"},
		{"kill of all",
		 "syscall=62 success=yes exit=0 a0=ffffffff a1=f a2=0 a3=0 items=0",
		 {"OBJ_PID opid=299 oauid=1001 ouid=1001 oses=1 ocomm=\"sleep\"",
		  "OBJ_PID opid=301 oauid=-1 ouid=0 oses=-1 ocomm=\"sessauditd\""},
		 "self signal success sessauditd[301] cause=SIGTERM"},
		{"asks whether it lives",
		 "syscall=62 success=yes exit=0 a0=12c a1=0 a2=0 a3=0 items=0",
		 {"OBJ_PID opid=300 oauid=-1 ouid=996 oses=-1 ocomm=\"sessaudit-colle\""},
		 NULL},
		{"another process",
		 "syscall=62 success=yes exit=0 a0=12c a1=f a2=0 a3=0 items=0",
		 {"OBJ_PID opid=299 oauid=1001 ouid=1001 oses=1 ocomm=\"sleep\""},
		 NULL},
		{"no record of the target",
		 "syscall=62 success=no exit=-1 a0=12c a1=1 a2=0 a3=0 items=0",
		 {NULL},
		 "self signal failure sessaudit[300] error=EPERM cause=SIGHUP"},
		{"tgkill, realtime",
		 "syscall=234 success=yes exit=0 a0=12c a1=12c a2=22 a3=0 items=0",
		 {"OBJ_PID opid=300 oauid=-1 ouid=996 oses=-1 ocomm=\"sessaudit-colle\""},
		 "self signal success sessaudit-colle[300] cause=SIG34"},
		{"pidfd_send_signal: the first argument is no pid",
		 "syscall=424 success=yes exit=0 a0=12c a1=f a2=0 a3=0 items=0",
		 {"OBJ_PID opid=302 oauid=-1 ouid=996 oses=-1 ocomm=\"x\""},
		 NULL},
		{"ptrace",
		 "syscall=101 success=no exit=-1 a0=10 a1=12c a2=0 a3=0 items=0",
		 {"OBJ_PID opid=300 oauid=-1 ouid=996 oses=-1 ocomm=\"sessaudit-colle\""},
		 "self ptrace failure sessaudit-colle[300] error=EPERM cause=PTRACE_ATTACH"},
		{"ptrace that only looks",
		 "syscall=101 success=yes exit=0 a0=1 a1=12c a2=0 a3=0 items=0",
		 {NULL},
		 NULL},
	};
	struct self_facts self = {
		.paths = {"/own/spool"}, .n_paths = 1, .pids = {300, 301, 70000}, .n_pids = 3};
	bool files = settings.capture_files;

	run(cases, ARRAY_LEN(cases), &self);
	settings.capture_files = false;
	run(cases, 3, &self);
	settings.capture_files = files;
}

/* An agent that was started by hand from a login. */
static void test_own_process(void)
{
	static const struct one cases[] = {
		{"its own file",
		 "syscall=2 success=yes exit=3 a0=7f a1=401 a2=0 a3=0 items=1",
		 {CWD, "PATH item=0 name=\"/own/spool/x\" inode=2" DEV "NORMAL"},
		 NULL},
	};
	struct self_facts self = {.paths = {"/own/spool"}, .n_paths = 1, .pids = {70}, .n_pids = 1};

	run(cases, ARRAY_LEN(cases), &self);
}

static void test_facts(void)
{
	char dir[] = "/tmp/sessaudit-test.XXXXXX", spool[64], store[64], link[64], below[80];
	struct self_facts f;
	char *before[] = {settings.spool_dir, settings.store_dir, settings.redact_key_file};

	if (!mkdtemp(dir))
		abort();
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	snprintf(store, sizeof(store), "%s/spool/store", dir);
	snprintf(link, sizeof(link), "%s/link/", dir);
	snprintf(below, sizeof(below), "%s/spool/x", dir);
	mkdir(spool, 0700);
	mkdir(store, 0700);
	link[strlen(link) - 1] = '\0';
	if (symlink(spool, link))
		abort();
	settings.spool_dir = link;
	settings.store_dir = store;
	settings.redact_key_file = (char[]){"/nonexistent/key"};
	self_facts_make(&settings, &f);
	tap_ok(self_has_path(&f, slice_of(link)), "the spool by its name");
	tap_ok(self_has_path(&f, slice_of(below)), "and by where the link leads");
	tap_ok(!self_has_path(&f, slice_of(dir)), "not the directory above");
	tap_ok(!self_has_path(&f, SLICE_LIT("/nonexistent/key")), "not what is not there");
	for (size_t i = 0; i < f.n_paths; i++)
		tap_ok(strcmp(f.paths[i], store) != 0, "what lies below another is not named");
	tap_ok(!self_has_pid(&f, 0) && !self_has_pid(&f, 1), "no process yet");
	settings.spool_dir = before[0];
	settings.store_dir = before[1];
	settings.redact_key_file = before[2];
	unlink(link);
	rmdir(store);
	rmdir(spool);
	rmdir(dir);
}

int main(void)
{
	log_init("test_files", LOG_LEVEL_ERR - 1);
	settings_parse("test", SLICE_LIT(""), &settings, NULL);
	settings.redact_enable = false;
	test_open();
	test_names();
	test_inodes();
	test_inode_table();
	test_flags();
	test_privilege();
	test_becoming();
	test_login();
	test_self();
	test_own_process();
	test_facts();
	settings_free(&settings);
	return tap_done();
}
