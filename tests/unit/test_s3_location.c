/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/store/s3_location.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

#define AP "arn:aws:s3:eu-west-1:123456789012:accesspoint"
#define EP "http://127.0.0.1:8000"

struct good {
	const char *name;
	struct s3_where where;
	/* "bucket region origin host base prefix partition" */
	const char *want;
};

static const struct good aws[] = {
	{"a bucket by its name",
	 {.url = "audit-logs", .region = "eu-central-1"},
	 "audit-logs|eu-central-1|https://audit-logs.s3.eu-central-1.amazonaws.com|"
	 "audit-logs.s3.eu-central-1.amazonaws.com|/||aws"},
	{"with a prefix",
	 {.url = "audit-logs/a/b", .region = "us-east-1"},
	 "audit-logs|us-east-1|https://audit-logs.s3.us-east-1.amazonaws.com|"
	 "audit-logs.s3.us-east-1.amazonaws.com|/|a/b/|aws"},
	{"as a URL",
	 {.url = "s3://bkt", .region = "us-east-1"},
	 "bkt|us-east-1|https://bkt.s3.us-east-1.amazonaws.com|bkt.s3.us-east-1.amazonaws.com|/||"
	 "aws"},
	{"a URL with a slash behind",
	 {.url = "s3://bkt/", .region = "us-east-1"},
	 "bkt|us-east-1|https://bkt.s3.us-east-1.amazonaws.com|bkt.s3.us-east-1.amazonaws.com|/||"
	 "aws"},
	{"a prefix with a slash behind",
	 {.url = "s3://bkt/a b%/", .region = "us-east-1"},
	 "bkt|us-east-1|https://bkt.s3.us-east-1.amazonaws.com|bkt.s3.us-east-1.amazonaws.com|/|"
	 "a b%/|aws"},
	{"a dot in the name: in the path",
	 {.url = "s3://a.b.c", .region = "us-east-1"},
	 "a.b.c|us-east-1|https://s3.us-east-1.amazonaws.com|s3.us-east-1.amazonaws.com|/a.b.c/||"
	 "aws"},
	{"path style",
	 {.url = "bkt", .region = "us-east-1", .style = S3_STYLE_PATH},
	 "bkt|us-east-1|https://s3.us-east-1.amazonaws.com|s3.us-east-1.amazonaws.com|/bkt/||aws"},
	{"virtual style, with a dot",
	 {.url = "a.b.c", .region = "us-east-1", .style = S3_STYLE_VIRTUAL},
	 "a.b.c|us-east-1|https://a.b.c.s3.us-east-1.amazonaws.com|"
	 "a.b.c.s3.us-east-1.amazonaws.com|/||aws"},
	{"FIPS",
	 {.url = "bkt", .region = "us-gov-west-1", .fips = true},
	 "bkt|us-gov-west-1|https://bkt.s3-fips.us-gov-west-1.amazonaws.com|"
	 "bkt.s3-fips.us-gov-west-1.amazonaws.com|/||aws-us-gov"},
	{"dual stack",
	 {.url = "bkt", .region = "us-west-2", .dualstack = true},
	 "bkt|us-west-2|https://bkt.s3.dualstack.us-west-2.amazonaws.com|"
	 "bkt.s3.dualstack.us-west-2.amazonaws.com|/||aws"},
	{"both",
	 {.url = "bkt", .region = "us-west-2", .fips = true, .dualstack = true},
	 "bkt|us-west-2|https://bkt.s3-fips.dualstack.us-west-2.amazonaws.com|"
	 "bkt.s3-fips.dualstack.us-west-2.amazonaws.com|/||aws"},
	{"China",
	 {.url = "bkt", .region = "cn-north-1"},
	 "bkt|cn-north-1|https://bkt.s3.cn-north-1.amazonaws.com.cn|"
	 "bkt.s3.cn-north-1.amazonaws.com.cn|/||aws-cn"},
	{"European sovereign cloud",
	 {.url = "bkt", .region = "eusc-de-east-1"},
	 "bkt|eusc-de-east-1|https://bkt.s3.eusc-de-east-1.amazonaws.eu|"
	 "bkt.s3.eusc-de-east-1.amazonaws.eu|/||aws-eusc"},
};

