/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/access/cas.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/cert_make.h"
#include "tests/unit/ssh_fixtures.h"
#include "tests/unit/tap.h"

/* Everything happens below one fresh directory. */
static char base[] = "/tmp/test_cas-XXXXXX";
static char dir[64];

static void said(void *ctx, const char *message)
{
	struct buf *text = ctx;
	size_t n = strlen(base) + 1;

	buf_puts(text, strncmp(message, base, n - 1) == 0 ? message + n : message);
	buf_putc(text, '\n');
}

/* The listed CAs, "<profile> <fingerprint's first 6>" each. */
static void show(const struct cas *c, struct buf *out)
{
	for (size_t i = 0; i < c->len; i++)
		buf_printf(out, "%s%s %.6s", i ? ", " : "", ca_profile_name(c->items[i].profile),
			   c->items[i].fp + 7);
}

/* fp, as show has it. */
#define CA_ED "shSKo9"
#define CA_RSA "SlnlqT"

static void check_text(const char *name, const char *text, const char *want, const char *want_said)
{
	_cleanup_(cas_free) struct cas c = {0};
	_cleanup_buf_ struct buf list = {0}, lines = {0};

	buf_init(&list, 1 << 20);
	buf_init(&lines, 1 << 20);
	tap_int(cas_parse("f.pub", slice_of(text), &c, said, &lines), 0, "%s", name);
	show(&c, &list);
	tap_str(buf_cstr(&list), want, "%s: listed", name);
	tap_str(buf_cstr(&lines), want_said, "%s: reported", name);
}

static void check_line(const char *before, const char *after, const char *want,
		       const char *want_said)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s%s", before, ssh_fixture_ca, after);
	check_text(text, text, want, want_said);
}

static void check_profiles(void)
{
	check_line("", "", "sessaudit " CA_ED, "");
	check_line("", " the CA\n", "sessaudit " CA_ED, "");
	check_line("  ", "\r\n", "sessaudit " CA_ED, "");
	check_line("profile=sessaudit ", "", "sessaudit " CA_ED, "");
	check_line("profile=teleport ", "", "teleport " CA_ED, "");
	check_line("profile=vault\t", "", "vault " CA_ED, "");
	check_line("profile=bless   ", "", "bless " CA_ED, "");
	check_line("regex=\"^(?<request>[A-Z]+-[0-9]+)/\" ", "", "regex " CA_ED, "");
	check_line("regex=\"^(?<request>\\\"[^\\\"]*\\\\)\" ", "", "regex " CA_ED, "");
	check_line("# ", "\n\n \t\n#", "", "");
	check_text("empty", "", "", "");
}

#define UNKNOWN_PROFILE "f.pub:1: unknown profile: sessaudit, teleport, vault and bless are known\n"
#define NO_KEY "f.pub:1: not a key: \"<type> <base64>\" is wanted\n"

static void check_bad_lines(void)
{
	check_line("profile=okta ", "", "", UNKNOWN_PROFILE);
	check_line("profile=regex ", "", "", UNKNOWN_PROFILE);
	check_line("profile= ", "", "", UNKNOWN_PROFILE);
	check_text("profile alone", "profile=vault", "", NO_KEY);
	check_line("cert-authority ", "", "", "f.pub:1: not base64\n");
	check_text("one word", "ssh-ed25519", "", NO_KEY);
	check_line("ssh-rsa ", "", "", "f.pub:1: not base64\n");
	check_line("regex=\"(?<request>x) ", "", "",
		   "f.pub:1: regex: the quote at its end is missing\n");
	check_line("regex=\"(?<request>x)\\\" ", "", "",
		   "f.pub:1: regex: the quote at its end is missing\n");
	check_line("regex=\"(?<request>x)\"", "", "",
		   "f.pub:1: regex: a blank is wanted after it\n");
	check_line("regex=\"^[A-Z]+$\" ", "", "",
		   "f.pub:1: regex: no group is named request: (?<request>...)\n");
	check_line("regex=\"(?<request>x\" ", "", "",
		   "f.pub:1: regex: at byte 13: missing closing parenthesis\n");
	check_line("regex=\"\" ", "", "",
		   "f.pub:1: regex: no group is named request: (?<request>...)\n");
	check_line("regex=\"(?J)(?<request>x)|(?<request>y)\" ", "", "",
		   "f.pub:1: regex: two groups are named request\n");
}

static void check_certificate(void)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s %s\n%s\n", ssh_fixtures[0].cert_type, ssh_fixtures[0].cert,
		 ssh_fixture_ca);
	check_text("a certificate, then a good line", text, "sessaudit " CA_ED,
		   "f.pub:1: is a certificate: the CA's own key is wanted\n");
}

