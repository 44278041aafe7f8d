/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/call.h"

#include <libaudit.h>

#include "common/cleanup.h"

/* AUDIT_ARCH_* of <linux/audit.h>: a recorded log may come from any of them. */
enum { X86_64, I386, AARCH64, ARM, PPC64LE, S390X, RISCV64, ARCHES };

static const uint32_t arches[ARCHES] = {
	[X86_64] = 0xc000003e,  [I386] = 0x40000003,  [AARCH64] = 0xc00000b7, [ARM] = 0x40000028,
	[PPC64LE] = 0xc0000015, [S390X] = 0x80000016, [RISCV64] = 0xc00000f3,
};

#define CALLS 1024 /* calls have numbers below; arm's private ones are of no kind */
#define X32_BIT UINT64_C(0x40000000)

struct known {
	const char *name;
	unsigned char kind;
	bool looked_up;
};

/* What libaudit may not know: it has no x32 and no riscv64, and may be built without some of the
 * others. */
static const struct {
	unsigned char arch;
	uint16_t nr;
	const char *name;
} extra[] = {
	{X86_64, 518, "sendmsg"},    {X86_64, 520, "execve"},
	{X86_64, 521, "ptrace"},     {X86_64, 524, "rt_sigqueueinfo"},
	{X86_64, 528, "kexec_load"}, {X86_64, 536, "rt_tgsigqueueinfo"},
	{X86_64, 538, "sendmmsg"},   {X86_64, 540, "process_vm_writev"},
	{X86_64, 545, "execveat"},   {AARCH64, 221, "execve"},
	{AARCH64, 281, "execveat"},  {ARM, 11, "execve"},
	{ARM, 387, "execveat"},      {PPC64LE, 11, "execve"},
	{PPC64LE, 362, "execveat"},  {S390X, 11, "execve"},
	{S390X, 354, "execveat"},    {RISCV64, 221, "execve"},
	{RISCV64, 281, "execveat"},
};

/* 32-bit forms have 16, 32 or 64 behind these, see is_form_of. */
static const char *const calls[CALL_KINDS] = {
	[CALL_EXEC] = "execve execveat",
	[CALL_EXIT] = "exit_group exit",
	[CALL_NETWORK] = "connect accept accept4 bind sendto sendmsg sendmmsg socketcall",
	[CALL_FILE] = "open openat openat2 creat open_by_handle_at truncate ftruncate "
		      "rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat "
		      "rmdir mkdir mkdirat mknod mknodat chmod fchmod fchmodat fchmodat2 "
		      "chown fchown lchown fchownat setxattr lsetxattr fsetxattr setxattrat "
		      "removexattr lremovexattr fremovexattr removexattrat "
		      "utime utimes utimensat utimensat_time64 futimesat",
	[CALL_PRIVILEGE] = "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid "
			   "setgroups capset init_module finit_module delete_module kexec_load "
			   "kexec_file_load mount umount umount2 move_mount mount_setattr "
			   "pivot_root chroot ptrace process_vm_writev unshare setns "
			   "settimeofday clock_settime stime reboot",
	[CALL_KILL] = "kill tkill tgkill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo",
};

static bool is_form_of(const char *name, struct slice call)
{
	const char *tail = name + call.len;

	return strncmp(name, call.ptr, call.len) == 0 &&
	       (!*tail || strcmp(tail, "16") == 0 || strcmp(tail, "32") == 0 ||
		strcmp(tail, "64") == 0);
}

static enum call_kind kind_of(const char *name)
{
	for (unsigned kind = CALL_EXEC; kind < CALL_KINDS; kind++) {
		struct slice left = slice_of(calls[kind]);

		while (left.len > 0)
			if (is_form_of(name, slice_cut(&left, ' ')))
				return kind;
	}
	return CALL_OTHER;
}

static const char *name_of(unsigned arch, unsigned nr)
{
	/* Both have the numbers of asm-generic/unistd.h. */
	uint32_t like = arches[arch == RISCV64 ? AARCH64 : arch];
	int machine = audit_elf_to_machine(like);
	const char *name = machine < 0 ? NULL : audit_syscall_to_name((int)nr, machine);

	for (size_t i = 0; !name && i < ARRAY_LEN(extra); i++)
		if (extra[i].arch == arch && extra[i].nr == nr)
			name = extra[i].name;
	return name;
}

/* libaudit searches its tables for each name; here each number is asked for once. */
static const struct known *look_up(uint32_t arch, uint64_t nr)
{
	static const struct known unknown = {0};
	static struct known known[ARCHES][CALLS];
	unsigned at = 0;
	struct known *k;

	while (at < ARCHES && arches[at] != arch)
		at++;
	if (at == X86_64)
		nr &= ~X32_BIT;
	if (at == ARCHES || nr >= CALLS)
		return &unknown;
	k = &known[at][nr];
	if (!k->looked_up) {
		k->name = name_of(at, (unsigned)nr);
		k->kind = k->name ? kind_of(k->name) : CALL_OTHER;
		k->looked_up = true;
	}
	return k;
}

/* socketcall(2) of 32-bit programs: its first argument says which call it is (linux/net.h). */
static void unwrap_socketcall(struct call *c)
{
	static const char *const names[] = {
		[2] = "bind",     [3] = "connect",  [5] = "accept",    [11] = "sendto",
		[16] = "sendmsg", [18] = "accept4", [20] = "sendmmsg",
	};

	if (c->kind != CALL_NETWORK || strcmp(c->name, "socketcall") != 0)
		return;
	if (c->a[0] < ARRAY_LEN(names) && names[c->a[0]])
		c->name = names[c->a[0]];
	else
		c->kind = CALL_OTHER;
}

