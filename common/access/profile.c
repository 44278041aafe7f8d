/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/grant.h"
#include "common/access/profile.h"
#include "common/access/profile_internal.h"
#include "common/cleanup.h"
#include "common/escape.h"

#define HASH_DIGITS 64 /* SHA-256 of the key, in Vault's key ids */

static int no_memory(struct sa_err *err)
{
	return sa_fail(err, SA_ERR_NOMEM, "out of memory");
}

static int add_id(struct profile_says *s, struct slice id, const char *where, struct sa_err *err)
{
	int rc = grant_check_id(id, where, err);
	char *copy;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->n_ids; i++)
		if (slice_is(id, s->ids[i]))
			return 0;
	if (s->n_ids == PROFILE_MAX_IDS)
		return sa_fail(err, SA_ERR_INVALID, "%s: more than %d requests", where,
			       PROFILE_MAX_IDS);
	if (!s->ids && !(s->ids = calloc(PROFILE_MAX_IDS, sizeof(*s->ids))))
		return no_memory(err);
	copy = slice_dup(id);
	if (!copy)
		return no_memory(err);
	s->ids[s->n_ids++] = copy;
	return 0;
}

/* An absent or empty text leaves the field alone. */
static int set(char **field, struct slice text, struct sa_err *err)
{
	if (text.len > 0 && access_set(field, text) < 0)
		return no_memory(err);
	return 0;
}

/* A comma list. What is beyond the bound stays together in the last one. */
static int add_approvers(struct access *a, struct slice list, struct sa_err *err)
{
	while (list.len > 0) {
		struct slice by = list;

		if (a->n_approvals < ACCESS_MAX_APPROVALS - 1)
			by = slice_cut(&list, ',');
		else
			list.len = 0;
		by = slice_trim(by, " ");
		if (by.len > 0 && access_add_approval(a, by, "certificate") < 0)
			return no_memory(err);
	}
	return 0;
}

static int read_sessaudit(const struct ssh_key *key, struct profile_says *s, struct sa_err *err)
{
	struct access *a = &s->about;
	struct slice id = ssh_key_extension(key, "request-id@sessaudit");
	int rc;

	if (id.ptr && (rc = add_id(s, id, "request-id@sessaudit", err)) < 0)
		return rc;
	if ((rc = set(&a->requester, ssh_key_extension(key, "requester@sessaudit"), err)) < 0 ||
	    (rc = set(&a->flow, ssh_key_extension(key, "flow@sessaudit"), err)) < 0 ||
	    (rc = set(&a->justification, ssh_key_extension(key, "justification@sessaudit"), err)) <
		    0 ||
	    (rc = set(&a->ticket, ssh_key_extension(key, "ticket@sessaudit"), err)) < 0)
		return rc;
	return add_approvers(a, ssh_key_extension(key, "approver@sessaudit"), err);
}

/* Teleport's RequestIDs.Marshal (lib/services/access_request.go); its key id is the user
 * (lib/auth/native). Members that are not known are passed over: later versions may add some. */
static int read_teleport(const struct ssh_key *key, struct profile_says *s, struct sa_err *err)
{
	static const char where[] = "teleport-active-requests";
	struct slice text = ssh_key_extension(key, where);
	_cleanup_json_ struct json *root = NULL;
	const struct json *list;
	int rc = set(&s->about.requester, key->key_id, err);

	if (rc < 0 || !text.ptr)
		return rc;
	if ((rc = json_parse(text.ptr, text.len, &root, err)) < 0)
		return sa_wrap(err, rc, "%s", where);
	list = json_get(root, "access_requests");
	if (!json_is(root, JSON_OBJECT) || (list && !json_is(list, JSON_ARRAY)))
		return sa_fail(err, SA_ERR_INVALID, "%s: no list of requests", where);
	for (size_t i = 0; i < json_len(list); i++)
		if ((rc = add_id(s, json_str(json_at(list, i)), where, err)) < 0)
			return rc;
	return 0;
}

static bool all_hex(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!memchr("0123456789abcdef", s.ptr[i], 16))
			return false;
	return true;
}

/* The display name in "vault-<display name>-<hash of the key>", Vault's default form
 * (builtin/logical/ssh, calculateKeyID); absent in other forms, which its roles may set. */
