/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "cli/import.h"
#include "common/cleanup.h"

/*
 * Apono's webhook for access requests (docs.apono.io, "Webhook Payload Schema Reference" and
 * "Custom Webhooks"): event_type is one of the triggers, RequestGranted or AccessRequestGranted;
 * times are seconds since the epoch with a fraction. Bodies come out of a template that the admin
 * writes, so a number may be a string as well.
 */

#define YEAR_9999_S 253402300799.0
#define NUMBER_MAX 40 /* characters */
#define DURATION_MAX_S (100.0 * 366 * 86400)

/* The event's name without "Access" and "Request". */
static const struct {
	const char *name;
	bool ended;
} states[] = {
	{"Approved", false}, {"Granted", false}, {"Expired", true},
	{"Revoked", true},   {"Deleted", true},
};

static struct slice after(struct slice text, const char *word)
{
	size_t n = slice_starts(text, word) ? strlen(word) : 0;

	return (struct slice){text.ptr + n, text.len - n};
}

static int read_state(const struct json *root, struct import *out, struct sa_err *err)
{
	struct slice type = SLICE_NONE, name;
	int rc = access_read_text(root, "", "event_type", &type, err);

	if (rc < 0)
		return rc;
	if (!type.ptr)
		return sa_fail(err, SA_ERR_INVALID, "event_type: missing");
	import_state(out, type);
	name = after(after(type, "Access"), "Request");
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (slice_is(name, states[i].name)) {
			out->ended = states[i].ended;
			return 0;
		}
	}
	return sa_fail(err, SA_ERR_INVALID, "event_type: %s: not an approval", out->state);
}

/* A count of seconds, as number or string; *ms is in milliseconds. */
static int read_seconds(const struct json *object, const char *where, const char *key, double max,
			int64_t *ms, struct sa_err *err)
{
	const struct json *j = json_get(object, key);
	struct slice s = json_is(j, JSON_NUMBER) ? json_number(j) : json_str(j);
	char text[NUMBER_MAX + 1], *end;
	double seconds;

	if (!j || json_is(j, JSON_NULL) || (s.ptr && s.len == 0))
		return 0;
	if (!s.ptr)
		return sa_fail(err, SA_ERR_INVALID, "%s%s: must be a number", where, key);
	if (s.len > NUMBER_MAX || s.ptr[0] < '0' || s.ptr[0] > '9')
		return sa_fail(err, SA_ERR_INVALID, "%s%s: not a number of seconds", where, key);
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	seconds = strtod(text, &end);
	if (end != text + s.len || strspn(text, "0123456789.eE+-") != s.len || !(seconds <= max))
		return sa_fail(err, SA_ERR_INVALID, "%s%s: not a number of seconds", where, key);
	*ms = (int64_t)(seconds * 1000 + 0.5);
	return 0;
}

static int read_person(const struct json *data, const char *key, char **id, char **name,
		       struct sa_err *err)
{
	const struct json *person = NULL;
	char where[32];
	int rc;

	snprintf(where, sizeof(where), "data.%s.", key);
	if ((rc = import_part(data, "data.", key, JSON_OBJECT, &person, err)) < 0 ||
	    (rc = import_set(person, where, "id", id, err)) < 0 ||
	    (rc = import_set(person, where, "name", name, err)) < 0)
		return rc;
	return import_set(person, where, "email", name, err);
}

static int read_flow(const struct json *data, struct access *a, struct sa_err *err)
{
	const struct json *flow = NULL;
	int rc = import_part(data, "data.", "access_flow", JSON_OBJECT, &flow, err);

	if (rc < 0 || (rc = import_set(flow, "data.access_flow.", "id", &a->flow_id, err)) < 0)
		return rc;
	return import_set(flow, "data.access_flow.", "name", &a->flow, err);
}

static int name_of(const struct json *object, const char *where, const char *key, struct slice *out,
		   struct sa_err *err)
{
	const struct json *part = NULL;
	int rc = import_part(object, where, key, JSON_OBJECT, &part, err);

	return rc < 0 ? rc : access_read_text(part, where, "name", out, err);
}

/* "prod db/DB 1 (admin)": a resource and what one may do there. */
static void put_item(struct buf *list, struct slice integration, struct slice resource,
		     struct slice permission)
{
	_cleanup_buf_ struct buf item = {0};

	buf_init(&item, IMPORT_MAX_BYTES);
	buf_put(&item, integration);
	if (integration.len > 0 && resource.len > 0)
		buf_putc(&item, '/');
	buf_put(&item, resource);
	if (permission.len > 0) {
		buf_puts(&item, " (");
		buf_put(&item, permission);
		buf_putc(&item, ')');
	}
	import_list(list, &item);
}

static int read_unit(const struct json *unit, struct slice integration, struct buf *list,
		     struct sa_err *err)
{
	static const char where[] = "data.access_groups.access_units.";
	struct slice resource = SLICE_NONE, permission = SLICE_NONE;
	int rc;

