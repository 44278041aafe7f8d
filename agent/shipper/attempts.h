/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Which puts may have reached the store although no answer came: a write-only
 * agent cannot look. spool/ship/attempts survives kill -9 (it is not fsynced): a
 * table of key hashes, one for each put that is under way or whose answer was
 * lost. After a power cut or reboot the table proves nothing, and every object
 * that is older than this process may have been tried.
 */
#ifndef SA_ATTEMPTS_H
#define SA_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define ATTEMPTS_MAX 2048 /* at a time */

struct attempts;

/* ship_fd: spool/ship. boot_id: of the kernel, "" when not known. */
int attempts_open(int ship_fd, const char *boot_id, struct attempts **out, struct sa_err *err);
void attempts_close(struct attempts *a);
/* The caller has just made the directory of ship_fd: nothing of this spool was ever tried (a
 * replay's, say), however old it is. */
void attempts_all_new(struct attempts *a);

/* An earlier process may have put key, or this one has and knows no answer (attempts_begin without
 * attempts_end). made_ms: when the object was made, real time (its mtime); SPOOL_MADE_AGAIN_S
 * counts as tried. */
bool attempts_before(const struct attempts *a, const char *key, int64_t made_ms);
/* A put of key is about to start. False: the table is full, or cannot be written: do not start it
 * now. */
bool attempts_begin(struct attempts *a, const char *key);
/* Its answer is known (stored, or surely not). */
void attempts_end(struct attempts *a, const char *key);

#endif
