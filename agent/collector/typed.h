/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Keystrokes of a TTY record made into the lines a person entered: a model of the
 * editor that read them. It is a guess. Not guessed are canonical lines, which the
 * kernel records as its line discipline gave them to the program. The keystrokes
 * are kept beside each line, so nothing rests on the guess.
 *
 *   canonical  the line is the record's; control characters stand as ^X
 *   readline   bash, psql, python3 ...: its default emacs keys; also the best guess for
 *              what is typed into another terminal (ssh, screen, tmux, sudo with a pty)
 *   zsh        the same with zsh's differences: ^U kills the line, ^G gives it up
 *   ..._vi     their vi keys: ESC begins a command
 *   editline   libedit of mysql, sftp ...: ^U kills the line, ^W a word of letters
 *   keys       full-screen programs (vi, less, top): no lines, only readable keys
 *
 * Keys whose effect only the program knows stand as <Up>, <Tab>, <^R>, <Undo>; so do keys
 * that move or erase inside of what such a key brought: <Left>, <Backspace>. A pasted
 * newline stands as a newline. A line given up ends in ^C (zsh: also ^G), end of input
 * is ^D. Of a local shell ^C never reaches the kernel's record: what was typed before
 * it stands there before the next line, as one.
 */
#ifndef SA_TYPED_H
#define SA_TYPED_H

#include "common/buf.h"
#include "common/slice.h"

#define TYPED_MAX_LINE 8192 /* characters; what is beyond stays in raw only */

enum typed_editor {
	TYPED_CANONICAL,
	TYPED_READLINE,
	TYPED_READLINE_VI,
	TYPED_ZSH,
	TYPED_ZSH_VI,
	TYPED_EDITLINE,
	TYPED_KEYS,
};

struct typed_line {
	struct slice text;  /* as it stood when entered; control bytes in it are \t and \n only */
	struct slice shape; /* text with one \x01 for each mark: what of it is not known */
	struct slice raw;   /* the keystrokes that made it, line end included */
	bool complete;      /* ended by Enter, ^C, ^G or ^D */
	bool given_up;      /* ended by ^C or ^G */
	bool marked;        /* it holds a mark such as <Tab> */
	bool recalled;      /* one of them brought a line of the history */
};

struct typed; /* scratch, reused; holds no text between calls */

struct typed *typed_new(void);
void typed_free(struct typed *t);
/* Calls fn with each line of keys in order; the last may be incomplete. Slices are valid during the
 * call. Time: keys times the line's length, at most. Fuzzed. */
void typed_lines(struct typed *t, enum typed_editor editor, struct slice keys,
		 void (*fn)(void *ctx, const struct typed_line *line), void *ctx);

/* The editor of the program comm for a record with these keys, without regard to vi keys. In
 * canonical mode a record is one line, or a part of one; an editor in raw mode sees \r as line end,
 * zsh and libedit \n. */
enum typed_editor typed_editor_of(struct slice comm, struct slice keys);
/* Whether keys look like an editor's vi mode: commands such as 0 $ A x after a lone ESC, which is
 * no key of emacs mode, outnumber keys of emacs mode (^A ^E ^K ESC-DEL ...). */
bool typed_looks_vi(struct slice keys);
/* The line switches the shell's editor: "set -o vi", "bindkey -v" ... The editor from then on;
 * otherwise `editor`. */
enum typed_editor typed_switch(enum typed_editor editor, struct slice text);

#endif
