/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* "Container credential provider", AWS SDKs and Tools Reference Guide. */

#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/aws/credentials_internal.h"
#include "common/cleanup.h"

#define CONTAINER_ECS "http://169.254.170.2"
#define CONTAINER_TRY_MS 1000
#define CONTAINER_TRIES 3

#define FULL_URI "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define RELATIVE_URI "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"

/* The credentials would go over the wire in the clear: only to where no wire is. */
static bool container_host_allowed(const char *host)
{
	static const char *const known[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23",
					    "::1"};
	struct in_addr v4, want4;
	struct in6_addr v6, want6;
	bool is_v4 = inet_pton(AF_INET, host, &v4) == 1;
	bool is_v6 = inet_pton(AF_INET6, host, &v6) == 1;

	if (is_v4 && ntohl(v4.s_addr) >> 24 == 127)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (is_v4 && inet_pton(AF_INET, known[i], &want4) == 1 && v4.s_addr == want4.s_addr)
			return true;
		if (is_v6 && inet_pton(AF_INET6, known[i], &want6) == 1 &&
		    memcmp(&v6, &want6, sizeof(v6)) == 0)
			return true;
	}
	return strcasecmp(host, "localhost") == 0;
}

/* Host of "host", "host:port", "[v6]", "[v6]:port" as a string of its own; NULL for anything else,
 * a user part above all: that is how one host is made to look like another. */
static char *container_host(struct slice authority)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    ".-_";
	_cleanup_free_ char *all = slice_dup(authority);
	char *host = all, *port;

	if (!all)
		return NULL;
	if (all[0] == '[') {
		host = all + 1;
		port = strchr(all, ']');
		if (!port)
			return NULL;
		*port++ = '\0';
	} else {
		size_t n = strspn(all, chars);

		port = all + n;
		if (n == 0)
			return NULL;
	}
	if (*port && (*port != ':' || port[1 + strspn(port + 1, "0123456789")]))
		return NULL;
	*port = '\0';
	return strdup(host);
}

static int container_check(const char *url, struct sa_err *err)
{
	bool tls = strncasecmp(url, "https://", 8) == 0;
	_cleanup_free_ char *host = NULL;
	const char *from;

	if (!tls && strncasecmp(url, "http://", 7) != 0)
		return sa_fail(err, SA_ERR_INVALID, FULL_URI " is not an http or https URL");
	from = url + (tls ? 8 : 7);
	host = container_host((struct slice){from, strcspn(from, "/?#")});
	if (!host)
		return sa_fail(err, SA_ERR_INVALID, FULL_URI ": its host cannot be understood");
	if (!tls && !container_host_allowed(host))
		return sa_fail(err, SA_ERR_INVALID,
			       FULL_URI ": host %s is not allowed with http; use https, loopback, "
					"169.254.170.2, 169.254.170.23 or fd00:ec2::23",
			       host);
	return 0;
}

/* RELATIVE_URI goes first, as in stock clients. */
static int container_url(struct aws_chain *c, struct buf *url, struct sa_err *err)
{
	const char *relative = cred_env(c, RELATIVE_URI), *full = cred_env(c, FULL_URI);

	buf_init(url, 4096);
	if (relative && relative[0] != '/')
		return sa_fail(err, SA_ERR_INVALID, RELATIVE_URI " does not begin with /");
	if (relative)
		buf_printf(url, CONTAINER_ECS "%s", relative);
	else if (full)
		buf_puts(url, full);
	else
		return cred_looked(c, FULL_URI);
	if (url->failed)
		return sa_fail(err, SA_ERR_INVALID, "container credentials: the URI is too long");
	return relative ? 0 : container_check(full, err);
}

/* The file goes first: it is what EKS keeps fresh. */
static int container_token(struct aws_chain *c, struct buf *token, struct sa_err *err)
{
	const char *path = cred_env(c, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *value = cred_env(c, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
	int rc;

	if (path && (rc = cred_read_token(path, token, err)) < 0)
		return sa_wrap(err, rc, "container credentials");
	if (!path && value) {
		buf_init(token, CRED_MAX_TOKEN);
		buf_puts(token, value);
	}
	for (size_t i = 0; i < token->len; i++) {
		if (token->data[i] == '\r' || token->data[i] == '\n' || token->data[i] == '\0')
			return sa_fail(err, SA_ERR_INVALID,
				       "container credentials: the authorization token%s%s holds a "
				       "line end",
				       path ? " in " : "", path ? path : "");
	}
	return 0;
}

static int container_get(struct aws_chain *c, const char *url, struct slice token,
			 struct cred_got *got, struct sa_err *err)
{
	_cleanup_cred_answer_ struct http_answer answer = {0};
	_cleanup_headers_ struct headers headers = {0};
	const struct cred_ask q = {
		.what = "container credentials",
		.method = "GET",
		.url = url,
		.headers = &headers,
		.direct = true,
		.total_ms = CONTAINER_TRY_MS,
		.tries = CONTAINER_TRIES,
		.sent = token,
	};
	int rc;

	headers_add(&headers, "Accept", SLICE_LIT("application/json"));
	if (token.len > 0)
		headers_add(&headers, "Authorization", token);
	if (headers.failed)
		return sa_fail(err, SA_ERR_INVALID,
			       "container credentials: the authorization token is too long or "
			       "holds a control byte");
	rc = cred_ask(c, &q, &answer, err);
	return rc < 0 ? rc : cred_from_json(&q, &answer, got, err);
}

/* Only the host is ever named: the path of an ECS task is as good as a secret. */
int cred_from_container(struct aws_chain *c, struct cred_got *got, struct sa_err *err)
{
	_cleanup_secret_ struct buf token = {0};
	_cleanup_buf_ struct buf url = {0};
	const char *text;
	int rc = container_url(c, &url, err);

	if (rc != 0 || (rc = container_token(c, &token, err)) < 0)
		return rc;
	text = buf_cstr(&url);
	rc = container_get(c, text, buf_slice(&token), got, err);
	text = strstr(text, "://") + 3;
	snprintf(got->source, sizeof(got->source), "container (%.*s)", (int)strcspn(text, "/?#"),
		 text);
	return rc;
}
