/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/access/tagfile.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

#define BOOT "0a1b2c3d-0000-4000-8000-00000000002a"
#define BODY                                                                                       \
	",\"auid\":1000,\"pid\":4242,\"boot_id\":\"" BOOT                                          \
	"\",\"time\":\"2026-11-21T03:00:00.123Z\","

static char dir[] = "/tmp/test_tagfile-XXXXXX";

static const struct tagfile sample = {
	.ses = 3,
	.auid = 1000,
	.pid = 4242,
	.boot_id = BOOT,
	.time_ms = 1795230000123,
	.grant_file = "/etc/sessaudit/grants.d/x.json",
	.tag = {.access = {.status = ACCESS_APPROVED,
			   .source = ACCESS_SOURCE_CERT,
			   .policy = ACCESS_POLICY_EXEMPT,
			   .request_id = "REQ-1042",
			   .key_fp = "SHA256:k",
			   .ca_fp = "SHA256:c",
			   .cert_key_id = "alice",
			   .cert_serial = "7",
			   .cert_profile = "vault",
			   .reason = "why"},
		.user = "dba",
		.service = "sshd",
		.source = "10.1.2.3",
		.terminal = "ssh"},
};

static const char text[] = "{\"schema\":\"sessaudit.session/1\",\"ses\":3" BODY
			   "\"user\":\"dba\",\"service\":\"sshd\",\"source\":\"10.1.2.3\","
			   "\"terminal\":\"ssh\","
			   "\"grant_file\":\"/etc/sessaudit/grants.d/x.json\","
			   "\"access\":{\"status\":\"approved\","
			   "\"source\":\"cert\",\"request\":{\"id\":\"REQ-1042\"},"
			   "\"key\":{\"fingerprint\":\"SHA256:k\"},"
			   "\"certificate\":{\"ca\":\"SHA256:c\",\"key_id\":\"alice\","
			   "\"serial\":\"7\",\"profile\":\"vault\"},"
			   "\"reason\":\"why\",\"policy\":\"exempt\"}}\n";

static void path_of(char out[128], const char *name)
{
	snprintf(out, 128, "%s/%s", dir, name);
}

static void put(const char *name, mode_t mode, const char *content)
{
	char path[128];
	_cleanup_close_ int fd = -1;

	path_of(path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fdio_write_all(fd, content, strlen(content), NULL) < 0 ||
	    fchmod(fd, mode) < 0)
		tap_ok(false, "put %s", path);
}

static void check_round(void)
{
	_cleanup_buf_ struct buf b = {0};
	struct tagfile t = {0};
	struct sa_err err = {0};
	struct stat st;
	char path[128];
	mode_t old = umask(0077);

	buf_init(&b, TAGFILE_MAX_BYTES);
	tap_int(tagfile_write(dir, &sample, &err), 0, "written %s", err.msg);
	umask(old);
	path_of(path, "3.json");
	tap_int(stat(path, &st), 0, "it is there");
	tap_int(st.st_mode, S_IFREG | 0640, "its mode, whatever the umask");
	tap_int(fdio_read_file(AT_FDCWD, path, TAGFILE_MAX_BYTES, &b, NULL), 0, "its bytes");
	tap_str(buf_cstr(&b), text, "its text");
	tap_int(tagfile_read(dir, 3, getuid(), &t, &err), 0, "read %s", err.msg);
	tap_int(t.ses, 3, "ses");
	tap_int(t.auid, 1000, "auid");
	tap_int(t.pid, 4242, "pid");
	tap_int(t.time_ms, 1795230000123, "time");
	tap_str(t.boot_id, BOOT, "boot_id");
	tap_str(t.tag.user, "dba", "user");
	tap_str(t.tag.service, "sshd", "service");
	tap_str(t.tag.source, "10.1.2.3", "source");
	tap_str(t.tag.terminal, "ssh", "terminal");
	tap_str(t.tag.access.request_id, "REQ-1042", "access");
	tap_str(t.tag.access.cert_profile, "vault", "access: profile");
	tap_int(t.tag.access.policy, ACCESS_POLICY_EXEMPT, "access: policy");
	tap_str(t.grant_file, "/etc/sessaudit/grants.d/x.json", "grant file");
	tap_str(t.tag.from, NULL, "nobody asks for a session's own tag");
	tagfile_free(&t);
}

