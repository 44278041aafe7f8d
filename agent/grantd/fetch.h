/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One question to the broker: GET broker.url over HTTPS, with the token, and with
 * the ETag of the answer that was taken over last.
 */
#ifndef SA_FETCH_H
#define SA_FETCH_H

#include "agent/grantd/token.h"
#include "common/http/http.h"
#include "common/settings.h"

#define FETCH_MAX_ETAG 1024 /* a longer one is not used */

struct fetch {
	const struct settings *settings;
	struct token token;
	struct http *http; /* NULL: not opened yet */
	char *etag;        /* of what was taken over; NULL: ask for all */
};

/* Reads the token a first time, while root may. Only settings that cannot work are an error. */
int fetch_init(struct fetch *f, const struct settings *s, struct sa_err *err);
/* 0 with *out of status 200 or 304; else what is wrong and what to do. turn as in http.h. */
int fetch_get(struct fetch *f, bool (*turn)(void *ctx), void *ctx, struct http_answer *out,
	      struct sa_err *err);
/* The answer was taken over whole (NULL: not): its ETag is sent from now on. */
void fetch_taken(struct fetch *f, const struct http_answer *a);
void fetch_free(struct fetch *f);

#endif
