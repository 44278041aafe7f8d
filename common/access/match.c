/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <strings.h>

#include "common/access/match.h"
#include "common/cleanup.h"

const char *match_reason_text(enum match_reason r)
{
	static const char *const texts[] = {
		[MATCH_OK] = "fits",
		[MATCH_REVOKED] = "revoked",
		[MATCH_NOT_YET] = "not valid yet",
		[MATCH_EXPIRED] = "expired",
		[MATCH_HOST] = "is for other hosts",
		[MATCH_USER] = "is for other users",
		[MATCH_SERVICE] = "is for other services",
		[MATCH_SOURCE] = "is for other source addresses",
		[MATCH_CRITERION] = "names a source, key or certificate: not checked yet",
	};

	return texts[r];
}

static bool list_has(const struct grant_list *l, const char *value)
{
	for (size_t i = 0; i < l->len; i++)
		if (strcmp(l->items[i], value) == 0)
			return true;
	return false;
}

/* Whole name, or the part before the first dot, as written in the grant; "*" is every host. */
static bool host_fits(const char *wanted, const char *host)
{
	size_t n = strcspn(host, ".");

	return strcmp(wanted, "*") == 0 || strcasecmp(wanted, host) == 0 ||
	       (strlen(wanted) == n && strncasecmp(wanted, host, n) == 0);
}

static bool hosts_fit(const struct grant_list *hosts, const char *host)
{
	if (hosts->len == 0)
		return true;
	for (size_t i = 0; i < hosts->len; i++)
		if (host_fits(hosts->items[i], host))
			return true;
	return false;
}

/* The user comes first, so that any other reason means "a grant of this user, but"; what cannot be
 * checked comes last, so that it is given only when it alone stands in the way. */
enum match_reason match_one(const struct grant *g, const struct match_login *login)
{
	if (!list_has(&g->users, login->user))
		return MATCH_USER;
	if (!hosts_fit(&g->hosts, login->host))
		return MATCH_HOST;
	if (g->services.len > 0 && !list_has(&g->services, login->service))
		return MATCH_SERVICE;
	if (g->revoked)
		return MATCH_REVOKED;
	if (login->now_ms < g->not_before_ms)
		return MATCH_NOT_YET;
	if (login->now_ms >= g->expires_ms)
		return MATCH_EXPIRED;
	if (g->source.len || g->key_fp.len || g->ca_fp.len || g->cert_key_id.len ||
	    g->cert_serial.len)
		return MATCH_CRITERION;
	return MATCH_OK;
}

static bool is_candidate(const struct access *a, const char *request_id)
{
	for (size_t i = 0; i < a->n_candidates; i++)
		if (strcmp(a->candidates[i], request_id) == 0)
			return true;
	return false;
}

/* Adds the request of a fitting grant; more than fit into the list are left out of it. */
static int add_candidate(struct access *a, const char *request_id)
{
	int rc = 0;

	if (!is_candidate(a, request_id))
		rc = access_add_candidate(a, slice_of(request_id));
	return rc == SA_ERR_TOOBIG ? 0 : rc;
}

int match_login(const struct grants *grants, const struct match_login *login, struct access *out)
{
	_cleanup_access_ struct access tied = {.status = ACCESS_AMBIGUOUS,
					       .source = ACCESS_SOURCE_USER};
	const struct grant *first = NULL;

	*out = (struct access){0};
	for (size_t i = 0; i < grants->len; i++) {
		const struct grant *g = grants->items[i];

		if (match_one(g, login) != MATCH_OK)
			continue;
		if (add_candidate(&tied, g->access.request_id) < 0)
			return SA_ERR_NOMEM;
		if (!first)
			first = g;
	}
	if (!first)
		return 0;
	if (tied.n_candidates > 1) {
		*out = tied;
		tied = (struct access){0};
		return 0;
	}
	if (access_copy(out, &first->access) < 0)
		return SA_ERR_NOMEM;
	out->status = ACCESS_APPROVED;
	out->source = ACCESS_SOURCE_USER;
	return 0;
}