static void check_twice(void)
{
	char text[2048];

	snprintf(text, sizeof(text), "profile=vault %s\n%s\nprofile=vault %s\nprofile=bless %s\n",
		 ssh_fixture_ca, ssh_fixture_ca_rsa, ssh_fixture_ca, ssh_fixture_ca);
	check_text("twice", text, "vault " CA_ED ", sessaudit " CA_RSA,
		   "f.pub:4: this CA is listed before, with profile vault: that counts\n");
	snprintf(text, sizeof(text), "regex=\"(?<request>x)\" %s\nregex=\"(?<request>y)\" %s\n",
		 ssh_fixture_ca, ssh_fixture_ca);
	check_text("two patterns", text, "regex " CA_ED,
		   "f.pub:2: this CA is listed before, with profile regex: that counts\n");
}

static void check_unsafe_text(void)
{
	check_text("control bytes in a line", "\033[2J \x01 x\n", "", "f.pub:1: not base64\n");
}

static void check_long_regex(void)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 1 << 20);
	buf_puts(&text, "regex=\"(?<request>x)");
	for (size_t i = strlen("(?<request>x)"); i < CAS_MAX_REGEX; i++)
		buf_putc(&text, 'x');
	buf_printf(&text, "\" %s", ssh_fixture_ca);
	check_text("a pattern of 1,024 bytes", buf_cstr(&text), "regex " CA_ED, "");
	buf_clear(&text);
	buf_puts(&text, "regex=\"(?<request>x)");
	for (size_t i = strlen("(?<request>x)"); i <= CAS_MAX_REGEX; i++)
		buf_putc(&text, 'x');
	buf_printf(&text, "\" %s", ssh_fixture_ca);
	check_text("one byte more", buf_cstr(&text), "",
		   "f.pub:1: regex: longer than 1024 bytes\n");
}

/* An ed25519 key of which the last byte is the number. */
static void put_numbered_key(struct buf *out, int number)
{
	_cleanup_buf_ struct buf blob = {0};
	char raw[32] = {0};

	raw[30] = (char)(number >> 8);
	raw[31] = (char)number;
	buf_init(&blob, 128);
	cert_put_string(&blob, SLICE_LIT("ssh-ed25519"));
	cert_put_string(&blob, (struct slice){raw, 32});
	buf_puts(out, "ssh-ed25519 ");
	escape_base64(out, buf_slice(&blob));
	buf_putc(out, '\n');
}

static void check_many(void)
{
	_cleanup_(cas_free) struct cas c = {0};
	_cleanup_buf_ struct buf text = {0}, lines = {0};

	buf_init(&text, 1 << 20);
	buf_init(&lines, 1 << 20);
	for (int i = 0; i < CAS_MAX + 1; i++)
		put_numbered_key(&text, i);
	tap_int(cas_parse("f.pub", buf_slice(&text), &c, said, &lines), 0, "257 CAs");
	tap_int((long long)c.len, CAS_MAX, "256 are listed");
	tap_str(buf_cstr(&lines), "f.pub:257: more than 256 CAs: this one is not read\n",
		"reported");
}

static void check_find(void)
{
	_cleanup_(cas_free) struct cas c = {0};
	char text[1024];

	snprintf(text, sizeof(text), "profile=bless %s\n%s\n", ssh_fixture_ca, ssh_fixture_ca_rsa);
	tap_int(cas_parse("f.pub", slice_of(text), &c, NULL, NULL), 0, "two CAs");
	if (!tap_int((long long)c.len, 2, "are listed"))
		return;
	tap_ok(cas_find(&c, SSH_FIXTURE_CA_FP) == &c.items[0], "the first is found");
	tap_ok(cas_find(&c, SSH_FIXTURE_CA_RSA_FP) == &c.items[1], "the second is found");
	tap_ok(!cas_find(&c, ssh_fixtures[0].fp), "another is not");
	tap_ok(!cas_find(&c, ""), "nothing is not");
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

static void check_dir(const char *name, unsigned owner, const char *want, const char *want_said)
{
	_cleanup_(cas_free) struct cas c = {0};
	_cleanup_buf_ struct buf list = {0}, lines = {0};

	buf_init(&list, 1 << 20);
	buf_init(&lines, 1 << 20);
	tap_int(cas_load(dir, owner, &c, said, &lines), 0, "%s", name);
	show(&c, &list);
	tap_str(buf_cstr(&list), want, "%s: listed", name);
	tap_str(buf_cstr(&lines), want_said, "%s: reported", name);
}

static void empty_dir(void)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;
	char path[512];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove(path);
	}
}

static void check_names(void)
{
	check_dir("an empty directory", getuid(), "", "");
	put("b.pub", 0644, ssh_fixture_ca);
	put("a.pub", 0600, ssh_fixture_ca_rsa);
	put(".hidden.pub", 0644, "x");
	put(".pub", 0644, "x");
	put("c.pub.bak", 0644, "x");
	check_dir("names", getuid(), "sessaudit " CA_RSA ", sessaudit " CA_ED, "");
	empty_dir();
}

