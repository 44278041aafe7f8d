/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/access/grants.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/broker_key.h"
#include "tests/unit/tap.h"

#define GOOD                                                                                       \
	"{\"schema\":\"sessaudit.grant/1\",\"request\":{\"id\":\"%s\"},"                           \
	"\"expires_at\":\"2026-11-21T05:00:00Z\",\"match\":{\"users\":[\"dba\"]}}"

/* Everything happens below one fresh directory. */
static char base[] = "/tmp/test_grants-XXXXXX";
static char dir[64];
static struct signers signers; /* key 1 */

/* What was skipped, a line each, without the name of the base. */
struct said {
	struct buf text;
	size_t lines;
};

static void skipped(void *ctx, const char *message)
{
	struct said *s = ctx;
	size_t n = strlen(base) + 1;

	s->lines++;
	buf_puts(&s->text, strncmp(message, base, n - 1) == 0 ? message + n : message);
	buf_putc(&s->text, '\n');
}

static void put(const char *name, mode_t mode, const char *text)
{
	char path[512];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fdio_write_all(fd, text, strlen(text), NULL) < 0 || fchmod(fd, mode) < 0)
		tap_ok(false, "put %s", path);
}

static void put_good(const char *name, mode_t mode, const char *id)
{
	char text[512];

	snprintf(text, sizeof(text), GOOD, id);
	put(name, mode, text);
}

static void in_dir(char out[512], const char *name)
{
	snprintf(out, 512, "%s/%s", dir, name);
}

static void empty_dir(void)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;
	char path[512];

	while (d && (e = readdir(d))) {
		in_dir(path, e->d_name);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove(path);
	}
}

/* The request ids that were loaded from dirs, joined by blanks. */
static void load(const char *const *dirs, unsigned owner, struct buf *ids, struct said *said)
{
	_cleanup_(grants_free) struct grants g = {0};
	struct grants_trust trust = {.owner_uid = owner, .signers = &signers};

	tap_int(grants_load(dirs, &trust, &g, skipped, said), 0, "grants_load");
	for (size_t i = 0; i < g.len; i++)
		buf_printf(ids, "%s%s", i ? " " : "", g.items[i]->access.request_id);
}

static void check(const char *name, unsigned owner, const char *want_ids, const char *want_said)
{
	const char *dirs[] = {dir, NULL};
	_cleanup_buf_ struct buf ids = {0};
	struct said said = {0};

	buf_init(&ids, 1 << 20);
	buf_init(&said.text, 1 << 20);
	load(dirs, owner, &ids, &said);
	tap_str(buf_cstr(&ids), want_ids, "%s: loaded", name);
	tap_str(buf_cstr(&said.text), want_said, "%s: reported", name);
	buf_free(&said.text);
	empty_dir();
}

static void check_names(void)
{
	put_good("b.json", 0644, "B");
	put_good("a.json", 0600, "A");
	put_good("B.json", 0400, "C");
	put("notes.txt", 0666, "not a grant");
	put_good(".hidden.json", 0644, "H");
	put_good(".json", 0644, "H");
	put_good("a.json.tmp", 0644, "T");
	check("names", getuid(), "C A B", "");
}

static void check_bad_content(void)
{
	static char big[SIGNED_MAX_BYTES + 2];

	memset(big, ' ', sizeof(big) - 1);
	put_good("a.json", 0644, "A");
	put("huge.json", 0644, big);
	big[GRANT_MAX_BYTES + 1] = 0;
	put("big.json", 0644, big);
	put("match.json", 0644, "{\"schema\":\"sessaudit.grant/1\",\"x\":1}");
	put_good("z.json", 0644, "Z");
	check("broken files do not harm the others", getuid(), "A Z",
	      "g/big.json: larger than 65536 bytes\n"
	      "g/huge.json: larger than 88404 bytes\n"
	      "g/match.json: x: unknown key: remove it, or correct its name\n");
}

