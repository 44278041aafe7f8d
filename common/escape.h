/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Untrusted bytes made safe for JSON, a terminal, a log or an object key, and
 * the encodings that keep the raw bytes recoverable.
 */
#ifndef SA_ESCAPE_H
#define SA_ESCAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

/* RFC 3629: no overlong forms, surrogates or values past U+10FFFF. */
bool escape_utf8_valid(struct slice s);
/* Length of the valid UTF-8 character at the front of s (not empty); 0 when there is none. */
size_t escape_utf8_len(struct slice s);
/* Length of the run of printable ASCII at the front. */
size_t escape_ascii_run(struct slice s);
/* Length of the run at the front that every notation takes as it is: printable ASCII less the
 * quotation mark and the backslash. Nearly all there is. */
size_t escape_plain_run(struct slice s);
/* Largest n <= max at which s can be cut without splitting a UTF-8 character. */
size_t escape_utf8_cut(struct slice s, size_t max);
/* Valid UTF-8 from any bytes: bytes that are not part of a valid character become \xNN.
 * Valid input is appended unchanged (a backslash too). */
void escape_to_utf8(struct buf *out, struct slice s);
/* One safe line for a terminal or log: C0, DEL and C1 controls, bidi and line separators
 * (U+200B-200F, U+2028-202E, U+2060-2069, U+FEFF) and invalid bytes come out visible as
 * \n \t \r \e \xNN or \u{NNNN}; a backslash stays one. */
void escape_terminal(struct buf *out, struct slice s);
/* [A-Za-z0-9._-] stay, every other byte becomes %XX (upper case). "." and ".." become %2E, %2E%2E.
 * What would be longer than 200 bytes is cut to 160 and given "~" and 32 hex digits of the
 * SHA-256 of s, so that two long names stay two. */
void escape_key_part(struct buf *out, struct slice s);

void escape_hex(struct buf *out, struct slice s); /* lower case */
/* Appends the bytes; SA_ERR_INVALID (nothing appended) for odd length or a non-digit. */
int escape_unhex(struct buf *out, struct slice hex);
void escape_base64(struct buf *out, struct slice s); /* RFC 4648 with padding */
int escape_unbase64(struct buf *out, struct slice b64);

#endif
