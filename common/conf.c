/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/escape.h"
#include "common/fdio.h"

#define CONF_FILE_MAX 65536
#define CONF_LINE_MAX 4096
#define CONF_BLANKS " \t"

/* Where in the text we are, for messages and to know what a line belongs to. */
struct conf_reader {
	const char *name;
	unsigned line;
	const struct conf_option *opts;
	size_t n;
	const char *section; /* of the table; NULL before the first [section] */
	void *out;
	struct sa_err *err;
};

static void *conf_field(const struct conf_option *o, void *conf)
{
	return (char *)conf + o->offset;
}

static const void *conf_const_field(const struct conf_option *o, const void *conf)
{
	return (const char *)conf + o->offset;
}

struct conf_unit {
	const char *suffix;
	int64_t factor;
};

static const struct conf_unit conf_units_none[] = {{"", 1}, {NULL, 0}};
static const struct conf_unit conf_units_duration[] = {
	{"", 1000},     {"ms", 1},       {"s", 1000}, {"m", 60000},
	{"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct conf_unit conf_units_size[] = {
	{"", 1},          {"K", 1 << 10}, {"KiB", 1 << 10}, {"M", 1 << 20},
	{"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30}, {NULL, 0}};

/* NULL and *out, or what is wrong with the text. */
static const char *conf_number(struct slice s, const struct conf_unit *units, int64_t *out)
{
	int sign = s.len > 0 && s.ptr[0] == '-' ? -1 : 1;
	size_t first = sign < 0, i;
	int64_t value = 0;

	for (i = first; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, sign * (s.ptr[i] - '0'), &value))
			return "too large";
	}
	if (i == first)
		return "not a number";
	s = (struct slice){s.ptr + i, s.len - i};
	while (units->suffix && !slice_is(s, units->suffix))
		units++;
	if (!units->suffix)
		return "unknown unit";
	if (__builtin_mul_overflow(value, units->factor, &value))
		return "too large";
	*out = value;
	return NULL;
}

static bool conf_bool(struct slice s, bool *out)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_is(s, words[i])) {
			*out = i % 2;
			return true;
		}
	}
	return false;
}

/* `file:line: section.key: reason`; line 0 means a default of ours. */
static int conf_fail(const struct conf_reader *r, int code, const struct conf_option *o,
		     const char *reason, struct slice value, const char *advice)
{
	_cleanup_buf_ struct buf shown = {0};

	buf_init(&shown, 256);
	escape_terminal(&shown, (struct slice){value.ptr, escape_utf8_cut(value, 40)});
	return sa_fail(r->err, code, "%s:%u: %s.%s: %s%s%s%s; %s", r->name, r->line, o->section,
		       o->name, reason, value.len ? " \"" : "", buf_cstr(&shown),
		       value.len ? "\"" : "", advice);
}

static int conf_nomem(const struct conf_reader *r)
{
	return sa_fail(r->err, SA_ERR_NOMEM, "%s:%u: out of memory", r->name, r->line);
}

static int conf_set_string(const struct conf_reader *r, const struct conf_option *o,
			   struct slice value)
{
	char **field = conf_field(o, r->out), *fresh;

	if (o->type == CONF_PATH && !slice_starts(value, "/"))
		return conf_fail(r, SA_ERR_INVALID, o, "not an absolute path", value,
				 "start it with /");
	fresh = slice_dup(value);
	if (!fresh)
		return conf_nomem(r);
	free(*field);
	*field = fresh;
	return 0;
}

static int conf_set_list(const struct conf_reader *r, const struct conf_option *o,
			 struct slice value)
{
	struct conf_list *list = conf_field(o, r->out);
	char **items;

	if (value.len == 0)
		return conf_fail(r, SA_ERR_INVALID, o, "empty", value,
				 "give one item on each line");
	if (list->len == CONF_LIST_MAX)
		return conf_fail(r, SA_ERR_TOOBIG, o, "too many items at", value,
				 "the list takes at most 256");
	items = realloc(list->items, (list->len + 1) * sizeof(*items));
	if (!items)
		return conf_nomem(r);
	list->items = items;
	items[list->len] = slice_dup(value);
	if (!items[list->len])
		return conf_nomem(r);
	list->len++;
	return 0;
}

