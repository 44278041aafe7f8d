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

/* Marks what typed lines led to. A line that came to be in no segment we have is no mark. */
static void mark_typed(struct reader_transcript *t)
{
	if (t->n_ran > 1)
		qsort(t->ran, t->n_ran, sizeof(*t->ran), by_typed);
	for (size_t i = 0; i < t->n_ran; i++) {
		size_t at = find_seq(t, t->ran[i].exec);

		if (at < t->len && t->lines[at].seq == t->ran[i].exec &&
		    t->lines[at].type == ENTRY_EXEC && t->lines[at].typed == 0)
			t->lines[at].typed = t->ran[i].typed;
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

/* Places the typed lines of one process. What ran something goes before that. What did not (a
 * shell's builtin, or text) goes where it was handed over, but before the line that was typed after
 * it: what the line before had started was over by then, since a shell waits for it. */
static void place_program(const struct by_program *p, size_t n)
{
	uint64_t ceiling = UINT64_MAX;

	for (size_t i = n; i-- > 0;) {
		struct reader_line *l = p[i].line;

		if (l->type != ENTRY_INPUT)
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
	bool ta = a->type == ENTRY_INPUT, tb = b->type == ENTRY_INPUT;

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
