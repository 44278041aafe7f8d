/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * bareput plain|once DIRECTORY ENDPOINT BUCKET PARALLEL: the yardstick of s3.sh. PUTs
 * every file below DIRECTORY, PARALLEL at a time, over kept connections of one libcurl
 * multi handle, and does nothing else: no order, no retry, no look at the answer beyond
 * its status, nothing removed.
 *   plain  the least that S3 takes: payload unsigned
 *   once   the request that puts an object once and whole: If-None-Match, signed SHA-256
 *          of the payload, checksum. It costs the server more, too.
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY from the environment.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include <curl/curl.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PARALLEL_MAX 64
#define BODY_MAX (1u << 20)
#define REGION "us-east-1"

struct put {
	CURL *easy;
	struct curl_slist *headers;
	unsigned char *body;
	size_t size, sent;
	char sha256[65], checksum[45]; /* hex and base64; UNSIGNED-PAYLOAD, "" for plain */
};

struct bare {
	const char *root, *endpoint, *host, *bucket, *access_key;
	unsigned char key[32]; /* for signing, of this day */
	char day[16];
	bool once;
	size_t done, started;
};

/* nftw(3) has no argument for its callback. */
static char **files;
static size_t n_files;

static int collect(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	if ((n_files & (n_files + 1)) == 0)
		files = realloc(files, (2 * n_files + 2) * sizeof(*files));
	files[n_files++] = strdup(path);
	return 0;
}

/* --- signing --- */

static void hmac(const void *key, size_t n, const char *text, unsigned char *out)
{
	unsigned len = 32;

	HMAC(EVP_sha256(), key, (int)n, (const unsigned char *)text, strlen(text), out, &len);
}

static void hex(const unsigned char *p, char *out)
{
	for (int i = 0; i < 32; i++)
		snprintf(out + (size_t)i * 2, 3, "%02x", p[i]);
}

static void signing_key(struct bare *b, const char *secret)
{
	const char *const parts[] = {b->day, REGION, "s3", "aws4_request"};
	char first[256];

	snprintf(first, sizeof(first), "AWS4%s", secret);
	hmac(first, strlen(first), parts[0], b->key);
	for (int i = 1; i < 4; i++)
		hmac(b->key, 32, parts[i], b->key);
}

/* The header lines that are signed, in their order, and their names. */
static void canonical(const struct bare *b, const struct put *p, const char *date, char *lines,
		      char *names)
{
	lines += sprintf(lines, "host:%s\n", b->host);
	names += sprintf(names, "host;");
	if (b->once) {
		lines += sprintf(lines, "x-amz-checksum-sha256:%s\n", p->checksum);
		names += sprintf(names, "x-amz-checksum-sha256;");
	}
	lines += sprintf(lines, "x-amz-content-sha256:%s\nx-amz-date:%s\n", p->sha256, date);
	names += sprintf(names, "x-amz-content-sha256;x-amz-date");
	if (b->once) {
		sprintf(lines, "x-amz-sdk-checksum-algorithm:SHA256\n");
		sprintf(names, ";x-amz-sdk-checksum-algorithm");
	}
}

static void authorization(const struct bare *b, const struct put *p, const char *path,
			  const char *date, char *out, size_t size)
{
	char lines[512], names[128], text[2048], digest[65];
	unsigned char md[32];

	canonical(b, p, date, lines, names);
	snprintf(text, sizeof(text), "PUT\n%s\n\n%s\n%s\n%s", path, lines, names, p->sha256);
	EVP_Digest(text, strlen(text), md, NULL, EVP_sha256(), NULL);
	hex(md, digest);
	snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s/" REGION "/s3/aws4_request\n%s",
		 date, b->day, digest);
	hmac(b->key, 32, text, md);
	hex(md, digest);
	snprintf(out, size,
		 "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/" REGION
		 "/s3/aws4_request,SignedHeaders=%s,Signature=%s",
		 b->access_key, b->day, names, digest);
}

/* --- puts --- */

/* '=' is the only character of these keys that SigV4 wants encoded. */
static void encode(const char *key, char *out)
{
	for (; *key; key++)
		out += sprintf(out, *key == '=' ? "%%3D" : "%c", *key);
}

static size_t give_body(char *out, size_t size, size_t n, void *ctx)
{
	struct put *p = ctx;
	size_t left = p->size - p->sent;

	n = size * n < left ? size * n : left;
	memcpy(out, p->body + p->sent, n);
	p->sent += n;
	return n;
}

static size_t pass_over(char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return size * n;
}

static void add_header(struct put *p, const char *name, const char *value)
{
	char line[256];

	snprintf(line, sizeof(line), "%s: %s", name, value);
	p->headers = curl_slist_append(p->headers, line);
}