static struct slice vault_name(struct slice id)
{
	const size_t before = strlen("vault-"), after = 1 + HASH_DIGITS;

	if (!slice_starts(id, "vault-") || id.len <= before + after ||
	    id.ptr[id.len - after] != '-' ||
	    !all_hex((struct slice){id.ptr + id.len - HASH_DIGITS, HASH_DIGITS}))
		return SLICE_NONE;
	return (struct slice){id.ptr + before, id.len - before - after};
}

/* The name in the key id is Vault's word, an extension may be what its client asked for. */
static int read_vault(const struct ssh_key *key, struct profile_says *s, struct sa_err *err)
{
	int rc = read_sessaudit(key, s, err);

	return rc < 0 ? rc : set(&s->about.requester, vault_name(key->key_id), err);
}

/* Takes what lies between open and close from the front of in. */
static bool take_between(struct slice *in, const char *open, const char *close, struct slice *out)
{
	size_t before = strlen(open);
	const char *end;

	if (!slice_starts(*in, open))
		return false;
	*out = (struct slice){in->ptr + before, in->len - before};
	end = memmem(out->ptr, out->len, close, strlen(close));
	if (!end)
		return false;
	out->len = (size_t)(end - out->ptr);
	*in = (struct slice){end, in->len - before - out->len};
	return true;
}

/* bless_lambda_user.py: "request[%s] for[%s] from[%s] command[%s] ssh_key[%s] ca[%s] ...". The id
 * comes first and is the one thing in it that no client chooses, so only what is in front counts:
 * a user named "x] request[REQ-1" changes nothing. */
static int read_bless(const struct ssh_key *key, struct profile_says *s, struct sa_err *err)
{
	struct slice left = key->key_id, id, user;
	int rc;

	if (!slice_starts(left, "request["))
		return 0;
	if (!take_between(&left, "request[", "]", &id) ||
	    !take_between(&left, "] for[", "] from[", &user))
		return sa_fail(err, SA_ERR_INVALID,
			       "key id: not \"request[<id>] for[<user>] from[<ip>] ...\"");
	if ((rc = add_id(s, id, "key id", err)) < 0)
		return rc;
	return set(&s->about.requester, user, err);
}

static int read_regex(const void *regex, const struct ssh_key *key, struct profile_says *s,
		      struct sa_err *err)
{
	struct regex_groups g;
	int rc;

	if ((rc = profile_regex_match(regex, key->key_id, &g, err)) < 0)
		return rc;
	if (g.request.ptr && (rc = add_id(s, g.request, "key id", err)) < 0)
		return rc;
	if ((rc = set(&s->about.requester, g.requester, err)) < 0 ||
	    (rc = set(&s->about.flow, g.flow, err)) < 0 ||
	    (rc = set(&s->about.ticket, g.ticket, err)) < 0)
		return rc;
	return add_approvers(&s->about, g.approver, err);
}

static int read_by_profile(const struct ca *ca, const struct ssh_key *key, struct profile_says *s,
			   struct sa_err *err)
{
	switch (ca->profile) {
	case CA_SESSAUDIT:
		return read_sessaudit(key, s, err);
	case CA_TELEPORT:
		return read_teleport(key, s, err);
	case CA_VAULT:
		return read_vault(key, s, err);
	case CA_BLESS:
		return read_bless(key, s, err);
	case CA_REGEX:
		return read_regex(ca->regex, key, s, err);
	}
	return sa_fail(err, SA_ERR_UNSUPPORTED, "unknown profile");
}

int profile_read(const struct ca *ca, const struct ssh_key *key, struct profile_says *out,
		 struct sa_err *err)
{
	struct profile_says s = {0};
	int rc;

	*out = s;
	if (!key->cert || !key->user_cert)
		return sa_fail(err, SA_ERR_INVALID, "not a user's certificate");
	rc = read_by_profile(ca, key, &s, err);
	if (rc == 0)
		rc = set(&s.about.cert_profile, slice_of(ca_profile_name(ca->profile)), err);
	if (rc < 0)
		profile_free(&s);
	*out = s;
	return rc;
}

void profile_free(struct profile_says *s)
{
	for (size_t i = 0; i < s->n_ids; i++)
		free(s->ids[i]);
	free(s->ids);
	access_free(&s->about);
	*s = (struct profile_says){0};
}
