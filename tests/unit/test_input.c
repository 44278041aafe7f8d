/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/pipeline.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/transcript/entry.h"
#include "tests/unit/spool_check.h"
#include "tests/unit/tap.h"

/*
 * What is typed, from TTY records to entries. A story is one session; its steps, one a second:
 *   x PID PPID NAME ARGS   a program is started
 *   t PID NAME KEYS        a TTY record
 *   e PID                  the process ends
 *   c PID PPID NAME ARGS   as x, but at once after the step before
 * wanted: each input, statement and untyped entry, as `see` writes it. The first step's second is
 * 1, its entry (behind session_start) #2.
 */
#define STEPS 12

struct story {
	const char *name;
	const char *steps[STEPS];
	const char *want;
};

#define BASH "x 51 49 bash -bash"

static const struct story stories[] = {
	{"a shell's lines and what they ran",
	 {BASH, "x 60 51 ls -l", "x 61 51 cat x", "t 51 bash ls -l\rcd /tmp\rcat x\rexit\r"},
	 "input bash [ls -l] 1-2 ran 3\ninput bash [cd /tmp] 2-3 (builtin)\n"
	 "input bash [cat x] 2-3 ran 4\ninput bash [exit] 3-4 (builtin)\n"},
	{"history and completion are resolved",
	 {BASH, "x 60 51 ls -l", "x 61 51 cat ab", "x 62 51 ls -l",
	  "t 51 bash ls -l\rcat a\t\r\033[A\033[A\rexit\r"},
	 "input bash [ls -l] 1-2 ran 3\ninput bash [cat a<Tab>] 2-3 ran 4 =cat ab\n"
	 "input bash [<Up><Up>] 3-4 ran 5 =ls -l\ninput bash [exit] 4-5 (builtin)\n"},
	{"typed, never executed",
	 {BASH, "x 60 51 ls", "t 51 bash nosuch -x\rls\r(id)\rexit\r"},
	 "input bash [nosuch -x] 1-2 (not_run)\ninput bash [ls] 1-2 ran 3\ninput bash [(id)] 2-3\n"
	 "input bash [exit] 2-3 (builtin)\n"},
	{"executed, never typed",
	 {BASH, "x 60 51 ls", "x 61 51 evil now", "x 62 51 ls", "t 51 bash ls\rls\rexit\r"},
	 "input bash [ls] 1-2 ran 3\ninput bash [ls] 2-4 ran 5\ninput bash [exit] 4-5 (builtin)\n"
	 "untyped bash ran 4\n"},
	{"a process that becomes another program",
	 {BASH, "x 60 51 nohup sh", "c 60 51 sh x", "t 51 bash nohup sh x\rexit\r"},
	 "input bash [nohup sh x] 1-2 ran 3\ninput bash [exit] 2-3 (builtin)\n"},
	{"start-up files",
	 {BASH, "c 60 51 id -u", "c 61 51 dircolors -b", "x 62 51 ls", "t 51 bash ls\rexit\r"},
	 "input bash [ls] 1-2 ran 5\ninput bash [exit] 2-3 (builtin)\n"
	 "untyped bash ran 3,4 (startup)\n"},
	{"scripts' programs are no shell's lines",
	 {BASH, "x 60 51 sh /x.sh", "x 61 60 evil", "t 51 bash sh /x.sh\rexit\r"},
	 "input bash [sh /x.sh] 1-2 ran 3\ninput bash [exit] 2-4 (builtin)\n"},
	{"a line cut by the kernel's buffer",
	 {BASH, "t 51 bash echo a\rls -", "x 60 51 ls -l", "t 51 bash l\rexit\r"},
	 "input bash [echo a] 1-2 (builtin)\ninput bash [ls -l] 1-3 ran 4\n"
	 "input bash [exit] 3-4 (builtin)\n"},
	{"a cut line at the process's end",
	 {BASH, "t 51 bash echo a\rls -", "e 51"},
	 "input bash [echo a] 1-2 (builtin)\ninput bash [ls -] 1-2 incomplete\n"},
	{"a cut line of one that becomes another",
	 {BASH, "t 51 bash exec zs", "x 51 49 zsh", "t 51 zsh ls\n", "e 51"},
	 "input bash [exec zs] 1-2 incomplete\ninput zsh [ls] 3-4 (not_run)\n"},
	{"a cut line at the session's end",
	 {BASH, "t 51 bash ls -"},
	 "input bash [ls -] 1-2 incomplete\n"},
	{"a shell in canonical mode gives a line on before it runs anything",
	 {"x 51 49 sh", "t 51 sh ls -l\n", "x 60 51 ls -l", "t 51 sh nosuch -x\n", "t 51 sh cd /\n",
	  "e 51"},
	 "input sh [ls -l] 1-2 ran 3\ninput sh [nosuch -x] 3-4 (not_run)\n"
	 "input sh [cd /] 4-5 (builtin)\n"},
	{"a part of a canonical line",
	 {"x 51 49 cat", "t 51 cat par", "t 51 cat tial\n"},
	 "input cat [partial] 1-3\n"},
	{"the read builtin between a shell's lines",
	 {BASH, "t 51 bash read x\r", "t 51 bash a\177b\n", "t 51 bash ls", "e 51"},
	 "input bash [read x] 1-2 (builtin)\ninput bash [a^?b] 2-3\n"
	 "input bash [ls] 3-4 incomplete\n"},
	{"vi keys, from one look on",
	 {BASH, "t 51 bash echo ac\033ib\recho x\033\r", "t 51 bash ab\033xaz\r", "e 51"},
	 "input bash [echo abc] 1-2 (builtin)\ninput bash [echo x] 1-2 (builtin)\n"
	 "input bash [az] 2-3 (not_run)\n"},
	{"a full-screen program",
	 {"x 51 49 vim", "t 51 vim ihi\033:wq\r", "e 51"},
	 "input vim [ihi<Esc>:wq<Enter>] 1-2\n"},
	{"statements",
	 {"x 51 49 psql", "t 51 psql select *\rfrom x; \\d\rdrop table",
	  "t 51 psql  y;\rselect 'a\r", "e 51"},
	 "statement psql [select *\nfrom x;] 1-2 raw=select *|from x; \\d|\n"
	 "input psql [\\d] 1-2 raw=select *|from x; \\d|\n"
	 "statement psql [drop table y;] 1-3 raw=drop table y;|\n"
	 "statement psql [select 'a] 2-3 raw=select 'a| incomplete\n"},
	{"a statement given up, and one of the history",
	 {"x 51 49 sqlite3", "t 51 sqlite3 select 1\003\033[A\r.quit\r"},
	 "input sqlite3 [select 1^C] 1-2 raw=select 1^\n"
	 "statement sqlite3 [<Up>] 1-2 raw=~[A| incomplete\ninput sqlite3 [.quit] 1-2 raw=.quit|\n"},
	{"the end of input ends a statement",
	 {"x 51 49 mysql", "t 51 mysql select 1\r\025\004"},
	 "statement mysql [select 1] 1-2 raw=select 1|%% incomplete\n"
	 "input mysql [^D] 1-2 raw=select 1|%%\n"},
	{"secrets in a line, its keys are left out",
	 {BASH, "x 60 51 mysql -psecret x", "t 51 bash mysql -psecret x\rexit\r"},
	 "input bash [mysql -p[redacted] x] 1-2 ran 3 redacted=1\ninput bash [exit] 2-3 (builtin)\n"},
	{"in what resolves a line",
	 {BASH, "x 60 51 mysql -psecret x", "t 51 bash \033[A\rexit\r"},
	 "input bash [<Up>] 1-2 ran 3 =mysql '-p[redacted]' x\ninput bash [exit] 2-3 (builtin)\n"},
	{"in a statement",
	 {"x 51 49 mysql", "t 51 mysql set password = 'geheim';\r"},
	 "statement mysql [set password = '[redacted]';] 1-2 redacted=1\n"},
	{"what a password prompt reads",
	 {"x 51 49 su", "t 51 su geheim\n", "t 51 su other\n"},
	 "input su [[redacted]] 1-2 redacted=1\ninput su [[redacted]] 2-3 redacted=1\n"},
	{"what is relayed is told by the program below",
	 {"x 51 49 sudo -i", "t 51 sudo id\rgeheim\r", "t 51 sudo x\n"},
	 "input sudo relay 10 1-2\ninput sudo [[redacted]] 2-3 redacted=1\n"},
	{"what only calls itself a relay hides nothing",
	 {BASH, "x 60 51 psql", "t 60 tmux select 1;\r", "x 61 51 bash -i", "t 61 sudo id\r",
	  "e 61"},
	 "input tmux [select 1;] 2-3\ninput sudo [id] 4-5 (not_run)\n"},
	{"nobody's process", {"t 90 getty x\n"}, "input getty [x] 0-1\n"},
};

