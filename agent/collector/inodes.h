/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * By which path a file or directory was last seen, found by device and inode: names those that a
 * later record gives without one (a descriptor, a name below an open directory). What is not
 * recorded is not seen, so a directory may have another name by now: whoever takes a path from here
 * says so. Bounded: INODES_MAX paths, one may push another out.
 */
#ifndef SA_INODES_H
#define SA_INODES_H

#include <stdbool.h>

#include "common/slice.h"

#define INODES_MAX 4096
#define INODES_PATH_MAX 512 /* longer ones are not kept */

struct inodes;

struct inodes *inodes_new(void); /* NULL: out of memory */
void inodes_free(struct inodes *t);
/* dev and inode as a PATH record has them ("fe:00", "12"); path: absolute,
 * copied; absent: it has no name any more. */
void inodes_put(struct inodes *t, struct slice dev, struct slice inode, struct slice path);
/* Absent when not known; valid until the next call that changes something. */
struct slice inodes_find(const struct inodes *t, struct slice dev, struct slice inode);
/* What has this path, which may be one of its own, or lies below it is known no more. */
void inodes_forget(struct inodes *t, struct slice path);

#endif
