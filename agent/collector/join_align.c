/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * Lines laid beside execs: the best of all ways to do so in order, by dynamic programming. A
 * line takes a run of execs that its names name, or, when it does not say what it runs (history,
 * an alias), what was started at once. An exec that no line takes costs a little.
 */
#include <stdlib.h>

#include "agent/collector/join_internal.h"
#include "common/cleanup.h"

#define BLOCK 512       /* lines laid at once */
#define AT_ONCE_MS 100  /* nobody enters two lines so fast */
#define SCORE_NAME 8    /* an exec with a name of the line */
#define SCORE_EXACT 3   /* and its arguments too */
#define SCORE_LOOP 2    /* again, in a loop */
#define SCORE_UNKNOWN 5 /* execs at once for a line that a key brought */
#define SCORE_ALIAS 3   /* for a line whose arguments are theirs */
#define COST_UNTYPED 1

struct step { /* the best that a line can do at an exec */
	int score;
	uint16_t n; /* execs taken; 0: the line or the exec is passed over */
	bool line, by_order;
};

struct table {
	const struct join *j;
	const struct join_exec *const *execs;
	size_t n_execs, n_lines;
	const struct join_line *lines;
	const struct join_commands *commands;
	int64_t settled_ms;
	struct step *steps; /* (n_lines + 1) rows of n_execs + 1 */
	uint16_t *named;    /* for each exec a bit for each name of the line in hand */
};

_Static_assert(JOIN_MAX_NAMES <= 16, "a name is a bit");

static bool called(const struct join_exec *e, uint32_t hash)
{
	return hash && (e->name[0] == hash || e->name[1] == hash || e->name[2] == hash);
}

static void see_names(const struct table *t, size_t line)
{
	const struct join_commands *c = &t->commands[line];

	for (size_t i = 0; i < t->n_execs; i++) {
		t->named[i] = 0;
		for (size_t k = 0; k < c->n; k++)
			if (called(t->execs[i], c->names[k]))
				t->named[i] |= (uint16_t)(1U << k);
	}
}

static struct step *at(const struct table *t, size_t line, size_t exec)
{
	return &t->steps[line * (t->n_execs + 1) + exec];
}

static void better(struct step *best, int score, size_t n, bool line, bool by_order)
{
	if (score > best->score)
		*best = (struct step){score, (uint16_t)n, line, by_order};
}

static bool is_exact(const struct table *t, size_t line, const struct join_exec *e)
{
	return slice_eq(join_text(t->j, e), slice_trim(t->lines[line].text, " \t"));
}

/* Members of a pipeline start in any order. */
static void by_names(const struct table *t, size_t line, size_t exec, struct step *best)
{
	const struct join_commands *c = &t->commands[line];
	unsigned unused = 0xffff;
	int score = 0;

	for (size_t n = 0; exec + n < t->n_execs; n++) {
		unsigned named = t->named[exec + n], first = named & unused;

		if (!first && !(c->loops && named))
			break;
		unused &= ~(first & -first); /* the lowest one */
		score += first ? SCORE_NAME : SCORE_LOOP;
		if (n == 0 && is_exact(t, line, t->execs[exec]))
			score += SCORE_EXACT;
		better(best, score + at(t, line + 1, exec + n + 1)->score, n + 1, true, false);
	}
}

static size_t at_once(const struct table *t, size_t exec)
{
	size_t n = 1;

	while (n < JOIN_MAX_RAN && exec + n < t->n_execs &&
	       t->execs[exec + n]->time_ms - t->execs[exec + n - 1]->time_ms <= AT_ONCE_MS)
		n++;
	return n;
}

/* An alias keeps the arguments that were typed. Of a line that was given up by ^C nothing is
 * recorded but its keys: they stand before the line that ran. */
static bool has_arguments(const struct table *t, size_t line, const struct join_exec *e)
{
	struct slice typed = slice_trim(t->lines[line].text, " \t"), ran = join_text(t->j, e), tail;

	if (ran.len == 0 || typed.len == 0)
		return false;
	if (typed.len > ran.len && memcmp(typed.ptr + typed.len - ran.len, ran.ptr, ran.len) == 0)
		return true;
	tail = typed;
	slice_cut(&tail, ' ');
	tail = slice_trim(tail, " \t");
	return tail.len == 0 || (ran.len > tail.len && ran.ptr[ran.len - tail.len - 1] == ' ' &&
				 memcmp(ran.ptr + ran.len - tail.len, tail.ptr, tail.len) == 0);
}

