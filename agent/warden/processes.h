/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Processes by the audit session that the kernel counts them to, which they cannot
 * leave without CAP_AUDIT_CONTROL, and signals to them. See proc(5), pidfd_open(2).
 */
#ifndef SA_PROCESSES_H
#define SA_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

#define PROCESSES_NO_SES UINT32_MAX /* AUDIT_SID_UNSET: no login */
#define PROCESSES_KERNEL                                                                           \
	0x00200000 /* PF_KTHREAD of <linux/sched.h>, in the flags of proc(5) stat */

struct process {
	pid_t pid;
	uint32_t ses;
	unsigned flags;
};

/* Never PID 1, a kernel thread, ourselves or what is in our own session, nor what belongs to no
 * login. */
bool process_may_be_ended(const struct process *p, const struct process *self);

/* State ('S', 'Z' ...) and flags in a line of /proc/PID/stat. SA_ERR_INVALID. */
int process_parse_stat(const char *stat, char *state, unsigned *flags);
/* proc_fd: /proc. SA_ERR_NOTFOUND: it is over, if only its parent has not asked yet. */
int process_read(int proc_fd, pid_t pid, struct process *out);

/* Called with each process that may be ended. */
typedef void (*processes_fn)(void *ctx, const struct process *p);
int processes_each(int proc_fd, const struct process *self, processes_fn fn, void *ctx,
		   struct sa_err *err);

/* Signals p if it still is what it was when it was found. SA_ERR_NOTFOUND: it is over, or its
 * number is another's now; SA_ERR_PERM. Kernels before 5.3 have no pidfd: there, between the last
 * look and the signal, a number can in theory change hands. */
int process_signal(int proc_fd, const struct process *p, int sig);

#endif
