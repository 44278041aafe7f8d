/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/shell.h"

bool shell_is(struct slice name)
{
	static const char *const names[] = {"bash",  "dash",  "sh",      "zsh", "ksh",
					    "ksh93", "mksh",  "fish",    "ash", "csh",
					    "tcsh",  "rbash", "busybox", NULL};

	if (name.len > 0 && name.ptr[0] == '-')
		name = (struct slice){name.ptr + 1, name.len - 1};
	return slice_in(name, names);
}
