/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/redact_internal.h"
#include "common/cleanup.h"

struct command {
	struct redact_finder *f;
	const struct redact_program *program; /* NULL: nothing is known of it */
	const struct slice *w;
	size_t n, base;
	unsigned depth;
};

static struct slice from_byte(struct slice s, size_t i)
{
	return (struct slice){s.ptr + i, s.len - i};
}

static void hit(const struct command *c, size_t i, size_t from, size_t to)
{
	redact_hit(c->f->hits, c->base + i, from, to,
		   (struct slice){c->w[i].ptr + from, to - from});
}

static void hit_rest(const struct command *c, size_t i, size_t from)
{
	if (i < c->n && from < c->w[i].len)
		hit(c, i, from, c->w[i].len);
}

/* "user:password": what is behind the first sep, from byte `from` on. */
static void hit_login(const struct command *c, size_t i, size_t from, char sep)
{
	struct slice s;
	const char *at;

	if (i >= c->n || from >= c->w[i].len)
		return;
	s = from_byte(c->w[i], from);
	at = memchr(s.ptr, sep, s.len);
	if (at)
		hit_rest(c, i, from + (size_t)(at - s.ptr) + 1);
}

static bool has_letter(const char *letters, char c)
{
	return letters && c && strchr(letters, c);
}

/* One of words, which are separated by blanks. */
static bool has_word(const char *words, struct slice s)
{
	struct slice rest = slice_of(words);

	while (rest.len > 0)
		if (slice_eq(slice_cut(&rest, ' '), s) && s.len > 0)
			return true;
	return false;
}

static bool is_option(struct slice s)
{
	return s.len > 1 && s.ptr[0] == '-';
}

/* --password -v: another option follows, no value. */
static bool looks_like_option(struct slice s)
{
	return is_option(s) && (s.len == 2 || s.ptr[1] == '-');
}

struct option {
	struct slice name; /* without dashes and value */
	size_t value;      /* where it begins, 0: there is none */
	bool single;
};

static struct option long_option(struct slice s)
{
	struct option o = {.single = s.ptr[1] != '-'};
	struct slice rest = from_byte(s, o.single ? 1 : 2);

	o.name = slice_cut(&rest, '=');
	if (o.name.ptr + o.name.len < s.ptr + s.len)
		o.value = (size_t)(rest.ptr - s.ptr);
	return o;
}

enum meaning { PLAIN, SECRET, LOGIN };

static enum meaning long_meaning(const struct redact_program *p, const struct option *o)
{
	unsigned kind = p ? p->kind : 0;

	if (p && has_word(p->long_logins, o->name))
		return LOGIN;
	if (p && has_word(p->longs, o->name))
		return SECRET;
	if (o->single && (o->name.len < 4 || (kind & REDACT_NOT_SINGLE)))
		return PLAIN;
	return redact_name_is_secret(o->name) ? SECRET : PLAIN;
}

/* Returns whether the next argument belongs to it. */
static bool see_long(const struct command *c, size_t i, enum meaning m, const struct option *o)
{
	const struct redact_program *p = c->program;
	bool named = p && (has_word(p->longs, o->name) || has_word(p->long_logins, o->name));
	size_t value = o->value, arg = i;

	if (!value) {
		if (!named && ((p && (p->kind & REDACT_NO_NEXT)) || i + 1 >= c->n ||
			       looks_like_option(c->w[i + 1])))
			return false;
		arg = i + 1;
	}
	if (m == LOGIN)
		hit_login(c, arg, value, p->sep);
	else
		hit_rest(c, arg, value);
	return arg != i;
}

/* "-xvp secret", "-psecret": returns whether the next argument belongs to it. */
static bool see_short(const struct command *c, size_t i)
{
	const struct redact_program *p = c->program;
	struct slice s = c->w[i];

	for (size_t k = 1; p && k < s.len; k++) {
		bool next = k + 1 == s.len;
		size_t arg = next ? i + 1 : i, at = next ? 0 : k + 1;

		if (has_letter(p->attached, s.ptr[k])) {
			hit_rest(c, i, k + 1);
			return false;
		}
		if (has_letter(p->secret, s.ptr[k]))
			hit_rest(c, arg, at);
		else if (has_letter(p->login, s.ptr[k]))
			hit_login(c, arg, at, p->sep);
		else if (!has_letter(p->other, s.ptr[k]))
			continue;
		return next;
	}
	return false;
}

