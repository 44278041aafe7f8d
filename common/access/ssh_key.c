/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <openssl/evp.h>

#include "common/access/ssh_key.h"
#include "common/cleanup.h"
#include "common/escape.h"

#define SSH_MAX_MPINT (16384 / 8 + 1) /* as sshd: 16,384 bits and the byte for the sign */
#define SSH_MAX_FIELDS 4
#define SSH_CERT_USER 1
#define SSH_CERT_HOST 2

/* What a key is made of, beside its type. */
enum field {
	FIELD_NONE,
	FIELD_MPINT,
	FIELD_ED25519,
	FIELD_CURVE,
	FIELD_POINT,
	FIELD_TEXT, /* the application of a security key */
};

struct key_type {
	const char *plain, *cert;
	enum field fields[SSH_MAX_FIELDS + 1];
	const char *curve;
	size_t point; /* bytes of an uncompressed one */
};

#define OPENSSH_CERT "-cert-v01@openssh.com"
#define ECDSA(curve, point)                                                                        \
	{                                                                                          \
		"ecdsa-sha2-" curve, "ecdsa-sha2-" curve OPENSSH_CERT, {FIELD_CURVE, FIELD_POINT}, \
			curve, point                                                               \
	}

static const struct key_type key_types[] = {
	{"ssh-ed25519", "ssh-ed25519" OPENSSH_CERT, {FIELD_ED25519}, NULL, 0},
	{"ssh-rsa", "ssh-rsa" OPENSSH_CERT, {FIELD_MPINT, FIELD_MPINT}, NULL, 0},
	ECDSA("nistp256", 65),
	ECDSA("nistp384", 97),
	ECDSA("nistp521", 133),
	{"sk-ssh-ed25519@openssh.com",
	 "sk-ssh-ed25519" OPENSSH_CERT,
	 {FIELD_ED25519, FIELD_TEXT},
	 NULL,
	 0},
	{"sk-ecdsa-sha2-nistp256@openssh.com",
	 "sk-ecdsa-sha2-nistp256" OPENSSH_CERT,
	 {FIELD_CURVE, FIELD_POINT, FIELD_TEXT},
	 "nistp256",
	 65},
	{"ssh-dss",
	 "ssh-dss" OPENSSH_CERT,
	 {FIELD_MPINT, FIELD_MPINT, FIELD_MPINT, FIELD_MPINT},
	 NULL,
	 0},
};

static int cut_off(const char *what, struct sa_err *err)
{
	sa_fail(err, SA_ERR_INVALID, "%s: goes past the end", what);
	return SA_ERR_INVALID; /* by name: gcc sees then what callers leave unset */
}

/* The big-endian number of n bytes in front. */
static int get_number(struct slice *in, size_t n, uint64_t *out, const char *what,
		      struct sa_err *err)
{
	uint64_t v = 0;

	if (in->len < n)
		return cut_off(what, err);
	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)in->ptr[i];
	*in = (struct slice){in->ptr + n, in->len - n};
	*out = v;
	return 0;
}

static int get_string(struct slice *in, struct slice *out, const char *what, struct sa_err *err)
{
	uint64_t n;

	if (get_number(in, 4, &n, what, err) < 0)
		return SA_ERR_INVALID;
	if (n > in->len)
		return cut_off(what, err);
	*out = (struct slice){in->ptr, n};
	*in = (struct slice){in->ptr + n, in->len - n};
	return 0;
}

/* A positive number in its one shortest form: sshd would print another fingerprint for others. */
static bool mpint_ok(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	if (s.len == 0 || s.len > SSH_MAX_MPINT || p[0] & 0x80)
		return false;
	return p[0] != 0 || (s.len > 1 && p[1] & 0x80);
}

static bool field_ok(const struct key_type *t, enum field f, struct slice s)
{
	switch (f) {
	case FIELD_MPINT:
		return mpint_ok(s);
	case FIELD_ED25519:
		return s.len == 32;
	case FIELD_CURVE:
		return slice_is(s, t->curve);
	case FIELD_POINT:
		return s.len == t->point && s.ptr[0] == 4;
	case FIELD_TEXT:
	case FIELD_NONE:
		break;
	}
	return true;
}

/* Takes the key's own fields from in; out holds all of them, as they stand. */
static int get_fields(const struct key_type *t, struct slice *in, struct slice *out,
		      struct sa_err *err)
{
	const char *start = in->ptr;

