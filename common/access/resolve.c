/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/resolve_facts.h"
#include "common/cleanup.h"

#define TEXT_MAX 1024

static int set_text(char **field, const char *a, const char *b, const char *c, const char *d)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, TEXT_MAX);
	buf_printf(&text, "%s%s%s%s", a, b, c, d);
	return text.failed ? SA_ERR_NOMEM : access_set(field, buf_slice(&text));
}

/* The facts of one of the login's keys. */
static int describe_key(const struct facts *f, size_t i, struct access *out)
{
	const struct facts_key *k = &f->keys[i];
	int rc;

	if (i >= f->auth.n_keys)
		return 0;
	rc = access_set(&out->key_fp, slice_of(f->auth.keys[i].key.fp));
	if (rc < 0 || !k->ca)
		return rc;
	if ((rc = access_set(&out->ca_fp, slice_of(k->ca->fp))) < 0 ||
	    (rc = access_set(&out->cert_key_id, f->auth.keys[i].key.key_id)) < 0 ||
	    (rc = access_set(&out->cert_serial, slice_of(k->serial))) < 0)
		return rc;
	return access_set(&out->cert_profile, slice_of(ca_profile_name(k->ca->profile)));
}

static const char *grant_name(const struct grant *g)
{
	return g->access.grant_id ? g->access.grant_id : g->file;
}

/* Of two grants of one request: the one that names the login more closely, then the one that holds
 * longer, then the first. */
static bool better(const struct grant *a, const struct grant *b)
{
	if (!b || match_rank(a) != match_rank(b))
		return !b || match_rank(a) > match_rank(b);
	return a->expires_ms > b->expires_ms;
}

/* The best of the fitting grants of a request. */
static const struct grant *best_of(const struct facts *f, const char *request_id)
{
	const struct grant *best = NULL;

	for (size_t i = 0; i < f->grants.len; i++) {
		const struct grant *g = f->grants.items[i];

		if (f->why[i] == MATCH_OK && strcmp(g->access.request_id, request_id) == 0 &&
		    better(g, best))
			best = g;
	}
	return best;
}

static int approve(const struct facts *f, const struct grant *g, enum access_source source,
		   size_t key, struct resolved *out)
{
	int rc = access_copy(&out->access, &g->access);

	if (rc < 0 || (rc = describe_key(f, key, &out->access)) < 0)
		return rc;
	out->grant_file = strdup(g->file);
	if (!out->grant_file)
		return SA_ERR_NOMEM;
	out->access.source = source;
	out->access.status = ACCESS_APPROVED;
	return 0;
}

/* What does not fit into the list is not named; the status says enough. */
static int add_candidate(struct access *a, const char *id)
{
	int rc;

	for (size_t i = 0; i < a->n_candidates; i++)
		if (strcmp(a->candidates[i], id) == 0)
			return 0;
	rc = access_add_candidate(a, slice_of(id));
	return rc == SA_ERR_TOOBIG ? 0 : rc;
}

static int finish_ambiguous(const struct facts *f, enum access_source source, size_t key,
			    struct access *out)
{
	int rc = describe_key(f, key, out);

	if (rc < 0 || (rc = access_set(&out->reason, SLICE_LIT("several requests"))) < 0)
		return rc;
	out->source = source;
	out->status = ACCESS_AMBIGUOUS;
	return 0;
}

/* Which of its requests a login is for a certificate with several does not say. */
static int several_ids(const struct facts *f, struct access *out)
{
	int rc = 0;

	for (size_t i = 0; i < f->n_ids && rc == 0; i++)
		if (best_of(f, f->ids[i]))
			rc = add_candidate(out, f->ids[i]);
	for (size_t i = 0; i < f->n_ids && rc == 0; i++)
		rc = add_candidate(out, f->ids[i]);
	return rc < 0 ? rc : finish_ambiguous(f, ACCESS_SOURCE_CERT, f->id_keys[0], out);
}

/* The grant of a request that comes nearest to fitting; NULL: there is none of it. */
static const struct grant *nearest_of(const struct facts *f, const char *request_id,
				      enum match_reason *why)
{
	const struct grant *near = NULL;

	for (size_t i = 0; i < f->grants.len; i++) {
		const struct grant *g = f->grants.items[i];

		if (strcmp(g->access.request_id, request_id) == 0 && (!near || f->why[i] > *why)) {
			near = g;
			*why = f->why[i];
		}
	}
	return near;
}

static int id_only(const struct facts *f, struct access *out)
{
	int rc = access_copy(out, &f->keys[f->id_keys[0]].says.about);

	if (rc < 0 || (rc = describe_key(f, f->id_keys[0], out)) < 0 ||
	    (rc = access_set(&out->request_id, slice_of(f->ids[0]))) < 0 ||
	    (rc = set_text(&out->reason, "request ", f->ids[0], ": no grant on this host", "")) < 0)
		return rc;
	out->source = ACCESS_SOURCE_CERT;
	out->status = ACCESS_ID_ONLY;
	return 0;
}

