/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Brings what lies ready into the store, several objects at a time: put once, then
 * the local copy goes. A failure stops only its directory, for a pause that grows
 * (retry.h); failures of many stop all but one that tries (circuit.h). An object
 * that the store will not take goes to quarantine and is tried again now and then;
 * none is ever dropped. A key that the store holds with other content is a
 * conflict: the object is stored beside it (object.h). Never waits: the caller
 * turns it, and runs the store.
 */
#ifndef SA_UPLOAD_H
#define SA_UPLOAD_H

#include "agent/shipper/attempts.h"
#include "agent/shipper/object.h"
#include "agent/retry.h"
#include "agent/shipper/status.h"

#define UPLOAD_PARALLEL_MAX 64
#define UPLOAD_PASS_TRIES 5 /* of an open circuit, then a pass is over */

struct upload_options { /* all borrowed */
	struct store *store;
	struct attempts *attempts;
	struct object_dirs dirs;
	struct status *status; /* numbers are kept here */
	struct retry_policy policy;
	unsigned parallel;
	int64_t quarantine_retry_ms;
	uint32_t (*random)(void *ctx); /* NULL: of the kernel */
	void *random_ctx;
};

struct upload;

int upload_new(const struct upload_options *o, struct upload **out, struct sa_err *err);
/* Puts may still be under way when nobody runs the store any more; their attempts stay open. */
void upload_free(struct upload *u);
/* From here on nothing is started, and puts that end change nothing: the store is being closed. */
void upload_close(struct upload *u);

/* An object was made ready under key. */
void upload_news(struct upload *u, const char *key);
/* Looks for work and starts what can be started. */
void upload_turn(struct upload *u);
/* How long it has nothing to do by itself, at most max_ms; 0: turn it again at once. */
int64_t upload_wait_ms(const struct upload *u, int64_t max_ms);
/* How often ready/ is walked. */
void upload_walk_every(struct upload *u, int64_t ms);
/* No object is under way or could be started now. */
bool upload_is_idle(const struct upload *u);

/* From here on everything that is there is tried once, whatever paused; what fails is left. Over
 * when all was tried, or when the store is away. May be called again. */
void upload_pass(struct upload *u);
bool upload_pass_is_over(const struct upload *u);
/* Why something was left, the last such reason; "" for none. */
const char *upload_reason(const struct upload *u);
/* What is left now, quarantine included: counts all of it. */
uint64_t upload_left(struct upload *u);

#endif
