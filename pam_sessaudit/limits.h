/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Resource limits while the module works. In su and sudo they are the user's own
 * (ulimit), and pam_limits may have set them before us: with no descriptor to be had
 * nothing would be recorded, and writing beyond the file size limit is a deadly signal
 * for the program that we live in.
 */
#ifndef SA_PAM_LIMITS_H
#define SA_PAM_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

#define LIMITS 4

struct limits {
	struct rlimit old[LIMITS];
	bool lifted[LIMITS];
	bool may_write; /* files of any size that we make */
};

/* As far as this process may; what then does not work fails with an error. */
void limits_lift(struct limits *l);
void limits_restore(const struct limits *l);

#endif
