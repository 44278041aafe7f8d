/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "cli/reader.h"
#include "common/cleanup.h"

/*
 * The record has a typed line where the kernel handed it over, which for a shell
 * is when the shell exits. A reader wants it where it was typed. `at` says where
 * each line goes: before the entry with that seq.
 */

static bool seqs_rise(const struct reader_transcript *t)
{
	for (size_t i = 1; i < t->len; i++)
		if (t->lines[i].seq <= t->lines[i - 1].seq)
			return false;
	return true;
}

/* Index of the first line with a seq not below seq. */
static size_t find_seq(const struct reader_transcript *t, uint64_t seq)
{
	size_t low = 0, high = t->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->lines[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int by_typed(const void *va, const void *vb)
{
	const struct reader_ran *a = va, *b = vb;

	return a->exec != b->exec ? (a->exec < b->exec ? -1 : 1)
				  : (a->typed < b->typed ? -1 : a->typed > b->typed);
}

/* The exec with that seq; NULL when it came to be in no segment we have. */
static struct reader_line *find_exec(struct reader_transcript *t, uint64_t seq)
{
	size_t at = seq > 0 ? find_seq(t, seq) : t->len;

	return at < t->len && t->lines[at].seq == seq && t->lines[at].type == ENTRY_EXEC
		       ? &t->lines[at]
		       : NULL;
}

/* Marks what typed lines led to. */
static void mark_typed(struct reader_transcript *t)
{
	if (t->n_ran > 1)
		qsort(t->ran, t->n_ran, sizeof(*t->ran), by_typed);
	for (size_t i = 0; i < t->n_ran; i++) {
		struct reader_line *l = find_exec(t, t->ran[i].exec);

		if (l && t->ran[i].untyped)
			l->more.untyped = true;
		else if (l && l->more.typed == 0)
			l->more.typed = t->ran[i].typed;
	}
}

/* How a program ended stands in the line of its start; that a subshell ended well, nowhere. */
static void fold_exits(struct reader_transcript *t)
{
	for (size_t i = 0; i < t->len; i++) {
		struct reader_line *l = &t->lines[i], *exec;

		if (l->type != ENTRY_EXIT)
			continue;
		l->folded = l->more.has_exit_code && l->more.exit_code == 0;
		exec = find_exec(t, l->exec_seq);
		if (!exec)
			continue;
		exec->more.ended = l->folded = true;
		exec->more.has_exit_code = l->more.has_exit_code;
		exec->more.exit_code = l->more.exit_code;
		exec->more.exit_signal = l->more.exit_signal;
	}
}

struct by_program { /* lines of one process together, in order */
	int64_t pid;
	struct reader_line *line;
};

static int by_pid(const void *va, const void *vb)
{
	const struct by_program *a = va, *b = vb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->line->seq < b->line->seq ? -1 : a->line->seq > b->line->seq;
}

static bool is_typed(const struct reader_line *l)
{
	return l->type == ENTRY_INPUT || l->type == ENTRY_STATEMENT;
}

/* Places the typed lines of one process. What ran something goes before that. What did not (a
 * shell's builtin, or text) goes where it was handed over, but before the line that was typed after
 * it: what the line before had started was over by then, since a shell waits for it. */
static void place_program(const struct by_program *p, size_t n)
{
	uint64_t ceiling = UINT64_MAX;

	for (size_t i = n; i-- > 0;) {
		struct reader_line *l = p[i].line;

		if (!is_typed(l))
			continue;
		if (l->ran_first > 0)
			l->at = l->ran_first;
		if (l->at > ceiling)
			l->at = ceiling;
		ceiling = l->at;
	}
}

static int by_place(const void *va, const void *vb)
{
	const struct reader_line *a = va, *b = vb;
	bool ta = is_typed(a), tb = is_typed(b);

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (ta != tb)
		return ta ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

int reader_sort(struct reader_transcript *t, struct sa_err *err)
{
	_cleanup_free_ struct by_program *p = calloc(t->len + 1, sizeof(*p));

	if (!p)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if (!seqs_rise(t))
		return 0;
	mark_typed(t);
	fold_exits(t);
	for (size_t i = 0; i < t->len; i++) {
		t->lines[i].at = t->lines[i].seq;
		p[i] = (struct by_program){.pid = t->lines[i].pid, .line = &t->lines[i]};
	}
	qsort(p, t->len, sizeof(*p), by_pid);
	for (size_t i = 0, n; i < t->len; i += n) {
		for (n = 1; i + n < t->len && p[i + n].pid == p[i].pid; n++)
			;
		place_program(p + i, n);
	}
	qsort(t->lines, t->len, sizeof(*t->lines), by_place);
	return 0;
}
