/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/access/access.h"

static void write_opt(struct json_writer *w, const char *key, const char *value)
{
	json_write_kstr_opt(w, key, slice_of(value));
}

/* {"id":...,"<name_key>":...} under key, or nothing when neither is known. */
static void write_named(struct json_writer *w, const char *key, const char *id,
			const char *name_key, const char *name)
{
	if (!id && !name)
		return;
	json_write_kopen(w, key);
	write_opt(w, "id", id);
	write_opt(w, name_key, name);
	json_write_close(w);
}

static void write_approvals(struct json_writer *w, const struct access *a)
{
	if (a->n_approvals == 0)
		return;
	json_write_karray(w, "approvals");
	for (size_t i = 0; i < a->n_approvals; i++) {
		json_write_open(w);
		write_opt(w, "by", a->approvals[i].by);
		write_opt(w, "type", a->approvals[i].type);
		write_opt(w, "status", a->approvals[i].status);
		write_opt(w, "at", a->approvals[i].at);
		json_write_close(w);
	}
	json_write_array_close(w);
}

void access_write_request(struct json_writer *w, const struct access *a)
{
	if (!a->request_id && !a->flow_id && !a->flow && !a->requester_id && !a->requester &&
	    !a->justification && !a->resource && !a->ticket && a->n_approvals == 0)
		return;
	json_write_kopen(w, "request");
	write_opt(w, "id", a->request_id);
	write_named(w, "flow", a->flow_id, "name", a->flow);
	write_named(w, "requester", a->requester_id,
		    a->requester && !strchr(a->requester, '@') ? "name" : "email", a->requester);
	write_approvals(w, a);
	write_opt(w, "justification", a->justification);
	write_opt(w, "resource", a->resource);
	write_opt(w, "ticket", a->ticket);
	json_write_close(w);
}

static void write_grant(struct json_writer *w, const struct access *a)
{
	if (!a->grant_id && !a->broker && !a->not_before && !a->expires_at && !a->grant_sha256)
		return;
	json_write_kopen(w, "grant");
	write_opt(w, "id", a->grant_id);
	write_opt(w, "broker", a->broker);
	write_opt(w, "not_before", a->not_before);
	write_opt(w, "expires_at", a->expires_at);
	write_opt(w, "sha256", a->grant_sha256);
	json_write_close(w);
}

static void write_key(struct json_writer *w, const struct access *a)
{
	if (a->key_fp) {
		json_write_kopen(w, "key");
		write_opt(w, "fingerprint", a->key_fp);
		json_write_close(w);
	}
	if (!a->ca_fp && !a->cert_key_id && !a->cert_serial && !a->cert_profile)
		return;
	json_write_kopen(w, "certificate");
	write_opt(w, "ca", a->ca_fp);
	write_opt(w, "key_id", a->cert_key_id);
	write_opt(w, "serial", a->cert_serial);
	write_opt(w, "profile", a->cert_profile);
	json_write_close(w);
}

void access_write(struct json_writer *w, const struct access *a)
{
	json_write_open(w);
	json_write_kstr(w, "status", slice_of(access_status_name(a->status)));
	json_write_kstr(w, "source", slice_of(access_source_name(a->source)));
	access_write_request(w, a);
	write_grant(w, a);
	write_key(w, a);
	write_opt(w, "reason", a->reason);
	if (a->policy != ACCESS_POLICY_NONE)
		json_write_kstr(w, "policy", slice_of(access_policy_name(a->policy)));
	if (a->n_candidates > 0) {
		json_write_karray(w, "candidates");
		for (size_t i = 0; i < a->n_candidates; i++)
			json_write_str(w, slice_of(a->candidates[i]));
		json_write_array_close(w);
	}
	json_write_close(w);
}

int access_read_text(const struct json *object, const char *where, const char *key,
		     struct slice *out, struct sa_err *err)
{
	const struct json *j = json_get(object, key);
	struct slice s = json_str(j);

