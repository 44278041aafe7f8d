/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "cli/import.h"

#include <stdlib.h>

#include "cli/grant_write.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"

static const struct {
	const char *broker;
	int (*read)(const struct json *root, struct import *out, struct sa_err *err);
} readers[] = {
	{"apono", import_apono},
	{"teleport", import_teleport},
};

static void free_list(struct grant_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		free(l->items[i]);
	free(l->items);
}

/* Only what a reader fills in. */
void import_free(struct import *i)
{
	access_free(&i->grant.access);
	free_list(&i->grant.users);
	*i = (struct import){0};
}

bool import_knows(const char *broker)
{
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		if (strcmp(readers[i].broker, broker) == 0)
			return true;
	return false;
}

int import_read(const char *broker, struct slice payload, struct import *out, struct sa_err *err)
{
	_cleanup_json_ struct json *root = NULL;
	int rc;

	*out = (struct import){0};
	if (payload.len > IMPORT_MAX_BYTES)
		return sa_fail(err, SA_ERR_TOOBIG, "larger than %d bytes", IMPORT_MAX_BYTES);
	if ((rc = json_parse(payload.ptr, payload.len, &root, err)) < 0)
		return rc;
	rc = sa_fail(err, SA_ERR_INVALID, "%s: no such broker", broker);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		if (strcmp(readers[i].broker, broker) == 0)
			rc = readers[i].read(root, out, err);
	if (rc < 0)
		import_free(out);
	return rc;
}

int import_set(const struct json *object, const char *where, const char *key, char **out,
	       struct sa_err *err)
{
	struct slice text = SLICE_NONE;
	int rc = access_read_text(object, where, key, &text, err);

	if (rc < 0 || !text.ptr)
		return rc;
	rc = access_set(out, text);
	return rc < 0 ? sa_fail(err, rc, "%s%s: out of memory", where, key) : 0;
}

int import_part(const struct json *object, const char *where, const char *key, enum json_type type,
		const struct json **out, struct sa_err *err)
{
	const struct json *j = json_get(object, key);

	if (!j || json_is(j, JSON_NULL))
		return 0;
	if (!json_is(j, type))
		return sa_fail(err, SA_ERR_INVALID, "%s%s: must be %s", where, key,
			       type == JSON_ARRAY ? "an array" : "an object");
	*out = j;
	return 0;
}

int import_time(const struct json *object, const char *where, const char *key, int64_t *ms,
		struct sa_err *err)
{
	struct slice text = SLICE_NONE;
	int rc = access_read_text(object, where, key, &text, err);
	int64_t parsed;

	if (rc < 0 || !text.ptr || slice_starts(text, "0001-01-01T"))
		return rc;
	if (clock_parse_utc(text, &parsed) < 0 || parsed <= 0)
		return sa_fail(err, SA_ERR_INVALID, "%s%s: not an RFC 3339 time after 1970", where,
			       key);
	*ms = parsed;
	return 0;
}

