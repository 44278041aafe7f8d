/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The part of a session's folder that an admin can choose; see layout.h. */
#include <stdio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/transcript/layout.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=/-"
#define ESCAPED PLAIN "%~" /* what values can bring */

/* escape_key_part gives at most 200 bytes; a leading dot becomes %2E. */
#define VALUE_MAX 202
#define COMPONENT_MAX 255 /* NAME_MAX: keys are paths in the spool */
/* "/session=<sid>/", the longest name in it, and what a store may have to add to that. */
#define BELOW_MAX                                                                                  \
	(sizeof("/session=") + LAYOUT_SID_SIZE + sizeof("transcript-4294967295.txt") +             \
	 sizeof(".conflict-01234567"))
#define BELOW_DEPTH 2

enum word { REQUEST_ID, HOST, USER, YEAR, MONTH, DAY, WORDS };

static const struct {
	const char *name;
	size_t max; /* bytes of the longest value */
} words[WORDS] = {
	[REQUEST_ID] = {"{request_id}", VALUE_MAX},
	[HOST] = {"{host}", VALUE_MAX},
	[USER] = {"{user}", VALUE_MAX},
	[YEAR] = {"{year}", 4},
	[MONTH] = {"{month}", 2},
	[DAY] = {"{day}", 2},
};

struct piece {
	struct slice text; /* plain bytes, or a {word} */
	bool braced;
	enum word word; /* of a braced one; WORDS: unknown */
};

/* Takes the next piece off *at; false at the end. */
static bool next_piece(const char **at, struct piece *p)
{
	const char *close;

	*p = (struct piece){.text = {*at, strcspn(*at, "{")}, .word = WORDS};
	if (!**at)
		return false;
	if (p->text.len == 0) {
		close = strchr(*at, '}');
		p->braced = true;
		p->text.len = close ? (size_t)(close - *at) + 1 : strlen(*at);
		for (p->word = 0; p->word < WORDS && !slice_is(p->text, words[p->word].name);)
			p->word++;
	}
	*at += p->text.len;
	return true;
}

static int check_pieces(const char *tmpl, struct sa_err *err)
{
	struct piece p;

	while (next_piece(&tmpl, &p)) {
		const char *end = p.text.ptr + p.text.len;
		const char *odd = p.text.ptr + strspn(p.text.ptr, PLAIN);

		if (p.braced && p.word == WORDS)
			return sa_fail(err, SA_ERR_INVALID,
				       "unknown word %.*s; there are {request_id} {host} {user} "
				       "{year} {month} {day}",
				       (int)p.text.len, p.text.ptr);
		if (!p.braced && odd < end && *odd == '}')
			return sa_fail(err, SA_ERR_INVALID, "a } without its {");
		if (!p.braced && odd < end)
			return sa_fail(err, SA_ERR_INVALID,
				       "byte 0x%02x; only letters, digits and . _ = / - may stand "
				       "between words",
				       (unsigned char)*odd);
	}
	return 0;
}

static int check_component(struct slice c, struct sa_err *err)
{
	if (c.len == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "an empty folder name; write one / between two, none at the ends");
	if (c.ptr[0] == '.')
		return sa_fail(err, SA_ERR_INVALID, "a folder name that begins with a dot");
	if (slice_starts(c, "session="))
		return sa_fail(err, SA_ERR_INVALID,
			       "a folder called session=...; sessions' own folders are");
	return 0;
}

static size_t longest(struct slice component)
{
	const char *at = component.ptr, *end = at + component.len;
	struct piece p;
	size_t n = 0;

	while (at < end && next_piece(&at, &p))
		n += p.braced ? words[p.word].max : p.text.len;
	return n - (size_t)(at - end); /* plain bytes may go on in the next component */
}

/* All pieces are known to be good. */
static int check_components(const char *tmpl, struct sa_err *err)
{
	size_t total = 0, depth = 0, n;
	const char *p = tmpl;
	int rc;

	for (;; p++) {
		struct slice c = {p, strcspn(p, "/")};

		if ((rc = check_component(c, err)))
			return rc;
		n = longest(c);
		if (n > COMPONENT_MAX)
			return sa_fail(
				err, SA_ERR_INVALID,
				"folder name %.*s can become %zu bytes long, %d are possible; "
				"put / between its words",
				(int)c.len, c.ptr, n, COMPONENT_MAX);
		total += n + 1;
		depth++;
		p += c.len;
		if (!*p)
			break;
	}
	if (total + BELOW_MAX > LAYOUT_KEY_MAX || depth + BELOW_DEPTH > LAYOUT_KEY_DEPTH)
		return sa_fail(err, SA_ERR_INVALID,
			       "keys could become %zu bytes long and %zu folders deep; %d and %d "
			       "are possible",
			       total + BELOW_MAX, depth + BELOW_DEPTH, LAYOUT_KEY_MAX,
			       LAYOUT_KEY_DEPTH);
	return 0;
}

