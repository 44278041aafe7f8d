/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stddef.h>

#include "common/cleanup.h"
#include "common/transcript/entry.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

#define T0 INT64_C(1795222800123) /* 2026-11-21T01:00:00.123Z */
#define UNSET_IDS .uid = ENTRY_ID_UNSET, .euid = ENTRY_ID_UNSET, .auid = ENTRY_ID_UNSET

static struct buf line;
static struct json_writer *writer;

/* Writes e; the line is valid until the next call. */
static struct slice written(const struct entry *e)
{
	buf_clear(&line);
	json_writer_reset(writer);
	entry_write(writer, e);
	return json_writer_end(writer) == 0 ? buf_slice(&line) : SLICE_NONE;
}

static struct slice args[] = {SLICE_LIT("ls"), SLICE_LIT(""), SLICE_LIT("a\nb \xc3\xa9")};

static struct access approved = {
	.status = ACCESS_APPROVED,
	.source = ACCESS_SOURCE_USER,
	.request_id = (char[]){"REQ-1042"},
	.requester = (char[]){"alice@example.com"},
};

#define COMMON                                                                                     \
	.time_ms = T0, .user = SLICE_LIT("dba"), .origin = SLICE_LIT("10.0.0.9"),                  \
	.object = SLICE_LIT("o"), UNSET_IDS

