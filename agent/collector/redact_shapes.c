/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/redact_internal.h"

/*
 * One pass over the bytes. Only some of them can be part of a secret's surroundings (':' '=' '_'
 * '-' '.' and quotes); each of those looks a bounded way back, and forward only over what it then
 * passes over, so that the whole stays linear.
 */
#define NAME_BYTES 64

struct scan {
	struct redact_finder *f;
	struct slice s;
	size_t word;
	bool line;
	size_t token_end, token_at; /* of the token last asked for: its end, the last '@' before */
	int sql;                    /* what it holds: -1 not looked for yet */
};

enum { SQL_IDENTIFIED = 1, SQL_SET_PASSWORD = 2, SQL_STATEMENT = 4 };

static char at(const struct scan *c, size_t i)
{
	return i < c->s.len ? c->s.ptr[i] : '\0';
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

static bool is_space(char ch)
{
	return is_blank(ch) || ch == '\n' || ch == '\r';
}

static bool is_quote(char ch)
{
	return ch == '\'' || ch == '"';
}

static char lower(char ch)
{
	return ch >= 'A' && ch <= 'Z' ? (char)(ch | 0x20) : ch;
}

/* s at i is this word, in whatever case; word is in small letters. */
static bool word_at(struct slice s, size_t i, const char *word)
{
	for (; *word; word++, i++)
		if (i >= s.len || lower(s.ptr[i]) != *word)
			return false;
	return true;
}

static bool ends_command(char ch)
{
	return ch == ';' || ch == '|' || ch == '&' || ch == '<' || ch == '>' || ch == ')';
}

/* In a line: at i, or behind a quote there, begins what a shell puts something else for, a variable
 * or the output of a command, and not only a part of the value. */
static bool is_reference(const struct scan *c, size_t i)
{
	char next;

	i += is_quote(at(c, i));
	if (!c->line || (at(c, i) != '$' && at(c, i) != '`'))
		return false;
	next = at(c, i + 1);
	if (at(c, i) == '`' || next == '{' || next == '(')
		return true;
	for (i++; redact_is_alnum(at(c, i)) || at(c, i) == '_'; i++)
		;
	return i >= c->s.len || is_space(at(c, i)) || is_quote(at(c, i)) || ends_command(at(c, i));
}

/* Notes it; where to go on. */
static size_t found(const struct scan *c, size_t from, size_t to)
{
	redact_hit(c->f->hits, c->word, from, to, (struct slice){c->s.ptr + from, to - from});
	return to;
}

/* The name that ends before i. */
static struct slice name_before(const struct scan *c, size_t i)
{
	size_t from = i;

	while (from > 0 && i - from < NAME_BYTES && redact_is_name(c->s.ptr[from - 1]))
		from--;
	return (struct slice){c->s.ptr + from, i - from};
}

static size_t start_of(const struct scan *c, struct slice part)
{
	return (size_t)(part.ptr - c->s.ptr);
}

/* Behind an opening quote at i (or \" of a quoted quote): where its value ends. */
static size_t quoted_end(const struct scan *c, size_t from, char quote, bool escaped)
{
	for (size_t i = from; i < c->s.len; i++) {
		char ch = c->s.ptr[i];

		if (escaped && ch == '\\' && at(c, i + 1) == quote)
			return i;
		if (ch == quote)
			return i;
		if (ch == '\\' && !escaped)
			i++;
	}
	return c->s.len;
}

/* A value in quotes that begins at i; 0 when there is none. */
static size_t quoted_value(const struct scan *c, size_t i)
{
	bool escaped = at(c, i) == '\\';
	size_t q = i + escaped, end;

	if (!is_quote(at(c, q)))
		return 0;
	end = quoted_end(c, q + 1, c->s.ptr[q], escaped);
	if (end == c->s.len && !c->line) /* the quote belongs to the value */
		return 0;
	return found(c, q + 1, end < q + 1 ? q + 1 : end);
}

/* Another "name=" begins at i. */
static bool next_field(const struct scan *c, size_t i)
{
	size_t n = 0;

	while (n < NAME_BYTES && redact_is_name(at(c, i + n)))
		n++;
	return n > 0 && at(c, i + n) == '=';
}

/* Where the value of an assignment ends depends on what stood before its name: the same separator
 * ends it. At the start of a word a small name may be the first of several fields. */
static size_t value_end(const struct scan *c, size_t i, char before, bool whole)
{
	for (; i < c->s.len; i++) {
		char ch = c->s.ptr[i];

		if (whole && !c->line)
			return c->s.len;
		if (c->line && (is_space(ch) || ends_command(ch)))
			break;
		if (before == '?')
			before = '&';
		if (before == '&' && (ch == '&' || ch == '#' || is_space(ch) || is_quote(ch)))
			break;
		if ((before == ',' || before == ';') && (ch == before || is_space(ch)))
			break;
		if (is_quote(before) && ch == before)
			break;
		if (is_space(before) && (is_space(ch) || is_quote(ch)))
			break;
		if ((is_space(ch) || ch == '&' || ch == ';' || ch == ',') && next_field(c, i + 1))
			break;
	}
	return i;
}

static bool has_small(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] >= 'a' && name.ptr[i] <= 'z')
			return true;
	return false;
}

