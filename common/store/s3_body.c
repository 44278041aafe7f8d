/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/store/s3_body.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/escape.h"

#define CHUNK 65536
#define TURN_EVERY (16u << 20)

static void s3_evp_free(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static int s3_read(int fd, char *p, size_t n, uint64_t off, struct sa_err *err)
{
	ssize_t got;

	do
		got = pread(fd, p, n, (off_t)off);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return sa_fail(err, SA_ERR_IO, "read object: %s", strerror(errno));
	return got > 0 ? (int)got : sa_fail(err, SA_ERR_IO, "object is shorter than its size");
}

int s3_body_read(struct s3_body *b, struct sa_err *err)
{
	uint64_t off = 0;
	int got;

	if (b->size > S3_BODY_SMALL)
		return 0;
	if (!b->bytes && !(b->bytes = malloc((size_t)b->size + 1)))
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	while (off < b->size) {
		got = s3_read(b->fd, b->bytes + off, (size_t)(b->size - off), off, err);
		if (got < 0)
			return got;
		off += (uint64_t)got;
	}
	return 0;
}

void s3_body_free(struct s3_body *b)
{
	free(b->bytes);
	b->bytes = NULL;
}

static int s3_add_all(EVP_MD_CTX *c, const struct s3_body *b, struct sa_err *err)
{
	char chunk[CHUNK];
	uint64_t off = 0;
	int got;

	if (b->bytes)
		return EVP_DigestUpdate(c, b->bytes, (size_t)b->size) == 1
			       ? 0
			       : sa_fail(err, SA_ERR_UNSUPPORTED, "hash: OpenSSL failed");
	while (off < b->size) {
		uint64_t left = b->size - off;

		if (b->turn && off % TURN_EVERY < CHUNK && off > 0 && !b->turn(b->turn_ctx))
			return sa_fail(err, SA_ERR_AGAIN, "stopped");
		got = s3_read(b->fd, chunk, left < CHUNK ? (size_t)left : CHUNK, off, err);
		if (got < 0)
			return got;
		if (EVP_DigestUpdate(c, chunk, (size_t)got) != 1)
			return sa_fail(err, SA_ERR_UNSUPPORTED, "hash: OpenSSL failed");
		off += (uint64_t)got;
	}
	return 0;
}

static int s3_sum_final(EVP_MD_CTX *c, struct s3_sum *out, struct sa_err *err)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	_cleanup_buf_ struct buf hex = {0}, base64 = {0};
	unsigned n = 0;

	buf_init(&hex, sizeof(out->hex) - 1);
	buf_init(&base64, sizeof(out->base64) - 1);
	if (EVP_DigestFinal_ex(c, raw, &n) != 1)
		return sa_fail(err, SA_ERR_UNSUPPORTED, "hash: OpenSSL failed");
	escape_hex(&hex, (struct slice){(char *)raw, n});
	escape_base64(&base64, (struct slice){(char *)raw, n});
	if (hex.failed || base64.failed)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	*out = (struct s3_sum){0};
	memcpy(out->hex, hex.data, hex.len);
	memcpy(out->base64, base64.data, base64.len);
	return 0;
}

static int s3_hash(const EVP_MD *md, const struct s3_body *b, struct s3_sum *out,
		   struct sa_err *err)
{
	_cleanup_(s3_evp_free) EVP_MD_CTX *c = EVP_MD_CTX_new();
	int rc;

	if (!c)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if (EVP_DigestInit_ex(c, md, NULL) != 1)
		return sa_fail(err, SA_ERR_UNSUPPORTED, "hash: OpenSSL has none of this kind");
	rc = s3_add_all(c, b, err);
	return rc ? rc : s3_sum_final(c, out, err);
}

int s3_body_sha256(const struct s3_body *b, struct s3_sum *out, struct sa_err *err)
{
	return s3_hash(EVP_sha256(), b, out, err);
}

int s3_body_md5(const struct s3_body *b, struct s3_sum *out, struct sa_err *err)
{
	int rc = s3_hash(EVP_md5(), b, out, err);

	if (rc == SA_ERR_UNSUPPORTED)
		return sa_fail(err, rc, "no MD5 on this host (FIPS): set s3_content_md5 = no");
	return rc;
}
