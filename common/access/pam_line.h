/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The lines of one file of /etc/pam.d, as libpam reads them (pam.d(5)): comments, continuation by
 * a backslash, [..] tokens. For pam_stack.c.
 */
#ifndef SA_PAM_LINE_H
#define SA_PAM_LINE_H

#include <stdbool.h>

#include "common/buf.h"

enum pam_include { PAM_INCLUDE_NONE, PAM_INCLUDE_FLAT, PAM_INCLUDE_SUBSTACK };

/* What a control field may bring about. */
struct pam_control {
	enum pam_include include;
	bool done;     /* some result ends the stack well */
	bool weak;     /* PAM_PERM_DENIED of the module would not fail the stack */
	unsigned jump; /* most modules that some result passes over */
};

/* Slices point into the line, which lives until the next one. */
struct pam_line {
	unsigned number;     /* of the first of its lines, from 1 */
	struct slice type;   /* "session", without the '-' before it */
	bool any_type;       /* @include: lines of all types */
	struct slice module; /* or the file to include */
	struct slice args;   /* for pam_line_token */
	struct pam_control control;
};

struct pam_lines {
	struct slice rest;
	unsigned number;
	struct buf *line;
};

/* line: an initialized buffer, borrowed; failed when memory is out. */
void pam_lines_begin(struct pam_lines *l, struct slice text, struct buf *line);
/* The next line that has type, control and module; false at the end. */
bool pam_lines_next(struct pam_lines *l, struct pam_line *out);
/* Takes a token off the front: a word, or what is between [ and ]. False when there is none. */
bool pam_line_token(struct slice *rest, struct slice *out);

#endif
