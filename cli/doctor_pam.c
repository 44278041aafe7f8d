/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "cli/doctor.h"
#include "common/access/pam_services.h"

struct pam_seen {
	struct doctor *d;
	bool any; /* service with our line */
};

static void say_placed(struct doctor *d, const struct pam_service *s)
{
	bool asks = s->ssh && s->stack.has_auth;

	doctor_say(d, DOCTOR_OK, "%s: %s is well placed%s", s->name, s->stack.where,
		   asks ? "; the auth stack asks for a reason where no request fits" : "");
}

static void look_at(void *ctx, const struct pam_service *s)
{
	struct pam_seen *seen = ctx;

	if (!s->stack.has_session) {
		doctor_say(seen->d, DOCTOR_WARN,
			   "%s: its session stack has no line of pam_sessaudit.so, so its logins "
			   "have no access context",
			   s->name);
		return;
	}
	seen->any = true;
	for (unsigned i = 0; i < PAM_STACK_FINDINGS; i++) {
		unsigned bit = 1U << i;
		bool place = (bit & (PAM_STACK_AFTER_ENV | PAM_STACK_SKIPPED | PAM_STACK_UNREAD |
				     PAM_STACK_AFTER_OTHERS)) &&
			     s->stack.what[0];

		if (s->faults & bit)
			doctor_say(seen->d, s->grave & bit ? DOCTOR_FAIL : DOCTOR_WARN,
				   "%s: %s%s%s: %s", s->name, s->stack.where, place ? ", see " : "",
				   place ? s->stack.what : "",
				   pam_stack_advice((enum pam_stack_finding)bit));
	}
	if (s->faults == 0)
		say_placed(seen->d, s);
}

void doctor_pam(struct doctor *d)
{
	const char *dir = d->pam_dir ? d->pam_dir : PAM_SERVICES_DIR;
	struct pam_seen seen = {.d = d};
	struct sa_err err = {0};
	int rc = pam_services_each(dir, d->settings, look_at, &seen, &err);

	if (rc != 0)
		doctor_say(d, rc == SA_ERR_NOTFOUND ? DOCTOR_FAIL : DOCTOR_UNKNOWN, "%s", err.msg);
	else if (!seen.any)
		doctor_say(d, DOCTOR_FAIL,
			   "no service of %s has the line: write session required "
			   "pam_sessaudit.so into %s/sshd, directly after pam_loginuid.so",
			   dir, dir);
}
