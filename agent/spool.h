/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The spool: what stands between collector and shipper, so that either can die
 * at any moment. The collector writes, the shipper only reads and unlinks below
 * ready/.
 *
 *   open/<sid>.<ext>   files of sessions that are being recorded, appended to
 *   state/<name>       small checkpoints, replaced whole
 *   tmp/               objects being made
 *   ready/<key>        finished objects; the path below ready/ is the object key.
 *                      An object appears by rename, complete and on disk.
 */
#ifndef SA_SPOOL_H
#define SA_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

struct spool;

/* Opens (and makes, where missing) the four directories below dir; dir itself must exist. durable:
 * fsync everything that must survive a power cut; false for a replay's scratch spool. Files left in
 * tmp/ by an earlier run are removed. */
int spool_open(const char *dir, bool durable, struct spool **out, struct sa_err *err);
void spool_close(struct spool *s);

/* Makes the object key in ready/ (put there over an unfinished earlier attempt of the same). */
int spool_put(struct spool *s, const char *key, struct slice data, struct sa_err *err);

/* open/<name>: appends p at offset at, which is where the file ends by the caller's account; a
 * longer file (a torn write) is cut back first. Creates it when at is 0, else SA_ERR_NOTFOUND when
 * there is none, SA_ERR_INVALID when it is shorter. SA_ERR_AGAIN when the disk is full: the file is
 * left as it was. */
int spool_append(struct spool *s, const char *name, off_t at, struct slice p, struct sa_err *err);
int spool_sync(struct spool *s, const char *name, struct sa_err *err);
/* SA_ERR_NOTFOUND when there is none. out bounds the size. */
int spool_read(struct spool *s, const char *name, struct buf *out, struct sa_err *err);
/* Bytes of open/<name>; -1 when there is none. */
off_t spool_size(struct spool *s, const char *name);
int spool_truncate(struct spool *s, const char *name, off_t size, struct sa_err *err);
void spool_remove(struct spool *s, const char *name);
/* Makes open/<name> the object key, as spool_put does. SA_ERR_NOTFOUND when there is none. */
int spool_promote(struct spool *s, const char *name, const char *key, struct sa_err *err);

/* state/<name>. */
int spool_state_write(struct spool *s, const char *name, struct slice data, struct sa_err *err);
int spool_state_read(struct spool *s, const char *name, struct buf *out, struct sa_err *err);
void spool_state_remove(struct spool *s, const char *name);
/* Calls fn with each name in state/ (in no order); non-zero stops and is returned. */
int spool_state_each(struct spool *s, int (*fn)(void *ctx, const char *name), void *ctx,
		     struct sa_err *err);

/* When state/<name> was last written (real time, ms); 0 when there is none. */
int64_t spool_state_time_ms(struct spool *s, const char *name);
/* A stamp in state/ that the collector lives. */
void spool_alive(struct spool *s);
#define SPOOL_ALIVE "alive"

#define SPOOL_STATE_MAX_BYTES (128 * 1024)

#endif
