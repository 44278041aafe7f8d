/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Where sealed objects go and are read from: put once, get, list. Stores:
 * store_dir (a local directory), later S3. Used by the shipper and the command
 * line. Keys are as in transcript/layout.h.
 */
#ifndef SA_STORE_H
#define SA_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define STORE_MAX_KEY 1024
#define STORE_MAX_DEPTH 16 /* components of a key */

struct store;

/* A directory. create: make it when missing (shipper); else SA_ERR_NOTFOUND (reader). */
int store_dir_open(const char *path, bool create, struct store **out, struct sa_err *err);

void store_close(struct store *s);
void store_closep(struct store **s);
#define _cleanup_store_ __attribute__((cleanup(store_closep)))
const char *store_name(const struct store *s); /* for messages: "dir:/var/lib/..." */

/* Puts the file fd (read from its start, size bytes) under key, durable when it returns 0, and
 * never over an existing object: SA_ERR_EXISTS when the key holds something else, 0 when it holds
 * the very same bytes (an earlier attempt whose end was not seen). SA_ERR_AGAIN: full, unwritable
 * or away, try later. SA_ERR_INVALID: not a key. */
int store_put_once(struct store *s, const char *key, int fd, size_t size, struct sa_err *err);
/* Appends the object to out (which bounds the size). SA_ERR_NOTFOUND. */
int store_get(struct store *s, const char *key, struct buf *out, struct sa_err *err);

/* Called for each key that starts with prefix ("" for all) in byte order; non-zero stops and is
 * returned. */
typedef int (*store_list_fn)(void *ctx, const char *key, uint64_t size);
int store_list(struct store *s, const char *prefix, store_list_fn fn, void *ctx,
	       struct sa_err *err);

/* For implementations (store_dir.c, store_s3.c): the first member of their struct. */
struct store_ops {
	int (*put_once)(struct store *s, const char *key, int fd, size_t size, struct sa_err *err);
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
