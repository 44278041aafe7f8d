/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * For tests of the shipper: a scratch spool, a store that does as told
 * (fake_store.h), and an uploader between them, on a clock that the test moves.
 */
#ifndef SA_SHIP_CHECK_H
#define SA_SHIP_CHECK_H

#include "agent/shipper/upload.h"
#include "tests/unit/fake_store.h"

struct ship {
	char dir[64];
	int spool_fd, ready_fd, quarantine_fd, sent_fd, ship_fd;
	struct fake_store store;
	struct attempts *attempts;
	struct status status;
	struct upload_options options; /* changes count from ship_start on */
	struct upload *upload;
	uint32_t random; /* what chance says; full pauses unless changed */
};

#define SHIP_BOOT "6a3b7c1e-0000-4000-8000-000000000001"

/* The spool, and options: 8 in parallel, pauses of 500 to 8000 ms, quarantine tried every 10 min.
 */
void ship_open(struct ship *s);
void ship_close(struct ship *s);
void ship_start(struct ship *s, const char *boot_id);
/* kill -9. */
void ship_kill(struct ship *s, bool (*reached)(void *ctx), void *ctx);
/* An object appears in ready/, whole. */
void ship_make(struct ship *s, const char *key, const char *text);
/* The same for n objects dir/000000 and on. */
void ship_make_many(struct ship *s, const char *dir, unsigned n);
bool ship_there(const struct ship *s, const char *path);
/* One turn, and everything that is under way ends. */
void ship_turn(struct ship *s);
/* Turns until ms have passed, the clock moves on while there is nothing to do. */
void ship_for(struct ship *s, int64_t ms);
/* A pass, to its end. */
void ship_pass(struct ship *s);
/* Whether ready/ is empty but for directories. */
bool ship_is_empty(struct ship *s);

#endif
