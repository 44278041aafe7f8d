/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Which programs are shells. Who records and who shows go by the same names.
 */
#ifndef SA_SHELL_H
#define SA_SHELL_H

#include <stdbool.h>

#include "common/slice.h"

/* name: without a folder; with or without the '-' of a login shell. */
bool shell_is(struct slice name);

#endif
