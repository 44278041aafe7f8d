/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* mksession DIR: writes the objects of one made-up session, one entry of each type in two segments,
 * below DIR at their keys. */

#include <fcntl.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/fdio.h"
#include "common/transcript/entry.h"
#include "common/transcript/index.h"

#define T0 INT64_C(1795222800123) /* 2026-11-21T01:00:00.123Z */
#define SEGMENTS 2

static struct access_approval approval = {
	.by = (char[]){"bob@example.com"},
	.type = (char[]){"user"},
	.status = (char[]){"approved"},
	.at = (char[]){"2026-11-21T00:50:00Z"},
};

static struct access approved = {
	.status = ACCESS_APPROVED,
	.source = ACCESS_SOURCE_USER,
	.request_id = (char[]){"REQ-1042"},
	.grant_id = (char[]){"g-7f3a"},
	.requester = (char[]){"alice@example.com"},
	.justification = (char[]){"INC-77: disk full"},
	.expires_at = (char[]){"2026-11-21T05:00:00Z"},
	.approvals = &approval,
	.n_approvals = 1,
};

static struct access second = {
	.status = ACCESS_UNAPPROVED,
	.request_id = (char[]){"REQ-1043"},
};

static const struct slice ls_args[] = {SLICE_LIT("ls"), SLICE_LIT("-l"), SLICE_LIT("caf\xe9")};
static const struct slice cat_args[] = {SLICE_LIT("cat"), SLICE_LIT("a b")};

#define WHO .user = SLICE_LIT("dba"), .origin = SLICE_LIT("10.0.0.9"), .uid = 1001, .auid = 1001
#define NO_EUID .euid = ENTRY_ID_UNSET

