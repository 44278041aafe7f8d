/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What the admin reads in the log: one line about each login, and one when something
 * is not recorded, with the reason.
 */
#ifndef SA_PAM_REPORT_H
#define SA_PAM_REPORT_H

#include "pam_sessaudit/bind.h"
#include "pam_sessaudit/options.h"

/* How the parts of one login went; codes are 0 or negative errno values. */
struct outcome {
	bool audit_off;
	int tag, tty;
};

/* One line, and only when something is missing. */
void report_missing(pam_handle_t *pamh, const struct login *login, const struct outcome *o);
void report_login(pam_handle_t *pamh, const struct login *login, const struct bind *b,
		  const struct options *options);
/* What an errno value of audit netlink means here. */
const char *report_explain(int code);

#endif
