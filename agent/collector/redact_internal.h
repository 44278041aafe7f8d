/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Between the files of redact: what finds secrets only notes where they are (hits);
 * redact.c replaces them once all is looked at.
 */
#ifndef SA_REDACT_INTERNAL_H
#define SA_REDACT_INTERNAL_H

#include <stdint.h>

#include "agent/collector/redact.h"
#include "agent/redact_rules.h"

/* More in one call: everything in it is replaced whole. */
#define REDACT_MAX_HITS 4096
/* Command lines within command lines (sh -c "ssh host 'mysql -p...'"). */
#define REDACT_MAX_DEPTH 5

struct redact_hit {
	size_t word, from, to; /* bytes [from, to) of this word */
	struct slice secret;   /* what the mark is made of: without the quotes of a shell */
};

struct redact_hits {
	struct redact_hit *v;
	size_t n, cap;
	bool failed; /* out of memory, or too many */
};

/* Empty ones, "-" and marks are no secrets and are not noted. */
void redact_hit(struct redact_hits *h, size_t word, size_t from, size_t to, struct slice secret);

/* Memory that is wiped and freed together. */
struct redact_chunk;
void *redact_alloc(struct redact_chunk **list, size_t size);
void redact_wipe(struct redact_chunk **list);

struct redact_finder { /* of one call */
	struct redact_hits *hits;
	struct redact_chunk **scratch;
};

/* --- redact_names.c --- */
/* Of an option, variable or field: "--password", "PGPASSWORD", "client_secret". */
bool redact_name_is_secret(struct slice name);
/* Of an HTTP header. */
bool redact_header_is_secret(struct slice name);

/* --- redact_shapes.c --- */
/* Secrets that show by what stands around them, URLs, assignments, headers, JSON, SQL, and those of
 * redact_tokens.c. line: s is a line as typed, with the quotes of a shell, else one word. */
void redact_find_shapes(struct redact_finder *f, struct slice s, size_t word, bool line);

/* --- redact_tokens.c --- */
static inline bool redact_is_alnum(char ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}
/* Of the bytes of names, and of tokens. */
static inline bool redact_is_name(char ch)
{
	return redact_is_alnum(ch) || ch == '_' || ch == '-' || ch == '.';
}
/* A secret by its own form, whatever stands around it: a token, a private key. At i is a '-', '.'
 * or '_': the last byte of its prefix, or the first mark in it. Where it ends, and from where it
 * goes; 0: there is none. */
size_t redact_token_at(struct slice s, size_t i, size_t *from);

/* --- redact_argv.c --- */
/* Those of a command with its arguments; hits have the argument's number plus base. */
void redact_find_command(struct redact_finder *f, struct slice exe, const struct slice *w, size_t n,
			 size_t base, unsigned depth);
/* What a command prints is the password of the one behind its pipe, if that reads one from there.
 */
void redact_find_piped(struct redact_finder *f, const struct slice *from, size_t n_from,
		       size_t from_base, const struct slice *to, size_t n_to);
/* The word i (behind "<<<") is what such a program reads. */
void redact_find_here(struct redact_finder *f, const struct slice *w, size_t n, struct slice here,
		      size_t word);

struct redact_step {
	const struct redact_program *program;
	size_t at; /* its argument 0 */
};
#define REDACT_MAX_STEPS 6
/* The programs that a command runs, one through the other, as far as they are known: sudo, mysql.
 */
size_t redact_steps(struct slice exe, const struct slice *w, size_t n,
		    struct redact_step out[REDACT_MAX_STEPS]);
/* Has this short ("-S", also within "-kS") or long option. */
bool redact_has_option(const struct slice *w, size_t n, const char *option);

/* --- redact_words.c --- */
/* A shell's command line; word: what hits in it are noted for. */
void redact_find_line(struct redact_finder *f, struct slice text, size_t word, unsigned depth);
/* Calls fn with the words of each simple command. */
void redact_each_command(struct redact_chunk **scratch, struct slice text,
			 void (*fn)(void *ctx, const struct slice *w, size_t n), void *ctx);

/* --- redact_programs.c --- */
enum redact_kind {                       /* of a program, or several */
		   REDACT_WRAPS = 1,     /* runs the program that is named after `skip` arguments */
		   REDACT_HAS_LINES = 2, /* takes command lines as arguments: sh -c, ssh, watch */
		   REDACT_NO_NEXT = 4,   /* --password stands alone, without a value: it asks */
		   REDACT_PRINTS = 8,    /* its arguments go to its output: echo */
		   REDACT_READS_LOGIN = 16, /* user:password on standard input */
		   REDACT_READS =
			   32, /* a password on standard input, with one of the options `reads` */
		   REDACT_PAIRS =
			   64, /* sub-command `sub`: arguments name=value have secret values */
		   REDACT_SLASH = 128,       /* user/password@where */
		   REDACT_RELAYS = 256,      /* reads the terminal for what it runs */
		   REDACT_ASKS = 512,        /* asks for a password on the terminal */
		   REDACT_ASKS_MANY = 1024,  /* for several: old one, new one, new one again */
		   REDACT_ASKS_RAW = 2048,   /* ... and reads them raw to the Enter key */
		   REDACT_NOT_SINGLE = 4096, /* no long options with one dash */
		   REDACT_NAMES_NEXT = 8192, /* an argument that names a secret stands before it */
		   REDACT_ASSIGNS = 32768, /* NAME=value is no command line: docker -e, not sh -c */
		   REDACT_LAST = 16384, /* the last argument is a secret, with the option `reads` */
};
#define REDACT_SKIP_ANY 9 /* the first argument that is a program known here */

struct redact_program {
	const char *name;
	const char *secret;      /* short options whose value is a secret */
	const char *attached;    /* ... which has to stand in the same argument */
	const char *login;       /* ... whose value is one after the first byte `sep` */
	const char *other;       /* short options with other values */
	const char *sub;         /* all that only with this sub-command */
	const char *longs;       /* long options with a secret, besides those whose name says it */
	const char *long_logins; /* ... with a login */
	const char *prefix;      /* an argument that begins so goes on with a secret */
	const char *reads;       /* see REDACT_READS */
	char sep;
	unsigned skip, kind;
};

/* By the last part of a path, without a version at its end; NULL: nothing is known. */
const struct redact_program *redact_program(struct slice path);

/* One of its sub-commands `sub` is among the words. */
bool redact_has_sub(const struct redact_program *p, const struct slice *w, size_t n);
/* NAME=value. */
bool redact_is_assignment(struct slice s);

struct redact_place {              /* an argument that is a secret by its place */
	const char *program, *sub; /* words before it, options left out */
	unsigned nth;              /* after them, from 1 */
};
/* NULL-ended by program. */
extern const struct redact_place redact_places[];

#endif