static struct entry entries[] = {
	{.type = ENTRY_SESSION_START,
	 .time_ms = T0,
	 .outcome = ENTRY_SUCCESS,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("sshd"),
	 .pid = 700,
	 .tty = SLICE_LIT("ssh"),
	 .service = SLICE_LIT("sshd"),
	 .audit_serial = 41},
	{.type = ENTRY_ACCESS,
	 .time_ms = T0 + 2,
	 .outcome = ENTRY_SUCCESS,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("REQ-1042"),
	 .access = &approved,
	 .audit_serial = 42},
	{.type = ENTRY_EXEC,
	 .time_ms = T0 + 4000,
	 .outcome = ENTRY_SUCCESS,
	 WHO,
	 .euid = 1001,
	 .object = SLICE_LIT("/bin/ls"),
	 .pid = 812,
	 .ppid = 811,
	 .exe = SLICE_LIT("/usr/bin/ls"),
	 .comm = SLICE_LIT("ls"),
	 .cwd = SLICE_LIT("/home/dba"),
	 .tty = SLICE_LIT("pts0"),
	 .argv = ls_args,
	 .argc = 3,
	 .argc_total = 3,
	 .audit_serial = 77},
	{.type = ENTRY_EXEC,
	 .time_ms = T0 + 6000,
	 .outcome = ENTRY_FAILURE,
	 WHO,
	 .euid = 1001,
	 .object = SLICE_LIT("/usr/local/bin/cat"),
	 .pid = 813,
	 .ppid = 811,
	 .exe = SLICE_LIT("/usr/local/bin/cat"),
	 .comm = SLICE_LIT("bash"),
	 .cwd = SLICE_LIT("/home/dba"),
	 .tty = SLICE_LIT("pts0"),
	 .argv = cat_args,
	 .argc = 2,
	 .argc_total = 9,
	 .error = SLICE_LIT("ENOENT"),
	 .audit_serial = 80},
	{.type = ENTRY_EXIT,
	 .time_ms = T0 + 6500,
	 .outcome = ENTRY_FAILURE,
	 WHO,
	 .euid = 1001,
	 .object = SLICE_LIT("/usr/bin/ls"),
	 .pid = 812,
	 .ppid = 811,
	 .exe = SLICE_LIT("/usr/bin/ls"),
	 .comm = SLICE_LIT("ls"),
	 .has_exit_code = true,
	 .exit_code = 2,
	 .exec_seq = 3,
	 .start_ms = T0 + 4000,
	 .end_ms = T0 + 6500,
	 .audit_serial = 78},
	{.type = ENTRY_NETWORK,
	 .time_ms = T0 + 7000,
	 .outcome = ENTRY_FAILURE,
	 .action = SLICE_LIT("connect"),
	 WHO,
	 .euid = 1001,
	 .object = SLICE_LIT("10.0.0.1:443"),
	 .pid = 814,
	 .ppid = 811,
	 .exe = SLICE_LIT("/usr/bin/curl"),
	 .comm = SLICE_LIT("curl"),
	 .tty = SLICE_LIT("pts0"),
	 .error = SLICE_LIT("ECONNREFUSED"),
	 .endpoint = ENTRY_DESTINATION,
	 .address = SLICE_LIT("10.0.0.1"),
	 .ip = SLICE_LIT("10.0.0.1"),
	 .port = 443,
	 .net_type = SLICE_LIT("ipv4"),
	 .syscall = SLICE_LIT("connect"),
	 .audit_serial = 83},
	{.type = ENTRY_FILE,
	 .time_ms = T0 + 8000,
	 .outcome = ENTRY_SUCCESS,
	 .action = SLICE_LIT("truncate"),
	 .user = SLICE_LIT("root"),
	 .origin = SLICE_LIT("10.0.0.9"),
	 .uid = 0,
	 .euid = 0,
	 .auid = 1001,
	 .object = SLICE_LIT("/etc/motd"),
	 .pid = 821,
	 .ppid = 820,
	 .exe = SLICE_LIT("/usr/bin/vim.basic"),
	 .comm = SLICE_LIT("vi"),
	 .cwd = SLICE_LIT("/etc"),
	 .tty = SLICE_LIT("pts1"),
	 .path = SLICE_LIT("/etc/motd"),
	 .flags = SLICE_LIT("O_WRONLY|O_CREAT|O_TRUNC"),
	 .mode = SLICE_LIT("0644"),
	 .syscall = SLICE_LIT("openat"),
	 .audit_serial = 86},
	{.type = ENTRY_INPUT,
	 .time_ms = T0 + 9000,
	 .outcome = ENTRY_SUCCESS,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("bash"),
	 .pid = 811,
	 .comm = SLICE_LIT("bash"),
	 .tty = SLICE_LIT("pts0"),
	 .text = SLICE_LIT("ls -l caf*"),
	 .raw = SLICE_LIT("ls -l cax\177f*\r"),
	 .start_ms = T0 + 1000,
	 .end_ms = T0 + 4000,
	 .ran = {3},
	 .n_ran = 1,
	 .audit_serial = 90},
	{.type = ENTRY_STATEMENT,
	 .time_ms = T0 + 9200,
	 .outcome = ENTRY_SUCCESS,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("psql"),
	 .pid = 815,
	 .comm = SLICE_LIT("psql"),
	 .tty = SLICE_LIT("pts0"),
	 .text = SLICE_LIT("select *\nfrom users;"),
	 .raw = SLICE_LIT("select *\rfrom users;\r"),
	 .start_ms = T0 + 8200,
	 .end_ms = T0 + 9200,
	 .audit_serial = 91},
	{.type = ENTRY_UNTYPED,
	 .time_ms = T0 + 9400,
	 .outcome = ENTRY_SUCCESS,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("bash"),
	 .pid = 811,
	 .comm = SLICE_LIT("bash"),
	 .tty = SLICE_LIT("pts0"),
	 .ran = {4},
	 .n_ran = 1,
	 .start_ms = T0 + 1000,
	 .end_ms = T0 + 9400,
	 .audit_serial = 92},
	{.type = ENTRY_AUTH,
	 .time_ms = T0 + 9450,
	 .outcome = ENTRY_SUCCESS,
	 .action = SLICE_LIT("user_cmd"),
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("vi /etc/motd"),
	 .pid = 820,
	 .exe = SLICE_LIT("/usr/bin/sudo"),
	 .cwd = SLICE_LIT("/home/dba"),
	 .tty = SLICE_LIT("pts/0"),
	 .command = SLICE_LIT("vi /etc/motd"),
	 .service = SLICE_LIT("sudo"),
	 .audit_serial = 93},
	{.type = ENTRY_CONFIG,
	 .time_ms = T0 + 9460,
	 .outcome = ENTRY_SUCCESS,
	 .action = SLICE_LIT("config_change"),
	 .user = SLICE_LIT("1001"),
	 .origin = SLICE_LIT("10.0.0.9"),
	 .uid = ENTRY_ID_UNSET,
	 NO_EUID,
	 .auid = 1001,
	 .object = SLICE_LIT("audit_enabled"),
	 .old_value = SLICE_LIT("1"),
	 .new_value = SLICE_LIT("0"),
	 .linked = SLICE_LIT("2ab9a4634728340a26a28f66673fe485"),
	 .audit_serial = 94},
	{.type = ENTRY_SELF,
	 .time_ms = T0 + 9470,
	 .outcome = ENTRY_FAILURE,
	 .action = SLICE_LIT("signal"),
	 WHO,
	 .euid = 1001,
	 .object = SLICE_LIT("sessaudit-collector[412]"),
	 .pid = 811,
	 .exe = SLICE_LIT("/usr/bin/bash"),
	 .comm = SLICE_LIT("bash"),
	 .tty = SLICE_LIT("pts0"),
	 .error = SLICE_LIT("EPERM"),
	 .cause = SLICE_LIT("SIGKILL"),
	 .syscall = SLICE_LIT("kill"),
	 .audit_serial = 95},
	{.type = ENTRY_GAP,
	 .time_ms = T0 + 9500,
	 .user = SLICE_LIT("dba"),
	 .origin = SLICE_LIT("10.0.0.9"),
	 .auid = 1001,
	 .uid = ENTRY_ID_UNSET,
	 NO_EUID,
	 .object = SLICE_LIT("recording"),
	 .cause = SLICE_LIT("spool_full"),
	 .count = 3,
	 .start_ms = T0 + 9000,
	 .end_ms = T0 + 9500},
	{.type = ENTRY_CONFLICT,
	 .time_ms = T0 + 9600,
	 .outcome = ENTRY_FAILURE,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("REQ-1043"),
	 .cause = SLICE_LIT("second_tag"),
	 .access = &second,
	 .audit_serial = 95},
	{.type = ENTRY_PRIVILEGE,
	 .time_ms = T0 + 20000,
	 .outcome = ENTRY_SUCCESS,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("root"),
	 .target = SLICE_LIT("root"),
	 .service = SLICE_LIT("sudo"),
	 .pid = 820,
	 .tty = SLICE_LIT("/dev/pts/0"),
	 .cause = SLICE_LIT("nested"),
	 .audit_serial = 99},
	{.type = ENTRY_PRIVILEGE,
	 .time_ms = T0 + 30000,
	 .outcome = ENTRY_SUCCESS,
	 .user = SLICE_LIT("root"),
	 .origin = SLICE_LIT("10.0.0.9"),
	 .uid = 0,
	 .auid = 1001,
	 NO_EUID,
	 .object = SLICE_LIT("1002"),
	 .target = SLICE_LIT("1002"),
	 .pid = 825,
	 .cause = SLICE_LIT("left"),
	 .linked = SLICE_LIT("6b5b1dc4bd8b5b5ad35ad6d4a0ba62b6"),
	 .audit_serial = 104},
	{.type = ENTRY_PRIVILEGE,
	 .time_ms = T0 + 32000,
	 .outcome = ENTRY_SUCCESS,
	 .action = SLICE_LIT("module_load"),
	 .user = SLICE_LIT("root"),
	 .origin = SLICE_LIT("10.0.0.9"),
	 .uid = 0,
	 .euid = 0,
	 .auid = 1001,
	 .object = SLICE_LIT("dummy"),
	 .pid = 826,
	 .exe = SLICE_LIT("/usr/bin/kmod"),
	 .comm = SLICE_LIT("modprobe"),
	 .tty = SLICE_LIT("pts1"),
	 .syscall = SLICE_LIT("finit_module"),
	 .audit_serial = 105},
	{.type = ENTRY_REVOKED,
	 .time_ms = T0 + 40000,
	 .outcome = ENTRY_FAILURE,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("REQ-1042"),
	 .cause = SLICE_LIT("grant_removed")},
	{.type = ENTRY_EXPIRED,
	 .time_ms = T0 + 50000,
	 .outcome = ENTRY_FAILURE,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("REQ-1042"),
	 .cause = SLICE_LIT("new_channel"),
	 .pid = 830,
	 .audit_serial = 120},
	{.type = ENTRY_SESSION_END,
	 .time_ms = T0 + 61000,
	 .outcome = ENTRY_SUCCESS,
	 WHO,
	 NO_EUID,
	 .object = SLICE_LIT("sshd"),
	 .service = SLICE_LIT("sshd"),
	 .pid = 700,
	 .cause = SLICE_LIT("logout"),
	 .start_ms = T0,
	 .end_ms = T0 + 61000},
};

