/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <security/pam_modutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "pam_sessaudit/nest.h"

#define UID_TEXT_SIZE 24
#define SENT_DATA "pam_sessaudit_sent"

bool nest_is_again(pam_handle_t *pamh, const struct tagfile *t, const struct login *login)
{
	const void *sent = NULL;

	if (pam_get_data(pamh, SENT_DATA, &sent) == PAM_SUCCESS && sent)
		return true;
	return t->pid == (int32_t)getpid() && t->tag.service &&
	       strcmp(t->tag.service, login->service) == 0;
}

void nest_remember(pam_handle_t *pamh)
{
	static const char sent[] = "";

	pam_set_data(pamh, SENT_DATA, (void *)(uintptr_t)sent, NULL);
}

void nest_forget(pam_handle_t *pamh)
{
	const void *sent = NULL;

	if (pam_get_data(pamh, SENT_DATA, &sent) == PAM_SUCCESS)
		pam_set_data(pamh, SENT_DATA, NULL, NULL);
}

bool nest_is_login(pam_handle_t *pamh, const struct login *login)
{
	const struct passwd *pw;

	/* sshd logs people in, it never makes one of the other. */
	if (login->is_ssh || (!login->has_session && login->asker == 0))
		return true;
	pw = pam_modutil_getpwnam(pamh, login->user);
	return pw && pw->pw_uid == login->asker;
}

void nest_name(pam_handle_t *pamh, uid_t uid, const char *other, char **out)
{
	const struct passwd *pw = pam_modutil_getpwuid(pamh, uid);
	char digits[UID_TEXT_SIZE];

	snprintf(digits, sizeof(digits), "%lu", (unsigned long)uid);
	access_set(out, slice_of(pw ? pw->pw_name : other ? other : digits));
}

void nest_describe(pam_handle_t *pamh, const struct login *login, struct tag *t)
{
	const void *ruser = NULL;

	if (pam_get_item(pamh, PAM_RUSER, &ruser) != PAM_SUCCESS)
		ruser = NULL;
	t->kind = TAG_NEST;
	/* Who asks: in sudo and su the real uid is still theirs. */
	nest_name(pamh, getuid(), ruser, &t->from);
	access_set(&t->user, slice_of(login->user));
	access_set(&t->service, slice_of(login->service));
	access_set(&t->terminal, slice_of(login->terminal));
}

/* "grant g-7f3a: expired" */
static int end_approval(struct access *a, const char *why)
{
	_cleanup_buf_ struct buf text = {0};

	a->status = ACCESS_UNAPPROVED;
	buf_init(&text, ACCESS_MAX_FIELD + 64);
	buf_printf(&text, "%s %s: %s", a->grant_id ? "grant" : "request",
		   a->grant_id     ? a->grant_id
		   : a->request_id ? a->request_id
				   : "?",
		   why);
	return access_set(&a->reason, buf_slice(&text));
}

static int look_at_grant(struct tagfile *t, const struct grants_trust *trust, struct sa_err *err)
{
	struct access *a = &t->tag.access;
	struct grant *g = NULL;
	int rc = grants_load_file(t->grant_file, trust, &g, err);

	if (rc == SA_ERR_NOTFOUND)
		return end_approval(a, "withdrawn");
	if (rc < 0) {
		end_approval(a, "cannot be read");
		return rc;
	}
	if (!grant_is_of(g, a))
		rc = end_approval(a, "withdrawn");
	else if (g->revoked)
		rc = end_approval(a, "revoked");
	else
		rc = access_set(&a->expires_at, slice_of(g->access.expires_at));
	grant_free(g);
	return rc;
}

int nest_recheck(struct tagfile *t, const struct grants_trust *trust, int64_t now_ms,
		 struct sa_err *err)
{
	struct access *a = &t->tag.access;
	int64_t expires_ms;
	int rc = 0;

	if (a->status != ACCESS_APPROVED && a->status != ACCESS_ID_ONLY)
		return 0;
	if (t->grant_file)
		rc = look_at_grant(t, trust, err);
	if (a->status != ACCESS_UNAPPROVED && a->expires_at &&
	    clock_parse_utc(slice_of(a->expires_at), &expires_ms) == 0 && now_ms >= expires_ms)
		end_approval(a, "expired");
	return rc;
}
