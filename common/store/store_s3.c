/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/store/s3_internal.h"

#define LOG_BURST 3

static void s3_close(struct store *s)
{
	struct store_s3 *s3 = (struct store_s3 *)s;

	s3_put_drop(s3);
	aws_chain_free(s3->chain);
	http_free(s3->http);
	s3_put_drop(s3);
	sigv4_free(s3->signer);
	s3_location_free(&s3->at);
	headers_clear(&s3->put_headers);
	free(s3->url);
	free(s3->endpoint);
	free(s3->owner);
	free(s3->region);
	free(s3->put_action);
	free(s3);
}

static const struct store_ops s3_ops = {
	s3_put_start, s3_run, s3_in_flight, s3_probe, s3_get, s3_list, s3_close,
};

static const char *s3_word(const char *s)
{
	return s && *s ? s : NULL;
}

struct s3_env {
	const char *(*get)(void *ctx, const char *name);
	void *ctx;
};

static const char *s3_env(const struct s3_env *e, const char *name)
{
	return s3_word(e->get ? e->get(e->ctx, name) : secure_getenv(name));
}

static int s3_open_http(struct store_s3 *s3, const struct settings *set, const struct s3_env *env,
			struct sa_err *err)
{
	const struct http_options o = {
		.ca_file = s3_word(set->store_s3_ca_file) ? set->store_s3_ca_file
							  : s3_env(env, "AWS_CA_BUNDLE"),
		.proxy = s3_word(set->store_s3_proxy),
		.no_proxy = s3_word(set->store_s3_no_proxy),
		.connect_ms = set->store_connect_timeout,
		.stall_ms = set->store_stall_timeout,
		.turn = s3->turn,
		.turn_ctx = s3->turn_ctx,
	};

	s3->stall_ms = set->store_stall_timeout;
	return http_new(&o, &s3->http, err);
}

static int s3_open_chain(struct store_s3 *s3, const struct settings *set, const struct s3_env *env,
			 struct sa_err *err)
{
	const struct aws_chain_options o = {
		.profile = s3_word(set->store_s3_profile),
		.region = s3_word(set->store_s3_region),
		.http = s3->http,
		.env = env->get,
		.env_ctx = env->ctx,
	};

	return aws_chain_new(&o, &s3->chain, err);
}

/* Copies text, which may be NULL. */
static int s3_keep(char **out, const char *text, struct sa_err *err)
{
	*out = text ? strdup(text) : NULL;
	return !text || *out ? 0 : sa_fail(err, SA_ERR_NOMEM, "out of memory");
}

/* The setting, else the first variable that is set, else the profile's value. */
static int s3_choose(const struct store_s3 *s3, const char *setting, const char *const names[2],
		     const char *profile_key, const struct s3_env *env, char **out,
		     struct sa_err *err)
{
	_cleanup_free_ char *profile = slice_dup(aws_profile_value(s3->chain, profile_key));
	const char *chosen = s3_word(setting);

	for (size_t i = 0; i < 2 && !chosen; i++)
		chosen = s3_env(env, names[i]);
	return s3_keep(out, chosen ? chosen : s3_word(profile), err);
}

