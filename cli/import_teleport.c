/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/import.h"
#include "common/cleanup.h"

/*
 * Teleport's access request, as `tctl requests get --format=json` prints it (a list of one) or
 * `tctl get access_request/<id> --format=json`: AccessRequestV3 of api/types/access_request.go. The
 * id is metadata.name, which is also what the certificate's teleport-active-requests names.
 * States are numbers there (types.proto, RequestState); a name is taken too.
 */

enum { STATE_PENDING = 1, STATE_APPROVED, STATE_DENIED, STATE_PROMOTED, STATES };
static const char *const state_names[STATES] = {"NONE", "PENDING", "APPROVED", "DENIED",
						"PROMOTED"};

static int read_state(const struct json *object, const char *where, const char *key, int64_t *out,
		      struct sa_err *err)
{
	const struct json *j = json_get(object, key);

	*out = 0;
	if (!j || json_is(j, JSON_NULL))
		return 0;
	for (int64_t s = 0; s < STATES; s++) {
		if (slice_is(json_str(j), state_names[s])) {
			*out = s;
			return 0;
		}
	}
	if (json_int(j, out) != 0 || *out < 0 || *out >= STATES)
		return sa_fail(err, SA_ERR_INVALID, "%s%s: not a known state", where, key);
	return 0;
}