/* Readers look there for other things. */
static int check_place(const char *tmpl, struct sa_err *err)
{
	static const char *const taken[] = {"index", "ledger", "probe"};
	struct slice first = {tmpl, strcspn(tmpl, "/")};
	const char *rest = tmpl + sizeof(LAYOUT_DEFAULT_PREFIX) - 1;

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (slice_is(first, taken[i]))
			return sa_fail(err, SA_ERR_INVALID, "folder %s is taken; name another",
				       taken[i]);
	if (slice_starts(slice_of(tmpl), "sessions/request=") &&
	    (!slice_starts(slice_of(tmpl), LAYOUT_DEFAULT_PREFIX) || (*rest && *rest != '/')))
		return sa_fail(err, SA_ERR_INVALID,
			       "after sessions/request= only {request_id} may stand");
	return 0;
}

int layout_prefix_check(const char *tmpl, struct sa_err *err)
{
	int rc;

	if (strlen(tmpl) > LAYOUT_PREFIX_MAX)
		return sa_fail(err, SA_ERR_INVALID, "longer than %d bytes", LAYOUT_PREFIX_MAX);
	if ((rc = check_pieces(tmpl, err)) || (rc = check_components(tmpl, err)))
		return rc;
	return check_place(tmpl, err);
}

static void put_name(struct buf *out, struct slice value, const char *absent)
{
	size_t start = out->len;

	if (value.len == 0) {
		buf_puts(out, absent);
		return;
	}
	escape_key_part(out, value);
	/* A component must not begin with a dot. */
	if (out->failed || out->data[start] != '.' || (start > 0 && out->data[start - 1] != '/'))
		return;
	buf_puts(out, "2E");
	if (out->failed)
		return;
	memmove(out->data + start + 3, out->data + start + 1, out->len - start - 3);
	memcpy(out->data + start, "%2E", 3);
}

static void put_word(struct buf *out, enum word word, const struct layout_facts *f)
{
	char when[CLOCK_TEXT_SIZE];

	clock_format_utc(f->start_ms, when); /* "2026-11-21T..." */
	switch (word) {
	case REQUEST_ID:
		put_name(out, f->request_id, "unapproved");
		break;
	case HOST:
		put_name(out, f->host, "unknown");
		break;
	case USER:
		put_name(out, f->user, "unknown");
		break;
	case YEAR:
		buf_append(out, when, 4);
		break;
	case MONTH:
		buf_append(out, when + 5, 2);
		break;
	case DAY:
		buf_append(out, when + 8, 2);
		break;
	case WORDS:
		break;
	}
}

void layout_prefix(struct buf *out, const char *tmpl, const struct layout_facts *f)
{
	struct piece p;

	while (next_piece(&tmpl, &p)) {
		if (p.braced)
			put_word(out, p.word, f);
		else
			buf_put(out, p.text);
	}
}

void layout_session_dir(struct buf *out, const char *tmpl, const struct layout_facts *f)
{
	layout_prefix(out, tmpl, f);
	buf_printf(out, "/session=%s/", f->sid);
}

bool layout_is_session_dir(struct slice key, struct slice sid)
{
	char last[sizeof("/session=/") + LAYOUT_SID_SIZE];
	size_t depth = 0, n;

	if (!key.ptr || !layout_is_session_id(sid) || key.len > LAYOUT_KEY_MAX)
		return false;
	n = (size_t)snprintf(last, sizeof(last), "/session=%.*s/", (int)sid.len, sid.ptr);
	if (key.len <= n || memcmp(key.ptr + key.len - n, last, n) != 0)
		return false;
	for (size_t i = 0; i < key.len; i++) {
		bool first = i == 0 || key.ptr[i - 1] == '/';

		if (!key.ptr[i] || !strchr(ESCAPED, key.ptr[i]) ||
		    (first && (key.ptr[i] == '/' || key.ptr[i] == '.')))
			return false;
		depth += key.ptr[i] == '/';
	}
	return depth < LAYOUT_KEY_DEPTH;
}