static void check_bad_modes(void)
{
	put_good("group.json", 0664, "G");
	put_good("others.json", 0646, "O");
	put_good("all.json", 0666, "A");
	put_good("x.json", 0755, "X");
	check("modes", getuid(), "X",
	      "g/all.json: mode 0666: must not be writable by group or others\n"
	      "g/group.json: mode 0664: must not be writable by group or others\n"
	      "g/others.json: mode 0646: must not be writable by group or others\n");
}

static void check_bad_kinds(void)
{
	char path[512], other[512];

	put_good("one.json", 0644, "1");
	in_dir(path, "one.json");
	in_dir(other, "two.json");
	tap_int(link(path, other), 0, "a hard link");
	in_dir(path, "elsewhere");
	put_good("elsewhere", 0644, "E");
	in_dir(other, "symlink.json");
	tap_int(symlink(path, other), 0, "a symbolic link");
	in_dir(path, "fifo.json");
	tap_int(mkfifo(path, 0600), 0, "a FIFO");
	in_dir(path, "dir.json");
	tap_int(mkdir(path, 0700), 0, "a directory");
	put_good("line\nbreak.json", 0666, "L");
	check("kinds", getuid(), "",
	      "g/dir.json: not a regular file\n"
	      "g/fifo.json: not a regular file\n"
	      "g/line\\nbreak.json: mode 0666: must not be writable by group or others\n"
	      "g/one.json: 2 links: must have no other name\n"
	      "g/symlink.json: is a symbolic link\n"
	      "g/two.json: 2 links: must have no other name\n");
}

static void check_owner(void)
{
	char want[256];

	put_good("a.json", 0644, "A");
	snprintf(want, sizeof(want), "g: owner %u: must belong to %u\n", getuid(), getuid() + 1);
	check("a directory of someone else", getuid() + 1, "", want);
	if (getuid() != 0) {
		tap_skip("not root", "a file of someone else");
		return;
	}
	put_good("a.json", 0644, "A");
	put_good("b.json", 0644, "B");
	char path[512];
	in_dir(path, "a.json");
	tap_int(chown(path, 1234, 0), 0, "given away");
	check("a file of someone else", 0, "B",
	      "g/a.json: not a signed grant: owner 1234: must belong to 0\n");
}

#define SIGNED                                                                                     \
	"{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"g\",\"request\":{\"id\":\"%s\"},"        \
	"\"hosts\":[\"prod-db-1\"],\"issued_at\":\"2026-11-21T00:00:00Z\","                        \
	"\"expires_at\":\"2026-11-21T05:00:00Z\",\"match\":{\"users\":[\"dba\"]}}"

static void put_signed(const char *name, mode_t mode, const char *id, unsigned char key)
{
	_cleanup_buf_ struct buf text = {0};
	char grant[512];

	buf_init(&text, 65536);
	snprintf(grant, sizeof(grant), SIGNED, id);
	broker_key_sign(key, slice_of(grant), &text);
	put(name, mode, buf_cstr(&text));
}

static void give_away(const char *name)
{
	char path[512];

	in_dir(path, name);
	if (chown(path, 1234, 1234) < 0)
		tap_ok(false, "chown %s", path);
}

/* An envelope is checked whoever owns it; a plain grant counts only when root wrote it. */
static void check_signed(void)
{
	put_signed("1.json", 0644, "1", 1);
	put_signed("2.json", 0644, "2", 2);
	put_signed("3.json", 0666, "3", 1);
	put_good("4.json", 0644, "4");
	check("signed, of the owner", getuid(), "1 4",
	      "g/2.json: signature: made by none of the 1 keys in [broker], or the grant was "
	      "changed afterwards\n"
	      "g/3.json: mode 0666: must not be writable by group or others\n");
	if (getuid() != 0) {
		tap_skip("not root", "signed, of someone else");
		return;
	}
	put_signed("1.json", 0644, "1", 1);
	put_signed("2.json", 0644, "2", 2);
	put_good("4.json", 0644, "4");
	put("5.json", 0644, "{\"schema\":\"sessaudit.signed-grant/1\"}");
	for (int i = 1; i < 6; i++) {
		char name[] = {(char)('0' + i), '.', 'j', 's', 'o', 'n', 0};

		if (i != 3)
			give_away(name);
	}
	check("signed, of someone else", 0, "1",
	      "g/2.json: signature: made by none of the 1 keys in [broker], or the grant was "
	      "changed afterwards\n"
	      "g/4.json: not a signed grant: owner 1234: must belong to 0\n"
	      "g/5.json: must have the keys schema, grant and signature, and no other\n");
}

