/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fdio.h"
#include "common/store/store.h"
#include "tests/unit/tap.h"

static char base[] = "/tmp/test_store_dir-XXXXXX";
static char root[64]; /* <base>/store */
static struct sa_err err;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)where;
	if (type == FTW_D || type == FTW_DNR || S_ISDIR(st->st_mode))
		chmod(path, 0700);
	return remove(path);
}

static void cleanup(void)
{
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path below base, in one of a few static buffers. */
static const char *at(const char *path)
{
	static char texts[4][2048];
	static unsigned n;
	char *text = texts[n++ % 4];

	snprintf(text, sizeof(texts[0]), "%s/%s", base, path);
	return text;
}

static int put(struct store *s, const char *key, const char *text)
{
	_cleanup_close_ int fd = open(at("object"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -100;
	memset(&err, 0, sizeof(err));
	return store_put_once(s, key, fd, strlen(text), &err);
}

static void check_get(struct store *s, const char *key, const char *want, const char *name)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 4096);
	tap_int(store_get(s, key, &b, &err), 0, "%s: get", name);
	tap_bytes(buf_slice(&b), slice_of(want), "%s: bytes", name);
}

static int collect(void *ctx, const char *key, uint64_t size)
{
	buf_printf(ctx, "%s=%llu ", key, (unsigned long long)size);
	return 0;
}

static int stop_at_second(void *ctx, const char *key, uint64_t size)
{
	collect(ctx, key, size);
	return strcmp(key, "a") == 0 ? 0 : 7;
}

static void check_list(struct store *s, const char *prefix, const char *want, const char *name)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 65536);
	tap_int(store_list(s, prefix, collect, &b, &err), 0, "%s: list", name);
	tap_str(buf_cstr(&b), want, "%s: keys", name);
}

