/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/input_internal.h"
#include "common/cleanup.h"

#define STARTUP_MS 2000 /* a shell's start-up files have run by then */
#define RESOLVED_MAX JOIN_MAX_TEXT

static void fill(const struct session *s, const struct event *ev, const struct typing_reader *r,
		 enum entry_type type, char name[16], struct entry *e)
{
	transcript_fill(s, ev, type, r->uid, name, e);
	e->audit_serial = r->serial;
	e->outcome = ENTRY_SUCCESS;
	e->pid = r->pid;
	e->comm = e->object = slice_of(r->comm);
	e->tty = slice_of(r->tty);
}

/* A password goes whole, anything else loses its secrets. The keys would give them away. */
static void redact(struct transcript *t, bool masked, struct entry *e)
{
	redact_begin(t->facts.redact);
	if (masked && t->facts.redact) {
		redact_all(t->facts.redact, &e->text);
		e->resolved = SLICE_NONE;
		e->redacted = 1;
	} else {
		e->redacted = redact_text(t->facts.redact, &e->text);
		if (e->resolved.ptr)
			e->redacted += redact_text(t->facts.redact, &e->resolved);
	}
	if (!e->redacted && e->raw.len != e->text.len + 1) { /* keys that were erased again */
		struct slice keys = e->raw;

		e->redacted = redact_text(t->facts.redact, &keys);
	}
	if (e->redacted)
		e->raw = SLICE_NONE;
}

/* What is typed into them goes to a program on another machine, which nobody records here. */
static bool is_remote(const struct typing_reader *r)
{
	static const char *const names[] = {"ssh", "telnet", "mosh-client", "docker", "kubectl"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(r->comm, names[i]) == 0)
			return true;
	return false;
}

void input_write_relayed(struct transcript *t, struct session *s, const struct event *ev,
			 const struct typing_reader *r, size_t bytes)
{
	char name[16];
	struct entry e;

	fill(s, ev, r, ENTRY_INPUT, name, &e);
	e.cause = SLICE_LIT("relay");
	e.count = bytes;
	e.start_ms = r->last_ms;
	e.end_ms = ev->time_ms;
	writer_entry(t->writer, s, &e, t->now_ms);
}

static bool is_masked(struct typing_reader *r, struct slice text, struct slice raw)
{
	bool masked = redact_is_answer(&r->asks, raw);
	redact_asks next = is_remote(r)     ? redact_line_asks(text)
			   : r->interactive ? redact_shell_asks(text)
					    : 0;

	if (next)
		r->asks = next;
	return masked;
}

struct part_sink {
	struct transcript *t;
	struct session *s;
	const struct event *ev;
	struct typing_reader *r;
	int64_t start_ms, end_ms;
	bool masked;
};

static void write_part(void *ctx, const struct statement_part *p)
{
	struct part_sink *k = ctx;
	char name[16];
	struct entry e;

	fill(k->s, k->ev, k->r, p->command ? ENTRY_INPUT : ENTRY_STATEMENT, name, &e);
	e.text = p->text;
	e.raw = buf_slice(&k->r->keys);
	e.incomplete = !p->complete;
	e.start_ms = k->start_ms;
	e.end_ms = k->end_ms;
	redact(k->t, k->masked, &e);
	writer_entry(k->t->writer, k->s, &e, k->t->now_ms);
}

/* The keys of a statement are those of all its lines. */
static void keep_keys(struct typing_reader *r, struct slice raw)
{
	if (r->keys.max == 0)
		buf_init(&r->keys, 2 * STATEMENT_MAX);
	buf_put(&r->keys, raw);
}

static void write_part_of_line(struct part_sink *k, struct slice text, struct slice raw,
			       const struct input_line *line)
{
	struct typing_reader *r = k->r;
	bool was_open = statements_open(r->statements);

	k->masked = is_masked(r, text, raw);
	if (was_open) {
		k->start_ms = r->statement_ms;
		k->masked |= r->statement_masked;
	} else {
		buf_clear(&r->keys);
	}
	keep_keys(r, raw);
	if (line->given_up || slice_is(text, "^D")) {
		statements_break(r->statements, write_part, k);
		write_part(k, &(struct statement_part){text, true, true});
	} else if (line->recalled && !was_open) { /* it is whole, most of the time */
		write_part(k, &(struct statement_part){text, false, false});
	} else {
		statements_line(r->statements, text, write_part, k);
	}
	if (!statements_open(r->statements)) {
		buf_clear(&r->keys);
	} else if (!was_open || r->keys.len == raw.len) {
		r->statement_ms = line->start_ms;
		r->statement_masked = k->masked;
	}
	r->statement_masked |= k->masked && was_open;
}

