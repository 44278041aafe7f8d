/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The arguments of a program, put together from the EXECVE records of its event
 * (kernel/auditsc.c audit_log_execve_info): "a0=" and so on, "quoted" or in hex; a long one as
 * "aN_len=" and "aN[0]=", "aN[1]=" ... over several records. Arguments and pieces may come in
 * any order. Their owner chose what they are made of.
 */
#ifndef SA_ARGUMENTS_H
#define SA_ARGUMENTS_H

#include "agent/collector/event.h"

/* fs/exec.c bprm_stack_limits: a program gets at most 6 MiB of arguments, and each takes a pointer
 * and a NUL at least. */
#define ARGUMENTS_MAX (6 * 1024 * 1024 / 9)

struct arguments_piece;

struct arguments {
	struct slice *argv; /* from the first on, up to the first that is missing */
	size_t n;
	uint64_t total;   /* how many the program got; 0: not known */
	uint64_t missing; /* of these, or cut; the last of argv may be one that is cut */
	bool found;       /* there is an EXECVE record */

	/* arguments.c's own */
	size_t cap;
	struct arguments_piece *pieces;
	size_t n_pieces, pieces_cap;
	struct buf text;
};

void arguments_init(struct arguments *a);
void arguments_free(struct arguments *a);
/* Replaces what a holds by the event's arguments. They borrow from the event and from a. */
void arguments_collect(struct arguments *a, const struct event *ev);
/* Gives back the memory that long ones took. */
void arguments_trim(struct arguments *a);

#endif