/* Nobody can replace another's file in a sticky directory, so it may be writable. */
static void check_sticky(void)
{
	put_good("a.json", 0644, "A");
	chmod(dir, 01775);
	check("a sticky directory, writable by a group", getuid(), "A", "");
	put_good("a.json", 0644, "A");
	chmod(dir, 0775);
	check("the same, not sticky", getuid(), "",
	      "g: mode 0775: must not be writable by group or others\n");
	chmod(dir, 0755);
}

static void check_one(const char *name, unsigned owner, int want, const char *message)
{
	struct grants_trust trust = {.owner_uid = owner, .signers = &signers};
	struct grant *g = NULL;
	struct sa_err err = {0};
	size_t n = strlen(base) + 1;
	char path[512];

	in_dir(path, name);
	tap_int(grants_load_file(path, &trust, &g, &err), want, "%s alone: code", name);
	if (want < 0)
		tap_str(strncmp(err.msg, base, n - 1) == 0 ? err.msg + n : err.msg, message,
			"%s alone: message", name);
	else
		tap_str(g ? g->file : NULL, path, "%s alone: file", name);
	grant_free(g);
}

static void check_load_file(void)
{
	static char big[SIGNED_MAX_BYTES + 2];
	char path[512], want[256];

	memset(big, ' ', sizeof(big) - 1);
	put_good("a.json", 0644, "A");
	put_signed("s.json", 0644, "S", 1);
	put_signed("f.json", 0644, "F", 2);
	put("x.json", 0644, "{}");
	put("huge.json", 0644, big);
	in_dir(path, "fifo.json");
	tap_int(mkfifo(path, 0600), 0, "a FIFO");
	check_one("a.json", getuid(), 0, NULL);
	check_one("s.json", getuid(), 0, NULL);
	check_one("f.json", getuid(), SA_ERR_PERM,
		  "g/f.json: signature: made by none of the 1 keys in [broker], or the grant was "
		  "changed afterwards");
	check_one("x.json", getuid(), SA_ERR_INVALID,
		  "g/x.json: schema: must be \"sessaudit.grant/1\"");
	check_one("huge.json", getuid(), SA_ERR_INVALID, "g/huge.json: too big for a grant");
	check_one("fifo.json", getuid(), SA_ERR_PERM, "g/fifo.json: not a regular file");
	check_one("gone.json", getuid(), SA_ERR_NOTFOUND,
		  "g/gone.json: open: No such file or directory");
	check_one("no/where.json", getuid(), SA_ERR_NOTFOUND,
		  "g/no: open: No such file or directory");
	snprintf(want, sizeof(want), "g: owner %u: must belong to %u", getuid(), getuid() + 1);
	check_one("a.json", getuid() + 1, SA_ERR_PERM, want);
	empty_dir();
}

/* Whoever reads while a broker renames new versions over a grant sees one of them, always. */
static void check_replaced(void)
{
	struct grants_trust trust = {.owner_uid = getuid()};
	const char *dirs[] = {dir, NULL};
	size_t missed = 0, n = 0;
	int status = 0;
	pid_t child;

	put_good("a.json", 0644, "A");
	child = fork();
	if (child == 0) {
		char from[512], to[512];

		in_dir(from, "new");
		in_dir(to, "a.json");
		for (int i = 0; i < 1000; i++) {
			put_good("new", 0644, i & 1 ? "A" : "A-with-a-longer-id");
			if (rename(from, to) < 0)
				_exit(1);
		}
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		_cleanup_(grants_free) struct grants g = {0};

		n++;
		grants_load(dirs, &trust, &g, NULL, NULL);
		missed += g.len != 1;
	}
	tap_int(status, 0, "the writer");
	tap_int((long long)missed, 0, "replaced while being read %zu times: missed", n);
	empty_dir();
}

