/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * For tests of credentials: one server that stands in for instance metadata
 * (IMDSv2), the container endpoint and STS, as they are documented, and can fail in
 * each step; an environment; and a chain. Every request is written down. Requests
 * go to the stand-in whatever host they name: the program is linked with
 * -Wl,--wrap=http_perform, which also writes down what was asked of http.h.
 * Everything secret has HUSH in it, so that a message that holds one shows.
 */
#ifndef SA_CRED_STAND_H
#define SA_CRED_STAND_H

#include "common/aws/credentials.h"
#include "tests/unit/httpd.h"

#define STAND_REAL_MS INT64_C(1795251600000) /* 2026-11-21T09:00:00Z, when a test begins */
#define STAND_MONO_MS INT64_C(50000000)
#define STAND_HOUR_MS INT64_C(3600000)
#define STAND_MINUTE_MS INT64_C(60000)
#define STAND_JWT "HUSH.jwt-0123456789.abcdef/+="

enum stand_step {
	STEP_NONE,
	STEP_IMDS_TOKEN,
	STEP_IMDS_ROLES,
	STEP_IMDS_ROLE,
	STEP_IMDS_REGION,
	STEP_CONTAINER,
	STEP_STS,
};

enum stand_fault {
	FAULT_NONE,
	FAULT_SILENT, /* the connection ends, nothing was answered */
	FAULT_SLOW,   /* past the time that a try has */
	FAULT_CUT,    /* the connection ends amid the answer */
	FAULT_400,
	FAULT_401,
	FAULT_403,
	FAULT_404,
	FAULT_429,
	FAULT_500,
	FAULT_HTML,       /* 200, of a proxy that knows better */
	FAULT_EMPTY,      /* 200, no body */
	FAULT_INCOMPLETE, /* 200, a key is missing */
	FAULT_CODE,       /* an error that is told in a 200 (STS: a 400 that passes) */
	FAULT_EXPIRED,
	FAULT_NOT_A_TIME,
	FAULT_ECHO, /* 400, with the secret of the request in its message */
	FAULT_BAD_KEY,
};

struct stand {
	struct httpd *httpd;
	struct http *http;
	struct aws_chain *chain;
	const char *env[32][2];
	size_t env_len;

	/* under httpd_lock while requests may be on their way */
	enum stand_step step; /* where it fails */
	enum stand_fault fault;
	int64_t life_ms;     /* of what it gives */
	const char *role;    /* of the instance; NULL: none */
	const char *date;    /* header of answers; NULL: none */
	unsigned given;      /* credentials so far; the next are number given + 1 */
	unsigned imds_token; /* which one is good */
	struct buf asked;    /* one line for each request, as the server saw it */
	struct buf calls;    /* the same, as http.h saw it */
	unsigned called;     /* how often http.h was asked */
	bool elsewhere;      /* requests go where their URL says */
};

/* Both clocks stand still from here on. proxy: as in struct http_options. */
void stand_start(struct stand *s, const char *proxy);
void stand_stop(struct stand *s);
#define _cleanup_stand_ __attribute__((cleanup(stand_stop))) /* always with = {0} */

void stand_env(struct stand *s, const char *name, const char *value); /* NULL: unset */
void stand_fail(struct stand *s, enum stand_step step, enum stand_fault fault);
/* A new chain in place of the old one; its code. */
int stand_chain(struct stand *s, const char *profile, const char *region, struct sa_err *err);
/* Empties what was written down. */
void stand_forget(struct stand *s);

/* Checks, with TAP. */
/* A get gives these; source NULL: not looked at. */
void stand_gives(struct stand *s, const char *access, const char *source, const char *name);
/* A get fails with code and msg, or, where msg ends in "...", a message that begins so. */
void stand_refuses(struct stand *s, int code, const char *msg, const char *name);
/* What the server, and http.h, was asked since the last time; "" for nothing. */
void stand_has_asked(struct stand *s, const char *asked, const char *name);
void stand_has_called(struct stand *s, const char *calls, const char *name);
/* Whether msg is want (see stand_refuses) and tells no secret. */
void stand_says(const char *msg, const char *want, const char *name);

#endif
