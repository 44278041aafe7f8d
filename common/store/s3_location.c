/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/store/s3_location.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/store/s3_endpoint.h"
#include "common/store/s3_words.h"
#include "common/store/store.h"

/* The first whose regions begin so; the last takes all others. */
static const struct s3_partition {
	const char *name, *regions, *suffix, *first;
	bool fips;
} s3_partitions[] = {
	{"aws-cn", "cn-", "amazonaws.com.cn", "cn-north-1", false},
	{"aws-us-gov", "us-gov-", "amazonaws.com", "us-gov-west-1", true},
	{"aws-eusc", "eusc-", "amazonaws.eu", "eusc-de-east-1", false},
	{"aws", "", "amazonaws.com", "us-east-1", true},
};

struct s3_parts {                    /* of what the admin wrote; borrowed from it */
	struct slice arn, partition; /* absent when it was no ARN */
	struct slice region, account, name, prefix;
	bool access_point;
};

static int s3_arn(struct slice rest, bool as_url, struct s3_parts *out, struct sa_err *err)
{
	const char *start = rest.ptr;
	struct slice service;

	slice_cut(&rest, ':');
	out->partition = slice_cut(&rest, ':');
	service = slice_cut(&rest, ':');
	out->region = slice_cut(&rest, ':');
	out->account = slice_cut(&rest, ':');
	if (!slice_is(service, "s3"))
		return sa_fail(err, SA_ERR_INVALID,
			       "not the ARN of a bucket or access point of S3: the service is "
			       "\"%.*s\"",
			       (int)(service.len < 32 ? service.len : 32), service.ptr);
	out->access_point =
		slice_starts(rest, "accesspoint/") || slice_starts(rest, "accesspoint:");
	if (out->access_point)
		rest = (struct slice){rest.ptr + 12, rest.len - 12};
	out->name = slice_cut(&rest, '/');
	out->arn = (struct slice){start, (size_t)(out->name.ptr + out->name.len - start)};
	/* An ARN names objects of an access point with "/object/" before the key; stock clients
	 * take s3://ARN/key. */
	if (out->access_point && !as_url && rest.len > 0 &&
	    !slice_is(slice_cut(&rest, '/'), "object"))
		return sa_fail(err, SA_ERR_INVALID,
			       "what follows the access point's ARN must begin with /object/");
	out->prefix = rest;
	return 0;
}

static int s3_url(const char *url, struct s3_parts *out, struct sa_err *err)
{
	struct slice rest = slice_of(url ? url : "");
	bool as_url = slice_starts(rest, "s3://");

	if (as_url)
		rest = (struct slice){rest.ptr + 5, rest.len - 5};
	if (slice_starts(rest, "arn:"))
		return s3_arn(rest, as_url, out, err);
	out->name = slice_cut(&rest, '/');
	out->prefix = rest;
	return 0;
}

/* "Bucket naming rules" and "Access point naming rules", Amazon S3 User Guide. */
static int s3_check_name(const struct s3_parts *p, struct sa_err *err)
{
	_cleanup_free_ char *name = slice_dup(p->name);
	size_t n = p->name.len;
	struct in_addr v4;

	if (!name)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if (n < 3 || n > (p->access_point ? 50 : 63) ||
	    !s3_made_of(p->name,
			p->access_point ? S3_LOWER S3_DIGITS "-" : S3_LOWER S3_DIGITS "-.") ||
	    strchr("-.", name[0]) || strchr("-.", name[n - 1]) || strstr(name, "..") ||
	    inet_pton(AF_INET, name, &v4) == 1)
		return sa_fail(err, SA_ERR_INVALID,
			       "\"%.64s\" is no name of %s: it has %s, a letter or digit at both "
			       "ends",
			       name, p->access_point ? "an access point" : "a bucket",
			       p->access_point ? "3 to 50 of a-z 0-9 -"
					       : "3 to 63 of a-z 0-9 . - and no \"..\"");
	if (p->access_point && p->region.len == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "multi-region access points cannot be used; name a bucket or the "
			       "access point of one region");
	if (p->access_point && (p->account.len != 12 || !s3_made_of(p->account, S3_DIGITS)))
		return sa_fail(err, SA_ERR_INVALID,
			       "the ARN of an access point needs the account, 12 digits");
	if (!p->access_point && (p->region.len > 0 || p->account.len > 0))
		return sa_fail(err, SA_ERR_INVALID,
			       "the ARN of a bucket has neither region nor account: write "
			       "arn:aws:s3:::%s",
			       name);
	return 0;
}

