/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Secrets in arguments and typed text, replaced before anything reaches the disk or a
 * log by "[redacted:<8 hex digits of a keyed hash>:<bytes>]". Built-in rules for the
 * programs that take secrets on the command line, and the admin's own. The hash tells
 * two uses of one secret from two secrets; its key stays on the host. Works on bounded
 * text in bounded time. All functions take a NULL redact, which replaces nothing.
 */
#ifndef SA_REDACT_H
#define SA_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/settings.h"

struct redact;

/* Reads or makes key_file, reads rules_file. *out is NULL when redact.enable is no. A rule that is
 * not understood is SA_ERR_INVALID, with file, line and what to do. */
int redact_open(const struct settings *set, struct redact **out, struct sa_err *err);
void redact_free(struct redact *r);

/* What the functions below hand out stays valid until the next redact_begin. */
void redact_begin(struct redact *r);
/* Replaces secrets in the argv of program exe; the slices change, the array's length does not.
 * Returns how many were replaced. argv may be as long as a kernel lets it. */
size_t redact_argv(struct redact *r, struct slice exe, struct slice *argv, size_t argc);
/* The same in a line of text: typed, or a command line (sudo's cmd=). */
size_t redact_text(struct redact *r, struct slice *text);
/* The whole text is a secret. */
void redact_all(struct redact *r, struct slice *text);

/*
 * Passwords that are typed. What a program reads at a prompt with echo off is recorded only with
 * log_passwd, or when it reads its prompt raw; such a line ends in LF, since the terminal still
 * makes one of the Enter key. A program that relays keys to another terminal (ssh, sudo with
 * use_pty, tmux) gets CR, so there only what was run tells. 0: no password is expected; else a
 * state to be kept with the reader and given to redact_is_answer with each of its lines.
 */
typedef unsigned char redact_asks;

/* Of a program that was started so: mysql -p, su, sudo passwd ... */
redact_asks redact_program_asks(struct slice exe, const struct slice *argv, size_t argc);
/* After this line was typed into a reader that relays (an inner ssh, sudo, screen, tmux). */
redact_asks redact_line_asks(struct slice line);
/* After this line was typed into a shell: read -s with an option that has the shell read raw (-n,
 * -N, -e, -d). */
redact_asks redact_shell_asks(struct slice line);
/* Whether this line (its keys, line end included) may be a password. */
bool redact_is_answer(redact_asks *asks, struct slice raw);

#endif
