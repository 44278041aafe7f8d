/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Objects that the store will not take are moved out of the way, with the reason
 * beside them, so that the others of their session go on; and objects that are
 * stored and stay for a while (store.keep_local). Both keep the key as their path.
 */
#ifndef SA_QUARANTINE_H
#define SA_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define QUARANTINE_REASON ".reason"

/* Whether name is that of a reason, and no object. */
bool quarantine_is_reason(const char *name);

/* Moves dir_fd/name to root_fd/<key> (parents are made); what is there already is replaced. */
int quarantine_move(int dir_fd, const char *name, int root_fd, const char *key, struct sa_err *err);
/* Moves it and writes <key>.reason: one line, UTC time and why. That line is a help for people:
 * where it cannot be written (a full disk), that is logged and the move stands. */
int quarantine_put(int dir_fd, const char *name, int root_fd, const char *key, const char *why,
		   int64_t now_ms, struct sa_err *err);
/* The object at root_fd/<key> is stored at last, or gone: removes it, its reason, and the
 * directories that are empty then. */
void quarantine_remove(int root_fd, const char *key);
/* Removes files below root_fd that were moved there (ctime) before until_ms, real time, and empty
 * directories; returns how many files stay. Never follows a link. */
uint64_t quarantine_prune(int root_fd, int64_t until_ms);

#endif
