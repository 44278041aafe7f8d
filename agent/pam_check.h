/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A look at the PAM stacks when the agent starts: a line of the module that stands where a user
 * can change what it sees is worth a warning before the first login.
 */
#ifndef SA_PAM_CHECK_H
#define SA_PAM_CHECK_H

#include "common/access/pam_services.h"

/* Logs one warning per badly placed line and finding. dir: PAM_SERVICES_DIR. A directory that
 * cannot be read is said, at level info: the host may have no PAM. */
void pam_check_log(const char *dir, const struct settings *s);

#endif
