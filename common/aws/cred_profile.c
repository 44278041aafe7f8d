/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <strings.h>

#include "common/aws/cred_profile.h"

#define CRED_BOM "\xef\xbb\xbf"

struct cred_reader {
	const char *name;
	enum cred_kind kind;
	cred_profile_fn fn;
	void *ctx;
	struct sa_err *err;
	unsigned line;
	bool in_section;      /* one has begun */
	struct slice profile; /* absent: the section is none */
	bool in_key, open;    /* a key was read in this section; it has no value yet */
	size_t indent;        /* of that key's line */
};

static bool cred_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice cred_trim(struct slice s)
{
	while (s.len > 0 && cred_blank(s.ptr[0]))
		s = (struct slice){s.ptr + 1, s.len - 1};
	while (s.len > 0 && cred_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool cred_comment(struct slice s)
{
	return s.len > 0 && (s.ptr[0] == '#' || s.ptr[0] == ';');
}

static int cred_bad_line(const struct cred_reader *r, const char *why)
{
	return sa_fail(r->err, SA_ERR_INVALID, "%s:%u: %s", r->name, r->line, why);
}

static void cred_tell(const struct cred_reader *r, struct slice key, struct slice value)
{
	if (r->fn && r->profile.ptr)
		r->fn(r->ctx, r->profile, key, value);
}

static struct slice cred_unquote(struct slice s)
{
	bool quoted =
		s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'') && s.ptr[s.len - 1] == s.ptr[0];

	return quoted ? (struct slice){s.ptr + 1, s.len - 2} : s;
}

/* Absent when a section of that name is no profile. */
static struct slice cred_profile_of(enum cred_kind kind, struct slice section)
{
	static const size_t n = sizeof("profile") - 1;

	if (kind == CRED_CREDENTIALS || slice_is(section, "default"))
		return section;
	if (slice_starts(section, "profile") && section.len > n && cred_blank(section.ptr[n]))
		return cred_unquote(cred_trim((struct slice){section.ptr + n, section.len - n}));
	return SLICE_NONE;
}

static int cred_section(struct cred_reader *r, struct slice s)
{
	const char *end = memchr(s.ptr, ']', s.len);
	struct slice rest, section;

	if (!end)
		return cred_bad_line(r, "a section without ]");
	rest = cred_trim((struct slice){end + 1, (size_t)(s.ptr + s.len - end - 1)});
	if (rest.len > 0 && !cred_comment(rest))
		return cred_bad_line(r, "something stands after the section's ]");
	section = cred_trim((struct slice){s.ptr + 1, (size_t)(end - s.ptr - 1)});
	if (section.len == 0)
		return cred_bad_line(r, "a section without a name");
	r->in_section = true;
	r->in_key = false;
	r->profile = cred_profile_of(r->kind, section);
	cred_tell(r, SLICE_NONE, SLICE_NONE);
	return 0;
}

/* A # or ; behind a blank begins a comment. */
static struct slice cred_value(struct slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		if ((s.ptr[i] == '#' || s.ptr[i] == ';') && cred_blank(s.ptr[i - 1])) {
			s.len = i;
			break;
		}
	}
	return cred_trim(s);
}

static int cred_key(struct cred_reader *r, struct slice s, size_t indent)
{
	const char *sign = memchr(s.ptr, '=', s.len);
	struct slice key, value;

	if (!sign)
		return cred_bad_line(r, "neither [section] nor key = value");
	if (!r->in_section)
		return cred_bad_line(r, "a key before the first [section]");
	key = cred_trim((struct slice){s.ptr, (size_t)(sign - s.ptr)});
	if (key.len == 0)
		return cred_bad_line(r, "a value without a key");
	value = cred_value((struct slice){sign + 1, (size_t)(s.ptr + s.len - sign - 1)});
	r->in_key = true;
	r->open = value.len == 0;
	r->indent = indent;
	cred_tell(r, key, value);
	return 0;
}

static int cred_line(struct cred_reader *r, struct slice line)
{
	struct slice s = cred_trim(line);
	size_t indent = (size_t)(s.ptr - line.ptr);

	for (size_t i = 0; i < s.len; i++) {
		if (((unsigned char)s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
			return cred_bad_line(r, "a control byte");
	}
	if (s.len == 0 || cred_comment(s))
		return 0;
	if (r->in_key && indent > r->indent) {
		if (r->open) /* "s3 =" and its own settings below it */
			return 0;
		return cred_bad_line(r, "an indented line goes on with the value above it; write "
					"the value in one line");
	}
	return s.ptr[0] == '[' ? cred_section(r, s) : cred_key(r, s, indent);
}

int cred_profile_read(const char *name, struct slice text, enum cred_kind kind, cred_profile_fn fn,
		      void *ctx, struct sa_err *err)
{
	struct cred_reader r = {.name = name, .kind = kind, .fn = fn, .ctx = ctx, .err = err};

	if (text.len > CRED_PROFILE_MAX_TEXT)
		return sa_fail(err, SA_ERR_TOOBIG, "%s: more than %d bytes", name,
			       CRED_PROFILE_MAX_TEXT);
	if (slice_starts(text, CRED_BOM))
		text = (struct slice){text.ptr + 3, text.len - 3};
	while (text.len > 0) {
		struct slice line = slice_cut(&text, '\n');
		int rc;

		if (slice_ends(line, "\r"))
			line.len--;
		r.line++;
		if ((rc = cred_line(&r, line)) < 0)
			return rc;
	}
	return 0;
}

struct cred_lookup {
	const char *profile, *key;
	bool has;
	struct slice value;
};

static void cred_look(void *ctx, struct slice profile, struct slice key, struct slice value)
{
	struct cred_lookup *l = ctx;

	if (!slice_is(profile, l->profile))
		return;
	l->has = true;
	if (l->key && key.ptr && key.len == strlen(l->key) &&
	    strncasecmp(key.ptr, l->key, key.len) == 0)
		l->value = value;
}

bool cred_profile_has(struct slice text, enum cred_kind kind, const char *profile)
{
	struct cred_lookup l = {.profile = profile};

	cred_profile_read("", text, kind, cred_look, &l, NULL);
	return l.has;
}

struct slice cred_profile_get(struct slice text, enum cred_kind kind, const char *profile,
			      const char *key)
{
	struct cred_lookup l = {.profile = profile, .key = key};

	cred_profile_read("", text, kind, cred_look, &l, NULL);
	return l.value.len > 0 ? l.value : SLICE_NONE;
}
