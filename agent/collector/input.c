/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* What terminal programs read: TTY records made into lines, and laid beside what ran. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/input_internal.h"
#include "common/cleanup.h"
#include "common/shell.h"

/* The kernel keeps 4096 bytes (drivers/tty/tty_audit.c); a longer record is a forged log. */
#define MAX_LINES RECORD_MAX_BYTES
#define SETTLE_MS 300 /* a shell has read its start-up files, and nobody types so fast */

struct slice input_text(const struct input_lines *l, struct span s)
{
	return (struct slice){(l->text.data ? l->text.data : "") + s.off, s.len};
}

static struct span put(struct buf *b, struct slice s)
{
	struct span at = {b->len, s.len};

	buf_put(b, s);
	if (b->failed)
		at = (struct span){0, 0};
	b->failed = false;
	return at;
}

static void collect_line(void *ctx, const struct typed_line *line)
{
	struct input_lines *l = ctx;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct input_line *items =
			cap > MAX_LINES ? NULL : realloc(l->items, cap * sizeof(*items));

		if (!items)
			return;
		l->items = items;
		l->cap = cap;
	}
	l->items[l->n++] = (struct input_line){
		.text = put(&l->text, line->text),
		.shape = put(&l->text, line->shape),
		.raw = {(size_t)(line->raw.ptr - l->keys.ptr), line->raw.len},
		.complete = line->complete,
		.given_up = line->given_up,
		.marked = line->marked,
		.recalled = line->recalled,
	};
	if (line->complete)
		l->editor = typed_switch(l->editor, line->text);
}