	if (!json_is(unit, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID,
			       "data.access_groups.access_units: must hold objects");
	if ((rc = name_of(unit, where, "resource", &resource, err)) < 0 ||
	    (rc = name_of(unit, where, "permission", &permission, err)) < 0)
		return rc;
	put_item(list, integration, resource, permission);
	return 0;
}

static int read_group(const struct json *group, struct buf *list, struct sa_err *err)
{
	static const char where[] = "data.access_groups.";
	struct slice integration = SLICE_NONE;
	const struct json *units = NULL;
	int rc;

	if (!json_is(group, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID, "data.access_groups: must hold objects");
	if ((rc = name_of(group, where, "integration", &integration, err)) < 0 ||
	    (rc = import_part(group, where, "access_units", JSON_ARRAY, &units, err)) < 0)
		return rc;
	if (json_len(units) == 0)
		put_item(list, integration, SLICE_NONE, SLICE_NONE);
	for (size_t i = 0; i < json_len(units) && rc == 0; i++)
		rc = read_unit(json_at(units, i), integration, list, err);
	return rc;
}

/* The one who asked need not be the one who gets it; a grant has no place for the second but
 * here. */
static int add_grantee(const struct json *data, const struct access *a, struct buf *list,
		       struct sa_err *err)
{
	_cleanup_free_ char *id = NULL, *name = NULL;
	_cleanup_buf_ struct buf item = {0};
	int rc = read_person(data, "grantee", &id, &name, err);

	buf_init(&item, 2 * ACCESS_MAX_FIELD);
	if (rc < 0 || !name || (id && a->requester_id && strcmp(id, a->requester_id) == 0) ||
	    (a->requester && strcmp(name, a->requester) == 0))
		return rc;
	buf_printf(&item, "for %s", name);
	import_list(list, &item);
	return 0;
}

static int read_resource(const struct json *data, struct import *out, struct sa_err *err)
{
	const struct json *groups = NULL;
	_cleanup_buf_ struct buf list = {0};
	int rc = import_part(data, "data.", "access_groups", JSON_ARRAY, &groups, err);

	buf_init(&list, ACCESS_MAX_FIELD);
	if (rc == 0)
		rc = add_grantee(data, &out->grant.access, &list, err);
	for (size_t i = 0; i < json_len(groups) && rc == 0; i++)
		rc = read_group(json_at(groups, i), &list, err);
	return rc < 0 ? rc : import_resource(out, &list, err);
}

static int read_approval(const struct json *approval, struct import *out, struct sa_err *err)
{
	static const char where[] = "data.approvals.";
	struct slice by = SLICE_NONE, type = SLICE_NONE, status = SLICE_NONE;
	const struct json *approver = NULL;
	int rc;

	if (!json_is(approval, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID, "data.approvals: must hold objects");
	if ((rc = import_part(approval, where, "approver", JSON_OBJECT, &approver, err)) < 0 ||
	    (rc = access_read_text(approval, where, "name", &by, err)) < 0 ||
	    (rc = access_read_text(approver, "data.approvals.approver.", "name", &by, err)) < 0 ||
	    (rc = access_read_text(approver, "data.approvals.approver.", "email", &by, err)) < 0 ||
	    (rc = access_read_text(approval, where, "type", &type, err)) < 0 ||
	    (rc = access_read_text(approval, where, "status", &status, err)) < 0)
		return rc;
	return import_approval(out, by, type, status, 0, err);
}

static int read_approvals(const struct json *data, struct import *out, struct sa_err *err)
{
	const struct json *list = NULL;
	int rc = import_part(data, "data.", "approvals", JSON_ARRAY, &list, err);

	for (size_t i = 0; i < json_len(list) && rc == 0; i++)
		rc = read_approval(json_at(list, i), out, err);
	return rc;
}

static int read_ids(const struct json *data, struct import *out, struct sa_err *err)
{
	struct slice id = SLICE_NONE, friendly = SLICE_NONE;
	int rc;

	if ((rc = access_read_text(data, "data.", "id", &id, err)) < 0 ||
	    (rc = access_read_text(data, "data.", "friendly_id", &friendly, err)) < 0)
		return rc;
	if (!id.ptr && !friendly.ptr)
		return sa_fail(err, SA_ERR_INVALID, "data.id, data.friendly_id: missing");
	return import_ids(out, "apono", friendly.ptr ? friendly : id, id.ptr ? id : friendly, err);
}

/* Until when: revocation_date, or so long after the grant was given. */
static int read_times(const struct json *root, const struct json *data, struct import *out,
		      struct sa_err *err)
{
	struct grant *g = &out->grant;
	int64_t duration_ms = 0;
	int rc;

	if ((rc = read_seconds(root, "", "event_time", YEAR_9999_S, &g->issued_ms, err)) < 0 ||
	    (rc = read_seconds(data, "data.", "revocation_date", YEAR_9999_S, &g->expires_ms,
			       err)) < 0 ||
	    (rc = read_seconds(data, "data.", "access_duration_in_seconds", DURATION_MAX_S,
			       &duration_ms, err)) < 0)
		return rc;
	g->not_before_ms = g->issued_ms;
	if (g->expires_ms == 0 && g->issued_ms > 0 && duration_ms > 0)
		g->expires_ms = g->issued_ms + duration_ms;
	return 0;
}

int import_apono(const struct json *root, struct import *out, struct sa_err *err)
{
	struct access *a = &out->grant.access;
	const struct json *data = NULL;
	int rc;

	if (!json_is(root, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID, "must be a JSON object");
	if ((rc = read_state(root, out, err)) < 0 ||
	    (rc = import_part(root, "", "data", JSON_OBJECT, &data, err)) < 0 ||
	    (rc = read_ids(data, out, err)) < 0 ||
	    (rc = read_person(data, "requester", &a->requester_id, &a->requester, err)) < 0 ||
	    (rc = read_flow(data, a, err)) < 0 || (rc = read_approvals(data, out, err)) < 0 ||
	    (rc = read_resource(data, out, err)) < 0 ||
	    (rc = import_set(data, "data.", "justification", &a->justification, err)) < 0)
		return rc;
	return read_times(root, data, out, err);
}
