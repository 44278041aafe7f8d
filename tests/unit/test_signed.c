/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "common/access/signed.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/broker_key.h"
#include "tests/unit/tap.h"

#define HEAD "\"schema\":\"sessaudit.grant/1\",\"request\":{\"id\":\"R1\"},"
#define ID "\"grant_id\":\"g-1\","
#define ISSUED "\"issued_at\":\"2026-11-21T00:00:00Z\","
#define HOSTS "\"hosts\":[\"prod-db-1\"],"
#define TAIL "\"expires_at\":\"2026-11-21T05:00:00Z\",\"match\":{\"users\":[\"dba\"]}}"
#define GOOD "{" HEAD ID ISSUED HOSTS TAIL

static char base[] = "/tmp/test_signed-XXXXXX";

static const char *in_base(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static void put(const char *name, mode_t mode, struct slice text)
{
	_cleanup_close_ int fd =
		open(in_base(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || fdio_write_all(fd, text.ptr, text.len, NULL) < 0 || fchmod(fd, mode) < 0)
		tap_ok(false, "put %s", name);
}

static void put_key(const char *name, unsigned char number)
{
	_cleanup_buf_ struct buf pem = {0};

	buf_init(&pem, 4096);
	broker_key_pem(number, &pem);
	put(name, 0644, buf_slice(&pem));
}

/* Keys 1 and 2. */
static void load_signers(struct signers *s)
{
	_cleanup_free_ char *one = strdup(in_base("1.pem")), *two = strdup(in_base("2.pem"));
	const char *files[] = {one, two};
	struct sa_err err = {0};

	tap_int(signers_load(files, 2, getuid(), s, &err), 0, "two keys %s", err.msg);
	tap_int((long long)s->len, 2, "two keys: both there");
}

/* The message without the name of the directory. */
static void check_key(const char *file, unsigned owner, int want, const char *message)
{
	_cleanup_free_ char *one = strdup(in_base("1.pem")), *path = strdup(in_base(file));
	const char *files[] = {one, path};
	struct signers s = {.len = 7};
	struct sa_err err = {0};
	size_t n = strlen(base) + 1;

	tap_int(signers_load(files, 2, owner, &s, &err), want, "%s: code", file);
	tap_str(strncmp(err.msg, base, n - 1) == 0 ? err.msg + n : err.msg, message, "%s: message",
		file);
	tap_int((long long)s.len, 0, "%s: out holds none", file);
	tap_int((long long)ERR_peek_error(), 0, "%s: nothing stays in OpenSSL's queue", file);
}

#define NO_KEY ": no Ed25519 public key in PEM: make one with openssl pkey -pubout"

/* Of openssl genpkey -algorithm x25519 | openssl pkey -pubout. */
static const char x25519[] = "-----BEGIN PUBLIC KEY-----\n"
			     "MCowBQYDK2VuAyEAqsNugxXAz0ikKlH1jv8qYJAnGCXlt50YXh3HEWONoAM=\n"
			     "-----END PUBLIC KEY-----\n";
/* An Ed25519 key, but not said to be a public one. */
static const char private_key[] = "-----BEGIN PRIVATE KEY-----\n"
				  "MCowBQYDK2VwAyEAqsNugxXAz0ikKlH1jv8qYJAnGCXlt50YXh3HEWONoAM=\n"
				  "-----END PRIVATE KEY-----\n";

static void check_keys(void)
{
	char want[128];

	put("empty.pem", 0644, SLICE_LIT(""));
	check_key("empty.pem", getuid(), SA_ERR_INVALID, "empty.pem" NO_KEY);
	put("text.pem", 0644, SLICE_LIT("ssh-ed25519 AAAA"));
	check_key("text.pem", getuid(), SA_ERR_INVALID, "text.pem" NO_KEY);
	put("x25519.pem", 0644, slice_of(x25519));
	check_key("x25519.pem", getuid(), SA_ERR_INVALID, "x25519.pem" NO_KEY);
	put("private.pem", 0600, slice_of(private_key));
	check_key("private.pem", getuid(), SA_ERR_INVALID, "private.pem" NO_KEY);
	put("cut.pem", 0644, (struct slice){x25519, 60});
	check_key("cut.pem", getuid(), SA_ERR_INVALID, "cut.pem" NO_KEY);
	check_key("missing.pem", getuid(), SA_ERR_NOTFOUND,
		  "missing.pem: open: No such file or directory");
	put("mode.pem", 0664, slice_of(x25519));
	check_key("mode.pem", getuid(), SA_ERR_PERM,
		  "mode.pem: mode 0664: must not be writable by group or others");
	snprintf(want, sizeof(want), "1.pem: owner %u: must belong to %u", getuid(), getuid() + 1);
	check_key("mode.pem", getuid() + 1, SA_ERR_PERM, want);
}

static void check_too_many_keys(void)
{
	const char *files[SIGNED_MAX_KEYS + 1];
	_cleanup_free_ char *one = strdup(in_base("1.pem"));
	struct signers s = {0};

	for (size_t i = 0; i <= SIGNED_MAX_KEYS; i++)
		files[i] = one;
	tap_int(signers_load(files, SIGNED_MAX_KEYS, getuid(), &s, NULL), 0, "16 keys");
	signers_free(&s);
	tap_int(signers_load(files, SIGNED_MAX_KEYS + 1, getuid(), &s, NULL), SA_ERR_TOOBIG,
		"17 keys");
}

/* An envelope written by hand. */
static void envelope(struct buf *out, const char *schema, const char *grant, const char *signature,
		     const char *more)
{
	buf_init(out, 1 << 20);
	buf_printf(out, "{\"schema\":\"%s\",\"grant\":\"%s\",\"signature\":\"%s\"%s}", schema,
		   grant, signature, more);
}

#define SCHEMA "sessaudit.signed-grant/1"
#define SIG64                                                                                      \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

static const struct broken {
	const char *name, *schema, *grant, *signature, *more;
	int code;
	const char *message;
} brokens[] = {
	{"schema of another version", "sessaudit.signed-grant/2", "e30=", SIG64, "", SA_ERR_INVALID,
	 "x: schema: must be \"" SCHEMA "\""},
	{"one key more", SCHEMA, "e30=", SIG64, ",\"key\":1", SA_ERR_INVALID,
	 "x: must have the keys schema, grant and signature, and no other"},
	{"grant not base64", SCHEMA, "e30", SIG64, "", SA_ERR_INVALID, "x: grant: not base64"},
	{"grant in base64url", SCHEMA, "_-A=", SIG64, "", SA_ERR_INVALID, "x: grant: not base64"},
	{"grant with a blank", SCHEMA, "e30= ", SIG64, "", SA_ERR_INVALID, "x: grant: not base64"},
	{"signature not base64", SCHEMA, "e30=", "!!!!", "", SA_ERR_INVALID,
	 "x: signature: not base64"},
	{"signature short", SCHEMA, "e30=", "AAAA", "", SA_ERR_INVALID,
	 "x: signature: must have 64 bytes"},
	{"signature empty", SCHEMA, "e30=", "", "", SA_ERR_INVALID,
	 "x: signature: must have 64 bytes"},
	{"signature of 67 bytes", SCHEMA, "e30=", SIG64 "AAAA", "", SA_ERR_INVALID,
	 "x: signature: longer than 64 bytes"},
	{"signature of 65 bytes", SCHEMA, "e30=",
	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	 "", SA_ERR_INVALID, "x: signature: longer than 64 bytes"},
	{"signature goes on after its end", SCHEMA, "e30=", "AA==" SIG64, "", SA_ERR_INVALID,
	 "x: signature: longer than 64 bytes"},
	{"padding inside", SCHEMA, "AA==AAAA", SIG64, "", SA_ERR_INVALID, "x: grant: not base64"},
	{"signature of nothing", SCHEMA, "e30=", SIG64, "", SA_ERR_PERM,
	 "x: signature: made by none of the 2 keys in [broker], or the grant was changed "
	 "afterwards"},
};

static void check_broken(const struct signers *s, const struct broken *b)
{
	_cleanup_buf_ struct buf text = {0}, out = {0};
	struct sa_err err = {0};

	buf_init(&out, 1 << 20);
	envelope(&text, b->schema, b->grant, b->signature, b->more);
	tap_ok(signed_is(buf_slice(&text)), "%s: looks like an envelope", b->name);
	tap_int(signed_open("x", buf_slice(&text), s, &out, &err), b->code, "%s: code", b->name);
	tap_str(err.msg, b->message, "%s: message", b->name);
	tap_int((long long)out.len, 0, "%s: nothing comes out", b->name);
}

static void check_missing_keys(const struct signers *s)
{
	static const char *const texts[] = {
		"{\"schema\":\"" SCHEMA "\",\"grant\":\"e30=\",\"signatur\":\"\"}",
		"{\"schema\":\"" SCHEMA "\",\"grant\":1,\"signature\":\"" SIG64 "\"}",
		"{\"schema\":\"" SCHEMA "\",\"grant\":null,\"signature\":\"" SIG64 "\"}",
	};
	static const char *const messages[] = {"x: signature: must be a string",
					       "x: grant: must be a string",
					       "x: grant: must be a string"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_buf_ struct buf out = {0};
		struct sa_err err = {0};

		buf_init(&out, 1 << 20);
		tap_int(signed_open("x", slice_of(texts[i]), s, &out, &err), SA_ERR_INVALID, "%s",
			texts[i]);
		tap_str(err.msg, messages[i], "message");
	}
}

static void check_is(void)
{
	tap_ok(!signed_is(SLICE_NONE), "nothing is no envelope");
	tap_ok(!signed_is(SLICE_LIT(GOOD)), "a grant is no envelope");
	tap_ok(!signed_is(SLICE_LIT("{\"schema\":\"" SCHEMA)), "nor broken JSON");
	tap_ok(!signed_is(SLICE_LIT("[\"" SCHEMA "\"]")), "nor a list");
	tap_ok(!signed_is(
		       SLICE_LIT("{\"schema\":\"sessaudit.grant/1\",\"ticket\":\"" SCHEMA "\"}")),
	       "nor a grant that speaks of it");
}

/* The key that signed is found wherever it stands; any changed bit is seen. */
static void check_signature(const struct signers *s)
{
	static const unsigned char numbers[] = {1, 2, 3};
	static const int codes[] = {0, 0, SA_ERR_PERM};
	struct slice grant = SLICE_LIT(GOOD);

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		_cleanup_buf_ struct buf text = {0}, out = {0};

		buf_init(&text, 1 << 20);
		buf_init(&out, 1 << 20);
		broker_key_sign(numbers[i], grant, &text);
		tap_int(signed_open("x", buf_slice(&text), s, &out, NULL), codes[i],
			"signed with key %u", numbers[i]);
		tap_bytes(buf_slice(&out), codes[i] ? SLICE_LIT("") : grant, "its bytes");
	}
	tap_int((long long)ERR_peek_error(), 0, "nothing stays in OpenSSL's queue");
}

static void check_changed(const struct signers *s)
{
	char grant[] = GOOD;
	unsigned char signature[64];
	size_t accepted = 0, n = 0;

	broker_key_signature(1, slice_of(grant), signature);
	for (size_t i = 0; i < 8 * (sizeof(grant) - 1 + sizeof(signature)); i++, n++) {
		_cleanup_buf_ struct buf text = {0}, out = {0};
		size_t byte = i / 8;
		char *at = byte < 64 ? (char *)signature + byte : grant + byte - 64;

		*at ^= (char)(1 << i % 8);
		buf_init(&text, 1 << 20);
		buf_init(&out, 1 << 20);
		signed_write(slice_of(grant), (struct slice){(const char *)signature, 64}, &text);
		accepted += signed_open("x", buf_slice(&text), s, &out, NULL) != SA_ERR_PERM;
		*at ^= (char)(1 << i % 8);
	}
	tap_int((long long)accepted, 0, "of %zu changed bits, those that pass", n);
}

static void check_no_signers(void)
{
	_cleanup_buf_ struct buf text = {0}, out = {0};
	struct signers none = {0};
	struct sa_err err = {0};

	buf_init(&text, 1 << 20);
	buf_init(&out, 1 << 20);
	broker_key_sign(1, SLICE_LIT(GOOD), &text);
	tap_int(signed_open("x", buf_slice(&text), &none, &out, &err), SA_ERR_PERM, "no keys");
	tap_str(err.msg,
		"x: signed, but there is no key to check it with: name the broker's public key in "
		"keys of [broker]",
		"no keys: message");
	tap_int(signed_open("x", buf_slice(&text), NULL, &out, NULL), SA_ERR_PERM, "NULL");
}

static const struct inside {
	const char *name, *grant;
	int code;
	const char *message;
} insides[] = {
	{"whole", GOOD, 0, ""},
	{"no grant_id", "{" HEAD ISSUED HOSTS TAIL, SA_ERR_INVALID,
	 "x: grant_id: a signed grant must have one"},
	{"no issued_at", "{" HEAD ID HOSTS TAIL, SA_ERR_INVALID,
	 "x: issued_at: a signed grant must have it"},
	{"no hosts", "{" HEAD ID ISSUED TAIL, SA_ERR_INVALID,
	 "x: hosts: a signed grant must name its hosts"},
	{"any host", "{" HEAD ID ISSUED "\"hosts\":[\"a\",\"*\"]," TAIL, SA_ERR_INVALID,
	 "x: hosts: a signed grant must name each host, without \"*\""},
	{"no grant", "{}", SA_ERR_INVALID, "x: schema: must be \"sessaudit.grant/1\""},
	{"empty", "", SA_ERR_INVALID, NULL},
};

static void check_inside(const struct signers *s, const struct inside *in)
{
	_cleanup_buf_ struct buf text = {0};
	struct sa_err err = {0};
	struct grant *g = NULL;

	buf_init(&text, 1 << 20);
	broker_key_sign(1, slice_of(in->grant), &text);
	tap_int(signed_grant("x", buf_slice(&text), s, &g, &err), in->code, "%s: code", in->name);
	if (in->message)
		tap_str(err.msg, in->message, "%s: message", in->name);
	tap_ok(!g == (in->code < 0), "%s: a grant or none", in->name);
	if (g)
		tap_str(g->access.grant_sha256,
			"de73b6a11b57540a12ba136d7436635af4a8a66b19e2fa33e6be2c08be3da992",
			"the hash is of the grant, not of the envelope");
	grant_free(g);
}

static void check_sizes(const struct signers *s)
{
	for (size_t over = 0; over < 2; over++) {
		_cleanup_buf_ struct buf text = {0}, grant = {0}, out = {0};
		size_t n = GRANT_MAX_BYTES + over;

		buf_init(&text, 1 << 20);
		buf_init(&grant, 1 << 20);
		buf_init(&out, 1 << 20);
		buf_puts(&grant, GOOD);
		while (grant.len < n)
			buf_putc(&grant, ' ');
		broker_key_sign(1, buf_slice(&grant), &text);
		tap_int(signed_open("x", buf_slice(&text), s, &out, NULL),
			over ? SA_ERR_INVALID : 0, "a grant of %zu bytes in %zu", n, text.len);
		tap_int((long long)out.len, over ? 0 : (long long)n, "its bytes");
		tap_ok(over || text.len <= SIGNED_MAX_BYTES, "the envelope is within its bound");
	}
}

/* Whichever allocation of ours fails: an error, nothing given. OpenSSL's are not reached. */
static void check_no_memory(const struct signers *s)
{
	_cleanup_buf_ struct buf text = {0};
	unsigned long n = 0, wrong = 0;

	buf_init(&text, 1 << 20);
	broker_key_sign(1, SLICE_LIT(GOOD), &text);
	do {
		struct grant *g = NULL;
		int rc;

		alloc_fail_at(++n);
		rc = signed_grant("x", buf_slice(&text), s, &g, NULL);
		wrong += alloc_failed() && (rc != SA_ERR_NOMEM || g);
		grant_free(g);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_int((long long)wrong, 0, "%lu allocations failed in turn", n - 1);
	tap_ok(n > 20, "enough of them");
}

static void remove_base(void)
{
	_cleanup_closedir_ DIR *d = opendir(base);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		unlink(in_base(e->d_name));
	tap_int(rmdir(base), 0, "nothing is left behind");
}

int main(void)
{
	struct signers s = {0};

	if (!mkdtemp(base))
		return 99;
	put_key("1.pem", 1);
	put_key("2.pem", 2);
	load_signers(&s);
	check_keys();
	check_too_many_keys();
	check_is();
	for (size_t i = 0; i < ARRAY_LEN(brokens); i++)
		check_broken(&s, &brokens[i]);
	check_missing_keys(&s);
	check_signature(&s);
	check_changed(&s);
	check_no_signers();
	for (size_t i = 0; i < ARRAY_LEN(insides); i++)
		check_inside(&s, &insides[i]);
	check_sizes(&s);
	check_no_memory(&s);
	signers_free(&s);
	remove_base();
	return tap_done();
}
