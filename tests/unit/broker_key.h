/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A broker's Ed25519 key, for tests of signed grants: always the same one for the same number.
 */
#ifndef SA_BROKER_KEY_H
#define SA_BROKER_KEY_H

#include "common/access/signed.h"
#include "common/buf.h"

/* Only its public half, as `openssl pkey -pubout` writes it. */
void broker_key_pem(unsigned char number, struct buf *out);
/* As its only signer. */
void broker_key_signers(unsigned char number, struct signers *out);
/* The 64 bytes of the signature over grant. */
void broker_key_signature(unsigned char number, struct slice grant, unsigned char out[64]);
/* The signed grant, as a file holds it. */
void broker_key_sign(unsigned char number, struct slice grant, struct buf *out);

#endif