static void check_refused(const char *name, uint32_t ses, unsigned owner, int code,
			  const char *message)
{
	struct tagfile t = {.ses = 77};
	struct sa_err err = {0};
	size_t skip = strlen(dir) + 1;

	tap_int(tagfile_read(dir, ses, owner, &t, &err), code, "%s: refused", name);
	tap_str(strlen(err.msg) > skip ? err.msg + skip : err.msg, message, "%s: message", name);
	tap_int(t.ses, 77, "%s: out untouched", name);
}

struct bad {
	const char *name, *content, *message;
};

#define HEAD "{\"schema\":\"sessaudit.session/1\","
#define ACCESS "\"access\":{\"status\":\"unapproved\"}}"

static const struct bad bads[] = {
	{"another session inside", HEAD "\"ses\":4" BODY ACCESS, "5.json: names session 4 inside"},
	{"another schema", "{\"schema\":\"sessaudit.session/2\",\"ses\":5" BODY ACCESS,
	 "5.json: schema: must be \"sessaudit.session/1\""},
	{"no ses", HEAD "\"x\":5" BODY ACCESS, "5.json: ses: must be a number of 32 bits"},
	{"negative ses", HEAD "\"ses\":-1" BODY ACCESS, "5.json: ses: must be a number of 32 bits"},
	{"ses too large", HEAD "\"ses\":4294967301" BODY ACCESS,
	 "5.json: ses: must be a number of 32 bits"},
	{"short boot_id", HEAD "\"ses\":5,\"auid\":1,\"pid\":1,\"boot_id\":\"x\"," ACCESS,
	 "5.json: boot_id: must have 36 characters"},
	{"no time", HEAD "\"ses\":5,\"auid\":1,\"pid\":1,\"boot_id\":\"" BOOT "\"," ACCESS,
	 "5.json: time: not an RFC 3339 time"},
	{"no access", HEAD "\"ses\":5" BODY "\"user\":\"dba\"}",
	 "5.json: access: must be an object"},
	{"grant_file is a number", HEAD "\"ses\":5" BODY "\"grant_file\":7," ACCESS,
	 "5.json: grant_file: must be a string"},
	{"bad access", HEAD "\"ses\":5" BODY "\"access\":{\"status\":\"x\"}}",
	 "5.json: status: missing or not a known status"},
};

static void check_kinds(void)
{
	char path[128], other[128], want[128];

	check_refused("missing", 9, getuid(), SA_ERR_NOTFOUND,
		      "9.json: open: No such file or directory");
	snprintf(want, sizeof(want), "3.json: owner %u: must belong to %u", getuid(), getuid() + 1);
	check_refused("of someone else", 3, getuid() + 1, SA_ERR_PERM, want);
	put("6.json", 0646, text);
	check_refused("writable by others", 6, getuid(), SA_ERR_PERM,
		      "6.json: mode 0646: must not be writable by others");
	put("6.json", 0660, text);
	check_refused("writable by the group", 6, getuid(), SA_ERR_PERM,
		      "6.json: mode 0660: must not be writable by others");
	path_of(path, "7.json");
	path_of(other, "3.json");
	tap_int(symlink(other, path), 0, "a symbolic link");
	check_refused("symbolic link", 7, getuid(), SA_ERR_PERM,
		      "7.json: open: Too many levels of symbolic links");
	path_of(path, "8.json");
	tap_int(mkfifo(path, 0600), 0, "a FIFO");
	check_refused("FIFO", 8, getuid(), SA_ERR_PERM, "8.json: not a regular file");
	put("10.json", 0600, text);
	path_of(path, "10.json");
	tap_int(truncate(path, TAGFILE_MAX_BYTES + 1), 0, "a large file");
	check_refused("too large", 10, getuid(), SA_ERR_TOOBIG, "10.json: more than 131072 bytes");
}