static const struct good arns[] = {
	{"a bucket's ARN",
	 {.url = "arn:aws:s3:::bkt", .region = "us-east-1"},
	 "bkt|us-east-1|https://bkt.s3.us-east-1.amazonaws.com|bkt.s3.us-east-1.amazonaws.com|/||"
	 "aws"},
	{"with a prefix",
	 {.url = "arn:aws-us-gov:s3:::bkt/p/q/", .region = "us-gov-east-1"},
	 "bkt|us-gov-east-1|https://bkt.s3.us-gov-east-1.amazonaws.com|"
	 "bkt.s3.us-gov-east-1.amazonaws.com|/|p/q/|aws-us-gov"},
	{"of China",
	 {.url = "s3://arn:aws-cn:s3:::bkt/p", .region = "cn-northwest-1"},
	 "bkt|cn-northwest-1|https://bkt.s3.cn-northwest-1.amazonaws.com.cn|"
	 "bkt.s3.cn-northwest-1.amazonaws.com.cn|/|p/|aws-cn"},
	{"an access point",
	 {.url = AP "/my-ap"},
	 AP "/my-ap|eu-west-1|https://my-ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com|"
	    "my-ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com|/||aws"},
	{"with a colon, and another region around",
	 {.url = AP ":my-ap", .region = "us-east-1"},
	 AP ":my-ap|eu-west-1|https://my-ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com|"
	    "my-ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com|/||aws"},
	{"with objects below",
	 {.url = AP "/my-ap/object/a/b"},
	 AP "/my-ap|eu-west-1|https://my-ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com|"
	    "my-ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com|/|a/b/|aws"},
	{"as stock clients write it",
	 {.url = "s3://" AP "/my-ap/object/a"},
	 AP "/my-ap|eu-west-1|https://my-ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com|"
	    "my-ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com|/|object/a/|aws"},
	{"an access point, FIPS and dual stack",
	 {.url = "arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint/ap1",
	  .fips = true,
	  .dualstack = true},
	 "arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint/ap1|us-gov-west-1|"
	 "https://ap1-123456789012.s3-accesspoint-fips.dualstack.us-gov-west-1.amazonaws.com|"
	 "ap1-123456789012.s3-accesspoint-fips.dualstack.us-gov-west-1.amazonaws.com|/||"
	 "aws-us-gov"},
	{"an access point through an interface endpoint",
	 {.url = AP "/my-ap",
	  .endpoint = "https://accesspoint.vpce-1.s3.eu-west-1.vpce.amazonaws.com"},
	 AP "/my-ap|eu-west-1|https://my-ap-123456789012.accesspoint.vpce-1.s3.eu-west-1.vpce."
	    "amazonaws.com|my-ap-123456789012.accesspoint.vpce-1.s3.eu-west-1.vpce.amazonaws.com|/"
	    "||aws"},
};