struct run {
	struct check c;
	struct pipeline p;
	struct settings settings;
	unsigned second, serial;
	unsigned ms;
};

static void run_open(struct run *r)
{
	struct pipeline_facts facts = {.host = "h1",
				       .machine_id = "m",
				       .boot_id = "b",
				       .capture = "replay",
				       .settings = &r->settings};
	char conf[200];

	*r = (struct run){.serial = 10};
	check_open(&r->c);
	snprintf(conf, sizeof(conf), "[redact]\nkey_file = %s/key\n", r->c.dir);
	if (settings_parse("test", slice_of(conf), &r->settings, NULL))
		abort();
	facts.spool_dir = r->c.spool;
	if (pipeline_open(&r->p, &facts, NULL))
		abort();
}

static void feed(struct run *r, const char *type, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void feed(struct run *r, const char *type, const char *fmt, ...)
{
	char line[4096], body[4000];
	struct record rec;
	va_list args;

	va_start(args, fmt);
	vsnprintf(body, sizeof(body), fmt, args);
	va_end(args);
	snprintf(line, sizeof(line), "type=%s msg=audit(%lld.%03u:%u): %s", type,
		 (long long)(T0 / 1000) + r->second, r->ms, r->serial, body);
	if (record_parse_line(slice_of(line), &rec))
		tap_ok(false, "bad line: %s", line);
	else
		pipeline_record(&r->p, &rec);
}

static void exec(struct run *r, const char *step)
{
	char name[64], args[200], words[400] = "";
	int pid, ppid, at = 0, argc = 1;
	char *save = NULL;

	sscanf(step, "%d %d %63s %n", &pid, &ppid, name, &at);
	snprintf(args, sizeof(args), "%s", step + at);
	snprintf(words, sizeof(words), "a0=\"%s\"", name);
	if (args[0] == '-' && strchr(args, 'b') == args + 1) { /* a login shell's own name */
		snprintf(words, sizeof(words), "a0=\"%s\"", args);
		args[0] = '\0';
	}
	for (char *w = strtok_r(args, " ", &save); w; w = strtok_r(NULL, " ", &save), argc++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), " a%d=\"%s\"", argc,
			 w);
	feed(r, "SYSCALL",
	     "arch=c000003e syscall=59 success=yes exit=0 items=1 ppid=%d pid=%d auid=1001 uid=1001 "
	     "euid=1001 tty=pts0 ses=1 comm=\"%s\" exe=\"/usr/bin/%s\" key=\"sessaudit\"",
	     ppid, pid, name, name);
	feed(r, "EXECVE", "argc=%d %s", argc, words);
	feed(r, "PATH", "item=0 name=\"/usr/bin/%s\"", name);
	feed(r, "PROCTITLE", "proctitle=\"x\"");
	feed(r, "EOE", " ");
}

