/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The processes of sessions that run a program of their own: what is needed when they
 * end, read from a terminal, or are signalled. Bounded: PROCS_MAX over all sessions; the
 * quarter that started first makes room. Not kept over a restart of the collector.
 */
#ifndef SA_PROCS_H
#define SA_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

#define PROCS_MAX 65536

struct proc {
	int64_t pid;
	uint32_t ses, uid;
	uint64_t exec_seq; /* of the entry that began its program */
	int64_t start_ms;  /* of that event */
	char comm[16];     /* the kernel's name, without its path, NUL-ended */
	unsigned char
		asks_secret; /* lines typed into it may be passwords, see redact.h (redact_asks) */
	bool interactive;    /* a shell that was not given a script or a command (-c) */
	bool installed;      /* its file lies where only root puts programs */
};

struct procs;

struct procs *procs_new(void); /* NULL: out of memory */
void procs_free(struct procs *p);
/* A process became another program; copies what it is given. Replaces what was known of the pid. */
void procs_put(struct procs *p, const struct proc *proc);
/* NULL when not known. Valid until the next call that is not procs_find. */
struct proc *procs_find(struct procs *p, int64_t pid);
/* It ended; known of before or not. */
void procs_remove(struct procs *p, int64_t pid);
/* Whether the pid was removed lately, and is no process again that procs_put was told of. */
bool procs_removed(const struct procs *p, int64_t pid);
/* Forgets the processes of a session: its number is used anew. A closed one may go on. */
void procs_forget(struct procs *p, uint32_t ses);
size_t procs_count(const struct procs *p);

#endif