static const struct good endpoints[] = {
	{"a port of its own",
	 {.url = "s3://bkt/p", .endpoint = EP},
	 "bkt|us-east-1|http://127.0.0.1:8000|127.0.0.1:8000|/bkt/|p/|aws"},
	{"the scheme's own port",
	 {.url = "bkt", .endpoint = "https://s3.example.com:443"},
	 "bkt|us-east-1|https://s3.example.com|s3.example.com|/bkt/||aws"},
	{"the other scheme's port",
	 {.url = "bkt", .endpoint = "http://s3.example.com:443/"},
	 "bkt|us-east-1|http://s3.example.com:443|s3.example.com:443|/bkt/||aws"},
	{"port 80",
	 {.url = "bkt", .endpoint = "http://s3:80"},
	 "bkt|us-east-1|http://s3|s3|/bkt/||aws"},
	{"capitals, an underscore",
	 {.url = "bkt", .endpoint = "https://S3_store.Example.COM"},
	 "bkt|us-east-1|https://s3_store.example.com|s3_store.example.com|/bkt/||aws"},
	{"IPv6",
	 {.url = "bkt", .endpoint = "http://[FD00::1]:9000"},
	 "bkt|us-east-1|http://[fd00::1]:9000|[fd00::1]:9000|/bkt/||aws"},
	{"IPv6, no port",
	 {.url = "bkt", .endpoint = "https://[::1]"},
	 "bkt|us-east-1|https://[::1]|[::1]|/bkt/||aws"},
	{"virtual style",
	 {.url = "bkt", .endpoint = "https://s3.lan:9000", .style = S3_STYLE_VIRTUAL},
	 "bkt|us-east-1|https://bkt.s3.lan:9000|bkt.s3.lan:9000|/||aws"},
	{"a path, path style",
	 {.url = "bkt", .endpoint = "https://gw.lan/s3/v1/"},
	 "bkt|us-east-1|https://gw.lan|gw.lan|/s3/v1/bkt/||aws"},
	{"a path, virtual style",
	 {.url = "bkt", .endpoint = "https://gw.lan/s3", .style = S3_STYLE_VIRTUAL},
	 "bkt|us-east-1|https://bkt.gw.lan|bkt.gw.lan|/s3/||aws"},
	{"a region of its own",
	 {.url = "bkt", .endpoint = EP, .region = "My_Zone-1"},
	 "bkt|My_Zone-1|http://127.0.0.1:8000|127.0.0.1:8000|/bkt/||aws"},
	{"a region that AWS has elsewhere",
	 {.url = "bkt", .endpoint = EP, .region = "cn-north-1"},
	 "bkt|cn-north-1|http://127.0.0.1:8000|127.0.0.1:8000|/bkt/||aws"},
	{"an ARN",
	 {.url = "arn:aws-cn:s3:::bkt/p", .endpoint = EP},
	 "bkt|us-east-1|http://127.0.0.1:8000|127.0.0.1:8000|/bkt/|p/|aws-cn"},
};

