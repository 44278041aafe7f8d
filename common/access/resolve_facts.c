/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/access/grant_index.h"
#include "common/access/resolve_facts.h"
#include "common/access/trusted_file.h"
#include "common/cleanup.h"
#include "common/clock.h"

/* The first one counts: it is what the user is told. */
static void trouble(const struct resolve *r, struct facts *f, const char *what, const char *why)
{
	struct sa_err err = {0};

	sa_fail(&err, SA_ERR_INVALID, "%s: %s", what, why);
	trusted_report(r->report, r->ctx, err.msg);
	if (!f->trouble[0])
		snprintf(f->trouble, sizeof(f->trouble), "%s", err.msg);
}

static int gather_auth(const struct resolve *r, struct facts *f)
{
	int rc;

	if (r->auth_info.len == 0)
		return 0;
	rc = auth_info_parse(r->auth_info, &f->auth);
	if (rc == SA_ERR_NOMEM)
		return rc;
	if (rc < 0)
		trouble(r, f, "key of the login", "SSH_AUTH_INFO_0 cannot be read");
	else if (f->auth.broken > 0)
		trouble(r, f, "key of the login", f->auth.why.msg);
	return 0;
}

/* A certificate's fields are the word of its CA: of one that is listed, ours; of any other, that of
 * whoever wrote a cert-authority line. */
static int gather_certificate(const struct resolve *r, struct facts *f, size_t i)
{
	const struct ssh_key *key = &f->auth.keys[i].key;
	struct facts_key *k = &f->keys[i];
	struct sa_err err = {0};
	int rc;

	if (!key->cert || !key->user_cert)
		return 0;
	k->ca = cas_find(&f->cas, key->ca_fp);
	if (!k->ca)
		return 0;
	snprintf(k->serial, sizeof(k->serial), "%" PRIu64, key->serial);
	if (key->key_id.len == 0 || !memchr(key->key_id.ptr, 0, key->key_id.len)) {
		k->key_id = slice_dup(key->key_id.ptr ? key->key_id : SLICE_LIT(""));
		if (!k->key_id)
			return SA_ERR_NOMEM;
	}
	rc = profile_read(k->ca, key, &k->says, &err);
	if (rc == SA_ERR_NOMEM)
		return rc;
	if (rc < 0)
		trouble(r, f, "certificate of the login", err.msg);
	return 0;
}

static bool any_certificate(const struct auth_info *a)
{
	for (size_t i = 0; i < a->n_keys; i++)
		if (a->keys[i].key.cert)
			return true;
	return false;
}

static void add_id(struct facts *f, char *id, size_t key)
{
	for (size_t i = 0; i < f->n_ids; i++)
		if (strcmp(f->ids[i], id) == 0)
			return;
	if (f->n_ids == FACTS_MAX_IDS)
		return; /* cannot be: each certificate has at most PROFILE_MAX_IDS */
	f->ids[f->n_ids] = id;
	f->id_keys[f->n_ids++] = key;
}

static int gather_keys(const struct resolve *r, struct facts *f)
{
	int rc;

	if (any_certificate(&f->auth) &&
	    (rc = cas_load(r->ca_dir, r->owner_uid, &f->cas, r->report, r->ctx)) < 0)
		return rc;
	for (size_t i = 0; i < f->auth.n_keys; i++) {
		struct facts_key *k = &f->keys[i];

		if ((rc = gather_certificate(r, f, i)) < 0)
			return rc;
		f->match_keys[i] = (struct match_key){.fp = f->auth.keys[i].key.fp};
		if (k->ca) {
			f->match_keys[i].ca_fp = k->ca->fp;
			f->match_keys[i].key_id = k->key_id;
			f->match_keys[i].serial = k->serial;
		}
		for (size_t n = 0; n < k->says.n_ids; n++)
			add_id(f, k->says.ids[n], i);
	}
	return 0;
}

/* Without the broker's keys no signed grant is believed; those of the host's admin still are. But
 * keys that are there and could not be looked at, as where no descriptor is left, are another
 * matter: a grant may be missing that makes this one a tie. */
static int gather_signers(const struct resolve *r, struct facts *f)
{
	struct sa_err err = {0};
	int rc;

	if (r->n_signer_files == 0)
		return 0;
	rc = signers_load(r->signer_files, r->n_signer_files, r->owner_uid, &f->signers, &err);
	if (rc == SA_ERR_NOMEM)
		return rc;
	if (rc == SA_ERR_NOTFOUND || rc == SA_ERR_PERM || rc == SA_ERR_INVALID)
		trusted_report(r->report, r->ctx, err.msg);
	else if (rc < 0)
		trouble(r, f, "keys of the broker", err.msg);
	return 0;
}

static int64_t boot_ms(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return clock_ms(&ts);
}

static int gather_grants(const struct resolve *r, struct facts *f)
{
	struct grants_trust trust = {.owner_uid = r->owner_uid, .signers = &f->signers};
	struct grant_query query = {.user = f->login.user,
				    .request_ids = f->ids,
				    .n_request_ids = f->n_ids,
				    .in_group = f->login.in_group,
				    .group_ctx = f->login.group_ctx};
	int rc;

	if ((rc = gather_signers(r, f)) < 0 || f->trouble[0])
		return rc;
	if (r->index_path)
		rc = grant_index_load(r->index_path, r->grant_dirs, &trust, &query, boot_ms(),
				      &f->grants, r->report, r->ctx);
	else
		rc = grants_load(r->grant_dirs, &trust, &f->grants, r->report, r->ctx);
	if (rc < 0 || f->grants.len == 0)
		return rc;
	f->why = calloc(f->grants.len, sizeof(*f->why));
	if (!f->why)
		return SA_ERR_NOMEM;
	for (size_t i = 0; i < f->grants.len; i++) {
		f->why[i] = match_one(f->grants.items[i], &f->login);
		if (r->seen)
			r->seen(r->ctx, f->grants.items[i], f->why[i]);
	}
	return 0;
}

int facts_gather(const struct resolve *r, struct facts *out)
{
	int rc;

	*out = (struct facts){.login = r->login};
	if ((rc = gather_auth(r, out)) < 0 || (rc = gather_keys(r, out)) < 0)
		return rc;
	out->login.keys = out->match_keys;
	out->login.n_keys = out->auth.n_keys;
	return out->trouble[0] ? 0 : gather_grants(r, out);
}

void facts_free(struct facts *f)
{
	for (size_t i = 0; i < AUTH_INFO_MAX_KEYS; i++) {
		profile_free(&f->keys[i].says);
		free(f->keys[i].key_id);
	}
	free(f->why);
	grants_free(&f->grants);
	signers_free(&f->signers);
	cas_free(&f->cas);
	auth_info_free(&f->auth);
	*f = (struct facts){0};
}
