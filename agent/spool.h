/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The spool: what stands between collector and shipper, so that either can die
 * at any moment. The collector writes, the shipper only reads, moves and unlinks
 * what lies ready.
 *
 *   open/<sid>.<ext>   files of sessions that are being recorded, appended to
 *   state/<name>       small checkpoints, replaced whole
 *   tmp/               objects being made
 *   ready/<key>        finished objects; the path below ready/ is the object key.
 *                      An object appears by rename, complete and on disk.
 *   news                 a FIFO: the collector writes the key of each object that it made
 *                      ready, one a line; a hint only, which may be lost
 *   quarantine/<key>     shipper: objects that the store will not take; tried again now and
 *                      then. <key>.reason says why (a name no key has, see layout.h)
 *   sent/<key>           shipper: stored objects that stay for store.keep_local
 *   ship/                shipper: what it must know after being killed
 *   lock                 held (flock) by the collector, ship/lock by the shipper
 */
#ifndef SA_SPOOL_H
#define SA_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

struct spool;

struct spool_limits {
	int64_t max_bytes; /* 0: no quota */
	int64_t min_free;  /* of the file system */
};

/* Opens (and makes, where missing) the directories that the collector writes; dir itself must
 * exist. What must survive a power cut is fsynced. limits NULL: none. Files left in tmp/ by an
 * earlier run are removed. SA_ERR_EXISTS: another process has this spool open (its pid is named);
 * a lock file that nobody holds is none. */
int spool_open(const char *dir, const struct spool_limits *limits, struct spool **out,
	       struct sa_err *err);
/* One that nobody recovers, a replay's: nothing is fsynced, nobody is told, and what is in open/
 * goes with the process. */
int spool_open_scratch(const char *dir, struct spool **out, struct sa_err *err);
void spool_close(struct spool *s);

/* Makes the object key in ready/ (put there over an unfinished earlier attempt of the same), and
 * tells the news. SA_ERR_AGAIN when the disk or the spool is full. SA_ERR_EXISTS: it lies there and
 * may be shipped, but the disk does not say that it outlasts a power cut; make it again. With any
 * other error it is not there. */
int spool_put(struct spool *s, const char *key, struct slice data, struct sa_err *err);
/* The same for one that was perhaps made before, with the same bytes, and may be stored already:
 * its mtime, SPOOL_MADE_AGAIN_S after the epoch, tells the shipper so. */
int spool_put_again(struct spool *s, const char *key, struct slice data, struct sa_err *err);

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
void spool_remove(struct spool *s, const char *name);
/* Makes open/<name> the object key, as spool_put does. SA_ERR_NOTFOUND when there is none. */
int spool_promote(struct spool *s, const char *name, const char *key, struct sa_err *err);
/* For recovery: a scratch spool has nothing to find. */
int spool_truncate(struct spool *s, const char *name, off_t size, struct sa_err *err);
/* Renames it to <name>.damaged: nobody looks at it again but an admin. */
void spool_set_aside(struct spool *s, const char *name);
/* Calls fn with each name in open/ (in no order); non-zero stops and is returned. */
int spool_each(struct spool *s, int (*fn)(void *ctx, const char *name), void *ctx,
	       struct sa_err *err);

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

/* How full the spool is: bytes below dir that are not shipped yet, or stay there, against
 * max_bytes, and what the file system has left against min_free. At SPOOL_FULL everything that
 * would make it grow fails with SA_ERR_AGAIN, as on a full disk; nothing unsent is ever removed. */
enum spool_level { SPOOL_OK, SPOOL_WARN /* 80 % */, SPOOL_CRITICAL /* 95 % */, SPOOL_FULL };
struct spool_usage {
	enum spool_level level;
	bool sure; /* SPOOL_FULL also when what was shipped meanwhile is taken into account */
	/* Of ready/, quarantine/ and sent/, by the last count, plus since. */
	uint64_t bytes, objects;
	uint64_t free; /* bytes of the file system, for users */
};
/* Looks anew where it is due; call it some times a second. A walk goes on by some thousand objects
 * with each call. There is one at first, and while near a limit one a second, with 100,000 objects
 * one in ten seconds. The caller tells the admin when the level changes. Bytes are what the disk
 * gives for them (du); what the collector may not read is not counted. */
void spool_usage(struct spool *s, int64_t now_ms, struct spool_usage *out);

/* The mtime of an object that a collector made again after a crash: the one before may have made
 * it already, and the shipper stored it. */
#define SPOOL_MADE_AGAIN_S 1

#define SPOOL_STATE_MAX_BYTES (128 * 1024)

#endif