/* Root reads everything, so a child that is not root looks at its own file of mode 0. */
static void check_unreadable(void)
{
	char path[512];

	put_good("a.json", 0000, "A");
	put_good("b.json", 0644, "B");
	if (getuid() == 0) {
		in_dir(path, "a.json");
		tap_int(chown(base, 1234, -1) | chown(dir, 1234, -1) | chown(path, 1234, -1), 0,
			"given away");
		in_dir(path, "b.json");
		tap_int(chown(path, 1234, -1), 0, "given away");
		tap_int(seteuid(1234), 0, "not root for a while");
	}
	check("unreadable", geteuid(), "B", "g/a.json: open: Permission denied\n");
	if (getuid() == 0) {
		tap_int(seteuid(0), 0, "root again");
		tap_int(chown(base, 0, -1) | chown(dir, 0, -1), 0, "taken back");
	}
	empty_dir();
}

static void check_dirs(void)
{
	char link_path[128], file[128], missing[128];
	const char *dirs[] = {missing, link_path, file, dir, dir, NULL};
	_cleanup_buf_ struct buf ids = {0};
	struct said said = {0};

	buf_init(&ids, 4096);
	buf_init(&said.text, 4096);
	snprintf(missing, sizeof(missing), "%s/missing", base);
	snprintf(link_path, sizeof(link_path), "%s/link", base);
	snprintf(file, sizeof(file), "%s/file", base);
	tap_int(symlink(dir, link_path), 0, "a link to the directory");
	close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	put_good("a.json", 0644, "A");
	load(dirs, getuid(), &ids, &said);
	tap_str(buf_cstr(&ids), "A A", "directories: loaded in order");
	tap_str(buf_cstr(&said.text), "link: open: Not a directory\nfile: open: Not a directory\n",
		"directories: reported, the missing one is not");
	chmod(dir, 0777);
	check("a directory that all may write", getuid(), "",
	      "g: mode 0777: must not be writable by group or others\n");
	chmod(dir, 0755);
	buf_free(&said.text);
	remove(link_path);
	remove(file);
}

static void check_many(void)
{
	const char *dirs[] = {dir, NULL};
	_cleanup_(grants_free) struct grants g = {0};
	struct grants_trust trust = {.owner_uid = getuid()};
	struct said said = {0};
	char name[32];

	buf_init(&said.text, 4096);
	for (int i = 0; i < GRANTS_MAX_FILES + 2; i++) {
		snprintf(name, sizeof(name), "%05d.json", i);
		put_good(name, 0644, "R");
	}
	tap_int(grants_load(dirs, &trust, &g, skipped, &said), 0, "too many: no error");
	tap_int((long long)g.len, GRANTS_MAX_FILES, "too many: as many as are read");
	tap_str(buf_cstr(&said.text), "g: more than 4096 files: the rest is not read\n",
		"too many: reported once");
	buf_free(&said.text);
	empty_dir();
}

int main(void)
{
	if (!mkdtemp(base))
		return 99;
	snprintf(dir, sizeof(dir), "%s/g", base);
	mkdir(dir, 0755);
	broker_key_signers(1, &signers);
	check("nothing", getuid(), "", "");
	check_names();
	check_bad_content();
	check_bad_modes();
	check_bad_kinds();
	check_owner();
	check_unreadable();
	check_dirs();
	check_signed();
	check_sticky();
	check_load_file();
	check_replaced();
	check_many();
	signers_free(&signers);
	empty_dir();
	rmdir(dir);
	tap_int(rmdir(base), 0, "nothing is left behind");
	return tap_done();
}
