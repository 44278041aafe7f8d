/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/shell.h"
#include "common/transcript/page_text.h"
#include "tests/unit/tap.h"

#define T0 INT64_C(1795222923000) /* 2026-11-21T01:02:03Z */
#define SID "2ab9a4634728340a26a28f66673fe485"
#define RULE                                                                                           \
	"--------------------------------------------------------------------------------------------" \
	"------\n"

static const struct page_style alone; /* as transcript.txt */

static void test_quote(void)
{
	static const struct {
		const char *name;
		struct slice arg;
		const char *want;
	} cases[] = {
		{"word", SLICE_LIT("/usr/bin/a-b_c.d:e=f@g%h+i,j"), "/usr/bin/a-b_c.d:e=f@g%h+i,j"},
		{"empty", SLICE_LIT(""), "''"},
		{"blank", SLICE_LIT("a b"), "'a b'"},
		{"quote", SLICE_LIT("it's"), "'it'\\''s'"},
		{"backslash n stays two bytes", SLICE_LIT("a\\nb"), "'a\\nb'"},
		{"newline", SLICE_LIT("a\nb"), "$'a\\nb'"},
		{"newline and backslash n", SLICE_LIT("a\n\\n'"), "$'a\\n\\\\n\\''"},
		{"NUL", SLICE_LIT("a\0b"), "$'a\\x00b'"},
		{"escape sequence", SLICE_LIT("\033[2J\007"), "$'\\e[2J\\x07'"},
		{"C1",
		 SLICE_LIT("\xc2\x9b"
			   "31m"),
		 "$'\\u{009b}31m'"},
		{"bidi override",
		 SLICE_LIT("\xe2\x80\xae"
			   "exe"),
		 "$'\\u{202e}exe'"},
		{"invalid UTF-8", SLICE_LIT("\xff\xfe"), "$'\\xff\\xfe'"},
		{"wildcards", SLICE_LIT("*$(id)"), "'*$(id)'"},
		{"letters beyond ASCII", SLICE_LIT("\xc3\xa4"), "'\xc3\xa4'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {0};

		buf_init(&b, 4096);
		page_quote(&b, cases[i].arg, false);
		tap_str(buf_cstr(&b), cases[i].want, "quote: %s", cases[i].name);
	}
}

static void test_shells(void)
{
	static const struct {
		const char *name;
		bool want;
	} cases[] = {{"bash", true}, {"-zsh", true}, {"csh", true},    {"-csh", true},
		     {"", false},    {"-", false},   {"bashx", false}, {"--sh", false}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_ok(shell_is(slice_of(cases[i].name)) == cases[i].want, "shell: '%s'",
		       cases[i].name);
}

static void test_cut(void)
{
	static char big[100 * 1024];
	struct slice arg = {big, sizeof(big)};
	_cleanup_buf_ struct buf b = {0};

	memset(big, 'x', sizeof(big));
	buf_init(&b, 1024 * 1024);
	page_quote(&b, arg, false);
	tap_int((long long)b.len, PAGE_ARG_MAX + (long long)strlen("[... 102000 more bytes]"),
		"a long argument is cut");
	tap_ok(strcmp(buf_cstr(&b) + PAGE_ARG_MAX, "[... 102000 more bytes]") == 0,
	       "and the rest counted");
	buf_clear(&b);
	page_quote(&b, arg, true);
	tap_bytes(buf_slice(&b), arg, "full: whole");
	memcpy(big + PAGE_ARG_MAX - 1, "\xe2\x82\xac", 3);
	buf_clear(&b);
	page_quote(&b, arg, false);
	tap_ok(b.data[0] == 'x' && strstr(buf_cstr(&b), "x[... 102001 more bytes]"),
	       "never inside a character");
}

static void test_duration(void)
{
	static const struct {
		int64_t ms;
		const char *want;
	} cases[] = {
		{-5, "under 1 s"},      {999, "under 1 s"},        {1000, "1 s"},
		{59999, "59 s"},        {60000, "1 min 0 s"},      {641000, "10 min 41 s"},
		{3600000, "1 h 0 min"}, {86399000, "23 h 59 min"}, {90000000, "1 d 1 h"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {0};

		buf_init(&b, 64);
		page_duration(&b, cases[i].ms);
		tap_str(buf_cstr(&b), cases[i].want, "duration of %lld ms", (long long)cases[i].ms);
	}
}

static struct entry base(enum entry_type type)
{
	return (struct entry){
		.seq = 12,
		.time_ms = T0,
		.type = type,
		.outcome = ENTRY_SUCCESS,
		.user = SLICE_LIT("dba"),
		.origin = SLICE_LIT("10.0.0.9"),
		.uid = 1001,
		.euid = 1001,
		.auid = 1001,
	};
}

static void check(const struct page_style *st, const struct entry *e, uint64_t typed,
		  const char *want, const char *name)
{
	_cleanup_buf_ struct buf b = {0};

	struct page_more more = {.typed = typed};

	buf_init(&b, 1024 * 1024);
	page_entry_of(&b, st, e, &more);
	tap_str(buf_cstr(&b), want, "%s", name);
}

#define WHO "  #12  2026-11-21 01:02:03  dba          "
#define AT WHO "                "
#define RAN WHO "      started   "
#define FAILED WHO "      failed    "
#define AS_ROOT WHO "ROOT  started   "

static const struct slice ls[] = {SLICE_LIT("ls"), SLICE_LIT("my file")};

static struct entry exec_ls(void)
{
	struct entry e = base(ENTRY_EXEC);

	e.exe = e.object = SLICE_LIT("/usr/bin/ls");
	e.argv = ls;
	e.argc = e.argc_total = 2;
	return e;
}

static void test_exec(void)
{
	struct entry e = exec_ls();

	check(&alone, &e, 0, RAN "ls 'my file'\n", "exec");
	check(&alone, &e, 7, RAN "> ls 'my file'  (typed in #7)\n",
	      "exec of a typed line elsewhere");
	e.cwd = SLICE_LIT("/srv/\033[1m");
	e.tty = SLICE_LIT("pts/0");
	check(&alone, &e, 0, RAN "ls 'my file'  [in /srv/\\e[1m, pts/0]\n", "exec with its place");
	e.tty = SLICE_NONE;
	check(&alone, &e, 0, RAN "ls 'my file'  [in /srv/\\e[1m, no terminal]\n",
	      "exec without terminal");
	e = exec_ls();
	e.euid = 0;
	check(&alone, &e, 0, AS_ROOT "ls 'my file'\n", "exec as root");
	e.euid = 112;
	check(&alone, &e, 0, RAN "ls 'my file'  [as uid 112]\n", "exec as somebody else");
	e = exec_ls();
	e.exe = SLICE_LIT("/tmp/rootkit");
	check(&alone, &e, 0, RAN "ls 'my file'  [program: /tmp/rootkit]\n",
	      "exec under a false name");
	e.outcome = ENTRY_FAILURE;
	e.error = SLICE_LIT("ENOENT");
	check(&alone, &e, 0, FAILED "ls 'my file'  (no such file)\n", "failed exec");
	e.error = SLICE_LIT("EWEIRD");
	check(&alone, &e, 0, FAILED "ls 'my file'  (EWEIRD)\n", "failed with an error of no name");
	e = exec_ls();
	e.argc_total = 9;
	check(&alone, &e, 0, RAN "ls 'my file' [7 more arguments were not recorded]\n",
	      "arguments that were lost");
	e.argv = NULL;
	e.argc = e.argc_total = 0;
	e.after_logout = true;
	check(&alone, &e, 0, RAN "[AFTER THE END] /usr/bin/ls\n",
	      "after the end, no arguments known");
}

static void test_classes(void)
{
	struct page_more more = {.ended = true, .has_exit_code = true, .exit_code = 127};
	struct entry e = base(ENTRY_EXIT);
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 4096);
	e.exe = e.object = SLICE_LIT("/usr/bin/grep");
	e.has_exit_code = true;
	e.exec_seq = 7;
	page_entry(&b, &alone, &e);
	tap_int((long long)b.len, 0, "a program that ended well has no line");
	e.outcome = ENTRY_FAILURE;
	e.exit_code = 2;
	e.start_ms = T0 - 3000;
	e.end_ms = T0;
	check(&alone, &e, 0, WHO "      exit 2    grep, started in #7, ended after 3 s\n",
	      "a program that failed");
	e.has_exit_code = false;
	e.exit_signal = 9;
	e.exec_seq = 0;
	e.start_ms = 0;
	check(&alone, &e, 0, WHO "      SIGKILL   grep, was ended by a signal\n",
	      "a signal, start not known");
	e = exec_ls();
	page_entry_of(&b, &alone, &e, &more);
	tap_str(buf_cstr(&b), WHO "      exit 127  ls 'my file'\n", "start and end in one line");
	buf_clear(&b);
	more = (struct page_more){.ended = true, .exit_signal = 40, .untyped = true};
	page_entry_of(&b, &alone, &e, &more);
	tap_str(buf_cstr(&b), WHO "      SIG40     ls 'my file'  (not typed)\n",
		"a signal without a name; not typed");
	e = base(ENTRY_NETWORK);
	e.action = SLICE_LIT("connect");
	e.endpoint = ENTRY_DESTINATION;
	e.object = SLICE_LIT("10.0.0.1:443");
	e.comm = SLICE_LIT("cu\033rl");
	check(&alone, &e, 0, AT "connect to 10.0.0.1:443  (by cu\\erl)\n", "connect");
	e.outcome = ENTRY_FAILURE;
	e.error = SLICE_LIT("EACCES");
	e.endpoint = ENTRY_SERVER;
	e.action = SLICE_LIT("bind");
	check(&alone, &e, 0,
	      WHO "      failed    bind on 10.0.0.1:443  (by cu\\erl)  (permission denied)\n",
	      "a bind that failed");
	e = base(ENTRY_FILE);
	e.action = SLICE_LIT("rename");
	e.object = e.path = SLICE_LIT("/etc/a b");
	e.target_path = SLICE_LIT("/etc/c\n");
	check(&alone, &e, 0, AT "rename '/etc/a b' -> $'/etc/c\\n'\n", "rename");
	e = base(ENTRY_AUTH);
	e.action = SLICE_LIT("user_cmd");
	e.target = SLICE_LIT("root");
	e.command = SLICE_LIT("id -u");
	e.service = SLICE_LIT("sudo");
	check(&alone, &e, 0, AT "user cmd for root: id -u by sudo\n", "sudo's command");
	e = base(ENTRY_CONFIG);
	e.object = SLICE_LIT("audit_enabled");
	e.old_value = SLICE_LIT("1");
	e.new_value = SLICE_LIT("0");
	e.linked = SLICE_LIT(SID);
	check(&alone, &e, 0,
	      AT "!! AUDIT CONFIGURATION CHANGED !! audit_enabled from 1 to 0, login user 1001, in "
		 "session " SID "\n",
	      "audit switched off");
	e = base(ENTRY_SELF);
	e.action = SLICE_LIT("signal");
	e.object = SLICE_LIT("sessaudit-collector[71]");
	e.cause = SLICE_LIT("SIGKILL");
	e.comm = SLICE_LIT("bash");
	check(&alone, &e, 0,
	      AT
	      "!! THE RECORDER WAS TOUCHED !! signal 'sessaudit-collector[71]' with SIGKILL  (by "
	      "bash)\n",
	      "a signal to the agent");
	e = base(ENTRY_PRIVILEGE);
	e.action = SLICE_LIT("module_load");
	e.object = SLICE_LIT("dummy");
	check(&alone, &e, 0, AT "module load dummy\n", "a right of root's");
	e.action = SLICE_LIT("mount");
	e.path = SLICE_LIT("/tmp/x y");
	e.object = e.target_path = SLICE_LIT("/mnt");
	e.cause = SLICE_LIT("bind");
	check(&alone, &e, 0, AT "mount '/tmp/x y' on /mnt, bind\n", "a mount");
	e = base(ENTRY_FILE);
	e.action = SLICE_LIT("chmod");
	e.object = e.path = SLICE_LIT("/etc/x");
	e.mode = SLICE_LIT("0600");
	e.cause = SLICE_LIT("path_by_inode");
	check(&alone, &e, 0, AT "chmod /etc/x mode 0600  (path inferred)\n", "a path inferred");
	e = base(ENTRY_UNTYPED);
	e.object = SLICE_LIT("bash");
	e.ran[0] = 7;
	e.ran[1] = 9;
	e.n_ran = 2;
	check(&alone, &e, 0, AT "run by bash, and no typed line led to it: #7 #9\n", "not typed");
	e = base(ENTRY_STATEMENT);
	e.comm = SLICE_LIT("psql");
	e.text = SLICE_LIT("select 1;");
	check(&alone, &e, 0, AT "typed into psql:  select 1;\n", "statement");
	e = base(ENTRY_INPUT);
	e.comm = SLICE_LIT("bash");
	e.text = SLICE_LIT("<Up>");
	e.resolved = SLICE_LIT("ls -l");
	e.ran[0] = 3;
	e.n_ran = 1;
	check(&alone, &e, 0, AT "typed in bash:  <Up>  (ran #3, it was: ls -l)\n", "history");
	e = base(ENTRY_INPUT);
	e.comm = SLICE_LIT("sudo");
	e.cause = SLICE_LIT("relay");
	e.count = 12;
	check(&alone, &e, 0, AT "typed into sudo:  (12 bytes, handed on to what runs below it)\n",
	      "a relay");
}

static void test_names(void)
{
	static const struct {
		const char *argv0, *exe;
		bool fits;
	} cases[] = {
		{"-bash", "/usr/bin/bash", true}, {"python3", "/usr/bin/python3.11", true},
		{"/bin/ls", "/usr/bin/ls", true}, {"sh", "/usr/bin/dash", false},
		{"", "/usr/bin/ls", false},       {"l", "/usr/bin/ls", false},
		{"ls", "/tmp/lsx", false},        {"lsx", "/usr/bin/ls", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct entry e = base(ENTRY_EXEC);
		struct slice argv0 = slice_of(cases[i].argv0);
		_cleanup_buf_ struct buf b = {0};

		buf_init(&b, 4096);
		e.argv = &argv0;
		e.argc = 1;
		e.exe = slice_of(cases[i].exe);
		page_command(&b, &e, false);
		tap_ok(!strstr(buf_cstr(&b), "[program: ") == cases[i].fits, "'%s' and %s",
		       cases[i].argv0, cases[i].exe);
	}
}

static void test_input(void)
{
	struct page_place place = {0};
	struct page_style in_order = {.place = &place};
	struct entry e = base(ENTRY_INPUT), x = exec_ls();

	e.comm = SLICE_LIT("bash");
	e.text = SLICE_LIT("ls | wc");
	e.start_ms = T0 - 60000;
	e.end_ms = T0;
	check(&alone, &e, 0,
	      AT
	      "typed in bash:  ls | wc  (typed between 01:01:03 and 01:02:03, no program started)\n",
	      "a shell's line that ran nothing");
	e.ran[0] = 4;
	e.ran[1] = 5;
	e.n_ran = 2;
	check(&alone, &e, 0,
	      AT "typed in bash:  ls | wc  (typed between 01:01:03 and 01:02:03, ran #4, #5)\n",
	      "a shell's line with what it ran");
	check(&in_order, &e, 0,
	      "  #12            dba                          typed in bash:  ls | wc  (ran #4, #5)\n",
	      "in order: the time is that of what it ran");
	x.seq = 4;
	check(&in_order, &x, 12,
	      "       2026-11-21 UTC\n   #4  01:02:03  dba                started   > ls 'my file'\n",
	      "in order: below its line");
	x.cwd = SLICE_LIT("/srv");
	check(&in_order, &x, 0,
	      "   #4  01:02:03  dba                started   ls 'my file'"
	      "  [in /srv, no terminal]\n",
	      "in order: a new place");
	check(&in_order, &x, 0, "   #4  01:02:03  dba                started   ls 'my file'\n",
	      "in order: the same place");
	x.time_ms += 24 * 3600 * 1000;
	check(&in_order, &x, 12,
	      "       2026-11-22 UTC\n   #4  01:02:03  dba                started   > ls 'my file'"
	      "  (typed in #12)\n",
	      "in order: a new day, the typed line is not directly above");
	e.comm = SLICE_LIT("\033cat");
	e.text = SLICE_LIT("a\x1b[2Jb\r\n");
	e.n_ran = 0;
	e.end_ms = e.start_ms + 10;
	e.incomplete = true;
	check(&alone, &e, 0, AT "typed into \\ecat:  a\\e[2Jb\\r\\n  (without Enter)\n",
	      "a line typed into a program");
	e.text = SLICE_LIT("");
	e.incomplete = false;
	check(&alone, &e, 0, AT "typed into \\ecat:  (empty line)\n", "an empty line");
}

static void test_other(void)
{
	static char req[] = "REQ-1\033", a[] = "A", b[] = "B", *fits[] = {a, b};
	struct access approved = {.status = ACCESS_APPROVED, .request_id = req};
	struct access both = {.status = ACCESS_AMBIGUOUS, .candidates = fits, .n_candidates = 2};
	struct entry e = base(ENTRY_SESSION_START);

	e.service = SLICE_LIT("sshd");
	check(&alone, &e, 0, AT "session opened by sshd from 10.0.0.9\n", "start");
	e = base(ENTRY_SESSION_END);
	e.cause = SLICE_LIT("logout");
	check(&alone, &e, 0, AT "session ended: logout\n", "end");
	e = base(ENTRY_ACCESS);
	check(&alone, &e, 0, AT "!! no access request: UNAPPROVED\n", "access without context");
	e.access = &approved;
	check(&alone, &e, 0, AT "access request REQ-1\\e: APPROVED\n", "access approved");
	e.access = &both;
	check(&alone, &e, 0, AT "!! no access request: AMBIGUOUS, could be A, B\n",
	      "access ambiguous");
	e = base(ENTRY_CONFLICT);
	e.cause = SLICE_LIT("second_tag");
	check(&alone, &e, 0, AT "!! CONFLICT !! second tag\n", "conflict");
	e.access = &approved;
	check(&alone, &e, 0, AT "!! CONFLICT !! second tag; access request REQ-1\\e: APPROVED\n",
	      "conflict with its context");
	e = base(ENTRY_GAP);
	e.cause = SLICE_LIT("agent_restart");
	e.start_ms = T0 - 12000;
	e.end_ms = T0;
	check(&alone, &e, 0,
	      AT "!! RECORDING GAP !! 12 s (01:01:51 to 01:02:03), cause: agent restart\n", "gap");
	e.count = 1;
	e.start_ms = 0;
	check(&alone, &e, 0, AT "!! RECORDING GAP !! 1 record lost, cause: agent restart\n",
	      "gap with a count");
	e.user = SLICE_LIT("a.very.long.user.name");
	e.seq = 1234567;
	check(&alone, &e, 0,
	      "#1234567  2026-11-21 01:02:03  a.very.long.user.name                 !! RECORDING GAP !! "
	      "1 record lost, cause: agent restart\n",
	      "a name wider than its column");
}

static void test_privilege(void)
{
	static char why[] = "request REQ-9: \033expired";
	static char words[] = "disk\033 full", number[] = "T-1";
	struct access refused = {.policy = ACCESS_POLICY_DENIED, .reason = why};
	struct access typed = {
		.status = ACCESS_BREAKGLASS, .justification = words, .ticket = number};
	struct entry e = base(ENTRY_PRIVILEGE);

	e.target = SLICE_LIT("root");
	e.service = SLICE_LIT("sudo");
	e.cause = SLICE_LIT("nested");
	check(&alone, &e, 0, AT "became root by sudo (was dba)\n", "became someone");
	e.access = &typed;
	check(&alone, &e, 0,
	      AT
	      "became root by sudo (was dba): BREAK-GLASS, SELF-ASSERTED: disk\\e full, ticket T-1\n",
	      "on their own word");
	e.access = NULL;
	e.target = SLICE_LIT("\033[2Jroot");
	e.service = SLICE_NONE;
	e.user = SLICE_NONE;
	check(&alone, &e, 0,
	      "  #12  2026-11-21 01:02:03  ?                            "
	      "became \\e[2Jroot (was an unknown user)\n",
	      "became someone, what is not known");
	e = base(ENTRY_PRIVILEGE);
	e.target = SLICE_LIT("root");
	e.service = SLICE_LIT("su");
	e.cause = SLICE_LIT("denied");
	e.outcome = ENTRY_FAILURE;
	check(&alone, &e, 0, AT "DENIED: dba may not become root by su\n", "denied");
	e.access = &refused;
	check(&alone, &e, 0,
	      AT
	      "DENIED: dba may not become root by su (request REQ-9: \\eexpired), DENIED by this "
	      "host's policy\n",
	      "denied, with the reason");
	e.cause = SLICE_LIT("nested");
	e.access = NULL;
	check(&alone, &e, 0, AT "FAILED: dba did not become root by su\n", "failed");
	e.cause = SLICE_LIT("left");
	e.linked = SLICE_LIT(SID);
	check(&alone, &e, 0, AT "this login goes on as session " SID "\n", "left");
	e.linked = SLICE_NONE;
	check(&alone, &e, 0,
	      AT "GAVE UP ITS SESSION NUMBER: what this process does now is not recorded\n",
	      "left the recording");
	e = base(ENTRY_SESSION_START);
	e.service = SLICE_LIT("login");
	e.linked = SLICE_LIT(SID "\033");
	check(&alone, &e, 0,
	      AT "session opened by login from 10.0.0.9, continues session " SID "\\e\n",
	      "start of what another session left for");
}

static void test_lapse(void)
{
	static const struct {
		enum entry_type type;
		const char *cause, *want;
	} cases[] = {
		{ENTRY_EXPIRED, "expires_at",
		 AT
		 "!! APPROVAL EXPIRED (REQ-1\\e, at 2026-11-21 01:02:03 UTC): what follows was not "
		 "approved\n"},
		{ENTRY_EXPIRED, "new_channel",
		 AT "!! new channel opened after the approval had expired (REQ-1\\e)\n"},
		{ENTRY_REVOKED, "revoked",
		 AT
		 "!! APPROVAL WITHDRAWN (REQ-1\\e, at 2026-11-21 01:02:03 UTC): what follows was "
		 "not approved\n"},
		{ENTRY_REVOKED, "grant_removed",
		 AT
		 "!! APPROVAL WITHDRAWN (REQ-1\\e, at 2026-11-21 01:02:03 UTC): what follows was "
		 "not approved (its grant was removed from the host)\n"},
		{ENTRY_REVOKED, "new_channel",
		 AT "!! new channel opened after the approval had been withdrawn (REQ-1\\e)\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct entry e = base(cases[i].type);

		e.object = SLICE_LIT("REQ-1\033");
		e.cause = slice_of(cases[i].cause);
		check(&alone, &e, 0, cases[i].want, cases[i].cause);
	}
}

static struct segment_session session(const struct access *a)
{
	return (struct segment_session){
		.sid = SID,
		.host = SLICE_LIT("prod-db-1"),
		.ses = 7,
		.auid = 1001,
		.user = SLICE_LIT("dba"),
		.origin = SLICE_LIT("10.0.0.9"),
		.service = SLICE_LIT("sshd"),
		.start_ms = T0,
		.access = a,
	};
}

static char s_req[] = "REQ-1042", s_alice[] = "alice@example.com", s_bob[] = "bob@example.com",
	    s_carol[] = "carol@example.com", s_why[] = "INC-77: disk\nfull",
	    s_at[] = "2026-11-21T01:00:00Z", s_user[] = "user", s_group[] = "group",
	    s_yes[] = "approved", s_no[] = "rejected";
static struct access_approval approvals[] = {{s_bob, s_user, s_yes, s_at},
					     {s_carol, s_group, s_no, NULL}};
static const struct access approved = {
	.status = ACCESS_APPROVED,
	.source = ACCESS_SOURCE_USER,
	.request_id = s_req,
	.requester = s_alice,
	.justification = s_why,
	.not_before = s_at,
	.approvals = approvals,
	.n_approvals = 2,
};

static void test_head(void)
{
	struct segment_session s = session(&approved);
	struct session_totals t = {.end_ms = T0 + 641000,
				   .end_cause = SLICE_LIT("logout"),
				   .part = 1,
				   .entries = 14,
				   .execs = 10,
				   .inputs = 1,
				   .head = "abcd"};
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 65536);
	page_head(&b, &alone, &s);
	tap_str(buf_cstr(&b),
		"  Session         " SID "   Host     prod-db-1\n"
		"  User            dba (uid 1001)                     From     10.0.0.9 by sshd\n"
		"  Started         2026-11-21 01:02:03 UTC\n"
		"\n"
		"  Access request  REQ-1042                           Status   APPROVED\n"
		"  Requested by    alice@example.com\n"
		"  Approved by     bob@example.com    2026-11-21 01:00:00 UTC\n"
		"                  carol@example.com  (time not known)  (group)  NOT AN APPROVAL: "
		"rejected\n"
		"  Justification   INC-77: disk\\nfull\n"
		"  Valid           2026-11-21 01:00:00 UTC until (no end)\n"
		"  Recognised by   user name, host and time of the login\n"
		"\n" RULE
		"    #  Time                 User         As    Outcome   What happened (times are UTC)\n",
		"head");
	buf_clear(&b);
	page_head_whole(&b, &alone, &s, &t);
	tap_ok(strstr(buf_cstr(&b),
		      "  Started         2026-11-21 01:02:03 UTC            Ended    2026-11-21 01:12:44 "
		      "UTC\n"
		      "  Lasted          10 min 41 s, ended by: logout\n"
		      "  Recorded        10 programs started, 1 line typed, 14 entries in all\n"
		      "  Completeness    no known loss\n\n"),
	       "head with end and counts");
	t.end_ms = 0;
	buf_clear(&b);
	page_head_whole(&b, &alone, &s, &t);
	tap_ok(strstr(buf_cstr(&b), "Ended    still open\n  Recorded "), "head of an open session");
	t.end_ms = T0 + 500;
	t.redactions = 2;
	t.gaps = 2;
	t.lost = 40;
	t.part = 2;
	buf_clear(&b);
	page_tail(&b, &alone, &s, &t);
	tap_str(buf_cstr(&b),
		RULE
		"  Ended           2026-11-21 01:02:03 UTC\n"
		"  Lasted          under 1 s, ended by: logout\n"
		"  Recorded        10 programs started, 1 line typed, 14 entries in all, 2 secrets "
		"replaced\n"
		"  Completeness    2 RECORDING GAPS, at least 40 RECORDS LOST\n"
		"  Part            2 (left-behind programs went on after the end)\n"
		"  Hash chain ends abcd\n",
		"tail");
}

/* What certificate, policy and user say; nothing of it reaches the terminal raw. */
static void test_access(void)
{
	static char fp[] = "SHA256:key", ca[] = "SHA256:ca", key_id[] = "it's\033[1m", no[] = "7",
		    profile[] = "regex", reason[] = "grant g-1:\nexpired", ticket[] = "T-1";
	struct access a = {.status = ACCESS_ID_ONLY,
			   .source = ACCESS_SOURCE_CERT,
			   .policy = ACCESS_POLICY_EXEMPT,
			   .request_id = s_req,
			   .key_fp = fp,
			   .ca_fp = ca,
			   .cert_key_id = key_id,
			   .cert_serial = no,
			   .cert_profile = profile,
			   .reason = reason};
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 65536);
	page_access(&b, &alone, &a);
	tap_str(buf_cstr(&b),
		"  Access request  REQ-1042                           Status   ID ONLY\n"
		"  Host's policy   EXEMPT: let in although it would have been refused\n"
		"  Reason          grant g-1:\\nexpired\n"
		"  Recognised by   the certificate the user logged in with\n"
		"  Key             SHA256:key\n"
		"  Certificate     key id $'it\\'s\\e[1m', serial 7, profile regex\n"
		"  Signed by CA    SHA256:ca\n",
		"certificate, policy, reason");
	buf_clear(&b);
	a = (struct access){
		.status = ACCESS_UNAPPROVED, .policy = ACCESS_POLICY_DENIED, .key_fp = fp};
	page_access(&b, &alone, &a);
	tap_str(buf_cstr(&b),
		"  Access request  none                               Status   UNAPPROVED\n"
		"  Host's policy   DENIED: the login was refused\n"
		"  Key             SHA256:key\n",
		"a key, and a refused login");
	buf_clear(&b);
	a = (struct access){.status = ACCESS_BREAKGLASS,
			    .source = ACCESS_SOURCE_PROMPT,
			    .justification = s_why,
			    .ticket = ticket};
	page_access(&b, &alone, &a);
	tap_str(buf_cstr(&b),
		"  Access request  none                               Status   BREAK-GLASS\n"
		"  Justification   INC-77: disk\\nfull  (SELF-ASSERTED: typed by the user)\n"
		"  Ticket          T-1  (SELF-ASSERTED: typed by the user)\n"
		"  Recognised by   what the user answered at login\n",
		"what the user typed is marked");
}

/* What is not approved begins with an alarm, whatever else is known. */
static void test_alarm(void)
{
	static const struct {
		enum access_status status;
		const char *want;
	} cases[] = {
		{ACCESS_UNAPPROVED, "!!  UNAPPROVED ACCESS\n"},
		{ACCESS_ID_ONLY, "!!  APPROVAL NOT CONFIRMED\n"},
		{ACCESS_AMBIGUOUS, "!!  AMBIGUOUS ACCESS\n"},
		{ACCESS_CONFLICT, "!!  CONFLICTING ACCESS\n"},
		{ACCESS_BREAKGLASS, "!!  EMERGENCY ACCESS (BREAK-GLASS)\n"},
		{(enum access_status)99, "!!  UNAPPROVED ACCESS\n"},
	};
	struct segment_session s = session(NULL);
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 65536);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct access a = approved;
		const char *found;

		a.status = cases[i].status;
		s.access = &a;
		buf_clear(&b);
		page_head(&b, &alone, &s);
		found = strstr(buf_cstr(&b), cases[i].want);
		tap_ok(b.len > 0 && b.data[0] == '!' && found &&
			       found < strstr(buf_cstr(&b), "Session  "),
		       "alarm above the head: status %d", (int)cases[i].status);
	}
	s.access = NULL;
	buf_clear(&b);
	page_head(&b, &alone, &s);
	tap_ok(strstr(buf_cstr(&b), "!!  UNAPPROVED ACCESS\n") != NULL, "alarm: no context at all");
	s.access = &(struct access){.status = ACCESS_ID_ONLY, .source = ACCESS_SOURCE_SESSION};
	buf_clear(&b);
	page_head(&b, &alone, &s);
	tap_ok(strstr(buf_cstr(&b),
		      "    The request is that of the session that this one left. ") != NULL,
	       "alarm: what another session left");
	s.access = &(struct access){.policy = ACCESS_POLICY_DENIED};
	buf_clear(&b);
	page_head(&b, &alone, &s);
	tap_ok(strstr(buf_cstr(&b), "!!  LOGIN REFUSED\n") != NULL &&
		       !strstr(buf_cstr(&b), "UNAPPROVED ACCESS"),
	       "alarm: a refused login");
}

