/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <strings.h>

#include "common/access/pam_line.h"

#define JUMP_MAX 10000

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

static bool is_word(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

void pam_lines_begin(struct pam_lines *l, struct slice text, struct buf *line)
{
	*l = (struct pam_lines){.rest = text, .line = line};
}

static struct slice take_physical(struct pam_lines *l)
{
	l->number++;
	return slice_cut(&l->rest, '\n');
}

/* Appends a line without its comment. True when the next one belongs to it. */
static bool put_physical(struct buf *out, struct slice line)
{
	const char *hash = memchr(line.ptr, '#', line.len);

	if (hash)
		line.len = (size_t)(hash - line.ptr);
	while (line.len > 0 && is_blank(line.ptr[line.len - 1]))
		line.len--;
	if (!hash && line.len > 0 && line.ptr[line.len - 1] == '\\') {
		line.len--;
		buf_put(out, line);
		buf_putc(out, ' ');
		return true;
	}
	buf_put(out, line);
	return false;
}

bool pam_line_token(struct slice *rest, struct slice *out)
{
	const char *p = rest->ptr, *end = rest->ptr + rest->len, *from;
	bool list;

	while (p < end && is_blank(*p))
		p++;
	if (p == end)
		return false;
	list = *p == '[';
	from = list ? ++p : p;
	while (p < end && (list ? *p != ']' : !is_blank(*p)))
		p += list && *p == '\\' && p + 1 < end ? 2 : 1;
	*out = (struct slice){from, (size_t)(p - from)};
	p += list && p < end;
	*rest = (struct slice){p, (size_t)(end - p)};
	return true;
}

/* One value=action; gives them, or false at the end of the list. */
static bool take_action(struct slice *list, struct slice *value, struct slice *action)
{
	const char *p = list->ptr, *end = list->ptr + list->len, *from;

	while (p < end && is_blank(*p))
		p++;
	from = p;
	while (p < end && *p != '=' && !is_blank(*p))
		p++;
	*value = (struct slice){from, (size_t)(p - from)};
	while (p < end && (*p == '=' || is_blank(*p)))
		p++;
	from = p;
	while (p < end && !is_blank(*p))
		p++;
	*action = (struct slice){from, (size_t)(p - from)};
	*list = (struct slice){p, (size_t)(end - p)};
	return value->len > 0;
}

static unsigned jump_of(struct slice action)
{
	unsigned n = 0;

	for (size_t i = 0; i < action.len; i++) {
		if (action.ptr[i] < '0' || action.ptr[i] > '9')
			return 0;
		n = n < JUMP_MAX ? 10 * n + (unsigned)(action.ptr[i] - '0') : n;
	}
	return n;
}

/* What is not named is bad. */
static struct pam_control list_control(struct slice list)
{
	struct pam_control c = {0};
	struct slice value, action;
	bool named = false;

	while (take_action(&list, &value, &action)) {
		bool denied = is_word(value, "perm_denied");
		unsigned jump = jump_of(action);

		if (denied || (!named && is_word(value, "default")))
			c.weak = !is_word(action, "bad") && !is_word(action, "die");
		named |= denied;
		c.done |= is_word(action, "done");
		c.jump = jump > c.jump ? jump : c.jump;
	}
	return c;
}

static struct pam_control control_of(struct slice word, bool list)
{
	if (list)
		return list_control(word);
	if (is_word(word, "optional"))
		return (struct pam_control){.weak = true};
	if (is_word(word, "sufficient"))
		return (struct pam_control){.weak = true, .done = true};
	if (is_word(word, "include"))
		return (struct pam_control){.include = PAM_INCLUDE_FLAT};
	if (is_word(word, "substack"))
		return (struct pam_control){.include = PAM_INCLUDE_SUBSTACK};
	return (struct pam_control){0};
}

static bool parse(struct slice line, struct pam_line *out)
{
	struct slice control;

	if (!pam_line_token(&line, &out->type))
		return false;
	if (slice_is(out->type, "@include")) {
		out->any_type = true;
		out->control.include = PAM_INCLUDE_FLAT;
		return pam_line_token(&line, &out->module);
	}
	/* '-': no complaint when the module is not there. */
	if (out->type.len > 0 && out->type.ptr[0] == '-')
		out->type = (struct slice){out->type.ptr + 1, out->type.len - 1};
	if (!pam_line_token(&line, &control) || !pam_line_token(&line, &out->module))
		return false;
	out->control = control_of(control, control.ptr[-1] == '[');
	out->args = line;
	return true;
}

bool pam_lines_next(struct pam_lines *l, struct pam_line *out)
{
	while (l->rest.len > 0) {
		unsigned first = l->number + 1;

		buf_clear(l->line);
		while (put_physical(l->line, take_physical(l)) && l->rest.len > 0)
			;
		*out = (struct pam_line){.number = first};
		if (parse(buf_slice(l->line), out))
			return true;
	}
	return false;
}