/* name=value; "name = value" in a line only. */
static size_t see_equals(struct scan *c, size_t i)
{
	size_t name_end = i, value = i + 1, end;
	struct slice name;
	char before;
	bool whole;

	if (at(c, i + 1) == '=' || at(c, i + 1) == '>')
		return i + 1;
	while (c->line && is_blank(at(c, value)) && value < i + NAME_BYTES)
		value++;
	while (value > i + 1 && name_end > 0 && i - name_end < NAME_BYTES &&
	       is_blank(c->s.ptr[name_end - 1]))
		name_end--;
	if (value > i + 1 && name_end == i) /* "x= y": nothing is assigned */
		return i + 1;
	name = name_before(c, name_end);
	if (!redact_name_is_secret(name) || is_reference(c, value))
		return i + 1;
	before = start_of(c, name) > 0 ? c->s.ptr[start_of(c, name) - 1] : '\0';
	whole = before == '\0' && (name.ptr[0] == '-' || !has_small(name));
	end = whole && !c->line ? 0 : quoted_value(c, value);
	return end ? end : found(c, value, value_end(c, value, before, whole));
}

static void see_token(struct scan *c, size_t i)
{
	if (i < c->token_end)
		return;
	c->token_at = 0;
	for (c->token_end = i; c->token_end < c->s.len; c->token_end++) {
		char ch = c->s.ptr[c->token_end];

		if (is_space(ch) || is_quote(ch))
			break;
		if (ch == '@')
			c->token_at = c->token_end;
	}
}

/* scheme://user:password@host; i is at the colon. The part before the host ends at the last '@'
 * before a slash, or, where a password has slashes itself, at the last one of all. */
static size_t see_url(struct scan *c, size_t i)
{
	size_t from = i + 3, colon = 0, host = 0, j;

	for (j = from; j < c->s.len; j++) {
		char ch = c->s.ptr[j];

		if (is_space(ch) || is_quote(ch) || ch == '/' || ch == '?' || ch == '#')
			break;
		if (ch == ':' && !colon)
			colon = j;
		if (ch == '@')
			host = j;
	}
	if (!host && colon && at(c, colon + 1) != ':' && at(c, from) != '[') {
		size_t digits = colon + 1;

		while (digits < j && c->s.ptr[digits] >= '0' && c->s.ptr[digits] <= '9')
			digits++;
		see_token(c, j);
		if (digits < j && c->token_at > j)
			host = c->token_at;
	}
	if (host && colon && colon < host)
		return found(c, colon + 1, host);
	return i + 3;
}

/* The scheme of an Authorization header stays: "Bearer ", "Basic ". */
static size_t behind_scheme(const struct scan *c, size_t i)
{
	size_t j = i;

	while (redact_is_alnum(at(c, j)) || at(c, j) == '-')
		j++;
	if (j == i || !is_blank(at(c, j)))
		return i;
	while (is_blank(at(c, j)))
		j++;
	return at(c, j) && !is_space(at(c, j)) && !is_quote(at(c, j)) ? j : i;
}

static size_t header_end(const struct scan *c, size_t i)
{
	for (; i < c->s.len; i++) {
		char ch = c->s.ptr[i];

		if (ch == '\n' || ch == '\r' || ch == '"' || (ch == '\'' && c->line) ||
		    (ch == '\\' && is_quote(at(c, i + 1))))
			break;
	}
	return i;
}

/* A field of JSON or YAML, or of a configuration. */
static size_t field_end(const struct scan *c, size_t i, bool to_line_end)
{
	for (; i < c->s.len; i++) {
		char ch = c->s.ptr[i];

		if (ch == '\n' || ch == '\r')
			break;
		if (!to_line_end && (is_space(ch) || is_quote(ch) || ch == ',' || ch == '}' ||
				     ch == ']' || (c->line && ends_command(ch))))
			break;
	}
	return i;
}

/* AKIA...:secret, as S3 tools take it. */
static bool behind_access_key(const struct scan *c, size_t i)
{
	return i >= 20 && (slice_starts((struct slice){c->s.ptr + i - 20, 20}, "AKIA") ||
			   slice_starts((struct slice){c->s.ptr + i - 20, 20}, "ASIA"));
}

static bool is_authorization(struct slice name)
{
	return word_at(name, name.len > 13 ? name.len - 13 : 0, "authorization");
}

static bool is_cookie(struct slice name)
{
	return word_at(name, name.len > 6 ? name.len - 6 : 0, "cookie");
}

static size_t see_header(struct scan *c, struct slice name, size_t value)
{
	size_t from = is_authorization(name) ? behind_scheme(c, value) : value, end;

	if (is_reference(c, from))
		return value;
	end = quoted_value(c, from);
	return end ? end : found(c, from, header_end(c, from));
}

