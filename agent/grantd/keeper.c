/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/keeper.h"

#include <stdio.h>

#include "agent/grantd/shelf.h"
#include "common/cleanup.h"
#include "common/log.h"

/* A broker can make each of these come as often as it likes. */
static struct log_limit keeper_refused_limit = {.burst = 5};
static struct log_limit keeper_changed_limit = {.burst = 100};

static void keeper_freep(struct grant **g)
{
	grant_free(*g);
}
#define _cleanup_grant_ _cleanup_(keeper_freep)

static int keeper_remove(struct seen_grant *known, int shelf_fd, const char *why,
			 struct sa_err *err)
{
	char name[SHELF_NAME_SIZE];
	int rc;

	if (!known->on_shelf)
		return 0;
	if ((rc = shelf_name(known->id, name, err)) != 0 ||
	    (rc = shelf_remove(shelf_fd, name, err)) != 0)
		return rc;
	known->on_shelf = false;
	log_limited(&keeper_changed_limit, LOG_LEVEL_INFO,
		    "event=grant-removed grant=\"%s\" why=%s", known->id, why);
	return 0;
}

static int keeper_note(struct keeper *k, const struct grant *g, int64_t now_ms,
		       struct seen_grant **out, struct sa_err *err)
{
	const struct seen_grant version = {
		.id = g->access.grant_id,
		.issued_ms = g->issued_ms,
		.expires_ms = g->expires_ms,
		.revoked = g->revoked,
	};
	int rc = seen_note(&k->seen, &version, now_ms, out);

	return rc == 0 ? 0 : sa_fail(err, rc, "no room to remember grant %s", version.id);
}

static int keeper_keep(struct keeper *k, const struct grant *g, struct slice envelope,
		       int64_t now_ms, struct sa_err *err)
{
	struct seen_grant *known;
	char name[SHELF_NAME_SIZE];
	bool written;
	int rc = keeper_note(k, g, now_ms, &known, err);

	if (rc != 0)
		return rc;
	known->marked = true; /* an older version stays where the newer one cannot be written */
	if ((rc = shelf_name(known->id, name, err)) != 0 ||
	    (rc = shelf_put(k->shelf_fd, name, envelope, &written, err)) != 0)
		return rc;
	known->on_shelf = true;
	if (written)
		log_limited(&keeper_changed_limit, LOG_LEVEL_INFO,
			    "event=grant-stored grant=\"%s\" request=\"%s\" expires=%s", known->id,
			    g->access.request_id, g->access.expires_at);
	return 0;
}

static int keeper_revoke(struct keeper *k, const struct grant *g, int64_t now_ms,
			 struct sa_err *err)
{
	struct seen_grant *known;
	int rc = keeper_note(k, g, now_ms, &known, err);

	return rc == 0 ? keeper_remove(known, k->shelf_fd, "revoked", err) : rc;
}

static int keeper_do(struct keeper *k, enum verdict v, const struct grant *g, struct slice envelope,
		     int64_t now_ms, struct sa_err *err)
{
	struct seen_grant *known;

	switch (v) {
	case VERDICT_KEEP:
		return keeper_keep(k, g, envelope, now_ms, err);
	case VERDICT_REVOKED:
		return keeper_revoke(k, g, now_ms, err);
	case VERDICT_OLDER:
		/* A server of the broker's that lags behind: what we have is still wanted. */
		known = seen_find(&k->seen, g->access.grant_id);
		known->marked = !known->revoked;
		return 0;
	default:
		return 0;
	}
}

/* From its bytes to the verdict; *out when they are a grant. SA_ERR_NOMEM: none was come to. */
static int keeper_judge(const struct keeper *k, const char *name, struct slice envelope,
			int64_t now_ms, enum verdict *v, struct grant **out, struct sa_err *why)
{
	int rc = signed_grant(name, envelope, k->signers, out, why);
	const char *id;

	if (rc == SA_ERR_NOMEM)
		return rc;
	*v = rc == SA_ERR_PERM ? VERDICT_UNSIGNED : VERDICT_BROKEN;
	if (rc != 0)
		return 0;
	id = (*out)->access.grant_id;
	*v = judge(*out, id ? seen_find(&k->seen, id) : NULL, k->host, now_ms);
	(void)sa_fail(why, SA_ERR_INVALID, "%s: %s", name, verdict_text(*v));
	return 0;
}

/* ---- an answer ---- */

static int keeper_open(const struct keeper *k, const struct answer *a, size_t i, int64_t now_ms,
		       struct buf *envelope, enum verdict *v, struct grant **out,
		       struct sa_err *why)
{
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "grants[%zu]", i);
	buf_init(envelope, SIGNED_MAX_BYTES);
	if ((rc = answer_envelope(a, i, envelope, why)) == 0)
		return keeper_judge(k, name, buf_slice(envelope), now_ms, v, out, why);
	*v = VERDICT_BROKEN;
	(void)sa_wrap(why, rc, "%s", name);
	return rc == SA_ERR_NOMEM ? rc : 0;
}

