/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * User certificates as bytes, whole or broken in a chosen place: laid out as PROTOCOL.certkeys of
 * OpenSSH says, with a signature that is none (sshd is who checks it).
 */
#ifndef SA_CERT_MAKE_H
#define SA_CERT_MAKE_H

#include <stdint.h>

#include "common/buf.h"

struct cert_spec {
	const char *type;
	struct slice fields; /* of the key, packed */
	uint64_t serial, valid_after, valid_before;
	uint32_t kind; /* 1: user */
	struct slice key_id;
	struct buf principals, critical, extensions; /* packed */
	struct buf ca;                               /* a blob */
	struct slice signature;
};

/* An ed25519 key's user certificate of an ed25519 CA, with key id "id", no principals and options.
 */
void cert_spec_init(struct cert_spec *s);
void cert_spec_free(struct cert_spec *s);
#define _cleanup_cert_spec_ __attribute__((cleanup(cert_spec_free)))
void cert_build(const struct cert_spec *s, struct buf *out);

void cert_put_string(struct buf *out, struct slice s);
/* An option with a value, which is a string in a string. */
void cert_put_option(struct buf *out, const char *name, const char *value);
/* One with these bytes for a value; empty: a flag. */
void cert_put_raw_option(struct buf *out, const char *name, struct slice value);

#endif
