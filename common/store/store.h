/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Where sealed objects go and are read from: put once, get, list. Stores:
 * store_dir (a local directory), store_s3. Used by the shipper and the command
 * line. Keys are as in transcript/layout.h.
 */
#ifndef SA_STORE_H
#define SA_STORE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/settings.h"

#define STORE_MAX_KEY 1024
#define STORE_MAX_DEPTH 16 /* components of a key */

struct store;

/* The store that the settings name. create: a directory is made when missing (shipper), else
 * SA_ERR_NOTFOUND (reader). turn (may be NULL): called while something is waited for, as in http.h.
 * For S3 asks nothing of the network yet; reads credentials that only root may read. */
int store_open(const struct settings *s, bool create, bool (*turn)(void *ctx), void *turn_ctx,
	       struct store **out, struct sa_err *err);
/* A directory. */
int store_dir_open(const char *path, bool create, struct store **out, struct sa_err *err);

void store_close(struct store *s); /* puts that are under way end with SA_ERR_AGAIN */
void store_closep(struct store **s);
#define _cleanup_store_ __attribute__((cleanup(store_closep)))
const char *store_name(const struct store *s); /* for messages: "dir:/var/...", "s3://bucket/p" */

/* One object on its way. The caller fills the first part and keeps all of it until done. */
struct store_put {
	const char *key;
	int fd; /* read from its start, size bytes */
	uint64_t size;
	bool again; /* an earlier attempt may have been stored without our knowing */
	void (*done)(struct store_put *p);
	void *ctx;

	/* The outcome, valid in done:
	 *   0               stored and confirmed, durable; also when the key held the very same
	 *                   bytes already
	 *   SA_ERR_EXISTS   the key holds something else; nothing was changed
	 *   SA_ERR_AGAIN    the store is away, full, busy: try again, this and the others
	 *   SA_ERR_PERM     the store refuses us (access, credentials, no bucket, certificate): an
	 *                   admin must act; try again, slowly
	 *   SA_ERR_INVALID  it refuses this object or key
	 *   SA_ERR_IO       fd cannot be read whole */
	int rc;
	struct sa_err err;
	/* Failed, but it may have been stored, now or by the earlier attempt of `again`: the next
	 * attempt is an `again` */
	bool lost;
	bool assumed; /* rc 0, and only `again` says that what the key holds is ours */
	char etag[80], version[128]; /* as the store gave them, "" when it did not */
	void *priv;                  /* the store's */
};

/* Starts a put. done is called once, from store_run or store_close, never from here; it may start
 * others. A store that cannot even start says so through done too. */
void store_put_start(struct store *s, struct store_put *p);
/* Moves the puts; waits up to timeout_ms for one of them or of fds (revents filled in). */
void store_run(struct store *s, int timeout_ms, struct pollfd *fds, size_t n);
size_t store_in_flight(const struct store *s);

/* One put, waited for (others move too): p->rc. SA_ERR_INVALID: not a key. */
int store_put_once(struct store *s, const char *key, int fd, uint64_t size, struct sa_err *err);

/* Is the store append-only for us? Tries to write a small object of this host's twice. */
enum store_append_only {
	STORE_UNKNOWN,  /* not asked yet, or the store did not answer */
	STORE_PROVEN,   /* a second write to a key was refused */
	STORE_UNPROVEN, /* it was taken: what is stored can be written over */
};
int store_probe(struct store *s, const char *host, enum store_append_only *out, struct sa_err *err);
const char *store_append_only_name(enum store_append_only a); /* "unknown", "proven", "unproven" */

/* Appends the object to out (which bounds the size). SA_ERR_NOTFOUND. */
int store_get(struct store *s, const char *key, struct buf *out, struct sa_err *err);

/* Called for each key that starts with prefix ("" for all) in byte order; non-zero stops and is
 * returned. */
typedef int (*store_list_fn)(void *ctx, const char *key, uint64_t size);
int store_list(struct store *s, const char *prefix, store_list_fn fn, void *ctx,
	       struct sa_err *err);

/* For implementations (store_dir.c, store_s3.c): the first member of their struct. */
struct store_ops {
	void (*put_start)(struct store *s, struct store_put *p);
	void (*run)(struct store *s, int timeout_ms, struct pollfd *fds, size_t n);
	size_t (*in_flight)(const struct store *s);
	int (*probe)(struct store *s, const char *host, enum store_append_only *out,
		     struct sa_err *err);
	int (*get)(struct store *s, const char *key, struct buf *out, struct sa_err *err);
	int (*list)(struct store *s, const char *prefix, store_list_fn fn, void *ctx,
		    struct sa_err *err);
	void (*close)(struct store *s);
};
struct store {
	const struct store_ops *ops;
	char *name; /* owned */
};
/* Relative, no component that is empty or starts with '.', no control bytes, at most STORE_MAX_KEY
 * bytes and STORE_MAX_DEPTH components. */
bool store_key_valid(const char *key);

#endif