static struct segment_session session = {
	.host = SLICE_LIT("prod-db-1"),
	.machine_id = SLICE_LIT("0123456789abcdef0123456789abcdef"),
	.boot_id = SLICE_LIT("11111111-2222-3333-4444-555555555555"),
	.ses = 7,
	.auid = 1001,
	.user = SLICE_LIT("dba"),
	.origin = SLICE_LIT("10.0.0.9"),
	.service = SLICE_LIT("sshd"),
	.terminal = SLICE_LIT("ssh"),
	.start_ms = T0,
	.access = &approved,
	.capture = SLICE_LIT("netlink"),
};

struct maker {
	int dir;
	struct json_writer *w;
	struct buf line, text, object, key;
	struct digest *digest;
	struct chain chain;
	struct manifest_segment segments[SEGMENTS];
	struct sa_err err;
};

static int put(struct maker *m, const struct buf *object)
{
	_cleanup_free_ char *parent = slice_dup(slice_of(buf_cstr(&m->key)));
	int rc;

	if (!parent)
		return SA_ERR_NOMEM;
	*strrchr(parent, '/') = '\0';
	if ((rc = fdio_mkdirs(m->dir, parent, 0755, &m->err)) == 0)
		rc = fdio_replace_file(m->dir, buf_cstr(&m->key), object->data, object->len, 0644,
				       &m->err);
	buf_clear(&m->key);
	return rc;
}

