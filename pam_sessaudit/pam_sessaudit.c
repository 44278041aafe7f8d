/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * The module's entry points. A login goes on whatever happens here, unless the host's
 * policy says no: then it is PAM_PERM_DENIED, since sudo passes over PAM_SESSION_ERR.
 * Else it is PAM_SUCCESS. (PAM_IGNORE would do as well, but a stack of nothing else
 * would then be denied.) In the auth phase it is PAM_IGNORE: it is about break-glass
 * alone, and vouches for nobody.
 */

#define PAM_SM_AUTH
#define PAM_SM_SESSION

#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <syslog.h>

#include "common/cleanup.h"
#include "pam_sessaudit/bind.h"
#include "pam_sessaudit/decide.h"
#include "pam_sessaudit/enabled.h"
#include "pam_sessaudit/limits.h"
#include "pam_sessaudit/nest.h"
#include "pam_sessaudit/report.h"
#include "pam_sessaudit/tty.h"

#define ENTRY_POINT __attribute__((visibility("default")))

/* One call of the module. */
struct visit {
	pam_handle_t *pamh;
	struct limits limits;
	struct settings settings;
	struct options options;
	struct login login;
	struct bind_setup setup;
	struct bind bind;
	struct decide decide;
};

static bool user_uid(void *ctx, const char *name, uid_t *out)
{
	const struct passwd *pw = pam_modutil_getpwnam(ctx, name);

	if (!pw)
		return false;
	*out = pw->pw_uid;
	return true;
}

static void report_option(void *ctx, const char *message)
{
	pam_syslog(ctx, LOG_ERR, "%s", message);
}

/* A broken file is said and then works like none, so that a slip of the pen locks nobody out. But
 * in su and sudo a user decides how much memory and how many files there are: running out of them
 * must not be a way around the policy. */
static int load(struct visit *v, int argc, const char **argv)
{
	struct sa_err err = {0};
	int rc = settings_load(options_config(argc, argv), &v->settings, &err);

	if (rc < 0)
		pam_syslog(v->pamh, LOG_ERR, "%s: %s", err.msg,
			   rc == SA_ERR_NOMEM ? "refused" : "defaults are used");
	return rc;
}

/* False when there are no settings, not even defaults. */
static bool visit_begin(struct visit *v, pam_handle_t *pamh, int argc, const char **argv)
{
	struct options_user user = {
		.uid = user_uid, .in_group = login_in_group, .report = report_option, .ctx = pamh};
	int rc;

	v->pamh = pamh;
	limits_lift(&v->limits);
	rc = load(v, argc, argv);
	if (rc == SA_ERR_NOMEM)
		return false;
	login_gather(pamh, &v->settings, &v->login);
	user.name = v->login.user;
	options_resolve(argc, argv, &v->settings, &user, &v->options);
	if (rc == SA_ERR_AGAIN)
		v->options.on_none = "deny";
	return true;
}

static void visit_end(struct visit *v)
{
	bind_free(&v->bind);
	settings_free(&v->settings);
	limits_restore(&v->limits);
}

static void find(struct visit *v)
{
	const char *owner;

	v->setup = (struct bind_setup){.pamh = v->pamh,
				       .settings = &v->settings,
				       .login = &v->login,
				       .debug = v->options.debug,
				       .may_write = v->limits.may_write};
	bind_find(&v->setup, &v->bind);
	/* Without memory for the name of who asks: nobody, never whom they become. */
	owner = v->bind.owner;
	if (!owner)
		owner = v->bind.kind == BIND_NEW ? v->login.user : "";
	v->decide = (struct decide){.pamh = v->pamh,
				    .settings = &v->settings,
				    .options = &v->options,
				    .login = &v->login,
				    .owner = owner};
}

/* Finds, decides, and tells the kernel: what needs an answer of it is asked for first. */
static void record(struct visit *v, struct netlink *nl, struct outcome *out)
{
	const bool has_session = v->login.has_session;
	struct access *access = &v->bind.file.tag.access;
	struct enabled enabled;
	struct tty tty = {0};

	enabled_ask(&enabled, v->settings.agent_run_dir, nl);
	find(v);
	decide_login(&v->decide, access);
	bind_write(&v->setup, &v->bind);
	/* Also while audit is off: it may be switched on during the session. */
	bind_send(&v->setup, nl, &v->bind);
	if (access->policy != ACCESS_POLICY_DENIED)
		tty_set(&tty, v->pamh, &v->options, has_session && v->bind.kind == BIND_NEW, nl);
	netlink_wait(nl);
	*out = (struct outcome){.audit_off = enabled_is_off(&enabled),
				.tag = bind_result(&v->bind),
				.tty = tty_finish(&tty, v->pamh)};
	/* Out of reach is the better reason where pam_loginuid could not have made a session id
	 * either. */
	if (!has_session)
		out->tag = enabled.get.rc;
}

ENTRY_POINT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	_cleanup_(visit_end) struct visit v = {0};
	struct access *access = &v.bind.file.tag.access;
	struct outcome outcome;
	struct netlink nl;

	(void)flags;
	if (!visit_begin(&v, pamh, argc, argv))
		return PAM_BUF_ERR;
	netlink_open(&nl);
	record(&v, &nl, &outcome);
	netlink_close(&nl);
	report_missing(pamh, &v.login, &outcome);
	report_login(pamh, &v.login, &v.bind, &v.options);
	decide_report(&v.decide, access);
	return access->policy == ACCESS_POLICY_DENIED ? PAM_PERM_DENIED : PAM_SUCCESS;
}

ENTRY_POINT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct netlink nl;
	int rc;

	(void)flags;
	(void)argc;
	(void)argv;
	nest_forget(pamh);
	if (!tty_saved(pamh))
		return PAM_SUCCESS;
	netlink_open(&nl);
	rc = tty_restore(pamh, &nl);
	netlink_close(&nl);
	if (rc < 0) {
		errno = -rc;
		pam_syslog(pamh, LOG_WARNING, "TTY audit of this process not restored (%s: %m)",
			   report_explain(rc));
	}
	return PAM_SUCCESS;
}

ENTRY_POINT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	_cleanup_(visit_end) struct visit v = {0};

	(void)flags;
	if (!visit_begin(&v, pamh, argc, argv))
		return PAM_IGNORE;
	/* sshd's session begins later: the one it is in now is that of whoever started it. */
	if (v.login.is_ssh)
		login_leave_session(&v.login);
	find(&v);
	decide_ahead(&v.decide, &v.bind.file.tag.access);
	return PAM_IGNORE;
}

ENTRY_POINT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}