static const struct {
	const char *name;
	struct entry e;
	const char *want;
} exact[] = {
	{"session_start",
	 {.seq = 1,
	  .type = ENTRY_SESSION_START,
	  .outcome = ENTRY_SUCCESS,
	  .time_ms = T0,
	  .user = SLICE_LIT("dba"),
	  .origin = SLICE_LIT("10.0.0.9"),
	  .object = SLICE_LIT("db1"),
	  .uid = 1001,
	  .euid = ENTRY_ID_UNSET,
	  .auid = 1001,
	  .pid = 700,
	  .exe = SLICE_LIT("/usr/sbin/sshd"),
	  .tty = SLICE_LIT("ssh"),
	  .service = SLICE_LIT("sshd"),
	  .audit_serial = 41},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":1,\"type\":\"session_start\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"session_start\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\",\"id\":\"1001\",\"audit\":{\"id\":\"1001\"}},"
	 "\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"db1\","
	 "\"process\":{\"pid\":700,\"executable\":\"/usr/sbin/sshd\",\"tty\":{\"name\":\"ssh\"}},"
	 "\"service\":{\"name\":\"sshd\"},\"audit\":{\"serial\":41}}"},
	{"access",
	 {COMMON, .seq = 2, .type = ENTRY_ACCESS, .outcome = ENTRY_SUCCESS, .access = &approved},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":2,\"type\":\"access\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"access\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},"
	 "\"object\":\"o\",\"access\":{\"status\":\"approved\",\"source\":\"user\",\"request\":"
	 "{\"id\":\"REQ-1042\",\"requester\":{\"email\":\"alice@example.com\"}}}}"},
	{"exec",
	 {.seq = 12,
	  .type = ENTRY_EXEC,
	  .outcome = ENTRY_FAILURE,
	  .time_ms = T0,
	  .user = SLICE_LIT("dba"),
	  .origin = SLICE_LIT("pts0"),
	  .object = SLICE_LIT("/bin/ls"),
	  .uid = 1001,
	  .euid = 0,
	  .auid = 1001,
	  .pid = 812,
	  .ppid = 811,
	  .exe = SLICE_LIT("/usr/bin/bash"),
	  .comm = SLICE_LIT("bash"),
	  .cwd = SLICE_LIT("/root"),
	  .tty = SLICE_LIT("pts0"),
	  .argv = args,
	  .argc = 3,
	  .argc_total = 9,
	  .error = SLICE_LIT("ENOENT"),
	  .audit_serial = 77,
	  .after_logout = true},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":12,\"type\":\"exec\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"exec\",\"outcome\":\"failure\"},"
	 "\"user\":{\"name\":\"dba\",\"id\":\"1001\",\"effective\":{\"id\":\"0\"},"
	 "\"audit\":{\"id\":\"1001\"}},\"origin\":\"pts0\",\"object\":\"/bin/ls\","
	 "\"process\":{\"pid\":812,\"parent\":{\"pid\":811},\"executable\":\"/usr/bin/bash\","
	 "\"name\":\"bash\",\"args\":[\"ls\",\"\",\"a\\nb \xc3\xa9\"],\"args_count\":9,"
	 "\"working_directory\":\"/root\",\"tty\":{\"name\":\"pts0\"}},"
	 "\"error\":{\"code\":\"ENOENT\"},\"audit\":{\"serial\":77},\"after_logout\":true}"},
	{"input",
	 {COMMON, .seq = 13, .type = ENTRY_INPUT, .text = SLICE_LIT("ls"),
	  .raw = SLICE_LIT("lx\177s\r"), .start_ms = T0 - 2500, .end_ms = T0, .incomplete = true,
	  .ran = {12, 14}, .n_ran = 2},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":13,\"type\":\"input\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"input\",\"outcome\":\"unknown\","
	 "\"start\":\"2026-11-21T00:59:57.623Z\",\"end\":\"2026-11-21T01:00:00.123Z\","
	 "\"duration\":2500000000},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},"
	 "\"object\":\"o\",\"input\":{\"text\":\"ls\",\"raw_b64\":\"bHh/cw0=\","
	 "\"incomplete\":true,\"ran\":[12,14]}}"},
	{"gap",
	 {COMMON, .seq = 14, .type = ENTRY_GAP, .cause = SLICE_LIT("kernel_lost"), .count = 3},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":14,\"type\":\"gap\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"gap\",\"outcome\":\"unknown\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},"
	 "\"object\":\"o\",\"reason\":\"kernel_lost\",\"count\":3}"},
	{"conflict",
	 {COMMON, .seq = 15, .type = ENTRY_CONFLICT, .cause = SLICE_LIT("second_tag"),
	  .access = &approved},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":15,\"type\":\"conflict\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"conflict\",\"outcome\":\"unknown\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},"
	 "\"object\":\"o\",\"reason\":\"second_tag\",\"access\":{\"status\":\"approved\","
	 "\"source\":\"user\",\"request\":{\"id\":\"REQ-1042\",\"requester\":"
	 "{\"email\":\"alice@example.com\"}}}}"},
	{"exit",
	 {COMMON, .seq = 20, .type = ENTRY_EXIT, .outcome = ENTRY_FAILURE, .pid = 9,
	  .exe = SLICE_LIT("/bin/x"), .has_exit_code = true, .exit_code = 2, .exec_seq = 5},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":20,\"type\":\"exit\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"exit\",\"outcome\":\"failure\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"process\":{\"pid\":9,\"executable\":\"/bin/x\",\"exit_code\":2},\"exec_seq\":5}"},
	{"exit code 0",
	 {COMMON, .seq = 21, .type = ENTRY_EXIT, .outcome = ENTRY_SUCCESS, .has_exit_code = true},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":21,\"type\":\"exit\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"exit\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"process\":{\"exit_code\":0}}"},
	{"ended by a signal",
	 {COMMON, .seq = 22, .type = ENTRY_EXIT, .outcome = ENTRY_FAILURE, .exit_signal = 9},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":22,\"type\":\"exit\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"exit\",\"outcome\":\"failure\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"process\":{\"exit_signal\":\"SIGKILL\"}}"},
	{"ended by a signal without a name",
	 {COMMON, .seq = 23, .type = ENTRY_EXIT, .outcome = ENTRY_FAILURE, .exit_signal = 34},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":23,\"type\":\"exit\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"exit\",\"outcome\":\"failure\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"process\":{\"exit_signal\":\"SIG34\"}}"},
	{"connect",
	 {COMMON, .seq = 24, .type = ENTRY_NETWORK, .outcome = ENTRY_SUCCESS,
	  .action = SLICE_LIT("connect"), .endpoint = ENTRY_DESTINATION,
	  .address = SLICE_LIT("10.0.0.1"), .ip = SLICE_LIT("10.0.0.1"), .port = 443,
	  .net_type = SLICE_LIT("ipv4"), .syscall = SLICE_LIT("connect"), .audit_serial = 8},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":24,\"type\":\"network\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"connect\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"destination\":{\"address\":\"10.0.0.1\",\"ip\":\"10.0.0.1\",\"port\":443},\"network\":{\"type\":\"ipv4\"},\"audit\":{\"serial\":8,\"syscall\":\"connect\"}}"},
	{"accept from a nameless socket",
	 {COMMON, .seq = 25, .type = ENTRY_NETWORK, .outcome = ENTRY_SUCCESS,
	  .action = SLICE_LIT("accept"), .endpoint = ENTRY_CLIENT, .net_type = SLICE_LIT("unix")},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":25,\"type\":\"network\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"accept\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"client\":{},\"network\":{\"type\":\"unix\"}}"},
	{"rename",
	 {COMMON, .seq = 26, .type = ENTRY_FILE, .outcome = ENTRY_SUCCESS,
	  .action = SLICE_LIT("rename"), .path = SLICE_LIT("/a"), .target_path = SLICE_LIT("/b")},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":26,\"type\":\"file\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"rename\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"file\":{\"path\":\"/a\",\"target_path\":\"/b\"}}"},
	{"create",
	 {COMMON, .seq = 27, .type = ENTRY_FILE, .outcome = ENTRY_SUCCESS,
	  .action = SLICE_LIT("create"), .path = SLICE_LIT("/a"), .flags = SLICE_LIT("O_CREAT"),
	  .mode = SLICE_LIT("0600")},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":27,\"type\":\"file\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"create\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"file\":{\"path\":\"/a\",\"flags\":\"O_CREAT\",\"mode\":\"0600\"}}"},
	{"sudo's command",
	 {COMMON, .seq = 28, .type = ENTRY_AUTH, .outcome = ENTRY_SUCCESS,
	  .action = SLICE_LIT("user_cmd"), .command = SLICE_LIT("id"), .redacted = 1},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":28,\"type\":\"auth\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"user_cmd\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"process\":{\"command_line\":\"id\"},\"redacted\":1}"},
	{"audit switched off",
	 {COMMON, .seq = 29, .type = ENTRY_CONFIG, .outcome = ENTRY_SUCCESS,
	  .action = SLICE_LIT("config_change"), .old_value = SLICE_LIT("1"),
	  .new_value = SLICE_LIT("0")},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":29,\"type\":\"config\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"config_change\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"change\":{\"old\":\"1\",\"new\":\"0\"}}"},
	{"history",
	 {COMMON, .seq = 30, .type = ENTRY_INPUT, .text = SLICE_LIT("<Up>"),
	  .resolved = SLICE_LIT("ls")},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":30,\"type\":\"input\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"input\",\"outcome\":\"unknown\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"o\","
	 "\"input\":{\"text\":\"<Up>\",\"resolved\":\"ls\"}}"},
	{"session_start of a session that another one left for",
	 {COMMON, .seq = 1, .type = ENTRY_SESSION_START, .service = SLICE_LIT("login"),
	  .linked = SLICE_LIT("2ab9a4634728340a26a28f66673fe485")},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":1,\"type\":\"session_start\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"session_start\",\"outcome\":\"unknown\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},"
	 "\"object\":\"o\",\"service\":{\"name\":\"login\"},"
	 "\"linked_session\":\"2ab9a4634728340a26a28f66673fe485\"}"},
	{"privilege",
	 {.seq = 17,
	  .type = ENTRY_PRIVILEGE,
	  .outcome = ENTRY_SUCCESS,
	  .time_ms = T0,
	  .user = SLICE_LIT("dba"),
	  .origin = SLICE_LIT("10.0.0.9"),
	  .object = SLICE_LIT("root"),
	  .uid = ENTRY_ID_UNSET,
	  .euid = ENTRY_ID_UNSET,
	  .auid = 1001,
	  .pid = 900,
	  .target = SLICE_LIT("root"),
	  .service = SLICE_LIT("sudo"),
	  .cause = SLICE_LIT("nested"),
	  .audit_serial = 99},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":17,\"type\":\"privilege\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"privilege\",\"outcome\":\"success\"},"
	 "\"user\":{\"name\":\"dba\",\"audit\":{\"id\":\"1001\"},\"target\":{\"name\":\"root\"}},"
	 "\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},\"object\":\"root\","
	 "\"process\":{\"pid\":900},\"service\":{\"name\":\"sudo\"},\"reason\":\"nested\","
	 "\"audit\":{\"serial\":99}}"},
	{"privilege, the login goes on in another session",
	 {COMMON, .seq = 18, .type = ENTRY_PRIVILEGE, .cause = SLICE_LIT("left"),
	  .linked = SLICE_LIT("2ab9a4634728340a26a28f66673fe485")},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":18,\"type\":\"privilege\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"privilege\",\"outcome\":\"unknown\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},"
	 "\"object\":\"o\",\"linked_session\":\"2ab9a4634728340a26a28f66673fe485\","
	 "\"reason\":\"left\"}"},
	{"expired",
	 {COMMON, .seq = 19, .type = ENTRY_EXPIRED, .outcome = ENTRY_FAILURE,
	  .cause = SLICE_LIT("new_channel"), .pid = 901},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":19,\"type\":\"expired\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"expired\",\"outcome\":\"failure\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},"
	 "\"object\":\"o\",\"process\":{\"pid\":901},\"reason\":\"new_channel\"}"},
	{"revoked",
	 {COMMON, .seq = 20, .type = ENTRY_REVOKED, .outcome = ENTRY_FAILURE,
	  .cause = SLICE_LIT("grant_removed")},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":20,\"type\":\"revoked\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"revoked\",\"outcome\":\"failure\"},"
	 "\"user\":{\"name\":\"dba\"},\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"},"
	 "\"object\":\"o\",\"reason\":\"grant_removed\"}"},
	{"session_end, nothing known",
	 {.seq = 16, .type = ENTRY_SESSION_END, .time_ms = T0, UNSET_IDS},
	 "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\",\"seq\":16,\"type\":\"session_end\","
	 "\"event\":{\"kind\":\"event\",\"action\":\"session_end\",\"outcome\":\"unknown\"},"
	 "\"user\":{\"name\":null},\"origin\":null,\"object\":null}"},
};