static int conf_set_number(const struct conf_reader *r, const struct conf_option *o,
			   struct slice value, const struct conf_unit *units, const char *advice)
{
	int64_t number = 0, max = o->min == 0 && o->max == 0 ? INT64_MAX : o->max;
	const char *wrong = conf_number(value, units, &number);
	char range[96];

	if (wrong)
		return conf_fail(r, SA_ERR_INVALID, o, value.len ? wrong : "empty", value, advice);
	if (number < o->min || number > max) {
		snprintf(range, sizeof(range), "it must be from %" PRId64 " to %" PRId64 "%s",
			 o->min, max,
			 o->type == CONF_DURATION ? " ms"
			 : o->type == CONF_SIZE   ? " bytes"
						  : "");
		return conf_fail(r, SA_ERR_INVALID, o, "out of range", value, range);
	}
	*(int64_t *)conf_field(o, r->out) = number;
	return 0;
}

static int conf_set(const struct conf_reader *r, const struct conf_option *o, struct slice value)
{
	switch (o->type) {
	case CONF_STRING:
	case CONF_PATH:
		return conf_set_string(r, o, value);
	case CONF_BOOL:
		if (!conf_bool(value, conf_field(o, r->out)))
			return conf_fail(r, SA_ERR_INVALID, o, value.len ? "not a switch" : "empty",
					 value, "write yes or no");
		return 0;
	case CONF_INT:
		return conf_set_number(r, o, value, conf_units_none, "write a whole number");
	case CONF_DURATION:
		return conf_set_number(r, o, value, conf_units_duration,
				       "write a number and ms, s, m, h or d");
	case CONF_SIZE:
		return conf_set_number(r, o, value, conf_units_size,
				       "write a number and nothing, KiB, MiB or GiB");
	case CONF_LIST:
		return conf_set_list(r, o, value);
	}
	return SA_ERR_UNSUPPORTED;
}

int conf_defaults(const struct conf_option *opts, size_t n, void *out, struct sa_err *err)
{
	struct conf_reader r = {.name = "built-in default", .out = out, .err = err};

	for (size_t i = 0; i < n; i++) {
		int rc;

		assert(opts[i].type != CONF_LIST || !opts[i].def);
		rc = opts[i].def ? conf_set(&r, &opts[i], slice_of(opts[i].def)) : 0;
		if (rc < 0) {
			conf_free(opts, n, out);
			return rc;
		}
	}
	return 0;
}

/* Says what was found without repeating bytes that could harm a terminal. */
static int conf_fail_line(const struct conf_reader *r, const char *what, struct slice text,
			  const char *advice)
{
	_cleanup_buf_ struct buf shown = {0};

	buf_init(&shown, 256);
	escape_terminal(&shown, (struct slice){text.ptr, escape_utf8_cut(text, 40)});
	return sa_fail(r->err, SA_ERR_INVALID, "%s:%u: %s: %s; %s", r->name, r->line,
		       buf_cstr(&shown), what, advice);
}

static int conf_enter(struct conf_reader *r, struct slice line)
{
	struct slice section;

	if (line.ptr[line.len - 1] != ']')
		return conf_fail_line(r, "no ] at the end", line,
				      "write [section] alone on a line");
	section = slice_trim((struct slice){line.ptr + 1, line.len - 2}, CONF_BLANKS);
	for (size_t i = 0; i < r->n; i++) {
		if (slice_is(section, r->opts[i].section)) {
			r->section = r->opts[i].section;
			return 0;
		}
	}
	return conf_fail_line(r, "unknown section", line, "check its spelling");
}

static int conf_assign(struct conf_reader *r, struct slice line)
{
	struct slice value = line, key = slice_cut(&value, '=');

	if (key.len == line.len)
		return conf_fail_line(r, "no =", line, "write key = value");
	key = slice_trim(key, CONF_BLANKS);
	value = slice_trim(value, CONF_BLANKS);
	if (!r->section)
		return conf_fail_line(r, "stands before the first section", key,
				      "put it below its [section]");
	for (size_t i = 0; i < r->n; i++) {
		const struct conf_option *o = &r->opts[i];

		if (strcmp(o->section, r->section) != 0 || !slice_is(key, o->name))
			continue;
		if (key.len + 3 + value.len > CONF_LINE_MAX) /* as conf_print would write it */
			return conf_fail(r, SA_ERR_TOOBIG, o, "too long", value, "make it shorter");
		return conf_set(r, o, value);
	}
	return conf_fail_line(r, "unknown key", key, "check its spelling and its section");
}

