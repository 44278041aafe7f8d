/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdio.h>

#include "common/aws/credentials_internal.h"
#include "common/cleanup.h"

#define CRED_ADVICE "use an instance role, a web identity or static keys"

static struct slice cred_file_get(const struct aws_chain *c, const struct cred_file *f,
				  const char *key)
{
	return f->there ? cred_profile_get(buf_slice(&f->text), f->kind, c->profile, key)
			: SLICE_NONE;
}

static bool cred_file_has(const struct aws_chain *c, const struct cred_file *f)
{
	return f->there && cred_profile_has(buf_slice(&f->text), f->kind, c->profile);
}

struct slice cred_files_get(const struct aws_chain *c, const struct cred_files *f, const char *key)
{
	struct slice value = cred_file_get(c, &f->credentials, key);

	return value.ptr ? value : cred_file_get(c, &f->config, key);
}

/* Key and secret come from one file: halves of two do not make a pair. */
static int cred_static(const struct aws_chain *c, const struct cred_file *f, struct cred_got *got,
		       struct sa_err *err)
{
	struct slice access = cred_file_get(c, f, "aws_access_key_id");
	struct slice secret = cred_file_get(c, f, "aws_secret_access_key");
	char what[256];

	if (!access.ptr && !secret.ptr)
		return CRED_NOT_HERE;
	if (!access.ptr || !secret.ptr)
		return sa_fail(err, SA_ERR_INVALID, "%s: profile %s has no %s", f->path, c->profile,
			       access.ptr ? "aws_secret_access_key" : "aws_access_key_id");
	snprintf(what, sizeof(what), "%s: profile %s", f->path, c->profile);
	snprintf(got->source, sizeof(got->source), "profile %s of %s", c->profile, f->path);
	return cred_set(got, access, secret, cred_file_get(c, f, "aws_session_token"), what, err);
}

/* What stock clients would go on with, and we cannot. */
static int cred_unsupported(const struct aws_chain *c, const struct cred_files *f,
			    struct sa_err *err)
{
	static const char *const keys[] = {"credential_process", "sso_session", "sso_start_url",
					   "source_profile", "login_session"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (cred_files_get(c, f, keys[i]).ptr)
			return sa_fail(err, SA_ERR_INVALID,
				       "AWS profile %s: %s is not supported; " CRED_ADVICE,
				       c->profile, keys[i]);
	}
	return CRED_NOT_HERE;
}

static int cred_from_files(struct aws_chain *c, const struct cred_files *f, struct cred_got *got,
			   struct sa_err *err)
{
	struct slice role = cred_files_get(c, f, "role_arn");
	struct slice token_file = cred_files_get(c, f, "web_identity_token_file");
	int rc;

	if (role.ptr && token_file.ptr)
		return cred_assume(c, role, token_file, cred_files_get(c, f, "role_session_name"),
				   got, err);
	if (role.ptr)
		return sa_fail(err, SA_ERR_INVALID,
			       "AWS profile %s: role_arn without web_identity_token_file is not "
			       "supported; " CRED_ADVICE,
			       c->profile);
	if (token_file.ptr)
		return sa_fail(err, SA_ERR_INVALID,
			       "AWS profile %s: web_identity_token_file without role_arn",
			       c->profile);
	rc = cred_static(c, &f->credentials, got, err);
	if (rc == CRED_NOT_HERE)
		rc = cred_static(c, &f->config, got, err);
	return rc == CRED_NOT_HERE ? cred_unsupported(c, f, err) : rc;
}

/* It is there for no other reason than to be used. */
int cred_from_system(struct aws_chain *c, struct cred_got *got, struct sa_err *err)
{
	const struct cred_files only = {.credentials = c->system};
	int rc;

	if (!c->system.there)
		return cred_looked(c, "$CREDENTIALS_DIRECTORY/aws-credentials");
	rc = cred_from_files(c, &only, got, err);
	if (rc == CRED_NOT_HERE)
		return sa_fail(err, SA_ERR_INVALID, "%s: no keys in profile %s", c->system.path,
			       c->profile);
	return rc;
}

static const char *cred_state(const struct cred_file *f)
{
	return !f->path        ? ""
	       : f->unreadable ? " (may not be read)"
	       : f->there      ? ""
			       : " (not there)";
}

static int cred_shared_missing(struct aws_chain *c, const struct cred_files *f, struct sa_err *err)
{
	const char *credentials = f->credentials.path ? f->credentials.path : "~/.aws/credentials";
	const char *config = f->config.path ? f->config.path : "~/.aws/config";

	if (c->profile_named && !cred_file_has(c, &f->credentials) && !cred_file_has(c, &f->config))
		return sa_fail(err, SA_ERR_INVALID, "AWS profile %s is neither in %s%s nor in %s%s",
			       c->profile, credentials, cred_state(&f->credentials), config,
			       cred_state(&f->config));
	return cred_looked(c, "%s%s, %s%s (profile %s)", credentials, cred_state(&f->credentials),
			   config, cred_state(&f->config), c->profile);
}

static int cred_from_read(struct aws_chain *c, const struct cred_files *f, struct cred_got *got,
			  struct sa_err *err)
{
	int rc = cred_from_files(c, f, got, err);

	return rc == CRED_NOT_HERE ? cred_shared_missing(c, f, err) : rc;
}

/* Read anew after the first time: keys may have been changed. What was read as root and may not be
 * read any more counts as it was. */
int cred_from_shared(struct aws_chain *c, struct cred_got *got, struct sa_err *err)
{
	struct cred_files fresh;
	int rc;

	if (!c->tried)
		return cred_from_read(c, &c->files, got, err);
	if ((rc = cred_files_load(c, &fresh, err)) < 0)
		return rc;
	if ((fresh.credentials.unreadable && c->files.credentials.there) ||
	    (fresh.config.unreadable && c->files.config.there))
		rc = cred_from_read(c, &c->files, got, err);
	else
		rc = cred_from_read(c, &fresh, got, err);
	cred_files_free(&fresh);
	return rc;
}
