/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What main.c and the verbs share: the verb table's row, exit statuses, and the
 * one way to complain. A verb is one file with one `struct verb`.
 */
#ifndef SA_VERB_H
#define SA_VERB_H

#include "cli/reader.h"
#include "common/transcript/page.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,  /* not found, no store, cannot write */
	CLI_USAGE = 2,   /* wrong arguments, an ambiguous id */
	CLI_PARTIAL = 3, /* shown, but something is broken or does not fit */
};

struct cli {                        /* options before the verb */
	const char *store, *config; /* NULL: not given */
};

struct verb {
	const char *name, *arguments, *summary;
	const char *options; /* lines for help */
	/* argv[0] is the verb; optind is 1. Returns a cli_exit. */
	int (*run)(const struct verb *v, const struct cli *cli, int argc, char **argv);
};

extern const struct verb verb_list, verb_show, verb_grant, verb_doctor, verb_bucket_policy;

/* Says what is wrong and how the verb is used; returns CLI_USAGE. */
int cli_usage(const struct verb *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "sessaudit: <message>", escaped; returns CLI_FAILED. */
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* getopt_long's answer for an option that the verb does not have, or that lacks its value. */
int cli_bad_option(const struct verb *v, char **argv);

/* Colours, if they were not refused and stdout is a terminal; its width, or 100. */
void cli_style(struct page_style *st, bool no_color);
/* Writes out to stdout and empties it. false: stdout is gone, or out had failed. main flushes. */
bool cli_flush(struct buf *out);
/* A JSON text as one line; on a terminal with all but ASCII as \uNNNN, which is the same JSON. */
void cli_json_line(struct buf *out, struct slice json);

/* The table of `list`, which `show` prints when an id could mean several sessions. */
void verb_list_table(struct buf *out, const struct page_style *st, const struct reader_sessions *s);

#endif
