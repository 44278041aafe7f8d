/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"
#include "common/shell.h"

/* The file that was asked for: PATH item 0. Of a script, the items after it are what runs it. */
static struct slice first_path(const struct event *ev)
{
	for (size_t i = 0; i < ev->n; i++)
		if (ev->records[i].type == RECORD_PATH &&
		    slice_is(record_get(ev->records[i].body, "item"), "0"))
			return record_get(ev->records[i].body, "name");
	return SLICE_NONE;
}

/* A shell that reads commands from its standard input: no script's name and no -c among its
 * arguments. */
static bool is_interactive(struct slice exe, const struct slice *argv, size_t argc)
{
	static const char *const with_value[] = {"-o",       "+o",          "-O", "+O",
						 "--rcfile", "--init-file", NULL};

	if (!shell_is(slice_base_name(exe)))
		return false;
	for (size_t i = 1; i < argc; i++) {
		struct slice arg = argv[i];

		if (arg.len < 2 || (arg.ptr[0] != '-' && arg.ptr[0] != '+'))
			return slice_is(arg, "-") && i + 1 == argc;
		if (slice_is(arg, "--"))
			return i + 1 == argc;
		if (slice_in(arg, with_value))
			i++;
		else if (arg.ptr[0] == '-' && arg.ptr[1] != '-' && memchr(arg.ptr, 'c', arg.len))
			return false;
		else if (arg.ptr[0] == '-' && arg.ptr[1] != '-' && memchr(arg.ptr, 's', arg.len))
			return true;
	}
	return true;
}

/* By the name that was run: of a script, exe= is what runs it. */
static bool is_installed(struct slice path)
{
	static const char *const dirs[] = {"/usr/", "/bin/", "/sbin/", "/opt/", "/snap/", "/nix/"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (slice_starts(path, dirs[i]))
			return !memmem(path.ptr, path.len, "/../", 4);
	return false;
}

/* Looks at the arguments as they were given: none may be redacted yet. */
static struct proc program(const struct session *s, const struct event *ev, const struct entry *e)
{
	struct proc p = {
		.pid = e->pid,
		.ses = s->ses,
		.uid = e->uid,
		.start_ms = ev->time_ms,
		.asks_secret = redact_program_asks(e->exe, e->argv, e->argc),
		.interactive = is_interactive(e->exe, e->argv, e->argc),
		.installed = is_installed(e->object),
	};

	if (e->comm.ptr)
		memcpy(p.comm, e->comm.ptr, e->comm.len < 15 ? e->comm.len : 15);
	return p;
}

static void fill(struct transcript *t, const struct session *s, const struct event *ev,
		 const struct call *call, char name[16], struct entry *e)
{
	static const struct slice none;
	struct slice path = record_text(first_path(ev), &t->scratch);

	transcript_fill_call(t, s, ev, call, ENTRY_EXEC, name, e);
	e->syscall = SLICE_NONE; /* the type says it */
	if (!call->success)
		e->exe = path; /* exe= still names the program that called execve */
	e->object = path.len > 0 ? path : e->exe; /* execveat of an open file has no name */
	arguments_collect(&t->arguments, ev);
	e->argv = t->arguments.argv ? t->arguments.argv : &none;
	e->argc = t->arguments.n;
	e->argc_total = t->arguments.total;
}

/* The kernel writes EXECVE only for an execve that succeeded (fs/exec.c audit_bprm). */
static void tell_missing(struct transcript *t, struct session *s, const struct event *ev,
			 const struct call *call)
{
	const struct arguments *a = &t->arguments;

	if (call->success && (!a->found || a->missing > 0))
		writer_gap(t->writer, s, "arguments_cut", ev->time_ms, ev->time_ms, 0, t->now_ms);
}

void exec_entry(struct transcript *t, struct session *s, const struct event *ev,
		const struct call *call)
{
	struct proc proc;
	char name[16];
	struct entry e;

	if (call->success)
		lapse_exec(t, s, ev, call);
	fill(t, s, ev, call, name, &e);
	if (call->success)
		proc = program(s, ev, &e);
	redact_begin(t->facts.redact);
	e.redacted = redact_argv(t->facts.redact, e.exe, t->arguments.argv, e.argc);
	writer_entry(t->writer, s, &e, t->now_ms);
	input_ran(t, s, ev, &e); /* while procs has what the process was before */
	if (call->success) {
		proc.exec_seq = e.seq;
		procs_put(t->procs, &proc);
	}
	tell_missing(t, s, ev, call);
	arguments_trim(&t->arguments);
}
