/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/access.h"
#include "common/cleanup.h"
#include "common/escape.h"

static const char *const status_names[] = {
	[ACCESS_UNAPPROVED] = "unapproved", [ACCESS_APPROVED] = "approved",
	[ACCESS_ID_ONLY] = "id_only",       [ACCESS_AMBIGUOUS] = "ambiguous",
	[ACCESS_CONFLICT] = "conflict",     [ACCESS_BREAKGLASS] = "breakglass",
};

static const char *const source_names[] = {
	[ACCESS_SOURCE_NONE] = "none",     [ACCESS_SOURCE_CERT] = "cert",
	[ACCESS_SOURCE_KEY] = "key",       [ACCESS_SOURCE_USER] = "user",
	[ACCESS_SOURCE_PROMPT] = "prompt", [ACCESS_SOURCE_SESSION] = "session",
};

static const char *const policy_names[] = {
	[ACCESS_POLICY_NONE] = "none",
	[ACCESS_POLICY_DENIED] = "denied",
	[ACCESS_POLICY_EXEMPT] = "exempt",
};

/* Every owned string of struct access, for what is done to all alike. */
static const size_t access_strings[] = {
	offsetof(struct access, request_id),   offsetof(struct access, grant_id),
	offsetof(struct access, broker),       offsetof(struct access, requester_id),
	offsetof(struct access, requester),    offsetof(struct access, flow_id),
	offsetof(struct access, flow),         offsetof(struct access, justification),
	offsetof(struct access, resource),     offsetof(struct access, ticket),
	offsetof(struct access, not_before),   offsetof(struct access, expires_at),
	offsetof(struct access, grant_sha256), offsetof(struct access, key_fp),
	offsetof(struct access, ca_fp),        offsetof(struct access, cert_key_id),
	offsetof(struct access, cert_serial),  offsetof(struct access, cert_profile),
	offsetof(struct access, reason),
};

static char **string_at(const struct access *a, size_t i)
{
	return (char **)((char *)a + access_strings[i]);
}

void access_free(struct access *a)
{
	for (size_t i = 0; i < ARRAY_LEN(access_strings); i++)
		free(*string_at(a, i));
	for (size_t i = 0; i < a->n_approvals; i++) {
		free(a->approvals[i].by);
		free(a->approvals[i].type);
		free(a->approvals[i].status);
		free(a->approvals[i].at);
	}
	free(a->approvals);
	for (size_t i = 0; i < a->n_candidates; i++)
		free(a->candidates[i]);
	free(a->candidates);
	*a = (struct access){0};
}

static int copy_str(char **dst, const char *src)
{
	if (!src)
		return 0;
	*dst = strdup(src);
	return *dst ? 0 : SA_ERR_NOMEM;
}

static int copy_approvals(struct access *dst, const struct access *src)
{
	if (src->n_approvals == 0)
		return 0;
	dst->approvals = calloc(src->n_approvals, sizeof(*dst->approvals));
	if (!dst->approvals)
		return SA_ERR_NOMEM;
	dst->n_approvals = src->n_approvals;
	for (size_t i = 0; i < src->n_approvals; i++) {
		const struct access_approval *from = &src->approvals[i];
		struct access_approval *to = &dst->approvals[i];

		if (copy_str(&to->by, from->by) < 0 || copy_str(&to->type, from->type) < 0 ||
		    copy_str(&to->status, from->status) < 0 || copy_str(&to->at, from->at) < 0)
			return SA_ERR_NOMEM;
	}
	return 0;
}

int access_copy(struct access *dst, const struct access *src)
{
	_cleanup_access_ struct access a = {
		.status = src->status, .source = src->source, .policy = src->policy};

	for (size_t i = 0; i < ARRAY_LEN(access_strings); i++)
		if (copy_str(string_at(&a, i), *string_at(src, i)) < 0)
			return SA_ERR_NOMEM;
	if (copy_approvals(&a, src) < 0)
		return SA_ERR_NOMEM;
	for (size_t i = 0; i < src->n_candidates; i++)
		if (access_add_candidate(&a, slice_of(src->candidates[i])) < 0)
			return SA_ERR_NOMEM;
	*dst = a;
	a = (struct access){0};
	return 0;
}

int access_add_candidate(struct access *a, struct slice request_id)
{
	char **grown;

	if (a->n_candidates == ACCESS_MAX_CANDIDATES)
		return SA_ERR_TOOBIG;
	grown = realloc(a->candidates, (a->n_candidates + 1) * sizeof(*grown));
	if (!grown)
		return SA_ERR_NOMEM;
	a->candidates = grown;
	grown[a->n_candidates] = slice_dup(request_id);
	if (!grown[a->n_candidates])
		return SA_ERR_NOMEM;
	a->n_candidates++;
	return 0;
}

int access_set(char **field, struct slice text)
{
	_cleanup_buf_ struct buf valid = {0};
	char *copy;

	buf_init(&valid, 4 * ACCESS_MAX_FIELD + 4);
	if (text.len > ACCESS_MAX_FIELD)
		text.len = escape_utf8_cut(text, ACCESS_MAX_FIELD);
	while (text.len > 0) { /* a NUL is UTF-8, but would end the string */
		size_t n = strnlen(text.ptr, text.len);

		escape_to_utf8(&valid, (struct slice){text.ptr, n});
		if (n < text.len)
			buf_puts(&valid, "\\x00");
		n += n < text.len;
		text = (struct slice){text.ptr + n, text.len - n};
	}
	text = buf_slice(&valid);
	if (text.len > ACCESS_MAX_FIELD)
		text.len = escape_utf8_cut(text, ACCESS_MAX_FIELD);
	copy = text.len > 0 ? slice_dup(text) : NULL;
	if (valid.failed || (text.len > 0 && !copy))
		return SA_ERR_NOMEM;
	free(*field);
	*field = copy;
	return 0;
}

int access_add_approval(struct access *a, struct slice by, const char *type)
{
	struct access_approval *grown, *last;

	if (a->n_approvals == ACCESS_MAX_APPROVALS)
		return SA_ERR_TOOBIG;
	grown = realloc(a->approvals, (a->n_approvals + 1) * sizeof(*grown));
	if (!grown)
		return SA_ERR_NOMEM;
	a->approvals = grown;
	last = &grown[a->n_approvals];
	*last = (struct access_approval){0};
	a->n_approvals++;
	return access_set(&last->by, by) < 0 ? SA_ERR_NOMEM
					     : access_set(&last->type, slice_of(type));
}

const char *access_status_name(enum access_status s)
{
	return status_names[s];
}

const char *access_source_name(enum access_source s)
{
	return source_names[s];
}

const char *access_policy_name(enum access_policy p)
{
	return policy_names[p];
}

/* The index of text in names, or SA_ERR_INVALID. */
static int name_index(struct slice text, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(text, names[i]))
			return (int)i;
	return SA_ERR_INVALID;
}

int access_status_parse(struct slice text, enum access_status *out)
{
	int i = name_index(text, status_names, ARRAY_LEN(status_names));

	if (i < 0)
		return i;
	*out = (enum access_status)i;
	return 0;
}

int access_source_parse(struct slice text, enum access_source *out)
{
	int i = name_index(text, source_names, ARRAY_LEN(source_names));

	if (i < 0)
		return i;
	*out = (enum access_source)i;
	return 0;
}

int access_policy_parse(struct slice text, enum access_policy *out)
{
	int i = name_index(text, policy_names, ARRAY_LEN(policy_names));

	if (i < 0)
		return i;
	*out = (enum access_policy)i;
	return 0;
}
