/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What input.c and input_write.c share; nobody else includes it. */
#ifndef SA_INPUT_INTERNAL_H
#define SA_INPUT_INTERNAL_H

#include "agent/collector/transcript_internal.h"
#include "agent/collector/typing.h"

struct input_line {
	struct span text, shape, raw; /* of what lines.text, lines.keys hold */
	bool complete, given_up, marked, recalled;
	int64_t start_ms, end_ms; /* typed between these */
};

struct input_lines {
	struct input_line *items;
	struct join_line *joins; /* one for each */
	size_t n, cap;
	struct buf text;
	struct slice keys;
	struct join_result found;
	bool joined;
	bool shell;               /* they are a shell's commands */
	enum typed_editor editor; /* after the last of them */
};

struct slice input_text(const struct input_lines *l, struct span s);

/* input_write.c: what is written. */
void input_write_lines(struct transcript *t, struct session *s, const struct event *ev,
		       struct typing_reader *r, const struct input_lines *l, size_t n);
/* What the shell ran and no line led to. */
void input_write_untyped(struct transcript *t, struct session *s, const struct event *ev,
			 const struct typing_reader *r, const struct input_lines *l);
/* So many bytes went on to a program that is recorded itself, with what it was typed without echo.
 */
void input_write_relayed(struct transcript *t, struct session *s, const struct event *ev,
			 const struct typing_reader *r, size_t bytes);
/* The open statement, when there is one. */
void input_write_statement(struct transcript *t, struct session *s, const struct event *ev,
			   struct typing_reader *r);

#endif
