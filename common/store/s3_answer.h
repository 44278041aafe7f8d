/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What an answer of S3 means: the error code out of its XML, the outcome and the
 * repair that one table gives for status and code, and a message that tells the
 * admin what to do. Pure. Everything the server wrote is untrusted: a code is a
 * word or nothing, its message is escaped and cut.
 * Source: "Error responses", Amazon S3 API Reference; Ceph, rgw_common.cc.
 */
#ifndef SA_S3_ANSWER_H
#define SA_S3_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/http/http.h"

#define S3_CODE_MAX 63
#define S3_MESSAGE_MAX 200
#define S3_REGION_MAX 64
#define S3_CLOCK_SKEW_MS (15 * 60 * 1000) /* more is RequestTimeTooSkewed */

enum s3_repair { /* what may make the same request work */
		 S3_REPAIR_NONE,
		 S3_REPAIR_CLOCK,       /* sign with the server's clock */
		 S3_REPAIR_REGION,      /* ask where the bucket is */
		 S3_REPAIR_CREDENTIALS, /* get new ones */
		 S3_REPAIR_BODY,        /* read the bytes again */
};

enum s3_hint {
	S3_HINT_NONE,
	S3_HINT_ALLOW,
	S3_HINT_ARCHIVED,
	S3_HINT_BUCKET,
	S3_HINT_CHANGED,
	S3_HINT_CLOCK,
	S3_HINT_CREDENTIALS,
	S3_HINT_DISABLED,
	S3_HINT_ENDPOINT,
	S3_HINT_FULL,
	S3_HINT_KEY,
	S3_HINT_LATER,
	S3_HINT_NOT_DONE,
	S3_HINT_OBJECT,
	S3_HINT_PROXY,
	S3_HINT_REGION,
	S3_HINT_SETTINGS,
	S3_HINT_TAKEN,
};

struct s3_answer {
	int status;
	char code[S3_CODE_MAX + 1];       /* [A-Za-z0-9._-], "" when there is none */
	char message[S3_MESSAGE_MAX + 1]; /* the server's own, fit for a terminal */
	char region[S3_REGION_MAX + 1];   /* where the bucket is, "" when it does not say */
	int64_t date_ms;                  /* the server's clock; 0: it does not say */
	/* 0 for any 2xx; SA_ERR_AGAIN, SA_ERR_PERM, SA_ERR_INVALID as in store.h; SA_ERR_NOTFOUND:
	 * 404; SA_ERR_EXISTS: 412 */
	int rc;
	enum s3_repair repair;
	enum s3_hint hint;
	bool lost; /* it may have been done all the same */
};

/* now_ms, region: what the request was signed with. */
void s3_answer_read(const struct http_answer *a, int64_t now_ms, const char *region,
		    struct s3_answer *out);

struct s3_asked { /* for messages; no part is a secret */
	const char *store, *method;
	const char *action, *resource; /* as policies name them */
	const char *credentials;       /* where they are from */
	const char *owner;             /* that the bucket must have; NULL: any */
};
/* Fills err and returns a->rc. */
int s3_answer_fail(const struct s3_answer *a, const struct s3_asked *q, struct sa_err *err);

#endif
