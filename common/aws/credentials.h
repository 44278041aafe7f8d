/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * AWS credentials, from where the stock clients look for them, in their order:
 *   1. systemd's LoadCredential: $CREDENTIALS_DIRECTORY/aws-credentials (a shared
 *      credentials file), read when the chain is made, while the process is root
 *   2. environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   3. web identity: AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE (EKS IRSA), also as
 *      role_arn + web_identity_token_file of a profile
 *   4. shared files: AWS_SHARED_CREDENTIALS_FILE [~/.aws/credentials],
 *      AWS_CONFIG_FILE [~/.aws/config], profile AWS_PROFILE [default]
 *   5. container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI (ECS, EKS Pod
 *      Identity), AWS_CONTAINER_AUTHORIZATION_TOKEN(_FILE)
 *   6. instance metadata: IMDSv2 only; AWS_EC2_METADATA_DISABLED,
 *      AWS_EC2_METADATA_SERVICE_ENDPOINT
 * A source that is configured but fails is the answer: the chain does not fall
 * through to another identity. Secrets are zeroed when freed, never logged.
 */
#ifndef SA_AWS_CREDENTIALS_H
#define SA_AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/http/http.h"

struct aws_credentials {
	char *access_key, *secret_key; /* owned */
	char *session_token;           /* owned; NULL: none */
	int64_t expires_ms;            /* real time; 0: never */
};
/* Zeroes and frees. */
void aws_credentials_clear(struct aws_credentials *c);

struct aws_chain_options {
	/* NULL or "": AWS_PROFILE, else default. One given here goes before the environment's keys
	 * and role (2, 3), as it does in stock clients; AWS_PROFILE does not. */
	const char *profile;
	const char *region; /* for STS; NULL or "": as aws_region finds it */
	struct http *http;  /* borrowed for the chain's life; requests are waited for */
	/* NULL: secure_getenv */
	const char *(*env)(void *ctx, const char *name);
	void *env_ctx;
};

struct aws_chain;

/* Reads what needs root (LoadCredential); asks nothing of the network yet. SA_ERR_INVALID: a
 * credentials file that is there and cannot be understood (file and line are named). */
int aws_chain_new(const struct aws_chain_options *o, struct aws_chain **out, struct sa_err *err);
void aws_chain_free(struct aws_chain *c);
void aws_chain_freep(struct aws_chain **c);
#define _cleanup_aws_chain_ __attribute__((cleanup(aws_chain_freep)))

/* The credentials to sign with now; *out belongs to the chain and is valid until the next call.
 * Gets new ones from 15 minutes before the old ones expire (a share of the lifetime when that is
 * short), at most one try a minute; when that fails the old ones are given as long as they are
 * valid. SA_ERR_NOTFOUND: no source has any (err lists what was looked at); SA_ERR_AGAIN: the
 * source does not answer; SA_ERR_INVALID / SA_ERR_PERM: it is configured wrongly. */
int aws_chain_get(struct aws_chain *c, const struct aws_credentials **out, struct sa_err *err);
/* The service called the credentials expired or unknown: the next get asks for new ones (at most
 * one try in ten seconds). */
void aws_chain_refused(struct aws_chain *c);
/* "environment", "instance metadata (role web)", ...: for status and logs. "none" before a get. */
const char *aws_chain_source(const struct aws_chain *c);

/* AWS_REGION, AWS_DEFAULT_REGION, the profile's region in the config file, the instance's placement
 * (IMDSv2; only when nothing else is configured). SA_ERR_NOTFOUND. Appends to out. */
int aws_region(struct aws_chain *c, struct buf *out, struct sa_err *err);
/* A value of the profile in the shared config file ("endpoint_url", "ca_bundle"); SLICE_NONE when
 * there is none. Valid for the chain's life. */
struct slice aws_profile_value(struct aws_chain *c, const char *key);

#endif
