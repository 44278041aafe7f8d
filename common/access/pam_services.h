/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Every PAM service of this host that has the module's line, and which findings about its place
 * (pam_stack.h) count there. For `sessaudit doctor` and the agent's start.
 */
#ifndef SA_PAM_SERVICES_H
#define SA_PAM_SERVICES_H

#include "common/access/pam_stack.h"
#include "common/settings.h"

#define PAM_SERVICES_DIR "/etc/pam.d"
#define PAM_SERVICES_MAX 512 /* files of the directory; what is beyond is not looked at */

struct pam_service {
	const char *name;
	struct pam_stack stack;
	bool ssh;        /* sshd's: what the login's key is, is taken from its environment */
	unsigned faults; /* the findings that count in this service */
	unsigned grave;  /* those of them that break what the line is there for */
};

typedef void (*pam_service_fn)(void *ctx, const struct pam_service *s);

/* Calls fn for each service of dir, by name, whose session stack has our line, and for each of
 * pam.ssh_services that is there without it. Files that are only there to be included
 * (common-*, system-auth ...) and copies of editors and packages are passed over.
 * SA_ERR_NOTFOUND: no such directory; SA_ERR_PERM, SA_ERR_IO: it cannot be read. */
int pam_services_each(const char *dir, const struct settings *s, pam_service_fn fn, void *ctx,
		      struct sa_err *err);

#endif
