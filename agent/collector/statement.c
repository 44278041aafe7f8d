/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/statement.h"

#include <stdlib.h>
#include <strings.h>

#define MAX_DELIMITER 15
#define MAX_TAG 64

struct statements {
	enum statement_dialect dialect;
	struct buf text;       /* of the open one, lines joined by newlines */
	bool words;            /* it holds more than blanks and comments */
	char quote;            /* that is open: ' " ` [ $, or * for a comment */
	bool escapes;          /* a backslash escapes in it */
	unsigned depth;        /* of nested comments */
	unsigned parens;       /* psql: no end within */
	char tag[MAX_TAG + 1]; /* of $tag$, with its dollars */
	char delimiter[MAX_DELIMITER + 1];
	char word[16]; /* the last one, lower case, cut */
	unsigned n_words;
	bool create, trigger; /* sqlite: CREATE TRIGGER ends at END; */
};

struct sink {
	void (*fn)(void *ctx, const struct statement_part *p);
	void *ctx;
};

enum statement_dialect statement_dialect(struct slice comm)
{
	if (slice_is(comm, "psql"))
		return STATEMENT_PSQL;
	if (slice_is(comm, "mysql") || slice_is(comm, "mariadb"))
		return STATEMENT_MYSQL;
	if (slice_is(comm, "sqlite3"))
		return STATEMENT_SQLITE;
	return STATEMENT_NONE;
}

struct statements *statements_new(enum statement_dialect d)
{
	struct statements *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->dialect = d;
	s->delimiter[0] = ';';
	buf_init(&s->text, STATEMENT_MAX);
	return s;
}

void statements_free(struct statements *s)
{
	if (!s)
		return;
	buf_free(&s->text);
	free(s);
}

