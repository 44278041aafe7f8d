/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/join.h"

#include <stdlib.h>

#include "common/cleanup.h"

void join_free(struct join *j)
{
	free(j->ring);
	*j = (struct join){0};
}

/* A login shell calls itself -bash. */
static struct slice program_name(struct slice path)
{
	struct slice name = slice_base_name(path);

	return name.len > 1 && name.ptr[0] == '-' ? (struct slice){name.ptr + 1, name.len - 1} : name;
}

/* FNV-1a: a collision joins a line to the wrong exec of the same shell, no more. */
uint32_t join_hash(struct slice name)
{
	uint32_t h = 2166136261u;

	name = program_name(name);
	if (name.len == 0)
		return 0;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.ptr[i]) * 16777619u;
	return h ? h : 1;
}

static bool grow(struct join *j)
{
	size_t cap = j->cap ? j->cap * 2 : 32;
	struct join_exec *ring;

	if (cap > JOIN_MAX_EXECS)
		return false;
	ring = malloc(cap * sizeof(*ring));
	if (!ring)
		return false;
	for (size_t i = 0; i < j->len; i++)
		ring[i] = j->ring[(j->first + i) % j->cap];
	free(j->ring);
	j->ring = ring;
	j->cap = cap;
	j->first = 0;
	return true;
}

static struct join_exec *at(const struct join *j, size_t i)
{
	return &j->ring[(j->first + i) % j->cap];
}

void join_add(struct join *j, uint64_t seq, int64_t time_ms, int64_t pid, int64_t ppid,
	      const struct slice names[3])
{
	if (j->len == j->cap && !grow(j)) {
		if (j->cap == 0)
			return;
		j->first = (j->first + 1) % j->cap;
		j->len--;
	}
	*at(j, j->len++) = (struct join_exec){
		.seq = seq,
		.time_ms = time_ms,
		.pid = pid,
		.ppid = ppid,
		.name = {join_hash(names[0]), join_hash(names[1]), join_hash(names[2])},
	};
}

const struct join_exec *join_program(const struct join *j, int64_t pid)
{
	for (size_t i = j->len; i > 0; i--)
		if (at(j, i - 1)->pid == pid)
			return at(j, i - 1);
	return NULL;
}

static bool called(const struct join_exec *e, uint32_t hash)
{
	return hash && (e->name[0] == hash || e->name[1] == hash || e->name[2] == hash);
}

static bool called_any(const struct join_exec *e, const uint32_t *hashes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (called(e, hashes[i]))
			return true;
	return false;
}

size_t join_line(struct join *j, int64_t pid, struct slice text, struct join_cursor *c,
		 uint64_t *ran, size_t max)
{
	uint32_t want[JOIN_MAX_NAMES];
	bool loops, used[JOIN_MAX_NAMES] = {false};
	size_t n = join_commands(text, want, ARRAY_LEN(want), &loops), found = 0, left = n;

	for (size_t i = 0; i < j->len && found < max; i++) {
		struct join_exec *e = at(j, i);
		size_t k = 0;

		if (e->ppid != pid || e->taken || e->seq <= c->after_seq)
			continue;
		/* A pipeline's members start in any order. */
		while (k < n && (used[k] || !called(e, want[k])))
			k++;
		if (k == n && !(loops && called_any(e, want, n))) {
			if (left == 0 || (loops && found > 0))
				break;
			continue;
		}
		if (k < n) {
			used[k] = true;
			left--;
		}
		e->taken = true;
		ran[found++] = e->seq;
		if (e->seq > c->after_seq)
			c->after_ms = e->time_ms;
		if (left == 0 && !loops)
			break;
	}
	for (size_t i = 0; i < found; i++)
		if (ran[i] > c->after_seq)
			c->after_seq = ran[i];
	return found;
}

/* One word of a shell line with its quotes removed, or an operator. */
struct word {
	char text[64]; /* cut: only names matter */
	size_t len;
	char op; /* ';' for any separator of commands, '<' for a redirection, 0 for a word */
	bool assignment, quoted;
};

static bool is_separator(char c)
{
	return c == ';' || c == '|' || c == '&' || c == '(' || c == ')' || c == '\n';
}

static void word_add(struct word *w, char c)
{
	if (w->len < sizeof(w->text))
		w->text[w->len++] = c;
}

static bool next_word(const char **pos, const char *end, struct word *w)
{
	const char *p = *pos;
	char quote = 0;

	*w = (struct word){0};
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || *p == '#')
		return false;
	if (is_separator(*p) || *p == '<' || *p == '>') {
		w->op = is_separator(*p) ? ';' : '<';
		p++;
		if (w->op == '<')
			while (p < end && (*p == '<' || *p == '>' || *p == '&' || *p == '|'))
				p++;
		*pos = p;
		return true;
	}
	for (; p < end; p++) {
		if (quote && *p == quote) {
			quote = 0;
		} else if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
			w->quoted = true;
		} else if (*p == '\\' && quote != '\'' && p + 1 < end) {
			word_add(w, *++p);
			w->quoted = true;
		} else if (!quote && (*p == ' ' || *p == '\t' || is_separator(*p) || *p == '<' ||
				      *p == '>')) {
			break;
		} else {
			w->assignment |= *p == '=' && !w->quoted && w->len > 0;
			word_add(w, *p);
		}
	}
	*pos = p;
	return true;
}

static bool in_list(const struct word *w, const char *const *list)
{
	struct slice s = {w->text, w->len};

	for (; *list; list++)
		if (!w->quoted && slice_is(s, *list))
			return true;
	return false;
}

size_t join_commands(struct slice text, uint32_t *hashes, size_t max, bool *loops)
{
	/* Words after which the command is still to come. */
	static const char *const lead[] = {"if",    "then",    "else",    "elif", "do",
					   "while", "until",   "time",    "!",    "{",
					   "exec",  "command", "builtin", NULL};
	static const char *const loop[] = {"for", "while", "until", NULL};
	const char *p = text.ptr ? text.ptr : "", *end = p + text.len;
	bool expect = true, skip = false;
	struct word w;
	size_t n = 0;

	*loops = false;
	while (text.len && next_word(&p, end, &w)) {
		if (w.op) {
			skip = w.op == '<';
			expect |= w.op == ';';
			continue;
		}
		if (skip || !expect) { /* a redirection's target, an argument */
			skip = false;
			continue;
		}
		*loops |= in_list(&w, loop);
		if (in_list(&w, lead) || w.assignment)
			continue;
		expect = false;
		if (n < max && (hashes[n] = join_hash((struct slice){w.text, w.len})) != 0)
			n++;
	}
	return n;
}
