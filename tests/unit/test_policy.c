/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/access/policy.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define DEFAULT_ACCEPT "accept = approved,ambiguous,breakglass\n"

static bool in_group(void *ctx, const char *user, const char *group)
{
	(void)ctx;
	return strcmp(user, "dba") == 0 && strcmp(group, "dbas") == 0;
}

static int load(const char *policy, struct settings *out)
{
	_cleanup_buf_ struct buf text = {0};
	struct sa_err err = {0};
	int rc;

	buf_init(&text, 4096);
	buf_printf(&text, "[policy]\n%s", policy);
	rc = settings_parse("conf", buf_slice(&text), out, &err);
	if (rc < 0)
		tap_ok(false, "settings of the case: %s", err.msg);
	return rc;
}

#define N ACCESS_POLICY_NONE
#define D ACCESS_POLICY_DENIED
#define E ACCESS_POLICY_EXEMPT

struct decision {
	const char *name, *policy, *on_none, *user, *service;
	/* by status: unapproved, approved, id_only, ambiguous, conflict, breakglass */
	enum access_policy want[6];
};

static const struct decision decisions[] = {
	{"default", "", NULL, "dba", "sshd", {N, N, N, N, N, N}},
	{"deny", "on_none = deny\n", NULL, "dba", "sshd", {D, N, D, N, D, N}},
	{"only approved",
	 "on_none = deny\naccept = approved\n",
	 NULL,
	 "dba",
	 "sshd",
	 {D, N, D, D, D, D}},
	{"a certificate's word is accepted",
	 "on_none = deny\naccept = approved,id_only\n",
	 NULL,
	 "dba",
	 "sshd",
	 {D, N, N, D, D, D}},
	{"blanks in accept",
	 "on_none = deny\naccept =  approved , conflict ,\n",
	 NULL,
	 "dba",
	 "sshd",
	 {D, N, D, D, N, D}},
	{"the line denies", "on_none = record\n", "deny", "dba", "sshd", {D, N, D, N, D, N}},
	{"the line records", "on_none = deny\n", "record", "dba", "sshd", {N, N, N, N, N, N}},
	{"the line records, the list denies",
	 "deny = dba\n",
	 "record",
	 "dba",
	 "sshd",
	 {D, N, D, N, D, N}},
	{"denied user", "deny = dba\n", NULL, "dba", "sshd", {D, N, D, N, D, N}},
	{"another user is denied", "deny = dba\n", NULL, "ops", "sshd", {N, N, N, N, N, N}},
	{"denied in one service", "deny = dba/sudo\n", NULL, "dba", "sudo", {D, N, D, N, D, N}},
	{"not in another", "deny = dba/sudo\n", NULL, "dba", "sshd", {N, N, N, N, N, N}},
	{"all services", "deny = dba/*\n", NULL, "dba", "su", {D, N, D, N, D, N}},
	{"a service is whole", "deny = dba/su\n", NULL, "dba", "sudo", {N, N, N, N, N, N}},
	{"services by pattern", "deny = */su?o\n", NULL, "dba", "sudo", {D, N, D, N, D, N}},
	{"users by pattern", "deny = db?\n", NULL, "dba", "sshd", {D, N, D, N, D, N}},
	{"a user is whole", "deny = db\n", NULL, "dba", "sshd", {N, N, N, N, N, N}},
	{"group", "deny = @dbas\n", NULL, "dba", "sshd", {D, N, D, N, D, N}},
	{"not of the group", "deny = @dbas\n", NULL, "ops", "sshd", {N, N, N, N, N, N}},
	{"group in one service", "deny = @dbas/su\n", NULL, "dba", "su", {D, N, D, N, D, N}},
	{"group in another service", "deny = @dbas/su\n", NULL, "dba", "sshd", {N, N, N, N, N, N}},
	{"the second pattern", "deny = ops\ndeny = dba\n", NULL, "dba", "sshd", {D, N, D, N, D, N}},
	{"record before deny", "deny = *\nrecord = dba\n", NULL, "dba", "sshd", {N, N, N, N, N, N}},
	{"record before on_none",
	 "on_none = deny\nrecord = dba\n",
	 NULL,
	 "dba",
	 "sshd",
	 {N, N, N, N, N, N}},
	{"record before the line", "record = dba\n", "deny", "dba", "sshd", {N, N, N, N, N, N}},
	{"exempt before deny", "deny = *\nexempt = dba\n", NULL, "dba", "sshd", {E, N, E, N, E, N}},
	{"exempt before on_none",
	 "on_none = deny\nexempt = dba/sshd\n",
	 NULL,
	 "dba",
	 "sshd",
	 {E, N, E, N, E, N}},
	{"exempt elsewhere",
	 "on_none = deny\nexempt = dba/login\n",
	 NULL,
	 "dba",
	 "sshd",
	 {D, N, D, N, D, N}},
	{"exempt before the line", "exempt = dba\n", "deny", "dba", "sshd", {E, N, E, N, E, N}},
	{"exempt where nothing denies", "exempt = dba\n", NULL, "dba", "sshd", {N, N, N, N, N, N}},
	{"exempt and record",
	 "on_none = deny\nexempt = dba\nrecord = dba\n",
	 NULL,
	 "dba",
	 "sshd",
	 {N, N, N, N, N, N}},
	{"a domain's user", "deny = CORP\\*\n", NULL, "CORP\\eve", "sshd", {D, N, D, N, D, N}},
};

