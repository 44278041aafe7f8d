/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * Calls that use a right of root's, or change who a process is. The ids of a SYSCALL record are
 * those after the call, so what was before is not in it. Programs as sudo and sshd change their
 * effective id back and forth dozens of times; told is what becomes of a process for good:
 *
 * - a change of user after which real, effective and saved uid are one, when that is neither the
 *   login's own user nor the one that the process, or its parent, is known to have run as;
 * - a change of group by one who is not root: root's programs set groups before each change of
 * user;
 * - each of these that fails: somebody tried.
 *
 * What the login itself does so is left out.
 *
 * Who acted is who the process ran as before, where that is known, else who it became.
 *
 * setfsuid and setfsgid are left out, which cannot fail and are called to ask for the id.
 */
#include <inttypes.h>
#include <stdio.h>

#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"

struct right { /* what an entry says beside the call's own facts */
	struct slice object, path, target_path, cause, new_value;
	uint32_t target; /* uid; ENTRY_ID_UNSET: none */
	uint32_t before; /* uid that the process had; ENTRY_ID_UNSET: not known */
	bool quiet;      /* no entry */
	char text[96];
	struct files_act files; /* what the paths point into */
};

struct source {
	struct transcript *t;
	const struct session *s;
	const struct event *ev;
	const struct call *call;
};

typedef void (*right_fn)(const struct source *in, struct right *out);

static uint32_t argument(const struct call *c, int i)
{
	return (uint32_t)c->a[i];
}

/* The id that a call asked for, of the arguments (uid_t)-1 leaves as it is: effective before real
 * before saved. */
static uint32_t asked_id(const struct call *c)
{
	bool three = strncmp(c->name, "setres", 6) == 0;
	bool two = three || strncmp(c->name, "setre", 5) == 0;

	if (two && argument(c, 1) != UINT32_MAX)
		return argument(c, 1);
	if (three && argument(c, 0) == UINT32_MAX)
		return argument(c, 2);
	return argument(c, 0);
}

static void set_user(const struct source *in, struct right *out)
{
	const struct call *c = in->call;
	struct proc *own = procs_find(in->t->procs, c->pid);
	const struct proc *known = own ? own : procs_find(in->t->procs, c->ppid);

	out->target = asked_id(c);
	if (!c->success)
		return;
	out->target = c->euid;
	out->before = known ? known->uid : ENTRY_ID_UNSET;
	out->quiet = c->uid != c->euid || c->uid != c->suid || c->uid == in->s->auid ||
		     (known && known->uid == c->uid);
	if (own && c->uid == c->euid && c->uid == c->suid)
		own->uid = c->uid;
}

static void set_group(const struct source *in, struct right *out)
{
	const struct call *c = in->call;
	bool groups = strncmp(c->name, "setgroups", 9) == 0;

	out->quiet = c->success && (c->euid == 0 || c->gid != c->egid);
	if (groups)
		out->object = SLICE_LIT("groups");
	else
		snprintf(out->text, sizeof(out->text), "group %" PRIu32,
			 c->success ? c->egid : asked_id(c));
}

static void set_filesystem_id(const struct source *in, struct right *out)
{
	(void)in;
	out->quiet = true;
}

static void set_capabilities(const struct source *in, struct right *out)
{
	const struct event_record *caps = event_find(in->ev, RECORD_CAPSET);

	out->object = SLICE_LIT("capabilities");
	if (!caps)
		return;
	out->new_value = record_get(caps->body, "cap_pe");
	out->cause = SLICE_LIT("effective");
}

static void use_module(const struct source *in, struct right *out)
{
	const struct event_record *module = event_find(in->ev, RECORD_KERN_MODULE);

	out->object = SLICE_LIT("a module");
	if (module)
		out->object = record_text(record_get(module->body, "name"), &in->t->scratch);
}

static void use_path(const struct source *in, struct right *out)
{
	files_pair(in->ev, &out->files);
	out->object = out->path = out->files.path;
	out->target_path = out->files.target;
}

