/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* A grant as a file: the other way of grant_parse, in the order of the schema. */
#ifndef SA_GRANT_WRITE_H
#define SA_GRANT_WRITE_H

#include "common/access/grant.h"

/* Pretty JSON with a newline at the end, in UTC. Times that are 0 are left out, file and sha256
 * are not part of it. out->failed on errors. */
void grant_write(struct buf *out, const struct grant *g);

#endif