static int read_review(const struct json *review, struct import *out, struct sa_err *err)
{
	static const char where[] = "spec.reviews.";
	struct slice author = SLICE_NONE;
	int64_t state, at_ms = 0;
	int rc;

	if (!json_is(review, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID, "spec.reviews: must hold objects");
	if ((rc = access_read_text(review, where, "author", &author, err)) < 0 ||
	    (rc = read_state(review, where, "proposed_state", &state, err)) < 0 ||
	    (rc = import_time(review, where, "created", &at_ms, err)) < 0)
		return rc;
	if (at_ms > out->grant.issued_ms)
		out->grant.issued_ms = at_ms;
	return import_approval(out, author, SLICE_LIT("user"), slice_of(state_names[state]), at_ms,
			       err);
}

static int read_reviews(const struct json *spec, struct import *out, struct sa_err *err)
{
	const struct json *list = NULL;
	int rc = import_part(spec, "spec.", "reviews", JSON_ARRAY, &list, err);

	for (size_t i = 0; i < json_len(list) && rc == 0; i++)
		rc = read_review(json_at(list, i), out, err);
	return rc;
}

static int add_roles(const struct json *spec, struct buf *list, struct sa_err *err)
{
	const struct json *roles = NULL;
	int rc = import_part(spec, "spec.", "roles", JSON_ARRAY, &roles, err);

	for (size_t i = 0; i < json_len(roles) && rc == 0; i++) {
		struct slice role = json_str(json_at(roles, i));
		_cleanup_buf_ struct buf item = {0};

		buf_init(&item, IMPORT_MAX_BYTES);
		if (!role.ptr || memchr(role.ptr, 0, role.len))
			return sa_fail(err, SA_ERR_INVALID, "spec.roles: must hold strings");
		buf_puts(&item, "role ");
		buf_put(&item, role);
		import_list(list, &item);
	}
	return rc;
}

/* "node/6f8d..." */
static int add_resources(const struct json *spec, struct buf *list, struct sa_err *err)
{
	static const char where[] = "spec.resource_ids.";
	const struct json *ids = NULL;
	int rc = import_part(spec, "spec.", "resource_ids", JSON_ARRAY, &ids, err);

	for (size_t i = 0; i < json_len(ids) && rc == 0; i++) {
		const struct json *id = json_at(ids, i);
		struct slice kind = SLICE_LIT("resource"), name = SLICE_LIT("?");
		_cleanup_buf_ struct buf item = {0};

		buf_init(&item, IMPORT_MAX_BYTES);
		if (!json_is(id, JSON_OBJECT))
			return sa_fail(err, SA_ERR_INVALID, "spec.resource_ids: must hold objects");
		if ((rc = access_read_text(id, where, "kind", &kind, err)) < 0 ||
		    (rc = access_read_text(id, where, "name", &name, err)) < 0)
			return rc;
		buf_put(&item, kind);
		buf_putc(&item, '/');
		buf_put(&item, name);
		import_list(list, &item);
	}
	return rc;
}

static int read_resource(const struct json *spec, struct import *out, struct sa_err *err)
{
	_cleanup_buf_ struct buf list = {0};
	int rc;

	buf_init(&list, ACCESS_MAX_FIELD);
	if ((rc = add_roles(spec, &list, err)) < 0 || (rc = add_resources(spec, &list, err)) < 0)
		return rc;
	return import_resource(out, &list, err);
}

/* The unix user that was asked for, where the request says one. */
static int read_login(const struct json *spec, struct grant *g, struct sa_err *err)
{
	_cleanup_free_ char *login = NULL;
	int rc = import_set(spec, "spec.", "login_hint", &login, err);

	if (rc < 0 || !login)
		return rc;
	g->users.items = calloc(1, sizeof(*g->users.items));
	if (!g->users.items)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	g->users.items[0] = TAKE_PTR(login);
	g->users.len = 1;
	return 0;
}

static void keep_earlier(int64_t *ms, int64_t other_ms)
{
	if (other_ms > 0 && (*ms == 0 || other_ms < *ms))
		*ms = other_ms;
}

/* The earliest of the ends that are said; metadata.expires is when Teleport forgets the request. */
static int read_times(const struct json *metadata, const struct json *spec, struct grant *g,
		      struct sa_err *err)
{
	int64_t access_ms = 0, longest_ms = 0, forgotten_ms = 0, created_ms = 0;
	int rc;

	if ((rc = import_time(spec, "spec.", "created", &created_ms, err)) < 0 ||
	    (rc = import_time(spec, "spec.", "expires", &g->expires_ms, err)) < 0 ||
	    (rc = import_time(spec, "spec.", "access_expiry", &access_ms, err)) < 0 ||
	    (rc = import_time(spec, "spec.", "max_duration", &longest_ms, err)) < 0 ||
	    (rc = import_time(metadata, "metadata.", "expires", &forgotten_ms, err)) < 0)
		return rc;
	keep_earlier(&g->expires_ms, access_ms);
	keep_earlier(&g->expires_ms, longest_ms);
	if (g->expires_ms == 0)
		g->expires_ms = forgotten_ms;
	if (g->issued_ms == 0)
		g->issued_ms = created_ms;
	g->not_before_ms = created_ms;
	return import_time(spec, "spec.", "assume_start_time", &g->not_before_ms, err);
}

static int read_spec(const struct json *metadata, const struct json *spec, struct import *out,
		     struct sa_err *err)
{
	struct access *a = &out->grant.access;
	int rc;

	if ((rc = import_set(spec, "spec.", "user", &a->requester, err)) < 0 ||
	    (rc = import_set(spec, "spec.", "request_reason", &a->justification, err)) < 0 ||
	    (rc = read_resource(spec, out, err)) < 0 ||
	    (rc = read_login(spec, &out->grant, err)) < 0 ||
	    (rc = read_reviews(spec, out, err)) < 0)
		return rc;
	return read_times(metadata, spec, &out->grant, err);
}

static int check_state(const struct json *spec, struct import *out, struct sa_err *err)
{
	int64_t state;
	int rc = read_state(spec, "spec.", "state", &state, err);

	if (rc < 0)
		return rc;
	import_state(out, slice_of(state_names[state]));
	out->ended = state == STATE_DENIED;
	if (state == STATE_APPROVED || state == STATE_DENIED)
		return 0;
	return sa_fail(err, SA_ERR_INVALID, "spec.state: %s: not an approval", out->state);
}

int import_teleport(const struct json *root, struct import *out, struct sa_err *err)
{
	const struct json *metadata = NULL, *spec = NULL;
	struct slice id = SLICE_NONE, kind = SLICE_NONE;
	int rc;

	if (json_is(root, JSON_ARRAY) && json_len(root) != 1)
		return sa_fail(err, SA_ERR_INVALID, "holds %zu requests: give one at a time",
			       json_len(root));
	if (json_is(root, JSON_ARRAY))
		root = json_at(root, 0);
	if (!json_is(root, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID, "must be a JSON object");
	if ((rc = access_read_text(root, "", "kind", &kind, err)) < 0 ||
	    (rc = import_part(root, "", "metadata", JSON_OBJECT, &metadata, err)) < 0 ||
	    (rc = import_part(root, "", "spec", JSON_OBJECT, &spec, err)) < 0 ||
	    (rc = access_read_text(metadata, "metadata.", "name", &id, err)) < 0)
		return rc;
	if (!slice_is(kind, "access_request"))
		return sa_fail(err, SA_ERR_INVALID, "kind: must be \"access_request\"");
	if (!id.ptr)
		return sa_fail(err, SA_ERR_INVALID, "metadata.name: missing");
	if ((rc = import_ids(out, "teleport", id, id, err)) < 0 ||
	    (rc = check_state(spec, out, err)) < 0)
		return rc;
	return read_spec(metadata, spec, out, err);
}
