/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * A line split into simple commands and words as a shell does it (POSIX, Shell Command
 * Language, 2.2 and 2.3), but so that each byte of a word knows where it was typed: what
 * the rules for commands find is then replaced in the line itself.
 */
#include "agent/collector/redact_internal.h"
#include "common/cleanup.h"

#define LINE_MAX_BYTES (256 * 1024) /* longer ones are looked at by shape only */
#define SUBST_MAX_DEPTH 60
#define NAME_MAX_BYTES 256 /* of "${...}" */
#define HERES_MAX 8        /* "<<<word" of one command; of more only the shape is looked at */

struct line {
	struct redact_finder *f; /* its hits are those of the words */
	struct slice text;
	unsigned depth;
	char *bytes; /* of all words, one after the other */
	uint32_t *from, *to;
	unsigned char *live; /* the byte is part of a reference to a variable or a command */
	size_t n_bytes;
	struct slice *words;
	size_t n_words, first; /* first: of the command in hand */
	size_t piped, n_piped; /* the command whose output goes into this one */
	size_t word_at;        /* of the word in hand in bytes, SIZE_MAX: none */
	bool redirect, here;   /* the next word is a file's name, or what is read */
	unsigned heres;        /* of the command in hand */
	void (*each)(void *ctx, const struct slice *w, size_t n);
	void *each_ctx;
	struct redact_hits *out;
	size_t out_word, base; /* base: of text in what out's hits count from */
};

static void scan_line(struct line *l);
static void sub_line(struct line *l, size_t from, size_t to);

static bool line_alloc(struct line *l, struct redact_chunk **scratch)
{
	size_t n = l->text.len + 1;

	l->words = redact_alloc(scratch, (n / 2 + 2) * sizeof(*l->words));
	l->from = redact_alloc(scratch, 2 * n * sizeof(*l->from));
	l->bytes = redact_alloc(scratch, 2 * n);
	if (!l->words || !l->from || !l->bytes)
		return false;
	l->to = l->from + n;
	l->live = (unsigned char *)l->bytes + n;
	l->word_at = SIZE_MAX;
	return true;
}

static void begin_word(struct line *l)
{
	if (l->word_at == SIZE_MAX)
		l->word_at = l->n_bytes;
}

/* The byte c stands in the text at [from, to). */
static void put(struct line *l, char c, size_t from, size_t to, bool live)
{
	begin_word(l);
	l->bytes[l->n_bytes] = c;
	l->from[l->n_bytes] = (uint32_t)from;
	l->to[l->n_bytes] = (uint32_t)to;
	l->live[l->n_bytes++] = live;
}

static size_t offset(const struct line *l, struct slice part)
{
	return (size_t)(part.ptr - l->bytes);
}

/* A hit in a word, brought to where it was typed. With other quotes inside it takes those at its
 * ends too. */
static void map_hit(struct line *l, size_t word, size_t from, size_t to, struct slice secret)
{
	size_t first = offset(l, l->words[word]) + from, last = offset(l, l->words[word]) + to - 1;
	size_t a = l->from[first], b = l->to[last];
	bool live = true, mixed = false;

	for (size_t i = first; i <= last; i++) {
		live &= l->live[i];
		mixed |= i > first && l->from[i] != l->to[i - 1];
	}
	if (live)
		return;
	if (mixed && a > 0 && (l->text.ptr[a - 1] == '"' || l->text.ptr[a - 1] == '\''))
		a--;
	if (mixed && b < l->text.len && (l->text.ptr[b] == '"' || l->text.ptr[b] == '\''))
		b++;
	redact_hit(l->out, l->out_word, l->base + a, l->base + b, secret);
}

static void map_hits(struct line *l)
{
	struct redact_hits *h = l->f->hits;

	for (size_t i = 0; i < h->n; i++)
		map_hit(l, h->v[i].word, h->v[i].from, h->v[i].to, h->v[i].secret);
	h->n = 0;
	l->out->failed |= h->failed;
}

static void end_word(struct line *l)
{
	struct slice w;

	if (l->word_at == SIZE_MAX)
		return;
	w = (struct slice){l->bytes + l->word_at, l->n_bytes - l->word_at};
	l->word_at = SIZE_MAX;
	l->words[l->n_words] = w;
	if (l->here && !l->each) {
		size_t n = l->heres++ < HERES_MAX ? l->n_words - l->first : 0;

		redact_find_here(l->f, l->words + l->first, n, w, l->n_words);
		map_hits(l);
	}
	if (!l->redirect && !l->here)
		l->n_words++;
	l->redirect = l->here = false;
}