static void by_order(const struct table *t, size_t line, size_t exec, struct step *best)
{
	const struct join_commands *c = &t->commands[line];
	const struct join_exec *e = t->execs[exec];
	size_t n = at_once(t, exec);
	int score = SCORE_UNKNOWN;

	if (e->time_ms < t->settled_ms)
		return;
	if (!c->unknown) {
		if (c->builtins || c->n == 0 || !has_arguments(t, line, e))
			return;
		/* Most aliases begin as what they stand for. */
		score = SCORE_ALIAS + (t->lines[line].text.ptr[0] == join_text(t->j, e).ptr[0]);
	}
	better(best, score + at(t, line + 1, exec + n)->score, n, true, true);
}

static void fill(struct table *t)
{
	for (size_t i = t->n_lines + 1; i-- > 0;) {
		if (i < t->n_lines)
			see_names(t, i);
		for (size_t k = t->n_execs + 1; k-- > 0;) {
			struct step *s = at(t, i, k);

			*s = (struct step){INT32_MIN / 2, 0, false, false};
			if (i == t->n_lines && k == t->n_execs)
				s->score = 0;
			/* The first of equal ways is kept: the earliest execs are taken. */
			if (i < t->n_lines && k < t->n_execs && !t->lines[i].given_up) {
				by_names(t, i, k, s);
				by_order(t, i, k, s);
			}
			if (i < t->n_lines)
				better(s, at(t, i + 1, k)->score, 0, true, false);
			if (k < t->n_execs)
				better(s, at(t, i, k + 1)->score - COST_UNTYPED, 0, false, false);
		}
	}
}

/* Walks the best way; returns how many execs lie before the end of the last one taken. */
static size_t take(const struct table *t, struct join_line *lines, bool *taken)
{
	size_t i = 0, k = 0, used = 0;

	while (i < t->n_lines) {
		const struct step *s = at(t, i, k);
		struct join_line *l = &lines[i];

		if (s->n == 0) {
			*(s->line ? &i : &k) += 1;
			continue;
		}
		l->by_order = s->by_order;
		l->first_at = k;
		l->n_at = s->n;
		l->first_ms = t->execs[k]->time_ms;
		l->last_ms = t->execs[k + s->n - 1]->time_ms;
		for (size_t n = 0; n < s->n; n++, k++) {
			taken[k] = true;
			if (l->n_ran < JOIN_MAX_RAN)
				l->ran[l->n_ran++] = t->execs[k]->seq;
		}
		used = k;
		i++;
	}
	return used;
}

static void describe(struct join_line *l, struct join_commands *c, unsigned *open_loops)
{
	join_parse(l->shape, c);
	/* A loop may go on over several lines. */
	if (*open_loops > 0)
		c->loops = true;
	for (size_t i = 0; i < c->n; i++) {
		if (c->names[i] == join_hash(SLICE_LIT("done")) && *open_loops > 0)
			--*open_loops;
		else if (c->names[i] == join_hash(SLICE_LIT("for")))
			++*open_loops;
	}
	l->n_ran = 0;
	l->first_ms = l->last_ms = 0;
	l->kind = c->unknown || c->complex ? JOIN_NONE : c->builtins ? JOIN_BUILTIN : JOIN_PROGRAM;
}

bool join_align(const struct join *j, struct join_line *lines, size_t n, int64_t settled_ms,
		struct join_result *r)
{
	size_t block = n < BLOCK ? n : BLOCK, done = 0;
	_cleanup_free_ struct step *steps = malloc((block + 1) * (r->n + 1) * sizeof(*steps));
	_cleanup_free_ struct join_commands *commands = malloc((block + 1) * sizeof(*commands));
	_cleanup_free_ uint16_t *named = malloc((r->n + 1) * sizeof(*named));
	unsigned open_loops = 0;

	if (!steps || !commands || !named)
		return false;
	for (size_t first = 0; first < n; first += block) {
		struct table t = {
			.j = j,
			.execs = r->execs + done,
			.n_execs = r->n - done,
			.n_lines = n - first < block ? n - first : block,
			.lines = lines + first,
			.commands = commands,
			.settled_ms = settled_ms,
			.steps = steps,
			.named = named,
		};
		size_t used;

		for (size_t i = 0; i < t.n_lines; i++)
			describe(&lines[first + i], &commands[i], &open_loops);
		fill(&t);
		used = take(&t, lines + first, r->taken + done);
		for (size_t i = 0; i < t.n_lines; i++)
			lines[first + i].first_at += done;
		done += used;
	}
	return true;
}
