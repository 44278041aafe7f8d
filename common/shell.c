/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/shell.h"

bool shell_is(struct slice name)
{
	static const char *const names[] = {"bash",  "dash",  "sh",      "zsh", "ksh",
					    "ksh93", "mksh",  "fish",    "ash", "csh",
					    "tcsh",  "rbash", "busybox", NULL};

	return slice_in(name, names);
}
