/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "pam_sessaudit/tty.h"

#define TTY_DATA "pam_sessaudit_tty"

static const struct audit_tty_status *saved_status(pam_handle_t *pamh)
{
	const void *data = NULL;

	return pam_get_data(pamh, TTY_DATA, &data) == PAM_SUCCESS ? data : NULL;
}

static void free_status(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	free(data);
}

/* Only the first is kept: later instances would save what the first one set. */
static int save_status(pam_handle_t *pamh, const struct audit_tty_status *status)
{
	_cleanup_free_ struct audit_tty_status *copy = NULL;

	if (saved_status(pamh))
		return 0;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *status;
	if (pam_set_data(pamh, TTY_DATA, copy, free_status) != PAM_SUCCESS)
		return -ENOMEM;
	TAKE_PTR(copy);
	return 0;
}

int tty_set(pam_handle_t *pamh, struct netlink *nl, const struct options *options)
{
	/* Always with log_passwd: a flag inherited from outside must not stay. */
	struct audit_tty_status wanted = {.enabled = options->tty == OPTIONS_TTY_ON,
					  .log_passwd = options->log_passwd};
	struct audit_tty_status now;
	int rc;

	if (options->tty == OPTIONS_TTY_LEAVE)
		return 0;
	if ((rc = netlink_tty_get(nl, &now)) < 0)
		return rc;
	if (now.enabled == wanted.enabled && now.log_passwd == wanted.log_passwd)
		return 0;
	if (!options->open_only && (rc = save_status(pamh, &now)) < 0)
		return rc;
	return netlink_tty_set(nl, &wanted);
}

bool tty_saved(pam_handle_t *pamh)
{
	return saved_status(pamh) != NULL;
}

int tty_restore(pam_handle_t *pamh, struct netlink *nl)
{
	const struct audit_tty_status *saved = saved_status(pamh);
	int rc;

	if (!saved)
		return 0;
	rc = netlink_tty_set(nl, saved);
	pam_set_data(pamh, TTY_DATA, NULL, NULL);
	return rc;
}
