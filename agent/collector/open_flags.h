/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The flags of open(2) as text. Their values differ by the architecture of the call, which need
 * not be ours: uapi/asm-generic/fcntl.h, and those of arm, arm64 and powerpc.
 */
#ifndef SA_OPEN_FLAGS_H
#define SA_OPEN_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#define OPEN_FLAGS_TEXT 256

struct open_flags {
	bool writes;                /* O_WRONLY, O_RDWR */
	bool creates, truncates;    /* false where the architecture is not known */
	bool nameless;              /* O_TMPFILE */
	char text[OPEN_FLAGS_TEXT]; /* "O_WRONLY|O_CREAT|0x80000000" */
};

/* arch: AUDIT_ARCH_*. Of one that is not known the text has the bits as a number. */
void open_flags_read(uint32_t arch, uint64_t bits, struct open_flags *out);

#endif