static int s3_take_prefix(struct slice prefix, char **out, struct sa_err *err)
{
	_cleanup_free_ char *text = NULL;

	if (prefix.len > 0 && prefix.ptr[prefix.len - 1] == '/')
		prefix.len--;
	text = slice_dup((struct slice){prefix.ptr ? prefix.ptr : "", prefix.len});
	if (!text)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if (*text && !store_key_valid(text))
		return sa_fail(err, SA_ERR_INVALID,
			       "the prefix behind the bucket must be parts with one '/' between, "
			       "none beginning with '.'");
	if (asprintf(out, "%s%s", text, *text ? "/" : "") < 0) {
		*out = NULL;
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	}
	return 0;
}

static const struct s3_partition *s3_partition_of_region(const char *region)
{
	const struct s3_partition *p = s3_partitions;

	while (strncmp(region, p->regions, strlen(p->regions)) != 0)
		p++;
	return p;
}

static const struct s3_partition *s3_partition_named(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(s3_partitions); i++)
		if (slice_is(name, s3_partitions[i].name))
			return &s3_partitions[i];
	return NULL;
}

bool s3_region_valid(const char *region)
{
	size_t n = strlen(region);

	return n > 0 && n <= 64 && s3_made_of(slice_of(region), S3_LOWER S3_UPPER S3_DIGITS "-_");
}

static int s3_take_region(const struct s3_where *w, const struct s3_parts *p, struct s3_location *l,
			  struct sa_err *err)
{
	const char *given = w->region && *w->region ? w->region : l->aws ? "" : "us-east-1";

	l->region = p->region.len > 0 ? slice_dup(p->region) : strdup(given);
	if (!l->region)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if (!*l->region)
		return sa_fail(err, SA_ERR_INVALID, "no region: set s3_region or AWS_REGION");
	if (!s3_region_valid(l->region) ||
	    (l->aws && !s3_made_of(slice_of(l->region), S3_LOWER S3_DIGITS "-")))
		return sa_fail(err, SA_ERR_INVALID,
			       "\"%.64s\" is no region; write it as eu-central-1", l->region);
	return 0;
}

static int s3_take_partition(const struct s3_where *w, const struct s3_parts *p,
			     struct s3_location *l, struct sa_err *err)
{
	const struct s3_partition *of = s3_partition_of_region(l->aws ? l->region : "");

	if (p->partition.ptr && !s3_partition_named(p->partition))
		return sa_fail(err, SA_ERR_INVALID,
			       "the ARN's partition is none of aws, aws-cn, aws-us-gov, aws-eusc");
	if (p->partition.ptr && !l->aws)
		of = s3_partition_named(p->partition);
	if (p->partition.ptr && s3_partition_named(p->partition) != of)
		return sa_fail(err, SA_ERR_INVALID, "region %s is of partition %s, the ARN is not",
			       l->region, of->name);
	if (w->fips && l->aws && !of->fips)
		return sa_fail(err, SA_ERR_INVALID,
			       "there are no FIPS endpoints in %s: set s3_fips = no", l->region);
	l->partition = strdup(of->name);
	return l->partition ? 0 : sa_fail(err, SA_ERR_NOMEM, "out of memory");
}

static void s3_aws_host(const struct s3_where *w, const struct s3_location *l, struct s3_host *h)
{
	h->tls = true;
	snprintf(h->authority, sizeof(h->authority), "s3%s%s%s.%s.%s",
		 l->access_point ? "-accesspoint" : "", w->fips ? "-fips" : "",
		 w->dualstack ? ".dualstack" : "", l->region,
		 s3_partition_of_region(l->region)->suffix);
}

