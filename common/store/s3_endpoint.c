/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/store/s3_endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "common/store/s3_words.h"

static int s3_bad_endpoint(struct sa_err *err, const char *why)
{
	return sa_fail(err, SA_ERR_INVALID, "endpoint: %s; write it as https://s3.example.com:9000",
		       why);
}

static int s3_port(struct slice port, bool tls, struct s3_host *h, struct sa_err *err)
{
	unsigned n = 0;

	if (port.len == 0 || port.len > 5 || !s3_made_of(port, S3_DIGITS))
		return s3_bad_endpoint(err, "the port is no number");
	for (size_t i = 0; i < port.len; i++)
		n = n * 10 + (unsigned)(port.ptr[i] - '0');
	if (n == 0 || n > 65535)
		return s3_bad_endpoint(err, "the port is none");
	if (n != (tls ? 443 : 80))
		snprintf(h->authority + strlen(h->authority),
			 sizeof(h->authority) - strlen(h->authority), ":%u", n);
	return 0;
}

/* "name", "1.2.3.4" or "[::1]", each with or without ":port". */
static int s3_authority(struct slice a, struct s3_host *h, struct sa_err *err)
{
	bool v6 = slice_starts(a, "[");
	struct slice rest = a, host = slice_cut(&rest, v6 ? ']' : ':');
	bool port = v6 ? rest.len > 0 : host.len < a.len;
	char text[S3_ENDPOINT_MAX];
	struct in6_addr addr;

	if (v6) {
		host = (struct slice){host.ptr + 1, host.len - 1};
		if (rest.ptr[-1] != ']' || (port && *rest.ptr != ':'))
			return s3_bad_endpoint(err, "an IPv6 address stands in brackets");
		rest = (struct slice){rest.ptr + port, rest.len - port};
	}
	for (size_t i = 0; i < host.len; i++)
		text[i] = (char)tolower((unsigned char)host.ptr[i]);
	text[host.len] = '\0';
	h->address = inet_pton(v6 ? AF_INET6 : AF_INET, text, &addr) == 1;
	if (v6 ? !h->address
	       : !s3_made_of(slice_of(text), S3_LOWER S3_DIGITS "-._") || strchr("-.", text[0]))
		return s3_bad_endpoint(err, "this is no host");
	snprintf(h->authority, sizeof(h->authority), v6 ? "[%s]" : "%s", text);
	return port ? s3_port(rest, h->tls, h, err) : 0;
}

/* Only bytes that need no encoding: so the path that is signed is the path that is sent. */
int s3_endpoint(const char *url, struct s3_host *h, struct sa_err *err)
{
	struct slice rest = slice_of(url);
	int rc;

	h->tls = slice_starts(rest, "https://");
	if (!h->tls && !slice_starts(rest, "http://"))
		return s3_bad_endpoint(err, "neither https:// nor http://");
	if (rest.len >= S3_ENDPOINT_MAX - 16)
		return s3_bad_endpoint(err, "too long");
	rest = (struct slice){rest.ptr + (h->tls ? 8 : 7), rest.len - (h->tls ? 8 : 7)};
	rc = s3_authority(slice_cut(&rest, '/'), h, err);
	if (rc != 0)
		return rc;
	if (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	snprintf(h->base, sizeof(h->base), "%s%.*s", rest.len ? "/" : "", (int)rest.len, rest.ptr);
	if (!s3_made_of(rest, S3_LOWER S3_UPPER S3_DIGITS "-._~/") || strstr(h->base, "//") ||
	    strstr(h->base, "/."))
		return s3_bad_endpoint(err, "its path has bytes or parts that cannot be there");
	return 0;
}
