/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"
#include "common/escape.h"

/* The kernel keeps 4096 bytes (drivers/tty/tty_audit.c); a longer record is a forged log. */
#define MAX_LINES RECORD_MAX_BYTES

struct line {
	struct span text;
	struct slice raw;
	bool complete;
	int64_t start_ms, end_ms;
	uint64_t ran[ENTRY_MAX_RAN];
	size_t n_ran;
	int64_t ran_ms; /* time of the first exec it led to, 0: none */
};

struct lines {
	struct line *items;
	size_t n, cap;
	struct buf text;
};

static void collect_line(void *ctx, const struct typed_line *line)
{
	struct lines *l = ctx;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct line *items =
			cap > MAX_LINES ? NULL : realloc(l->items, cap * sizeof(*items));

		if (!items)
			return;
		l->items = items;
		l->cap = cap;
	}
	l->items[l->n++] = (struct line){
		.text = {l->text.len, line->text.len},
		.raw = line->raw,
		.complete = line->complete,
	};
	buf_put(&l->text, line->text);
}

static struct slice line_text(const struct lines *l, const struct line *line)
{
	return (struct slice){(l->text.data ? l->text.data : "") + line->text.off, line->text.len};
}

/* Unix98 slaves are majors 136-143 with 256 each, virtual consoles and serial lines share major 4
 * (Documentation/admin-guide/devices.txt). The short form is the one SYSCALL records have. */
static void tty_name(struct slice major, struct slice minor, char *out, size_t size)
{
	uint64_t ma = 0, mi = 0;

	record_u64(major, &ma);
	record_u64(minor, &mi);
	if (ma >= 136 && ma <= 143)
		snprintf(out, size, "pts%u", (unsigned)((ma - 136) * 256 + (mi & 0xff)));
	else if (ma == 4 && mi < 64)
		snprintf(out, size, "tty%u", (unsigned)mi);
	else if (ma == 4)
		snprintf(out, size, "ttyS%u", (unsigned)(mi - 64));
	else
		snprintf(out, size, "%u:%u", (unsigned)ma, (unsigned)mi);
}

/* The reader's entry, made when it is new: typing began when its program did. */
static struct session_reader *find_reader(struct session *s, int64_t pid)
{
	const struct join_exec *program = join_program(&s->join, pid);
	struct session_reader *oldest = &s->readers[0];

	for (size_t i = 0; i < SESSION_READERS; i++) {
		struct session_reader *r = &s->readers[i];

		/* A pid that was reused, or a process that became another program. */
		if (r->pid == pid && (!program || program->time_ms <= r->last_ms))
			return r;
		if (r->pid == pid || r->last_ms < oldest->last_ms)
			oldest = r;
		if (r->pid == pid)
			break;
	}
	*oldest = (struct session_reader){
		.pid = pid,
		.last_ms = program ? program->time_ms : s->start_ms,
		.cursor = {program ? program->seq : 0, program ? program->time_ms : s->start_ms},
	};
	return oldest;
}

/* Each line lies between what ran before it and what ran because of it or after it. */
static void place_lines(struct session *s, struct session_reader *r, struct lines *l,
			int64_t flush_ms)
{
	int64_t end = flush_ms;

	if (r->cursor.after_ms < r->last_ms)
		r->cursor.after_ms = r->last_ms;
	for (size_t i = 0; i < l->n; i++) {
		struct line *line = &l->items[i];

		line->start_ms = r->cursor.after_ms;
		line->n_ran = join_line(&s->join, r->pid, line_text(l, line), &r->cursor, line->ran,
					ENTRY_MAX_RAN);
		line->ran_ms = line->n_ran ? r->cursor.after_ms : 0;
	}
	for (size_t i = l->n; i > 0; i--) {
		struct line *line = &l->items[i - 1];

		if (line->ran_ms)
			end = line->ran_ms;
		line->end_ms = end;
	}
}

static void write_lines(struct transcript *t, struct session *s, const struct event *ev,
			const struct lines *l, struct entry *e)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct line *line = &l->items[i];

		e->text = line_text(l, line);
		e->raw = line->raw;
		e->incomplete = !line->complete;
		e->start_ms = line->start_ms;
		e->end_ms = line->end_ms;
		memcpy(e->ran, line->ran, sizeof(e->ran));
		e->n_ran = line->n_ran;
		e->time_ms = ev->time_ms;
		writer_entry(t->writer, s, e, t->now_ms);
	}
}

void input_entries(struct transcript *t, struct session *s, const struct event *ev,
		   struct slice body)
{
	struct slice data = record_text(record_get(body, "data"), &t->scratch);
	struct lines lines = {0};
	struct session_reader *r;
	char name[16], tty[24];
	struct entry e;

	transcript_fill(s, ev, ENTRY_INPUT, record_id(record_get(body, "uid")), name, &e);
	record_i64(record_get(body, "pid"), &e.pid);
	e.comm = record_text(record_get(body, "comm"), &t->scratch);
	e.object = e.comm;
	tty_name(record_get(body, "major"), record_get(body, "minor"), tty, sizeof(tty));
	e.tty = slice_of(tty);
	e.outcome = ENTRY_SUCCESS;
	buf_init(&lines.text, 1024 * 1024);
	typed_lines(t->typed, data, collect_line, &lines);
	r = find_reader(s, e.pid);
	place_lines(s, r, &lines, ev->time_ms);
	r->last_ms = ev->time_ms;
	write_lines(t, s, ev, &lines, &e);
	free(lines.items);
	buf_free(&lines.text);
}
