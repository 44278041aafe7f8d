/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/aws/cred_profile.h"
#include "common/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	struct slice text;
	enum cred_kind kind;
	struct buf file; /* what was told, as a file of its own */
};

static void is_within(const struct told *t, struct slice s)
{
	if (s.ptr < t->text.ptr || s.ptr + s.len > t->text.ptr + t->text.len)
		abort();
	if (s.len > 0 && (memchr(s.ptr, '\n', s.len) || memchr(s.ptr, '\0', s.len) ||
			  memchr(s.ptr, '\r', s.len)))
		abort();
}

static void tell(void *ctx, struct slice profile, struct slice key, struct slice value)
{
	struct told *t = ctx;

	is_within(t, profile);
	if (!key.ptr) {
		/* quoted in config, so that quotes of its own stay */
		buf_puts(&t->file, t->kind == CRED_CONFIG ? "[profile \"" : "[");
		buf_put(&t->file, profile);
		buf_puts(&t->file, t->kind == CRED_CONFIG ? "\"]\n" : "]\n");
		return;
	}
	is_within(t, key);
	is_within(t, value);
	if (key.len == 0)
		abort();
	buf_put(&t->file, key);
	buf_putc(&t->file, '='); /* no blank: one before a # would make it a comment */
	buf_put(&t->file, value);
	buf_putc(&t->file, '\n');
}

/* What was told, written as a file, tells the same again. */
static void check(struct slice text, enum cred_kind kind)
{
	struct told one = {.text = text, .kind = kind}, two = {.kind = kind};

	buf_init(&one.file, 1 << 20);
	buf_init(&two.file, 1 << 20);
	if (cred_profile_read("f", text, kind, tell, &one, NULL) == 0 &&
	    one.file.len <= CRED_PROFILE_MAX_TEXT) {
		two.text = buf_slice(&one.file);
		if (cred_profile_read("told", two.text, kind, tell, &two, NULL) < 0 ||
		    !slice_eq(buf_slice(&one.file), buf_slice(&two.file)))
			abort();
	}
	buf_free(&one.file);
	buf_free(&two.file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {size > 0 ? (const char *)data : "", size};

	check(text, CRED_CREDENTIALS);
	check(text, CRED_CONFIG);
	return 0;
}
