/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What typed*.c share; nobody else includes it. */
#ifndef SA_TYPED_INTERNAL_H
#define SA_TYPED_INTERNAL_H

#include <stdint.h>

#include "agent/collector/typed.h"

#define CTRL(c) ((c)&0x1f)
#define ESC 0x1b
#define DEL 0x7f

#define TYPED_MAX_COUNT 100 /* a numeric argument does its work so often at most */

enum key_code {
	KEY_TEXT,    /* a character */
	KEY_CONTROL, /* c, below 0x20 or DEL */
	KEY_META,    /* ESC and c */
	KEY_UP,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_WORD_LEFT,
	KEY_WORD_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_DELETE,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_PASTE,
	KEY_PASTE_END,
	KEY_OTHER, /* a sequence that leaves no text */
};

struct key {
	enum key_code code;
	unsigned char c; /* of CONTROL and META; the first byte of TEXT */
	struct slice bytes;
};

/* The next key of what is not empty. meta: ESC and a character are one key. A control key is never
 * part of a sequence: Enter after a broken one is an Enter. */
struct key key_next(struct slice keys, bool meta);
const char *key_name(enum key_code code); /* "<Up>"; NULL for TEXT, CONTROL, META */

/* The line is kept as cells, one per character or mark, each a run of bytes in `bytes`. */
struct cell {
	uint32_t off;
	uint8_t len;
	bool mark; /* stands for text that is not known */
};

enum typed_end { TYPED_GO_ON, TYPED_ENTER, TYPED_GIVE_UP, TYPED_EOF };

enum vi_state { VI_INSERT, VI_REPLACE, VI_COMMAND, VI_SEARCH };

struct typed {
	enum typed_editor editor;
	struct cell cells[TYPED_MAX_LINE];
	size_t n, cursor;
	struct cell killed[TYPED_MAX_LINE];
	size_t n_killed;
	bool kill_known; /* of this call; what an earlier one killed is not */
	bool kill_joins; /* the key before was a kill too: they are yanked together */
	bool lost;       /* the cursor is somewhere inside of what a mark stands for */
	bool recalled;
	bool quoted;          /* the next key is taken literally */
	bool pasting, prefix; /* prefix: of ^X */
	bool searching;       /* by ^R; from search_at on */
	size_t search_at;
	unsigned count;     /* numeric argument; 0: none */
	unsigned char find; /* of ^] and of vi's f F t T; 0: none */
	struct {
		enum vi_state state;
		size_t insert_at;          /* zsh erases no further back */
		unsigned char op, pending; /* d c y; f F t T r that wait for a character */
		unsigned op_count;
		unsigned char last_find, last_char;
	} vi;
	struct buf bytes; /* appended to, and closed up when full; cells point into it */
	struct buf text, shape;
};

static inline bool typed_is_zsh(const struct typed *t)
{
	return t->editor == TYPED_ZSH || t->editor == TYPED_ZSH_VI;
}

/* typed_edit.c: what keys do to the line. What cannot be known leaves the mark it is given. */
void edit_clear(struct typed *t); /* a new line */
void edit_insert(struct typed *t, struct slice character);
void edit_literal(struct typed *t, struct slice character); /* a control character as ^X */
void edit_mark(struct typed *t, const char *mark);
void edit_mark_key(struct typed *t, const char *prefix, unsigned char c); /* <M-x>, <^X> */
void edit_recall(struct typed *t, const char *mark);
/* c stands at the cursor, where a character does, and the cursor behind it. */
void edit_change(struct typed *t, char c);
void edit_left(struct typed *t);
void edit_right(struct typed *t);
void edit_home(struct typed *t);
void edit_end(struct typed *t);
void edit_backspace(struct typed *t);
void edit_delete(struct typed *t);
/* Puts the cells [from, to) away and leaves the cursor at from. */
void edit_kill(struct typed *t, size_t from, size_t to);
void edit_kill_to_start(struct typed *t);
void edit_kill_to_end(struct typed *t);
void edit_kill_line(struct typed *t);
void edit_yank(struct typed *t, const char *mark);
/* Words: of non-blanks (^W), or of letters and digits. dir: -1 back, 1 on. False: a mark is in the
 * way. zsh goes on to the next word's start. */
bool edit_word(const struct typed *t, bool blanks_only, int dir, size_t *to);
void edit_move_word(struct typed *t, int dir, const char *mark);
void edit_kill_word(struct typed *t, bool blanks_only, int dir, const char *mark);
void edit_transpose(struct typed *t);
/* c: 'u', 'l' or 'c' of the next word. */
void edit_case(struct typed *t, unsigned char c);
bool edit_find(struct typed *t, unsigned char c);
/* The byte of a cell that is one ASCII character, 0x80 for another character, 0 for a mark. */
unsigned char edit_at(const struct typed *t, size_t i);

/* typed_vi_motion.c */
struct vi_motion {
	size_t to;
	bool inclusive; /* an operator takes the character at the end too */
};
/* Where the motion c leads; false: c is none. */
bool vi_motion(const struct typed *t, unsigned char c, unsigned times, struct vi_motion *m);
/* f F t T to the character c; where it is when there is none: `from`. */
size_t vi_find(const struct typed *t, size_t from, unsigned char how, unsigned char c);
/* w or W to the end of the word that the cursor is in; false: it is in none. */
bool vi_word_rest(const struct typed *t, unsigned char c, unsigned times, struct vi_motion *m);

/* Each takes one key. */
enum typed_end emacs_key(struct typed *t, const struct key *k);
enum typed_end vi_key(struct typed *t, const struct key *k);
/* typed_emacs.c: keys that both have: arrows, paste, quoted insert. False: not one of them. */
bool emacs_common_key(struct typed *t, const struct key *k);

#endif