static const char *mount_kind(uint64_t flags)
{
	static const struct {
		uint64_t bits; /* linux/mount.h */
		const char *kind;
	} kinds[] = {
		{0x20, "remount"},
		{0x1000, "bind"},
		{0x2000, "move"},
		{0x1e0000, "propagation"},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (flags & kinds[i].bits)
			return kinds[i].kind;
	return NULL;
}

/* The first name is the mount point; the second, of a bind mount or a device, what is mounted.
 * Other arguments lie in memory that no record shows. */
static void use_mount(const struct source *in, struct right *out)
{
	files_pair(in->ev, &out->files);
	out->object = out->target_path = out->files.path;
	out->path = out->files.target;
	if (strcmp(in->call->name, "mount") == 0)
		out->cause = slice_of(mount_kind(in->call->a[3]));
}

/* move_mount names what is moved first. */
static void move_mount(const struct source *in, struct right *out)
{
	files_pair(in->ev, &out->files);
	out->path = out->files.path;
	out->object = out->target_path = out->files.target;
}

const char *privilege_ptrace(const struct call *call)
{
	static const struct {
		uint64_t request; /* uapi/linux/ptrace.h, and those of x86 and arm */
		const char *name;
	} told[] = {
		{4, "PTRACE_POKETEXT"},    {5, "PTRACE_POKEDATA"},       {6, "PTRACE_POKEUSR"},
		{13, "PTRACE_SETREGS"},    {15, "PTRACE_SETFPREGS"},     {16, "PTRACE_ATTACH"},
		{18, "PTRACE_SETFPXREGS"}, {0x4205, "PTRACE_SETREGSET"}, {0x4206, "PTRACE_SEIZE"},
	};

	if (strcmp(call->name, "process_vm_writev") == 0)
		return call->name;
	if (strcmp(call->name, "ptrace") != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (call->a[0] == told[i].request)
			return told[i].name;
	return NULL;
}

/* A debugger writes word by word: a run of the same is told once. */
static bool is_same(struct traced *last, const struct call *c, int64_t target)
{
	struct traced now = {c->pid, target, c->a[0]};
	bool same =
		last->pid == now.pid && last->target == now.target && last->request == now.request;

	*last = now;
	return same && c->success;
}

static void take_hold(const struct source *in, struct right *out)
{
	const struct event_record *of = event_find(in->ev, RECORD_OBJ_PID);
	const char *request = privilege_ptrace(in->call);
	int64_t pid = (int32_t)in->call->a[strcmp(in->call->name, "ptrace") == 0];
	struct slice comm = SLICE_NONE;

	if (of) {
		record_i64(record_get(of->body, "opid"), &pid);
		comm = record_text(record_get(of->body, "ocomm"), &in->t->scratch);
		out->target = record_id(record_get(of->body, "ouid"));
	}
	snprintf(out->text, sizeof(out->text), "%.*s[%" PRId64 "]",
		 (int)(comm.len < 32 ? comm.len : 32), comm.ptr ? comm.ptr : "", pid);
	out->cause = slice_of(request);
	out->quiet = !request || is_same(&in->t->traced, in->call, pid);
}

static void use_namespaces(const struct source *in, struct right *out)
{
	static const struct {
		uint32_t bit; /* linux/sched.h */
		const char *name;
	} kinds[] = {
		{0x80, "time"},      {0x20000, "mnt"},    {0x2000000, "cgroup"},
		{0x4000000, "uts"},  {0x8000000, "ipc"},  {0x10000000, "user"},
		{0x20000000, "pid"}, {0x40000000, "net"},
	};
	bool enters = strcmp(in->call->name, "setns") == 0;
	uint32_t flags = argument(in->call, enters);
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!(flags & kinds[i].bit))
			continue;
		len += (size_t)snprintf(out->text + len, sizeof(out->text) - len, "%s%s",
					len ? "," : "", kinds[i].name);
	}
	out->quiet = len == 0 && !enters; /* it shares files or semaphores no longer */
	if (len == 0)
		out->object = SLICE_LIT("a namespace");
}

