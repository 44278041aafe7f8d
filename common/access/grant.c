/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/grant.h"
#include "common/access/match.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/escape.h"

#define GRANT_SCHEMA "sessaudit.grant/1"

static void list_free(struct grant_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		free(l->items[i]);
	free(l->items);
}

void grant_free(struct grant *g)
{
	if (!g)
		return;
	free(g->file);
	access_free(&g->access);
	list_free(&g->hosts);
	list_free(&g->users);
	list_free(&g->groups);
	list_free(&g->services);
	list_free(&g->source);
	list_free(&g->key_fp);
	list_free(&g->ca_fp);
	list_free(&g->cert_key_id);
	list_free(&g->cert_serial);
	free(g);
}

static void grant_freep(struct grant **g)
{
	grant_free(*g);
}

/* A key that is not known may be a criterion that narrows the grant: it must not be passed over. */
static int only_keys(const char *where, const struct json *object, const char *const *keys,
		     struct sa_err *err)
{
	for (size_t i = 0; i < json_len(object); i++) {
		struct slice key = json_key_at(object, i);
		size_t k = 0;

		while (keys[k] && !slice_is(key, keys[k]))
			k++;
		if (!keys[k])
			return sa_fail(err, SA_ERR_INVALID,
				       "%s%.*s: unknown key: remove it, or correct its name", where,
				       (int)(key.len < 64 ? key.len : 64), key.ptr);
	}
	return 0;
}

static int check_keys(const struct json *root, struct sa_err *err)
{
	static const char *const root_keys[] = {"schema",     "grant_id", "broker",    "request",
						"hosts",      "match",    "issued_at", "not_before",
						"expires_at", "revoked",  NULL};
	static const char *const request_keys[] = {
		"id",       "flow",   "requester", "approvals", "justification",
		"resource", "ticket", NULL};
	static const char *const flow_keys[] = {"id", "name", NULL};
	static const char *const requester_keys[] = {"id", "email", "name", NULL};
	static const char *const approval_keys[] = {"by", "type", "status", "at", NULL};
	static const char *const match_keys[] = {"users",       "groups",      "services",
						 "source",      "key_fp",      "ca_fp",
						 "cert_key_id", "cert_serial", NULL};
	const struct json *request = json_get(root, "request");
	const struct json *approvals = json_get(request, "approvals");
	int rc;

	if ((rc = only_keys("", root, root_keys, err)) < 0 ||
	    (rc = only_keys("request.", request, request_keys, err)) < 0 ||
	    (rc = only_keys("request.flow.", json_get(request, "flow"), flow_keys, err)) < 0 ||
	    (rc = only_keys("request.requester.", json_get(request, "requester"), requester_keys,
			    err)) < 0)
		return rc;
	for (size_t i = 0; json_is(approvals, JSON_ARRAY) && i < json_len(approvals); i++)
		if ((rc = only_keys("request.approvals.", json_at(approvals, i), approval_keys,
				    err)) < 0)
			return rc;
	return only_keys("match.", json_get(root, "match"), match_keys, err);
}

/* An empty list would have to mean "nobody" or "everybody"; so it means an error. */
static int read_list(const struct json *object, const char *where, const char *key,
		     struct grant_list *out, struct sa_err *err)
{
	int rc = 0;
	const struct json *list = access_read_object(object, where, key, JSON_ARRAY, &rc, err);
	size_t n = json_len(list);

	if (!list)
		return rc;
	if (n == 0 || n > GRANT_MAX_LIST)
		return sa_fail(err, SA_ERR_INVALID, "%s%s: must have 1 to %d items", where, key,
			       GRANT_MAX_LIST);
	out->items = calloc(n, sizeof(*out->items));
	if (!out->items)
		return sa_fail(err, SA_ERR_NOMEM, "%s%s: out of memory", where, key);
	for (; out->len < n; out->len++) {
		struct slice s = json_str(json_at(list, out->len));

		if (!s.ptr || s.len == 0 || s.len > ACCESS_MAX_FIELD || memchr(s.ptr, 0, s.len))
			return sa_fail(err, SA_ERR_INVALID,
				       "%s%s: must hold strings of 1 to %d bytes", where, key,
				       ACCESS_MAX_FIELD);
		out->items[out->len] = slice_dup(s);
		if (!out->items[out->len])
			return sa_fail(err, SA_ERR_NOMEM, "%s%s: out of memory", where, key);
	}
	return 0;
}

/* As ssh-keygen -l prints it. */
static bool is_fingerprint(const char *s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = sizeof("SHA256:") - 1;

	return strncmp(s, "SHA256:", n) == 0 && strlen(s + n) == 43 && strspn(s + n, digits) == 43;
}

