/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "common/access/signed.h"
#include "common/access/trusted_file.h"
#include "common/cleanup.h"
#include "common/escape.h"

#define SIGNED_FAMILY "sessaudit.signed-grant/"
#define SIGNED_SCHEMA SIGNED_FAMILY "1"
#define SIGNATURE_SIZE 64
#define KEY_SIZE 32
#define KEY_FILE_MAX (16 * 1024)

static void bio_freep(BIO **bio)
{
	BIO_free(*bio);
}

static void openssl_freep(void *p)
{
	OPENSSL_free(*(void **)p);
}

static void md_ctx_freep(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* RFC 8410: a SubjectPublicKeyInfo of an Ed25519 key has one form: these bytes and the key. By
 * hand, because OpenSSL 3 looks through all its decoders for it, at each login. */
static EVP_PKEY *key_from_der(const unsigned char *der, long len)
{
	static const unsigned char head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
					     0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

	if (len != (long)sizeof(head) + KEY_SIZE || memcmp(der, head, sizeof(head)) != 0)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, der + sizeof(head), KEY_SIZE);
}

static EVP_PKEY *key_from_pem(struct slice text)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
	_cleanup_(openssl_freep) char *name = NULL, *header = NULL;
	_cleanup_(openssl_freep) unsigned char *der = NULL;
	long len = 0;

	if (!bio || PEM_read_bio(bio, &name, &header, &der, &len) != 1 ||
	    strcmp(name, PEM_STRING_PUBLIC) != 0 || *header)
		return NULL;
	return key_from_der(der, len);
}

static int load_key(const char *file, unsigned owner_uid, void **out, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, KEY_FILE_MAX);
	if ((rc = trusted_read(AT_FDCWD, file, owner_uid, KEY_FILE_MAX, &text, err)) < 0)
		return sa_wrap(err, rc, "%s", file);
	ERR_set_mark(); /* the errors of whoever loaded us stay as they are */
	*out = key_from_pem(buf_slice(&text));
	ERR_pop_to_mark();
	if (!*out)
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: no Ed25519 public key in PEM: make one with openssl pkey "
			       "-pubout",
			       file);
	return 0;
}

int signers_load(const char *const *files, size_t n, unsigned owner_uid, struct signers *out,
		 struct sa_err *err)
{
	struct signers s = {0};

	*out = s;
	if (n > SIGNED_MAX_KEYS)
		return sa_fail(err, SA_ERR_TOOBIG, "%zu keys that sign grants: at most %d", n,
			       SIGNED_MAX_KEYS);
	for (; s.len < n; s.len++) {
		int rc = load_key(files[s.len], owner_uid, &s.keys[s.len], err);

		if (rc < 0) {
			signers_free(&s);
			return rc;
		}
	}
	*out = s;
	return 0;
}

void signers_free(struct signers *s)
{
	for (size_t i = 0; i < s->len; i++)
		EVP_PKEY_free(s->keys[i]);
	*s = (struct signers){0};
}

bool signed_is(struct slice text)
{
	_cleanup_json_ struct json *root = NULL;
	int rc;

	/* Most files are plain grants, which are parsed anyway: not twice. */
	if (!text.ptr || !memmem(text.ptr, text.len, SIGNED_FAMILY, sizeof(SIGNED_FAMILY) - 1))
		return false;
	rc = json_parse(text.ptr, text.len, &root, NULL);
	if (rc < 0)
		return rc == SA_ERR_NOMEM; /* it may be one: opening it says what is wrong */
	return slice_starts(json_get_str(root, "schema"), SIGNED_FAMILY);
}

/* 1 or 0; less when OpenSSL could not tell. */
static int key_verifies(EVP_PKEY *key, struct slice text, struct slice signature)
{
	_cleanup_(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -1;

	ERR_set_mark();
	if (ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1)
		rc = EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
				      (const unsigned char *)text.ptr, text.len);
	ERR_pop_to_mark();
	return rc;
}

static int verify(struct slice text, struct slice signature, const struct signers *s,
		  struct sa_err *err)
{
	bool unsure = false;

	if (!s || s->len == 0)
		return sa_fail(err, SA_ERR_PERM,
			       "signed, but there is no key to check it with: name the broker's "
			       "public key in keys of [broker]");
	for (size_t i = 0; i < s->len; i++) {
		int rc = key_verifies(s->keys[i], text, signature);

		if (rc == 1)
			return 0;
		unsure |= rc < 0;
	}
	if (unsure)
		return sa_fail(err, SA_ERR_IO, "signature: OpenSSL cannot check it now");
	return sa_fail(err, SA_ERR_PERM,
		       "signature: made by none of the %zu keys in [broker], or the grant was "
		       "changed afterwards",
		       s->len);
}

static int read_base64(const struct json *root, const char *key, struct buf *out,
		       struct sa_err *err)
{
	struct slice s = json_get_str(root, key);

