/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* An endpoint as the admin wrote it, "https://host:port/path": a name, an IPv4 address, or an IPv6
 * one in brackets. Pure. */
#ifndef SA_S3_ENDPOINT_H
#define SA_S3_ENDPOINT_H

#include <stdbool.h>

#include "common/err.h"

#define S3_ENDPOINT_MAX 512

struct s3_host {
	char authority[S3_ENDPOINT_MAX]; /* without the scheme's own port */
	char base[S3_ENDPOINT_MAX];      /* "" or "/path" */
	bool tls, address;
};

/* SA_ERR_INVALID. */
int s3_endpoint(const char *url, struct s3_host *out, struct sa_err *err);

#endif