static const struct {
	const char *name;
	struct s3_where where;
	const char *says; /* part of the message */
} bad[] = {
	{"nothing", {.url = ""}, "3 to 63"},
	{"no URL at all", {.region = "us-east-1"}, "3 to 63"},
	{"only a scheme", {.url = "s3://", .endpoint = EP}, "3 to 63"},
	{"another scheme", {.url = "https://bkt.s3.amazonaws.com", .endpoint = EP}, "3 to 63"},
	{"a short name", {.url = "ab", .endpoint = EP}, "3 to 63"},
	{"a long name",
	 {.url = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  .endpoint = EP},
	 "3 to 63"},
	{"capitals", {.url = "Bucket", .endpoint = EP}, "a-z 0-9"},
	{"an underscore", {.url = "my_bucket", .endpoint = EP}, "a-z 0-9"},
	{"two dots", {.url = "my..bucket", .endpoint = EP}, "no \"..\""},
	{"a dash first", {.url = "-bucket", .endpoint = EP}, "both ends"},
	{"a dot last", {.url = "bucket.", .endpoint = EP}, "both ends"},
	{"an address", {.url = "192.168.0.1", .endpoint = EP}, "no name of a bucket"},
	{"a newline", {.url = "buc\nket", .endpoint = EP}, "a-z 0-9"},
	{"an empty part in the prefix", {.url = "bkt/a//b", .endpoint = EP}, "prefix"},
	{"a prefix that climbs", {.url = "bkt/../b", .endpoint = EP}, "prefix"},
	{"a slash first in the prefix", {.url = "bkt//a", .endpoint = EP}, "prefix"},
	{"two slashes behind", {.url = "bkt/a//", .endpoint = EP}, "prefix"},

	{"no region", {.url = "bkt"}, "no region: set s3_region or AWS_REGION"},
	{"an empty region", {.url = "bkt", .region = ""}, "no region"},
	{"a region that is a host", {.url = "bkt", .region = "x.evil.com/"}, "is no region"},
	{"a region in capitals", {.url = "bkt", .region = "US-EAST-1"}, "is no region"},
	{"a region with a slash", {.url = "bkt", .region = "a/b", .endpoint = EP}, "is no region"},
	{"a long region",
	 {.url = "bkt",
	  .region = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	 "is no region"},

	{"another service's ARN", {.url = "arn:aws:sqs:us-east-1:123456789012:q"}, "\"sqs\""},
	{"an outpost",
	 {.url = "arn:aws:s3-outposts:us-east-1:123456789012:outpost/o/bucket/b"},
	 "\"s3-outposts\""},
	{"half an ARN", {.url = "arn:aws", .endpoint = EP}, "the service is"},
	{"a partition that is none",
	 {.url = "arn:aws-x:s3:::bkt", .region = "us-east-1"},
	 "partition is none of"},
	{"an ARN and a region of two partitions",
	 {.url = "arn:aws-cn:s3:::bkt", .region = "us-east-1"},
	 "is of partition aws, the ARN is not"},
	{"an access point's of two",
	 {.url = "arn:aws:s3:cn-north-1:123456789012:accesspoint/ap1"},
	 "is of partition aws-cn"},
	{"a bucket's ARN with a region",
	 {.url = "arn:aws:s3:us-east-1::bkt", .region = "us-east-1"},
	 "write arn:aws:s3:::bkt"},
	{"with an account",
	 {.url = "arn:aws:s3::123456789012:bkt", .endpoint = EP},
	 "neither region nor account"},
	{"an access point without account",
	 {.url = "arn:aws:s3:us-east-1::accesspoint/ap1"},
	 "12 digits"},
	{"with half of it", {.url = "arn:aws:s3:us-east-1:12345:accesspoint/ap1"}, "12 digits"},
	{"multi-region",
	 {.url = "arn:aws:s3::123456789012:accesspoint/abcdef.mrap"},
	 "access point"},
	{"multi-region by a plain name",
	 {.url = "arn:aws:s3::123456789012:accesspoint/abcdef"},
	 "multi-region"},
	{"an access point with a dot", {.url = AP "/my.ap"}, "3 to 50"},
	{"a prefix without object/", {.url = AP "/my-ap/a/b"}, "/object/"},
	{"an access point in the path",
	 {.url = AP "/my-ap", .style = S3_STYLE_PATH},
	 "s3_path_style = no"},

	{"FIPS in China", {.url = "bkt", .region = "cn-north-1", .fips = true}, "no FIPS"},
	{"FIPS with an endpoint", {.url = "bkt", .endpoint = EP, .fips = true}, "s3_fips"},
	{"dual stack with an endpoint",
	 {.url = "bkt", .endpoint = EP, .dualstack = true},
	 "s3_dualstack"},
	{"an endpoint without scheme", {.url = "bkt", .endpoint = "s3.lan:9000"}, "https://"},
	{"another scheme", {.url = "bkt", .endpoint = "ftp://s3.lan"}, "neither https://"},
	{"no host", {.url = "bkt", .endpoint = "https://"}, "no host"},
	{"no host but a port", {.url = "bkt", .endpoint = "https://:9000"}, "no host"},
	{"a dot first", {.url = "bkt", .endpoint = "https://.lan"}, "no host"},
	{"a user", {.url = "bkt", .endpoint = "https://me@s3.lan"}, "no host"},
	{"a password", {.url = "bkt", .endpoint = "https://me:pw@s3.lan"}, "port is no number"},
	{"port 0", {.url = "bkt", .endpoint = "https://s3.lan:0"}, "port is none"},
	{"a port too high", {.url = "bkt", .endpoint = "https://s3.lan:65536"}, "port is none"},
	{"an empty port", {.url = "bkt", .endpoint = "https://s3.lan:"}, "port is no number"},
	{"a port of letters", {.url = "bkt", .endpoint = "https://s3.lan:http"}, "no number"},
	{"IPv6 without brackets", {.url = "bkt", .endpoint = "https://fd00::1"}, "no number"},
	{"an open bracket", {.url = "bkt", .endpoint = "https://[::1"}, "brackets"},
	{"only a bracket", {.url = "bkt", .endpoint = "https://["}, "brackets"},
	{"no IPv6 in them", {.url = "bkt", .endpoint = "https://[s3.lan]"}, "no host"},
	{"something behind them", {.url = "bkt", .endpoint = "https://[::1]9000"}, "brackets"},
	{"a query", {.url = "bkt", .endpoint = "https://s3.lan/a?b"}, "its path"},
	{"a fragment", {.url = "bkt", .endpoint = "https://s3.lan/a#b"}, "its path"},
	{"a query without path", {.url = "bkt", .endpoint = "https://s3.lan?b"}, "no host"},
	{"a path that climbs", {.url = "bkt", .endpoint = "https://s3.lan/../b"}, "its path"},
	{"a path with two slashes", {.url = "bkt", .endpoint = "https://s3.lan/a//b"}, "its path"},
	{"a path that would need encoding",
	 {.url = "bkt", .endpoint = "https://s3.lan/a b"},
	 "its path"},
	{"a newline in the host", {.url = "bkt", .endpoint = "https://s3\n.lan"}, "no host"},
	{"an address that should carry the bucket",
	 {.url = "bkt", .endpoint = EP, .style = S3_STYLE_VIRTUAL},
	 "s3_path_style = yes"},
	{"the same in IPv6",
	 {.url = "bkt", .endpoint = "http://[::1]", .style = S3_STYLE_VIRTUAL},
	 "s3_path_style = yes"},
};

static void test_good(const char *what, const struct good *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(s3_location_free) struct s3_location l = {0};
		char got[1024] = "", name[160];
		struct sa_err err = {0};

		snprintf(name, sizeof(name), "%s: %s", what, cases[i].name);
		if (!tap_int(s3_location_make(&cases[i].where, &l, &err), 0, "%s: taken", name)) {
			tap_str(err.msg, "", "%s: message", name);
			continue;
		}
		snprintf(got, sizeof(got), "%s|%s|%s|%s|%s|%s|%s", l.bucket, l.region, l.origin,
			 l.host, l.base, l.prefix, l.partition);
		tap_str(got, cases[i].want, "%s", name);
		tap_int(l.aws, !cases[i].where.endpoint, "%s: of AWS", name);
		tap_int(l.access_point, strstr(cases[i].where.url, "accesspoint") != NULL,
			"%s: access point", name);
	}
}

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct s3_location l = {.bucket = (char *)"untouched"};
		struct sa_err err = {0};

		tap_int(s3_location_make(&bad[i].where, &l, &err), SA_ERR_INVALID, "refused: %s",
			bad[i].name);
		tap_ok(strstr(err.msg, bad[i].says) != NULL, "refused: %s: %s", bad[i].name,
		       err.msg);
		tap_str(l.bucket, "untouched", "refused: %s: out", bad[i].name);
	}
}