static void test_keys(void)
{
	static const struct {
		const char *name, *key;
		bool valid;
	} cases[] = {
		{"plain", "a", true},
		{"deep", "sessions/request=R%2F1/session=00/000000.jsonl.gz", true},
		{"dot inside", "a.b/c..d", true},
		{"high bytes", "a\xc3\xa4", true},
		{"16 components", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", true},
		{"17 components", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", false},
		{"empty", "", false},
		{"absolute", "/a", false},
		{"trailing slash", "a/", false},
		{"empty part", "a//b", false},
		{"dot", "./a", false},
		{"dot-dot", "a/../b", false},
		{"dot-dot at the end", "a/..", false},
		{"hidden", ".a", false},
		{"hidden below", "a/.tmp-1-1", false},
		{"newline", "a\nb", false},
		{"escape", "a\x1b[0m", false},
		{"DEL", "a\x7f", false},
	};
	char longest[STORE_MAX_KEY + 2];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_int(store_key_valid(cases[i].key), cases[i].valid, "key: %s", cases[i].name);
	memset(longest, 'k', sizeof(longest));
	longest[STORE_MAX_KEY + 1] = '\0';
	tap_ok(!store_key_valid(longest), "key: one byte too long");
	longest[STORE_MAX_KEY] = '\0';
	tap_ok(store_key_valid(longest), "key: longest");
}

static void test_open(void)
{
	struct store *s = NULL;
	char name[80];

	tap_int(store_dir_open(root, false, &s, &err), SA_ERR_NOTFOUND, "a reader makes no store");
	tap_ok(access(root, F_OK) != 0, "and none is there then");
	tap_int(store_dir_open(root, true, &s, &err), 0, "a writer makes it");
	snprintf(name, sizeof(name), "dir:%s", root);
	tap_str(store_name(s), name, "its name says where it is");
	store_close(s);
	store_close(NULL);
}

static void test_put(struct store *s)
{
	struct stat st;

	tap_int(put(s, "sessions/r=1/s=1/000000", "hello"), 0, "put");
	check_get(s, "sessions/r=1/s=1/000000", "hello", "put");
	stat(at("store/sessions/r=1/s=1/000000"), &st);
	tap_int(st.st_mode & 07777, 0440, "an object is read-only");
	tap_int(st.st_nlink, 1, "its temporary name is gone");
	stat(at("store/sessions/r=1/s=1"), &st);
	tap_int(st.st_mode & 07777, 0750, "directories are the owner's and group's");
	tap_int(put(s, "sessions/r=1/s=1/000000", "hello"), 0, "the same bytes again");
	tap_int(put(s, "sessions/r=1/s=1/000000", "hellO"), SA_ERR_EXISTS,
		"other bytes, same size");
	tap_ok(strstr(err.msg, "000000 exists with other content") != NULL, "says so: %s", err.msg);
	tap_int(put(s, "sessions/r=1/s=1/000000", "hello!"), SA_ERR_EXISTS, "another size");
	check_get(s, "sessions/r=1/s=1/000000", "hello", "after conflicts");
	tap_int(put(s, "empty", ""), 0, "an empty object");
	check_get(s, "empty", "", "empty");
	tap_int(put(s, "../outside", "x"), SA_ERR_INVALID, "an invalid key");
	tap_int(put(s, "empty/below", "x") != 0, 1, "below an object");
	tap_int(put(s, "sessions/r=1", "x"), SA_ERR_EXISTS, "where a directory is");
	check_list(s, "", "empty=0 sessions/r=1/s=1/000000=5 ", "no temporary is left");
}

static void test_short(struct store *s)
{
	_cleanup_close_ int fd = open(at("object"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	tap_int(write(fd, "abc", 3), 3, "a file of 3 bytes");
	tap_int(store_put_once(s, "short", fd, 4, &err), SA_ERR_IO, "put as 4 bytes");
	tap_int(err.code, SA_ERR_IO, "the object's fault, not the store's: %s", err.msg);
	check_list(s, "short", "", "short object");
}

static void test_get(struct store *s)
{
	_cleanup_buf_ struct buf b = {0}, small = {0};

	buf_init(&b, 4096);
	buf_init(&small, 4);
	tap_int(store_get(s, "nothing", &b, &err), SA_ERR_NOTFOUND, "get: no object");
	tap_int(store_get(s, "no/such/dir", &b, &err), SA_ERR_NOTFOUND, "get: no directory");
	tap_int(store_get(s, "../object", &b, &err), SA_ERR_INVALID, "get: invalid key");
	tap_int(store_get(s, "sessions/r=1/s=1/000000", &small, &err), SA_ERR_TOOBIG,
		"get: over the bound");
	tap_int((long long)b.len, 0, "nothing was appended");
}

/* Byte order of whole keys: '.' < '/' < '0'. */
static void test_list(void)
{
	_cleanup_store_ struct store *s = NULL;
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 4096);
	store_dir_open(at("list"), true, &s, &err);
	check_list(s, "", "", "empty store");
	put(s, "x/2", "22");
	put(s, "x/10", "1");
	put(s, "x0", "");
	put(s, "x.y", "");
	put(s, "a", "");
	put(s, "x/sub/f", "333");
	put(s, "\xc3\xa4", "");
	tap_int(close(open(at("list/x/.tmp-1-1"), O_CREAT | O_WRONLY, 0600)), 0, "a hidden file");
	tap_int(symlink("a", at("list/link")), 0, "a link to an object");
	tap_int(symlink("x", at("list/linked")), 0, "a link to a directory");
	tap_int(mkfifo(at("list/fifo"), 0600), 0, "a FIFO");
	check_list(s, "", "a=0 x.y=0 x/10=1 x/2=2 x/sub/f=3 x0=0 \xc3\xa4=0 ", "order");
	check_list(s, "x/", "x/10=1 x/2=2 x/sub/f=3 ", "a directory");
	check_list(s, "x", "x.y=0 x/10=1 x/2=2 x/sub/f=3 x0=0 ", "a prefix");
	check_list(s, "x/s", "x/sub/f=3 ", "a prefix below");
	check_list(s, "nope/", "", "nothing below");
	tap_int(store_list(s, "", stop_at_second, &b, &err), 7, "the callback's value comes out");
	tap_str(buf_cstr(&b), "a=0 x.y=0 ", "and it stopped there");
}

static void test_links(struct store *s)
{
	tap_int(mkdir(at("outside"), 0700), 0, "a directory outside");
	tap_int(symlink(at("outside"), at("store/evil")), 0, "a planted link to it");
	tap_ok(put(s, "evil/object", "secret") != 0, "put through the link fails");
	tap_ok(strstr(err.msg, "symbolic link") != NULL, "says why: %s", err.msg);
	tap_ok(access(at("outside/object"), F_OK) != 0, "nothing was written outside");
	tap_int(symlink(at("outside/file"), at("store/dangling")), 0, "a link as the object");
	tap_int(put(s, "dangling", "secret"), SA_ERR_EXISTS, "put on it is a conflict");
	tap_ok(access(at("outside/file"), F_OK) != 0, "nothing was written through it");
	tap_int(close(open(at("outside/secret"), O_CREAT | O_WRONLY, 0600)), 0, "a file outside");
	tap_int(symlink(at("outside/secret"), at("store/read")), 0, "a link to it");
	tap_ok(store_get(s, "read", &(struct buf){.max = 100}, &err) != 0,
	       "get does not follow it");
	tap_ok(store_get(s, "evil/secret", &(struct buf){.max = 100}, &err) != 0,
	       "nor through a directory");
	unlink(at("store/evil"));
	unlink(at("store/dangling"));
	unlink(at("store/read"));
}

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

/* Temporary files of runs that are over go, those of one that lives stay. */
static void test_stale(struct store *s)
{
	char ours[64], dead[64], alive[64];
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	snprintf(ours, sizeof(ours), "store/t/.tmp-%d-77", (int)getpid());
	snprintf(dead, sizeof(dead), "store/t/.tmp-%d-1", (int)pid);
	snprintf(alive, sizeof(alive), "store/t/.tmp-%d-1", (int)getppid());
	mkdir(at("store/t"), 0750);
	touch(at(ours));
	touch(at(dead));
	touch(at(alive));
	touch(at("store/t/.tmp-x"));
	tap_int(put(s, "t/1", "1"), 0, "put beside temporary files");
	tap_ok(access(at(dead), F_OK) != 0, "that of a dead process is gone");
	tap_ok(access(at(ours), F_OK) != 0, "that of an earlier run with our pid is gone");
	tap_int(access(at(alive), F_OK), 0, "that of a living process is there");
	tap_int(access(at("store/t/.tmp-x"), F_OK), 0, "a name that is not ours is there");
}

static void test_away(void)
{
	_cleanup_store_ struct store *s = NULL;

	store_dir_open(at("away"), true, &s, &err);
	rmdir(at("away"));
	tap_int(put(s, "a", "1"), SA_ERR_AGAIN, "put: the store is gone");
	tap_ok(strstr(err.msg, "No such file") != NULL, "says so: %s", err.msg);
	tap_ok(access(at("away"), F_OK) != 0, "it is not made again");
	tap_int(store_list(s, "", collect, NULL, &err), SA_ERR_NOTFOUND, "list: the store is gone");
	tap_int(mkdir(at("away"), 0700), 0, "it comes back");
	tap_int(put(s, "a", "1"), 0, "and takes the object");
	check_get(s, "a", "1", "back");
}

/* As an ordinary user, since root writes anywhere. */
static int unwritable_child(void)
{
	struct store *s = NULL;

	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 10;
	if (store_dir_open(at("ro"), true, &s, &err) != 0)
		return 11;
	if (put(s, "a/b", "1") != SA_ERR_AGAIN)
		return 12;
	if (strstr(err.msg, "Permission denied") == NULL)
		return 13;
	store_close(s);
	return 0;
}

static void test_unwritable(void)
{
	int status = -1;
	pid_t pid;

	mkdir(at("ro"), 0755);
	chmod(at("ro"), 0555);
	chmod(base, 0755);
	touch(at("object"));
	chmod(at("object"), 0666);
	pid = fork();
	if (pid == 0)
		_exit(unwritable_child());
	waitpid(pid, &status, 0);
	tap_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, "an unwritable store: try again");
}

static void count_done(struct store_put *p)
{
	++*(int *)p->ctx;
}

/* Puts that are started are made one by one, when the store is run. */
static void test_started(void)
{
	_cleanup_close_ int fd = open(at("object"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct pollfd quiet = {.fd = -1, .revents = POLLIN};
	struct store_put puts[4];
	struct store *s = NULL;
	int done = 0;

	tap_int(write(fd, "abc", 3), 3, "a file of 3 bytes");
	tap_int(store_dir_open(at("started"), true, &s, &err), 0, "another store");
	for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
		static const char *const keys[] = {"a/1", "../2", "a/3", "a/4"};

		puts[i] = (struct store_put){
			.key = keys[i], .fd = fd, .size = 3, .done = count_done, .ctx = &done};
		store_put_start(s, &puts[i]);
	}
	tap_int((long long)store_in_flight(s), 4, "four are under way");
	tap_int(done, 0, "none is done yet");
	store_run(s, 60000, &quiet, 1);
	tap_int(done, 1, "one by one, without waiting");
	tap_int(quiet.revents, 0, "revents are filled in");
	store_run(s, 60000, NULL, 0);
	tap_int(puts[0].rc, 0, "the first is stored");
	tap_int(puts[1].rc, SA_ERR_INVALID, "an invalid key gets nowhere: %s", puts[1].err.msg);
	tap_ok(access(at("2"), F_OK) != 0, "nothing was written outside");
	/* any put that is waited for moves the others too */
	tap_int(store_put_once(s, "a/5", fd, 3, &err), 0, "one that is waited for");
	tap_int(done, 4, "the others before it are done");
	check_list(s, "", "a/1=3 a/3=3 a/4=3 a/5=3 ", "stored");
	store_put_start(s, &puts[0]);
	store_close(s);
	tap_int(done, 5, "closing ends what is under way");
	tap_int(puts[0].rc, SA_ERR_AGAIN, "to be tried again");
}

int main(void)
{
	_cleanup_store_ struct store *s = NULL;

	umask(0007);
	if (!mkdtemp(base))
		return 99;
	atexit(cleanup);
	snprintf(root, sizeof(root), "%s/store", base);
	test_keys();
	test_open();
	if (store_dir_open(root, true, &s, &err) == 0) {
		test_put(s);
		test_short(s);
		test_get(s);
		test_links(s);
		test_stale(s);
	}
	test_list();
	test_started();
	test_away();
	test_unwritable();
	return tap_done();
}
