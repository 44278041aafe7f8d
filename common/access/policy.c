/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/access/match.h"
#include "common/access/policy.h"
#include "common/cleanup.h"
#include "common/escape.h"

#define GROUP_MAX 255 /* bytes of a group's name */
#define MESSAGE_MAX 8192

/* Takes one word off a comma list; blanks around it are dropped. */
static struct slice next_word(struct slice *rest)
{
	return slice_trim(slice_cut(rest, ','), " \t");
}

bool policy_accepts(const struct settings *s, enum access_status status)
{
	struct slice rest = slice_of(s->policy_accept);

	while (rest.len > 0)
		if (slice_is(next_word(&rest), access_status_name(status)))
			return true;
	return false;
}

/* A pattern taken apart: no user, group or service has a / in its name. */
struct pattern {
	struct slice who;
	bool group;           /* who is one */
	struct slice service; /* absent: every one */
};

static struct pattern pattern_of(const char *text)
{
	const char *slash = strchr(text, '/');
	struct slice who = {text, slash ? (size_t)(slash - text) : strlen(text)};
	bool group = who.len > 0 && who.ptr[0] == '@';

	return (struct pattern){.who = {who.ptr + group, who.len - group},
				.group = group,
				.service = slash ? slice_of(slash + 1) : SLICE_NONE};
}

static bool group_fits(struct slice name, const struct policy_login *login)
{
	char group[GROUP_MAX + 1] = "";

	if (name.len > GROUP_MAX || !login->in_group)
		return false;
	memcpy(group, name.ptr, name.len);
	return login->in_group(login->ctx, login->user, group);
}

static bool pattern_fits(const char *text, const struct policy_login *login)
{
	struct pattern p = pattern_of(text);

	if (p.service.ptr && !match_glob(p.service, login->service))
		return false;
	return p.group ? group_fits(p.who, login) : match_glob(p.who, login->user);
}

static bool list_fits(const struct conf_list *l, const struct policy_login *login)
{
	for (size_t i = 0; i < l->len; i++)
		if (pattern_fits(l->items[i], login))
			return true;
	return false;
}

enum access_policy policy_decide(const struct settings *s, const struct policy_login *login,
				 enum access_status status)
{
	const char *on_none = login->on_none ? login->on_none : s->policy_on_none;

	if (policy_accepts(s, status) || list_fits(&s->policy_record, login))
		return ACCESS_POLICY_NONE;
	if (strcmp(on_none, "deny") != 0 && !list_fits(&s->policy_deny, login))
		return ACCESS_POLICY_NONE;
	return list_fits(&s->policy_exempt, login) ? ACCESS_POLICY_EXEMPT : ACCESS_POLICY_DENIED;
}

bool policy_breakglass(const struct settings *s, const struct policy_login *login)
{
	return list_fits(&s->policy_breakglass, login);
}

bool policy_may_deny(const struct settings *s)
{
	return strcmp(s->policy_on_none, "deny") == 0 || s->policy_deny.len > 0;
}

static const char *pattern_fault(const char *text)
{
	struct pattern p = pattern_of(text);

	if (strpbrk(text, ", \t"))
		return "one pattern to a line, without blanks and commas";
	if (p.who.len == 0)
		return p.group ? "names no group; write @GROUP"
			       : "names no user; write * for all of them";
	if (p.group && p.who.len > GROUP_MAX)
		return "no group has so long a name";
	if (p.group && (memchr(p.who.ptr, '*', p.who.len) || memchr(p.who.ptr, '?', p.who.len)))
		return "* and ? do not work in a group; name each";
	if (p.service.ptr && p.service.len == 0)
		return "names no service; leave the / out for all of them";
	if (p.service.ptr && memchr(p.service.ptr, '/', p.service.len))
		return "has two /; write USER/SERVICE";
	return NULL;
}

static int check_list(const char *option, const struct conf_list *l, struct sa_err *err)
{
	for (size_t i = 0; i < l->len; i++) {
		const char *fault = pattern_fault(l->items[i]);

		if (fault)
			return sa_fail(err, SA_ERR_INVALID, "policy.%s: %s: %s", option,
				       l->items[i], fault);
	}
	return 0;
}

static int check_accept(const struct settings *s, struct sa_err *err)
{
	struct slice rest = slice_of(s->policy_accept);
	enum access_status status;

	if (rest.len == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "policy.accept: empty: no login would have an accepted status; "
			       "write at least approved");
	while (rest.len > 0) {
		struct slice word = next_word(&rest);

		if (access_status_parse(word, &status) < 0)
			return sa_fail(err, SA_ERR_INVALID,
				       "policy.accept: %.*s: no status; known are approved, "
				       "id_only, ambiguous, conflict, breakglass",
				       (int)word.len, word.ptr);
		if (status == ACCESS_UNAPPROVED)
			return sa_fail(err, SA_ERR_INVALID,
				       "policy.accept: unapproved: is what on_none is about; write "
				       "on_none = record");
	}
	return 0;
}

int policy_check(const struct settings *s, struct sa_err *err)
{
	int rc;

	if ((rc = check_accept(s, err)) < 0 ||
	    (rc = check_list("deny", &s->policy_deny, err)) < 0 ||
	    (rc = check_list("record", &s->policy_record, err)) < 0 ||
	    (rc = check_list("exempt", &s->policy_exempt, err)) < 0)
		return rc;
	return check_list("breakglass", &s->policy_breakglass, err);
}

void policy_message(struct buf *out, const char *user, const char *host, const struct access *a)
{
	_cleanup_buf_ struct buf line = {0};

	buf_init(&line, MESSAGE_MAX);
	buf_printf(&line, "no approved access request for %s on %s", user, host);
	if (a->reason)
		buf_printf(&line, " (%s)", a->reason);
	buf_puts(&line, "; ask for access, then log in again");
	escape_terminal(out, buf_slice(&line));
}