static void test_long(void)
{
	struct s3_location l = {0};
	char url[2048], endpoint[1024];
	struct s3_where w = {.url = url, .endpoint = endpoint};

	memset(url, 'a', sizeof(url));
	memcpy(url, "bkt/", 4);
	url[4 + 1025] = '\0';
	snprintf(endpoint, sizeof(endpoint), EP);
	tap_int(s3_location_make(&w, &l, NULL), SA_ERR_INVALID, "a prefix of 1025 bytes");
	url[4 + 1024] = '\0';
	tap_int(s3_location_make(&w, &l, NULL), 0, "a prefix of 1024 bytes");
	s3_location_free(&l);
	snprintf(endpoint, sizeof(endpoint), "http://%0900d", 1);
	tap_int(s3_location_make(&w, &l, NULL), SA_ERR_INVALID, "an endpoint of 900 bytes");
	snprintf(endpoint, sizeof(endpoint), "http://s3.lan/%0900d", 1);
	tap_int(s3_location_make(&w, &l, NULL), SA_ERR_INVALID, "a path of 900 bytes");
}

static void test_memory(void)
{
	static const struct s3_where w = {.url = AP "/my-ap/object/a"};
	unsigned long n = 0;
	int wrong = 0, rc;

	do {
		struct s3_location l = {0};

		alloc_fail_at(++n);
		rc = s3_location_make(&w, &l, NULL);
		wrong += rc != (alloc_failed() ? SA_ERR_NOMEM : 0);
		s3_location_free(&l);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_int(wrong, 0, "out of memory at each of %lu places", n - 1);
	tap_ok(n > 5, "there are some");
}

int main(void)
{
	test_good("AWS", aws, ARRAY_LEN(aws));
	test_good("ARN", arns, ARRAY_LEN(arns));
	test_good("endpoint", endpoints, ARRAY_LEN(endpoints));
	test_bad();
	test_long();
	test_memory();
	return tap_done();
}