static bool see_option(const struct command *c, size_t i)
{
	struct option o = long_option(c->w[i]);
	enum meaning m = long_meaning(c->program, &o);

	if (m != PLAIN)
		return see_long(c, i, m, &o);
	return o.single ? see_short(c, i) : false;
}

/* "name=value" is for the shapes. */
static bool is_pair(struct slice s)
{
	size_t i = 0;

	while (i < s.len && ((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || s.ptr[i] == '_'))
		i++;
	return i > 0 && i + 1 < s.len && s.ptr[i] == '=';
}

struct places {
	struct slice rest[32]; /* of each place: words that have yet to come */
	unsigned seen[32];
};

/* The argument i is no option. */
static void see_places(const struct command *c, struct places *at, size_t i)
{
	for (size_t k = 0; redact_places[k].program && k < ARRAY_LEN(at->rest); k++) {
		const struct redact_place *place = &redact_places[k];
		struct slice rest = at->rest[k];

		if (!c->program || strcmp(place->program, c->program->name) != 0)
			continue;
		if (!rest.ptr && at->seen[k] == 0)
			rest = slice_of(place->sub);
		if (rest.len > 0) {
			struct slice word = slice_cut(&rest, ' ');

			if (slice_eq(word, c->w[i]))
				at->rest[k] = rest;
			continue;
		}
		at->seen[k]++;
		if ((place->nth == 0 || place->nth == at->seen[k]) && !is_pair(c->w[i]))
			hit_rest(c, i, 0);
	}
}

/* vault kv put path name=value ... */
static void hit_pair(const struct command *c, size_t i)
{
	const char *at = memchr(c->w[i].ptr, '=', c->w[i].len);

	if (at && at + 1 < c->w[i].ptr + c->w[i].len && at[1] != '@') /* "@file" */
		hit_login(c, i, 0, '=');
}

static void hit_slash(const struct command *c, size_t i)
{
	struct slice s = c->w[i];
	const char *slash = memchr(s.ptr, '/', s.len), *at = memrchr(s.ptr, '@', s.len);

	if (slash && (!at || at > slash))
		hit(c, i, (size_t)(slash - s.ptr) + 1, at ? (size_t)(at - s.ptr) : s.len);
}

static void see_operand(const struct command *c, struct places *places, size_t i, bool first)
{
	const struct redact_program *p = c->program;
	struct slice s = c->w[i];

	see_places(c, places, i);
	if (p->prefix && slice_starts(s, p->prefix))
		hit_rest(c, i, strlen(p->prefix));
	if (p->kind & REDACT_PAIRS)
		hit_pair(c, i);
	if ((p->kind & REDACT_SLASH) && first)
		hit_slash(c, i);
	if ((p->kind & REDACT_NAMES_NEXT) && i + 1 < c->n &&
	    (redact_name_is_secret(s) || slice_ends(s, "psk")))
		hit_rest(c, i + 1, 0);
}

static void see_program(const struct command *c)
{
	struct places places = {0};
	size_t operands = 0, last = 0;

	for (size_t i = 1; i < c->n; i++) {
		struct slice s = c->w[i];

		if (c->program->prefix && is_option(s) && slice_starts(s, c->program->prefix)) {
			hit_rest(c, i, strlen(c->program->prefix));
		} else if (is_option(s)) {
			i += see_option(c, i);
		} else {
			see_operand(c, &places, i, operands++ == 0);
			last = i;
		}
	}
	if ((c->program->kind & REDACT_LAST) && operands > 1 &&
	    redact_has_option(c->w, c->n, c->program->reads))
		hit_rest(c, last, 0);
}

/* An access key's id is followed by its secret: AKIA... and 40 bytes of base64. */
static bool is_access_key(struct slice s)
{
	return s.len == 20 && (slice_starts(s, "AKIA") || slice_starts(s, "ASIA"));
}

/* sh -c "command", su -c "command": any argument that looks like a line is taken for one. */
static bool is_line(const struct command *c, struct slice s)
{
	unsigned kind = c->program ? c->program->kind : 0;

	return (kind & REDACT_HAS_LINES) && c->depth < REDACT_MAX_DEPTH &&
	       !((kind & REDACT_ASSIGNS) && redact_is_assignment(s)) &&
	       (memchr(s.ptr, ' ', s.len) || memchr(s.ptr, ';', s.len) ||
		memchr(s.ptr, '\n', s.len));
}

/* What holds for each program. */
static void see_any(const struct command *c)
{
	for (size_t i = 0; i < c->n; i++) {
		if (i > 0 && is_line(c, c->w[i]))
			redact_find_line(c->f, c->w[i], c->base + i, c->depth + 1);
		else
			redact_find_shapes(c->f, c->w[i], c->base + i, false);
		if (i > 0 && c->w[i].len == 40 && is_access_key(c->w[i - 1]))
			hit_rest(c, i, 0);
	}
}

static void see_options(const struct command *c)
{
	for (size_t i = 1; i < c->n; i++)
		if (is_option(c->w[i]))
			i += see_option(c, i);
}

void redact_find_command(struct redact_finder *f, struct slice exe, const struct slice *w, size_t n,
			 size_t base, unsigned depth)
{
	struct redact_step steps[REDACT_MAX_STEPS];
	size_t n_steps = redact_steps(exe, w, n, steps);
	size_t before = n_steps > 0 ? steps[0].at : n;
	struct command c = {.f = f, .w = w, .n = before, .base = base, .depth = depth};

	see_any(&c);
	if (n_steps == 0)
		see_options(&c);
	for (size_t k = 0; k < n_steps && !f->hits->failed; k++) {
		size_t at = steps[k].at, until = k + 1 < n_steps ? steps[k + 1].at : n;

		c = (struct command){f, steps[k].program, w + at, until - at, base + at, depth};
		see_any(&c);
		if (!c.program->sub || redact_has_sub(c.program, c.w, c.n)) {
			see_program(&c);
			continue;
		}
		c.program = NULL;
		see_options(&c);
	}
}

bool redact_has_option(const struct slice *w, size_t n, const char *option)
{
	for (size_t i = 1; i < n && option; i++) {
		if (slice_is(w[i], option))
			return true;
		if (strlen(option) == 2 && is_option(w[i]) && w[i].ptr[1] != '-' &&
		    memchr(w[i].ptr, option[1], w[i].len))
			return true;
	}
	return false;
}

static const struct redact_step *reader(const struct slice *w, size_t n,
					struct redact_step steps[REDACT_MAX_STEPS])
{
	size_t n_steps = redact_steps(SLICE_NONE, w, n, steps);

	for (size_t k = 0; k < n_steps; k++) {
		const struct redact_program *p = steps[k].program;

		if ((p->kind & (REDACT_READS | REDACT_READS_LOGIN)) &&
		    (!p->reads || redact_has_option(w + steps[k].at, n - steps[k].at, p->reads)))
			return &steps[k];
	}
	return NULL;
}

/* The argument i goes to the program's standard input. */
static void hit_read(const struct command *c, const struct redact_step *r, size_t i)
{
	if ((r->program->kind & REDACT_READS_LOGIN) && memchr(c->w[i].ptr, ':', c->w[i].len))
		hit_login(c, i, 0, ':');
	else
		hit_rest(c, i, 0);
}

void redact_find_here(struct redact_finder *f, const struct slice *w, size_t n, struct slice here,
		      size_t word)
{
	struct redact_step steps[REDACT_MAX_STEPS];
	const struct redact_step *r = reader(w, n, steps);
	struct command c = {.f = f, .w = &here, .n = 1, .base = word};

	redact_find_shapes(f, here, word, false);
	if (r)
		hit_read(&c, r, 0);
}

void redact_find_piped(struct redact_finder *f, const struct slice *from, size_t n_from,
		       size_t from_base, const struct slice *to, size_t n_to)
{
	struct redact_step printer[REDACT_MAX_STEPS], steps[REDACT_MAX_STEPS];
	const struct redact_step *r = reader(to, n_to, steps);
	struct command c = {.f = f, .w = from, .n = n_from, .base = from_base};

	if (!r || redact_steps(SLICE_NONE, from, n_from, printer) == 0 ||
	    !(printer[0].program->kind & REDACT_PRINTS))
		return;
	for (size_t i = printer[0].at + 1; i < n_from; i++) {
		if (looks_like_option(from[i]) || memchr(from[i].ptr, '%', from[i].len))
			continue;
		hit_read(&c, r, i);
	}
}
