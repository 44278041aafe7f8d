/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Settings whose rules lie with the part that uses them (key layout, S3): checked
 * as a whole before anything starts, by the supervisor and by `sessauditd -t`.
 */
#ifndef SA_VALIDATE_H
#define SA_VALIDATE_H

#include "common/settings.h"

/* As settings_load, and then those checks; the message begins with the file's name. On error out
 * is to be freed all the same. */
int validate_load(const char *path, struct settings *out, struct sa_err *err);

#endif
