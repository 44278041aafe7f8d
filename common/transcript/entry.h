/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One line of a transcript. The struct is the message: the collector fills it
 * with slices it owns and writes the line; the command line reads a line back
 * into one. FORMAT.md has the JSON; names are ECS names where ECS has one.
 * Every line says user, type, time, outcome, origin and object (PCI DSS 10.2.2).
 */
#ifndef SA_ENTRY_H
#define SA_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/access/access.h"
#include "common/json.h"

enum entry_type {
	ENTRY_SESSION_START,
	ENTRY_ACCESS,
	ENTRY_EXEC,
	ENTRY_INPUT,
	ENTRY_GAP,
	ENTRY_CONFLICT,
	ENTRY_PRIVILEGE, /* sudo, su: someone became someone else; or left the session */
	ENTRY_EXPIRED,   /* the approval ended while the session ran */
	ENTRY_REVOKED,   /* ... was withdrawn */
	ENTRY_SESSION_END,
	ENTRY_TYPES
};

enum entry_outcome { ENTRY_UNKNOWN, ENTRY_SUCCESS, ENTRY_FAILURE };

#define ENTRY_ID_UNSET UINT32_MAX
#define ENTRY_MAX_RAN 16 /* execs one typed line may be joined to */

/* Slices are borrowed; absent ones (ptr NULL) are left out of the line. Those marked "raw" may hold
 * any bytes and come back from entry_parse as the text form; the exact bytes stand in the line as
 * base64 where they were not valid UTF-8. */
struct entry {
	uint64_t seq;    /* 1, 2, 3 ... within the session, no holes */
	int64_t time_ms; /* of the event, UTC */
	enum entry_type type;
	enum entry_outcome outcome;
	struct slice user;   /* who acts (name, or the uid as digits when no name is known) */
	struct slice origin; /* source address, else the terminal or "local" */
	struct slice object; /* raw: what it is done to (file executed, request id, program ...) */
	uint64_t audit_serial; /* serial of the audit event, 0 when none */
	bool after_end;        /* left-behind processes, after the session's end */

	/* exec; pid, tty, exe also for input */
	int64_t pid, ppid;                /* 0: not known */
	uint32_t uid, euid, auid;         /* ENTRY_ID_UNSET: not known */
	struct slice exe, cwd, tty, comm; /* exe, cwd, comm raw */
	const struct slice *argv;         /* raw */
	size_t argc;
	uint64_t argc_total; /* more than argc when arguments were cut */
	struct slice error;  /* "ENOENT" of a failed call */

	/* input */
	struct slice text, raw;      /* the line as it stood when entered; the keystrokes. raw */
	int64_t start_ms, end_ms;    /* typed between these; also the interval of a gap */
	bool incomplete;             /* no line end seen yet */
	uint64_t ran[ENTRY_MAX_RAN]; /* seqs of the execs this line led to */
	size_t n_ran;

	/* gap: cause and count (of records or events lost; 0 unknown). conflict: cause */
	struct slice cause;
	uint64_t count;

	/* privilege: who user became (user.target.name), the service that did it is in service, why it
	 * failed or what kind it is in cause ("nested", "denied", "left") */
	struct slice target; /* raw */
	/* privilege "left": the session that goes on; session_start: the one it came from
	 * (linked_session). A session id. */
	struct slice linked;

	/* access, conflict: the context (borrowed) */
	const struct access *access;

	/* session_start: what opened it. session_end also: cause, start_ms, end_ms */
	struct slice service;
};

const char *entry_type_name(enum entry_type t);       /* "session_start", "exec", ... */
const char *entry_outcome_name(enum entry_outcome o); /* "success", "failure", "unknown" */

/* Writes the line (no LF) through w; the caller checks json_writer_end. Any slice may hold any
 * bytes; absent user, origin and object are written as null. Times (but time_ms) and numbers of 0
 * are left out. */
void entry_write(struct json_writer *w, const struct entry *e);

/* For the other formats of this folder. Key and value, escaped when it is not valid UTF-8; nothing
 * when absent. */
void entry_write_text(struct json_writer *w, const char *key, struct slice s);
/* "origin":"<text>" (null when absent), and "source":{"ip":...} when it is an IP address. */
void entry_write_origin(struct json_writer *w, struct slice origin);
/* "<key>":{"id":"1001"}, as ECS has ids; nothing for ENTRY_ID_UNSET. */
void entry_write_id(struct json_writer *w, const char *key, uint32_t id);
/* Reads the id of such an object; none leaves out as it is. SA_ERR_INVALID when not a number. */
int entry_read_id(const struct json *object, uint32_t *out);

/* An entry read back, with what it borrows from. Not to be copied: e.access points into it. */
struct entry_read {
	struct entry e;
	struct json *json;
	struct slice *argv;
	struct access access;
	struct buf raw; /* the exact bytes of e.raw */
};
/* SA_ERR_INVALID for a line that is not an entry (unknown type: SA_ERR_UNSUPPORTED). */
int entry_parse(struct slice line, struct entry_read *out, struct sa_err *err);
void entry_read_free(struct entry_read *r);

#endif