/* One spelling for each number, since serials are compared as text. */
static bool is_serial(const char *s)
{
	static const char max[] = "18446744073709551615";
	size_t n = strlen(s);

	return n > 0 && strspn(s, "0123456789") == n && (s[0] != '0' || n == 1) &&
	       (n < sizeof(max) - 1 || (n == sizeof(max) - 1 && strcmp(s, max) <= 0));
}

static bool is_network(const char *s)
{
	return match_check_source(s) == 0;
}

/* A criterion that can never be met would only be noticed at the login that it refuses. */
static int check_items(const char *key, const struct grant_list *l, bool (*fits)(const char *),
		       const char *what, struct sa_err *err)
{
	for (size_t i = 0; i < l->len; i++)
		if (!fits(l->items[i]))
			return sa_fail(err, SA_ERR_INVALID, "match.%s: \"%.64s\": must be %s", key,
				       l->items[i], what);
	return 0;
}

static int check_match(const struct grant *g, struct sa_err *err)
{
	static const char fingerprint[] =
		"a fingerprint as ssh-keygen -l prints it, SHA256: and 43 characters";
	int rc;

	if (g->users.len == 0 && g->groups.len == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "match.users: missing: name the users, or the groups in "
			       "match.groups, that the grant is for");
	if ((rc = check_items("source", &g->source, is_network,
			      "an address or a network with no host bits set, as 10.0.0.0/8",
			      err)) < 0 ||
	    (rc = check_items("key_fp", &g->key_fp, is_fingerprint, fingerprint, err)) < 0 ||
	    (rc = check_items("ca_fp", &g->ca_fp, is_fingerprint, fingerprint, err)) < 0)
		return rc;
	return check_items("cert_serial", &g->cert_serial, is_serial,
			   "a decimal number below 2^64 without leading zeros", err);
}

static int read_match(const struct json *root, struct grant *g, struct sa_err *err)
{
	const char *where = "match.";
	int rc = 0;
	const struct json *m = access_read_object(root, "", "match", JSON_OBJECT, &rc, err);

	if (rc < 0 || (rc = read_list(root, "", "hosts", &g->hosts, err)) < 0 ||
	    (rc = read_list(m, where, "users", &g->users, err)) < 0 ||
	    (rc = read_list(m, where, "groups", &g->groups, err)) < 0 ||
	    (rc = read_list(m, where, "services", &g->services, err)) < 0 ||
	    (rc = read_list(m, where, "source", &g->source, err)) < 0 ||
	    (rc = read_list(m, where, "key_fp", &g->key_fp, err)) < 0 ||
	    (rc = read_list(m, where, "ca_fp", &g->ca_fp, err)) < 0 ||
	    (rc = read_list(m, where, "cert_key_id", &g->cert_key_id, err)) < 0 ||
	    (rc = read_list(m, where, "cert_serial", &g->cert_serial, err)) < 0)
		return rc;
	return check_match(g, err);
}

