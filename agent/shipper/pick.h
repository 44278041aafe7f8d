/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What lies ready: walks the spool's ready/ tree, one directory at a time and
 * the objects of a directory in byte order, so that a session's segments come in
 * order and its manifest after them. Never follows a symbolic link. Memory is
 * bounded however many objects wait: names are taken PICK_CHUNK at a time.
 */
#ifndef SA_PICK_H
#define SA_PICK_H

#include "common/err.h"

#define PICK_CHUNK 4096

enum pick_next {
	PICK_GO,    /* on to the next object */
	PICK_LEAVE, /* leave the other objects of this directory for later */
	PICK_STOP,  /* end the walk */
};

struct pick_ops {
	/* A directory is about to be read. dir: its key, "" or with a '/' at the end. PICK_LEAVE
	 * passes over its objects but not over its subdirectories. */
	enum pick_next (*enter)(void *ctx, const char *dir);
	/* key is a valid object key; dir_fd and name are where the object lies. */
	enum pick_next (*object)(void *ctx, int dir_fd, const char *key, const char *name);
	/* Something that cannot be shipped. key may hold any bytes. */
	void (*odd)(void *ctx, const char *key, const char *why);
};

/* Walks what is below ready_fd (borrowed). Directories that are empty afterwards are removed.
 * Returns 0 also when stopped; fails when ready_fd itself cannot be read or memory is out. */
int pick_walk(int ready_fd, const struct pick_ops *ops, void *ctx, struct sa_err *err);

#endif
