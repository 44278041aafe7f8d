/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "agent/collector/call.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

static bool parse(const char *body, struct call *c)
{
	struct event_record r[2] = {{.type = RECORD_CWD, .body = SLICE_LIT("cwd=\"/\"")},
				    {.type = RECORD_SYSCALL, .body = slice_of(body)}};
	struct event ev = {.records = r, .n = 2};

	return call_parse(&ev, c);
}

static void test_fields(void)
{
	struct call c;

	tap_ok(parse("arch=c000003e syscall=257 success=no exit=-13 a0=ffffff9c a1=7ffd300cee70 "
		     "a2=241 a3=1b6 items=2 ppid=51 pid=70 auid=1001 uid=0 gid=5 euid=4 suid=3 "
		     "fsuid=9 egid=8 sgid=7 fsgid=6 tty=pts0 ses=12 comm=6120 exe=\"/bin/c at\" "
		     "subj=unconfined key=\"k\"",
		     &c),
	       "a call");
	tap_int(c.kind, CALL_FILE, "kind");
	tap_str(c.name, "openat", "name");
	tap_int(c.arch, 0xc000003e, "arch");
	tap_int((long long)c.nr, 257, "number");
	tap_ok(!c.success, "failed");
	tap_int(c.exit, -13, "exit");
	tap_bytes(call_error(&c), SLICE_LIT("EACCES"), "error");
	tap_int((long long)c.a[0], 0xffffff9c, "a0");
	tap_int((long long)c.a[1], 0x7ffd300cee70, "a1");
	tap_int((long long)c.a[2], 0x241, "a2");
	tap_int((long long)c.a[3], 0x1b6, "a3");
	tap_int(c.ppid, 51, "ppid");
	tap_int(c.pid, 70, "pid");
	tap_int(c.auid, 1001, "auid");
	tap_int(c.uid, 0, "uid");
	tap_int(c.gid, 5, "gid");
	tap_int(c.euid, 4, "euid");
	tap_int(c.suid, 3, "suid");
	tap_int(c.egid, 8, "egid");
	tap_bytes(c.tty, SLICE_LIT("pts0"), "tty");
	tap_int(c.ses, 12, "ses");
	tap_bytes(c.comm, SLICE_LIT("6120"), "comm, as it stands");
	tap_bytes(c.exe, SLICE_LIT("\"/bin/c at\""), "exe, as it stands");
	tap_bytes(c.key, SLICE_LIT("\"k\""), "key");
}

static void test_absent(void)
{
	struct event ev = {.records = NULL, .n = 0};
	struct call c;

	tap_ok(!call_parse(&ev, &c), "an event without a SYSCALL record");
	tap_ok(!parse("arch=c000003e success=yes", &c), "a record without a call's number");
	tap_ok(!parse("arch=c000003e syscall=59x", &c), "or one that is none");
	/* exit_group never returns (a record of Linux 6.18) */
	tap_ok(parse("arch=c000003e syscall=231 a0=7 a1=e7 a2=3c a3=0 items=0 ppid=1 pid=2 "
		     "auid=4294967295 uid=0 tty=(none) ses=4294967295 comm=\"sh\"",
		     &c),
	       "a call that never returns");
	tap_int(c.exit, 0, "has no exit");
	tap_ok(!call_error(&c).ptr, "and no error");
	tap_int(c.ses, UINT32_MAX, "an unset session");
	tap_int(c.auid, UINT32_MAX, "an unset user");
	tap_int(c.euid, UINT32_MAX, "an id that is not there");
	tap_ok(!c.exe.ptr && !c.key.ptr, "texts that are not there");
	tap_ok(parse("arch=c000003e syscall=59 a0=zz a1=12345678901234567 exit=- pid=x ses=-1", &c),
	       "values that are none");
	tap_ok(c.a[0] == 0 && c.a[1] == 0 && c.exit == 0 && c.pid == 0 && c.ses == UINT32_MAX,
	       "give none");
	tap_ok(parse("arch=40000003 per=8 syscall=11 success=yes exit=0", &c) &&
		       c.kind == CALL_EXEC && c.success,
	       "a personality before the number");
	c.exit = -4096;
	tap_ok(!call_error(&c).ptr, "mmap may return that: no error");
}