static void lines_free(struct input_lines *l)
{
	free(l->items);
	free(l->joins);
	buf_free(&l->text);
	join_result_free(&l->found);
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

static void join_all(struct session *s, const struct typing_reader *r, struct input_lines *l)
{
	int64_t settled = r->interactive ? r->began_ms + SETTLE_MS : INT64_MIN;

	for (size_t i = 0; i < l->n; i++)
		l->joins[i] = (struct join_line){
			.text = input_text(l, l->items[i].text),
			.shape = input_text(l, l->items[i].shape),
			.given_up = l->items[i].given_up || !l->items[i].complete,
		};
	l->joined = join_lines(&s->typing->join, r->pid, l->joins, l->n, &r->cursor, settled,
			       &l->found);
}

/* Each line lies between what ran before it and what ran because of it or after it, and between the
 * records that its keys came in. */
static void place(const struct typing_reader *r, struct input_lines *l, int64_t flush_ms)
{
	int64_t start = r->cursor.after_ms > r->last_ms ? r->cursor.after_ms : r->last_ms;
	int64_t end = flush_ms;

	for (size_t i = 0; i < l->n; i++) {
		struct input_line *line = &l->items[i];

		line->start_ms = line->raw.off < r->open.len ? r->open_ms : start;
		if (l->joined && l->joins[i].n_ran > 0 && l->joins[i].last_ms > start)
			start = l->joins[i].last_ms;
	}
	for (size_t i = l->n; i > 0; i--) {
		struct input_line *line = &l->items[i - 1];

		if (l->joined && l->joins[i - 1].n_ran > 0 && l->joins[i - 1].first_ms < end)
			end = l->joins[i - 1].first_ms;
		if (line->raw.off + line->raw.len <= r->open.len && r->last_ms < end)
			end = r->last_ms;
		line->end_ms = end;
	}
}

/* What bash and zsh read in canonical mode is an answer to their read builtin. */
static bool is_shell_line(const struct typing_reader *r)
{
	return r->interactive && (r->editor != TYPED_CANONICAL ||
				  !(strstr(r->comm, "bash") || strstr(r->comm, "zsh")));
}

/* How many lines are written now. One that goes on in the next record waits for it, and so does a
 * shell's last one while the program that it should lead to is not seen: a shell in canonical mode
 * gives each line on before it runs anything. */
static size_t settled_lines(const struct typing_reader *r, const struct input_lines *l)
{
	const struct input_line *last = l->n > 0 ? &l->items[l->n - 1] : NULL;
	const struct join_line *join = l->n > 0 ? &l->joins[l->n - 1] : NULL;
	bool waits;

	if (!last || last->raw.len > TYPING_MAX_OPEN)
		return l->n;
	if (!last->complete)
		return l->n - 1;
	waits = is_shell_line(r) && l->joined && join->n_ran == 0 && join->kind != JOIN_BUILTIN &&
		!last->given_up && last->text.len > 0;
	return waits ? l->n - 1 : l->n;
}

static void keep_open(struct typing_reader *r, struct slice keys, int64_t since_ms)
{
	struct buf open;

	buf_init(&open, TYPING_MAX_OPEN);
	buf_put(&open, keys);
	if (r->open.data)
		explicit_bzero(r->open.data, r->open.cap);
	buf_free(&r->open);
	r->open = open;
	r->open_ms = since_ms;
}

static void advance_cursor(struct typing_reader *r, const struct input_lines *l)
{
	for (size_t i = 0; i < l->found.n; i++)
		if (l->found.execs[i]->seq > r->cursor.after_seq)
			r->cursor.after_seq = l->found.execs[i]->seq;
	for (size_t i = 0; i < l->n; i++)
		if (l->joins[i].n_ran > 0)
			r->cursor.after_ms = l->joins[i].last_ms;
}

/* keys: what was open, and what came. last: nothing of it goes on. flush_ms: when the kernel gave
 * the last of it on. */
static void read_keys(struct transcript *t, struct session *s, const struct event *ev,
		      struct typing_reader *r, struct slice keys, bool last, int64_t flush_ms)
{
	struct input_lines l = {.keys = keys, .editor = r->editor};
	size_t n;

	buf_init(&l.text, 4 * 1024 * 1024);
	typed_lines(t->typed, r->editor, keys, collect_line, &l);
	l.joins = calloc(l.n + 1, sizeof(*l.joins));
	l.shell = is_shell_line(r);
	if (l.joins && (l.shell || !r->interactive))
		join_all(s, r, &l);
	place(r, &l, flush_ms);
	n = last || !l.joins ? l.n : settled_lines(r, &l);
	input_write_lines(t, s, ev, r, &l, n);
	if (l.joined && l.shell && r->began_ms && l.found.whole)
		input_write_untyped(t, s, ev, r, &l);
	if (l.joined)
		advance_cursor(r, &l);
	r->written |= n > 0;
	if (n < l.n)
		keep_open(r,
			  (struct slice){keys.ptr + l.items[n].raw.off,
					 keys.len - l.items[n].raw.off},
			  l.items[n].start_ms);
	else
		keep_open(r, SLICE_LIT(""), 0);
	r->editor = l.editor;
	if (r->editor != TYPED_CANONICAL)
		r->vi = r->editor == TYPED_READLINE_VI || r->editor == TYPED_ZSH_VI;
	r->last_ms = flush_ms;
	lines_free(&l);
}

/* What is open is written as it is. */
static void finish(struct transcript *t, struct session *s, const struct event *ev,
		   struct typing_reader *r)
{
	if (r->open.len > 0) {
		_cleanup_buf_ struct buf keys = {0};

		buf_init(&keys, TYPING_MAX_OPEN);
		buf_put(&keys, buf_slice(&r->open));
		read_keys(t, s, ev, r, buf_slice(&keys), true, r->last_ms);
		explicit_bzero(keys.data, keys.cap);
	}
	input_write_statement(t, s, ev, r);
}

static struct typing *typing_of(struct transcript *t, struct session *s)
{
	if (!s->typing)
		s->typing = typing_new(t->joins);
	return s->typing;
}

static void drop(struct transcript *t, struct session *s, const struct event *ev,
		 struct typing_reader **place)
{
	finish(t, s, ev, *place);
	typing_reader_free(*place);
	*place = NULL;
}

static void drop_pid(struct transcript *t, struct session *s, const struct event *ev, int64_t pid)
{
	for (size_t i = 0; s->typing && i < TYPING_READERS; i++)
		if (s->typing->readers[i] && s->typing->readers[i]->pid == pid)
			drop(t, s, ev, &s->typing->readers[i]);
}

static bool is_relay_name(const char *comm)
{
	static const char *const names[] = {
		"sudo", "su",           "runuser", "doas",   "script", "screen",   "SCREEN",
		"tmux", "tmux: client", "dtach",   "abduco", "expect", "unbuffer", "asciinema"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(comm, names[i]) == 0)
			return true;
	return false;
}

static struct typing_reader *add_reader(struct transcript *t, struct session *s,
					const struct event *ev, int64_t pid)
{
	const struct proc *p = procs_find(t->procs, pid);
	struct typing_reader **place = typing_place(s->typing), *r;

	if (p && p->ses != s->ses)
		p = NULL;
	if (*place)
		drop(t, s, ev, place);
	r = *place = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->pid = pid;
	r->began_ms = p ? p->start_ms : 0;
	r->last_ms = p ? p->start_ms : s->start_ms;
	r->interactive = p && p->interactive;
	r->asks = p ? p->asks_secret : 0;
	/* Who names a program of his own so, or lets one call itself so, hides nothing by it. */
	r->not_relay = p && !(p->installed && is_relay_name(p->comm));
	r->cursor = (struct join_cursor){p ? p->exec_seq : 0, r->last_ms};
	return r;
}

/* What is new in this record of the reader. */
static void describe(struct typing_reader *r, const struct event *ev, struct slice body,
		     struct slice comm)
{
	size_t n = comm.len < sizeof(r->comm) ? comm.len : sizeof(r->comm) - 1;
	struct slice name;

	memcpy(r->comm, comm.len > 0 ? comm.ptr : "", n);
	r->comm[n] = '\0';
	name = slice_of(r->comm);
	r->uid = record_id(record_get(body, "uid"));
	r->serial = ev->serial;
	tty_name(record_get(body, "major"), record_get(body, "minor"), r->tty, sizeof(r->tty));
	if (!r->statements && statement_dialect(name) != STATEMENT_NONE)
		r->statements = statements_new(statement_dialect(name));
	r->interactive = r->interactive || (r->began_ms == 0 && shell_is(slice_of(r->comm)));
}

static enum typed_editor editor_of(struct typing_reader *r, struct slice data)
{
	enum typed_editor e = typed_editor_of(slice_of(r->comm), data);

	if (e != TYPED_READLINE && e != TYPED_ZSH)
		return e;
	r->vi |= typed_looks_vi(data);
	if (!r->vi)
		return e;
	return e == TYPED_ZSH ? TYPED_ZSH_VI : TYPED_READLINE_VI;
}

/* Programs that hand the terminal on to one of their own (sudo with use_pty ...). They read in raw
 * mode whatever the program below reads without echo, passwords too; that program's own records say
 * what else was typed. Their own password prompt is canonical. */
static bool is_relay(const struct typing_reader *r)
{
	bool prompt = r->asks && r->editor == TYPED_CANONICAL;

	return !r->not_relay && is_relay_name(r->comm) && !prompt;
}

void input_entries(struct transcript *t, struct session *s, const struct event *ev,
		   struct slice body)
{
	struct slice data = record_text(record_get(body, "data"), &t->scratch);
	struct slice comm = record_text(record_get(body, "comm"), &t->scratch);
	_cleanup_buf_ struct buf keys = {0};
	struct typing_reader *r;
	enum typed_editor editor;
	int64_t pid = 0;

	record_i64(record_get(body, "pid"), &pid);
	if (data.len == 0 || !typing_of(t, s))
		return;
	r = typing_find(s->typing, pid);
	if (!r && !(r = add_reader(t, s, ev, pid)))
		return;
	describe(r, ev, body, comm);
	editor = editor_of(r, data);
	/* The mode changed, and with it who edits the line. */
	if (r->open.len > 0 && (editor == TYPED_CANONICAL) != (r->editor == TYPED_CANONICAL))
		finish(t, s, ev, r);
	r->editor = editor;
	if (is_relay(r)) {
		input_write_relayed(t, s, ev, r, data.len);
		r->last_ms = ev->time_ms;
		return;
	}
	buf_init(&keys, TYPING_MAX_OPEN + RECORD_MAX_BYTES);
	buf_put(&keys, buf_slice(&r->open));
	buf_put(&keys, data);
	read_keys(t, s, ev, r, buf_slice(&keys), false, ev->time_ms);
	explicit_bzero(keys.data, keys.cap);
}

void input_ran(struct transcript *t, struct session *s, const struct event *ev,
	       const struct entry *e)
{
	const struct proc *parent = procs_find(t->procs, e->ppid);
	/* A process that runs one program after the other (nohup, env) was typed as the first. */
	const struct proc *before = procs_find(t->procs, e->pid);
	bool typed = (!parent || parent->ses != s->ses || parent->interactive) &&
		     (!before || before->ses != s->ses);
	struct slice names[3] = {e->object, e->argc > 0 ? e->argv[0] : SLICE_NONE, e->exe};
	_cleanup_buf_ struct buf text = {0};

	if (e->seq && typed && typing_of(t, s)) {
		buf_init(&text, 16 * JOIN_MAX_TEXT);
		join_quote(&text, e->argv, e->argc);
		join_add(&s->typing->join, e->seq, ev->time_ms, e->pid, e->ppid, names,
			 buf_slice(&text));
	}
	/* Last: what is written there is redacted, and the arguments are gone with it. */
	if (e->outcome == ENTRY_SUCCESS)
		drop_pid(t, s, ev, e->pid);
}

void input_gone(struct transcript *t, struct session *s, const struct event *ev, int64_t pid)
{
	drop_pid(t, s, ev, pid);
}

void input_end(struct transcript *t, struct session *s, const struct event *ev)
{
	for (size_t i = 0; s->typing && i < TYPING_READERS; i++)
		if (s->typing->readers[i])
			drop(t, s, ev, &s->typing->readers[i]);
}
