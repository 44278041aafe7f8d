/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/pipeline.h"
#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/settings.h"
#include "tests/unit/spool_check.h"
#include "tests/unit/tap.h"

/* Events in, entries out, for programs, their ends and the network. Records are those of
 * Linux 6.18, with other numbers and names. */

#define S "type=SYSCALL msg=audit(1795222801.%03d:%d): arch=c000003e "
#define BY                                                                                         \
	" auid=1001 uid=1001 gid=1001 euid=1001 suid=1001 fsuid=1001 egid=1001 sgid=1001 "         \
	"fsgid=1001 tty=pts0 ses=%u comm=\"%s\" exe=\"/bin/%s\" key=\"sessaudit\""

static struct settings settings;
static struct check check;
static struct pipeline pipe_line;
static struct buf lines; /* of the session's file, each with a NUL behind it */
static size_t seen;      /* bytes of them that were looked at */
static int serial;

static void feed(const char *line)
{
	struct record rec;

	if (record_parse_line(slice_of(line), &rec))
		tap_ok(false, "bad line: %s", line);
	else
		pipeline_record(&pipe_line, &rec);
}

static void event_of(const char *syscall, const char *const *more)
{
	char at[64], text[1024];

	snprintf(at, sizeof(at), "audit(1795222801.%03d:%d): ", serial % 1000, serial);
	feed(syscall);
	for (; more && *more; more++) {
		const char *type_end = strchr(*more, ' ');

		snprintf(text, sizeof(text), "type=%.*s msg=%s%s", (int)(type_end - *more), *more,
			 at, type_end + 1);
		feed(text);
	}
	snprintf(text, sizeof(text), "type=PROCTITLE msg=%sproctitle=\"x\"", at);
	feed(text);
	snprintf(text, sizeof(text), "type=EOE msg=%s", at); /* also where records are missing */
	feed(text);
	serial++;
}

/* call: from "syscall=" to "items=" */
static void call(unsigned ses, int pid, const char *comm, const char *text, const char *const *more)
{
	char line[1024];

	snprintf(line, sizeof(line), S "%s ppid=51 pid=%d" BY, serial % 1000, serial, text, pid,
		 ses, comm, comm);
	event_of(line, more);
}

static void exec(int pid, const char *comm, const char *execve)
{
	const char *more[] = {execve, NULL};

	call(1, pid, comm, "syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=8 items=2", more);
}

static void start(void)
{
	struct pipeline_facts facts = {.host = "h1",
				       .machine_id = "m",
				       .boot_id = "b",
				       .capture = "replay",
				       .settings = &settings};

	check_open(&check);
	facts.spool_dir = check.spool;
	if (pipeline_open(&pipe_line, &facts, NULL))
		abort();
	serial = 100;
	seen = 0;
	feed("type=LOGIN msg=audit(1795222800.000:1): pid=50 uid=0 old-auid=4294967295 auid=1001 "
	     "old-ses=4294967295 ses=1 res=1");
	feed("type=USER_START msg=audit(1795222800.000:2): pid=50 uid=0 auid=1001 ses=1 "
	     "msg='op=PAM:session_open acct=\"al\" exe=\"/usr/sbin/sshd\" hostname=10.0.0.9 "
	     "addr=10.0.0.9 terminal=ssh res=success'");
}

static void end(void)
{
	bool ok;

	transcript_end_all(pipe_line.transcript, "end_of_recording", T0);
	check_ship(&check);
	ok = check_store(&check);
	tap_ok(ok, "the store: %s", check.why);
	pipeline_close(&pipe_line);
	check_close(&check);
}

static void load(void)
{
	const struct session *s = session_find(pipe_line.sessions, 1);
	char name[64];

	writer_flush(pipe_line.writer);
	snprintf(name, sizeof(name), "%s.000000.jsonl", s->sid);
	buf_clear(&lines);
	if (spool_read(pipe_line.spool, name, &lines, NULL))
		tap_ok(false, "%s cannot be read", name);
}

static void add(struct buf *out, const char *name, struct slice text)
{
	if (!text.ptr)
		return;
	buf_printf(out, " %s=", name);
	buf_put(out, text);
}

static void add_number(struct buf *out, const char *name, uint64_t n)
{
	if (n)
		buf_printf(out, " %s=%" PRIu64, name, n);
}