static void test_exact(void)
{
	for (size_t i = 0; i < ARRAY_LEN(exact); i++)
		tap_bytes(written(&exact[i].e), slice_of(exact[i].want), "line of %s",
			  exact[i].name);
}

/* Every field set; each type must give all of them back. */
static struct entry full(enum entry_type type)
{
	return (struct entry){
		.seq = 9007199254740993,
		.time_ms = T0 + type,
		.type = type,
		.outcome = ENTRY_FAILURE,
		.user = SLICE_LIT("db\"a"),
		.origin = SLICE_LIT("::1"),
		.object = SLICE_LIT("\xe2\x82\xac"),
		.audit_serial = 5,
		.after_logout = true,
		.pid = 2147483647,
		.ppid = 1,
		.uid = 0,
		.euid = 4294967294u,
		.auid = 1000,
		.exe = SLICE_LIT("/e"),
		.cwd = SLICE_LIT(""),
		.tty = SLICE_LIT("pts1"),
		.comm = SLICE_LIT("c\\x41"),
		.argv = args,
		.argc = 3,
		.argc_total = 4,
		.error = SLICE_LIT("EPERM"),
		.text = SLICE_LIT("t\0t"),
		.raw = SLICE_LIT("\x00\xff\r"),
		.start_ms = T0 - 1,
		.end_ms = T0,
		.incomplete = true,
		.ran = {1, 2, 3},
		.n_ran = 3,
		.cause = SLICE_LIT("why"),
		.count = INT64_MAX,
		.target = SLICE_LIT("ro\"ot"),
		.linked = SLICE_LIT("2ab9"),
		.access = &approved,
		.service = SLICE_LIT("sshd"),
		.action = SLICE_LIT("rename"),
		.syscall = SLICE_LIT("renameat2"),
		.has_exit_code = true,
		.exit_code = type,
		.exit_signal = 15 + type * 3,
		.exec_seq = 77,
		.endpoint = ENTRY_DESTINATION + type % 3,
		.address = SLICE_LIT("@\0x"),
		.ip = SLICE_LIT("::1"),
		.port = 65535,
		.net_type = SLICE_LIT("ipv6"),
		.path = SLICE_LIT("/a\n"),
		.target_path = SLICE_LIT(""),
		.flags = SLICE_LIT("O_RDWR"),
		.mode = SLICE_LIT("0644"),
		.command = SLICE_LIT("id -u"),
		.old_value = SLICE_LIT("1"),
		.new_value = SLICE_LIT(""),
		.redacted = 3,
		.resolved = SLICE_LIT("ls"),
	};
}