static void tty(struct run *r, const char *step)
{
	char name[64], hex[2000] = "";
	int pid, at = 0;

	sscanf(step, "%d %63s%n", &pid, name, &at);
	for (const char *p = step + at + 1; *p; p++)
		snprintf(hex + strlen(hex), sizeof(hex) - strlen(hex), "%02X", (unsigned char)*p);
	feed(r, "TTY", "tty pid=%d uid=1001 auid=1001 ses=1 major=136 minor=0 comm=\"%s\" data=%s",
	     pid, name, hex);
}

static void step(struct run *r, const char *s)
{
	r->serial++;
	if (*s == 'c') {
		r->ms += 10;
	} else {
		r->second++;
		r->ms = 0;
	}
	if (*s == 'x' || *s == 'c') {
		exec(r, s + 2);
	} else if (*s == 't') {
		tty(r, s + 2);
	} else {
		feed(r, "SYSCALL",
		     "arch=c000003e syscall=231 a0=0 items=0 ppid=1 pid=%d auid=1001 uid=1001 "
		     "euid=1001 tty=pts0 ses=1 comm=\"x\" exe=\"/x\" key=\"sessaudit\"",
		     atoi(s + 2));
		feed(r, "EOE", " ");
	}
}

/* "[redacted:<hash>:<length>]" without what is not ours to check. */
static void put_redacted(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		struct slice rest = {s.ptr + i, s.len - i};

		if (slice_starts(rest, "[redacted:")) {
			buf_puts(out, "[redacted]");
			while (i < s.len && s.ptr[i] != ']')
				i++;
		} else {
			buf_putc(out, s.ptr[i]);
		}
	}
}