/* A wildcard certificate covers one label: a bucket with a dot goes into the path. */
static bool s3_virtual(const struct s3_where *w, const struct s3_parts *p)
{
	bool endpoint = w->endpoint && *w->endpoint;

	if (p->access_point || w->style == S3_STYLE_VIRTUAL)
		return true;
	return w->style == S3_STYLE_AUTO && !endpoint && !memchr(p->name.ptr, '.', p->name.len);
}

static int s3_take_host(const struct s3_where *w, const struct s3_parts *p, struct s3_location *l,
			struct sa_err *err)
{
	struct s3_host h = {.base = ""};
	bool virtual = s3_virtual(w, p);
	int rc = 0, n;

	if (l->aws)
		s3_aws_host(w, l, &h);
	else
		rc = s3_endpoint(w->endpoint, &h, err);
	if (rc != 0)
		return rc;
	if (p->access_point && w->style == S3_STYLE_PATH)
		return sa_fail(
			err, SA_ERR_INVALID,
			"an access point has a host name of its own: set s3_path_style = no");
	if (virtual && h.address)
		return sa_fail(err, SA_ERR_INVALID,
			       "an address cannot carry the bucket in its name: set "
			       "s3_path_style = yes");
	n = asprintf(&l->host, "%.*s%s%.*s%s%s", virtual ? (int)p->name.len : 0, p->name.ptr,
		     p->access_point ? "-" : "", p->access_point ? (int)p->account.len : 0,
		     p->access_point ? p->account.ptr : "", virtual ? "." : "", h.authority);
	if (n < 0)
		l->host = NULL;
	else if (asprintf(&l->origin, "http%s://%s", h.tls ? "s" : "", l->host) < 0)
		l->origin = NULL;
	else if (asprintf(&l->base, "%s/%.*s%s", h.base, virtual ? 0 : (int)p->name.len,
			  p->name.ptr, virtual ? "" : "/") < 0)
		l->base = NULL;
	return l->host && l->origin && l->base ? 0 : sa_fail(err, SA_ERR_NOMEM, "out of memory");
}

static int s3_location_fill(const struct s3_where *w, struct s3_location *l, struct sa_err *err)
{
	struct s3_parts p = {0};
	int rc;

	l->aws = !w->endpoint || !*w->endpoint;
	if (!l->aws && (w->fips || w->dualstack))
		return sa_fail(err, SA_ERR_INVALID,
			       "s3_fips and s3_dualstack choose an endpoint of AWS: leave them out "
			       "or s3_endpoint");
	if ((rc = s3_url(w->url, &p, err)) != 0 || (rc = s3_check_name(&p, err)) != 0)
		return rc;
	l->access_point = p.access_point;
	l->bucket = slice_dup(p.access_point ? p.arn : p.name);
	if (!l->bucket)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if ((rc = s3_take_prefix(p.prefix, &l->prefix, err)) != 0 ||
	    (rc = s3_take_region(w, &p, l, err)) != 0 ||
	    (rc = s3_take_partition(w, &p, l, err)) != 0)
		return rc;
	return s3_take_host(w, &p, l, err);
}

const char *s3_first_region(const char *url)
{
	const struct s3_partition *of = NULL;
	struct s3_parts p = {0};

	if (s3_url(url, &p, NULL) == 0 && p.partition.ptr)
		of = s3_partition_named(p.partition);
	return (of ? of : s3_partition_of_region(""))->first;
}

int s3_location_make(const struct s3_where *w, struct s3_location *out, struct sa_err *err)
{
	_cleanup_(s3_location_free) struct s3_location l = {0};
	int rc = s3_location_fill(w, &l, err);

	if (rc != 0)
		return sa_wrap(err, rc, "%.200s", w->url && *w->url ? w->url : "S3");
	*out = l;
	l = (struct s3_location){0};
	return 0;
}

void s3_location_free(struct s3_location *l)
{
	free(l->bucket);
	free(l->region);
	free(l->origin);
	free(l->host);
	free(l->base);
	free(l->prefix);
	free(l->partition);
	*l = (struct s3_location){0};
}
