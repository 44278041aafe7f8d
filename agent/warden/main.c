/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* sessaudit-warden: a role of sessauditd, see there. */
#include <linux/capability.h>
#include <stdlib.h>

#include "agent/privdrop.h"
#include "agent/warden/live.h"
#include "common/cleanup.h"

static int warden_start(struct live *l, struct role *role, struct sa_err *err)
{
	static const int keep[] = {
		CAP_KILL,            /* the processes of any user */
		CAP_DAC_READ_SEARCH, /* grants and keys that only root may read */
	};
	int rc;

	if ((rc = role_start(role, err)) != 0 || (rc = live_init(l, role, err)) != 0)
		return rc;
	return privdrop(role->settings.agent_user, keep, ARRAY_LEN(keep), err);
}

int main(int argc, char **argv)
{
	struct role role = {.name = "sessaudit-warden"};
	struct live live = {.proc_fd = -1};
	struct sa_err err = {0};
	int status = ROLE_EXIT_CONFIG;

	if (role_open(&role, argc, argv, &err) == 0 && warden_start(&live, &role, &err) == 0)
		status = live_run(&live);
	else
		log_err("%s", err.msg);
	live_end(&live);
	settings_free(&role.settings);
	role_end(&role);
	return status;
}