bool statements_open(const struct statements *s)
{
	return s->words || s->quote;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

/* What was open is over. */
static void reset(struct statements *s)
{
	buf_free(&s->text);
	s->words = s->create = s->trigger = false;
	s->quote = 0;
	s->depth = s->parens = s->n_words = 0;
	s->word[0] = '\0';
}

static void give(const struct sink *to, struct slice text, bool complete, bool command)
{
	struct statement_part p = {slice_trim(text, " \t\r\n"), complete, command};

	if (p.text.len > 0)
		to->fn(to->ctx, &p);
}

static void finish(struct statements *s, bool complete, const struct sink *to)
{
	give(to, buf_slice(&s->text), complete, !s->words);
	reset(s);
}

static void add(struct statements *s, char c, const struct sink *to)
{
	if (s->text.len == STATEMENT_MAX) {
		give(to, buf_slice(&s->text), false, false);
		buf_clear(&s->text);
	}
	buf_putc(&s->text, c);
}

static bool is_word(struct slice line, const char *const *list)
{
	size_t n = 0;

	while (n < line.len && in_word(line.ptr[n]))
		n++;
	if (n < line.len && !is_blank(line.ptr[n]) && line.ptr[n] != ';')
		return false;
	for (; *list; list++)
		if (strlen(*list) == n && strncasecmp(line.ptr, *list, n) == 0)
			return true;
	return false;
}

/* A line that the client keeps for itself when no statement is open. */
static bool is_command(const struct statements *s, struct slice line)
{
	static const char *const psql[] = {"quit", "exit", "help", NULL};
	static const char *const mysql[] = {
		"clear",     "connect",  "delimiter",       "edit",   "ego",    "exit",   "go",
		"help",      "nopager",  "notee",           "pager",  "print",  "prompt", "quit",
		"nowarning", "rehash",   "source",          "status", "system", "tee",    "use",
		"charset",   "warnings", "resetconnection", NULL};
	char c = line.len > 0 ? line.ptr[0] : '\0';

	switch (s->dialect) {
	case STATEMENT_PSQL:
		return c == '\\' || is_word(line, psql);
	case STATEMENT_MYSQL:
		return c == '\\' || c == '?' || is_word(line, mysql);
	case STATEMENT_SQLITE:
		return c == '.';
	default:
		return true;
	}
}

static void set_delimiter(struct statements *s, struct slice line)
{
	struct slice word = slice_cut(&line, ' ');

	if (s->dialect != STATEMENT_MYSQL || word.len != 9 || strncasecmp(word.ptr, "delimiter", 9))
		return;
	line = slice_trim(line, " \t");
	line = slice_cut(&line, ' ');
	if (line.len == 0 || line.len > MAX_DELIMITER || memchr(line.ptr, '\0', line.len))
		return;
	memcpy(s->delimiter, line.ptr, line.len);
	s->delimiter[line.len] = '\0';
}

static bool is_trigger(const struct statements *s)
{
	return s->trigger && strcmp(s->word, "end") != 0;
}

static void end_word(struct statements *s, const char *begin, size_t n)
{
	size_t keep = n < sizeof(s->word) ? n : sizeof(s->word) - 1;

	for (size_t i = 0; i < keep; i++)
		s->word[i] =
			(char)(begin[i] >= 'A' && begin[i] <= 'Z' ? begin[i] | 0x20 : begin[i]);
	s->word[keep] = '\0';
	s->n_words++;
	if (s->n_words == 1)
		s->create = strcmp(s->word, "create") == 0;
	else if (s->n_words <= 3 && s->create && s->dialect == STATEMENT_SQLITE)
		s->trigger |= strcmp(s->word, "trigger") == 0;
}

/* $tag$ that begins at p; its length, 0: none. */
static size_t dollar_tag(const char *p, const char *end)
{
	const char *q = p + 1;

	if (q < end && *q >= '0' && *q <= '9')
		return 0;
	while (q < end && in_word(*q))
		q++;
	return q < end && *q == '$' && q - p < MAX_TAG ? (size_t)(q - p) + 1 : 0;
}

/* A quote or comment that begins at p is entered; the bytes it takes to do so, 0: none does. */
static size_t enter(struct statements *s, const char *line, const char *p, const char *end)
{
	char c = *p;
	size_t n;

	s->escapes = false;
	if (c == '\'' || c == '"' || (c == '`' && s->dialect != STATEMENT_PSQL) ||
	    (c == '[' && s->dialect == STATEMENT_SQLITE)) {
		s->quote = c;
		s->escapes = s->dialect == STATEMENT_MYSQL
				     ? c != '`'
				     : s->dialect == STATEMENT_PSQL && c == '\'' && p > line &&
					       (p[-1] | 0x20) == 'e' &&
					       (p - line < 2 || !in_word(p[-2]));
		return 1;
	}
	if (c == '/' && p + 1 < end && p[1] == '*') {
		s->quote = '*';
		s->depth = 1;
		return 2;
	}
	if (c != '$' || s->dialect != STATEMENT_PSQL || (p > line && in_word(p[-1])) ||
	    (n = dollar_tag(p, end)) == 0)
		return 0;
	memcpy(s->tag, p, n);
	s->tag[n] = '\0';
	s->quote = '$';
	return n;
}

/* The bytes at p, which lie in a quote or comment and may end it. */
static size_t quoted(struct statements *s, const char *p, const char *end)
{
	size_t n = strlen(s->tag);

	if (s->quote == '*') {
		if (end - p < 2 || (p[0] != '*' && p[0] != '/'))
			return 1;
		if (p[0] == '*' && p[1] == '/') {
			if (--s->depth == 0)
				s->quote = 0;
			return 2;
		}
		if (p[0] == '/' && p[1] == '*' && s->dialect == STATEMENT_PSQL) {
			s->depth++;
			return 2;
		}
		return 1;
	}
	if (s->quote == '$') {
		if ((size_t)(end - p) < n || memcmp(p, s->tag, n) != 0)
			return 1;
		s->quote = 0;
		return n;
	}
	if (*p == '\\' && s->escapes && p + 1 < end)
		return 2;
	if (*p == (s->quote == '[' ? ']' : s->quote))
		s->quote = 0;
	return 1;
}

/* -- or # to the end of the line; MySQL wants a blank after --. */
static bool is_comment(const struct statements *s, const char *p, const char *end)
{
	if (*p == '#')
		return s->dialect == STATEMENT_MYSQL;
	if (*p != '-' || p + 1 >= end || p[1] != '-')
		return false;
	return s->dialect != STATEMENT_MYSQL || p + 2 == end || is_blank(p[2]);
}

/* A backslash outside of quotes: \g, \G and their like end the statement, \c and \r give it up.
 * What follows on the line belongs to the client. Returns the bytes taken, 0: it is text. */
static size_t backslash(struct statements *s, const char *p, const char *end, const struct sink *to)
{
	struct slice rest = {p, (size_t)(end - p)};
	char c = rest.len > 1 ? p[1] : '\0';

	if (s->dialect == STATEMENT_MYSQL) {
		if (c != 'g' && c != 'G' && c != 'c')
			return 0;
		add(s, p[0], to);
		add(s, c, to);
		finish(s, c != 'c', to);
		return 2;
	}
	if (s->dialect != STATEMENT_PSQL || c == ';')
		return 0;
	if (c == 'g' || c == 'r' || slice_starts(rest, "\\watch") ||
	    slice_starts(rest, "\\crosstabview")) {
		for (size_t i = 0; i < rest.len; i++)
			add(s, p[i], to);
		finish(s, c != 'r', to);
	} else {
		give(to, rest, true, true);
	}
	return rest.len;
}

/* One step outside of quotes; returns the bytes taken. */
static size_t plain(struct statements *s, const char *line, const char *p, const char *end,
		    const struct sink *to)
{
	size_t n = strlen(s->delimiter);

	if ((size_t)(end - p) >= n && memcmp(p, s->delimiter, n) == 0 && s->parens == 0 &&
	    !is_trigger(s)) {
		for (size_t i = 0; i < n; i++)
			add(s, p[i], to);
		/* a lone ; is nothing */
		if (s->words)
			finish(s, true, to);
		else
			reset(s);
		return n;
	}
	if (is_comment(s, p, end)) {
		for (; p < end; p++)
			add(s, *p, to);
		return (size_t)-1;
	}
	n = *p == '\\' ? backslash(s, p, end, to) : 0;
	if (n)
		return n;
	n = enter(s, line, p, end);
	s->words |= n ? s->quote != '*' : !is_blank(*p);
	if (n == 0 && in_word(*p)) {
		while (p + n < end && in_word(p[n]))
			n++;
		/* A delimiter may be a word. */
		n = s->dialect == STATEMENT_MYSQL && in_word(s->delimiter[0]) ? 1 : n;
		end_word(s, p, n);
	}
	if (*p == '(' && n == 0)
		s->parens += s->dialect == STATEMENT_PSQL;
	else if (*p == ')' && s->parens > 0)
		s->parens--;
	n = n ? n : 1;
	for (size_t i = 0; i < n; i++)
		add(s, p[i], to);
	return n;
}

/* sqlite takes "go" and "/" alone on a line for a semicolon. */
static bool is_go(const struct statements *s, struct slice line)
{
	return s->dialect == STATEMENT_SQLITE && s->words && !s->quote &&
	       (slice_is(line, "/") || (line.len == 2 && strncasecmp(line.ptr, "go", 2) == 0));
}

void statements_line(struct statements *s, struct slice line,
		     void (*fn)(void *ctx, const struct statement_part *p), void *ctx)
{
	const struct sink to = {fn, ctx};
	struct slice trimmed = slice_trim(line, " \t");
	const char *p = line.ptr ? line.ptr : "", *begin = p, *end = p + line.len;

	if (!statements_open(s) && is_command(s, trimmed)) {
		set_delimiter(s, trimmed);
		give(&to, line, true, true);
		return;
	}
	if (statements_open(s))
		add(s, '\n', &to);
	while (p < end) {
		size_t n = s->quote ? quoted(s, p, end) : 0;

		if (n) {
			for (size_t i = 0; i < n; i++)
				add(s, p[i], &to);
		} else {
			n = plain(s, begin, p, end, &to);
		}
		p = n > (size_t)(end - p) ? end : p + n;
	}
	if (is_go(s, trimmed))
		finish(s, true, &to);
	else if (!statements_open(s))
		finish(s, true, &to); /* a comment, or nothing */
}

void statements_break(struct statements *s, void (*fn)(void *ctx, const struct statement_part *p),
		      void *ctx)
{
	finish(s, false, &(const struct sink){fn, ctx});
}
