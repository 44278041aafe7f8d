/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "tests/unit/cert_make.h"

#define MAX (1 << 20)

static void put_number(struct buf *out, uint64_t v, unsigned n)
{
	while (n-- > 0)
		buf_putc(out, (char)(v >> (8 * n) & 0xff));
}

void cert_put_string(struct buf *out, struct slice s)
{
	put_number(out, s.len, 4);
	buf_put(out, s);
}

void cert_put_raw_option(struct buf *out, const char *name, struct slice value)
{
	cert_put_string(out, slice_of(name));
	cert_put_string(out, value);
}

void cert_put_option(struct buf *out, const char *name, const char *value)
{
	struct buf inner;

	buf_init(&inner, MAX);
	cert_put_string(&inner, slice_of(value));
	cert_put_raw_option(out, name, buf_slice(&inner));
	buf_free(&inner);
}

void cert_spec_init(struct cert_spec *s)
{
	*s = (struct cert_spec){
		.type = "ssh-ed25519-cert-v01@openssh.com",
		.fields = SLICE_LIT("\0\0\0\040the user's key: 32 bytes exactly"),
		.valid_before = UINT64_MAX,
		.kind = 1,
		.key_id = SLICE_LIT("id"),
		.signature = SLICE_LIT("signature"),
	};
	buf_init(&s->principals, MAX);
	buf_init(&s->critical, MAX);
	buf_init(&s->extensions, MAX);
	buf_init(&s->ca, MAX);
	cert_put_string(&s->ca, SLICE_LIT("ssh-ed25519"));
	cert_put_string(&s->ca, SLICE_LIT("the CA's key, also of 32 bytes ."));
}

void cert_spec_free(struct cert_spec *s)
{
	buf_free(&s->principals);
	buf_free(&s->critical);
	buf_free(&s->extensions);
	buf_free(&s->ca);
}

void cert_build(const struct cert_spec *s, struct buf *out)
{
	buf_init(out, MAX);
	cert_put_string(out, slice_of(s->type));
	cert_put_string(out, SLICE_LIT("nonce"));
	buf_put(out, s->fields);
	put_number(out, s->serial, 8);
	put_number(out, s->kind, 4);
	cert_put_string(out, s->key_id);
	cert_put_string(out, buf_slice(&s->principals));
	put_number(out, s->valid_after, 8);
	put_number(out, s->valid_before, 8);
	cert_put_string(out, buf_slice(&s->critical));
	cert_put_string(out, buf_slice(&s->extensions));
	cert_put_string(out, SLICE_LIT(""));
	cert_put_string(out, buf_slice(&s->ca));
	cert_put_string(out, s->signature);
}