/* The largest context that fits into struct access also fits into the file. */
static void check_largest(void)
{
	static char x[ACCESS_MAX_FIELD + 1], control[ACCESS_MAX_FIELD + 1];
	struct access_approval approvals[ACCESS_MAX_APPROVALS];
	char *candidates[ACCESS_MAX_CANDIDATES];
	struct tagfile big = sample, t = {0};
	struct sa_err err = {0};

	memset(x, 'x', ACCESS_MAX_FIELD);
	/* Of a certificate or typed: six bytes each in JSON. A grant is bounded as JSON already. */
	memset(control, 1, ACCESS_MAX_FIELD);
	for (int i = 0; i < ACCESS_MAX_CANDIDATES; i++)
		candidates[i] = x;
	for (int i = 0; i < ACCESS_MAX_APPROVALS; i++)
		approvals[i] = (struct access_approval){x, x, x, x};
	big.tag.access = (struct access){.status = ACCESS_APPROVED,
					 .source = ACCESS_SOURCE_USER,
					 .policy = ACCESS_POLICY_EXEMPT,
					 .request_id = x,
					 .grant_id = x,
					 .broker = x,
					 .requester_id = x,
					 .requester = x,
					 .flow_id = x,
					 .flow = x,
					 .justification = control,
					 .resource = x,
					 .ticket = control,
					 .not_before = x,
					 .expires_at = x,
					 .grant_sha256 = x,
					 .key_fp = x,
					 .ca_fp = x,
					 .cert_key_id = control,
					 .cert_serial = x,
					 .cert_profile = x,
					 .reason = control,
					 .approvals = approvals,
					 .n_approvals = ACCESS_MAX_APPROVALS,
					 .candidates = candidates,
					 .n_candidates = ACCESS_MAX_CANDIDATES};
	big.grant_file = x;
	tap_int(tagfile_write(dir, &big, &err), 0, "largest: written %s", err.msg);
	tap_int(tagfile_read(dir, 3, getuid(), &t, &err), 0, "largest: read %s", err.msg);
	tap_int((long long)t.tag.access.n_approvals, ACCESS_MAX_APPROVALS, "largest: approvals");
	tap_int((long long)t.tag.access.n_candidates, ACCESS_MAX_CANDIDATES, "largest: candidates");
	tap_ok(t.tag.access.reason && strcmp(t.tag.access.reason, control) == 0, "largest: reason");
	tap_ok(t.grant_file && strcmp(t.grant_file, x) == 0, "largest: grant file");
	tagfile_free(&t);
}

/* Whichever allocation fails: an error, nothing leaked. */
static void check_no_memory(void)
{
	struct tagfile t;
	unsigned long n = 0;
	int rc;

	do {
		t = (struct tagfile){0};
		alloc_fail_at(++n);
		rc = tagfile_write(dir, &sample, NULL);
		if (rc == 0)
			rc = tagfile_read(dir, 3, getuid(), &t, NULL);
		if (alloc_failed() && rc == 0)
			tap_ok(false, "allocation %lu fails: success", n);
		tagfile_free(&t);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_ok(n > 10, "%lu allocations failed in turn", n - 1);
}

static void clean(void)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;
	char path[512];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			remove(path);
	}
}

int main(void)
{
	char boot[BOOT_ID_SIZE];

	if (!mkdtemp(dir))
		return 99;
	check_round();
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		put("5.json", 0640, bads[i].content);
		check_refused(bads[i].name, 5, getuid(), SA_ERR_INVALID, bads[i].message);
	}
	check_kinds();
	check_largest();
	check_no_memory();
	tap_int(tagfile_write("/nonexistent/ses", &sample, NULL), SA_ERR_NOTFOUND,
		"no directory to write to");
	tap_int(boot_id_read(boot, NULL), 0, "boot id");
	tap_int((long long)strlen(boot), 36, "boot id: its length");
	clean();
	tap_int(rmdir(dir), 0, "no temporary file is left behind");
	return tap_done();
}
