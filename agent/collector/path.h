/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The absolute path of a file that a system call named, from the working directory, the
 * directory (dirfd) and the name as the records have them. Only text: links are not
 * followed, "." and ".." are taken out by name.
 */
#ifndef SA_PATH_H
#define SA_PATH_H

#include "common/buf.h"
#include "common/slice.h"

/* Appends to out; parts may be absent. Returns false, and appends name as it is, when nothing tells
 * where it begins. base, where there is one, stands between cwd and name. */
bool path_resolve(struct buf *out, struct slice cwd, struct slice base, struct slice name);
/* path is dir or lies below it; both as path_resolve makes them. */
bool path_is_below(struct slice path, struct slice dir);

#endif