static int s3_open_location(struct store_s3 *s3, const struct settings *set,
			    const struct s3_env *env, struct sa_err *err)
{
	static const char *const endpoints[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"};
	static const char *const regions[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
	const char *path_style = set->store_s3_path_style;
	int rc;

	if ((rc = s3_keep(&s3->url, set->store_s3_url, err)) != 0 ||
	    (rc = s3_keep(&s3->owner, s3_word(set->store_s3_owner), err)) != 0 ||
	    (rc = s3_choose(s3, set->store_s3_endpoint, endpoints, "endpoint_url", env,
			    &s3->endpoint, err)) != 0 ||
	    (rc = s3_choose(s3, set->store_s3_region, regions, "region", env, &s3->region, err)) !=
		    0)
		return rc;
	s3->region_guessed = !s3->region && !s3->endpoint;
	s3->where = (struct s3_where){
		.url = s3->url,
		.region = s3->region_guessed ? s3_first_region(s3->url) : s3->region,
		.endpoint = s3->endpoint,
		.style = strcmp(path_style, "yes") == 0  ? S3_STYLE_PATH
			 : strcmp(path_style, "no") == 0 ? S3_STYLE_VIRTUAL
							 : S3_STYLE_AUTO,
		.fips = set->store_s3_fips,
		.dualstack = set->store_s3_dualstack,
	};
	rc = s3_location_make(&s3->where, &s3->at, err);
	s3->region_guessed &= !s3->at.access_point;
	return rc;
}

static int s3_open_name(struct store_s3 *s3, struct sa_err *err)
{
	size_t n = strlen(s3->at.prefix);

	if (asprintf(&s3->base.name, "s3://%s%s%.*s", s3->at.bucket, n ? "/" : "",
		     n ? (int)n - 1 : 0, s3->at.prefix) < 0) {
		s3->base.name = NULL;
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	}
	return 0;
}

static void s3_option(struct store_s3 *s3, const char *name, const char *value)
{
	if (s3_word(value))
		headers_add(&s3->put_headers, name, slice_of(value));
}

static int s3_open_headers(struct store_s3 *s3, const struct settings *set, struct sa_err *err)
{
	const char *sse = s3_word(set->store_s3_encryption);
	bool kms = sse && strncmp(sse, "aws:kms", 7) == 0;

	if (!kms && (s3_word(set->store_s3_kms_key) || set->store_s3_bucket_key))
		return sa_fail(err, SA_ERR_INVALID,
			       "s3_kms_key and s3_bucket_key need s3_encryption = aws:kms");
	s3_option(s3, "x-amz-server-side-encryption", sse);
	s3_option(s3, "x-amz-server-side-encryption-aws-kms-key-id", set->store_s3_kms_key);
	s3_option(s3, "x-amz-server-side-encryption-bucket-key-enabled",
		  set->store_s3_bucket_key ? "true" : NULL);
	s3_option(s3, "x-amz-object-lock-mode", set->store_s3_lock_mode);
	s3_option(s3, "x-amz-object-lock-legal-hold", set->store_s3_legal_hold ? "ON" : NULL);
	s3_option(s3, "x-amz-storage-class", set->store_s3_storage_class);
	s3_option(s3, "x-amz-tagging", set->store_s3_tags);
	s3->put_options = s3->put_headers.len > 0;
	s3->content_md5 = set->store_s3_content_md5;
	s3->lock_for_ms = s3_word(set->store_s3_lock_mode) ? set->store_s3_lock_for : 0;
	if (s3->put_headers.failed)
		return sa_fail(err, SA_ERR_INVALID,
			       "an s3_ setting has a control byte in it, or is too long");
	if (asprintf(&s3->put_action, "s3:PutObject%s%s%s%s",
		     s3->lock_for_ms ? ", s3:PutObjectRetention" : "",
		     set->store_s3_legal_hold ? ", s3:PutObjectLegalHold" : "",
		     s3_word(set->store_s3_tags) ? ", s3:PutObjectTagging" : "",
		     kms ? " (and kms:GenerateDataKey, kms:Decrypt on the key)" : "") < 0) {
		s3->put_action = NULL;
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	}
	return 0;
}

static int s3_open_parts(struct store_s3 *s3, const struct settings *set, const struct s3_env *env,
			 struct sa_err *err)
{
	int rc;

	if ((rc = s3_open_http(s3, set, env, err)) != 0 ||
	    (rc = s3_open_chain(s3, set, env, err)) != 0 ||
	    (rc = s3_open_location(s3, set, env, err)) != 0 || (rc = s3_open_name(s3, err)) != 0 ||
	    (rc = s3_open_headers(s3, set, err)) != 0)
		return rc;
	s3->signer = sigv4_new();
	return s3->signer ? 0 : sa_fail(err, SA_ERR_NOMEM, "out of memory");
}

int store_s3_open(const struct settings *set, bool (*turn)(void *ctx), void *turn_ctx,
		  const char *(*env)(void *ctx, const char *name), void *env_ctx,
		  struct store **out, struct sa_err *err)
{
	const struct s3_env from = {env, env_ctx};
	struct store_s3 *s3 = calloc(1, sizeof(*s3));
	int rc;

	if (!s3)
		return sa_fail(err, SA_ERR_NOMEM, "store: out of memory");
	s3->base.ops = &s3_ops;
	s3->turn = turn;
	s3->turn_ctx = turn_ctx;
	s3->odd.burst = s3->moved.burst = LOG_BURST;
	rc = s3_open_parts(s3, set, &from, err);
	if (rc == 0)
		*out = &s3->base;
	else
		store_close(&s3->base);
	return rc ? sa_wrap(err, rc, "store") : 0;
}

const struct s3_location *store_s3_location(struct store *s)
{
	struct store_s3 *s3 = (struct store_s3 *)s;

	if (s->ops != &s3_ops)
		return NULL;
	s3_find_region(s3);
	return &s3->at;
}

const char *store_s3_credentials(struct store *s)
{
	return s->ops == &s3_ops ? aws_chain_source(((struct store_s3 *)s)->chain) : NULL;
}