/* The line that was just written goes into the segment and the chain. */
static void end_line(struct maker *m)
{
	chain_add(&m->chain, m->digest, buf_slice(&m->line));
	buf_put(&m->text, buf_slice(&m->line));
	buf_putc(&m->text, '\n');
	buf_clear(&m->line);
	json_writer_reset(m->w);
}

static int make_segment(struct maker *m, uint32_t number, uint64_t first, uint64_t n)
{
	struct manifest_segment *s = &m->segments[number];
	struct chain before = m->chain;
	struct segment_mark mark = {number, first, before.head};

	segment_write_header(m->w, &session, &mark);
	end_line(m);
	for (uint64_t seq = first; seq < first + n; seq++) {
		entries[seq - 1].seq = seq;
		entry_write(m->w, &entries[seq - 1]);
		end_line(m);
	}
	segment_write_footer(m->w, &mark, n, first + n - 1, m->chain.head);
	end_line(m);
	if (segment_compress(buf_slice(&m->text), &m->object, &m->err) != 0)
		return m->err.code;
	*s = (struct manifest_segment){number, first, n, m->object.len, ""};
	digest_hex(buf_slice(&m->object), s->sha256);
	segment_session_dir(&m->key, &session);
	layout_segment_name(&m->key, number);
	buf_clear(&m->text);
	return put(m, &m->object);
}

static int put_line(struct maker *m)
{
	int rc = put(m, &m->line);

	buf_clear(&m->line);
	json_writer_reset(m->w);
	return rc;
}

static int make_session(struct maker *m)
{
	uint64_t n = ARRAY_LEN(entries), half = n / 2;
	struct session_totals t = {
		.end_ms = T0 + 61000,
		.end_cause = SLICE_LIT("logout"),
		.part = 1,
		.entries = n,
		.execs = 2,
		.inputs = 1,
		.gaps = 1,
		.lost = 3,
		.head = m->chain.head,
		.segments = m->segments,
		.n_segments = SEGMENTS,
	};
	int rc;

	layout_session_id(session.machine_id, session.boot_id, session.ses, session.sid);
	index_write_start(m->w, &session);
	layout_index_start(&m->key, T0, session.host, session.sid);
	if ((rc = put_line(m)) != 0 || (rc = make_segment(m, 0, 1, half)) != 0)
		return rc;
	buf_clear(&m->object);
	if ((rc = make_segment(m, 1, half + 1, n - half)) != 0)
		return rc;
	manifest_write(m->w, &session, &t);
	segment_session_dir(&m->key, &session);
	layout_manifest_name(&m->key, 1);
	if ((rc = put_line(m)) != 0)
		return rc;
	index_write_end(m->w, &session, &t);
	layout_index_end(&m->key, T0, session.host, session.sid, 1);
	return put_line(m);
}

int main(int argc, char **argv)
{
	struct maker m = {.dir = -1};
	int rc;

	if (argc != 2 || (m.dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		fprintf(stderr, "usage: mksession DIR\n");
		return 2;
	}
	buf_init(&m.line, 1 << 20);
	buf_init(&m.text, 1 << 20);
	buf_init(&m.object, 1 << 20);
	buf_init(&m.key, 4096);
	m.digest = digest_new();
	m.w = json_writer_new(&m.line);
	rc = make_session(&m);
	if (rc != 0)
		fprintf(stderr, "mksession: %s\n", m.err.msg);
	json_writer_free(m.w);
	digest_free(m.digest);
	buf_free(&m.line);
	buf_free(&m.text);
	buf_free(&m.object);
	buf_free(&m.key);
	close(m.dir);
	return rc == 0 ? 0 : 1;
}
