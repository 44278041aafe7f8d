/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "common/aws/sigv4_canonical.h"
#include "common/cleanup.h"

#define SIGV4_MAX_TEXT (4 << 20) /* more than all headers and a URL can be */
#define SIGV4_USUAL_TEXT 16384
#define SIGV4_MAX_PARAMS 64

struct sigv4_param { /* name=value of a query; either may be empty */
	struct slice name, value;
};

struct sigv4_header {
	const struct header *field;
	size_t at; /* in the list: equal names keep their order */
};

struct sigv4_sorted {
	struct sigv4_header items[HEADERS_MAX];
	size_t len;
};

static int sigv4_compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int sigv4_by_param(const void *a, const void *b)
{
	const struct sigv4_param *x = a, *y = b;
	int order = sigv4_compare(x->name, y->name);

	return order != 0 ? order : sigv4_compare(x->value, y->value);
}

static struct sigv4_param sigv4_split(struct slice pair)
{
	const char *sign = memchr(pair.ptr, '=', pair.len);
	size_t n = sign ? (size_t)(sign - pair.ptr) : pair.len;
	size_t skip = n + (sign != NULL);

	return (struct sigv4_param){{pair.ptr, n}, {pair.ptr + skip, pair.len - skip}};
}

/* Sorted by name, then value: not by "name=value", where '-' and digits would go before '='. */
static int sigv4_query(struct buf *out, struct slice query, struct sa_err *err)
{
	struct sigv4_param params[SIGV4_MAX_PARAMS];
	size_t len = 0;

	while (query.len > 0) {
		const char *end = memchr(query.ptr, '&', query.len);
		size_t n = end ? (size_t)(end - query.ptr) : query.len;
		size_t skip = n + (end != NULL);

		if (len == SIGV4_MAX_PARAMS)
			return sa_fail(err, SA_ERR_TOOBIG, "sign: more than %d query parameters",
				       SIGV4_MAX_PARAMS);
		if (n > 0)
			params[len++] = sigv4_split((struct slice){query.ptr, n});
		query = (struct slice){query.ptr + skip, query.len - skip};
	}
	qsort(params, len, sizeof(params[0]), sigv4_by_param);
	for (size_t i = 0; i < len; i++) {
		if (i > 0)
			buf_putc(out, '&');
		buf_put(out, params[i].name);
		buf_putc(out, '=');
		buf_put(out, params[i].value);
	}
	return 0;
}

/* Not tolower(): it asks the locale. */
static char sigv4_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int sigv4_compare_names(const char *a, const char *b)
{
	while (*a && sigv4_lower(*a) == sigv4_lower(*b)) {
		a++;
		b++;
	}
	return (unsigned char)sigv4_lower(*a) - (unsigned char)sigv4_lower(*b);
}

static int sigv4_by_name(const void *a, const void *b)
{
	const struct sigv4_header *x = a, *y = b;
	int order = sigv4_compare_names(x->field->name, y->field->name);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* What proxies and the HTTP library may change on the way, and the signature itself. */
static bool sigv4_stays_unsigned(const char *name)
{
	static const char *const names[] = {"authorization", "content-length", "expect",
					    "user-agent"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (sigv4_compare_names(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void sigv4_sort(struct sigv4_sorted *out, const struct headers *headers)
{
	out->len = 0;
	for (size_t i = 0; i < headers->len; i++) {
		if (!sigv4_stays_unsigned(headers->items[i].name))
			out->items[out->len++] = (struct sigv4_header){&headers->items[i], i};
	}
	qsort(out->items, out->len, sizeof(out->items[0]), sigv4_by_name);
}

static void sigv4_put_lower(struct buf *out, const char *name)
{
	for (; *name; name++)
		buf_putc(out, sigv4_lower(*name));
}

/* A run of blanks becomes one space; struct headers took the outer ones. The page on S3 says only
 * Trim(), but the general text says "convert sequential spaces to a single space", and stock
 * clients and RGW do it for S3 too. */
static void sigv4_put_value(struct buf *out, const char *value)
{
	for (size_t i = 0; value[i]; i++) {
		bool blank = value[i] == ' ' || value[i] == '\t';

		if (!blank)
			buf_putc(out, value[i]);
		else if (i == 0 || (value[i - 1] != ' ' && value[i - 1] != '\t'))
			buf_putc(out, ' ');
	}
}

/* "name:value\n" each, values of the same name in one line; and the list of names. */
static void sigv4_put_headers(struct buf *out, struct buf *names, const struct sigv4_sorted *sorted)
{
	for (size_t i = 0; i < sorted->len; i++) {
		const struct header *h = sorted->items[i].field;
		bool again = i > 0 &&
			     sigv4_compare_names(sorted->items[i - 1].field->name, h->name) == 0;

		if (again) {
			buf_putc(out, ',');
		} else {
			buf_puts(out, i > 0 ? "\n" : "");
			buf_puts(names, i > 0 ? ";" : "");
			sigv4_put_lower(names, h->name);
			sigv4_put_lower(out, h->name);
			buf_putc(out, ':');
		}
		sigv4_put_value(out, h->value);
	}
	buf_putc(out, '\n');
}

int sigv4_canonical(const struct sigv4_request *r, const struct headers *headers, struct buf *names,
		    char hash[DIGEST_HEX_SIZE], struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	struct sigv4_sorted sorted;
	int rc;

	sigv4_sort(&sorted, headers);
	buf_init(&text, SIGV4_MAX_TEXT);
	/* It will hold the session token; growing would leave copies of that behind. */
	buf_reserve(&text, SIGV4_USUAL_TEXT);
	buf_printf(&text, "%s\n%s\n", r->method, r->path[0] ? r->path : "/");
	if ((rc = sigv4_query(&text, slice_of(r->query ? r->query : ""), err)) < 0)
		return rc;
	buf_putc(&text, '\n');
	sigv4_put_headers(&text, names, &sorted);
	buf_putc(&text, '\n');
	buf_put(&text, buf_slice(names));
	buf_printf(&text, "\n%s", r->payload_sha256);
	digest_hex(buf_slice(&text), hash);
	OPENSSL_cleanse(text.data, text.cap);
	if (text.failed || names->failed)
		return sa_fail(err, SA_ERR_NOMEM, "sign: out of memory, or headers too long");
	return 0;
}
