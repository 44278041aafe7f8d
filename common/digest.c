/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "common/digest.h"

struct digest {
	EVP_MD_CTX *ctx;
	EVP_MD *fetched; /* OpenSSL 3: looked up once, EVP_sha256() would do it at each start */
	bool failed;
};

static const EVP_MD *digest_md(struct digest *d)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	if (!d->fetched)
		d->fetched = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	return d->fetched;
#else
	(void)d;
	return EVP_sha256();
#endif
}

static void digest_start(struct digest *d)
{
	d->failed = EVP_DigestInit_ex(d->ctx, digest_md(d), NULL) != 1;
}

struct digest *digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx && digest_md(d))
		digest_start(d);
	else
		d->failed = true;
	if (d->failed) {
		digest_free(d);
		return NULL;
	}
	return d;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	EVP_MD_free(d->fetched);
#endif
	free(d);
}

void digest_freep(struct digest **d)
{
	digest_free(*d);
}

void digest_add(struct digest *d, struct slice s)
{
	if (s.len > 0 && EVP_DigestUpdate(d->ctx, s.ptr, s.len) != 1)
		d->failed = true;
}

/* A hash that could not be computed becomes all zeros: it equals nothing that was ever hashed. */
static void digest_print(const unsigned char *md, char out[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = md ? digits[md[i] >> 4] : '0';
		out[2 * i + 1] = md ? digits[md[i] & 15] : '0';
	}
	out[DIGEST_HEX_SIZE - 1] = '\0';
}

void digest_final_hex(struct digest *d, char out[DIGEST_HEX_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(d->ctx, md, NULL) != 1)
		d->failed = true;
	digest_print(d->failed ? NULL : md, out);
	digest_start(d);
}

void digest_hex(struct slice s, char out[DIGEST_HEX_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	int ok = EVP_Digest(s.ptr ? s.ptr : "", s.len, md, NULL, EVP_sha256(), NULL);

	digest_print(ok == 1 ? md : NULL, out);
}