static void check_unfit(void)
{
	char path[512], one[512], big[CAS_MAX_FILE + 2];

	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	put("big.pub", 0644, big);
	put("good.pub", 0644, ssh_fixture_ca);
	put("group.pub", 0664, ssh_fixture_ca_rsa);
	put("one.pub", 0644, ssh_fixture_ca_rsa);
	snprintf(path, sizeof(path), "%s/two.pub", dir);
	snprintf(one, sizeof(one), "%s/one.pub", dir);
	tap_int(link(one, path), 0, "a hard link");
	snprintf(path, sizeof(path), "%s/soft.pub", dir);
	tap_int(symlink(one, path), 0, "a symbolic link");
	snprintf(path, sizeof(path), "%s/fifo.pub", dir);
	tap_int(mkfifo(path, 0600), 0, "a FIFO");
	snprintf(path, sizeof(path), "%s/sub.pub", dir);
	tap_int(mkdir(path, 0700), 0, "a directory");
	put("a\nb.pub", 0644, "x y");
	check_dir("what is unfit does not harm the others", getuid(), "sessaudit " CA_ED,
		  "ca.d/a\\nb.pub:1: not base64\n"
		  "ca.d/big.pub: larger than 65536 bytes\n"
		  "ca.d/fifo.pub: not a regular file\n"
		  "ca.d/group.pub: mode 0664: must not be writable by group or others\n"
		  "ca.d/one.pub: 2 links: must have no other name\n"
		  "ca.d/soft.pub: is a symbolic link\n"
		  "ca.d/sub.pub: not a regular file\n"
		  "ca.d/two.pub: 2 links: must have no other name\n");
	empty_dir();
}

static void check_directory(void)
{
	char want[256];

	put("a.pub", 0644, ssh_fixture_ca);
	snprintf(want, sizeof(want), "ca.d: owner %u: must belong to %u\n", getuid(), getuid() + 1);
	check_dir("another's directory", getuid() + 1, "", want);
	tap_int(chmod(dir, 0775), 0, "writable by the group");
	check_dir("writable by the group", getuid(), "",
		  "ca.d: mode 0775: must not be writable by group or others\n");
	tap_int(chmod(dir, 01777), 0, "writable by all, and sticky");
	check_dir("writable by all, and sticky", getuid(), "sessaudit " CA_ED, "");
	tap_int(chmod(dir, 0700), 0, "as it was");
	empty_dir();
	rmdir(dir);
	check_dir("no directory", getuid(), "", "");
}

static void check_owner(void)
{
	char path[512];

	put("a.pub", 0644, ssh_fixture_ca);
	snprintf(path, sizeof(path), "%s/a.pub", dir);
	/* Only root can give a file away. */
	if (geteuid() == 0 && tap_int(chown(path, 1, 0), 0, "a file given to user 1"))
		check_dir("a file of another owner", 0, "",
			  "ca.d/a.pub: owner 1: must belong to 0\n");
	empty_dir();
}

static void check_files(void)
{
	char name[32];

	for (int i = 0; i <= CAS_MAX_FILES; i++) {
		snprintf(name, sizeof(name), "%03d.pub", i);
		put(name, 0644, ssh_fixture_ca);
	}
	check_dir("65 files", getuid(), "sessaudit " CA_ED,
		  "ca.d: more than 64 files: the rest is not read\n");
	empty_dir();
}

static void check_no_memory(void)
{
	unsigned long n = 0;
	char text[1024];
	int rc;

	snprintf(text, sizeof(text), "profile=bless %s\n%s\n", ssh_fixture_ca, ssh_fixture_ca_rsa);
	put("a.pub", 0644, text);
	do {
		_cleanup_(cas_free) struct cas c = {0};

		alloc_fail_at(++n);
		rc = cas_load(dir, getuid(), &c, NULL, NULL);
		if (alloc_failed())
			tap_int((long long)c.len, 0, "allocation %lu fails: nothing", n);
	} while (alloc_failed() && tap_int(rc, SA_ERR_NOMEM, "allocation %lu fails", n));
	alloc_fail_at(0);
	tap_ok(n > 8 && rc == 0, "and none after them");
	empty_dir();
}

int main(void)
{
	if (!mkdtemp(base))
		return EXIT_FAILURE;
	snprintf(dir, sizeof(dir), "%s/ca.d", base);
	if (mkdir(dir, 0700) < 0)
		return EXIT_FAILURE;
	check_profiles();
	check_bad_lines();
	check_certificate();
	check_twice();
	check_unsafe_text();
	check_long_regex();
	check_many();
	check_find();
	check_names();
	check_unfit();
	check_owner();
	check_files();
	check_no_memory();
	check_directory();
	rmdir(base);
	return tap_done();
}
