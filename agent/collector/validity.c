/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/validity.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"

void validity_start(struct validity *v, const struct access *a)
{
	v->expires_ms = VALIDITY_NO_END;
	if (a->status == ACCESS_APPROVED && a->expires_at)
		clock_parse_utc(slice_of(a->expires_at), &v->expires_ms);
}

void validity_free(struct validity *v)
{
	free(v->file);
	*v = (struct validity){.expires_ms = VALIDITY_NO_END};
}

static void complain(struct validity *v, const char *reason)
{
	static struct log_limit limit = {.burst = 5};

	if (!v->unreadable)
		log_limited(
			&limit, LOG_LEVEL_WARN,
			"event=grant_unreadable file=%s reason=\"%s\" action=\"expiry is known, "
			"that it is revoked would not be\"",
			v->file, reason);
	v->unreadable = true;
}

static void take(struct validity *v, const struct access *a, const struct grant *g)
{
	if (!grant_is_of(g, a)) {
		v->why_gone = "grant_removed";
		return;
	}
	/* Who writes the files of a broker can bring back what the broker once signed. */
	if (g->issued_ms && g->issued_ms < v->issued_ms) {
		complain(v, "an older version of the grant than was there");
		return;
	}
	v->issued_ms = g->issued_ms;
	v->unreadable = false;
	v->why_gone = g->revoked ? "revoked" : NULL;
	v->expires_ms = g->expires_ms;
}

/* The file itself is what is said, not the moment. */
static bool is_final(int rc)
{
	return rc == 0 || rc == SA_ERR_PERM || rc == SA_ERR_INVALID || rc == SA_ERR_TOOBIG;
}

const char *validity_look(struct validity *v, const struct access *a,
			  const struct grants_trust *trust)
{
	struct file_stamp stamp;
	struct sa_err err = {0};
	struct grant *g = NULL;
	struct stat st;
	int rc;

	if (lstat(v->file, &st) == 0) {
		stamp = file_stamp_of(&st);
		if (file_stamp_same(&stamp, &v->stamp))
			return v->why_gone;
		rc = grants_load_file(v->file, trust, &g, &err);
	} else {
		stamp = (struct file_stamp){0};
		rc = errno == ENOENT || errno == ENOTDIR ? SA_ERR_NOTFOUND
							 : sa_fail_errno(&err, "stat");
	}
	/* What failed in passing (no descriptor, replaced while it was read) is tried again. */
	v->stamp = is_final(rc) ? stamp : (struct file_stamp){0};
	if (rc == SA_ERR_NOTFOUND)
		v->why_gone = "grant_removed";
	else if (rc)
		complain(v, err.msg);
	else
		take(v, a, g);
	grant_free(g);
	return v->why_gone;
}