static const struct {
	const char *arch;
	unsigned nr;
	enum call_kind kind;
	const char *name;
} known[] = {
	{"c000003e", 59, CALL_EXEC, "execve"},
	{"c000003e", 322, CALL_EXEC, "execveat"},
	{"c000003e", 0x40000000 + 520, CALL_EXEC, "execve"}, /* x32 */
	{"c000003e", 0x40000000 + 545, CALL_EXEC, "execveat"},
	{"c000003e", 0x40000000 + 521, CALL_PRIVILEGE, "ptrace"},
	{"c000003e", 0x40000000 + 518, CALL_NETWORK, "sendmsg"},
	{"c000003e", 0x40000000 + 42, CALL_NETWORK, "connect"},
	{"40000003", 11, CALL_EXEC, "execve"},
	{"40000003", 358, CALL_EXEC, "execveat"},
	{"c00000b7", 221, CALL_EXEC, "execve"},
	{"c00000b7", 281, CALL_EXEC, "execveat"},
	{"40000028", 11, CALL_EXEC, "execve"},
	{"40000028", 387, CALL_EXEC, "execveat"},
	{"c0000015", 11, CALL_EXEC, "execve"},
	{"c0000015", 362, CALL_EXEC, "execveat"},
	{"80000016", 11, CALL_EXEC, "execve"},
	{"80000016", 354, CALL_EXEC, "execveat"},
	{"c00000f3", 221, CALL_EXEC, "execve"}, /* riscv64 */
	{"c00000f3", 281, CALL_EXEC, "execveat"},
	{"c00000f3", 203, CALL_NETWORK, "connect"},
	{"c00000f3", 94, CALL_EXIT, "exit_group"},
	{"c000003e", 231, CALL_EXIT, "exit_group"},
	{"c000003e", 60, CALL_EXIT, "exit"},
	{"40000003", 252, CALL_EXIT, "exit_group"},
	{"c000003e", 42, CALL_NETWORK, "connect"},
	{"c000003e", 43, CALL_NETWORK, "accept"},
	{"c000003e", 288, CALL_NETWORK, "accept4"},
	{"c000003e", 49, CALL_NETWORK, "bind"},
	{"c000003e", 44, CALL_NETWORK, "sendto"},
	{"c000003e", 46, CALL_NETWORK, "sendmsg"},
	{"c000003e", 307, CALL_NETWORK, "sendmmsg"},
	{"40000003", 362, CALL_NETWORK, "connect"},
	{"c000003e", 2, CALL_FILE, "open"},
	{"c000003e", 437, CALL_FILE, "openat2"},
	{"c000003e", 82, CALL_FILE, "rename"},
	{"c000003e", 316, CALL_FILE, "renameat2"},
	{"c000003e", 76, CALL_FILE, "truncate"},
	{"40000003", 193, CALL_FILE, "truncate64"},
	{"40000003", 212, CALL_FILE, "chown32"},
	{"c000003e", 188, CALL_FILE, "setxattr"},
	{"c000003e", 105, CALL_PRIVILEGE, "setuid"},
	{"40000003", 213, CALL_PRIVILEGE, "setuid32"},
	{"40000003", 206, CALL_PRIVILEGE, "setgroups32"},
	{"c000003e", 126, CALL_PRIVILEGE, "capset"},
	{"c000003e", 313, CALL_PRIVILEGE, "finit_module"},
	{"c000003e", 165, CALL_PRIVILEGE, "mount"},
	{"c000003e", 101, CALL_PRIVILEGE, "ptrace"},
	{"c000003e", 308, CALL_PRIVILEGE, "setns"},
	{"40000003", 404, CALL_PRIVILEGE, "clock_settime64"},
	{"c000003e", 62, CALL_KILL, "kill"},
	{"c000003e", 424, CALL_KILL, "pidfd_send_signal"},
	{"c000003e", 0, CALL_OTHER, "read"},
	{"c000003e", 85, CALL_FILE, "creat"},
	{"c000003e", 23, CALL_OTHER, "select"},
	{"c000003e", 304, CALL_FILE, "open_by_handle_at"},
	{"c000003e", 303, CALL_OTHER, "name_to_handle_at"},
	{"c000003e", 428, CALL_OTHER, "open_tree"}, /* no other form of open */
	{"c000003e", 999, CALL_OTHER, NULL},
	{"c000003e", 100000, CALL_OTHER, NULL},
	{"deadbeef", 59, CALL_OTHER, NULL},
	{"0", 59, CALL_OTHER, NULL},
};

static void test_known(void)
{
	for (unsigned round = 0; round < 2; round++) /* asked of libaudit, then remembered */
		for (size_t i = 0; i < ARRAY_LEN(known); i++) {
			struct call c;
			char body[96];

			snprintf(body, sizeof(body), "arch=%s syscall=%u success=yes exit=0 pid=7",
				 known[i].arch, known[i].nr);
			tap_ok(parse(body, &c), "%s %u", known[i].arch, known[i].nr);
			tap_int(c.kind, known[i].kind, "%s %u: kind", known[i].arch, known[i].nr);
			tap_str(c.name, known[i].name, "%s %u: name", known[i].arch, known[i].nr);
			tap_int(c.pid, known[i].kind == CALL_OTHER ? 0 : 7, "read as far as used");
		}
}

/* 32-bit programs may reach connect(2) through one call for all of sockets. */
static void test_socketcall(void)
{
	static const struct {
		unsigned a0;
		enum call_kind kind;
		const char *name;
	} cases[] = {
		{1, CALL_OTHER, "socketcall"},
		{2, CALL_NETWORK, "bind"},
		{3, CALL_NETWORK, "connect"},
		{4, CALL_OTHER, "socketcall"},
		{5, CALL_NETWORK, "accept"},
		{0xb, CALL_NETWORK, "sendto"},
		{0x10, CALL_NETWORK, "sendmsg"},
		{0x12, CALL_NETWORK, "accept4"},
		{0x13, CALL_OTHER, "socketcall"},
		{0x14, CALL_NETWORK, "sendmmsg"},
		{0xffffffff, CALL_OTHER, "socketcall"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call c;
		char body[64];

		snprintf(body, sizeof(body), "arch=40000003 syscall=102 a0=%x", cases[i].a0);
		tap_ok(parse(body, &c), "socketcall %u", cases[i].a0);
		tap_int(c.kind, cases[i].kind, "socketcall %u: kind", cases[i].a0);
		tap_str(c.name, cases[i].name, "socketcall %u: name", cases[i].a0);
	}
}

int main(void)
{
	test_fields();
	test_absent();
	test_known();
	test_socketcall();
	return tap_done();
}
