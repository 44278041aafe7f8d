/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tests/unit/broker_key.h"

static EVP_PKEY *key(unsigned char number)
{
	unsigned char seed[32];
	EVP_PKEY *k;

	memset(seed, number, sizeof(seed));
	k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	if (!k)
		abort();
	return k;
}

void broker_key_pem(unsigned char number, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	EVP_PKEY *k = key(number);
	char *text = NULL;
	long n;

	if (!bio || PEM_write_bio_PUBKEY(bio, k) != 1)
		abort();
	n = BIO_get_mem_data(bio, &text);
	buf_append(out, text, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(k);
}

void broker_key_signers(unsigned char number, struct signers *out)
{
	unsigned char raw[32];
	size_t n = sizeof(raw);
	EVP_PKEY *k = key(number);

	if (EVP_PKEY_get_raw_public_key(k, raw, &n) != 1)
		abort();
	*out = (struct signers){.len = 1};
	out->keys[0] = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, n);
	EVP_PKEY_free(k);
}

void broker_key_signature(unsigned char number, struct slice grant, unsigned char out[64])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *k = key(number);
	size_t n = 64;

	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, k) != 1 ||
	    EVP_DigestSign(ctx, out, &n, (const unsigned char *)grant.ptr, grant.len) != 1 ||
	    n != 64)
		abort();
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
}

void broker_key_sign(unsigned char number, struct slice grant, struct buf *out)
{
	unsigned char signature[64];

	broker_key_signature(number, grant, signature);
	if (signed_write(grant, (struct slice){(const char *)signature, sizeof(signature)}, out) <
	    0)
		abort();
}