static void check_decision(const struct decision *c)
{
	struct settings s = {0};
	struct policy_login login = {.user = c->user,
				     .service = c->service,
				     .in_group = in_group,
				     .on_none = c->on_none};

	if (load(c->policy, &s) == 0)
		for (int st = 0; st < 6; st++)
			tap_str(access_policy_name(
					policy_decide(&s, &login, (enum access_status)st)),
				access_policy_name(c->want[st]), "%s: %s", c->name,
				access_status_name((enum access_status)st));
	settings_free(&s);
}

static void check_breakglass(void)
{
	struct policy_login login = {.user = "dba", .service = "sudo", .in_group = in_group};
	struct settings s = {0};

	load("breakglass = ops\nbreakglass = @dbas/sudo\n", &s);
	tap_ok(policy_breakglass(&s, &login), "break-glass for a group");
	login.in_group = NULL;
	tap_ok(!policy_breakglass(&s, &login), "nobody to ask: in none");
	login.service = "su";
	login.user = "ops";
	tap_ok(policy_breakglass(&s, &login), "break-glass for a user");
	settings_free(&s);
	load("", &s);
	tap_ok(!policy_breakglass(&s, &login), "for nobody, unless said");
	tap_ok(!policy_may_deny(&s), "nothing denies");
	tap_ok(policy_accepts(&s, ACCESS_BREAKGLASS), "break-glass is accepted");
	tap_ok(!policy_accepts(&s, ACCESS_CONFLICT), "a conflict is not");
	tap_ok(!policy_accepts(&s, ACCESS_UNAPPROVED), "nor is none");
	settings_free(&s);
	load("deny = nobody\n", &s);
	tap_ok(policy_may_deny(&s), "a list may deny");
	settings_free(&s);
	load("on_none = deny\n", &s);
	tap_ok(policy_may_deny(&s), "on_none may deny");
	settings_free(&s);
}

static const char *const checks[][2] = {
	{DEFAULT_ACCEPT "deny = *\nrecord = @ops/cron\nexempt = root/login\nbreakglass = db?/*\n",
	 NULL},
	{"accept = conflict\n", NULL},
	{"accept = \n", "policy.accept: empty: no login would have an accepted status; write at "
			"least approved"},
	{"accept = approved,fine\n", "policy.accept: fine: no status; known are approved, id_only, "
				     "ambiguous, conflict, breakglass"},
	{"accept = approved,,id_only\n", "policy.accept: : no status; known are approved, id_only, "
					 "ambiguous, conflict, breakglass"},
	{"accept = unapproved\n",
	 "policy.accept: unapproved: is what on_none is about; write on_none = record"},
	{"deny = /sshd\n", "policy.deny: /sshd: names no user; write * for all of them"},
	{"deny = dba\ndeny = @\n", "policy.deny: @: names no group; write @GROUP"},
	{"record = @/sshd\n", "policy.record: @/sshd: names no group; write @GROUP"},
	{"exempt = root/\n",
	 "policy.exempt: root/: names no service; leave the / out for all of them"},
	{"exempt = root/a/b\n", "policy.exempt: root/a/b: has two /; write USER/SERVICE"},
	{"breakglass = @db*\n",
	 "policy.breakglass: @db*: * and ? do not work in a group; name each"},
	{"deny = dba, ops\n",
	 "policy.deny: dba, ops: one pattern to a line, without blanks and commas"},
};

static void check_check(const char *const c[2])
{
	struct settings s = {0};
	struct sa_err err = {0};

	if (load(c[0], &s) == 0) {
		tap_int(policy_check(&s, &err), c[1] ? SA_ERR_INVALID : 0, "check: %s",
			c[1] ? c[1] : "all is well");
		tap_str(err.msg, c[1] ? c[1] : "", "check: what it says");
	}
	settings_free(&s);
}

static void check_message(const char *user, const char *reason, const char *want)
{
	_cleanup_buf_ struct buf out = {0};
	struct access a = {.reason = (char *)(size_t)reason};

	buf_init(&out, 4096);
	policy_message(&out, user, "prod-db-1", &a);
	tap_str(buf_cstr(&out), want, "message: %s", reason ? reason : "no reason");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(decisions); i++)
		check_decision(&decisions[i]);
	check_breakglass();
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		check_check(checks[i]);
	check_message("dba", NULL,
		      "no approved access request for dba on prod-db-1; ask for access, then log "
		      "in again");
	check_message("dba", "request REQ-7: expired",
		      "no approved access request for dba on prod-db-1 (request REQ-7: expired); "
		      "ask for access, then log in again");
	check_message("d\nb", "request \x1b[31m",
		      "no approved access request for d\\nb on prod-db-1 (request \\e[31m); ask "
		      "for access, then log in again");
	return tap_done();
}