static int set_lower(char **field, struct slice text)
{
	int rc = text.ptr ? access_set(field, text) : 0;

	for (char *p = *field; rc == 0 && p && *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	return rc;
}

int import_approval(struct import *i, struct slice by, struct slice type, struct slice status,
		    int64_t at_ms, struct sa_err *err)
{
	struct access *a = &i->grant.access;
	struct access_approval *last;
	char at[CLOCK_TEXT_SIZE];
	int rc = access_add_approval(a, by, "user");

	if (rc == SA_ERR_TOOBIG)
		return sa_fail(err, SA_ERR_INVALID, "more than %d approvals", ACCESS_MAX_APPROVALS);
	last = rc == 0 ? &a->approvals[a->n_approvals - 1] : NULL;
	if (!last || set_lower(&last->type, type) < 0 || set_lower(&last->status, status) < 0)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if (at_ms == 0)
		return 0;
	clock_format_utc(at_ms, at);
	rc = access_set(&last->at, slice_of(at));
	return rc < 0 ? sa_fail(err, rc, "out of memory") : 0;
}

int import_ids(struct import *i, const char *broker, struct slice request_id, struct slice id,
	       struct sa_err *err)
{
	struct access *a = &i->grant.access;
	_cleanup_buf_ struct buf grant_id = {0};

	buf_init(&grant_id, GRANT_MAX_ID);
	buf_printf(&grant_id, "%s-", broker);
	buf_put(&grant_id, id);
	if (grant_id.failed || request_id.len > GRANT_MAX_ID)
		return sa_fail(err, SA_ERR_INVALID, "the request's id: longer than %d bytes",
			       GRANT_MAX_ID - (int)strlen(broker) - 1);
	if (access_set(&a->request_id, request_id) < 0 ||
	    access_set(&a->grant_id, buf_slice(&grant_id)) < 0 ||
	    access_set(&a->broker, slice_of(broker)) < 0)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return 0;
}

void import_state(struct import *i, struct slice state)
{
	_cleanup_buf_ struct buf safe = {0};

	buf_init(&safe, 1024);
	state.len = state.len > 40 ? escape_utf8_cut(state, 40) : state.len;
	escape_terminal(&safe, state);
	snprintf(i->state, sizeof(i->state), "%s", buf_cstr(&safe));
}

void import_list(struct buf *text, const struct buf *item)
{
	static const char more[] = ", ...";

	text->failed = text->failed || item->failed;
	if (item->len == 0)
		return;
	if (text->len + item->len + 2 + sizeof(more) > ACCESS_MAX_FIELD) {
		if (!slice_ends(buf_slice(text), more))
			buf_puts(text, more);
		return;
	}
	if (text->len > 0)
		buf_puts(text, ", ");
	buf_put(text, buf_slice(item));
}

int import_resource(struct import *i, const struct buf *text, struct sa_err *err)
{
	if (text->failed || access_set(&i->grant.access.resource, buf_slice(text)) < 0)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return 0;
}

/* As it shall be written: a shallow copy, nothing in it is owned. */
static int fill(const struct import *i, const struct import_options *o, struct grant *g,
		struct sa_err *err)
{
	char end[CLOCK_TEXT_SIZE];

	*g = i->grant;
	clock_format_utc(g->expires_ms, end);
	if (o->users.len > 0)
		g->users = o->users;
	g->hosts = o->hosts;
	g->services = o->services;
	if (g->users.len == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "the request names no unix user; say whose login it is for with "
			       "--user NAME");
	if (g->expires_ms > 0 && o->expires_ms > g->expires_ms)
		return sa_fail(err, SA_ERR_INVALID,
			       "the request is approved until %s; the grant must not be longer",
			       end);
	if (o->expires_ms > 0)
		g->expires_ms = o->expires_ms;
	if (g->expires_ms == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "the request says no end; give one with --expires-at or --for");
	clock_format_utc(g->expires_ms, end);
	if (g->expires_ms <= o->now_ms)
		return sa_fail(err, SA_ERR_INVALID, "the approval expired at %s", end);
	if (g->issued_ms == 0)
		g->issued_ms = o->now_ms;
	return 0;
}

static int write_checked(const struct grant *g, struct buf *out, struct sa_err *err)
{
	struct grant *parsed = NULL;
	int rc;

	buf_clear(out);
	grant_write(out, g);
	if (out->failed)
		return sa_fail(err, SA_ERR_TOOBIG, "the grant is larger than %d bytes",
			       GRANT_MAX_BYTES);
	rc = grant_parse("grant", buf_slice(out), &parsed, err);
	grant_free(parsed);
	return rc;
}

int import_grant(const struct import *i, const struct import_options *o, struct buf *out,
		 struct sa_err *err)
{
	struct grant g;
	int rc;

	if (i->ended)
		return sa_fail(err, SA_ERR_INVALID, "%s: approved no longer", i->state);
	rc = fill(i, o, &g, err);
	return rc < 0 ? rc : write_checked(&g, out, err);
}

int import_revoke(const struct import *i, const struct grant *have, struct buf *out,
		  struct sa_err *err)
{
	struct grant g = *have;

	g.revoked = true;
	if (i->grant.issued_ms > g.issued_ms)
		g.issued_ms = i->grant.issued_ms;
	return write_checked(&g, out, err);
}

int import_check_newer(const struct import *i, const struct grant *have, struct sa_err *err)
{
	const char *id = have->access.grant_id ? have->access.grant_id : "no id";
	int64_t says = i->grant.issued_ms;
	char text[CLOCK_TEXT_SIZE];

	if (strcmp(id, i->grant.access.grant_id) != 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "the file that is there holds another grant (%s)", id);
	/* A withdrawal is undone only by what is known to be later. */
	if (have->revoked ? have->issued_ms < says : says == 0 || have->issued_ms <= says)
		return 0;
	clock_format_utc(have->issued_ms, text);
	return sa_fail(err, SA_ERR_INVALID, "the grant that is there is newer (of %s%s)", text,
		       have->revoked ? ", revoked" : "");
}
