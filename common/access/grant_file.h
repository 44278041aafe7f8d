/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One file of a directory of grants: opened, checked, read and parsed. Shared by grants.h and
 * grant_index.h, so that both believe the same files.
 */
#ifndef SA_GRANT_FILE_H
#define SA_GRANT_FILE_H

#include <sys/stat.h>

#include "common/access/grants.h"

#define GRANT_FILE_SUFFIX ".json"
#define GRANTS_TOO_MANY "more than %d files: the rest is not read"

/* dirfd: of dir, as trusted_dir_open gives it. st is what fstat said of the file that was read.
 * SA_ERR_NOTFOUND: not there. SA_ERR_PERM, SA_ERR_TOOBIG, SA_ERR_INVALID: unfit, and stays so while
 * neither file nor trust changes. SA_ERR_AGAIN, SA_ERR_IO, SA_ERR_NOMEM: may be read later. */
int grant_file_load(int dirfd, const char *dir, const char *name, const struct grants_trust *trust,
		    struct grant **out, struct stat *st, struct sa_err *err);

/* Appends g, which it takes (frees it when it fails). SA_ERR_NOMEM. */
int grants_keep(struct grants *out, struct grant *g);

#endif
