/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Lines typed into a database client joined into statements: split at ";" outside of
 * quotes and comments, over as many lines as it takes, as the client's own lexer does
 * (psqlscan.l, client/mysql.cc, sqlite3_complete). Client commands (\d, .tables) end with
 * their line.
 */
#ifndef SA_STATEMENT_H
#define SA_STATEMENT_H

#include "common/buf.h"
#include "common/slice.h"

#define STATEMENT_MAX 65536 /* bytes; a longer one is given in pieces, incomplete */

enum statement_dialect { STATEMENT_NONE, STATEMENT_PSQL, STATEMENT_MYSQL, STATEMENT_SQLITE };

struct statement_part { /* given to fn: one statement, or one client command */
	struct slice text;
	bool complete; /* it ended as its dialect wants it */
	bool command;  /* \d, .tables, quit, a lone comment: a line for the client itself */
};

struct statements; /* of one reader: what is still open */

/* By the program's name; STATEMENT_NONE: what is typed into it stays lines. */
enum statement_dialect statement_dialect(struct slice comm);
struct statements *statements_new(enum statement_dialect d); /* NULL: out of memory */
void statements_free(struct statements *s);
/* One more line, without its line end; fn is called with each part it completes. */
void statements_line(struct statements *s, struct slice line,
		     void (*fn)(void *ctx, const struct statement_part *p), void *ctx);
/* ^C: what is open is given up, and given as incomplete. Also at the reader's end. */
void statements_break(struct statements *s, void (*fn)(void *ctx, const struct statement_part *p),
		      void *ctx);
bool statements_open(const struct statements *s);

#endif
