/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What a session's terminal programs have read, as far as it goes on: the line or
 * statement that is still open, how far a shell's lines were joined, which editor it has.
 * One per session, made when it is needed; not kept over a restart of the collector.
 */
#ifndef SA_TYPING_H
#define SA_TYPING_H

#include "agent/collector/join.h"
#include "agent/collector/redact.h"
#include "agent/collector/statement.h"
#include "agent/collector/typed.h"

#define TYPING_READERS 16    /* of a session, followed at once; the quietest makes room */
#define TYPING_MAX_OPEN 8192 /* keys of an open line; a longer one is given in pieces */

struct typing_reader { /* one program reading a terminal */
	int64_t pid;
	uint32_t uid;
	char comm[64], tty[24];
	uint64_t serial;          /* of its last record */
	int64_t began_ms;         /* when its program was started; 0: not known */
	int64_t last_ms;          /* of its last record */
	bool not_relay;           /* whatever it calls itself now */
	bool interactive;         /* a shell whose programs should have been typed */
	bool written;             /* a line of it was */
	bool vi;                  /* its editor has vi keys */
	enum typed_editor editor; /* that read what is open */
	redact_asks asks;
	struct join_cursor cursor;
	struct buf open; /* keys not yet written: a line without its end, or one whose program is
			    not yet seen */
	int64_t open_ms; /* since when, at the earliest */
	struct statements *statements; /* of a database client */
	struct buf keys;               /* of the open statement */
	int64_t statement_ms;          /* when it was begun */
	bool statement_masked;         /* a line of it was a secret */
};

struct typing {
	struct join join;
	struct typing_reader *readers[TYPING_READERS];
};

struct typing *typing_new(struct join_store *st); /* NULL: out of memory */
void typing_free(struct typing *y);
struct typing_reader *typing_find(const struct typing *y, int64_t pid); /* NULL: none */
/* Where a new reader goes: a free place, or that of the quietest, which the caller takes out
 * before. */
struct typing_reader **typing_place(struct typing *y);
void typing_reader_free(struct typing_reader *r);

#endif