static bool same(struct slice a, struct slice b)
{
	return (a.ptr != NULL) == (b.ptr != NULL) && slice_eq(a, b);
}

static bool same_args(const struct entry *a, const struct entry *b)
{
	if ((a->argv != NULL) != (b->argv != NULL) || a->argc != b->argc ||
	    a->argc_total != b->argc_total)
		return false;
	for (size_t i = 0; i < a->argc; i++) {
		if (!same(a->argv[i], b->argv[i]))
			return false;
	}
	return true;
}

static bool same_access(const struct access *a, const struct access *b)
{
	if (!a || !b)
		return a == b;
	return a->status == b->status && a->source == b->source &&
	       strcmp(a->request_id, b->request_id) == 0 && strcmp(a->requester, b->requester) == 0;
}

static const char *difference(const struct entry *a, const struct entry *b)
{
#define SAME(cond, name)                                                                           \
	if (!(cond))                                                                               \
	return name
#define SAME_NUMBER(f) SAME(a->f == b->f, #f)
#define SAME_TEXT(f) SAME(same(a->f, b->f), #f)
	SAME_NUMBER(seq);
	SAME_NUMBER(time_ms);
	SAME_NUMBER(type);
	SAME_NUMBER(outcome);
	SAME_TEXT(user);
	SAME_TEXT(origin);
	SAME_TEXT(object);
	SAME_NUMBER(audit_serial);
	SAME_NUMBER(after_logout);
	SAME_NUMBER(pid);
	SAME_NUMBER(ppid);
	SAME_NUMBER(uid);
	SAME_NUMBER(euid);
	SAME_NUMBER(auid);
	SAME_TEXT(exe);
	SAME_TEXT(cwd);
	SAME_TEXT(tty);
	SAME_TEXT(comm);
	SAME(same_args(a, b), "argv");
	SAME_TEXT(error);
	SAME_TEXT(text);
	SAME_TEXT(raw);
	SAME_NUMBER(start_ms);
	SAME_NUMBER(end_ms);
	SAME_NUMBER(incomplete);
	SAME_NUMBER(n_ran);
	SAME(memcmp(a->ran, b->ran, sizeof(a->ran)) == 0, "ran");
	SAME_TEXT(cause);
	SAME_NUMBER(count);
	SAME_TEXT(target);
	SAME_TEXT(linked);
	SAME(same_access(a->access, b->access), "access");
	SAME_TEXT(service);
	SAME_TEXT(action);
	SAME_TEXT(syscall);
	SAME_NUMBER(has_exit_code);
	SAME_NUMBER(exit_code);
	SAME_NUMBER(exit_signal);
	SAME_NUMBER(exec_seq);
	SAME_NUMBER(endpoint);
	SAME_TEXT(address);
	SAME_TEXT(ip);
	SAME_NUMBER(port);
	SAME_TEXT(net_type);
	SAME_TEXT(path);
	SAME_TEXT(target_path);
	SAME_TEXT(flags);
	SAME_TEXT(mode);
	SAME_TEXT(command);
	SAME_TEXT(old_value);
	SAME_TEXT(new_value);
	SAME_NUMBER(redacted);
	SAME_TEXT(resolved);
	return "none";
}

