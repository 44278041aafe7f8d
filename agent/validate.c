/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/validate.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/privdrop.h"
#include "agent/redact_rules.h"
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

/* The collector reads it after it has given up root. */
static int validate_readable(const struct settings *s, struct sa_err *err)
{
	const char *path = s->redact_rules_file;
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0 || privdrop_lookup(s->agent_user, &uid, &gid, NULL) != 0 ||
	    stat(path, &st) != 0)
		return 0;
	if ((st.st_mode & S_IROTH) || (st.st_uid == uid && (st.st_mode & S_IRUSR)) ||
	    (st.st_gid == gid && (st.st_mode & S_IRGRP)))
		return 0;
	return sa_fail(err, SA_ERR_PERM, "%s: the user %s cannot read it: chgrp %s, chmod 640",
		       path, s->agent_user, s->agent_user);
}

static int validate_redact(const struct settings *s, struct sa_err *err)
{
	const char *path = s->redact_rules_file;
	struct redact_rules *rules = NULL;
	int rc;

	if (!s->redact_enable || !path || !*path)
		return 0;
	rc = redact_rules_read(path, &rules, err);
	redact_rules_free(rules);
	return rc ? rc : validate_readable(s, err);
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
	if ((rc = validate_redact(out, err)) != 0)
		return sa_wrap(err, rc, "%s: redact.rules_file", name);
	return 0;
}
