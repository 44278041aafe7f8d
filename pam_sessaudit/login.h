/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The facts of one login, as PAM and the kernel tell them. Of the environment
 * nothing is read: part of it belongs to the user.
 */
#ifndef SA_PAM_LOGIN_H
#define SA_PAM_LOGIN_H

#include <limits.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/access/tagfile.h"

struct login {
	/* As PAM has them, borrowed until the handle changes; never NULL. */
	const char *user, *service;
	const char *source;   /* PAM_RHOST when it is a numeric address, else NULL */
	const char *terminal; /* PAM_TTY or NULL */
	char host[HOST_NAME_MAX + 1];
	bool has_session; /* ses and auid are set */
	uint32_t ses, auid;
	char boot_id[BOOT_ID_SIZE]; /* "" when it cannot be read */
};

void login_gather(pam_handle_t *pamh, struct login *out);

#endif