	for (const enum field *f = t->fields; *f != FIELD_NONE; f++) {
		struct slice s;

		if (get_string(in, &s, "key", err) < 0)
			return SA_ERR_INVALID;
		if (!field_ok(t, *f, s))
			return sa_fail(err, SA_ERR_INVALID, "key: not a %s key", t->plain);
	}
	*out = (struct slice){start, (size_t)(in->ptr - start)};
	return 0;
}

/* Not through common/digest.h, which gives zeros for "failed": two such must not look equal. */
static int fingerprint(struct slice blob, char out[SSH_KEY_FP_SIZE], struct sa_err *err)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 64);
	if (EVP_Digest(blob.ptr, blob.len, md, NULL, EVP_sha256(), NULL) != 1)
		return sa_fail(err, SA_ERR_NOMEM, "SHA-256: OpenSSL failed");
	buf_puts(&text, "SHA256:");
	escape_base64(&text, (struct slice){(const char *)md, 32});
	if (text.failed)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	memcpy(out, text.data, SSH_KEY_FP_SIZE - 1); /* all but the '=' at the end */
	out[SSH_KEY_FP_SIZE - 1] = '\0';
	return 0;
}

static void put_string(struct buf *out, struct slice s)
{
	const char n[4] = {(char)(s.len >> 24), (char)(s.len >> 16), (char)(s.len >> 8),
			   (char)s.len};

	buf_append(out, n, sizeof(n));
	buf_put(out, s);
}

/* The fingerprint of the key that a certificate is about. */
static int plain_fingerprint(const struct key_type *t, struct slice fields,
			     char out[SSH_KEY_FP_SIZE], struct sa_err *err)
{
	_cleanup_buf_ struct buf blob = {0};

	buf_init(&blob, SSH_KEY_MAX_BYTES);
	put_string(&blob, slice_of(t->plain));
	buf_put(&blob, fields);
	if (blob.failed)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return fingerprint(buf_slice(&blob), out, err);
}

static int nothing_left(struct slice in, const char *what, struct sa_err *err)
{
	if (in.len > 0)
		return sa_fail(err, SA_ERR_INVALID, "%s: %zu bytes left over", what, in.len);
	return 0;
}

/* The type in front of a blob; NULL when it is not known. */
static const struct key_type *find_type(struct slice name, bool *cert)
{
	for (size_t i = 0; i < ARRAY_LEN(key_types); i++) {
		*cert = slice_is(name, key_types[i].cert);
		if (*cert || slice_is(name, key_types[i].plain))
			return &key_types[i];
	}
	return NULL;
}

static int read_ca(struct slice blob, char fp[SSH_KEY_FP_SIZE], struct sa_err *err)
{
	struct slice in = blob, name, fields;
	const struct key_type *t;
	bool cert;

	if (get_string(&in, &name, "CA", err) < 0)
		return SA_ERR_INVALID;
	t = find_type(name, &cert);
	if (!t)
		return sa_fail(err, SA_ERR_UNSUPPORTED, "CA: unknown type of key");
	if (cert)
		return sa_fail(err, SA_ERR_INVALID, "CA: is itself a certificate");
	if (get_fields(t, &in, &fields, err) < 0 || nothing_left(in, "CA", err) < 0)
		return SA_ERR_INVALID;
	return fingerprint(blob, fp, err);
}

static int read_principals(struct slice in, struct ssh_key *k, struct sa_err *err)
{
	while (in.len > 0) {
		if (k->n_principals == SSH_KEY_MAX_PRINCIPALS)
			return sa_fail(err, SA_ERR_INVALID, "more than %d principals",
				       SSH_KEY_MAX_PRINCIPALS);
		if (get_string(&in, &k->principals[k->n_principals], "principals", err) < 0)
			return SA_ERR_INVALID;
		k->n_principals++;
	}
	return 0;
}

/* The value of an option is a string of its own inside, or nothing at all for a flag. */
static int read_value(struct slice in, struct slice *out, const char *what, struct sa_err *err)
{
	*out = SLICE_NONE;
	if (in.len == 0)
		return 0;
	if (get_string(&in, out, what, err) < 0)
		return SA_ERR_INVALID;
	return nothing_left(in, what, err);
}

static bool has_option(const struct ssh_option *list, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(list[i].name, name))
			return true;
	return false;
}

