/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Where a bucket is: from what the admin wrote (s3://bucket/prefix, a bucket or
 * access point ARN, an endpoint URL, a region) to scheme, host, port and the path
 * before a key. Pure.
 * Source: "Amazon S3 endpoints and quotas", AWS General Reference; "Access point
 * ARNs", "Virtual hosting of buckets", Amazon S3 User Guide.
 */
#ifndef SA_S3_LOCATION_H
#define SA_S3_LOCATION_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

enum s3_style { S3_STYLE_AUTO, S3_STYLE_PATH, S3_STYLE_VIRTUAL };

struct s3_where {
	/* s3://bucket/prefix, bucket, bucket/prefix, arn:aws:s3:::bucket/prefix,
	 * arn:aws:s3:region:account:accesspoint/name (with "/object/prefix"), the same of aws-cn,
	 * aws-us-gov, aws-eusc; s3://arn:... as stock clients take it (prefix straight behind) */
	const char *url;
	const char *region;   /* NULL or "": us-east-1 when there is an endpoint. That of an access
				 point's ARN wins: no other can work */
	const char *endpoint; /* "https://host:port/base"; NULL or "": AWS */
	enum s3_style style;  /* AUTO: virtual on AWS when the name fits a host name (no dot), path
				 with an endpoint */
	bool fips, dualstack; /* AWS only: SA_ERR_INVALID with an endpoint */
};

struct s3_location {
	char *bucket; /* as the ARN or name says it, for messages and policies */
	char *region;
	char *origin;    /* "https://host[:port]", IPv6 in brackets */
	char *host;      /* the Host header: with the port when it is not the scheme's own */
	char *base;      /* path before a key, encoded: "/" or "/bucket/" */
	char *prefix;    /* before every key, "" or ends in '/', not encoded */
	char *partition; /* aws, aws-cn, aws-us-gov, aws-eusc */
	bool aws;        /* no endpoint: the host follows from the region */
	bool access_point;
};

/* SA_ERR_INVALID says which part is wrong and how it should look: bucket names by S3's rules,
 * prefix by store_key_valid's, no region for AWS. */
int s3_location_make(const struct s3_where *w, struct s3_location *out, struct sa_err *err);
void s3_location_free(struct s3_location *l);

/* Where to begin when nothing names a region: that of the URL's partition which the stock clients
 * begin with. It says where the bucket is. */
const char *s3_first_region(const char *url);

/* 1 to 64 of A-Z a-z 0-9 - _ : what may stand in a credential scope. */
bool s3_region_valid(const char *region);

#endif
