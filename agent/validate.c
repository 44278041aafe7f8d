/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/validate.h"

#include <string.h>

#include "common/access/policy.h"
#include "common/store/s3_location.h"
#include "common/transcript/layout.h"

/* The region may come from elsewhere later: any one shows whether the rest is right. */
static int validate_bucket(const struct settings *s, struct sa_err *err)
{
	struct s3_where where = {
		.url = s->store_s3_url,
		.region = s->store_s3_region && *s->store_s3_region ? s->store_s3_region
								    : "us-east-1",
		.endpoint = s->store_s3_endpoint,
		.fips = s->store_s3_fips,
		.dualstack = s->store_s3_dualstack,
	};
	struct s3_location location = {0};
	int rc;

	if (strcmp(s->store_type, "s3") != 0)
		return 0;
	rc = s3_location_make(&where, &location, err);
	s3_location_free(&location);
	return rc;
}

int validate_load(const char *path, struct settings *out, struct sa_err *err)
{
	const char *name = path ? path : SETTINGS_DEFAULT_PATH;
	int rc = settings_load(path, out, err);

	if (rc != 0)
		return rc;
	if ((rc = layout_prefix_check(out->store_session_prefix, err)) != 0)
		return sa_wrap(err, rc, "%s: store.session_prefix", name);
	if ((rc = policy_check(out, err)) != 0)
		return sa_wrap(err, rc, "%s", name);
	if ((rc = validate_bucket(out, err)) != 0)
		return sa_wrap(err, rc, "%s: store.s3_url", name);
	return 0;
}
