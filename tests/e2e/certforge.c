/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What a careless or hostile CA might sign: takes an Ed25519 certificate apart, breaks
 * it, and signs it again, so that sshd finds a good signature on bad bytes.
 *
 *   certforge CA.pem pub                  the CA's key, as a line for *.pub
 *   certforge CA.pem WHAT CERT.pub        the certificate, broken as WHAT says:
 *     same       not at all
 *     dup        its extensions twice
 *     second     another request-id@sessaudit after the first
 *     inner      the value of the last extension claims more bytes than there are
 *     outer      the last extension claims more bytes than there are
 *     bare       the value of the last extension is not wrapped in its inner string
 *     many       300 extensions more
 *     reserved   a reserved field that is not empty
 *     host       it says that it is a host's
 *     trail      bytes after the signature
 *     cut        the last bytes are missing
 *     long       the key id claims 4 GiB
 * CA.pem: openssl genpkey -algorithm ed25519. Layout: PROTOCOL.certkeys of OpenSSH.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 65536
#define TYPE "ssh-ed25519-cert-v01@openssh.com"

struct bytes {
	unsigned char data[MAX];
	size_t len;
};

/* The fields of a certificate, in their order; numbers are kept as bytes. */
enum { NONCE = 1, KEY, NUMBERS, KEY_ID, PRINCIPALS, VALID, CRITICAL, EXTENSIONS, RESERVED, FIELDS };

static _Noreturn void die(const char *why)
{
	fprintf(stderr, "certforge: %s\n", why);
	exit(2);
}

static void put(struct bytes *b, const void *data, size_t n)
{
	if (n > MAX - b->len)
		die("too long");
	if (n)
		memcpy(b->data + b->len, data, n);
	b->len += n;
}

static void put_length(struct bytes *b, uint32_t n)
{
	unsigned char at[4] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
			       (unsigned char)(n >> 8), (unsigned char)n};

	put(b, at, sizeof(at));
}

static void put_string(struct bytes *b, const void *data, size_t n)
{
	put_length(b, (uint32_t)n);
	put(b, data, n);
}

static void put_extension(struct bytes *b, const char *name, const char *value)
{
	struct bytes inner = {.len = 0};

	put_string(&inner, value, strlen(value));
	put_string(b, name, strlen(name));
	put_string(b, inner.data, inner.len);
}

static size_t length_at(const unsigned char *p)
{
	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static void read_cert(const char *path, struct bytes *out)
{
	static char line[MAX];
	FILE *f = fopen(path, "re");
	char *text;
	int n;

	if (!f || !fgets(line, sizeof(line), f) || !strtok(line, " ") ||
	    !(text = strtok(NULL, " \n")))
		die(path);
	fclose(f);
	n = EVP_DecodeBlock(out->data, (unsigned char *)text, (int)strlen(text));
	if (n < 0)
		die("no base64");
	out->len = (size_t)n;
}

/* Takes the next field: a string's content, or size bytes. */
static void take(const struct bytes *blob, size_t *at, size_t size, struct bytes *out)
{
	size_t n = size ? size : length_at(blob->data + *at);

	*at += size ? 0 : 4;
	if (n > blob->len - *at)
		die("no certificate");
	put(out, blob->data + *at, n);
	*at += n;
}

static void split(const struct bytes *blob, struct bytes *fields)
{
	size_t at = 0;

	for (int i = 0; i < FIELDS; i++)
		take(blob, &at, i == NUMBERS ? 12 : i == VALID ? 16 : 0, &fields[i]);
	if (fields[0].len != strlen(TYPE) || memcmp(fields[0].data, TYPE, strlen(TYPE)) != 0)
		die("not a certificate of Ed25519");
}

/* Where the last extension's name begins. */
static size_t last_extension(const struct bytes *e)
{
	size_t at = 0, last = 0;

	while (at + 8 <= e->len) {
		last = at;
		at += 4 + length_at(e->data + at);
		at += 4 + length_at(e->data + at);
	}
	return last;
}

static void break_value(struct bytes *e, const char *what)
{
	size_t value = last_extension(e);

	value += 4 + length_at(e->data + value);
	if (strcmp(what, "outer") == 0)
		e->data[value + 3] += 9;
	else if (strcmp(what, "inner") == 0)
		e->data[value + 7] += 9;
	else /* bare: the inner length goes, the outer is four less */
	{
		memmove(e->data + value + 4, e->data + value + 8, e->len - value - 8);
		e->data[value + 3] -= 4;
		e->len -= 4;
	}
}

static void add_many(struct bytes *e)
{
	char name[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "x%03d@example.com", i);
		put_extension(e, name, "x");
	}
}

