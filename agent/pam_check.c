/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/pam_check.h"

#include "common/log.h"

static void log_faults(void *ctx, const struct pam_service *s)
{
	(void)ctx;
	for (unsigned i = 0; i < PAM_STACK_FINDINGS; i++)
		if (s->faults & (1U << i))
			log_warn("event=pam-order service=%s where=%s advice=\"%s\"", s->name,
				 s->stack.where,
				 pam_stack_advice((enum pam_stack_finding)(1U << i)));
}

void pam_check_log(const char *dir, const struct settings *s)
{
	struct sa_err err = {0};

	if (pam_services_each(dir, s, log_faults, NULL, &err) != 0)
		log_info("event=pam-order reason=\"%s\"", err.msg);
}
