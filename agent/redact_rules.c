/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/redact_rules.h"

#include <fcntl.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

#define RULES_MAX_BYTES (256 * 1024)
#define RULE_MAX_REPEAT 4096 /* regcomp copies what is repeated */
#define STEP (REDACT_RULE_WINDOW / 2)

/* regexec cannot be interrupted, and some expressions take a time that is quadratic in the text
 * ("(x+x+)+y": 20 ms for a window). Calls beyond SLOW_NS take from what may be spent in each
 * second; a sound rule takes microseconds and never does. */
#define SLOW_NS 1000000
#define SPEND_NS 200000000

struct rule {
	regex_t regex;
	unsigned line;
	bool compiled;
};

struct redact_rules {
	struct rule rules[REDACT_RULES_MAX];
	size_t n;
	int64_t spent_ns, since_ms;
	char window[REDACT_RULE_WINDOW + 1];
};

/* Walks an expression outside of its brackets; what stands after a backslash comes with it. */
struct walk {
	const char *p;
	char c;
	bool escaped;
};

static bool walk_next(struct walk *w)
{
	if (*w->p == '[') { /* "[]abc]", "[^]abc]", "[[:alpha:]]" */
		w->p += w->p[1] == '^' ? 2 : 1;
		if (*w->p == ']')
			w->p++;
		while (*w->p && *w->p != ']') {
			const char *end = w->p[0] == '[' && strchr(":.=", w->p[1]) && w->p[1]
						  ? strchr(w->p + 2, ']')
						  : NULL;

			w->p = end ? end + 1 : w->p + 1;
		}
		w->p += *w->p == ']';
		w->c = ']';
		w->escaped = false;
		return true;
	}
	w->escaped = *w->p == '\\' && w->p[1];
	w->p += w->escaped;
	w->c = *w->p;
	w->p += w->c != '\0';
	return w->c != '\0';
}

/* The most repetitions that "{m,n}" at p asks for; 1 when it is none. */
static unsigned long repeat(const char *p)
{
	unsigned long most = 0, n;
	char *end;

	while (*p >= '0' && *p <= '9') {
		n = strtoul(p, &end, 10);
		if (n > most)
			most = n;
		p = *end == ',' ? end + 1 : end;
	}
	return *p == '}' && most > 1 ? most : 1;
}

static const char *refuse(const char *pattern)
{
	struct walk w = {.p = pattern};
	unsigned long product = 1;

	while (walk_next(&w)) {
		if (w.escaped && w.c >= '1' && w.c <= '9')
			return "back-references (\\1) are not taken, they can take any time";
		if (w.c == '{' && !w.escaped) {
			unsigned long n = repeat(w.p);

			if (n > RULE_MAX_REPEAT || (product *= n) > RULE_MAX_REPEAT)
				return "too many repetitions ({m,n}), taken together at most 4096";
		}
	}
	return NULL;
}

static int compile(const char *path, struct slice text, struct rule *r, struct sa_err *err)
{
	char pattern[REDACT_RULE_MAX_BYTES + 1], why[256];
	const char *no;
	int rc;

	if (text.len > REDACT_RULE_MAX_BYTES)
		return sa_fail(err, SA_ERR_INVALID, "%s:%u: longer than %d bytes; split the rule",
			       path, r->line, REDACT_RULE_MAX_BYTES);
	if (memchr(text.ptr, '\0', text.len))
		return sa_fail(err, SA_ERR_INVALID, "%s:%u: a NUL byte in it; write text only",
			       path, r->line);
	memcpy(pattern, text.ptr, text.len);
	pattern[text.len] = '\0';
	if ((no = refuse(pattern)) != NULL)
		return sa_fail(err, SA_ERR_INVALID, "%s:%u: %s", path, r->line, no);
	rc = regcomp(&r->regex, pattern, REG_EXTENDED);
	if (rc != 0) {
		regerror(rc, &r->regex, why, sizeof(why));
		return sa_fail(err, SA_ERR_INVALID,
			       "%s:%u: %s; write a POSIX extended regular expression, or \"#\" "
			       "before it",
			       path, r->line, why);
	}
	r->compiled = true;
	return 0;
}