static void break_fields(struct bytes *fields, const char *what)
{
	struct bytes copy = fields[EXTENSIONS];

	if (strcmp(what, "dup") == 0)
		put(&fields[EXTENSIONS], copy.data, copy.len);
	else if (strcmp(what, "second") == 0)
		put_extension(&fields[EXTENSIONS], "request-id@sessaudit", "REQ-FORGED");
	else if (strcmp(what, "inner") == 0 || strcmp(what, "outer") == 0 ||
		 strcmp(what, "bare") == 0)
		break_value(&fields[EXTENSIONS], what);
	else if (strcmp(what, "many") == 0)
		add_many(&fields[EXTENSIONS]);
	else if (strcmp(what, "reserved") == 0)
		put(&fields[RESERVED], "x", 1);
	else if (strcmp(what, "host") == 0)
		fields[NUMBERS].data[11] = 2;
}

static void put_public(EVP_PKEY *ca, struct bytes *out)
{
	unsigned char raw[32];
	size_t n = sizeof(raw);

	if (EVP_PKEY_get_raw_public_key(ca, raw, &n) != 1)
		die("CA key: not Ed25519");
	put_string(out, "ssh-ed25519", 11);
	put_string(out, raw, n);
}

static void put_signature(EVP_PKEY *ca, struct bytes *cert)
{
	struct bytes sig = {.len = 0};
	unsigned char raw[64];
	size_t n = sizeof(raw);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, ca) != 1 ||
	    EVP_DigestSign(ctx, raw, &n, cert->data, cert->len) != 1)
		die("cannot sign");
	EVP_MD_CTX_free(ctx);
	put_string(&sig, "ssh-ed25519", 11);
	put_string(&sig, raw, n);
	put_string(cert, sig.data, sig.len);
}

static void print_line(const char *type, const struct bytes *b)
{
	static unsigned char text[MAX * 2];

	EVP_EncodeBlock(text, b->data, (int)b->len);
	printf("%s %s forged\n", type, (char *)text);
}

static void forge(EVP_PKEY *ca, const char *what, const char *path)
{
	static struct bytes blob, fields[FIELDS], cert, key;

	read_cert(path, &blob);
	split(&blob, fields);
	break_fields(fields, what);
	for (int i = 0; i < FIELDS; i++) {
		if (i == NUMBERS || i == VALID)
			put(&cert, fields[i].data, fields[i].len);
		else
			put_string(&cert, fields[i].data, fields[i].len);
		if (i == KEY_ID && strcmp(what, "long") == 0)
			memset(cert.data + cert.len - fields[i].len - 4, 0xff, 4);
	}
	put_public(ca, &key);
	put_string(&cert, key.data, key.len);
	put_signature(ca, &cert);
	if (strcmp(what, "trail") == 0)
		put(&cert, "trailing", 8);
	else if (strcmp(what, "cut") == 0)
		cert.len -= 9;
	print_line(TYPE, &cert);
}

int main(int argc, char **argv)
{
	static struct bytes key;
	EVP_PKEY *ca;
	FILE *f;

	if (argc < 3)
		die("usage: certforge CA.pem pub|WHAT [CERT.pub]");
	f = fopen(argv[1], "re");
	ca = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (!ca)
		die(argv[1]);
	fclose(f);
	if (argc > 3) {
		forge(ca, argv[2], argv[3]);
	} else {
		put_public(ca, &key);
		print_line("ssh-ed25519", &key);
	}
	EVP_PKEY_free(ca);
	return 0;
}
