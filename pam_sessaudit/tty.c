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

static int save_status(pam_handle_t *pamh, const struct audit_tty_status *status)
{
	_cleanup_free_ struct audit_tty_status *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *status;
	if (pam_set_data(pamh, TTY_DATA, copy, free_status) != PAM_SUCCESS)
		return -ENOMEM;
	TAKE_PTR(copy);
	return 0;
}

static bool same(const struct audit_tty_status *a, const struct audit_tty_status *b)
{
	return a->enabled == b->enabled && a->log_passwd == b->log_passwd;
}

void tty_set(struct tty *t, pam_handle_t *pamh, const struct options *options, bool fresh,
	     struct netlink *nl)
{
	struct netlink_request get = netlink_get_tty(&t->before);

	*t = (struct tty){0};
	if (options->tty == OPTIONS_TTY_LEAVE)
		return;
	/* Always with log_passwd: a flag inherited from outside must not stay. */
	t->wanted = (struct audit_tty_status){.enabled = options->tty == OPTIONS_TTY_ON,
					      .log_passwd = options->log_passwd};
	t->set = netlink_set_tty(&t->wanted);
	/* Only the first is kept: later instances would save what the first one set. */
	t->save = !options->open_only && !tty_saved(pamh);
	if (t->save && !fresh && (t->set.rc = netlink_call(nl, &get)) < 0)
		return;
	if (t->save && same(&t->before, &t->wanted)) {
		t->save = false;
		if (!fresh)
			return;
	}
	netlink_send(nl, &t->set);
}

int tty_finish(struct tty *t, pam_handle_t *pamh)
{
	if (t->set.rc == 0 && t->save)
		t->set.rc = save_status(pamh, &t->before);
	return t->set.rc;
}

bool tty_saved(pam_handle_t *pamh)
{
	return saved_status(pamh) != NULL;
}

int tty_restore(pam_handle_t *pamh, struct netlink *nl)
{
	const struct audit_tty_status *saved = saved_status(pamh);
	struct netlink_request set;

	if (!saved)
		return 0;
	set = netlink_set_tty(saved);
	netlink_call(nl, &set);
	pam_set_data(pamh, TTY_DATA, NULL, NULL);
	return set.rc;
}