void input_write_statement(struct transcript *t, struct session *s, const struct event *ev,
			   struct typing_reader *r)
{
	struct part_sink k = {t, s, ev, r, r->statement_ms, r->last_ms, r->statement_masked};

	if (r->statements)
		statements_break(r->statements, write_part, &k);
	buf_clear(&r->keys);
}

static const char *cause_of(const struct input_lines *l, size_t i)
{
	const struct join_line *j = &l->joins[i];

	if (!l->shell || !l->joined || j->n_ran > 0 || l->items[i].given_up ||
	    !l->items[i].complete || l->items[i].text.len == 0)
		return NULL;
	if (j->kind == JOIN_BUILTIN)
		return "builtin";
	return j->kind == JOIN_PROGRAM && l->found.whole ? "not_run" : NULL;
}

static void write_line(struct transcript *t, struct session *s, const struct event *ev,
		       struct typing_reader *r, const struct input_lines *l, size_t i,
		       struct buf *resolved)
{
	const struct input_line *line = &l->items[i];
	const struct join_line *j = &l->joins[i];
	bool masked;
	char name[16];
	struct entry e;

	fill(s, ev, r, ENTRY_INPUT, name, &e);
	e.text = input_text(l, line->text);
	e.raw = (struct slice){l->keys.ptr + line->raw.off, line->raw.len};
	e.incomplete = !line->complete;
	e.start_ms = line->start_ms;
	e.end_ms = line->end_ms;
	if (l->joined) {
		memcpy(e.ran, j->ran, sizeof(j->ran));
		e.n_ran = j->n_ran;
		e.cause = slice_of(cause_of(l, i));
		if (j->n_ran > 0 && (line->marked || j->by_order) &&
		    join_resolve(&s->typing->join, &l->found, j, resolved))
			e.resolved = buf_slice(resolved);
	}
	masked = is_masked(r, e.text, e.raw);
	redact(t, masked, &e);
	writer_entry(t->writer, s, &e, t->now_ms);
}

void input_write_lines(struct transcript *t, struct session *s, const struct event *ev,
		       struct typing_reader *r, const struct input_lines *l, size_t n)
{
	_cleanup_buf_ struct buf resolved = {0};

	buf_init(&resolved, 2 * RESOLVED_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct input_line *line = &l->items[i];

		if (r->statements)
			write_part_of_line(
				&(struct part_sink){t, s, ev, r, line->start_ms, line->end_ms,
						    false},
				input_text(l, line->text),
				(struct slice){l->keys.ptr + line->raw.off, line->raw.len}, line);
		else
			write_line(t, s, ev, r, l, i, &resolved);
	}
}

/* The first exec that a line led to; UINT64_MAX: none did. */
static uint64_t first_typed(const struct input_lines *l)
{
	for (size_t i = 0; i < l->found.n; i++)
		if (l->found.taken[i])
			return l->found.execs[i]->seq;
	return UINT64_MAX;
}

static bool is_startup(const struct typing_reader *r, const struct join_exec *x, uint64_t typed)
{
	return !r->written && x->seq < typed &&
	       (typed != UINT64_MAX || x->time_ms <= r->began_ms + STARTUP_MS);
}

void input_write_untyped(struct transcript *t, struct session *s, const struct event *ev,
			 const struct typing_reader *r, const struct input_lines *l)
{
	uint64_t typed = first_typed(l);
	char name[16];
	struct entry e;

	e.n_ran = 0;
	for (size_t i = 0; i <= l->found.n; i++) {
		const struct join_exec *x = i < l->found.n ? l->found.execs[i] : NULL;
		const char *cause = x && is_startup(r, x, typed) ? "startup" : NULL;

		if (x && l->found.taken[i])
			continue;
		if (e.n_ran > 0 &&
		    (!x || e.n_ran == ENTRY_MAX_RAN || (cause != NULL) != (e.cause.ptr != NULL))) {
			writer_entry(t->writer, s, &e, t->now_ms);
			e.n_ran = 0;
		}
		if (!x)
			break;
		if (e.n_ran == 0) {
			fill(s, ev, r, ENTRY_UNTYPED, name, &e);
			e.cause = slice_of(cause);
			e.start_ms = x->time_ms;
		}
		e.ran[e.n_ran++] = x->seq;
		e.end_ms = x->time_ms;
	}
}