/* An entry's fields that matter here, as "exit failure /bin/sh code=7 seq=2". */
static void describe(const struct entry *e, struct buf *out)
{
	const char *endpoint = entry_endpoint_name(e->endpoint);

	buf_puts(out, entry_type_name(e->type));
	if (!slice_is(e->action, entry_type_name(e->type)))
		add(out, "action", e->action);
	buf_printf(out, " %s %.*s", entry_outcome_name(e->outcome), (int)e->object.len,
		   e->object.ptr ? e->object.ptr : "");
	for (size_t i = 0; i < e->argc; i++)
		buf_printf(out, " [%.*s]", (int)(e->argv[i].len < 20 ? e->argv[i].len : 20),
			   e->argv[i].ptr);
	if (e->argc_total > e->argc)
		add_number(out, "of", e->argc_total);
	add(out, "error", e->error);
	if (e->has_exit_code)
		buf_printf(out, " code=%u", e->exit_code);
	add_number(out, "signal", e->exit_signal);
	add_number(out, "exec", e->exec_seq);
	if (e->type == ENTRY_EXIT && e->end_ms)
		buf_printf(out, " ran=%" PRId64, e->end_ms - e->start_ms);
	if (endpoint) {
		add(out, endpoint, e->address);
		add(out, "ip", e->ip);
		add_number(out, "port", e->port);
	}
	add(out, "net", e->net_type);
	if (e->type == ENTRY_NETWORK)
		add(out, "cwd", e->cwd);
	if (e->type == ENTRY_GAP)
		add(out, "cause", e->cause);
}

/* What was written since the last time, one entry after the other. */
static void expect(const char *want, const char *name)
{
	_cleanup_buf_ struct buf got = {0};
	struct slice left;

	buf_init(&got, 1 << 20);
	load();
	left = (struct slice){lines.data + seen, lines.len - seen};
	seen = lines.len;
	while (left.len > 0) {
		struct slice line = slice_cut(&left, '\n');
		struct entry_read r = {0};

		if (entry_parse(line, &r, NULL) == 0) {
			if (got.len > 0)
				buf_puts(&got, "; ");
			describe(&r.e, &got);
			entry_read_free(&r);
		}
	}
	tap_str(buf_cstr(&got), want, "%s", name);
}

static void test_execs(void)
{
	static const char *const script[] = {
		"EXECVE argc=3 a0=\"/bin/sh\" a1=\"./run\" a2=6120620A",
		"CWD cwd=\"/home/al\"",
		"PATH item=2 name=\"/lib64/ld-linux-x86-64.so.2\" nametype=NORMAL",
		"PATH item=1 name=\"/bin/sh\" nametype=NORMAL",
		"PATH item=0 name=\"./run\" nametype=NORMAL",
		NULL};
	static const char *const by_fd[] = {"EXECVE argc=2 a0=\"echo\" a1=\"x\"", "CWD cwd=\"/\"",
					    "PATH item=0 name=\"\" inode=7 nametype=NORMAL", NULL};
	static const char *const not_there[] = {
		"CWD cwd=\"/\"", "PATH item=0 name=\"/nonexistent\" nametype=UNKNOWN", NULL};

	start();
	expect("session_start success sshd", "the login");
	call(1, 70, "run", "syscall=59 success=yes exit=0 a0=1 items=3", script);
	expect("exec success ./run [/bin/sh] [./run] [a b\n]", "a script, with what runs it");
	call(1, 71, "echo", "syscall=322 success=yes exit=0 a0=4 items=2", by_fd);
	expect("exec success /bin/echo [echo] [x]", "execveat of an open file");
	call(1, 72, "bash", "syscall=59 success=no exit=-2 a0=4 items=1", not_there);
	expect("exec failure /nonexistent error=ENOENT", "a failed one has no arguments: no gap");
	exec(73, "ls", "CWD cwd=\"/\"");
	expect("exec success /bin/ls; gap unknown recording cause=arguments_cut",
	       "EXECVE is missing");
	exec(74, "ls", "EXECVE argc=4 a0=\"ls\" a1=\"-l\" a3=\"c\"");
	expect("exec success /bin/ls [ls] [-l] of=4; gap unknown recording cause=arguments_cut",
	       "a hole");
	end();
}