static void put_headers(struct put *p, const struct bare *b, const char *path)
{
	char date[32], line[1024];
	time_t now = time(NULL);
	struct tm tm;

	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	authorization(b, p, path, date, line, sizeof(line));
	curl_slist_free_all(p->headers);
	p->headers = curl_slist_append(NULL, "Expect:");
	p->headers = curl_slist_append(p->headers, line);
	add_header(p, "x-amz-content-sha256", p->sha256);
	add_header(p, "x-amz-date", date);
	if (b->once) {
		add_header(p, "If-None-Match", "*");
		add_header(p, "x-amz-checksum-sha256", p->checksum);
		add_header(p, "x-amz-sdk-checksum-algorithm", "SHA256");
	}
	curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
}

static void put_body(struct put *p, const struct bare *b, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, p->body, BODY_MAX);
	unsigned char md[32];

	close(fd);
	p->size = n > 0 ? (size_t)n : 0;
	p->sent = 0;
	strcpy(p->sha256, "UNSIGNED-PAYLOAD");
	if (!b->once)
		return;
	EVP_Digest(p->body, p->size, md, NULL, EVP_sha256(), NULL);
	hex(md, p->sha256);
	EVP_EncodeBlock((unsigned char *)p->checksum, md, sizeof(md));
}

static void put_start(struct put *p, struct bare *b, CURLM *multi)
{
	const char *file = files[b->started++];
	char key[1024], path[1200], url[1400];

	encode(file + strlen(b->root) + 1, key);
	snprintf(path, sizeof(path), "/%s/%s", b->bucket, key);
	snprintf(url, sizeof(url), "%s%s", b->endpoint, path);
	put_body(p, b, file);
	curl_easy_setopt(p->easy, CURLOPT_URL, url);
	curl_easy_setopt(p->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)p->size);
	put_headers(p, b, path);
	curl_multi_add_handle(multi, p->easy);
}

static void put_init(struct put *p)
{
	p->easy = curl_easy_init();
	p->body = malloc(BODY_MAX);
	curl_easy_setopt(p->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(p->easy, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(p->easy, CURLOPT_READDATA, p);
	curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, pass_over);
	curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
	curl_easy_setopt(p->easy, CURLOPT_NOPROXY, "*");
}

/* What has ended makes room for the next. */
static int reap(struct bare *b, CURLM *multi)
{
	struct put *p;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(multi, &left))) {
		CURL *easy = m->easy_handle;
		CURLcode rc = m->data.result;
		long status = 0;

		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&p);
		curl_multi_remove_handle(multi, easy);
		if (rc != CURLE_OK || status != 200) {
			fprintf(stderr, "bareput: %s, status %ld\n", curl_easy_strerror(rc),
				status);
			return -1;
		}
		b->done++;
		if (b->started < n_files)
			put_start(p, b, multi);
	}
	return 0;
}

static int run(struct bare *b, unsigned parallel)
{
	struct put puts[PARALLEL_MAX] = {0};
	CURLM *multi = curl_multi_init();
	int running;

	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)parallel);
	for (unsigned i = 0; i < parallel && b->started < n_files; i++) {
		put_init(&puts[i]);
		put_start(&puts[i], b, multi);
	}
	while (b->done < n_files) {
		if (curl_multi_perform(multi, &running) != CURLM_OK || reap(b, multi) != 0)
			return 1;
		curl_multi_wait(multi, NULL, 0, 1000, NULL);
	}
	for (unsigned i = 0; i < parallel; i++) {
		curl_easy_cleanup(puts[i].easy);
		curl_slist_free_all(puts[i].headers);
		free(puts[i].body);
	}
	return curl_multi_cleanup(multi) != CURLM_OK;
}

int main(int argc, char **argv)
{
	const char *secret = getenv("AWS_SECRET_ACCESS_KEY");
	struct bare b = {0};
	time_t now = time(NULL);
	struct tm tm;

	b.access_key = getenv("AWS_ACCESS_KEY_ID");
	if (argc != 6 || !secret || !b.access_key || !strstr(argv[3], "://") || atoi(argv[5]) < 1 ||
	    atoi(argv[5]) > PARALLEL_MAX)
		return 2;
	b.once = strcmp(argv[1], "once") == 0;
	b.root = argv[2];
	b.endpoint = argv[3];
	b.host = strstr(argv[3], "://") + 3;
	b.bucket = argv[4];
	strftime(b.day, sizeof(b.day), "%Y%m%d", gmtime_r(&now, &tm));
	signing_key(&b, secret);
	curl_global_init(CURL_GLOBAL_ALL);
	if (nftw(b.root, collect, 32, FTW_PHYS) != 0)
		return 1;
	return run(&b, (unsigned)atoi(argv[5]));
}