static void check_round_trip(const struct entry *e, const char *name)
{
	struct entry_read r;
	struct sa_err err = {0};
	int rc = entry_parse(written(e), &r, &err);

	tap_str(rc == 0 ? difference(e, &r.e) : err.msg, "none", "round trip, differs: %s", name);
	if (rc == 0)
		entry_read_free(&r);
}

static void test_round_trip(void)
{
	struct entry empty = {.seq = 1, .time_ms = T0, UNSET_IDS, .argv = args, .argc = 0};

	for (int t = 0; t < ENTRY_TYPES; t++) {
		struct entry e = full((enum entry_type)t);

		check_round_trip(&e, entry_type_name(e.type));
	}
	check_round_trip(&empty, "no arguments");
	empty.argv = NULL;
	check_round_trip(&empty, "nothing known");
	empty.time_ms = 0;
	check_round_trip(&empty, "time 0");
}

static const struct {
	const char *path;
	size_t offset;
} raw_fields[] = {
	{"user.name", offsetof(struct entry, user)},
	{"user.target.name", offsetof(struct entry, target)},
	{"origin", offsetof(struct entry, origin)},
	{"object", offsetof(struct entry, object)},
	{"process.executable", offsetof(struct entry, exe)},
	{"process.name", offsetof(struct entry, comm)},
	{"process.working_directory", offsetof(struct entry, cwd)},
	{"process.tty.name", offsetof(struct entry, tty)},
	{"error.code", offsetof(struct entry, error)},
	{"service.name", offsetof(struct entry, service)},
	{"linked_session", offsetof(struct entry, linked)},
	{"destination.address", offsetof(struct entry, address)},
	{"file.path", offsetof(struct entry, path)},
	{"file.target_path", offsetof(struct entry, target_path)},
	{"process.command_line", offsetof(struct entry, command)},
	{"change.old", offsetof(struct entry, old_value)},
	{"change.new", offsetof(struct entry, new_value)},
	{"input.resolved", offsetof(struct entry, resolved)},
	{"input.text", offsetof(struct entry, text)},
	{"reason", offsetof(struct entry, cause)},
};

