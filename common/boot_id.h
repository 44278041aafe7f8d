/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel's name for this run of the machine: a UUID, new at each boot.
 * Source: random(4), /proc/sys/kernel/random/boot_id.
 */
#ifndef SA_BOOT_ID_H
#define SA_BOOT_ID_H

#include "common/err.h"

#define BOOT_ID_SIZE 37 /* with the NUL */

/* SA_ERR_* and out untouched when it cannot be read. */
int boot_id_read(char out[BOOT_ID_SIZE], struct sa_err *err);

#endif
