/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What was typed joined with what ran. The programs that a session's interactive shells
 * started are remembered, bounded for each session and over all; lines typed into a shell
 * are laid beside what that shell's process started, in order, so that as many names as
 * can be fit. It is an inference from order and name, and FORMAT.md says so.
 */
#ifndef SA_JOIN_H
#define SA_JOIN_H

#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

#define JOIN_MAX_EXECS 512       /* remembered per session */
#define JOIN_ALL_EXECS 32768     /* over all sessions, but for 8 that each may have */
#define JOIN_TEXTS (1024 * 1024) /* bytes of command lines over all sessions; the oldest go */
#define JOIN_MAX_TEXT 4096       /* bytes kept of one command line */
#define JOIN_MAX_NAMES 16        /* commands looked at in one line */
#define JOIN_MAX_RAN 16          /* execs named for one line; more may have been */

struct join_store; /* what all sessions share */

struct join_store *join_store_new(void); /* NULL: out of memory */
void join_store_free(struct join_store *st);

struct join_exec { /* what is remembered of one exec */
	uint64_t seq;
	int64_t time_ms;
	int32_t pid, ppid;
	uint32_t name[3]; /* hashes of the base names it may be called by; 0: none */
	uint64_t text_at; /* in the store */
	uint16_t text_len;
};

struct join {
	struct join_store *store; /* borrowed */
	struct join_exec *ring;   /* grows to JOIN_MAX_EXECS */
	size_t cap, len, first;
	uint64_t dropped; /* seq of the last one that was forgotten; 0: none */
};

void join_init(struct join *j, struct join_store *st);
void join_free(struct join *j);
/* names: file executed, argv[0], what argv[1] of a script is (absent ones are fine). text: the
 * command line, see join_quote. A process that tries one file after the other (along PATH) is
 * remembered once, with its last try. Out of memory: the exec is not remembered. */
void join_add(struct join *j, uint64_t seq, int64_t time_ms, int64_t pid, int64_t ppid,
	      const struct slice names[3], struct slice text);
/* The arguments as a shell line, each quoted when it has to be; cut at JOIN_MAX_TEXT. */
void join_quote(struct buf *out, const struct slice *argv, size_t argc);

enum join_kind {
	JOIN_NONE, /* a program may run and not be seen: functions, subshells, what is not known */
	JOIN_BUILTIN, /* all its commands are the shell's own */
	JOIN_PROGRAM, /* a program should run */
};

struct join_line {
	struct slice text, shape; /* as of typed.h */
	bool given_up;            /* nothing ran */

	/* found: */
	enum join_kind kind;
	uint64_t ran[JOIN_MAX_RAN];
	size_t n_ran;
	bool by_order; /* not by its names: an alias, or a key that only the shell knows */
	int64_t first_ms, last_ms; /* times of the execs it led to; 0: none */
	size_t first_at, n_at;     /* them in the candidates, for join_resolve */
};

/* Where a shell was, in the order of what it ran. */
struct join_cursor {
	uint64_t after_seq; /* only execs later than this one are looked at */
	int64_t after_ms;   /* time of that exec, or when typing began */
};

struct join_result {
	const struct join_exec *
		*execs; /* all that were looked at, in order; valid until join_add */
	bool *taken;    /* by a line */
	size_t n;
	bool whole; /* none that could be looked at was forgotten */
};

/* Lays the lines typed into the shell `ppid` beside what it started after the cursor. Before
 * settled_ms only names count: that is what the shell's start-up files run. False when out of
 * memory: nothing was found. Time and memory: lines times execs. */
bool join_lines(const struct join *j, int64_t ppid, struct join_line *lines, size_t n,
		const struct join_cursor *c, int64_t settled_ms, struct join_result *out);
void join_result_free(struct join_result *r);
/* The command line that ran for a line that does not say it: of several, joined by "; ". False: it
 * is not remembered any more. */
bool join_resolve(const struct join *j, const struct join_result *r, const struct join_line *line,
		  struct buf *out);

struct join_commands {
	uint32_t names[JOIN_MAX_NAMES]; /* hashes of those that are known */
	size_t n;
	bool loops;    /* the line holds for, while or until: a word may run many times */
	bool unknown;  /* a command's name holds a mark */
	bool builtins; /* all commands are the shell's own */
	bool complex;  /* a subshell, a substitution, a function: what runs is not seen or not named
			*/
};

/* The command words of a shell line (its shape): the first word of each simple command, less
 * assignments, redirections and words such as `if`, `time`, `exec`; base names, quotes removed. */
void join_parse(struct slice shape, struct join_commands *out);
/* Hash of a base name; never 0 for a name that is not empty. */
uint32_t join_hash(struct slice name);

#endif
