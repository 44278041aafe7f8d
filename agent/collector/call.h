/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One SYSCALL record, read once for all classes: which call it was, by whom, how it
 * went. Formats: kernel/auditsc.c (audit_log_exit, audit_log_task_info); the numbers
 * of calls by architecture are libaudit's.
 */
#ifndef SA_CALL_H
#define SA_CALL_H

#include "agent/collector/event.h"

enum call_kind { /* what the stages tell apart; everything else is CALL_OTHER */
		 CALL_OTHER,
		 CALL_EXEC,    /* execve, execveat */
		 CALL_EXIT,    /* exit_group, exit */
		 CALL_NETWORK, /* connect, accept, accept4, bind, sendto, sendmsg */
		 CALL_FILE, /* open..., rename..., unlink..., link..., chmod..., chown..., truncate,
			     *xattr */
		 CALL_PRIVILEGE, /* set*id, setgroups, capset, *_module, mount..., ptrace, unshare,
				    setns */
		 CALL_KILL,      /* kill, tkill, tgkill, pidfd_send_signal, rt_(tg)sigqueueinfo */
		 CALL_KINDS
};

struct call {
	enum call_kind kind;
	const char *name; /* "openat", libaudit's; NULL: not known */
	uint32_t arch;    /* AUDIT_ARCH_* */
	uint64_t nr;
	bool success;
	int64_t exit;  /* value returned; -errno of a failed call */
	uint64_t a[4]; /* arguments */
	int64_t pid, ppid;
	uint32_t ses, auid, uid, euid, suid, gid, egid; /* UINT32_MAX: unset or not there */
	struct slice tty, comm, exe, key;               /* as they stand in the record */
};

/* Fills out from the event's SYSCALL record; false when it has none or one without a call's
 * number. Of a CALL_OTHER nothing but its arch, number and name. */
bool call_parse(const struct event *ev, struct call *out);
/* "EACCES" of a call that failed, absent when it did not. */
struct slice call_error(const struct call *c);

#endif