/* Replaces the text by the same time in UTC, which is what everything after us expects. */
static int read_time(const char *key, char **text, int64_t *ms, struct sa_err *err)
{
	char utc[CLOCK_TEXT_SIZE];

	if (!*text)
		return 0;
	if (clock_parse_utc(slice_of(*text), ms) < 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: not an RFC 3339 time: write it as 2026-11-21T05:00:00Z", key);
	clock_format_utc(*ms, utc);
	free(*text);
	*text = strdup(utc);
	return *text ? 0 : sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", key);
}

static int read_issued(const struct json *root, struct grant *g, struct sa_err *err)
{
	_cleanup_free_ char *text = NULL;
	int rc = access_read_str(root, "", "issued_at", &text, err);

	return rc < 0 ? rc : read_time("issued_at", &text, &g->issued_ms, err);
}

static int read_times(const struct json *root, struct grant *g, struct sa_err *err)
{
	int64_t ignored;
	int rc;

	if ((rc = access_read_str(root, "", "not_before", &g->access.not_before, err)) < 0 ||
	    (rc = access_read_str(root, "", "expires_at", &g->access.expires_at, err)) < 0 ||
	    (rc = read_time("not_before", &g->access.not_before, &g->not_before_ms, err)) < 0 ||
	    (rc = read_time("expires_at", &g->access.expires_at, &g->expires_ms, err)) < 0 ||
	    (rc = read_issued(root, g, err)) < 0)
		return rc;
	if (!g->access.expires_at)
		return sa_fail(err, SA_ERR_INVALID,
			       "expires_at: missing: say when the access ends, as "
			       "2026-11-21T05:00:00Z");
	if (g->expires_ms <= g->not_before_ms)
		return sa_fail(err, SA_ERR_INVALID, "expires_at: not after not_before");
	for (size_t i = 0; i < g->access.n_approvals; i++)
		if ((rc = read_time("request.approvals.at", &g->access.approvals[i].at, &ignored,
				    err)) < 0)
			return rc;
	return 0;
}

int grant_check_id(struct slice id, const char *where, struct sa_err *err)
{
	_cleanup_buf_ struct buf visible = {0};

	buf_init(&visible, 16 * GRANT_MAX_ID);
	if (id.len == 0)
		return sa_fail(err, SA_ERR_INVALID, "%s: empty", where);
	if (id.len > GRANT_MAX_ID)
		return sa_fail(err, SA_ERR_INVALID, "%s: longer than %d bytes", where,
			       GRANT_MAX_ID);
	escape_terminal(&visible, id);
	if (visible.failed)
		return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", where);
	if (!slice_eq(buf_slice(&visible), id))
		return sa_fail(err, SA_ERR_INVALID, "%s: holds control characters, or is not UTF-8",
			       where);
	if (slice_is(id, "unapproved")) /* the folder of those that have no request */
		return sa_fail(err, SA_ERR_INVALID, "%s: is a word that means no request", where);
	for (size_t i = 0; i < id.len; i++)
		if (strchr(" \"\\", id.ptr[i]))
			return sa_fail(err, SA_ERR_INVALID,
				       "%s: holds blanks, quotes or backslashes", where);
	return 0;
}

static int read_request(const struct json *root, struct grant *g, struct sa_err *err)
{
	int rc = 0;
	const struct json *request = access_read_object(root, "", "request", JSON_OBJECT, &rc, err);

	if (rc < 0 || (rc = access_read_request(request, &g->access, err)) < 0 ||
	    (rc = access_read_str(root, "", "grant_id", &g->access.grant_id, err)) < 0 ||
	    (rc = access_read_str(root, "", "broker", &g->access.broker, err)) < 0)
		return rc;
	if (!g->access.request_id)
		return sa_fail(err, SA_ERR_INVALID,
			       "request.id: missing: name the request that was approved");
	rc = grant_check_id(slice_of(g->access.request_id), "request.id", err);
	if (rc < 0 || !g->access.grant_id)
		return rc;
	return grant_check_id(slice_of(g->access.grant_id), "grant_id", err);
}

static int read_root(const struct json *root, struct grant *g, struct sa_err *err)
{
	const struct json *revoked = json_get(root, "revoked");
	int rc;

	if (!json_is(root, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID, "must be a JSON object");
	if (!slice_is(json_get_str(root, "schema"), GRANT_SCHEMA))
		return sa_fail(err, SA_ERR_INVALID, "schema: must be \"" GRANT_SCHEMA "\"");
	if (revoked && !json_is(revoked, JSON_BOOL))
		return sa_fail(err, SA_ERR_INVALID, "revoked: must be true or false");
	g->revoked = json_bool(revoked);
	if ((rc = check_keys(root, err)) < 0 || (rc = read_request(root, g, err)) < 0 ||
	    (rc = read_times(root, g, err)) < 0)
		return rc;
	return read_match(root, g, err);
}

int grant_parse(const char *name, struct slice text, struct grant **out, struct sa_err *err)
{
	__attribute__((cleanup(grant_freep))) struct grant *g = calloc(1, sizeof(*g));
	_cleanup_json_ struct json *root = NULL;
	char sha[DIGEST_HEX_SIZE];
	int rc;

	if (text.len > GRANT_MAX_BYTES)
		return sa_fail(err, SA_ERR_INVALID, "%s: larger than %d bytes", name,
			       GRANT_MAX_BYTES);
	if ((rc = json_parse(text.ptr, text.len, &root, err)) < 0)
		return sa_wrap(err, rc, "%s", name);
	digest_hex(text, sha);
	if (!g || !(g->file = strdup(name)) || !(g->access.grant_sha256 = strdup(sha)))
		return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", name);
	if ((rc = read_root(root, g, err)) < 0)
		return sa_wrap(err, rc, "%s", name);
	g->access.status = ACCESS_APPROVED;
	*out = TAKE_PTR(g);
	return 0;
}

bool grant_is_of(const struct grant *g, const struct access *a)
{
	const struct access *b = &g->access;

	if (a->grant_id && b->grant_id && strcmp(a->grant_id, b->grant_id) != 0)
		return false;
	return slice_eq(slice_of(a->request_id), slice_of(b->request_id));
}
