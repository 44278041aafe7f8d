/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Where the module's line stands in a PAM service's stack, read from /etc/pam.d as libpam does it
 * (pam.d(5): control words and [..] lists, include, substack, @include of Debian). What stands
 * before it may have changed the environment, where sshd hands on the user's key: sshd sets
 * SSH_AUTH_INFO_0 anew right before pam_open_session (auth-pam.c, do_pam_session), so only the
 * session stack matters, and what of it runs before us.
 */
#ifndef SA_PAM_STACK_H
#define SA_PAM_STACK_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

enum pam_stack_finding {
	PAM_STACK_NO_LOGINUID = 1 << 0, /* no pam_loginuid before us */
	PAM_STACK_AFTER_ENV = 1 << 1,   /* pam_env with user_readenv before us */
	PAM_STACK_OPTIONAL = 1 << 2,    /* optional or sufficient: a denial would not count */
	PAM_STACK_SKIPPED = 1 << 3,     /* a sufficient, or a jump, before us may pass us over */
	PAM_STACK_UNREAD = 1 << 4,      /* a file of the stack could not be read */
	PAM_STACK_AFTER_OTHERS = 1 << 5 /* after an include or a module that may set variables:
					   only pam_loginuid, pam_selinux, pam_keyinit, pam_permit,
					   pam_nologin and pam_deny are known not to */
};
#define PAM_STACK_FINDINGS 6 /* how many there are */

struct pam_stack {
	bool has_session, has_auth; /* our module stands in the session and in the auth stack */
	bool denies;                /* our session line says on_none=deny */
	unsigned findings;          /* of the session stack; 0 when has_session is false */
	char where[256];            /* "/etc/pam.d/sshd:12" of our session line */
	char what[256];             /* the line before us that is the worst finding: file:line */
};

/* dir: /etc/pam.d. SA_ERR_NOTFOUND: no such service. */
int pam_stack_read(const char *dir, const char *service, struct pam_stack *out, struct sa_err *err);
/* One line of plain words for one finding (a single bit): what is wrong and what to do. */
const char *pam_stack_advice(enum pam_stack_finding f);

#endif
