/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The commands of a shell line. Not a shell's parser: it reads what is typed on one line. */
#include "agent/collector/join.h"

/* A login shell calls itself -bash. */
static struct slice program_name(struct slice path)
{
	struct slice name = slice_base_name(path);

	return name.len > 1 && name.ptr[0] == '-' ? (struct slice){name.ptr + 1, name.len - 1}
						  : name;
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

/* One word of a shell line with its quotes removed, or an operator. */
struct word {
	char text[64]; /* cut: only names matter */
	size_t len;
	char op; /* ';' for any separator of commands, '<' for a redirection, 0 for a word */
	bool assignment, quoted, unknown;
};

static bool is_separator(char c)
{
	return c == ';' || c == '|' || c == '&' || c == '(' || c == ')' || c == '\n';
}

static void word_add(struct word *w, char c)
{
	w->unknown |= c == '\x01';
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
	return !w->quoted && slice_in((struct slice){w->text, w->len}, list);
}

static bool is_builtin(const struct word *w)
{
	/* bash(1), zshbuiltins(1), and words that end what others began. */
	static const char *const list[] = {
		":",        ".",       "alias",   "bg",       "bind",     "bindkey",  "break",
		"builtin",  "caller",  "cd",      "command",  "compgen",  "complete", "compopt",
		"continue", "declare", "dirs",    "disown",   "echo",     "enable",   "eval",
		"exit",     "export",  "false",   "fc",       "fg",       "getopts",  "hash",
		"help",     "history", "jobs",    "kill",     "let",      "local",    "logout",
		"mapfile",  "popd",    "printf",  "pushd",    "pwd",      "read",     "readarray",
		"readonly", "return",  "set",     "setopt",   "shift",    "shopt",    "source",
		"suspend",  "test",    "times",   "trap",     "true",     "type",     "typeset",
		"ulimit",   "umask",   "unalias", "unset",    "unsetopt", "autoload", "wait",
		"where",    "whence",  "zle",     "zmodload", "[",        "[[",       "]]",
		"rehash",   "print",   "for",     "while",    "until",    "case",     "select",
		"fi",       "done",    "esac",    "}",        "function", "in",       NULL};

	return in_list(w, list);
}

static bool has_hidden(struct slice shape)
{
	static const char *const hidden[] = {"(",  "`", "{ ", "function ", "eval ", "source ",
					     ". ", "^", "!",  "builtin ",  "exec ", NULL};

	for (const char *const *h = hidden; *h; h++)
		if (memmem(shape.ptr, shape.len, *h, strlen(*h)))
			return true;
	return false;
}

void join_parse(struct slice shape, struct join_commands *out)
{
	/* Words after which the command is still to come. */
	static const char *const lead[] = {"if",    "then",    "else",    "elif", "do",
					   "while", "until",   "!",       "time", "exec",
					   "{",     "command", "builtin", NULL};
	static const char *const loop[] = {"for", "while", "until", NULL};
	const char *p = shape.ptr ? shape.ptr : "", *end = p + shape.len;
	bool expect = true, skip = false;
	struct word w;

	*out = (struct join_commands){.builtins = true};
	out->complex = shape.len > 0 && has_hidden(shape);
	while (shape.len && next_word(&p, end, &w)) {
		if (w.op) {
			skip = w.op == '<';
			expect |= w.op == ';';
			continue;
		}
		if (skip || !expect) { /* a redirection's target, an argument */
			skip = false;
			continue;
		}
		out->loops |= in_list(&w, loop);
		if (in_list(&w, lead) || w.assignment)
			continue;
		expect = false;
		out->builtins &= is_builtin(&w);
		out->unknown |= w.unknown;
		if (!w.unknown && out->n < JOIN_MAX_NAMES &&
		    (out->names[out->n] = join_hash((struct slice){w.text, w.len})) != 0)
			out->n++;
	}
}