static void put_raw(struct buf *out, struct slice s)
{
	buf_puts(out, " raw=");
	for (size_t i = 0; i < s.len; i++)
		buf_putc(out, s.ptr[i] == '\r'                           ? '|'
			      : s.ptr[i] == '\033'                       ? '~'
			      : s.ptr[i] == '\003'                       ? '^'
			      : s.ptr[i] == '\025' || s.ptr[i] == '\004' ? '%'
									 : s.ptr[i]);
}

static void put(struct buf *out, const struct entry *e)
{
	bool sql = slice_is(e->object, "psql") || slice_is(e->object, "sqlite3") ||
		   slice_is(e->object, "mysql");

	buf_puts(out, entry_type_name(e->type));
	buf_putc(out, ' ');
	buf_put(out, e->object);
	if (slice_is(e->cause, "relay")) {
		buf_printf(out, " relay %llu%s %lld-%lld\n", (unsigned long long)e->count,
			   e->text.ptr || e->raw.ptr ? " BUT" : "",
			   (long long)(e->start_ms / 1000 - T0 / 1000),
			   (long long)(e->end_ms / 1000 - T0 / 1000));
		return;
	}
	if (e->type != ENTRY_UNTYPED) {
		buf_puts(out, " [");
		put_redacted(out, e->text);
		buf_printf(out, "] %lld-%lld", (long long)(e->start_ms / 1000 - T0 / 1000),
			   (long long)(e->end_ms / 1000 - T0 / 1000));
	}
	for (size_t i = 0; i < e->n_ran; i++)
		buf_printf(out, "%s%llu", i ? "," : " ran ", (unsigned long long)e->ran[i]);
	if (e->resolved.ptr) {
		buf_puts(out, " =");
		put_redacted(out, e->resolved);
	}
	if (e->raw.ptr && sql)
		put_raw(out, e->raw);
	if (!e->raw.ptr && e->type != ENTRY_UNTYPED)
		buf_printf(out, " redacted=%llu", (unsigned long long)e->redacted);
	if (e->incomplete)
		buf_puts(out, " incomplete");
	if (e->cause.ptr)
		buf_printf(out, " (%.*s)", (int)e->cause.len, e->cause.ptr);
	buf_putc(out, '\n');
}

static int see(void *ctx, struct slice line)
{
	struct entry_read r;

	if (entry_parse(line, &r, NULL)) {
		buf_puts(ctx, "unreadable\n");
		return 0;
	}
	if (r.e.type == ENTRY_INPUT || r.e.type == ENTRY_STATEMENT || r.e.type == ENTRY_UNTYPED)
		put(ctx, &r.e);
	entry_read_free(&r);
	return 0;
}

static void read_store(struct run *r, struct buf *out)
{
	const struct session *s = session_find(r->p.sessions, 1);

	if (!check_read(&r->c, s->folder, s->sid, 0, see, out))
		tap_ok(false, "no segment is stored");
}

static void test_story(const struct story *c)
{
	_cleanup_buf_ struct buf got = {0};
	struct run r;

	buf_init(&got, 65536);
	run_open(&r);
	feed(&r, "LOGIN",
	     "pid=50 uid=0 old-auid=4294967295 auid=1001 old-ses=4294967295 ses=1 res=1");
	for (size_t i = 0; i < STEPS && c->steps[i]; i++)
		step(&r, c->steps[i]);
	event_flush(r.p.events);
	transcript_end_all(r.p.transcript, "end_of_recording", T0);
	check_ship(&r.c);
	tap_ok(check_store(&r.c), "%s: the store: %s", c->name, r.c.why);
	read_store(&r, &got);
	tap_str(buf_cstr(&got), c->want, "%s", c->name);
	pipeline_close(&r.p);
	check_close(&r.c);
	settings_free(&r.settings);
}

int main(void)
{
	log_init("test_input", LOG_LEVEL_ERR - 1);
	for (size_t i = 0; i < ARRAY_LEN(stories); i++)
		test_story(&stories[i]);
	return tap_done();
}