static size_t see_colon(struct scan *c, size_t i)
{
	size_t name_end = i, value = i + 1, start, end;
	struct slice name;
	bool quoted;
	char before;

	if (at(c, i + 1) == '/' && at(c, i + 2) == '/')
		return see_url(c, i);
	if (behind_access_key(c, i))
		return found(c, i + 1, field_end(c, i + 1, false));
	quoted = name_end > 0 && is_quote(c->s.ptr[name_end - 1]);
	name_end -= quoted;
	if (quoted && name_end > 0 && c->s.ptr[name_end - 1] == '\\')
		name_end--;
	name = name_before(c, name_end);
	if (!redact_header_is_secret(name))
		return i + 1;
	while (is_blank(at(c, value)))
		value++;
	if (is_authorization(name) || is_cookie(name))
		return see_header(c, name, value);
	start = start_of(c, name);
	before = start > 0 ? c->s.ptr[start - 1] : '\n';
	/* "secrets:/run/secrets" is a volume, "x/secret:1" an image, "a token: b" is said of one */
	if (value == i + 1 && !quoted && (at(c, value) == '/' || before == '/' || before == '@'))
		return i + 1;
	if (is_reference(c, value))
		return i + 1;
	end = quoted_value(c, value);
	return end ? end : found(c, value, field_end(c, value, before == '\n' && !c->line));
}

static int sql_of(struct scan *c)
{
	if (c->sql >= 0)
		return c->sql;
	c->sql = 0;
	for (size_t i = 0; i < c->s.len; i++) {
		char ch = lower(c->s.ptr[i]);

		if (ch == 'i' && word_at(c->s, i, "identified"))
			c->sql |= SQL_IDENTIFIED | SQL_STATEMENT;
		else if (ch == 's' && word_at(c->s, i, "set password"))
			c->sql |= SQL_SET_PASSWORD | SQL_STATEMENT;
		else if ((ch == 'a' && word_at(c->s, i, "alter ")) ||
			 (ch == 'c' && word_at(c->s, i, "create ")) ||
			 (ch == 'u' && word_at(c->s, i, "user ")))
			c->sql |= SQL_STATEMENT;
	}
	return c->sql;
}

/* Is the value in quotes at i a secret, in SQL or a program: PASSWORD 'x', IDENTIFIED BY 'x',
 * password = 'x', 'password' => 'x', PASSWORD('x')? */
static bool is_secret_value(struct scan *c, size_t i)
{
	size_t limit = i > NAME_BYTES ? i - NAME_BYTES : 0;
	struct slice name;
	char joined = '\0';

	while (i > limit) {
		char ch = c->s.ptr[i - 1];

		if (ch == '=' || ch == ':' || ch == '>' || ch == '(')
			joined = ch;
		else if (!is_space(ch) && !(joined && is_quote(ch)))
			break;
		i--;
	}
	name = name_before(c, i);
	if (name.len == 0)
		return false;
	if (redact_name_is_secret(name)) /* of an option in a line the rules of commands know */
		return joined || (name.ptr[0] == '-' ? !c->line : sql_of(c) & SQL_STATEMENT);
	return (name.len == 2 && word_at(name, 0, "by") && (sql_of(c) & SQL_IDENTIFIED)) ||
	       (joined == '=' && (sql_of(c) & SQL_SET_PASSWORD));
}

static size_t see_quote(struct scan *c, size_t i)
{
	char before = i > 0 ? c->s.ptr[i - 1] : '\0';

	if (!is_blank(before) && before != '(' && before != '=' && before != '>')
		return i + 1;
	if (is_reference(c, i) || !is_secret_value(c, i))
		return i + 1;
	return found(c, i + 1, quoted_end(c, i + 1, c->s.ptr[i], false));
}

/* A secret by its own form, of which the byte at i is a mark. */
static size_t see_form(struct scan *c, size_t i)
{
	size_t from, end = redact_token_at(c->s, i, &from);

	return end > 0 ? found(c, from, end) : i + 1;
}

static const unsigned char stops[256] = {
	['='] = 1, [':'] = 1, ['_'] = 1, ['-'] = 1, ['.'] = 1, ['\''] = 1, ['"'] = 1,
};

void redact_find_shapes(struct redact_finder *f, struct slice s, size_t word, bool line)
{
	struct scan c = {.f = f, .s = s, .word = word, .line = line, .sql = -1};
	size_t i = 0;

	while (i < s.len && !f->hits->failed) {
		switch (stops[(unsigned char)s.ptr[i]] ? s.ptr[i] : '\0') {
		case '=':
			i = see_equals(&c, i);
			break;
		case ':':
			i = see_colon(&c, i);
			break;
		case '-':
		case '_':
		case '.':
			i = see_form(&c, i);
			break;
		case '\'':
		case '"':
			i = see_quote(&c, i);
			break;
		default:
			i++;
		}
	}
}
