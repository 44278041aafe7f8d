/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Typed errors with a message. Every fallible function of the project returns
 * 0 or one of the negative codes below; the message is for the admin and says
 * which file, line or field and what to do. Hot-path parsers return the code
 * only. `err` may be NULL everywhere: then just the code comes back.
 */
#ifndef SA_ERR_H
#define SA_ERR_H

enum sa_code {
	SA_OK = 0,
	SA_ERR_IO = -1, /* the operating system said no */
	SA_ERR_NOMEM = -2,
	SA_ERR_INVALID = -3, /* malformed input */
	SA_ERR_TOOBIG = -4,  /* over a stated bound */
	SA_ERR_NOTFOUND = -5,
	SA_ERR_EXISTS = -6,
	SA_ERR_PERM = -7,  /* wrong owner, mode or privilege */
	SA_ERR_AGAIN = -8, /* may work later (full disk, peer away) */
	SA_ERR_UNSUPPORTED = -9,
};

struct sa_err {
	int code;
	char msg[512];
};

/* Fills err and returns code, so that failing is one statement. */
int sa_fail(struct sa_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As sa_fail, with errno mapped to a code and ": strerror" appended. errno is kept. */
int sa_fail_errno(struct sa_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message and returns err->code (code when err is NULL). */
int sa_wrap(struct sa_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The code for an errno value. */
int sa_code_from_errno(int errnum);

#endif