static void test_exits(void)
{
	char line[1024];

	start();
	expect("session_start success sshd", "the login");
	exec(70, "true", "EXECVE argc=1 a0=\"true\"");
	call(1, 70, "true", "syscall=231 a0=0 a1=e7 a2=3c a3=7ffc items=0", NULL);
	expect("exec success /bin/true [true]; exit success /bin/true code=0 exec=2 ran=1", "0");
	exec(70, "sh", "EXECVE argc=1 a0=\"sh\"");
	call(1, 70, "sh", "syscall=231 a0=107 items=0", NULL);
	expect("exec success /bin/sh [sh]; exit failure /bin/sh code=7 exec=4 ran=1",
	       "the low eight bits of the code");
	call(1, 71, "sh", "syscall=231 a0=4 items=0", NULL);
	expect("exit failure /bin/sh code=4", "a subshell that ran no program");
	call(1, 71, "sh", "syscall=231 a0=5 items=0", NULL);
	expect("", "two of its threads called exit_group");
	exec(72, "thr", "EXECVE argc=1 a0=\"thr\"");
	call(1, 72, "thr", "syscall=60 a0=0 a1=7fb000 items=0", NULL);
	call(1, 72, "thr", "syscall=60 a0=0 a1=7fb000 items=0", NULL);
	expect("exec success /bin/thr [thr]", "threads end");
	call(1, 72, "thr", "syscall=231 a0=3 items=0", NULL);
	expect("exit failure /bin/thr code=3 exec=7 ran=3", "then their program");
	exec(73, "asm", "EXECVE argc=1 a0=\"asm\"");
	call(1, 73, "asm", "syscall=60 a0=5 items=0", NULL);
	expect("exec success /bin/asm [asm]; exit failure /bin/asm code=5 exec=9 ran=1",
	       "a program without a C library");
	call(1, 50, "sshd", "syscall=231 a0=ff items=0", NULL);
	snprintf(line, sizeof(line), S "syscall=231 a0=ff items=0 ppid=50 pid=51" BY, serial % 1000,
		 serial, 1, "sshd", "sshd");
	event_of(line, NULL);
	expect("", "the login itself");
	snprintf(line, sizeof(line), S "syscall=231 a0=3 items=0 ppid=50 pid=52" BY, serial % 1000,
		 serial, 1, "bash", "bash");
	event_of(line, NULL);
	expect("exit failure /bin/bash code=3", "a shell that is older than the recording");
	call(2, 90, "sshd", "syscall=231 a0=0 items=0", NULL);
	tap_ok(!session_find(pipe_line.sessions, 2), "an exit alone begins no session");
	end();
}

#define ABEND(pid, sig)                                                                            \
	"type=ANOM_ABEND msg=audit(1795222801.900:900): auid=1001 uid=1001 gid=1001 ses=1 "        \
	"pid=" #pid " comm=\"x\" exe=\"/bin/x\" sig=" #sig " res=1"

static void death(int64_t pid, unsigned signal)
{
	transcript_death(pipe_line.transcript, pid, signal, INT64_C(1795222801900), T0);
}

static void test_signals(void)
{
	start();
	expect("session_start success sshd", "the login");
	exec(70, "x", "EXECVE argc=1 a0=\"x\"");
	feed(ABEND(70, 11));
	expect("exec success /bin/x [x]; exit failure /bin/x signal=11 exec=2 ran=800", "a crash");
	death(70, 11);
	call(1, 70, "x", "syscall=231 a0=1 items=0", NULL);
	expect("", "is told once");
	exec(71, "dd", "EXECVE argc=1 a0=\"dd\"");
	death(71, 9);
	expect("exec success /bin/dd [dd]; exit failure dd signal=9 exec=4 ran=798",
	       "SIGKILL writes no core");
	feed(ABEND(71, 9));
	expect("", "and the other order is the same");
	death(71, 9);
	death(4711, 15);
	expect("", "nor is one that is not known");
	exec(72, "z", "EXECVE argc=1 a0=\"z\"");
	transcript_death(pipe_line.transcript, 72, 9, INT64_C(1795222800999), T0);
	expect("exec success /bin/z [z]", "nor is one of before the pid was its");
	feed(ABEND(80, 6));
	expect("exit failure /bin/x signal=6", "a child without a program");
	feed(ABEND(81, 0));
	feed(ABEND(82, x));
	feed(ABEND(83, 65));
	expect("", "no signals");
	exec(90, "y", "EXECVE argc=1 a0=\"y\"");
	death(90, 0);
	expect("exec success /bin/y [y]", "it ended by no signal: exit_group tells");
	end();
}

static enum session_phase phase(uint32_t ses)
{
	return session_find(pipe_line.sessions, ses)->phase;
}

static void login(int pid, unsigned old_ses, unsigned ses)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "type=LOGIN msg=audit(1795222800.000:3): pid=%d uid=0 old-auid=1001 auid=1001 "
		 "old-ses=%u ses=%u res=1",
		 pid, old_ses, ses);
	feed(line);
}