#define BAD "a\xff\x62"

/* e holds BAD in one place only, which is path in the line and at offset in what comes back. */
static void check_raw(const struct entry *e, const char *path,
		      struct slice (*get)(struct entry *, size_t), size_t offset)
{
	struct entry_read r;
	const struct json *raw;

	if (!tap_int(entry_parse(written(e), &r, NULL), 0, "%s: parses", path))
		return;
	raw = json_get(r.json, "raw_b64");
	tap_bytes(get(&r.e, offset), SLICE_LIT("a\\xffb"), "%s: text", path);
	tap_int((long long)json_len(raw), 1, "%s: the only one in raw_b64", path);
	tap_bytes(json_get_str(raw, path), SLICE_LIT("Yf9i"), "%s: exact bytes", path);
	entry_read_free(&r);
}

static struct slice *field_at(struct entry *e, size_t offset)
{
	return (struct slice *)(void *)((char *)e + offset);
}

static struct slice get_field(struct entry *e, size_t offset)
{
	return *field_at(e, offset);
}

static struct slice get_arg(struct entry *e, size_t i)
{
	return i < e->argc ? e->argv[i] : SLICE_NONE;
}

static void test_raw_bytes(void)
{
	const struct entry plain = {.seq = 1, .type = ENTRY_EXEC, .time_ms = T0, UNSET_IDS};
	const struct slice argv[] = {SLICE_LIT("x"), SLICE_LIT(BAD)};
	struct entry e;

	for (size_t i = 0; i < ARRAY_LEN(raw_fields); i++) {
		e = plain;
		e.endpoint = ENTRY_DESTINATION;
		*field_at(&e, raw_fields[i].offset) = SLICE_LIT(BAD);
		check_raw(&e, raw_fields[i].path, get_field, raw_fields[i].offset);
	}
	e = plain;
	e.argv = argv;
	e.argc = 2;
	check_raw(&e, "process.args.1", get_arg, 1);
}

