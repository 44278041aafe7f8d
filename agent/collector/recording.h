/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* The collector over a recorded log: into a scratch spool, to the end, without privilege. */
#ifndef SA_RECORDING_H
#define SA_RECORDING_H

#include "common/settings.h"

struct recording {
	const char *file, *spool_dir;
	const char *host, *machine_id, *boot_id; /* NULL: what the log tells, see sessauditd(8) */
	const struct settings *settings;
};

/* An exit status; ROLE_EXIT_PARTIAL when the log ends in damage, and what came before is in the
 * spool. */
int recording_run(const struct recording *rec);

#endif