static bool conf_has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (((unsigned char)s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

static int conf_line(struct conf_reader *r, struct slice raw)
{
	struct slice line = slice_trim(raw, CONF_BLANKS);

	if (raw.len > CONF_LINE_MAX)
		return sa_fail(r->err, SA_ERR_TOOBIG,
			       "%s:%u: line of %zu bytes; at most %d are allowed", r->name, r->line,
			       raw.len, CONF_LINE_MAX);
	if (!escape_utf8_valid(raw) || conf_has_control(raw))
		return conf_fail_line(r, "control characters or invalid UTF-8", line,
				      "save the file as plain UTF-8 text with \\n line ends");
	if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
		return 0;
	return line.ptr[0] == '[' ? conf_enter(r, line) : conf_assign(r, line);
}

static int conf_lines(struct conf_reader *r, struct slice text)
{
	while (text.len > 0) {
		int rc;

		r->line++;
		rc = conf_line(r, slice_cut(&text, '\n'));
		if (rc < 0)
			return rc;
	}
	return 0;
}

int conf_parse(const char *name, struct slice text, const struct conf_option *opts, size_t n,
	       void *out, struct sa_err *err)
{
	struct conf_reader r = {.name = name, .opts = opts, .n = n, .out = out, .err = err};
	int rc = conf_defaults(opts, n, out, err);

	if (rc < 0)
		return rc;
	rc = text.len > CONF_FILE_MAX
		     ? sa_fail(err, SA_ERR_TOOBIG, "%s: more than %d bytes", name, CONF_FILE_MAX)
		     : conf_lines(&r, text);
	if (rc < 0) {
		conf_free(opts, n, out);
		conf_defaults(opts, n, out, NULL);
	}
	return rc;
}

int conf_load(const char *path, const struct conf_option *opts, size_t n, void *out,
	      struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, CONF_FILE_MAX);
	rc = fdio_read_file(AT_FDCWD, path, CONF_FILE_MAX, &text, err);
	if (rc < 0) {
		conf_defaults(opts, n, out, NULL);
		return rc;
	}
	return conf_parse(path, buf_slice(&text), opts, n, out, err);
}

static void conf_print_value(const struct conf_option *o, const void *field, struct buf *out)
{
	const struct conf_list *list = field;

	switch (o->type) {
	case CONF_STRING:
	case CONF_PATH:
		if (*(char *const *)field)
			buf_printf(out, "%s = %s\n", o->name, *(char *const *)field);
		else
			buf_printf(out, "#%s =\n", o->name);
		break;
	case CONF_BOOL:
		buf_printf(out, "%s = %s\n", o->name, *(const bool *)field ? "yes" : "no");
		break;
	case CONF_INT:
	case CONF_SIZE:
		buf_printf(out, "%s = %" PRId64 "\n", o->name, *(const int64_t *)field);
		break;
	case CONF_DURATION:
		buf_printf(out, "%s = %" PRId64 "ms\n", o->name, *(const int64_t *)field);
		break;
	case CONF_LIST:
		if (list->len == 0)
			buf_printf(out, "#%s =\n", o->name);
		for (size_t i = 0; i < list->len; i++)
			buf_printf(out, "%s = %s\n", o->name, list->items[i]);
		break;
	}
}

void conf_print(const struct conf_option *opts, size_t n, const void *conf, struct buf *out)
{
	const char *section = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct conf_option *o = &opts[i];

		if (!section || strcmp(section, o->section) != 0)
			buf_printf(out, "%s[%s]\n", section ? "\n" : "", o->section);
		section = o->section;
		buf_printf(out, "# %s\n", o->help);
		conf_print_value(o, conf_const_field(o, conf), out);
	}
}

static void conf_free_list(struct conf_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct conf_list){NULL, 0};
}

void conf_free(const struct conf_option *opts, size_t n, void *conf)
{
	for (size_t i = 0; i < n; i++) {
		char **string;

		switch (opts[i].type) {
		case CONF_STRING:
		case CONF_PATH:
			string = conf_field(&opts[i], conf);
			free(*string);
			*string = NULL;
			break;
		case CONF_LIST:
			conf_free_list(conf_field(&opts[i], conf));
			break;
		default:
			break;
		}
	}
}
