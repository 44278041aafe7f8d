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
	ENTRY_EXIT, /* a program ended */
	ENTRY_INPUT,
	ENTRY_STATEMENT, /* typed into a database client, from its first word to its semicolon */
	ENTRY_UNTYPED,   /* what an interactive shell ran and no typed line led to */
	ENTRY_NETWORK,   /* connect, accept, bind, sendto */
	ENTRY_FILE,      /* a file opened for writing, changed, renamed, deleted */
	ENTRY_AUTH,      /* what a program said of authentication, credentials, accounts */
	ENTRY_CONFIG,    /* the audit system's configuration was changed */
	ENTRY_SELF,      /* the agent or its files were touched */
	ENTRY_GAP,
	ENTRY_CONFLICT,
	ENTRY_PRIVILEGE, /* someone became someone else (sudo, su, setuid), left the session, or
			    used a right of root's (modules, mounts, ptrace) */
	ENTRY_EXPIRED,   /* the approval ended while the session ran */
	ENTRY_REVOKED,   /* ... was withdrawn */
	ENTRY_SESSION_END,
	ENTRY_TYPES
};

enum entry_outcome { ENTRY_UNKNOWN, ENTRY_SUCCESS, ENTRY_FAILURE };

enum entry_endpoint { /* the other end of a connection, or the own one, by its ECS name */
		      ENTRY_NO_ENDPOINT,
		      ENTRY_DESTINATION, /* connect, sendto */
		      ENTRY_CLIENT,      /* accept */
		      ENTRY_SERVER,      /* bind */
};

#define ENTRY_ID_UNSET UINT32_MAX
#define ENTRY_MAX_RAN 16 /* execs one typed line may be joined to */

/* Slices are borrowed; absent ones (ptr NULL) are left out of the line. Those marked "raw" may hold
 * any bytes and come back from entry_parse as the text form; the exact bytes stand in the line as
 * base64 where they were not valid UTF-8. */
struct entry {
	uint64_t seq;    /* 1, 2, 3 ... within the session, no holes */
	int64_t time_ms; /* of the event, UTC */
	enum entry_type type;
	struct slice action; /* event.action: "connect", "rename", "user_auth" ..., of our own words
				only; absent: the type's name */
	enum entry_outcome outcome;
	struct slice user;   /* who acts (name, or the uid as digits when no name is known) */
	struct slice origin; /* source address, else the terminal or "local" */
	struct slice object; /* raw: what it is done to (file executed, request id, program ...) */
	uint64_t audit_serial; /* serial of the audit event, 0 when none */
	bool after_logout;     /* left-behind processes, after the session's end */

	/* exec; pid, tty, exe also for input */
	int64_t pid, ppid;                /* 0: not known */
	uint32_t uid, euid, auid;         /* ENTRY_ID_UNSET: not known */
	struct slice exe, cwd, tty, comm; /* exe, cwd, comm raw */
	const struct slice *argv;         /* raw */
	size_t argc;
	uint64_t argc_total; /* more than argc when arguments were cut */
	struct slice error;  /* "ENOENT" of a failed call */

	struct slice syscall; /* of network, file, privilege, self: "openat" */

	/* exit: of the program that exec_seq began (0: not known; start_ms, end_ms are its life) */
	bool has_exit_code;
	uint32_t exit_code;   /* 0-255 */
	uint32_t exit_signal; /* 0: none */
	uint64_t exec_seq;

	/* network */
	enum entry_endpoint endpoint;
	struct slice address; /* raw: IP address, or a unix socket's path, abstract ones with "@" */
	struct slice ip;      /* address once more, when it is one */
	uint32_t port;        /* 0: none */
	struct slice net_type; /* "ipv4", "ipv6", "unix", "netlink", ... */

	/* file: absolute where cwd and dirfd are known */
	struct slice path, target_path; /* raw; target_path: what it is renamed or linked to */
	struct slice flags;             /* "O_WRONLY|O_CREAT" */
	struct slice mode;              /* "0644", of open with O_CREAT and of chmod */

	/* auth: USER_CMD's command */
	struct slice command; /* raw */

	/* config: values before and after */
	struct slice old_value, new_value; /* raw */

	uint64_t redacted; /* how many secrets in this entry were replaced */

	/* input, statement */
	struct slice
		resolved; /* raw: the command that history or completion made of it, by what ran */
	struct slice text, raw;      /* the line as it stood when entered; the keystrokes. raw */
	int64_t start_ms, end_ms;    /* typed between these; also the interval of a gap */
	bool incomplete;             /* no line end seen yet */
	uint64_t ran[ENTRY_MAX_RAN]; /* seqs of the execs this line led to; of untyped: no line did
				      */
	size_t n_ran;

	/* gap: cause and count (of records or events lost; 0 unknown). conflict, auth, config:
	 * cause */
	struct slice cause;
	uint64_t count;

	/* privilege: who user became (user.target.name), the service that did it is in service, why
	 * it failed or what kind it is in cause ("nested", "denied", "left") */
	struct slice target; /* raw */
	/* privilege "left": the session that goes on; session_start: the one it came from
	 * (linked_session). A session id. */
	struct slice linked;

	/* access, conflict: the context (borrowed) */
	const struct access *access;

	/* session_start: what opened it. session_end also: cause, start_ms, end_ms */
	struct slice service;
};

const char *entry_type_name(enum entry_type t);         /* "session_start", "exec", ... */
const char *entry_outcome_name(enum entry_outcome o);   /* "success", "failure", "unknown" */
const char *entry_endpoint_name(enum entry_endpoint e); /* "destination", ...; NULL for none */
/* "SIGTERM"; realtime signals and unknown ones NULL. Numbers as on x86 and arm. */
const char *entry_signal_name(uint32_t number);

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