static int add_line(struct redact_rules *r, const char *path, struct slice line, unsigned number,
		    struct sa_err *err)
{
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0 || line.ptr[0] == '#')
		return 0;
	if (r->n == REDACT_RULES_MAX)
		return sa_fail(err, SA_ERR_INVALID, "%s:%u: more than %d rules; join some with |",
			       path, number, REDACT_RULES_MAX);
	r->rules[r->n].line = number;
	return compile(path, line, &r->rules[r->n++], err);
}

int redact_rules_read(const char *path, struct redact_rules **out, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	struct redact_rules *r;
	struct slice rest;
	unsigned number = 0;
	int rc;

	buf_init(&text, RULES_MAX_BYTES);
	rc = fdio_read_file(AT_FDCWD, path, RULES_MAX_BYTES, &text, err);
	if (rc != 0)
		return rc;
	r = calloc(1, sizeof(*r));
	if (!r)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	rest = buf_slice(&text);
	while (rc == 0 && rest.len > 0)
		rc = add_line(r, path, slice_cut(&rest, '\n'), ++number, err);
	if (rc != 0) {
		redact_rules_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void redact_rules_free(struct redact_rules *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->rules[i].compiled)
			regfree(&r->rules[i].regex);
	free(r);
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool may_spend(struct redact_rules *r)
{
	int64_t now = clock_mono_ms();

	if (now - r->since_ms >= 1000 || now < r->since_ms) {
		r->since_ms = now;
		r->spent_ns = 0;
	}
	return r->spent_ns < SPEND_NS;
}

/* The window of s, as a C string. Other bytes of 0 are no part of any argument or typed line. */
static void fill_window(struct redact_rules *r, struct slice s, size_t window, size_t end)
{
	memcpy(r->window, s.ptr + window, end - window);
	for (size_t i = 0; i < end - window; i++)
		if (r->window[i] == '\0')
			r->window[i] = '\1';
	r->window[end - window] = '\0';
}

/* The first match in the window from byte `from` on; REG_NOMATCH for none. m counts from there. */
static int match(struct redact_rules *r, const struct rule *rule, size_t from, int flags,
		 regmatch_t m[2])
{
	int64_t begun = cpu_ns(), took;
	int rc = regexec(&rule->regex, r->window + from, rule->regex.re_nsub ? 2 : 1, m, flags);

	took = cpu_ns() - begun;
	if (took > SLOW_NS)
		r->spent_ns += took;
	return rc;
}

/* All matches in s, window by window. */
static bool find_rule(struct redact_rules *r, const struct rule *rule, struct slice s,
		      void (*fn)(void *ctx, size_t from, size_t to), void *ctx)
{
	size_t at = 0, window = 0, filled = SIZE_MAX;

	for (;;) {
		size_t end =
			s.len - window > REDACT_RULE_WINDOW ? window + REDACT_RULE_WINDOW : s.len;
		int flags = (at > 0 ? REG_NOTBOL : 0) | (end < s.len ? REG_NOTEOL : 0);
		regmatch_t m[2] = {{0, 0}, {-1, -1}};
		int rc;

		if (filled != window)
			fill_window(r, s, window, end);
		filled = window;
		rc = may_spend(r) ? match(r, rule, at - window, flags, m) : REG_ESPACE;
		if (rc != 0 && rc != REG_NOMATCH)
			return false;
		if (rc == 0) {
			const regmatch_t *secret =
				rule->regex.re_nsub && m[1].rm_so >= 0 ? &m[1] : &m[0];

			if (secret->rm_eo > secret->rm_so)
				fn(ctx, at + (size_t)secret->rm_so, at + (size_t)secret->rm_eo);
			at += (size_t)m[0].rm_eo + (m[0].rm_eo == m[0].rm_so);
			if (at < end)
				continue;
		}
		if (end == s.len)
			return true;
		window += STEP;
		if (at < window)
			at = window;
	}
}

bool redact_rules_find(struct redact_rules *r, struct slice s,
		       void (*fn)(void *ctx, size_t from, size_t to), void *ctx, unsigned *line)
{
	for (size_t i = 0; r && s.len > 0 && i < r->n; i++) {
		if (find_rule(r, &r->rules[i], s, fn, ctx))
			continue;
		*line = r->rules[i].line;
		return false;
	}
	return true;
}
