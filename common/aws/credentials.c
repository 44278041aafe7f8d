/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "common/aws/credentials_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"

#define CHAIN_AHEAD_MS (15 * INT64_C(60000))
#define CHAIN_PAUSE_MS INT64_C(60000)
#define CHAIN_PAUSE_REFUSED_MS INT64_C(10000)

struct cred_source {
	int (*get)(struct aws_chain *c, struct cred_got *got, struct sa_err *err);
	const char *name;
};

static int cred_from_env(struct aws_chain *c, struct cred_got *got, struct sa_err *err)
{
	const char *access = cred_env(c, "AWS_ACCESS_KEY_ID");
	const char *secret = cred_env(c, "AWS_SECRET_ACCESS_KEY");

	if (c->profile_chosen)
		return CRED_NOT_HERE;
	if (!access && !secret)
		return cred_looked(c, "AWS_ACCESS_KEY_ID");
	if (!access || !secret)
		return sa_fail(err, SA_ERR_INVALID, "%s is set, but %s is not",
			       access ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
			       access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	snprintf(got->source, sizeof(got->source), "environment");
	return cred_set(got, slice_of(access), slice_of(secret),
			slice_of(cred_env(c, "AWS_SESSION_TOKEN")), "environment", err);
}

static const struct cred_source sources[] = {
	{cred_from_system, "systemd credential"}, {cred_from_env, "environment"},
	{cred_from_web_identity, "web identity"}, {cred_from_shared, "shared files"},
	{cred_from_container, "container"},       {cred_from_imds, "instance metadata"},
};

static void wipe_string(char *s)
{
	if (s)
		OPENSSL_cleanse(s, strlen(s));
	free(s);
}

void aws_credentials_clear(struct aws_credentials *c)
{
	wipe_string(c->access_key);
	wipe_string(c->secret_key);
	wipe_string(c->session_token);
	*c = (struct aws_credentials){0};
}

const char *cred_env(const struct aws_chain *c, const char *name)
{
	const char *value = c->env(c->env_ctx, name);

	return value && value[0] ? value : NULL;
}

int cred_looked(struct aws_chain *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_puts(&c->looked, c->looked.len > 0 ? ", " : "");
	buf_puts(&c->looked, text);
	return CRED_NOT_HERE;
}

static const char *env_of_process(void *ctx, const char *name)
{
	(void)ctx;
	return secure_getenv(name);
}

/* $CREDENTIALS_DIRECTORY is root's, and so is what lies there. */
static int chain_load_system(struct aws_chain *c, struct sa_err *err)
{
	const char *dir = cred_env(c, "CREDENTIALS_DIRECTORY");
	int rc;

	c->system.kind = CRED_CREDENTIALS;
	if (!dir)
		return 0;
	if (asprintf(&c->system.path, "%s/aws-credentials", dir) < 0) {
		c->system.path = NULL;
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	}
	rc = cred_file_load(&c->system, err);
	if (rc == 0 && c->system.unreadable)
		return sa_fail(err, SA_ERR_PERM, "%s may not be read", c->system.path);
	return rc;
}

static int chain_setup(struct aws_chain *c, const struct aws_chain_options *o, struct sa_err *err)
{
	const char *profile;
	int rc;

	buf_init(&c->looked, 2048);
	c->http = o->http;
	c->env = o->env ? o->env : env_of_process;
	c->env_ctx = o->env_ctx;
	c->profile_chosen = o->profile && o->profile[0];
	profile = c->profile_chosen ? o->profile : cred_env(c, "AWS_PROFILE");
	c->profile_named = profile != NULL;
	c->profile = strdup(profile ? profile : "default");
	if (o->region && o->region[0])
		c->region = strdup(o->region);
	if (!c->profile || (o->region && o->region[0] && !c->region))
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if ((rc = chain_load_system(c, err)) < 0 || (rc = cred_files_load(c, &c->files, err)) < 0)
		return rc;
	cred_file_warn(&c->system);
	cred_file_warn(&c->files.credentials);
	cred_file_warn(&c->files.config);
	return 0;
}

int aws_chain_new(const struct aws_chain_options *o, struct aws_chain **out, struct sa_err *err)
{
	struct aws_chain *c = calloc(1, sizeof(*c));
	int rc = c ? chain_setup(c, o, err) : sa_fail(err, SA_ERR_NOMEM, "out of memory");

	if (rc < 0) {
		aws_chain_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void aws_chain_free(struct aws_chain *c)
{
	if (!c)
		return;
	aws_credentials_clear(&c->now.c);
	cred_file_free(&c->system);
	cred_files_free(&c->files);
	wipe_string(c->imds_token);
	buf_free(&c->looked);
	free(c->profile);
	free(c->region);
	free(c);
}

void aws_chain_freep(struct aws_chain **c)
{
	aws_chain_free(*c);
}

/* The first source that has something configured is the answer, and stays it: another one would be
 * another identity. */
static int chain_find(struct aws_chain *c, struct cred_got *got, const struct cred_source **source,
		      struct sa_err *err)
{
	int rc;

	buf_clear(&c->looked);
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		if (c->source && c->source != &sources[i])
			continue;
		*source = &sources[i];
		rc = sources[i].get(c, got, err);
		if (rc == CRED_NOT_HERE)
			continue;
		/* asked because nothing else was there: then say so */
		if (rc < 0 && sources[i].get == cred_from_imds && c->looked.len > 0)
			return sa_wrap(err, rc, "no AWS credentials in %s", buf_cstr(&c->looked));
		return rc;
	}
	return sa_fail(err, SA_ERR_NOTFOUND, "no AWS credentials%s in %s",
		       c->source ? " any more" : "", buf_cstr(&c->looked));
}

static void chain_take(struct aws_chain *c, struct cred_got *got, const struct cred_source *source)
{
	int64_t left = got->c.expires_ms - clock_real_ms();

	for (char *at = got->source; *at; at++) {
		if (*at < ' ' || *at > '~') /* goes into JSON: a role's name may hold anything */
			*at = '?';
	}
	aws_credentials_clear(&c->now.c);
	c->now = *got;
	c->source = source;
	c->end_ms = c->renew_ms = 0;
	if (got->c.expires_ms != 0) {
		/* Monotonic from here: the clock may be set. */
		c->end_ms = clock_mono_ms() + left;
		c->renew_ms = c->end_ms - (left / 2 < CHAIN_AHEAD_MS ? left / 2 : CHAIN_AHEAD_MS);
	}
}

static void chain_try(struct aws_chain *c)
{
	const struct cred_source *source = NULL;
	struct cred_got got = {0};
	int rc;

	c->last = (struct sa_err){0};
	rc = chain_find(c, &got, &source, &c->last);
	c->tried = true;
	c->tried_ms = clock_mono_ms();
	c->refused = false;
	if (rc == 0) {
		chain_take(c, &got, source);
		return;
	}
	aws_credentials_clear(&got.c);
	if (c->now.c.access_key)
		log_warn(
			"event=credentials_not_renewed reason=\"%s\" action=\"the old ones are used "
			"on\"",
			c->last.msg);
}

static bool chain_is_due(const struct aws_chain *c)
{
	int64_t now = clock_mono_ms();
	int64_t pause = c->refused ? CHAIN_PAUSE_REFUSED_MS : CHAIN_PAUSE_MS;

	if (c->now.c.access_key && !c->refused && (c->renew_ms == 0 || now < c->renew_ms))
		return false;
	return !c->tried || now - c->tried_ms >= pause;
}

static void chain_drop_expired(struct aws_chain *c)
{
	if (!c->now.c.access_key || c->end_ms == 0 || clock_mono_ms() < c->end_ms)
		return;
	aws_credentials_clear(&c->now.c);
	if (c->last.code == 0) /* they were too short-lived for another try */
		sa_fail(&c->last, SA_ERR_AGAIN, "%s: the credentials have expired", c->now.source);
}

int aws_chain_get(struct aws_chain *c, const struct aws_credentials **out, struct sa_err *err)
{
	chain_drop_expired(c);
	if (chain_is_due(c))
		chain_try(c);
	if (!c->now.c.access_key)
		return sa_fail(err, c->last.code, "%s", c->last.msg);
	*out = &c->now.c;
	return 0;
}

void aws_chain_refused(struct aws_chain *c)
{
	c->refused = true;
}

const char *aws_chain_source(const struct aws_chain *c)
{
	return c->source ? c->now.source : "none";
}

struct slice aws_profile_value(struct aws_chain *c, const char *key)
{
	const struct cred_files system = {.credentials = c->system};
	struct slice value = cred_files_get(c, &c->files, key);

	return value.ptr ? value : cred_files_get(c, &system, key);
}

int aws_region(struct aws_chain *c, struct buf *out, struct sa_err *err)
{
	struct slice region = slice_of(cred_env(c, "AWS_REGION"));

	if (!region.ptr)
		region = slice_of(cred_env(c, "AWS_DEFAULT_REGION"));
	if (!region.ptr)
		region = aws_profile_value(c, "region");
	if (!region.ptr)
		return cred_imds_region(c, out, err);
	buf_put(out, region);
	return 0;
}