static void test_origin(void)
{
	static const struct {
		struct slice origin;
		const char *want;
	} cases[] = {
		{SLICE_LIT("10.0.0.9"),
		 "{\"origin\":\"10.0.0.9\",\"source\":{\"ip\":\"10.0.0.9\"}}"},
		{SLICE_LIT("2001:db8::1"),
		 "{\"origin\":\"2001:db8::1\",\"source\":{\"ip\":\"2001:db8::1\"}}"},
		{SLICE_LIT("fe80::1%eth0"),
		 "{\"origin\":\"fe80::1%eth0\",\"source\":{\"ip\":\"fe80::1\"}}"},
		{SLICE_LIT("10.0.0.9%eth0"), "{\"origin\":\"10.0.0.9%eth0\"}"},
		{SLICE_LIT("10.0.0.999"), "{\"origin\":\"10.0.0.999\"}"},
		{SLICE_LIT("10.0.0.9\0"), "{\"origin\":\"10.0.0.9\\u0000\"}"},
		{SLICE_LIT("%"), "{\"origin\":\"%\"}"},
		{SLICE_LIT("local"), "{\"origin\":\"local\"}"},
		{SLICE_LIT(""), "{\"origin\":\"\"}"},
		{SLICE_LIT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"),
		 "{\"origin\":\"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000\"}"},
		{SLICE_NONE, "{\"origin\":null}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&line);
		json_writer_reset(writer);
		json_write_open(writer);
		entry_write_origin(writer, cases[i].origin);
		json_write_close(writer);
		tap_bytes(json_writer_end(writer) == 0 ? buf_slice(&line) : SLICE_NONE,
			  slice_of(cases[i].want), "origin %zu", i);
	}
}

/* The text of a time must not depend on the one written before it. */
static void test_times(void)
{
	static const struct {
		int64_t ms;
		const char *want;
	} cases[] = {
		{T0, "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\""},
		{T0 + 876, "{\"@timestamp\":\"2026-11-21T01:00:00.999Z\""},
		{T0 + 877, "{\"@timestamp\":\"2026-11-21T01:00:01.000Z\""},
		{T0, "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\""},
		{0, "{\"@timestamp\":\"1970-01-01T00:00:00.000Z\""},
		{-1, "{\"@timestamp\":\"1970-01-01T00:00:00.000Z\""},
		{7, "{\"@timestamp\":\"1970-01-01T00:00:00.007Z\""},
		{INT64_MIN, "{\"@timestamp\":\"1970-01-01T00:00:00.000Z\""},
		{INT64_MAX, "{\"@timestamp\":\"9999-12-31T23:59:59.999Z\""},
		{INT64_MAX - 1, "{\"@timestamp\":\"9999-12-31T23:59:59.999Z\""},
		{T0, "{\"@timestamp\":\"2026-11-21T01:00:00.123Z\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct entry e = {.seq = 1, .time_ms = cases[i].ms, UNSET_IDS};
		struct slice l = written(&e);

		l.len = l.len < 40 ? l.len : 40;
		tap_bytes(l, slice_of(cases[i].want), "time %zu", i);
	}
}

#define HEAD                                                                                       \
	"{\"@timestamp\":\"2026-11-21T01:00:00Z\",\"seq\":1,\"type\":\"exec\","                    \
	"\"event\":{\"outcome\":\"success\""

static void test_parse(void)
{
	static const struct {
		const char *name, *text;
		int want;
	} cases[] = {
		{"least entry", HEAD "}}", 0},
		{"unknown keys", HEAD ",\"new\":1},\"more\":{\"x\":[]}}", 0},
		{"empty", "", SA_ERR_INVALID},
		{"array", "[]", SA_ERR_INVALID},
		{"cut", HEAD, SA_ERR_INVALID},
		{"two values", HEAD "}}{}", SA_ERR_INVALID},
		{"no type", "{\"@timestamp\":\"2026-11-21T01:00:00Z\",\"seq\":1}", SA_ERR_INVALID},
		{"unknown type", "{\"type\":\"resize\"}", SA_ERR_UNSUPPORTED},
		{"footer", "{\"type\":\"segment_footer\"}", SA_ERR_UNSUPPORTED},
		{"no time", "{\"seq\":1,\"type\":\"exec\",\"event\":{\"outcome\":\"success\"}}",
		 SA_ERR_INVALID},
		{"bad time",
		 "{\"@timestamp\":\"x\",\"seq\":1,\"type\":\"exec\","
		 "\"event\":{\"outcome\":\"success\"}}",
		 SA_ERR_INVALID},
		{"seq 0",
		 "{\"@timestamp\":\"2026-11-21T01:00:00Z\",\"seq\":0,\"type\":\"exec\","
		 "\"event\":{\"outcome\":\"success\"}}",
		 SA_ERR_INVALID},
		{"unknown outcome",
		 "{\"@timestamp\":\"2026-11-21T01:00:00Z\",\"seq\":1,\"type\":\"exec\","
		 "\"event\":{\"outcome\":\"maybe\"}}",
		 SA_ERR_INVALID},
		{"bad start", HEAD ",\"start\":5}}", SA_ERR_INVALID},
		{"uid a number", HEAD "},\"user\":{\"id\":1001}}", SA_ERR_INVALID},
		{"uid with a sign", HEAD "},\"user\":{\"id\":\"-1\"}}", SA_ERR_INVALID},
		{"uid empty", HEAD "},\"user\":{\"id\":\"\"}}", SA_ERR_INVALID},
		{"largest uid", HEAD "},\"user\":{\"id\":\"4294967295\"}}", 0},
		{"uid too large", HEAD "},\"user\":{\"id\":\"4294967296\"}}", SA_ERR_INVALID},
		{"pid a string", HEAD "},\"process\":{\"pid\":\"1\"}}", SA_ERR_INVALID},
		{"pid negative", HEAD "},\"process\":{\"pid\":-1}}", SA_ERR_INVALID},
		{"pid a fraction", HEAD "},\"process\":{\"pid\":1.5}}", SA_ERR_INVALID},
		{"args a string", HEAD "},\"process\":{\"args\":\"ls\"}}", SA_ERR_INVALID},
		{"arg a number", HEAD "},\"process\":{\"args\":[\"ls\",1]}}", SA_ERR_INVALID},
		{"raw not base64", HEAD "},\"input\":{\"raw_b64\":\"*\"}}", SA_ERR_INVALID},
		{"ran 0", HEAD "},\"input\":{\"ran\":[0]}}", SA_ERR_INVALID},
		{"ran full", HEAD "},\"input\":{\"ran\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}}", 0},
		{"ran too long", HEAD "},\"input\":{\"ran\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}}",
		 SA_ERR_INVALID},
		{"bad access", HEAD "},\"access\":{\"status\":7}}", SA_ERR_INVALID},
		{"exit code a string", HEAD "},\"process\":{\"exit_code\":\"1\"}}", SA_ERR_INVALID},
		{"exit code too large", HEAD "},\"process\":{\"exit_code\":4294967296}}",
		 SA_ERR_INVALID},
		{"signal by name", HEAD "},\"process\":{\"exit_signal\":\"SIGKILL\"}}", 0},
		{"signal by number", HEAD "},\"process\":{\"exit_signal\":\"SIG64\"}}", 0},
		{"no signal", HEAD "},\"process\":{\"exit_signal\":\"SIGFOO\"}}", SA_ERR_INVALID},
		{"signal too long", HEAD "},\"process\":{\"exit_signal\":\"SIG12345\"}}",
		 SA_ERR_INVALID},
		{"port negative", HEAD "},\"server\":{\"port\":-1}}", SA_ERR_INVALID},
		{"exec_seq a string", HEAD "},\"exec_seq\":\"7\"}", SA_ERR_INVALID},
		{"redacted negative", HEAD "},\"redacted\":-1}", SA_ERR_INVALID},
		{"process an array", HEAD "},\"process\":[1]}", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct entry_read r;
		int rc = entry_parse(slice_of(cases[i].text), &r, NULL);

		tap_int(rc, cases[i].want, "parse: %s", cases[i].name);
		if (rc == 0)
			entry_read_free(&r);
	}
}

/* Out of memory is said, never taken for a broken or a shorter entry. */
static void test_memory(void)
{
	_cleanup_buf_ struct buf want = {0};
	struct entry e = full(ENTRY_INPUT);
	unsigned long n;
	bool failed = true;

	e.text = SLICE_LIT(BAD);
	buf_init(&want, 1 << 20);
	buf_put(&want, written(&e));
	for (n = 1; failed; n++) {
		struct slice got;

		alloc_fail_at(n);
		got = written(&e);
		failed = alloc_failed();
		alloc_fail_at(0);
		if (failed ? got.ptr && !slice_eq(got, buf_slice(&want)) : !got.ptr)
			tap_ok(false, "write: allocation %lu fails", n);
	}
	tap_ok(n > 3, "every allocation of a write failed once");
	failed = true;
	for (n = 1; failed; n++) {
		struct entry_read r;
		int rc;

		alloc_fail_at(n);
		rc = entry_parse(buf_slice(&want), &r, NULL);
		failed = alloc_failed();
		alloc_fail_at(0);
		if (rc != 0 && !(failed && rc == SA_ERR_NOMEM))
			tap_ok(false, "parse: allocation %lu fails: %d", n, rc);
		if (rc == 0)
			entry_read_free(&r);
	}
	tap_ok(n > 5, "every allocation of a parse failed once");
}

int main(void)
{
	buf_init(&line, 1 << 20);
	writer = json_writer_new(&line);
	test_exact();
	test_round_trip();
	test_raw_bytes();
	test_origin();
	test_times();
	test_parse();
	test_memory();
	json_writer_free(writer);
	buf_free(&line);
	return tap_done();
}