	if (!j || json_is(j, JSON_NULL))
		return 0;
	if (!s.ptr)
		return sa_fail(err, SA_ERR_INVALID, "%s%s: must be a string", where, key);
	if (memchr(s.ptr, 0, s.len))
		return sa_fail(err, SA_ERR_INVALID, "%s%s: holds a NUL byte", where, key);
	if (s.len > 0)
		*out = s;
	return 0;
}

int access_read_str(const struct json *object, const char *where, const char *key, char **out,
		    struct sa_err *err)
{
	struct slice s = SLICE_NONE;
	int rc = access_read_text(object, where, key, &s, err);

	if (rc < 0 || s.len == 0)
		return rc;
	if (s.len > ACCESS_MAX_FIELD)
		return sa_fail(err, SA_ERR_INVALID, "%s%s: longer than %d bytes", where, key,
			       ACCESS_MAX_FIELD);
	free(*out);
	*out = slice_dup(s);
	return *out ? 0 : sa_fail(err, SA_ERR_NOMEM, "%s%s: out of memory", where, key);
}

const struct json *access_read_object(const struct json *object, const char *where, const char *key,
				      enum json_type type, int *rc, struct sa_err *err)
{
	const struct json *j = json_get(object, key);

	if (!j || json_is(j, type))
		return j;
	*rc = sa_fail(err, SA_ERR_INVALID, "%s%s: must be %s", where, key,
		      type == JSON_ARRAY ? "an array" : "an object");
	return NULL;
}

