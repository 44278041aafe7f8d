/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* sessaudit-grantd: a role of sessauditd, see there. */
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/grantd/live.h"
#include "agent/privdrop.h"

/* As root only the token is read: systemd hands it over to root alone. */
static int grantd_start(struct live *l, struct role *role, struct sa_err *err)
{
	int rc;

	if ((rc = role_start(role, err)) != 0 || (rc = role_no_core(err)) != 0 ||
	    (rc = live_init(l, role, err)) != 0)
		return rc;
	/* No capability is kept: it owns what it writes, and the rest is there for all to read. */
	if ((rc = privdrop(role->settings.agent_grant_user, NULL, 0, err)) != 0 ||
	    (rc = role_no_core(err)) != 0)
		return rc;
	umask(022); /* grants are read by services that run as anyone */
	return 0;
}

int main(int argc, char **argv)
{
	struct role role = {.name = "sessaudit-grantd"};
	struct live live = {.own_fd = -1, .keeper.shelf_fd = -1};
	struct sa_err err = {0};
	int status = ROLE_EXIT_CONFIG;

	if (role_open(&role, argc, argv, &err) == 0 && grantd_start(&live, &role, &err) == 0)
		status = live_run(&live);
	else
		log_err("%s", err.msg);
	live_end(&live);
	settings_free(&role.settings);
	role_end(&role);
	return status;
}
