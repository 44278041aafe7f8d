/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * `key = value` configuration in [sections], driven by a table with one row per
 * option (settings.h has the project's). An unknown section or key is an error.
 * Errors say `file:line: section.key: reason; what to do`.
 *
 * Syntax: UTF-8 lines of at most 4096 bytes, '#' or ';' starts a comment at the
 * start of a line, blanks around key and value are dropped, the last occurrence
 * of a scalar wins, a list option (CONF_LIST) collects every occurrence.
 */
#ifndef SA_CONF_H
#define SA_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

enum conf_type {
	CONF_STRING,   /* char *, may be empty */
	CONF_PATH,     /* char *, absolute */
	CONF_BOOL,     /* bool: yes/no, true/false, on/off, 1/0 */
	CONF_INT,      /* int64_t */
	CONF_DURATION, /* int64_t milliseconds: 250ms 10s 5m 1h 1d; a bare number is seconds */
	CONF_SIZE,     /* int64_t bytes: 4096 64K 64KiB 1M 1GiB (powers of 1024) */
	CONF_LIST,     /* struct conf_list */
};

struct conf_list {
	char **items; /* owned */
	size_t len;
};

#define CONF_LIST_MAX 256

struct conf_option {
	const char *section, *name;
	enum conf_type type;
	size_t offset;    /* of the field in the program's config struct */
	const char *def;  /* as it would stand in the file; NULL: empty list or NULL string */
	int64_t min, max; /* for numbers, durations, sizes, in their unit; 0,0 means any >= 0 */
	const char *help; /* one line, printed by conf_print */
};

/* Fills the zeroed struct with defaults. */
int conf_defaults(const struct conf_option *opts, size_t n, void *out, struct sa_err *err);
/* Defaults, then the file. SA_ERR_NOTFOUND when there is no such file (defaults are filled in).
 * On any other error out holds the defaults. Bound: 64 KiB. */
int conf_load(const char *path, const struct conf_option *opts, size_t n, void *out,
	      struct sa_err *err);
/* The same for text already read; name stands in messages. Fuzzed. */
int conf_parse(const char *name, struct slice text, const struct conf_option *opts, size_t n,
	       void *out, struct sa_err *err);
/* What is in force, as a config file that gives the same again. */
void conf_print(const struct conf_option *opts, size_t n, const void *conf, struct buf *out);
/* Frees what the struct owns. */
void conf_free(const struct conf_option *opts, size_t n, void *conf);

#endif