static int read_approval(const struct json *j, struct access_approval *out, struct sa_err *err)
{
	const char *where = "request.approvals.";
	int rc;

	if (!json_is(j, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID, "request.approvals: must hold objects");
	if ((rc = access_read_str(j, where, "by", &out->by, err)) < 0 ||
	    (rc = access_read_str(j, where, "type", &out->type, err)) < 0 ||
	    (rc = access_read_str(j, where, "status", &out->status, err)) < 0)
		return rc;
	return access_read_str(j, where, "at", &out->at, err);
}

static int read_approvals(const struct json *request, struct access *out, struct sa_err *err)
{
	int rc = 0;
	const struct json *list =
		access_read_object(request, "request.", "approvals", JSON_ARRAY, &rc, err);
	size_t n = json_len(list);

	if (rc < 0 || n == 0)
		return rc;
	if (n > ACCESS_MAX_APPROVALS)
		return sa_fail(err, SA_ERR_INVALID, "request.approvals: more than %d",
			       ACCESS_MAX_APPROVALS);
	out->approvals = calloc(n, sizeof(*out->approvals));
	if (!out->approvals)
		return sa_fail(err, SA_ERR_NOMEM, "request.approvals: out of memory");
	out->n_approvals = n;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = read_approval(json_at(list, i), &out->approvals[i], err);
	return rc;
}

int access_read_request(const struct json *request, struct access *out, struct sa_err *err)
{
	int rc = 0;
	const struct json *flow, *requester;

	flow = access_read_object(request, "request.", "flow", JSON_OBJECT, &rc, err);
	if (rc < 0)
		return rc;
	requester = access_read_object(request, "request.", "requester", JSON_OBJECT, &rc, err);
	if (rc < 0 ||
	    (rc = access_read_str(request, "request.", "id", &out->request_id, err)) < 0 ||
	    (rc = access_read_str(flow, "request.flow.", "id", &out->flow_id, err)) < 0 ||
	    (rc = access_read_str(flow, "request.flow.", "name", &out->flow, err)) < 0 ||
	    (rc = access_read_str(requester, "request.requester.", "id", &out->requester_id, err)) <
		    0 ||
	    (rc = access_read_str(requester, "request.requester.", "name", &out->requester, err)) <
		    0 ||
	    (rc = access_read_str(requester, "request.requester.", "email", &out->requester, err)) <
		    0 ||
	    (rc = access_read_str(request, "request.", "justification", &out->justification, err)) <
		    0 ||
	    (rc = access_read_str(request, "request.", "resource", &out->resource, err)) < 0 ||
	    (rc = access_read_str(request, "request.", "ticket", &out->ticket, err)) < 0)
		return rc;
	return read_approvals(request, out, err);
}

static int read_grant(const struct json *grant, struct access *out, struct sa_err *err)
{
	const char *where = "grant.";
	int rc;

	if ((rc = access_read_str(grant, where, "id", &out->grant_id, err)) < 0 ||
	    (rc = access_read_str(grant, where, "broker", &out->broker, err)) < 0 ||
	    (rc = access_read_str(grant, where, "not_before", &out->not_before, err)) < 0 ||
	    (rc = access_read_str(grant, where, "expires_at", &out->expires_at, err)) < 0)
		return rc;
	return access_read_str(grant, where, "sha256", &out->grant_sha256, err);
}

static int read_key(const struct json *key, const struct json *certificate, struct access *out,
		    struct sa_err *err)
{
	const char *where = "certificate.";
	int rc;

	if ((rc = access_read_str(key, "key.", "fingerprint", &out->key_fp, err)) < 0 ||
	    (rc = access_read_str(certificate, where, "ca", &out->ca_fp, err)) < 0 ||
	    (rc = access_read_str(certificate, where, "key_id", &out->cert_key_id, err)) < 0 ||
	    (rc = access_read_str(certificate, where, "serial", &out->cert_serial, err)) < 0)
		return rc;
	return access_read_str(certificate, where, "profile", &out->cert_profile, err);
}

static int read_candidates(const struct json *list, struct access *out, struct sa_err *err)
{
	for (size_t i = 0; i < json_len(list); i++) {
		struct slice id = json_str(json_at(list, i));

		if (!id.ptr || id.len == 0 || id.len > ACCESS_MAX_FIELD ||
		    memchr(id.ptr, 0, id.len) || i == ACCESS_MAX_CANDIDATES)
			return sa_fail(err, SA_ERR_INVALID,
				       "candidates: must be at most %d request ids",
				       ACCESS_MAX_CANDIDATES);
		if (access_add_candidate(out, id) < 0)
			return sa_fail(err, SA_ERR_NOMEM, "candidates: out of memory");
	}
	return 0;
}

static int read_parts(const struct json *j, struct access *out, struct sa_err *err)
{
	int rc = 0;
	const struct json *part = access_read_object(j, "", "request", JSON_OBJECT, &rc, err);
	const struct json *certificate;

	if (rc < 0 || (part && (rc = access_read_request(part, out, err)) < 0))
		return rc;
	part = access_read_object(j, "", "grant", JSON_OBJECT, &rc, err);
	if (rc < 0 || (part && (rc = read_grant(part, out, err)) < 0))
		return rc;
	part = access_read_object(j, "", "key", JSON_OBJECT, &rc, err);
	certificate = access_read_object(j, "", "certificate", JSON_OBJECT, &rc, err);
	if (rc < 0 || (rc = read_key(part, certificate, out, err)) < 0)
		return rc;
	if ((rc = access_read_str(j, "", "reason", &out->reason, err)) < 0)
		return rc;
	part = access_read_object(j, "", "candidates", JSON_ARRAY, &rc, err);
	return rc < 0 ? rc : read_candidates(part, out, err);
}

int access_read(const struct json *j, struct access *out, struct sa_err *err)
{
	_cleanup_access_ struct access a = {0};
	int rc;

	if (!json_is(j, JSON_OBJECT))
		return sa_fail(err, SA_ERR_INVALID, "access: must be an object");
	if (access_status_parse(json_get_str(j, "status"), &a.status) < 0)
		return sa_fail(err, SA_ERR_INVALID, "status: missing or not a known status");
	if (json_get(j, "source") && access_source_parse(json_get_str(j, "source"), &a.source) < 0)
		return sa_fail(err, SA_ERR_INVALID, "source: not a known source");
	if (json_get(j, "policy") && access_policy_parse(json_get_str(j, "policy"), &a.policy) < 0)
		return sa_fail(err, SA_ERR_INVALID, "policy: not a known policy");
	rc = read_parts(j, &a, err);
	if (rc < 0)
		return rc;
	*out = a;
	a = (struct access){0};
	return 0;
}
