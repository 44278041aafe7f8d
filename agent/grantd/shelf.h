/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The directory in which grants of a broker lie, <run_dir>/grants.d: one signed
 * envelope a file, named after the grant's id. Root's own grants may lie beside
 * them: what does not belong to this process' user, or does not end in
 * ".signed.json", is neither read nor touched.
 */
#ifndef SA_SHELF_H
#define SA_SHELF_H

#include "common/access/trusted_file.h"

#define SHELF_SUFFIX ".signed.json"
#define SHELF_MAX_FILES 8192 /* looked at in one go */
#define SHELF_NAME_SIZE 256

/* The descriptor of the directory. */
int shelf_open(const char *run_dir, int *fd, struct sa_err *err);
/* The file of a grant, whose name cannot lead elsewhere. SA_ERR_NOMEM. */
int shelf_name(const char *grant_id, char out[SHELF_NAME_SIZE], struct sa_err *err);
/* Names that may be ours; at most SHELF_MAX_FILES. */
int shelf_list(int fd, struct trusted_names *out, struct sa_err *err);
/* The bytes of one of our files, appended. SA_ERR_PERM: it is not ours; SA_ERR_NOTFOUND. */
int shelf_read(int fd, const char *name, struct buf *out, struct sa_err *err);
/* Has these bytes under that name, which appear at once; *written: they did not lie there before.
 */
int shelf_put(int fd, const char *name, struct slice envelope, bool *written, struct sa_err *err);
/* Removes one of ours; that it is gone already is fine. */
int shelf_remove(int fd, const char *name, struct sa_err *err);
/* Removes what an earlier run left half-written. */
void shelf_sweep(int fd);

#endif
