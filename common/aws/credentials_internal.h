/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the sources of credentials share; for common/aws/ only. A source is one
 * function: it looks where it looks and gives credentials, says that nothing is
 * configured there (CRED_NOT_HERE), or fails, which ends the chain.
 *   credentials.c      the chain and when it is asked; environment
 *   cred_file.c        the shared files, as read
 *   cred_shared.c      a profile of them: static keys, or a role
 *   cred_sts.c         web identity
 *   cred_container.c   ECS, EKS Pod Identity
 *   cred_imds.c        instance metadata
 *   cred_answer.c      asking a service, and what its answers have in common
 */
#ifndef SA_CREDENTIALS_INTERNAL_H
#define SA_CREDENTIALS_INTERNAL_H

#include <sys/types.h>

#include "common/aws/cred_profile.h"
#include "common/aws/credentials.h"

#define CRED_NOT_HERE 1
#define CRED_MAX_ANSWER (64 * 1024)
#define CRED_MAX_TOKEN (24 * 1024) /* a web identity token; STS takes 20,000 characters */

struct cred_file {
	char *path; /* owned; NULL: there is no place for such a file */
	enum cred_kind kind;
	bool there, unreadable;
	mode_t mode;
	struct buf text; /* zeroed when freed */
};

struct cred_files {
	struct cred_file credentials, config;
};

struct cred_got {
	struct aws_credentials c;
	char source[200];
};

struct aws_chain {
	char *profile;
	bool profile_chosen; /* by the caller: goes before the environment, as in stock clients */
	bool profile_named;  /* by the caller or AWS_PROFILE: must exist */
	char *region;        /* NULL: not said */
	struct http *http;
	const char *(*env)(void *ctx, const char *name);
	void *env_ctx;

	struct cred_file system; /* systemd's */
	struct cred_files files; /* as they were when the chain was made */

	const struct cred_source *source; /* that gave credentials once: no other is asked then */
	struct cred_got now;              /* no access_key: none yet, or no longer valid */
	bool tried, refused;
	int64_t tried_ms, renew_ms, end_ms; /* monotonic; 0: never */
	struct sa_err last;                 /* why there are none */
	struct buf looked;                  /* where nothing was found, for a message */

	char *imds_token; /* NULL: none */
	int64_t imds_token_end_ms;
};

/* NULL when unset or empty. */
const char *cred_env(const struct aws_chain *c, const char *name);
/* Adds to the list of places where nothing is configured; CRED_NOT_HERE. */
int cred_looked(struct aws_chain *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Copies. token: absent or empty for none. SA_ERR_INVALID: not printable ASCII, too long; what says
 * where they come from. */
int cred_set(struct cred_got *got, struct slice access, struct slice secret, struct slice token,
	     const char *what, struct sa_err *err);

/* Shared files; see cred_file.c. */
int cred_file_load(struct cred_file *f, struct sa_err *err);
/* Logs when others can read the secrets in it. */
void cred_file_warn(const struct cred_file *f);
void cred_file_free(struct cred_file *f);
int cred_files_load(struct aws_chain *c, struct cred_files *out, struct sa_err *err);
void cred_files_free(struct cred_files *f);
/* A file that holds nothing but a token, read anew at each use. */
int cred_read_token(const char *path, struct buf *out, struct sa_err *err);
/* Zeroes all it ever held and frees. */
void cred_buf_wipe(struct buf *b);
#define _cleanup_secret_ __attribute__((cleanup(cred_buf_wipe))) /* always with = {0} */

struct cred_ask {
	const char *what; /* for messages: "instance metadata" */
	const char *method, *url;
	const struct headers *headers;
	struct slice body;
	bool direct;
	int64_t total_ms;  /* of one try */
	unsigned tries;    /* when no answer comes, or one of 429, 5xx */
	struct slice sent; /* a secret of the request: an answer that repeats it is not quoted */
};

/* 0 when there was an answer below 500 but 429; answer is the caller's. SA_ERR_AGAIN else. */
int cred_ask(struct aws_chain *c, const struct cred_ask *q, struct http_answer *answer,
	     struct sa_err *err);
/* Fails with the answer's status and the service's own words: SA_ERR_PERM for 401 and 403,
 * SA_ERR_AGAIN for 429 and 5xx, else SA_ERR_INVALID. */
int cred_fail(const struct cred_ask *q, const struct http_answer *answer, struct sa_err *err);
/* From the JSON that container and instance services answer. */
int cred_from_json(const struct cred_ask *q, const struct http_answer *answer, struct cred_got *got,
		   struct sa_err *err);
/* RFC 3339. SA_ERR_AGAIN: not a time, or past. */
int cred_set_expiry(const struct cred_ask *q, const struct http_answer *answer, struct slice text,
		    struct cred_got *got, struct sa_err *err);
/* Zeroes the body, too. */
void cred_answer_free(struct http_answer *a);
#define _cleanup_cred_answer_ __attribute__((cleanup(cred_answer_free))) /* always with = {0} */

/* The sources. */
int cred_from_system(struct aws_chain *c, struct cred_got *got, struct sa_err *err);
int cred_from_shared(struct aws_chain *c, struct cred_got *got, struct sa_err *err);
int cred_from_web_identity(struct aws_chain *c, struct cred_got *got, struct sa_err *err);
int cred_from_container(struct aws_chain *c, struct cred_got *got, struct sa_err *err);
int cred_from_imds(struct aws_chain *c, struct cred_got *got, struct sa_err *err);

/* A value of the chain's profile in files: credentials go before config. */
struct slice cred_files_get(const struct aws_chain *c, const struct cred_files *f, const char *key);
/* session: absent: made of the host's name. */
int cred_assume(struct aws_chain *c, struct slice role, struct slice token_file,
		struct slice session, struct cred_got *got, struct sa_err *err);
/* Appends the instance's region. */
int cred_imds_region(struct aws_chain *c, struct buf *out, struct sa_err *err);

#endif
