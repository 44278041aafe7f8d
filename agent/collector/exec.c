/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <libaudit.h>
#include <stdlib.h>

#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"
#include "common/escape.h"

/* execve and execveat by audit architecture (<linux/audit.h> AUDIT_ARCH_*, the ABIs' tables). A
 * recorded log may come from any of them. */
static const struct {
	uint32_t arch;
	uint16_t execve, execveat;
} exec_calls[] = {
	{0xc000003e, 59, 322},  /* x86_64 */
	{0x40000003, 11, 358},  /* i386 */
	{0xc00000b7, 221, 281}, /* aarch64 */
	{0x40000028, 11, 387},  /* arm */
	{0xc0000015, 11, 362},  /* ppc64le */
	{0x80000016, 11, 354},  /* s390x */
	{0xc00000f3, 221, 281}, /* riscv64 */
};
#define X32_BIT 0x40000000u
#define X32_EXECVE 520
#define X32_EXECVEAT 545

static bool parse_hex32(struct slice s, uint32_t *out)
{
	uint32_t v = 0;

	if (s.len == 0 || s.len > 8)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

static bool is_exec_call(uint32_t arch, uint64_t nr)
{
	if (arch == 0xc000003e && (nr & X32_BIT))
		return (nr & ~X32_BIT) == X32_EXECVE || (nr & ~X32_BIT) == X32_EXECVEAT;
	for (size_t i = 0; i < ARRAY_LEN(exec_calls); i++)
		if (exec_calls[i].arch == arch)
			return nr == exec_calls[i].execve || nr == exec_calls[i].execveat;
	return false;
}

bool exec_recognize(const struct event *ev, struct exec_call *call)
{
	const struct event_record *sys = event_find(ev, RECORD_SYSCALL);
	struct record_fields f;
	struct slice name, value;
	uint32_t arch = 0;
	uint64_t nr = UINT64_MAX;

	if (!sys)
		return false;
	*call = (struct exec_call){
		.ses = UINT32_MAX, .auid = UINT32_MAX, .uid = UINT32_MAX, .euid = UINT32_MAX};
	f = record_fields(sys->body);
	while (record_next(&f, &name, &value)) {
		if (slice_is(name, "arch")) {
			parse_hex32(value, &arch);
		} else if (slice_is(name, "syscall")) {
			if (!record_u64(value, &nr) || !is_exec_call(arch, nr))
				return false;
		} else if (slice_is(name, "success")) {
			call->success = value;
		} else if (slice_is(name, "exit")) {
			record_i64(value, &call->exit);
		} else if (slice_is(name, "ppid")) {
			record_i64(value, &call->ppid);
		} else if (slice_is(name, "pid")) {
			record_i64(value, &call->pid);
		} else if (slice_is(name, "auid")) {
			call->auid = record_id(value);
		} else if (slice_is(name, "uid")) {
			call->uid = record_id(value);
		} else if (slice_is(name, "euid")) {
			call->euid = record_id(value);
		} else if (slice_is(name, "ses")) {
			call->ses = record_id(value);
		} else if (slice_is(name, "tty")) {
			call->tty = value;
		} else if (slice_is(name, "comm")) {
			call->comm = value;
		} else if (slice_is(name, "exe")) {
			call->exe = value;
		}
	}
	return nr != UINT64_MAX;
}

static bool grow_args(struct transcript *t)
{
	size_t cap = t->args_cap ? t->args_cap * 2 : 64;
	struct span *spans;
	struct slice *argv;

	spans = realloc(t->arg_spans, cap * sizeof(*spans));
	if (!spans)
		return false;
	t->arg_spans = spans;
	argv = realloc(t->argv, cap * sizeof(*argv));
	if (!argv)
		return false;
	t->argv = argv;
	t->args_cap = cap;
	return true;
}

/* "a12", "a12_len", "a12[3]": the argument's number and what follows it. */
static bool argument_name(struct slice name, size_t *number, struct slice *suffix)
{
	size_t i = 1, v = 0;

	if (name.len < 2 || name.ptr[0] != 'a')
		return false;
	for (; i < name.len && name.ptr[i] >= '0' && name.ptr[i] <= '9'; i++) {
		v = v * 10 + (size_t)(name.ptr[i] - '0');
		if (v >= EXEC_MAX_ARGS)
			return false;
	}
	*number = v;
	*suffix = (struct slice){name.ptr + i, name.len - i};
	return i > 1;
}

/* Appends a value's text: "quoted" or hex (kernel/audit.c audit_log_untrustedstring). */
static void append_value(struct buf *out, struct slice v)
{
	if (v.len > 0 && v.ptr[0] == '"')
		buf_append(out, v.ptr + 1, v.len - (v.len > 1 && v.ptr[v.len - 1] == '"' ? 2 : 1));
	else if (escape_unhex(out, v))
		buf_put(out, v);
}

struct arguments {
	size_t n;
	uint64_t chunks; /* of the last one, so far */
	bool broken;     /* records are missing: nothing more is taken */
};

/* "[3]" of "a12[3]"; an argument in one piece is its own first chunk. */
static bool chunk_number(struct slice suffix, uint64_t *out)
{
	*out = 0;
	return suffix.len == 0 ||
	       (suffix.len > 2 && suffix.ptr[0] == '[' && suffix.ptr[suffix.len - 1] == ']' &&
		record_u64((struct slice){suffix.ptr + 1, suffix.len - 2}, out));
}

/* One field of an EXECVE record. Arguments come in order; a long one comes as aN_len and aN[0],
 * aN[1] ... over several records. An argument with a hole is left out, with all after it. */
static void add_argument(struct transcript *t, struct slice name, struct slice value,
			 struct arguments *a)
{
	struct slice suffix;
	uint64_t chunk;
	size_t number;

	if (a->broken || !argument_name(name, &number, &suffix) || !chunk_number(suffix, &chunk))
		return;
	if (a->n == number + 1 && chunk > 0 && chunk == a->chunks) {
		append_value(&t->args, value);
		t->arg_spans[number].len = t->args.len - t->arg_spans[number].off;
		a->chunks++;
		return;
	}
	if (a->n == number + 1 && chunk > 0)
		a->n--;
	if (number != a->n || chunk > 0 || (a->n == t->args_cap && !grow_args(t))) {
		a->broken = true;
		return;
	}
	t->arg_spans[number].off = t->args.len;
	append_value(&t->args, value);
	t->arg_spans[number].len = t->args.len - t->arg_spans[number].off;
	a->chunks = 1;
	a->n++;
}

static size_t collect_arguments(struct transcript *t, const struct event *ev, uint64_t *total)
{
	struct arguments a = {0};

	buf_clear(&t->args);
	*total = 0;
	for (size_t i = 0; i < ev->n; i++) {
		struct record_fields f = record_fields(ev->records[i].body);
		struct slice name, value;

		if (ev->records[i].type != RECORD_EXECVE)
			continue;
		while (record_next(&f, &name, &value)) {
			if (slice_is(name, "argc"))
				record_u64(value, total);
			else
				add_argument(t, name, value, &a);
		}
	}
	for (size_t i = 0; i < a.n; i++)
		t->argv[i] =
			(struct slice){(t->args.data ? t->args.data : "") + t->arg_spans[i].off,
				       t->arg_spans[i].len};
	return a.n;
}

/* The file that was asked for: PATH item 0. */
static struct slice first_path(const struct event *ev)
{
	for (size_t i = 0; i < ev->n; i++)
		if (ev->records[i].type == RECORD_PATH &&
		    slice_is(record_get(ev->records[i].body, "item"), "0"))
			return record_get(ev->records[i].body, "name");
	return SLICE_NONE;
}

/* "EACCES" for exit=-13; enriched logs have the name already. */
static struct slice error_name(const struct exec_call *call)
{
	if (call->exit >= 0 || call->exit < -4095)
		return SLICE_NONE;
	return slice_of(audit_errno_to_name((int)-call->exit));
}

void exec_entry(struct transcript *t, struct session *s, const struct event *ev,
		const struct exec_call *call)
{
	const struct event_record *cwd = event_find(ev, RECORD_CWD);
	struct slice path = first_path(ev);
	char name[16];
	struct entry e;

	if (slice_is(call->success, "yes"))
		lapse_exec(t, s, ev, call);
	transcript_fill(s, ev, ENTRY_EXEC, call->uid, name, &e);
	path = record_text(path, &t->scratch);
	e.outcome = slice_is(call->success, "yes") ? ENTRY_SUCCESS : ENTRY_FAILURE;
	e.pid = call->pid;
	e.ppid = call->ppid;
	e.euid = call->euid;
	e.auid = call->auid;
	e.tty = record_text(call->tty, &t->scratch);
	e.comm = record_text(call->comm, &t->scratch);
	e.exe = record_text(call->exe, &t->scratch);
	if (cwd)
		e.cwd = record_text(record_get(cwd->body, "cwd"), &t->scratch);
	e.argc = collect_arguments(t, ev, &e.argc_total);
	e.argv = t->argv;
	if (e.outcome == ENTRY_FAILURE) {
		e.error = error_name(call);
		e.exe = path; /* exe= still names the program that called execve */
	}
	e.object = path.ptr ? path : e.exe;
	writer_entry(t->writer, s, &e, t->now_ms);
	if (e.seq) {
		struct slice names[3] = {path, e.argc ? e.argv[0] : SLICE_NONE, e.exe};
		int64_t pid =
			e.outcome == ENTRY_SUCCESS ? e.pid : 0; /* it became no other program */

		join_add(&s->join, e.seq, ev->time_ms, pid, e.ppid, names);
	}
}