static int read_options(struct slice in, struct ssh_option *list, size_t *n, const char *what,
			struct sa_err *err)
{
	while (in.len > 0) {
		struct ssh_option *o = &list[*n];
		struct slice name, value;

		if (*n == SSH_KEY_MAX_OPTIONS)
			return sa_fail(err, SA_ERR_INVALID, "%s: more than %d", what,
				       SSH_KEY_MAX_OPTIONS);
		if (get_string(&in, &name, what, err) < 0 ||
		    get_string(&in, &value, what, err) < 0 ||
		    read_value(value, &o->value, what, err) < 0)
			return SA_ERR_INVALID;
		if (has_option(list, *n, name))
			return sa_fail(err, SA_ERR_INVALID, "%s: a name comes twice", what);
		o->name = name;
		(*n)++;
	}
	return 0;
}

/* Serial to extensions. */
static int read_middle(struct slice *in, struct ssh_key *k, struct sa_err *err)
{
	struct slice principals, critical, extensions;
	uint64_t type;

	if (get_number(in, 8, &k->serial, "serial", err) < 0 ||
	    get_number(in, 4, &type, "type of certificate", err) < 0 ||
	    get_string(in, &k->key_id, "key id", err) < 0 ||
	    get_string(in, &principals, "principals", err) < 0 ||
	    get_number(in, 8, &k->valid_after, "valid after", err) < 0 ||
	    get_number(in, 8, &k->valid_before, "valid before", err) < 0 ||
	    get_string(in, &critical, "critical options", err) < 0 ||
	    get_string(in, &extensions, "extensions", err) < 0)
		return SA_ERR_INVALID;
	if (type != SSH_CERT_USER && type != SSH_CERT_HOST)
		return sa_fail(err, SA_ERR_INVALID, "neither a user's certificate nor a host's");
	k->user_cert = type == SSH_CERT_USER;
	if (read_principals(principals, k, err) < 0 ||
	    read_options(critical, k->critical, &k->n_critical, "critical options", err) < 0 ||
	    read_options(extensions, k->extensions, &k->n_extensions, "extensions", err) < 0)
		return SA_ERR_INVALID;
	return 0;
}

/* What follows the type of a certificate; PROTOCOL.certkeys. */
static int read_cert(const struct key_type *t, struct slice in, struct ssh_key *k,
		     struct sa_err *err)
{
	struct slice nonce, fields, reserved, ca, signature;
	int rc;

	if (get_string(&in, &nonce, "nonce", err) < 0 || get_fields(t, &in, &fields, err) < 0 ||
	    read_middle(&in, k, err) < 0 || get_string(&in, &reserved, "reserved", err) < 0 ||
	    get_string(&in, &ca, "CA", err) < 0 ||
	    get_string(&in, &signature, "signature", err) < 0 ||
	    nothing_left(in, "certificate", err) < 0)
		return SA_ERR_INVALID;
	if (signature.len == 0)
		return sa_fail(err, SA_ERR_INVALID, "signature: empty");
	if ((rc = read_ca(ca, k->ca_fp, err)) < 0)
		return rc;
	return plain_fingerprint(t, fields, k->fp, err);
}

static int read_plain(const struct key_type *t, struct slice blob, struct slice in,
		      struct ssh_key *k, struct sa_err *err)
{
	struct slice fields;

	if (get_fields(t, &in, &fields, err) < 0 || nothing_left(in, "key", err) < 0)
		return SA_ERR_INVALID;
	return fingerprint(blob, k->fp, err);
}

int ssh_key_parse(struct slice blob, struct ssh_key *out, struct sa_err *err)
{
	struct ssh_key k = {0};
	struct slice in = blob;
	const struct key_type *t;
	int rc;

	if (blob.len > SSH_KEY_MAX_BYTES)
		return sa_fail(err, SA_ERR_INVALID, "key: longer than %d bytes", SSH_KEY_MAX_BYTES);
	if (get_string(&in, &k.type, "type of key", err) < 0)
		return SA_ERR_INVALID;
	t = find_type(k.type, &k.cert);
	if (!t)
		return sa_fail(err, SA_ERR_UNSUPPORTED, "unknown type of key");
	rc = k.cert ? read_cert(t, in, &k, err) : read_plain(t, blob, in, &k, err);
	if (rc == 0)
		*out = k;
	return rc;
}

struct slice ssh_key_extension(const struct ssh_key *k, const char *name)
{
	for (size_t i = 0; i < k->n_extensions; i++)
		if (slice_is(k->extensions[i].name, name))
			return k->extensions[i].value.ptr ? k->extensions[i].value : SLICE_LIT("");
	return SLICE_NONE;
}