/* uid and parent as given */
static void child(unsigned ses, int pid, int ppid, unsigned uid, const char *syscall)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 S "%s ppid=%d pid=%d auid=1001 uid=%u euid=%u tty=(none) ses=%u comm=\"x\" "
		   "exe=\"/bin/x\"",
		 serial % 1000, serial, syscall, ppid, pid, uid, uid, ses);
	event_of(line, NULL);
}

/* A login's own calls come before its tag does. */
static void test_pending(void)
{
	static const char *const inet[] = {"SOCKADDR saddr=020000507F0000010000000000000000", NULL};

	start();
	login(60, UINT32_MAX, 3);
	call(3, 60, "sshd", "syscall=42 success=yes exit=0 a0=4 items=0", inet);
	child(3, 61, 60, 0, "syscall=59 success=yes exit=0");
	child(3, 62, 61, 0, "syscall=59 success=yes exit=0");
	child(3, 62, 61, 1001, "syscall=231 a0=0");
	tap_int(phase(3), SESSION_PENDING, "calls and programs of the login begin nothing");
	child(3, 63, 61, 1001, "syscall=59 success=yes exit=0");
	tap_int(phase(3), SESSION_OPEN, "a program of its user does");
	login(70, UINT32_MAX, 4);
	child(4, 70, 1, 0, "syscall=59 success=yes exit=0");
	tap_int(phase(4), SESSION_OPEN, "so does one that the login becomes");
	login(80, 1, 5);
	call(5, 80, "evil", "syscall=42 success=yes exit=0 a0=4 items=0", inet);
	tap_int(phase(5), SESSION_OPEN, "and anything of one that comes from a session");
	end();
}

static void network(const char *syscall, const char *saddr)
{
	const char *more[] = {saddr, "CWD cwd=\"/srv\"", NULL};

	call(1, 70, "nc", syscall, more);
}

#define OK " success=yes exit=0 a0=4 a1=7ffd a2=10 a3=0 items=0"

static void test_network(void)
{
	start();
	expect("session_start success sshd", "the login");
	network("syscall=42" OK, "SOCKADDR saddr=020001BB0A0000010000000000000000");
	expect("network action=connect success 10.0.0.1:443 destination=10.0.0.1 ip=10.0.0.1 "
	       "port=443 net=ipv4 cwd=/srv",
	       "connect");
	network("syscall=42 success=no exit=-111 a0=4 items=0",
		"SOCKADDR saddr=0A00001600000000000000000000000000000000000000010000000"
		"0");
	expect("network action=connect failure [::1]:22 error=ECONNREFUSED destination=::1 ip=::1 "
	       "port=22 net=ipv6 cwd=/srv",
	       "connect, IPv6, refused");
	network("syscall=42 success=no exit=-115 a0=4 items=0",
		"SOCKADDR saddr=020001BB0A0000010000000000000000");
	expect("network action=connect unknown 10.0.0.1:443 error=EINPROGRESS "
	       "destination=10.0.0.1 ip=10.0.0.1 port=443 net=ipv4 cwd=/srv",
	       "connect that is not waited for");
	network("syscall=288 success=yes exit=6 a0=4 items=0",
		"SOCKADDR saddr=0200DDBA7F0000010000000000000000");
	expect("network action=accept success 127.0.0.1:56762 client=127.0.0.1 ip=127.0.0.1 "
	       "port=56762 net=ipv4 cwd=/srv",
	       "accept4");
	network("syscall=49" OK, "SOCKADDR saddr=020000007F0000010000000000000000");
	expect("network action=bind success 127.0.0.1:0 server=127.0.0.1 ip=127.0.0.1 net=ipv4 "
	       "cwd=/srv",
	       "bind to any port");
	network("syscall=44" OK, "SOCKADDR saddr=0A00DE050000000000000000000000000000FFFF7F000001"
				 "00000000");
	expect("network action=sendto success 127.0.0.1:56837 destination=127.0.0.1 ip=127.0.0.1 "
	       "port=56837 net=ipv4 cwd=/srv",
	       "sendto a v4-mapped address");
	network("syscall=46" OK, "SOCKADDR saddr=01002F6465762F6C6F6700");
	expect("network action=sendto success /dev/log destination=/dev/log net=unix cwd=/srv",
	       "sendmsg to a unix socket");
	network("syscall=42" OK, "SOCKADDR saddr=010000616273");
	expect("network action=connect success @abs destination=@abs net=unix cwd=/srv",
	       "an abstract one");
	network("syscall=288" OK, "SOCKADDR saddr=0100");
	expect("network action=accept success unix net=unix cwd=/srv", "a nameless one");
	network("syscall=42" OK, "SOCKADDR saddr=28000000D20400000200000000000000");
	expect("network action=connect success vsock 2:1234 destination=2 port=1234 net=vsock "
	       "cwd=/srv",
	       "vsock");
	network("syscall=49" OK, "SOCKADDR saddr=1000944F0000000000000000");
	network("syscall=42" OK, "SOCKADDR saddr=1000944F0000000000000000");
	expect("", "netlink: to the kernel");
	network("syscall=49" OK, "SOCKADDR saddr=110000000200000000000000F67F000028A0AEEC");
	expect("network action=bind success packet 2 server=2 net=packet cwd=/srv", "packet");
	network("syscall=42" OK, "SOCKADDR saddr=00000000000000000000000000000000");
	expect("network action=connect success unspec net=unspec cwd=/srv", "unspec");
	network("syscall=42 success=no exit=-22 a0=4 items=0", "SOCKADDR saddr=02000050");
	expect("network action=connect failure 02000050 error=EINVAL net=other cwd=/srv",
	       "an address that is none");
	network("syscall=46" OK, "SOCKADDR saddr=1000944F0000000000000000");
	network("syscall=44" OK, "PATH item=0");
	network("syscall=43 success=no exit=-11 a0=4 items=0", "PATH item=0");
	expect("", "to the kernel, on a connected socket, nobody came");
	end();
}

