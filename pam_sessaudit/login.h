/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The facts of one login, as PAM and the kernel tell them. The process' environment
 * is never read, it belongs to the user; of PAM's own, two variables that sshd sets,
 * and only in services that the admin says are sshd.
 */
#ifndef SA_PAM_LOGIN_H
#define SA_PAM_LOGIN_H

#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/access/tagfile.h"
#include "common/settings.h"

struct login {
	/* As PAM has them, borrowed until the handle changes; never NULL. */
	const char *user, *service;
	const char *source;     /* numeric address of the peer (PAM_RHOST, of sshd also
				   SSH_CONNECTION), else NULL */
	const char *terminal;   /* PAM_TTY or NULL */
	struct slice auth_info; /* SSH_AUTH_INFO_0 of an ssh service, borrowed; else absent */
	char host[HOST_NAME_MAX + 1];
	char address[INET6_ADDRSTRLEN + IF_NAMESIZE]; /* what source may point to */
	bool has_session;                             /* ses and auid are set */
	uint32_t ses, auid;
	bool is_ssh;                /* the service is sshd, as the settings say */
	uid_t asker;                /* auid; without a session the real uid */
	char boot_id[BOOT_ID_SIZE]; /* "" when it cannot be read */
};

/* out must not be moved: source may point into it. */
void login_gather(pam_handle_t *pamh, const struct settings *settings, struct login *out);
/* As if there were no audit session yet. */
void login_leave_session(struct login *login);
/* Is the user in the group, as the host knows it; ctx is the pam_handle_t. */
bool login_in_group(void *ctx, const char *user, const char *group);

#endif