static int keeper_item(struct keeper *k, const struct answer *a, size_t i, int64_t now_ms,
		       struct keeper_counts *counts, struct sa_err *err)
{
	_cleanup_buf_ struct buf envelope = {0};
	_cleanup_grant_ struct grant *g = NULL;
	struct sa_err why = {0};
	enum verdict v;

	if (keeper_open(k, a, i, now_ms, &envelope, &v, &g, &why) != 0)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	counts->verdicts[v]++;
	if (v >= VERDICT_BROKEN)
		log_limited(&keeper_refused_limit, LOG_LEVEL_WARN,
			    "event=grant-refused why=%s grant=\"%s\" reason=\"%s\"",
			    verdict_name(v), g && g->access.grant_id ? g->access.grant_id : "-",
			    why.msg);
	return keeper_do(k, v, g, buf_slice(&envelope), now_ms, err);
}

static int keeper_remove_absent(struct keeper *k, struct sa_err *err)
{
	int rc = 0, one;

	for (size_t i = 0; i < k->seen.len; i++)
		if (!k->seen.items[i].marked &&
		    (one = keeper_remove(&k->seen.items[i], k->shelf_fd, "absent", err)) != 0)
			rc = one;
	return rc;
}

int keeper_apply(struct keeper *k, const struct answer *a, int64_t now_ms,
		 struct keeper_counts *counts, struct sa_err *err)
{
	bool whole = true;
	int rc = 0, one;

	*counts = (struct keeper_counts){0};
	for (size_t i = 0; i < k->seen.len; i++)
		k->seen.items[i].marked = false;
	for (size_t i = 0; i < a->len; i++) {
		if (k->turn && !k->turn(k->turn_ctx))
			return sa_fail(err, SA_ERR_AGAIN, "stopped by a signal");
		if ((one = keeper_item(k, a, i, now_ms, counts, err)) != 0)
			rc = one;
		whole = whole && one != SA_ERR_NOMEM;
	}
	one = whole ? keeper_remove_absent(k, err) : 0;
	return one != 0 ? one : rc;
}

/* ---- what lies there ---- */

/* Whether its bytes are wanted today, under the name that belongs to them. SA_ERR_NOMEM, SA_ERR_IO:
 * nobody knows. */
static int keeper_check(struct keeper *k, const char *file, int64_t now_ms, bool *good,
			struct sa_err *why)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_grant_ struct grant *g = NULL;
	struct seen_grant *known;
	char name[SHELF_NAME_SIZE];
	enum verdict v;
	int rc;

	*good = false;
	buf_init(&text, SIGNED_MAX_BYTES + 1);
	if ((rc = shelf_read(k->shelf_fd, file, &text, why)) != 0)
		return rc == SA_ERR_NOMEM || rc == SA_ERR_IO ? rc : 0;
	if ((rc = keeper_judge(k, file, buf_slice(&text), now_ms, &v, &g, why)) != 0 ||
	    v != VERDICT_KEEP)
		return rc;
	if ((rc = shelf_name(g->access.grant_id, name, why)) != 0 || strcmp(name, file) != 0)
		return rc;
	if ((rc = keeper_note(k, g, now_ms, &known, why)) == 0)
		known->on_shelf = *good = true;
	return rc;
}

static void keeper_clear(const struct keeper *k, const char *file, const struct sa_err *why)
{
	struct sa_err err = {0};

	if (shelf_remove(k->shelf_fd, file, &err) == 0)
		log_limited(&keeper_changed_limit, LOG_LEVEL_INFO,
			    "event=grant-removed file=%s reason=\"%s\"", file, why->msg);
	else
		log_limited(&keeper_refused_limit, LOG_LEVEL_WARN,
			    "event=grant-not-ours reason=\"%s\"", err.msg);
}

int keeper_recover(struct keeper *k, int64_t now_ms, struct sa_err *err)
{
	struct trusted_names names = {0};
	int rc = shelf_list(k->shelf_fd, &names, err);

	for (size_t i = 0; rc == 0 && i < k->seen.len; i++)
		k->seen.items[i].on_shelf = false;
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		struct sa_err why = {0};
		bool good;

		if ((rc = keeper_check(k, names.items[i], now_ms, &good, &why)) != 0)
			(void)sa_fail(err, rc, "grants.d/%s: %s", names.items[i], why.msg);
		else if (!good)
			keeper_clear(k, names.items[i], &why);
	}
	trusted_names_free(&names);
	if (rc == 0)
		shelf_sweep(k->shelf_fd);
	return rc;
}

int keeper_expire(struct keeper *k, int64_t now_ms, struct sa_err *err)
{
	int rc = 0, one;

	for (size_t i = 0; i < k->seen.len; i++)
		if (k->seen.items[i].expires_ms <= now_ms &&
		    (one = keeper_remove(&k->seen.items[i], k->shelf_fd, "expired", err)) != 0)
			rc = one;
	seen_forget(&k->seen, now_ms);
	return rc;
}

uint64_t keeper_on_shelf(const struct keeper *k)
{
	uint64_t n = 0;

	for (size_t i = 0; i < k->seen.len; i++)
		n += k->seen.items[i].on_shelf;
	return n;
}

void keeper_free(struct keeper *k)
{
	seen_free(&k->seen);
}
