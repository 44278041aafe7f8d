/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The canonical request of Signature Version 4, for sigv4.c only: the one text that
 * client and server both make of a request, and sign.
 */
#ifndef SA_SIGV4_CANONICAL_H
#define SA_SIGV4_CANONICAL_H

#include "common/aws/sigv4.h"

/* Its SHA-256; names gets the signed headers, as "host;x-amz-date". SA_ERR_TOOBIG: too many query
 * parameters; SA_ERR_NOMEM. */
int sigv4_canonical(const struct sigv4_request *r, const struct headers *headers, struct buf *names,
		    char hash[DIGEST_HEX_SIZE], struct sa_err *err);

#endif