	if (!s.ptr)
		return sa_fail(err, SA_ERR_INVALID, "%s: must be a string", key);
	if (s.len / 4 * 3 > out->max + slice_ends(s, "=") + slice_ends(s, "=="))
		return sa_fail(err, SA_ERR_INVALID, "%s: longer than %zu bytes", key, out->max);
	if (escape_unbase64(out, s) < 0)
		return sa_fail(err, SA_ERR_INVALID, "%s: not base64", key);
	return out->failed ? sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", key) : 0;
}

static int read_envelope(struct slice text, struct buf *grant, struct buf *signature,
			 struct sa_err *err)
{
	_cleanup_json_ struct json *root = NULL;
	int rc = json_parse(text.ptr, text.len, &root, err);

	if (rc < 0)
		return rc;
	if (!slice_is(json_get_str(root, "schema"), SIGNED_SCHEMA))
		return sa_fail(err, SA_ERR_INVALID, "schema: must be \"" SIGNED_SCHEMA "\"");
	if (json_len(root) != 3)
		return sa_fail(err, SA_ERR_INVALID,
			       "must have the keys schema, grant and signature, and no other");
	if ((rc = read_base64(root, "grant", grant, err)) < 0 ||
	    (rc = read_base64(root, "signature", signature, err)) < 0)
		return rc;
	return signature->len == SIGNATURE_SIZE
		       ? 0
		       : sa_fail(err, SA_ERR_INVALID, "signature: must have %d bytes",
				 SIGNATURE_SIZE);
}

static int open_envelope(struct slice text, const struct signers *s, struct buf *grant,
			 struct sa_err *err)
{
	_cleanup_buf_ struct buf signature = {0};
	int rc;

	buf_init(&signature, SIGNATURE_SIZE);
	if (text.len > SIGNED_MAX_BYTES)
		return sa_fail(err, SA_ERR_INVALID, "larger than %d bytes", SIGNED_MAX_BYTES);
	if ((rc = read_envelope(text, grant, &signature, err)) < 0)
		return rc;
	return verify(buf_slice(grant), buf_slice(&signature), s, err);
}

int signed_open(const char *name, struct slice text, const struct signers *s, struct buf *grant,
		struct sa_err *err)
{
	_cleanup_buf_ struct buf inner = {0};
	int rc;

	buf_init(&inner, GRANT_MAX_BYTES);
	if ((rc = open_envelope(text, s, &inner, err)) < 0)
		return sa_wrap(err, rc, "%s", name);
	buf_put(grant, buf_slice(&inner));
	return grant->failed ? sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", name) : 0;
}

/* A signature is good on every host and for ever: so the grant itself has to say where it holds,
 * and which of two versions is the newer. */
static int check_signed(const struct grant *g, struct sa_err *err)
{
	if (!g->access.grant_id)
		return sa_fail(err, SA_ERR_INVALID, "grant_id: a signed grant must have one");
	if (g->issued_ms == 0)
		return sa_fail(err, SA_ERR_INVALID, "issued_at: a signed grant must have it");
	if (g->hosts.len == 0)
		return sa_fail(err, SA_ERR_INVALID, "hosts: a signed grant must name its hosts");
	for (size_t i = 0; i < g->hosts.len; i++)
		if (strchr(g->hosts.items[i], '*'))
			return sa_fail(err, SA_ERR_INVALID,
				       "hosts: a signed grant must name each host, without \"*\"");
	return 0;
}

int signed_grant(const char *name, struct slice text, const struct signers *s, struct grant **out,
		 struct sa_err *err)
{
	_cleanup_buf_ struct buf inner = {0};
	struct grant *g;
	int rc;

	buf_init(&inner, GRANT_MAX_BYTES);
	if ((rc = signed_open(name, text, s, &inner, err)) < 0 ||
	    (rc = grant_parse(name, buf_slice(&inner), &g, err)) < 0)
		return rc;
	if ((rc = check_signed(g, err)) < 0) {
		grant_free(g);
		return sa_wrap(err, rc, "%s", name);
	}
	*out = g;
	return 0;
}

int signed_write(struct slice grant, struct slice signature, struct buf *out)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);
	_cleanup_buf_ struct buf b64 = {0}, sig64 = {0};

	buf_init(&b64, SIGNED_MAX_BYTES);
	buf_init(&sig64, SIGNED_MAX_BYTES);
	escape_base64(&b64, grant);
	escape_base64(&sig64, signature);
	if (!w)
		return SA_ERR_NOMEM;
	if (b64.failed || sig64.failed)
		return SA_ERR_TOOBIG;
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(SIGNED_SCHEMA));
	json_write_kstr(w, "grant", buf_slice(&b64));
	json_write_kstr(w, "signature", buf_slice(&sig64));
	json_write_close(w);
	return json_writer_end(w);
}
