/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One request and its answer, for http.c only: a handle of libcurl that is used for
 * one request after the other, what it sends, what it has received, and the verdict.
 */
#ifndef SA_HTTP_TRANSFER_H
#define SA_HTTP_TRANSFER_H

#include "common/http/curl.h"
#include "common/http/http.h"

struct transfer {
	struct transfer *next; /* the next four belong to http.c */
	CURLM *in;
	http_done done;
	void *ctx;

	CURL *easy;
	const struct http_options *o; /* borrowed */
	struct slice body;            /* borrowed; absent: body_fd's */
	int body_fd;
	uint64_t body_size, body_at;
	char *lines; /* what fields points into; holds secrets */
	size_t lines_size;
	struct curl_slist fields[HEADERS_MAX + 1];

	struct http_answer a;
	bool in_head; /* between a status line and its empty line */
	int64_t moved, moved_ms;
	char host[256]; /* for messages: host:port */
	char reason[CURL_ERROR_SIZE];
	struct sa_err err; /* what a callback writes here goes before the library's verdict */
};

/* A handle with all set that is the same for each request; o must outlive it. NULL: no memory. */
struct transfer *transfer_new(const struct http_options *o);
void transfer_free(struct transfer *t);
/* Makes it ready to be moved. SA_ERR_INVALID, SA_ERR_NOMEM. */
int transfer_prepare(struct transfer *t, const struct http_request *r, struct sa_err *err);
/* Whether nothing has moved for o->stall_ms, as far as was looked; err says so then. */
bool transfer_stalled(struct transfer *t, int64_t now_ms);
/* Completes the answer and err from the library's verdict. */
void transfer_judge(struct transfer *t, CURLcode c);
/* Forgets request and answer; secrets are zeroed. */
void transfer_clear(struct transfer *t);

#endif
