/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What was typed joined with what ran. A session's recent execs are kept in a
 * bounded ring; a line typed into a shell is matched, in order, with the execs
 * of that shell's children by the names of the commands in the line. It is an
 * inference from order and name, and FORMAT.md says so.
 */
#ifndef SA_JOIN_H
#define SA_JOIN_H

#include <stdint.h>

#include "common/slice.h"

#define JOIN_MAX_EXECS 1024 /* remembered per session */
#define JOIN_MAX_NAMES 16   /* commands looked at in one line */
#define JOIN_MAX_EXE 64     /* bytes kept of a program's path */

struct join_exec { /* what is remembered of one exec */
	uint64_t seq;
	int64_t time_ms;
	int64_t pid, ppid;
	uint32_t name[3]; /* hashes of the base names it may be called by; 0: none */
	bool taken;       /* joined to a line */
};

struct join {
	struct join_exec *ring; /* grows to JOIN_MAX_EXECS */
	size_t cap, len, first;
};

void join_free(struct join *j);
/* names: file executed, argv[0], argv[1] of a script (absent ones are fine). Out of memory: the
 * exec is not remembered. */
void join_add(struct join *j, uint64_t seq, int64_t time_ms, int64_t pid, int64_t ppid,
	      const struct slice names[3]);
/* The latest exec of pid, that is the program it runs; NULL when not remembered. */
const struct join_exec *join_program(const struct join *j, int64_t pid);

/* Where a line was, in the order of what its shell ran. */
struct join_cursor {
	uint64_t after_seq; /* only execs later than this one are looked at */
	int64_t after_ms;   /* time of that exec, or when typing began */
};
/* Joins one line typed into the shell `pid`: fills ran (at most max) with the seqs of the execs it
 * led to, moves the cursor past them, and returns how many. */
size_t join_line(struct join *j, int64_t pid, struct slice text, struct join_cursor *c,
		 uint64_t *ran, size_t max);

/* The command words of a shell line: the first word of each simple command, less assignments,
 * redirections and words such as `if`, `time`, `exec`; base names, quotes removed. loops: the line
 * holds for, while or until, so one word may run many times. Returns how many of max. */
size_t join_commands(struct slice text, uint32_t *hashes, size_t max, bool *loops);
/* Hash of a base name; never 0 for a name that is not empty. */
uint32_t join_hash(struct slice name);

#endif
