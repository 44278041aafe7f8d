/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The hash chain over every line of a session, header and footer lines included:
 * h = SHA-256(hex of the previous h, nothing for the first || line || LF).
 * In a shell: h=$(printf '%s%s\n' "$h" "$line" | sha256sum | cut -c1-64)
 */
#ifndef SA_CHAIN_H
#define SA_CHAIN_H

#include "common/digest.h"

struct chain {
	char head[DIGEST_HEX_SIZE]; /* "" before the first line */
};

/* line: without the LF. d is scratch, reused over calls. */
void chain_add(struct chain *c, struct digest *d, struct slice line);

#endif