/* Whatever a transcript holds: on the page stand only printable characters, line ends and our own
 * colours, and no line is wider than asked for. */
static void test_hostile(void)
{
	static char junk[600];
	struct page_place place = {0};
	struct page_style st = {.width = 100, .place = &place};
	struct slice argv[3] = {{junk, 256}, {junk + 100, 500}, SLICE_LIT("\xe2\x80\xae\xc2\x9b")};
	struct slice all = {junk, 256};
	bool clean = true;
	size_t widest = 0, column = 0;
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)i;
	buf_init(&b, 1024 * 1024);
	for (enum entry_type type = 0; type < ENTRY_TYPES; type++) {
		struct entry e = base(type);

		e.argv = argv;
		e.argc = 3;
		e.origin = e.object = e.exe = e.cwd = e.tty = e.comm = e.error = e.text = e.cause =
			e.service = e.target = e.linked = all;
		page_entry(&b, &st, &e);
	}
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.data[i];

		clean = clean && (c == '\n' || (c >= 0x20 && c < 0x7f));
		column = c == '\n' ? 0 : column + 1;
		widest = column > widest ? column : widest;
	}
	tap_ok(!b.failed && clean, "nothing of it reaches the terminal");
	tap_ok(widest > 90 && widest <= 100, "wrapped: widest line has %zu columns", widest);
	st.color = true;
	buf_clear(&b);
	for (enum entry_type type = 0; type < ENTRY_TYPES; type++) {
		struct entry e = base(type);

		e.argv = argv;
		e.argc = 3;
		e.cwd = e.text = e.cause = all;
		page_entry(&b, &st, &e);
	}
	for (const char *p = buf_cstr(&b); (p = strchr(p, '\033')); p++)
		clean = clean && p[1] == '[' && strspn(p + 2, "0123456789;") < 5 &&
			p[2 + strspn(p + 2, "0123456789;")] == 'm';
	tap_ok(clean, "with colours: only our sequences");
}