static uint64_t hex(struct slice s)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return 0;
	}
	return s.len <= 16 ? v : 0;
}

static void take_three(struct call *c, struct slice name, struct slice value)
{
	switch (name.ptr[0]) {
	case 'u':
		if (name.ptr[1] == 'i' && name.ptr[2] == 'd')
			c->uid = record_id(value);
		break;
	case 'g':
		if (name.ptr[1] == 'i' && name.ptr[2] == 'd')
			c->gid = record_id(value);
		break;
	case 'p':
		if (name.ptr[1] == 'i' && name.ptr[2] == 'd')
			record_i64(value, &c->pid);
		break;
	case 's':
		if (name.ptr[1] == 'e' && name.ptr[2] == 's')
			c->ses = record_id(value);
		break;
	case 't':
		if (name.ptr[1] == 't' && name.ptr[2] == 'y')
			c->tty = value;
		break;
	case 'e':
		if (name.ptr[1] == 'x' && name.ptr[2] == 'e')
			c->exe = value;
		break;
	case 'k':
		if (name.ptr[1] == 'e' && name.ptr[2] == 'y')
			c->key = value;
		break;
	}
}

static void take_four(struct call *c, struct slice name, struct slice value)
{
	switch (name.ptr[0]) {
	case 'a':
		if (memcmp(name.ptr, "auid", 4) == 0)
			c->auid = record_id(value);
		break;
	case 'c':
		if (memcmp(name.ptr, "comm", 4) == 0)
			c->comm = value;
		break;
	case 'e':
		if (memcmp(name.ptr, "euid", 4) == 0)
			c->euid = record_id(value);
		else if (memcmp(name.ptr, "egid", 4) == 0)
			c->egid = record_id(value);
		else if (memcmp(name.ptr, "exit", 4) == 0)
			record_i64(value, &c->exit);
		break;
	case 'p':
		if (memcmp(name.ptr, "ppid", 4) == 0)
			record_i64(value, &c->ppid);
		break;
	case 's':
		if (memcmp(name.ptr, "suid", 4) == 0)
			c->suid = record_id(value);
		break;
	}
}

/* Every system call that a rule matches comes by here: the name's length leads to the few that it
 * may be. */
static void take(struct call *c, struct slice name, struct slice value)
{
	switch (name.len) {
	case 2:
		if (name.ptr[0] == 'a' && name.ptr[1] >= '0' && name.ptr[1] <= '3')
			c->a[name.ptr[1] - '0'] = hex(value);
		break;
	case 3:
		take_three(c, name, value);
		break;
	case 4:
		take_four(c, name, value);
		break;
	case 7:
		if (memcmp(name.ptr, "success", 7) == 0)
			c->success = slice_is(value, "yes");
		break;
	}
}

/* As record_next, for this one record that comes with every call: it has many short fields, and no
 * blank in any but the quoted ones. Returns where the next field begins. */
static inline const char *next_field(const char *p, const char *end, struct slice *name,
				     struct slice *value)
{
	const char *start = p;

	while (p < end && *p != '=' && *p != ' ')
		p++;
	*name = (struct slice){start, (size_t)(p - start)};
	if (p == end || *p == ' ') {
		name->len = 0; /* a word */
		return p < end ? p + 1 : p;
	}
	start = ++p;
	if (p < end && *p == '"') {
		p = memchr(p + 1, '"', (size_t)(end - p - 1));
		p = p ? p + 1 : end;
	}
	while (p < end && *p != ' ')
		p++;
	*value = (struct slice){start, (size_t)(p - start)};
	return p < end ? p + 1 : p;
}

bool call_parse(const struct event *ev, struct call *out)
{
	const struct event_record *sys = event_find(ev, RECORD_SYSCALL);
	const struct known *known = NULL;
	struct slice name, value;
	const char *p, *end;

	if (!sys || !sys->body.ptr)
		return false;
	*out = (struct call){
		.ses = UINT32_MAX,
		.auid = UINT32_MAX,
		.uid = UINT32_MAX,
		.euid = UINT32_MAX,
		.suid = UINT32_MAX,
		.gid = UINT32_MAX,
		.egid = UINT32_MAX,
	};
	p = sys->body.ptr;
	end = p + sys->body.len;
	/* "arch=c000003e syscall=59" or, where the process has a personality, "arch=... per=8
	 * syscall=59": the call's number comes before all that belongs to the call. */
	while (!known && p < end) {
		p = next_field(p, end, &name, &value);
		if (slice_is(name, "arch"))
			out->arch = (uint32_t)hex(value);
		else if (slice_is(name, "syscall") && record_u64(value, &out->nr))
			known = look_up(out->arch, out->nr);
	}
	if (!known)
		return false;
	out->name = known->name;
	out->kind = known->kind;
	if (out->kind == CALL_OTHER)
		return true;
	while (p < end) {
		p = next_field(p, end, &name, &value);
		take(out, name, value);
	}
	unwrap_socketcall(out);
	return true;
}

struct slice call_error(const struct call *c)
{
	if (c->exit >= 0 || c->exit < -4095)
		return SLICE_NONE;
	return slice_of(audit_errno_to_name((int)-c->exit));
}
