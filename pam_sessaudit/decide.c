/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <security/pam_ext.h>
#include <syslog.h>

#include "common/access/policy.h"
#include "common/escape.h"
#include "pam_sessaudit/ask.h"
#include "pam_sessaudit/decide.h"

static struct policy_login policy_facts(const struct decide *d)
{
	return (struct policy_login){.user = d->owner,
				     .service = d->login->service,
				     .in_group = login_in_group,
				     .ctx = d->pamh,
				     .on_none = d->options->on_none};
}

static bool may_ask(const struct decide *d, const struct access *access)
{
	struct policy_login facts = policy_facts(d);

	return !policy_accepts(d->settings, access->status) &&
	       policy_breakglass(d->settings, &facts);
}

static struct ask ask_facts(const struct decide *d)
{
	return (struct ask){.pamh = d->pamh, .user = d->owner, .host = d->login->host};
}

void decide_login(const struct decide *d, struct access *access)
{
	struct policy_login facts = policy_facts(d);
	struct ask ask = ask_facts(d);

	if (may_ask(d, access))
		ask_now(&ask, access);
	ask_forget(d->pamh);
	access->policy = policy_decide(d->settings, &facts, access->status);
}

void decide_ahead(const struct decide *d, const struct access *access)
{
	struct ask ask = ask_facts(d);

	if (may_ask(d, access))
		ask_ahead(&ask);
}

static void log_decision(const struct decide *d, const struct access *access)
{
	_cleanup_buf_ struct buf line = {0}, safe = {0};

	buf_init(&line, 8192);
	buf_init(&safe, 16384);
	buf_printf(&line, "%s user=%s login=%s service=%s status=%s",
		   access->policy == ACCESS_POLICY_DENIED ? "denied:"
							  : "let in, as exempt from the policy:",
		   d->login->user, d->owner, d->login->service, access_status_name(access->status));
	if (access->request_id)
		buf_printf(&line, " request=%s", access->request_id);
	if (access->reason)
		buf_printf(&line, " (%s)", access->reason);
	escape_terminal(&safe, buf_slice(&line));
	pam_syslog(d->pamh, LOG_NOTICE, "%s", buf_cstr(&safe));
}

void decide_report(const struct decide *d, const struct access *access)
{
	_cleanup_buf_ struct buf text = {0};

	if (access->policy == ACCESS_POLICY_NONE)
		return;
	log_decision(d, access);
	if (access->policy != ACCESS_POLICY_DENIED)
		return;
	buf_init(&text, PAM_MAX_MSG_SIZE);
	policy_message(&text, d->owner, d->login->host, access);
	pam_error(d->pamh, "%s",
		  text.failed || text.len == 0 ? "no approved access request" : buf_cstr(&text));
}
