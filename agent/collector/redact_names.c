/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/redact_internal.h"
#include "common/cleanup.h"

#define NAME_MAX_BYTES 64 /* of a longer one the end counts */

struct name { /* lower case, without dashes, dots and underscores */
	char text[NAME_MAX_BYTES];
	size_t len;
	size_t last; /* where its last part begins, behind "_"; 0: there is none */
	bool upper;  /* was written without a small letter */
};

static void read_name(struct slice s, struct name *n)
{
	*n = (struct name){.upper = true};
	if (s.len > NAME_MAX_BYTES)
		s = (struct slice){s.ptr + s.len - NAME_MAX_BYTES, NAME_MAX_BYTES};
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '-' || c == '_' || c == '.') {
			n->last = c == '_' ? n->len : 0;
			continue;
		}
		n->upper &= !(c >= 'a' && c <= 'z');
		n->text[n->len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
}

static struct slice text_of(const struct name *n)
{
	return (struct slice){n->text, n->len};
}

static bool contains(struct slice s, const char *const *words)
{
	for (size_t i = 0; i < s.len; i++) {
		struct slice rest = {s.ptr + i, s.len - i};

		for (const char *const *w = words; *w; w++)
			if (**w == s.ptr[i] && slice_starts(rest, *w))
				return true;
	}
	return false;
}

static bool ends(struct slice s, const char *const *words)
{
	for (; *words; words++)
		if (slice_ends(s, *words))
			return true;
	return false;
}

static const char *const secrets[] = {
	"password",      "passwd",     "passphrase", "passcode",  "secret",
	"token",         "apikey",     "privatekey", "accesskey", "signingkey",
	"masterkey",     "accountkey", "sharedkey",  "authkey",   "sessionkey",
	"encryptionkey", "credential", "keypass",    "storepass", NULL,
};
/* What a secret is kept in, and what is known of it. */
static const char *const besides[] = {
	"file",     "path",        "prompt",  "stdin",    "policy", "length",    "type",
	"ttl",      "dir",         "askpass", "fd",       "count",  "name",      "expiry",
	"lifetime", "age",         "url",     "uri",      "method", "store",     "manager",
	"service",  "accesskeyid", "keyid",   "tokenid",  "tokens", "tokenizer", "env",
	"command",  "cmd",         "mode",    "required", "class",  "size",      NULL,
};

/* "pass" and what getopt_long takes for "password", DB_PASS; not "bypass". */
static bool is_pass(const struct name *n)
{
	struct slice s = text_of(n);
	static const char *const others[] = {"bypass", "compass", "askpass", NULL};

	if (s.len >= 4 && s.len <= 8 && memcmp(s.ptr, "password", s.len) == 0)
		return true;
	if (slice_ends(s, "pass"))
		return !ends(s, others);
	if (slice_ends(s, "pwd")) /* $PWD is a directory */
		return !(n->upper && (s.len == 3 || slice_is(s, "oldpwd")));
	return slice_is(s, "pw") || (slice_ends(s, "pw") && s.len >= 4) ||
	       (n->last > 0 && n->last + 4 == s.len && slice_ends(s, "auth"));
}

bool redact_name_is_secret(struct slice name)
{
	struct name n;
	struct slice s;

	if (name.len < 2)
		return false;
	read_name(name, &n);
	s = text_of(&n);
	if (!contains(s, secrets) && !is_pass(&n))
		return false;
	return !ends(s, besides) && !slice_starts(s, "nopass") && !slice_starts(s, "notoken") &&
	       !slice_starts(s, "nosecret");
}

bool redact_header_is_secret(struct slice name)
{
	static const char *const last[] = {"authorization", "cookie", NULL};
	struct name n;

	read_name(name, &n);
	return ends(text_of(&n), last) || redact_name_is_secret(name);
}
