/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The admin's own rules for what is a secret: a file with one POSIX extended regular
 * expression a line ("#" begins a comment line). What the first group matches is the
 * secret, or the whole match where there is no group. Used by the collector; the
 * supervisor checks the file before it starts one.
 */
#ifndef SA_REDACT_RULES_H
#define SA_REDACT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/slice.h"

#define REDACT_RULES_MAX 64
#define REDACT_RULE_MAX_BYTES 1024
/* Text is looked at in windows of this size, each beginning half a window after the one before. */
#define REDACT_RULE_WINDOW 2048

struct redact_rules;

/* Reads and compiles. A rule that is not understood is SA_ERR_INVALID: file, line, why. */
int redact_rules_read(const char *path, struct redact_rules **out, struct sa_err *err);
void redact_rules_free(struct redact_rules *r);
/* Calls fn with each secret in s. False: that would take too long or too much memory, s is to be
 * replaced whole; *line is that of the rule. */
bool redact_rules_find(struct redact_rules *r, struct slice s,
		       void (*fn)(void *ctx, size_t from, size_t to), void *ctx, unsigned *line);

#endif