/* A kind that is switched off. */
static void test_off(void)
{
	settings.capture_exits = settings.capture_network = false;
	start();
	expect("session_start success sshd", "the login");
	exec(70, "x", "EXECVE argc=1 a0=\"x\"");
	network("syscall=42" OK, "SOCKADDR saddr=020001BB0A0000010000000000000000");
	call(1, 70, "x", "syscall=231 a0=0 items=0", NULL);
	feed(ABEND(70, 6));
	death(70, 6);
	expect("exec success /bin/x [x]", "programs only");
	end();
	settings.capture_exits = settings.capture_network = true;
}

static struct proc *program(const char *exe, const char *execve)
{
	exec(77, exe, execve);
	return procs_find(pipe_line.transcript->procs, 77);
}

static void test_interactive(void)
{
	static const struct {
		const char *exe, *execve;
		bool want;
	} cases[] = {
		{"bash", "EXECVE argc=1 a0=\"-bash\"", true},
		{"bash", "EXECVE argc=2 a0=\"bash\" a1=\"-l\"", true},
		{"bash", "EXECVE argc=3 a0=\"bash\" a1=\"-c\" a2=\"id\"", false},
		{"bash", "EXECVE argc=3 a0=\"bash\" a1=\"-lc\" a2=\"id\"", false},
		{"dash", "EXECVE argc=2 a0=\"/bin/sh\" a1=\"./x\"", false},
		{"dash", "EXECVE argc=3 a0=\"sh\" a1=\"-s\" a2=\"x\"", true},
		{"zsh", "EXECVE argc=4 a0=\"zsh\" a1=\"-o\" a2=\"vi\" a3=\"x\"", false},
		{"zsh", "EXECVE argc=3 a0=\"zsh\" a1=\"-o\" a2=\"vi\"", true},
		{"bash", "EXECVE argc=3 a0=\"bash\" a1=\"--rcfile\" a2=\"f\"", true},
		{"bash", "EXECVE argc=2 a0=\"bash\" a1=\"--norc\"", true},
		{"bash", "EXECVE argc=3 a0=\"bash\" a1=\"--\" a2=\"f\"", false},
		{"bash", "EXECVE argc=2 a0=\"bash\" a1=\"-\"", true},
		{"bash", "EXECVE argc=2 a0=\"bash\" a1=\"\"", false},
		{"psql", "EXECVE argc=1 a0=\"psql\"", false},
	};

	start();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_int(program(cases[i].exe, cases[i].execve)->interactive, cases[i].want, "%s",
			cases[i].execve);
	tap_str(program("a-name-of-more-than-15", "EXECVE argc=1 a0=\"x\"")->comm,
		"a-name-of-more-", "a long name is cut");
	tap_int(program("x", "EXECVE argc=1 a0=\"x\"")->ses, 1, "its session");
	end();
}

int main(void)
{
	log_init("test", LOG_LEVEL_ERR);
	settings_parse("test", SLICE_LIT(""), &settings, NULL);
	buf_init(&lines, 1 << 20);
	test_execs();
	test_exits();
	test_signals();
	test_pending();
	test_network();
	test_off();
	test_interactive();
	buf_free(&lines);
	settings_free(&settings);
	return tap_done();
}
