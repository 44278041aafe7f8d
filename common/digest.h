/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* SHA-256 by OpenSSL, whole or in pieces; results as 64 lower-case hex digits:
 * all zeros if OpenSSL failed, which equals no hash of anything. */
#ifndef SA_DIGEST_H
#define SA_DIGEST_H

#include "common/slice.h"

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE 65 /* with the NUL */

struct digest; /* running state, reusable */

struct digest *digest_new(void); /* NULL when out of memory */
void digest_free(struct digest *d);
void digest_freep(struct digest **d);
#define _cleanup_digest_ __attribute__((cleanup(digest_freep)))
void digest_add(struct digest *d, struct slice s);
/* Gives the hash of what was added and starts anew. */
void digest_final_hex(struct digest *d, char out[DIGEST_HEX_SIZE]);
/* One shot. */
void digest_hex(struct slice s, char out[DIGEST_HEX_SIZE]);

#endif