static void end_command(struct line *l, bool pipe)
{
	size_t n;

	end_word(l);
	l->redirect = l->here = false;
	n = l->n_words - l->first;
	if (n > 0 && l->each) {
		l->each(l->each_ctx, l->words + l->first, n);
	} else if (n > 0) {
		redact_find_command(l->f, SLICE_NONE, l->words + l->first, n, l->first, l->depth);
		if (l->n_piped > 0)
			redact_find_piped(l->f, l->words + l->piped, l->n_piped, l->piped,
					  l->words + l->first, n);
		map_hits(l);
	}
	l->piped = l->first;
	l->n_piped = pipe ? n : 0;
	l->first = l->n_words;
	l->heres = 0;
}

/* Behind "$(" at i: where its ")" is. */
static size_t subst_end(struct slice t, size_t i)
{
	uint64_t quoted = 0; /* a bit for each level: inside double quotes */
	unsigned depth = 1;

	for (; i < t.len; i++) {
		char c = t.ptr[i];

		if (c == '\\') {
			i++;
		} else if (c == '"') {
			quoted ^= 1;
		} else if (c == '\'' && !(quoted & 1)) {
			const char *end = memchr(t.ptr + i + 1, '\'', t.len - i - 1);

			i = end ? (size_t)(end - t.ptr) : t.len;
		} else if (c == '(' && (!(quoted & 1) || t.ptr[i - 1] == '$')) {
			if (++depth > SUBST_MAX_DEPTH)
				return t.len;
			quoted <<= 1;
		} else if (c == ')' && !(quoted & 1)) {
			quoted >>= 1;
			if (--depth == 0)
				return i;
		}
	}
	return t.len;
}

static void put_all(struct line *l, size_t from, size_t to, bool live)
{
	for (size_t i = from; i < to; i++)
		put(l, l->text.ptr[i], i, i + 1, live);
}

static bool name_byte(char c)
{
	return redact_is_alnum(c) || c == '_';
}

/* The end of the reference at i ("$name", "${name}", "$(command)", "`command`"); i: there is none.
 * What is run there is a line of its own. */
static size_t reference(struct line *l, size_t i)
{
	struct slice t = l->text;
	size_t end = i + 1;
	const char *close;

	if (t.ptr[i] == '`' || (i + 1 < t.len && t.ptr[i + 1] == '(')) {
		size_t from = i + (t.ptr[i] == '`' ? 1 : 2);

		if (l->depth >= REDACT_MAX_DEPTH)
			return i;
		close = t.ptr[i] == '`' ? memchr(t.ptr + from, '`', t.len - from) : NULL;
		end = t.ptr[i] != '`' ? subst_end(t, from)
		      : close         ? (size_t)(close - t.ptr)
				      : t.len;
		sub_line(l, from, end);
		return end < t.len ? end + 1 : end;
	}
	if (end < t.len && t.ptr[end] == '{') {
		size_t most = t.len - end < NAME_MAX_BYTES ? t.len - end : NAME_MAX_BYTES;

		close = memchr(t.ptr + end, '}', most);
		return close ? (size_t)(close - t.ptr) + 1 : i;
	}
	while (end < t.len && name_byte(t.ptr[end]))
		end++;
	if (end == i + 1 && end < t.len && strchr("@*#?!$", t.ptr[end]))
		end++;
	return end > i + 1 ? end : i;
}

static size_t single_quoted(struct line *l, size_t i, bool escapes)
{
	begin_word(l);
	for (; i < l->text.len && l->text.ptr[i] != '\''; i++) {
		size_t from = i;

		if (escapes && l->text.ptr[i] == '\\' && i + 1 < l->text.len)
			i++;
		put(l, l->text.ptr[i], from, i + 1, false);
	}
	return i + 1;
}

static size_t double_quoted(struct line *l, size_t i)
{
	struct slice t = l->text;

	begin_word(l);
	while (i < t.len && t.ptr[i] != '"') {
		size_t from = i;

		if ((t.ptr[i] == '$' || t.ptr[i] == '`') && (i = reference(l, i)) > from) {
			put_all(l, from, i, true);
			continue;
		}
		if (t.ptr[i] == '\\' && i + 1 < t.len && strchr("\\\"$`", t.ptr[i + 1]))
			i++;
		put(l, t.ptr[i], from, i + 1, false);
		i++;
	}
	return i + 1;
}