static void use_clock(const struct source *in, struct right *out)
{
	(void)in;
	out->object = SLICE_LIT("clock");
}

static void use_host(const struct source *in, struct right *out)
{
	(void)in;
	out->object = SLICE_LIT("host");
}

/* Names of 32-bit calls end in 32 or 64 beside these. */
static const struct form {
	const char *call, *action;
	right_fn fill;
} forms[] = {
	{"setuid", "setuid", set_user},
	{"setreuid", "setreuid", set_user},
	{"setresuid", "setresuid", set_user},
	{"setgid", "setgid", set_group},
	{"setregid", "setregid", set_group},
	{"setresgid", "setresgid", set_group},
	{"setgroups", "setgroups", set_group},
	{"setfsuid", "setfsuid", set_filesystem_id},
	{"setfsgid", "setfsgid", set_filesystem_id},
	{"capset", "capset", set_capabilities},
	{"init_module", "module_load", use_module},
	{"finit_module", "module_load", use_module},
	{"delete_module", "module_unload", use_module},
	{"kexec_load", "kexec_load", use_host},
	{"kexec_file_load", "kexec_load", use_host},
	{"reboot", "reboot", use_host},
	{"mount", "mount", use_mount},
	{"move_mount", "move_mount", move_mount},
	{"mount_setattr", "mount_setattr", use_path},
	{"umount", "umount", use_path},
	{"umount2", "umount", use_path},
	{"pivot_root", "pivot_root", use_path},
	{"chroot", "chroot", use_path},
	{"ptrace", "ptrace", take_hold},
	{"process_vm_writev", "ptrace", take_hold},
	{"unshare", "unshare", use_namespaces},
	{"setns", "setns", use_namespaces},
	{"settimeofday", "set_clock", use_clock},
	{"clock_settime", "set_clock", use_clock},
	{"stime", "set_clock", use_clock},
};

static const struct form *form_of(const char *call)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t n = strlen(forms[i].call);

		if (strncmp(call, forms[i].call, n) == 0 &&
		    (call[n] == '\0' || strcmp(call + n, "32") == 0 || strcmp(call + n, "64") == 0))
			return &forms[i];
	}
	return NULL;
}

/* The login's own process, or a child of it that has run no program yet: it becomes the user, and
 * makes sure that it cannot go back (sshd tries setuid(0), and is glad when that fails). */
static bool is_logins_own(const struct source *in, const struct form *form)
{
	const struct call *c = in->call;
	int64_t leader = in->s->leader_pid;
	bool ids =
		form->fill == set_user || form->fill == set_group || form->fill == set_capabilities;

	return ids && leader && (c->pid == leader || c->ppid == leader) &&
	       !procs_find(in->t->procs, c->pid);
}

void privilege_entry(struct transcript *t, struct session *s, const struct event *ev,
		     const struct call *call)
{
	const struct form *form = call->name ? form_of(call->name) : NULL;
	struct right r = {.target = ENTRY_ID_UNSET, .before = ENTRY_ID_UNSET};
	struct source in = {t, s, ev, call};
	char name[16], target[16];
	struct entry e;

	if (form)
		form->fill(&in, &r);
	if (!r.quiet && !(form && is_logins_own(&in, form))) {
		transcript_fill_call(t, s, ev, call, ENTRY_PRIVILEGE, name, &e);
		if (r.before != ENTRY_ID_UNSET) {
			e.uid = r.before;
			e.user = transcript_user(s, r.before, name);
		}
		e.action = slice_of(form ? form->action : call->name);
		if (r.target != ENTRY_ID_UNSET)
			e.target = transcript_user(s, r.target, target);
		e.object = r.text[0] ? slice_of(r.text) : r.object;
		if (!e.object.ptr)
			e.object = e.target;
		e.path = r.path;
		e.target_path = r.target_path;
		e.cause = r.cause;
		e.new_value = r.new_value;
		writer_entry(t->writer, s, &e, t->now_ms);
	}
	files_free(&r.files);
}
