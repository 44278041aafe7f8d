/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Makes the Nth allocation fail, in programs linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup.
 */
#ifndef SA_ALLOC_FAIL_H
#define SA_ALLOC_FAIL_H

#include <stdbool.h>

/* n = 1: the next one; 0: none. */
void alloc_fail_at(unsigned long n);
/* Whether it came to that since alloc_fail_at. */
bool alloc_failed(void);

#endif