static int conflict(const struct facts *f, const struct grant *near, enum match_reason why,
		    struct access *out)
{
	int rc = describe_key(f, f->id_keys[0], out);

	if (rc < 0 || (rc = access_set(&out->request_id, slice_of(f->ids[0]))) < 0 ||
	    (rc = set_text(&out->reason, "grant ", grant_name(near), ": ",
			   match_reason_text(why))) < 0)
		return rc;
	out->source = ACCESS_SOURCE_CERT;
	out->status = ACCESS_CONFLICT;
	return 0;
}

static int by_certificate(const struct facts *f, struct resolved *out)
{
	enum match_reason why = MATCH_OK;
	const struct grant *g;

	if (f->n_ids > 1)
		return several_ids(f, &out->access);
	if ((g = best_of(f, f->ids[0])))
		return approve(f, g, ACCESS_SOURCE_CERT, f->id_keys[0], out);
	if ((g = nearest_of(f, f->ids[0], &why)))
		return conflict(f, g, why, &out->access);
	return id_only(f, &out->access);
}

/* The key that a grant asks for; the first when it asks for none. */
static size_t key_of(const struct facts *f, const struct grant *g)
{
	const struct match_key *k = match_which_key(g, &f->login);

	return k ? (size_t)(k - f->match_keys) : 0;
}

/* The fitting grants of one rank; *done stays false when there are none. */
static int by_rank(const struct facts *f, enum match_rank rank, bool *done, struct resolved *out)
{
	enum access_source source = rank == MATCH_RANK_KEY ? ACCESS_SOURCE_KEY : ACCESS_SOURCE_USER;
	const struct grant *best = NULL;
	bool several = false;
	int rc = 0;

	for (size_t i = 0; i < f->grants.len; i++) {
		const struct grant *g = f->grants.items[i];

		if (f->why[i] != MATCH_OK || match_rank(g) != rank)
			continue;
		several |= best && strcmp(g->access.request_id, best->access.request_id) != 0;
		if (better(g, best))
			best = g;
	}
	*done = best != NULL;
	if (!best)
		return 0;
	if (!several)
		return approve(f, best, source, key_of(f, best), out);
	for (size_t i = 0; i < f->grants.len && rc == 0; i++)
		if (f->why[i] == MATCH_OK && match_rank(f->grants.items[i]) == rank)
			rc = add_candidate(&out->access, f->grants.items[i]->access.request_id);
	return rc < 0 ? rc : finish_ambiguous(f, source, 0, &out->access);
}

/* Says which grant of this user comes nearest. Whose groups do not fit is another's: nobody is told
 * of it. */
static int unapproved(const struct facts *f, struct access *out)
{
	enum match_reason why = MATCH_USER;
	const struct grant *near = NULL;
	int rc = describe_key(f, 0, out);

	if (rc < 0)
		return rc;
	if (f->trouble[0])
		return access_set(&out->reason, slice_of(f->trouble));
	for (size_t i = 0; i < f->grants.len; i++) {
		const struct grant *g = f->grants.items[i];
		bool nearer = f->why[i] > why ||
			      (near && f->why[i] == why && g->expires_ms > near->expires_ms);

		if (nearer && match_user(g, &f->login)) {
			near = g;
			why = f->why[i];
		}
	}
	return near ? set_text(&out->reason, "request ", near->access.request_id, ": ",
			       match_reason_text(why))
		    : 0;
}

static int decide(const struct facts *f, struct resolved *out)
{
	bool done = false;
	int rc = 0;

	if (f->trouble[0])
		return unapproved(f, &out->access);
	if (f->n_ids > 0)
		return by_certificate(f, out);
	for (int rank = MATCH_RANK_KEY; rank >= MATCH_RANK_USER && !done && rc == 0; rank--)
		rc = by_rank(f, (enum match_rank)rank, &done, out);
	return done || rc < 0 ? rc : unapproved(f, &out->access);
}

int resolve_login(const struct resolve *r, struct resolved *out)
{
	struct facts *f = calloc(1, sizeof(*f));
	int rc = f ? facts_gather(r, f) : SA_ERR_NOMEM;

	*out = (struct resolved){0};
	if (rc == 0)
		rc = decide(f, out);
	if (rc < 0)
		resolved_free(out); /* half of an approval is none */
	if (f)
		facts_free(f);
	free(f);
	return rc;
}

void resolved_free(struct resolved *r)
{
	access_free(&r->access);
	free(r->grant_file);
	*r = (struct resolved){0};
}