/* "<<<word", "<(command)", "2>&1", ">file"; i is at the first of them. */
static size_t redirection(struct line *l, size_t i)
{
	struct slice t = l->text;
	size_t n = 1;

	if (i + 1 < t.len && t.ptr[i + 1] == '(') {
		size_t end;

		if (l->depth >= REDACT_MAX_DEPTH)
			return i + 2;
		end = subst_end(t, i + 2);
		sub_line(l, i + 2, end);
		put_all(l, i, i + 2, true);
		return end < t.len ? end + 1 : end;
	}
	end_word(l);
	while (i + n < t.len && n < 3 && strchr("<>&|-", t.ptr[i + n]))
		n++;
	l->here = n == 3 && memcmp(t.ptr + i, "<<<", 3) == 0;
	l->redirect = !l->here;
	return i + n;
}

static size_t operator(struct line *l, size_t i)
{
	struct slice t = l->text;
	char c = t.ptr[i], next = i + 1 < t.len ? t.ptr[i + 1] : '\0';

	if (c == '&' && next == '>')
		return i + 1;
	if (c == '|' && next == '|') {
		end_command(l, false);
		return i + 2;
	}
	end_command(l, c == '|');
	return i + 1 + (c == '|' && next == '&');
}

static size_t unquoted(struct line *l, size_t i)
{
	struct slice t = l->text;
	char c = t.ptr[i], next = i + 1 < t.len ? t.ptr[i + 1] : '\0';
	size_t end;

	if (c == '\\' && next == '\n')
		return i + 2;
	if (c == '\\' && next) {
		put(l, next, i, i + 2, false);
		return i + 2;
	}
	if (c == '$' && next == '\'')
		return single_quoted(l, i + 2, true);
	if ((c == '$' || c == '`') && (end = reference(l, i)) > i) {
		put_all(l, i, end, true);
		return end;
	}
	put(l, c, i, i + 1, false);
	return i + 1;
}

static void scan_line(struct line *l)
{
	size_t i = 0;

	while (i < l->text.len && !l->out->failed) {
		switch (l->text.ptr[i]) {
		case ' ':
		case '\t':
		case '\r':
			end_word(l);
			i++;
			break;
		case '\n':
		case ';':
		case '&':
		case '|':
		case '(':
		case ')':
			i = operator(l, i);
			break;
		case '<':
		case '>':
			i = redirection(l, i);
			break;
		case '\'':
			i = single_quoted(l, i + 1, false);
			break;
		case '"':
			i = double_quoted(l, i + 1);
			break;
		default:
			i = unquoted(l, i);
		}
	}
	end_command(l, false);
}

static void sub_line(struct line *l, size_t from, size_t to)
{
	struct redact_hits hits = {0};
	struct redact_finder f = {&hits, l->f->scratch};
	struct line sub = {
		.f = &f,
		.text = {l->text.ptr + from, to - from},
		.depth = l->depth + 1,
		.each = l->each,
		.each_ctx = l->each_ctx,
		.out = l->out,
		.out_word = l->out_word,
		.base = l->base + from,
	};

	if (line_alloc(&sub, l->f->scratch))
		scan_line(&sub);
	else
		l->out->failed = true;
	free(hits.v);
}

void redact_find_line(struct redact_finder *f, struct slice text, size_t word, unsigned depth)
{
	struct redact_hits hits = {0};
	struct redact_finder inner = {&hits, f->scratch};
	struct line l = {
		.f = &inner, .text = text, .depth = depth, .out = f->hits, .out_word = word};

	redact_find_shapes(f, text, word, true);
	if (text.len > LINE_MAX_BYTES)
		return;
	if (line_alloc(&l, f->scratch))
		scan_line(&l);
	else
		f->hits->failed = true;
	free(hits.v);
}

void redact_each_command(struct redact_chunk **scratch, struct slice text,
			 void (*fn)(void *ctx, const struct slice *w, size_t n), void *ctx)
{
	struct redact_hits none = {0};
	struct redact_finder f = {&none, scratch};
	struct line l = {.f = &f, .text = text, .each = fn, .each_ctx = ctx, .out = &none};

	if (text.len <= LINE_MAX_BYTES && line_alloc(&l, scratch))
		scan_line(&l);
}