static void test_wrap(void)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{"short", "abc", "abc\n"},
		{"at a blank", "aaaa bbbb cccc dddd eeee", "aaaa bbbb cccc dddd\n    eeee\n"},
		{"just fits", "aaaa bbbb cccc dddd!", "aaaa bbbb cccc dddd!\n"},
		{"no blank", "aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaa\n    aaaa\n"},
		{"characters count, not bytes", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 bbbb cccc dddd!",
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 bbbb cccc dddd!\n"},
		{"colours do not count", "\033[1maaaa bbbb cccc dddd!\033[0m",
		 "\033[1maaaa bbbb cccc dddd!\033[0m\n"},
		{"empty", "", "\n"},
	};
	struct page_style st = {.width = 24};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {0};

		buf_init(&b, 4096);
		page_wrap(&b, &st, slice_of(cases[i].text), 4);
		tap_str(buf_cstr(&b), cases[i].want, "wrap: %s", cases[i].name);
	}
}

static void test_local(void)
{
	struct page_place place = {0};
	struct page_style st = {.local = true, .place = &place};
	struct entry e = exec_ls();

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	check(&st, &e, 0,
	      "       2026-11-21 +0100\n  #12  02:02:03  dba                started   ls 'my file'\n",
	      "local time");
}

int main(void)
{
	test_quote();
	test_cut();
	test_shells();
	test_duration();
	test_exec();
	test_classes();
	test_names();
	test_input();
	test_other();
	test_privilege();
	test_lapse();
	test_access();
	test_head();
	test_alarm();
	test_hostile();
	test_wrap();
	test_local();
	return tap_done();
}
