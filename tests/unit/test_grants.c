/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/access/grants.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

#define GOOD                                                                                       \
	"{\"schema\":\"sessaudit.grant/1\",\"request\":{\"id\":\"%s\"},"                           \
	"\"expires_at\":\"2026-11-21T05:00:00Z\",\"match\":{\"users\":[\"dba\"]}}"

/* Everything happens below one fresh directory. */
static char base[] = "/tmp/test_grants-XXXXXX";
static char dir[64];

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

	tap_int(grants_load(dirs, owner, &g, skipped, said), 0, "grants_load");
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
	char big[GRANT_MAX_BYTES + 2];

	memset(big, ' ', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	put_good("a.json", 0644, "A");
	put("big.json", 0644, big);
	put("match.json", 0644, "{\"schema\":\"sessaudit.grant/1\",\"x\":1}");
	put_good("z.json", 0644, "Z");
	check("broken files do not harm the others", getuid(), "A Z",
	      "g/big.json: larger than 65536 bytes\n"
	      "g/match.json: x: unknown key\n");
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
	check("a file of someone else", 0, "B", "g/a.json: owner 1234: must belong to 0\n");
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
	struct said said = {0};
	char name[32];

	buf_init(&said.text, 4096);
	for (int i = 0; i < GRANTS_MAX_FILES + 2; i++) {
		snprintf(name, sizeof(name), "%05d.json", i);
		put_good(name, 0644, "R");
	}
	tap_int(grants_load(dirs, getuid(), &g, skipped, &said), 0, "too many: no error");
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
	check("nothing", getuid(), "", "");
	check_names();
	check_bad_content();
	check_bad_modes();
	check_bad_kinds();
	check_owner();
	check_unreadable();
	check_dirs();
	check_many();
	empty_dir();
	rmdir(dir);
	tap_int(rmdir(base), 0, "nothing is left behind");
	return tap_done();
}
