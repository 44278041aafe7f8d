/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Raw keystrokes of one TTY record made into the lines a person entered. A small
 * line editor: what a terminal's line discipline and readline's usual keys do to
 * the line. Keys whose effect only the program knows (history, completion) stand
 * in the line as <Up>, <Down>, <Tab>; other control keys as ^X. The keystrokes
 * themselves are kept beside the text, so nothing rests on this guess.
 *
 *   ^H DEL  erase a character    ^W  erase a word        ^U  kill to line start
 *   ^K      kill to line end     ^A ^E ^B ^F, arrows, Home, End  move
 *   Delete  erase ahead          ^C  give the line up (shown as text^C)
 *   ^D      on an empty line: end of input (shown as ^D), else erase ahead
 *   bracketed paste marks and other escape sequences leave no text
 */
#ifndef SA_TYPED_H
#define SA_TYPED_H

#include "common/buf.h"
#include "common/slice.h"

#define TYPED_MAX_LINE 8192 /* characters; what is beyond stays in raw only */

struct typed_line {
	struct slice text; /* as it stood when entered; any bytes the user typed */
	struct slice raw;  /* the keystrokes that made it, line end included */
	bool complete;     /* ended by Enter, ^C or ^D */
};

struct typed; /* scratch, reused; holds no text between calls */

struct typed *typed_new(void);
void typed_free(struct typed *t);
/* Calls fn with each line of keys in order; the last may be incomplete. Slices are valid during the
 * call. Fuzzed. */
void typed_lines(struct typed *t, struct slice keys,
		 void (*fn)(void *ctx, const struct typed_line *line), void *ctx);

#endif
