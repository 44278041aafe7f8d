/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the PAM line asks for: a superset of pam_tty_audit(8), so that one module
 * can stand in for the other. Settings ([pam]) come first, then the arguments
 * from left to right; of the patterns that fit the user the last one counts.
 * on_none=record|deny goes before [policy] on_none, for the services whose stack
 * this line stands in; it is about logins without an accepted request (policy.h).
 * Pure, apart from the look-ups that the caller provides.
 */
#ifndef SA_PAM_OPTIONS_H
#define SA_PAM_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/settings.h"

enum options_tty {
	OPTIONS_TTY_LEAVE, /* no pattern fits: the flag stays as it is */
	OPTIONS_TTY_OFF,
	OPTIONS_TTY_ON
};

struct options {
	bool open_only, log_passwd, quiet, debug;
	enum options_tty tty;
	const char *on_none; /* "record" or "deny", a literal; NULL: the line does not say */
};

/* Who logs in, and how to learn more about them; uid and in_group are only asked when a pattern
 * needs them. report gets each complaint about an argument: "unknown option \"x\": ...". */
struct options_user {
	const char *name;
	bool (*uid)(void *ctx, const char *name, uid_t *out);
	bool (*in_group)(void *ctx, const char *name, const char *group);
	void (*report)(void *ctx, const char *message);
	void *ctx;
};

/* The file of the last config=, borrowed from argv; NULL when there is none. */
const char *options_config(int argc, const char *const *argv);
/* Bad arguments are reported and passed over. */
void options_resolve(int argc, const char *const *argv, const struct settings *settings,
		     const struct options_user *user, struct options *out);

#endif
